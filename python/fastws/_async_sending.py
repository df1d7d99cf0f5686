"""The waiting that sending from an event loop may need: for room in the outbox, and until all is written.

Knows the client's core and bell. Promises: who came first goes first; a message stays with the connection that was open when
it was given to us; what is cancelled while it waits is not sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from . import _options
from ._refusals import tell_accepted

if TYPE_CHECKING:
    from ._async_client import AsyncWebSocketClient
    from ._loop import Bell


class Turn:
    """Held by the first of those that wait for room in the outbox; the others queue up for it."""

    __slots__ = ("_lock", "waiting")

    def __init__(self) -> None:
        # How many hold it or wait for it. The lock alone does not tell: it is open from its release until the next one runs.
        self.waiting = 0
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        self.waiting += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self.waiting -= 1
            raise

    async def __aexit__(self, *error: object) -> None:
        self.waiting -= 1
        self._lock.release()


def text_of(client: AsyncWebSocketClient, text: str, of: int) -> Callable[[int], bool | None]:
    """Tries to send a text that was first tried in the epoch `of`; None = no room."""
    return lambda epoch: client._core.send_text(text, epoch, False, of)


async def when_room(client: AsyncWebSocketClient, bell: Bell, send: Callable[[int], bool | None]) -> bool:
    """Try until there is room, at most `send_timeout`. Raises TimeoutError."""
    epoch = client._epoch()
    until = None if client._send_timeout is None else bell.loop.time() + client._send_timeout
    async with client._turn:
        while True:
            sent = send(epoch)
            if sent is not None:
                return sent or client._unsent()
            left = None if until is None else until - bell.loop.time()
            if left is not None and left <= 0:
                raise TimeoutError("the outbox stayed full: the server does not take what is sent")
            await bell.rung(left)


async def many(
    client: AsyncWebSocketClient, bell: Bell, objs: Iterable[Any], default: Callable[[Any], Any] | None
) -> int:
    """Send all of an iterable, a batch at a time: how many were accepted."""
    accepted = 0
    remaining = iter(objs)
    more = True
    try:
        while more:
            if client._turn.waiting:
                async with client._turn:
                    pass  # behind those who already wait for room
            of = client._core.epoch
            count, more, left, error = client._core.send_some(remaining, default, client._epoch())
            accepted += count
            for text in left:
                accepted += await when_room(client, bell, text_of(client, text, of))
            if error is not None:
                raise error
            await asyncio.sleep(0)  # a long iterable does not keep the loop
    except BaseException as error:
        tell_accepted(error, accepted, client.url)
        raise
    finally:
        if not accepted:
            client._unsent()
    return accepted


async def until_written(client: AsyncWebSocketClient, bell: Bell, timeout: float | None) -> bool:
    """Return when all that waits now is written: True; or lost: False. Raises TimeoutError."""
    seconds = _options.number("timeout", timeout, none=True)
    until = None if seconds is None else bell.loop.time() + seconds
    flushing = client._core.begin_flush(not client._dispatcher.is_current)
    while (done := client._core.flushed(flushing)) is None:
        left = None if until is None else until - bell.loop.time()
        if left is not None and left <= 0:
            raise TimeoutError("what was sent could not all be written in time")
        await bell.rung(left)
    return done
