"""Reading messages in an event loop.

Knows the readers and the client's bell. Promises: what a reader has is taken in one step with being given away, so that
cancelling an await loses nothing and gives nothing twice; a feed that never pauses lets the loop's other tasks run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from . import _waiting
from ._delivery import SLICE_MESSAGES, SLICE_SECONDS
from ._loop import Bell
from ._reading import NOTHING, Iteration, Reader

if TYPE_CHECKING:
    from ._async_client import AsyncWebSocketClient


class LoopReader(Reader):
    """A reader that does not sleep in the core."""

    _given = 0  # messages since the loop's other tasks could run,
    _rest_at = 0.0  # and when they should again, monotonic seconds

    async def arrived(
        self, client: AsyncWebSocketClient, bell: Bell, timeout: float | None
    ) -> tuple[bool, Any]:
        """(True, message), or (False, whether the life is over) when the time is."""
        until = None if timeout is None else bell.loop.time() + timeout
        while True:
            message = self.pop(self.bad)
            if message is not NOTHING:
                return True, message
            fetched = self.fetch(client, 0.0)
            if fetched is None:
                return False, True
            if fetched:
                await self._rest(fetched)
                continue
            left = None if until is None else until - bell.loop.time()
            if left is not None and left <= 0:
                return False, False
            self._given = 0
            await bell.rung(left)

    async def _rest(self, fetched: int) -> None:
        """Let the loop's other tasks run, if these would be too many without."""
        if not self._given:
            self._rest_at = time.monotonic() + SLICE_SECONDS
        elif self._given + fetched > SLICE_MESSAGES or time.monotonic() >= self._rest_at:
            self._given = 0
            await asyncio.sleep(0)
            self._rest_at = time.monotonic() + SLICE_SECONDS
        self._given += fetched


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
