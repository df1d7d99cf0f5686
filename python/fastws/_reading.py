"""Reading messages instead of handling them: one reader's queue, and the iterators over it.

Knows the core's readers. Promises: messages in order, across reconnects; what a bad text was is told once and reading goes
on; after `close()` nothing of the old life is given any more.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import _core, _waiting

if TYPE_CHECKING:
    from ._client import WebSocketClient
    from ._face import ClientFace

_LOG_EVERY = 0.5  # seconds between two looks at what should be logged, for a client without handlers


def route_names(routes: tuple[str, ...]) -> tuple[str, ...]:
    """The routes of messages(), checked. Raises TypeError."""
    for route in routes:
        if not isinstance(route, str):
            raise TypeError(f"a route must be a str, not {type(route).__name__}")
    return tuple(route.removeprefix("type:") for route in routes)


class Reader:
    """One queue of the core. `routes` None: everything, binary messages too."""

    def __init__(self, client: ClientFace, routes: tuple[str, ...] | None, at_once: int) -> None:
        self._core = client._core
        self._at_once = at_once
        self._life = client._core.life
        self._waiting: deque[Any] = deque()
        self._number = client._core.open_reader(None if routes is None else list(routes))

    def next(self, client: ClientFace, timeout: float | None) -> tuple[bool, Any]:
        """(True, message), or (False, whether the life is over) when the time is."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            found, message = self.pop()
            if found:
                return True, message
            left = None if until is None else max(0.0, until - time.monotonic())
            if not client._dispatcher.running:
                left = _LOG_EVERY if left is None else min(left, _LOG_EVERY)
            if not self.fetch(client, left):
                return False, True
            if not self._waiting and until is not None and time.monotonic() >= until:
                return False, False

    def pop(self) -> tuple[bool, Any]:
        """(True, message) when one was fetched that nobody got."""
        life = self._core.life
        if life != self._life:  # close() drops what was not handed over
            self._life = life
            self._waiting.clear()
        try:
            return True, self._waiting.popleft()
        except IndexError:
            return False, None

    def fetch(self, client: ClientFace, wait: float | None, most: int | None = None) -> bool:
        """Fetch messages, waiting for one (seconds; None = no limit). False: the life is over and nothing is left."""
        items = self._core.read(self._number, most or self._at_once, wait)
        client._dispatcher.drain()
        if items is None:
            return False
        for kind, first, second in items:
            if kind == _core.BAD:
                client._dispatcher.decode_failed(first, second)
            else:
                self._waiting.append(second)
        return True

    def at_hand(self, client: ClientFace, most: int) -> list[Any]:
        """At most so many messages, of those that are there already."""
        messages: list[Any] = []
        while len(messages) < most:
            found, message = self.pop()
            if found:
                messages.append(message)
            elif not self.fetch(client, 0.0, most - len(messages)) or not self._waiting:
                break
        return messages

    def close(self) -> None:
        """Give the queue up; what was not read goes to whoever asks next."""
        self._core.close_reader(self._number)


class Messages(Iterator[Any]):
    """An iterator over messages. Ends after `close()`, and when the server ended a `reconnect=False` client in order."""

    def __init__(self, client: WebSocketClient, reader: Reader, *, own: bool) -> None:
        self._client = client
        self._reader: Reader | None = reader
        self._own = own  # False: the reader is the client's, and outlives this loop

    def __iter__(self) -> Messages:
        return self

    def __next__(self) -> Any:
        reader = self._reader
        if reader is None:
            raise StopIteration
        _waiting.refuse_in_handler(self._client, "iteration")
        found, message = reader.next(self._client, None)
        if found:
            return message
        self.close()
        error = _waiting.ended(self._client)
        if error is None:
            raise StopIteration
        raise error

    def close(self) -> None:
        """End the iteration; messages of these routes go to whoever asks next."""
        reader, self._reader = self._reader, None
        if reader is not None and self._own:
            reader.close()

    def __del__(self) -> None:
        self.close()
