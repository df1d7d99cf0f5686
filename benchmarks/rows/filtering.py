"""A stream of which few messages are handled: fastws drops the others natively, peers by a filter written by hand.

The filter is a search for `"type":"trade"` in the frame's bytes, before the parser: less than most programs would write.
"""

from __future__ import annotations

from functools import partial

from row import Column, Goal, Row

from . import stream


def _row(types: int, factor: float) -> Row:
    return Row(
        key=f"filter-{100 // types}",
        question=f"A stream of 200 B messages over ws, {100 // types} % of the types handled",
        goal=Goal(f"at least {factor} times the best peer's, filtering by hand", factor),
        setting=f"{stream.amount(False)}; {types} types take turns, one is handled",
        contenders=("fastws", "fastws-async", "picows", "aiohttp", "websockets", "websocket-client"),
        judged=("fastws",),
        columns=(Column("rate", "messages/s", more=True, ranged=True), stream.CPU),
        measure=partial(stream.measure, large=False, tls=False, types=types),
    )


ROWS = (_row(10, 2.5), _row(100, 3.0))
