"""How many 200-byte objects a second a program sends in a burst: dict, JSON, frame, socket.

The clock runs from the first send() to the server's last byte. The server only takes bytes meanwhile; then it looks at all.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import contenders
from row import Column, Figures, Goal, Row, Scale
from server import Server

from . import stream

OBJECTS = 100_000


def measure(key: str, scale: Scale, *, tls: bool) -> Figures:
    """One contender, one burst."""
    contender = contenders.make(key)
    objects = scale.count(OBJECTS)
    with Server("feed.py", "drain", objects, tls=scale.tls if tls else None) as server:
        before = stream.cpu_seconds()
        seen: dict[str, Any] = {}
        began = contender.burst(server.where, objects, lambda: seen.update(server.report()))
        used = stream.cpu_seconds() - before
    if seen["wrong"]:
        raise SystemExit(f"{key}: {seen['wrong']} of {objects} objects missing, changed or out of order")
    return {"rate": objects / (float(seen["ended"]) - began), "cpu": used / objects * 1e6}


def _row(tls: bool, goal: Goal) -> Row:
    return Row(
        key=f"sending{'-tls' if tls else ''}",
        question=f"Sending 200 B objects in a burst over {'wss' if tls else 'ws'}",
        goal=goal,
        setting=f"{OBJECTS:,} dicts a round",
        contenders=("fastws", "fastws-async", "picows", "aiohttp", "websockets", "websocket-client"),
        judged=("fastws",),
        columns=(Column("rate", "messages/s", more=True, ranged=True), stream.CPU),
        measure=partial(measure, tls=tls),
    )


ROWS = (
    _row(False, Goal("at least 2 times the best peer's", 2.0)),
    _row(True, Goal("at least the best peer's")),
)
