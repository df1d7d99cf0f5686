"""How many JSON messages a second reach a Python function as dicts, when all of them do.

The clock runs from the server's first byte to the last message in the handler. Every id is compared with the one that is due.
"""

from __future__ import annotations

import resource
from functools import partial

import contenders
import frames
from row import Column, Figures, Goal, Row, Scale
from server import Server
from tally import Tally

SMALL_ONES, LARGE_ONES = 1_000_000, 400  # messages of a round
WHO = (
    "fastws",
    "fastws-messages",
    "fastws-async",
    "fastws-async-messages",
    "picows",
    "aiohttp",
    "websockets",
    "websocket-client",
    "count",
)
CPU = Column("cpu", "CPU µs a message", "{:,.2f}")


def cpu_seconds() -> float:
    """What this process has used, on all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(key: str, scale: Scale, *, large: bool, tls: bool, types: int = 1) -> Figures:
    """One contender, one flood."""
    contender = contenders.make(key)
    messages = scale.count(LARGE_ONES if large else SMALL_ONES // contender.share)
    tally = Tally(messages // types, types=types, block=frames.TEXTS if large else frames.BLOCK)
    kind = "large" if large else types
    with Server("feed.py", "flood", kind, messages, tls=scale.tls if tls else None) as server:
        before = cpu_seconds()
        contender.stream(server.where, tally, types > 1)
        used = cpu_seconds() - before
        tally.check(key)
        seconds = tally.ended - float(server.report()["began"])
    size = frames.LARGE if large else frames.SMALL
    return {
        "rate": messages / seconds,
        "bytes": messages * size / seconds / 2**20,
        "cpu": used / messages * 1e6,
        "cpu_ms": used / messages * 1e3,
    }


def amount(large: bool) -> str:
    """How much a round is, in words."""
    if large:
        return f"{LARGE_ONES:,} messages a round"
    return f"{SMALL_ONES:,} messages a round, a fifth of them for websockets and websocket-client"


def _row(large: bool, tls: bool, factor: float) -> Row:
    size, scheme = ("1 MiB" if large else "200 B"), ("wss" if tls else "ws")
    rate = (
        Column("bytes", "MiB/s", more=True, ranged=True)
        if large
        else Column("rate", "messages/s", more=True, ranged=True)
    )
    return Row(
        key=f"stream-{'1M' if large else '200'}{'-tls' if tls else ''}",
        question=f"A stream of {size} messages over {scheme}, all handled",
        goal=Goal(f"at least {factor} times the best peer's", factor),
        setting=f"{amount(large)}, each parsed and handed to a Python function",
        contenders=WHO,
        judged=("fastws",),
        columns=(rate, Column("cpu_ms", "CPU ms a message", "{:,.2f}") if large else CPU),
        measure=partial(measure, large=large, tls=tls),
    )


ROWS = (_row(False, False, 2.0), _row(True, False, 1.6), _row(False, True, 1.6), _row(True, True, 1.5))
