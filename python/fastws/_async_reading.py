"""Reading messages in an event loop.

Knows the readers and the client's bell. Promises: what a reader has is taken in one step with being given away, so that
cancelling an await loses nothing and gives nothing twice; a feed that never pauses lets the loop's other tasks run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from . import _waiting
from ._loop import Bell
from ._reading import Reader

if TYPE_CHECKING:
    from ._async_client import AsyncWebSocketClient

_REST_EVERY = 64  # messages between two turns of the loop's other tasks


class LoopReader(Reader):
    """A reader that does not sleep in the core."""

    _given = 0

    async def arrived(
        self, client: AsyncWebSocketClient, bell: Bell, timeout: float | None
    ) -> tuple[bool, Any]:
        """(True, message), or (False, whether the life is over) when the time is."""
        until = None if timeout is None else bell.loop.time() + timeout
        if self._given >= _REST_EVERY:
            self._given = 0
            await asyncio.sleep(0)
        while True:
            found, message = self.pop()
            if found:
                self._given += 1
                return True, message
            if not self.fetch(client, 0.0):
                return False, True
            if self._waiting:
                continue
            left = None if until is None else until - bell.loop.time()
            if left is not None and left <= 0:
                return False, False
            self._given = 0
            await bell.rung(left)


class AsyncMessages(AsyncIterator[Any]):
    """An iterator over messages. Ends after `close()`, and when the server ended a `reconnect=False` client in order."""

    def __init__(self, client: AsyncWebSocketClient, reader: LoopReader, *, own: bool) -> None:
        self._client = client
        self._reader: LoopReader | None = reader
        self._own = own  # False: the reader is the client's, and outlives this loop

    def __aiter__(self) -> AsyncMessages:
        return self

    async def __anext__(self) -> Any:
        reader = self._reader
        if reader is None:
            raise StopAsyncIteration
        bell = self._client._here()
        _waiting.refuse_in_handler(self._client, "iteration")
        found, message = await reader.arrived(self._client, bell, None)
        if found:
            return message
        self.close()
        error = _waiting.ended(self._client)
        if error is None:
            raise StopAsyncIteration
        raise error

    def close(self) -> None:
        """End the iteration; messages of these routes go to whoever asks next."""
        reader, self._reader = self._reader, None
        if reader is not None and self._own:
            reader.close()

    def __del__(self) -> None:
        self.close()
