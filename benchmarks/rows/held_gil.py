"""What happens to a connection while a C call holds the GIL for a minute: kept or lost, and how many messages arrive.

The server sends 10,000 messages a second and pings each second; it gives up when no pong came for 5 s, as servers do.
"""

from __future__ import annotations

import ctypes
import time

import contenders
from row import Column, Figures, Goal, Row, Scale
from server import Server
from tally import Tally

RATE, EVERY, LIMIT = 10_000, 1.0, 5.0
BEFORE, AFTER = 1.0, 1.0  # seconds of the feed on both sides of the call
BACKLOG = 512  # MiB: 600,000 of these messages are 300 MB in the inbox, texts and tapes


def measure(key: str, scale: Scale) -> Figures:
    """One contender. The C call is sleep(3), called so that ctypes does not release the GIL."""
    contender = contenders.make(key)
    contender.expect_backlog(BACKLOG << 20)
    seconds = BEFORE + scale.held + AFTER
    tally = Tally(int(RATE * seconds))
    sleep = ctypes.PyDLL(None).sleep
    with Server("feed.py", "watch", RATE, seconds, EVERY, LIMIT) as server:
        contender.background(server.where, tally, False)
        server.report()  # it has begun
        time.sleep(BEFORE)
        at_once = tally.count
        sleep(int(scale.held))
        let_go = time.monotonic()
        end = server.report()
        until = time.monotonic() + 20
        while end["kept"] and tally.count < tally.wanted and time.monotonic() < until:
            time.sleep(0.01)
        if not end["kept"]:
            time.sleep(2)  # what is on its way still counts
        took = tally.ended - let_go if tally.ended else float("nan")
    if not at_once:
        raise SystemExit(f"{key}: nothing came before the GIL was held")
    figures: Figures = {
        "delivered": (tally.count - tally.wrong) / tally.wanted * 100,
        "kept": "kept" if end["kept"] else f"lost after {end['after']:.0f} s",
        "wrong": tally.wrong,
    }
    if end["kept"]:
        figures["caught"] = took
    return figures


ROWS = (
    Row(
        key="held-gil",
        question="A C call holds the GIL for a minute beside 10,000 messages/s of 200 B",
        goal=Goal("kept, every message delivered, in order", limit=100.0),
        setting=f"server pings each {EVERY:g} s and gives up {LIMIT:g} s after the last answer; "
        f"all contenders at one time, each with a server of its own; fastws has inbox_bytes={BACKLOG} MiB, since its default of "
        "256 MiB is full after 52 s of this feed",
        contenders=("fastws", "picows", "aiohttp", "websockets", "websocket-client"),
        judged=("fastws",),
        columns=(
            Column("delivered", "% delivered in order", "{:,.2f}", more=True),
            Column("kept", "connection", "{}", more=None),
            Column("wrong", "out of order"),
            Column(
                "caught",
                f"s from the call's end to the last message (the feed goes on for {AFTER:g} s)",
                "{:,.1f}",
                more=None,
            ),
        ),
        measure=measure,
        rounds=1,
        together=True,
    ),
)
