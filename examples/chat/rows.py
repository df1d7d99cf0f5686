"""What stands in the list of messages, row by row: days, the mark of what is unread, and lines in groups. Pure.

Also how a text is made fit for a terminal: nothing that somebody says moves the cursor or turns the writing of others around.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from . import protocol
from .view import Line, View

GROUP_MS = 60_000  # lines of one person within a minute share a head, so its time is theirs
_KEPT_FORMATS = "\u200c\u200d"  # joiners are parts of emoji and of some scripts
HUES = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `head`: a line's name and time are shown."""

    key: str
    kind: Literal["day", "unread", "line"]
    text: str = ""
    line: Line | None = None
    head: bool = False


def rows(view: View) -> Iterator[Row]:
    """The rows of a view, from top to bottom."""
    before: Line | None = None
    began = 0
    day = None
    for line in view.lines:
        date = datetime.fromtimestamp(line.at / 1000).date()
        fresh = before is None
        if date != day:
            day, fresh = date, True
            yield Row(f"day:{date.isoformat()}:{line.key}", "day", f"{date:%A} {date.day} {date:%B}")
        if line.key == view.unread_from:
            fresh = True
            yield Row("unread", "unread", "new")
        head = fresh or before is None or before.name != line.name or before.own != line.own
        head = head or not 0 <= line.at - began < GROUP_MS
        if head:
            began = line.at
        yield Row(line.key, "line", line=line, head=head)
        before = line


def clock(at: int) -> str:
    """Milliseconds since 1970 as the local time of day."""
    return f"{datetime.fromtimestamp(at / 1000):%H:%M}"


def printable(text: str) -> str:
    """A text without what steers a terminal or the direction of the writing around it; tabs are four blanks."""
    shown = []
    for one in text.replace("\t", "    "):
        category = unicodedata.category(one)
        if one == "\n" or one in _KEPT_FORMATS:
            shown.append(one)
        elif category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            shown.append("\ufffd" if category == "Cs" else "")
        else:
            shown.append(one)
    return "".join(shown)


def hue(name: str) -> int:
    """A person's colour, 0 to HUES - 1: the same on every face (FNV-1a over the name's UTF-8)."""
    value = 0x811C9DC5
    for byte in protocol.name_key(name).encode("utf-8", "replace"):
        value = (value ^ byte) * 0x01000193 % 2**32
    return (value >> 8) % HUES  # its low bits are hardly mixed
