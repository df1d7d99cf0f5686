"""A recording as a script of the scripted server: the messages of each connection, at their times.

May know the standard library and the other _scripted_* modules. Promises: a line that a killed process left torn is
passed over; anything else that is no recording is refused with its line's number.
"""

import base64
import json
import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastws._scripted_connection import Connection, Script

_ENDED_BY_PEER = ("server", "network")


@dataclass(slots=True)
class Recorded:
    """One recorded connection: `messages` are (seconds since it opened, text or bytes)."""

    opened_at: float
    messages: list[tuple[float, str | bytes]] = field(default_factory=list)
    ended_at: float | None = None  # seconds since it opened; None = by the client, or not recorded
    code: int = 1006  # close code; 1006 = no Close frame


def read_recording(path: str | os.PathLike[str]) -> list[Recorded]:
    """The connections of a recording, in order.

    Raises:
        OSError: the file can not be read. ValueError: it is no recording; the message names the line.
    """
    connections: list[Recorded] = []
    present: Recorded | None = None
    torn: tuple[int, Exception] | None = None
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = json.loads(raw)
                kind, at = line["kind"], float(line["mono"])
                if torn is not None and kind != "start":  # only a process that was killed leaves half a line
                    raise torn[1]
                torn = None
                if kind == "start":
                    present = None
                    continue
                if kind == "connect" or (present is None and kind in ("text", "binary")):
                    present = Recorded(at)
                    connections.append(present)
                if present is not None:
                    _take(present, kind, at - present.opened_at, line)
            except (ValueError, KeyError, TypeError) as error:
                if torn is None:
                    torn = number, error
                    continue
                raise ValueError(f"{path}: line {torn[0]} is not of a recording: {torn[1]}") from error
    if not connections:
        raise ValueError(f"{path}: no connection was recorded")
    return connections


def _take(present: Recorded, kind: str, after: float, line: dict[str, Any]) -> None:
    if kind == "text":
        present.messages.append((after, str(line["data"])))
    elif kind == "binary":
        present.messages.append((after, base64.b64decode(line["data"], validate=True)))
    elif kind == "disconnect" and line["initiator"] in _ENDED_BY_PEER:
        present.ended_at, present.code = after, int(line["code"])


def replay_scripts(recording: Iterable[Recorded], speed: float | None) -> list[Script]:
    """A script for each recorded connection. Raises TypeError or ValueError when `speed` can not be used."""
    if speed is not None and (isinstance(speed, bool) or not isinstance(speed, (int, float))):
        raise TypeError(f"speed must be a number or None, not {type(speed).__name__}")
    if speed is not None and not speed > 0:
        raise ValueError(f"speed must be above 0, not {speed!r}")
    factor = 0.0 if speed is None or math.isinf(speed) else 1.0 / speed
    return [_script(one, factor) for one in recording]


def _script(recorded: Recorded, factor: float) -> Script:
    def script(conn: Connection) -> None:
        conn.accept()
        began = time.monotonic()
        for after, message in recorded.messages:
            if _over_before(conn, began + max(0.0, after) * factor):
                return
            conn.send(message)
        if recorded.ended_at is None or _over_before(conn, began + recorded.ended_at * factor):
            return
        if recorded.code == 1006:
            conn.drop()
        else:
            conn.close(None if recorded.code == 1005 else recorded.code, wait=False)

    return script


def _over_before(conn: Connection, at: float) -> bool:
    left = at - time.monotonic()
    return conn.wait_over(left) if left > 0 else False
