"""How long a 256-byte JSON object takes to the server and back: dict to dict, one after the other.

The server echoes from one core, the client has another. The floor is a blocking raw socket that moves the same bytes.
"""

from __future__ import annotations

import statistics
from functools import partial

import contenders
import frames
from row import Column, Figures, Goal, Row, Scale
from server import Server

from . import stream

TRIPS, WARM = 10_000, 500


def measure(key: str, scale: Scale, *, tls: bool) -> Figures:
    """One contender; the first round trips warm it and are not counted."""
    contender = contenders.make(key)
    objects = [frames.echo_object(number) for number in range(WARM + scale.count(TRIPS))]
    with Server("feed.py", "echo", tls=scale.tls if tls else None) as server:
        before = stream.cpu_seconds()
        times = contender.echo(server.where, objects)
        used = stream.cpu_seconds() - before
    if len(times) != len(objects):
        raise SystemExit(f"{key}: {len(times)} of {len(objects)} round trips")
    cuts = statistics.quantiles(times[WARM:], n=100)
    return {"p50": cuts[49] * 1e6, "p99": cuts[98] * 1e6, "cpu": used / len(times) * 1e6}


def _row(tls: bool) -> Row:
    fastws = ("fastws-recv", "fastws", "fastws-async-recv", "fastws-async")
    return Row(
        key=f"roundtrip{'-tls' if tls else ''}",
        question=f"Round trip of a 256 B JSON echo over {'wss' if tls else 'ws'}",
        goal=Goal("at most the best peer's"),
        setting=f"{TRIPS:,} round trips a round; server and client have a core each; fastws receives in a handler, "
        "where no recv() is named",
        contenders=(*fastws, "picows", "aiohttp", "websockets", "websocket-client", "count"),
        judged=fastws,
        columns=(
            Column("p50", "p50 µs", "{:,.1f}", ranged=True),
            Column("p99", "p99 µs", "{:,.1f}"),
            Column("cpu", "CPU µs a round trip, all of the client", "{:,.1f}"),
        ),
        measure=partial(measure, tls=tls),
        pinned=True,
    )


ROWS = (_row(False), _row(True))
