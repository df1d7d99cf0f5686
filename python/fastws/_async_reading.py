"""Reading messages in an event loop.

Knows the readers and the client's bell. Promises: what a reader has is taken in one step with being given away, so that
cancelling an await loses nothing and gives nothing twice; a feed that never pauses lets the loop's other tasks run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from . import _waiting
from ._delivery import SLICE_MESSAGES
from ._loop import Bell
from ._reading import NOTHING, Iteration, Reader

if TYPE_CHECKING:
    from ._async_client import AsyncWebSocketClient


_PARTS = 4  # of a slice; after so many the loop's other tasks have a turn, if nothing else gave them one


class LoopReader(Reader):
    """A reader that does not sleep in the core."""

    _parts = 0  # taken since the loop's other tasks could run

    async def arrived(
        self,
        client: AsyncWebSocketClient,
        bell: Bell,
        timeout: float | None,
        pop: Callable[[Any], Any] | None = None,
    ) -> tuple[bool, Any]:
        """(True, message), or (False, whether the life is over) when the time is. `pop`: takes several, as many() has it."""
        pop = pop or self.pop
        message = pop(self.bad)
        if message is not NOTHING:
            return True, message
        until = None if timeout is None else bell.loop.time() + timeout
        while True:
            if self._parts == _PARTS:
                self._parts = 0
                await asyncio.sleep(0)
            fetched = self._core.fetch(self._number, SLICE_MESSAGES // _PARTS, 0.0)
            if not self._drained():
                client._dispatcher.drain()
            if fetched is None:
                return False, True
            message = pop(self.bad)
            if message is not NOTHING:
                self._parts += 1
                return True, message
            left = None if until is None else until - bell.loop.time()
            if left is not None and left <= 0:
                return False, False
            self._parts = 0
            if left is not None:
                await bell.rung(left)
                continue
            sleeper = bell.sleeper()
            try:
                await sleeper
            except BaseException:
                bell.forget(sleeper)
                raise


class AsyncMessages(Iteration, AsyncIterator[Any]):
    """An iterator over messages. Ends after `close()`, and when the server ended a `reconnect=False` client in order."""

    _client: AsyncWebSocketClient
    _reader: LoopReader | None

    def __aiter__(self) -> AsyncMessages:
        return self

    async def __anext__(self) -> Any:
        reader = self._reader
        if reader is None:
            raise StopAsyncIteration
        client = self._client
        bell = client._here()
        if client._dispatcher.is_current:
            _waiting.refuse_in_handler(client, "iteration")
        message = reader.pop(reader.bad)
        if message is NOTHING:
            found, message = await reader.arrived(client, bell, None)
            if not found:
                raise self._end(StopAsyncIteration)
        return message
