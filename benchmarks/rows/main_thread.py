"""How much Python the main thread loses to a feed of 50,000 messages a second.

The main thread counts in pure Python, in windows with and without the feed, in turns. Beside the feed it counts until the
last message is handled, so that what a client puts off is charged too; lost is the time that the count is short of, in per
cent of the feed's. A client that has not handled all of it soon after the feed's end fell behind: the little that it took is no
merit, so it has no figure. The connection is open all the time. fastws receives by itself, peers in a thread with their loop.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import contenders
from frames import BLOCK
from row import Column, Figures, Goal, Row, Scale
from server import Server
from tally import Tally

RATE, WINDOW, PAIRS = 50_000, 0.25, 8
GRACE = 0.25  # seconds after the feed's end in which the rest must be handled


def count_until(over: Callable[[float], bool]) -> tuple[int, float]:
    """Rounds of a loop that never gives the GIL away by itself, and their seconds, until `over` of the seconds is True."""
    rounds, began = 0, time.perf_counter()
    while not over(seconds := time.perf_counter() - began):
        for _ in range(2000):
            rounds += 1
    return rounds, seconds


def measure(key: str, scale: Scale, *, types: int) -> Figures:
    """One contender, some pairs of windows."""
    contender = contenders.make(key)
    each = int(scale.seconds(WINDOW) * RATE) // BLOCK * BLOCK
    window = each / RATE
    tally = Tally(PAIRS * each // types, types=types)
    quiet, beside, in_time = [], [], []
    with Server("feed.py", "windows", types, RATE) as server:
        contender.background(server.where, tally, types > 1)
        server.command(0)  # answered when the handshake is done
        server.report()
        time.sleep(0.2)
        for number in range(PAIRS):
            quiet.append(count_until(lambda seconds: seconds >= window))
            due = (number + 1) * each // types
            server.command(window)
            beside.append(
                count_until(lambda seconds, due=due: tally.count >= due or seconds > window + GRACE)
            )
            in_time.append(100 - (due - tally.count) / (each // types) * 100)
            server.report()
            _wait_for(tally, due)
        quiet.append(count_until(lambda seconds: seconds >= window))
    tally.check(key)
    rates = [rounds / seconds for rounds, seconds in quiet]
    calm = statistics.median(rates)
    # Each window with the feed against its two neighbours without: what the machine does otherwise changes slowly.
    lost = statistics.median(
        (seconds - rounds / statistics.mean(rates[number : number + 2])) / window
        for number, (rounds, seconds) in enumerate(beside)
    )
    return {
        "lost": lost * 100 if min(in_time) == 100 else "fell behind",
        "in_time": min(in_time),
        "calm": calm / 1e6,
        "noise": (max(rates) - min(rates)) / calm * 100,
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
            Column("in_time", "% handled in time", "{:,.1f}", more=None),
            Column("noise", "spread, %", "{:,.1f}", more=None),
            Column("calm", "million rounds/s without", "{:,.1f}", more=None),
        ),
        measure=partial(measure, types=types),
    )


ROWS = (
    _row(1, 0.5, "at most half of the best peer's"),
    _row(10, 1 / 3, "at most a third of the best peer's"),
)
