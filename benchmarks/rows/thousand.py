"""A thousand clients in one process on one core, 10 messages a second each, all handled.

The delay of each message is from the server's reading of the clock to the handler's; one machine, one clock. What is shown
besides: how much of the core it takes, memory, threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import contenders
import psutil
from row import Column, Figures, Goal, Row, Scale
from server import Server
from tally import Arrivals

from . import stream

CLIENTS, RATE, SECONDS, LATE = 1000, 10, 4, 100.0


def measure(key: str, scale: Scale) -> Figures:
    """One contender."""
    contender = contenders.make(key)
    count = scale.count(CLIENTS)
    arrivals = Arrivals(count, RATE * SECONDS)
    figures: Figures = {}

    def steps() -> Iterator[Callable[[], bool]]:
        server.command("trickle", RATE, SECONDS)
        used, began = stream.cpu_seconds(), time.monotonic()
        yield lambda: arrivals.count >= arrivals.wanted or time.monotonic() > began + SECONDS + 30
        seconds = time.monotonic() - began
        figures["core"] = (stream.cpu_seconds() - used) / seconds * 100
        figures["threads"] = psutil.Process().num_threads()
        figures["memory"] = psutil.Process().memory_full_info().uss / 2**20

    with Server("crowd.py", count) as server:
        contender.hold(server.where, count, arrivals.handle, steps())
        arrivals.check(key)
        figures["late"] = float(server.report()["late"]) * 1e3
    cuts = statistics.quantiles(arrivals.delays, n=100)
    return {"p99": cuts[98] * 1e3, "p50": cuts[49] * 1e3, **figures}


ROWS = (
    Row(
        key="thousand",
        question="1,000 clients on one core, 10 messages/s each, all handled",
        goal=Goal(f"keeps up (p99 of the delay at most {LATE:g} ms), nothing lost", limit=LATE),
        setting=f"{SECONDS} s a round; the handler takes the time and a lock",
        contenders=("fastws-async", "fastws", "picows", "aiohttp", "websockets", "websocket-client"),
        judged=("fastws-async", "fastws"),
        columns=(
            Column("p99", "delay, p99 ms", "{:,.1f}", ranged=True),
            Column("p50", "delay, p50 ms", "{:,.1f}"),
            Column("core", "% of the core"),
            Column("memory", "MiB"),
            Column("threads", "threads"),
            Column("late", "server late at the end, ms", more=None),
        ),
        measure=measure,
        pinned=True,
        rounds=2,
    ),
)
