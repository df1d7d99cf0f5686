"""Reading messages instead of handling them: one reader's queue, and the iterators over it.

Knows the core's readers. Promises: messages in order, across reconnects; what a bad text was is told once and reading goes
on; after `close()` nothing of the old life is given any more; what was fetched ahead and is not given is as if nobody had
asked for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import _core, _waiting
from ._delivery import SLICE_MESSAGES
from ._options import encodable

if TYPE_CHECKING:
    from ._face import ClientFace

NOTHING = _core.NOTHING  # no message: None is one
_LOG_EVERY = 0.5  # seconds between two looks at what should be logged, for a client without handlers


def route_names(routes: tuple[str, ...]) -> tuple[str, ...]:
    """The routes of messages(), checked. Raises TypeError or ValueError."""
    for route in routes:
        if not isinstance(route, str):
            raise TypeError(f"a route must be a str, not {type(route).__name__}")
    return tuple(encodable("a route", route).removeprefix("type:") for route in routes)


class Reader:
    """One queue of the core. `routes` None: everything, binary messages too.

    Whoever takes a message calls nothing between that and giving it away: Ctrl-C, which Python raises between two calls,
    would lose it.
    """

    __slots__ = ("_core", "_drained", "_number", "_pop_many", "_turn", "bad", "pop")

    def __init__(self, client: ClientFace, routes: tuple[str, ...] | None) -> None:
        self._core = client._core
        # pop(bad) gives the next message that was fetched, or NOTHING. Its object is made then, for it may never be asked for.
        opened = client._core.open_reader(None if routes is None else list(routes))
        self._number, self.pop, self._pop_many = opened
        self.bad = client._dispatcher.decode_failed
        self._drained = client._core.drained
        # Held by the one thread that fetches, lest two of them mix up the order.
        self._turn = threading.Lock()

    def many(self, most: int) -> Callable[[Any], Any]:
        """What to give next() for a list of all that is there, at most so many."""
        return lambda bad: self._pop_many(bad, most)

    def next(
        self, client: ClientFace, timeout: float | None, pop: Callable[[Any], Any] | None = None
    ) -> tuple[bool, Any]:
        """(True, message), or (False, whether the life is over) when the time is. `pop`: takes several, as many() has it."""
        pop = pop or self.pop
        message = pop(self.bad)
        if message is not NOTHING:
            return True, message
        until = None if timeout is None else time.monotonic() + timeout
        dispatcher = client._dispatcher
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not dispatcher.running:
                left = _LOG_EVERY if left is None else min(left, _LOG_EVERY)
            fetched = self._fetch(left)
            if not self._drained():
                dispatcher.drain()
            if fetched is None:
                return False, True
            message = pop(self.bad)
            if message is not NOTHING:
                return True, message
            if until is not None and time.monotonic() >= until:
                return False, False

    def _fetch(self, wait: float | None) -> int | None:
        """Fetch messages, waiting for one (seconds; None = no limit): how many; 0 when the time is over, or another thread
        did, whose messages are there for this one, too. None: the life is over and nothing is left."""
        if not self._turn.acquire(False):
            return self._fetched_by_another(wait)
        try:
            return self._core.fetch(self._number, SLICE_MESSAGES, wait)
        finally:
            self._turn.release()

    def _fetched_by_another(self, wait: float | None) -> int | None:
        if self._turn.acquire(timeout=-1 if wait is None else wait):
            self._turn.release()
        return None if self._core.state == "destroyed" else 0

    def close(self) -> None:
        """Give the queue up; what was not read goes to whoever asks next."""
        self._core.close_reader(self._number)


class Iteration:
    """What an iterator over messages is on either face: whose queue it reads, and how it ends."""

    _reader: Reader | None = None

    def __init__(self, client: ClientFace, reader: Reader, *, own: bool) -> None:
        self._client = client
        self._reader = reader
        self._own = own  # False: the reader is the client's, and outlives this loop

    def _end(self, stop: type[StopIteration | StopAsyncIteration]) -> Exception:
        """What to raise when no message follows."""
        self.close()
        return _waiting.ended(self._client) or stop()

    def close(self) -> None:
        """End the iteration; messages of these routes go to whoever asks next."""
        reader, self._reader = self._reader, None
        if reader is not None and self._own:
            reader.close()

    def __del__(self) -> None:
        self.close()


class Messages(Iteration, Iterator[Any]):
    """An iterator over messages. Ends after `close()`, and when the server ended a `reconnect=False` client in order."""

    def __iter__(self) -> Messages:
        return self

    def __next__(self) -> Any:
        reader = self._reader
        if reader is None:
            raise StopIteration
        if self._client._dispatcher.is_current:
            _waiting.refuse_in_handler(self._client, "iteration")
        message = reader.pop(reader.bad)
        if message is NOTHING:
            found, message = reader.next(self._client, None)
            if not found:
                raise self._end(StopIteration)
        return message
