"""Waiting, in an event loop, for a client to open or to end.

Knows the client through itself, and its bell. Promises: the loop's other tasks run meanwhile; cancelling changes nothing
but the wait; while it waits, a client without handlers has its events logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import _waiting
from ._loop import Bell
from ._options import number

if TYPE_CHECKING:
    from ._async_client import AsyncWebSocketClient


async def reach(
    client: AsyncWebSocketClient, bell: Bell, reached: Callable[[str], bool], timeout: float | None
) -> str | None:
    """Sleep until the state is one that was asked for: that state; None when the time (seconds) is over."""
    until = None if timeout is None else bell.loop.time() + timeout
    while True:
        client._dispatcher.drain()
        state = client._core.state
        if reached(state):
            return state
        left = None if until is None else until - bell.loop.time()
        if left is not None and left <= 0:
            return None
        await bell.rung(left)


async def until_open(
    client: AsyncWebSocketClient, bell: Bell, timeout: float | None, opened_before: int
) -> None:
    """Return when it is open, or was and is over, with more than `opened_before` connections; raises what kept it from that."""
    seconds = number("timeout", timeout, none=True)
    _waiting.refuse_in_handler(client, "wait_open")
    state = await reach(client, bell, _waiting.open_or_over, seconds)
    _waiting.check_open(client, state, timeout, opened_before)


async def until_closed(client: AsyncWebSocketClient, bell: Bell, timeout: float | None) -> bool:
    """True when it is closed, False when the time is over; raises what a handler raised to end the program."""
    seconds = number("timeout", timeout, none=True)
    _waiting.refuse_in_handler(client, "wait")
    client._dispatcher.waited_for += 1
    try:
        if await reach(client, bell, lambda state: state in _waiting.OVER, seconds) is None:
            return False
        await until_handled(client, bell)
    finally:
        client._dispatcher.waited_for -= 1
    _waiting.check_end(client)
    return True


async def until_handled(client: AsyncWebSocketClient, bell: Bell) -> None:
    """Return when the closing handshake and the handlers of `closed` are done, at the latest after close_timeout + 0.5 s."""
    until = bell.loop.time() + client._close_timeout + _waiting.GRACE
    await reach(client, bell, lambda state: state != "closing", client._close_timeout + _waiting.GRACE)
    reached = client._dispatcher.barrier()
    if reached is not None:
        await asyncio.wait([reached], timeout=max(0.0, until - bell.loop.time()))
