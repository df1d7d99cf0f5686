"""The handlers that every contender calls: they count, and notice what is missing, doubled or out of order.

Knows the ids that frames.py gives. The handler's own cost is the same for everybody, and small beside the client's.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import frames


class Tally:
    """Counts the messages of one feed: `wanted` of them, one in `types` of a block of `block` messages."""

    def __init__(self, wanted: int, *, types: int = 1, block: int = frames.BLOCK) -> None:
        if block % types:
            raise ValueError(f"{types} types do not fill a block of {block} evenly")
        self.count, self.wrong, self.wanted = 0, 0, wanted
        self.ended = 0.0
        self.done = threading.Event()
        self.finished: Callable[[], None] = lambda: None  # called at the last message, for a loop that waits
        ids = range(frames.FIRST_ID, frames.FIRST_ID + block, types)
        self._next = itertools.cycle(ids).__next__

    def handle(self, message: dict[str, Any]) -> None:
        """Use a message, as a handler would."""
        if message["id"] != self._next():
            self.wrong += 1
        self.count += 1
        if self.count == self.wanted:
            self.ended = time.monotonic()
            self.done.set()
            self.finished()

    def check(self, who: str) -> None:
        """Raises SystemExit when a message is missing, doubled or out of order."""
        if self.count != self.wanted or self.wrong:
            raise SystemExit(
                f"{who}: {self.count} of {self.wanted} messages, {self.wrong} not the expected one"
            )


class Arrivals:
    """Counts the messages of many feeds, each with numbers of its own, and how late they arrive."""

    def __init__(self, connections: int, each: int) -> None:
        self.wanted = connections * each
        self.count = self.wrong = 0
        self.delays: list[float] = []
        self._next = [0] * connections
        self._turn = threading.Lock()  # the handlers of many clients may run on many threads

    def handle(self, message: dict[str, Any]) -> None:
        """Use a message: {"who": its connection's number, "number": ..., "sent": the server's clock}."""
        delay = time.monotonic() - message["sent"]
        with self._turn:
            self.delays.append(delay)
            who = message["who"]
            if message["number"] != self._next[who]:
                self.wrong += 1
            self._next[who] = message["number"] + 1
            self.count += 1

    def check(self, who: str) -> None:
        """Raises SystemExit when a message is missing, doubled or out of order."""
        if self.count != self.wanted or self.wrong:
            raise SystemExit(
                f"{who}: {self.count} of {self.wanted} messages, {self.wrong} not the expected one"
            )
