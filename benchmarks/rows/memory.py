"""What a thousand idle connections in one process cost: memory and threads, fresh and after a burst to each.

Memory is what the process has for itself (unique set size), less what it had before the first connection; the kernel's
socket buffers are not in it. Nothing of the burst is kept.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import contenders
import frames
import psutil
from row import Column, Figures, Goal, Row, Scale
from server import Server

CONNECTIONS, TEXTS, SIZE = 1000, 16, 64 << 10  # 1 MiB to each


def _own_kib() -> float:
    gc.collect()
    return psutil.Process().memory_full_info().uss / 1024


def measure(key: str, scale: Scale, *, tls: bool) -> Figures:
    """One contender."""
    contender = contenders.make(key)
    count, due = scale.count(CONNECTIONS), {frames.FIRST_ID + number for number in range(TEXTS)}
    seen, wrong = 0, 0
    figures: Figures = {}

    def handle(message: dict[str, Any]) -> None:
        nonlocal seen, wrong
        seen += 1
        wrong += message["id"] not in due

    def steps() -> Iterator[Callable[[], bool]]:
        yield _after(0.5)
        figures["fresh"] = (_own_kib() - before) / count
        figures["threads"] = psutil.Process().num_threads() - threads
        server.command("burst", TEXTS, SIZE)
        yield lambda: seen >= count * TEXTS
        yield _after(0.5)
        figures["after"] = (_own_kib() - before) / count

    with Server("crowd.py", count, tls=scale.tls if tls else None) as server:
        before, threads = _own_kib(), psutil.Process().num_threads()
        contender.hold(server.where, count, handle, steps())
    if seen != count * TEXTS or wrong:
        raise SystemExit(f"{key}: {seen} of {count * TEXTS} messages, {wrong} not the expected ones")
    return figures


def _after(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def _row(tls: bool) -> Row:
    fastws = ("fastws", "fastws-recv", "fastws-async")
    return Row(
        key=f"memory{'-tls' if tls else ''}",
        question=f"Memory of an idle connection over {'wss' if tls else 'ws'}",
        goal=Goal("at most the best peer's"),
        setting=f"{CONNECTIONS:,} connections in one process; the burst is {TEXTS} texts of {SIZE >> 10} KiB to each; "
        "fastws has a handler for each connection, where no recv() is named",
        contenders=(*fastws, "picows", "aiohttp", "websockets", "websocket-client"),
        judged=fastws,
        columns=(
            Column("fresh", "KiB each, fresh", "{:,.1f}", ranged=True),
            Column("after", "KiB each, after the burst", "{:,.1f}", ranged=True),
            Column("threads", "threads more"),
        ),
        measure=partial(measure, tls=tls),
        goals=2,
        rounds=2,
    )


ROWS = (_row(False), _row(True))
