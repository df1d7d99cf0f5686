"""How much Python the main thread loses to a feed of 50,000 messages a second.

The main thread counts in pure Python, in windows with and without the feed, in turns; lost is what it counts less beside
the feed. The connection is open all the time. fastws receives by itself, peers in a thread with their loop.
"""

from __future__ import annotations

import statistics
import time
from functools import partial

import contenders
from row import Column, Figures, Goal, Row, Scale
from server import Server
from tally import Tally

RATE, WINDOW, PAIRS = 50_000, 0.8, 2


def count_for(seconds: float) -> float:
    """Rounds a second of a loop that never gives the GIL away by itself."""
    rounds, began = 0, time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        for _ in range(2000):
            rounds += 1
    return rounds / (now - began)


def measure(key: str, scale: Scale, *, types: int) -> Figures:
    """One contender, some pairs of windows."""
    contender = contenders.make(key)
    window = scale.seconds(WINDOW)
    each = int(window * RATE) // 1000 * 1000
    tally = Tally(PAIRS * each // types, types=types)
    quiet, beside = [], []
    with Server("feed.py", "windows", types, RATE) as server:
        contender.background(server.where, tally, types > 1)
        server.command(0)  # answered when the handshake is done
        server.report()
        time.sleep(0.2)
        for number in range(PAIRS):
            quiet.append(count_for(window))
            server.command(each / RATE)
            beside.append(count_for(window * 0.9))  # ends before the feed does
            server.report()
            _wait_for(tally, (number + 1) * each // types)
        quiet.append(count_for(window))
    tally.check(key)
    calm = statistics.mean(quiet)
    return {
        "lost": (1 - statistics.mean(beside) / calm) * 100,
        "calm": calm / 1e6,
        "noise": (max(quiet) - min(quiet)) / calm * 100,
    }


def _wait_for(tally: Tally, count: int) -> None:
    until = time.monotonic() + 20
    while tally.count < count and time.monotonic() < until:
        time.sleep(0.01)


def _row(types: int, factor: float, words: str) -> Row:
    return Row(
        key=f"mainthread-{100 // types}",
        question=f"Main-thread Python lost to {RATE:,} messages/s of 200 B, {100 // types} % handled",
        goal=Goal(words, factor),
        setting=f"{PAIRS} windows of {WINDOW} s with the feed between windows without it, in each round; "
        "spread = of the windows without the feed",
        contenders=("fastws", "picows", "aiohttp", "websockets", "websocket-client"),
        judged=("fastws",),
        columns=(
            Column("lost", "% lost", "{:,.1f}", ranged=True),
            Column("noise", "spread, %", "{:,.1f}", more=None),
            Column("calm", "million rounds/s without", "{:,.1f}", more=None),
        ),
        measure=partial(measure, types=types),
    )


ROWS = (
    _row(1, 0.5, "at most half of the best peer's"),
    _row(10, 1 / 3, "at most a third of the best peer's"),
)
