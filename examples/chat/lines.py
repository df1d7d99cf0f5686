"""The messages of a room as one person has them: those the server has, in its order, then the own ones it has not yet.

Pure: no connection, clock or thread. Promises that no message stands there twice, whatever is told twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .view import Line

KEPT = 2000  # lines; the oldest go, and can be fetched again


class Lines:
    """What was said, what is being said, and from where on it is unread."""

    def __init__(self) -> None:
        self._said: list[Line] = []
        self._waiting: list[Line] = []
        self._seen: tuple[Line, ...] | None = ()
        self.more = False  # whether the server has older ones
        self.unread = 0
        self.unread_from: str | None = None

    def seen(self) -> tuple[Line, ...]:
        """All of them, in order."""
        if self._seen is None:
            self._seen = (*self._said, *self._waiting)
        return self._seen

    @property
    def last_seq(self) -> int:
        """The number of the newest message the server has told; 0 = none."""
        return self._said[-1].seq or 0 if self._said else 0

    @property
    def first_seq(self) -> int | None:
        """The number of the oldest message here; None = none."""
        return self._said[0].seq if self._said else None

    # -- Own messages --------------------------------------------------------------------------------------------------

    def write(self, key: str, name: str, text: str, at: int) -> None:
        """An own message, not sent yet; all before it are read then."""
        self._waiting.append(Line(key, None, name, text, at, True, "sending"))
        self.unread, self.unread_from, self._seen = 0, None, None

    def next_to_send(self) -> Line | None:
        """The oldest that the server has not got and has not refused."""
        return next((line for line in self._waiting if line.state == "sending"), None)

    def fail(self, key: str, trouble: str) -> None:
        """The server would not take it."""
        self._change(key, state="failed", trouble=trouble)

    def retry(self, key: str) -> None:
        """A failed one is to be sent again, after those that wait already."""
        line = self._take(key, "failed")
        if line is not None:
            self._waiting.append(replace(line, state="sending", trouble=""))

    def discard(self, key: str) -> str:
        """Drop a failed one: its text."""
        line = self._take(key, "failed")
        return "" if line is None else line.text

    def _take(self, key: str, state: str) -> Line | None:
        for place, line in enumerate(self._waiting):
            if line.key == key and line.state == state:
                self._seen = None
                return self._waiting.pop(place)
        return None

    def _change(self, key: str, **changes: Any) -> None:
        self._waiting = [replace(line, **changes) if line.key == key else line for line in self._waiting]
        self._seen = None

    # -- What the server tells -----------------------------------------------------------------------------------------

    def said(self, message: dict[str, Any], *, looking: bool) -> None:
        """A message of the room: new, a receipt for one of ours, or both."""
        line = self._received(message)
        if message["seq"] <= self.last_seq:
            return
        self._said.append(line)
        self._seen = None
        if not looking and not line.own:
            if not self.unread:
                self.unread_from = line.key
            self.unread += 1
        if looking and len(self._said) > KEPT:
            del self._said[: len(self._said) - KEPT]
            self.more = True

    def catch_up(self, messages: Iterable[dict[str, Any]], *, complete: bool, looking: bool) -> None:
        """What was said while we were away. Not `complete`: there is a gap before it, so it replaces all we have."""
        messages = list(messages)
        if not complete:
            first_time = not self._said
            self._said = []
            self._seen = None
            self.more = bool(messages)
            looking = looking or first_time
        for message in messages:
            self.said(message, looking=looking)

    def prepend(self, messages: Iterable[dict[str, Any]], *, more: bool) -> None:
        """Older ones."""
        first = self.first_seq
        older = [self._received(message) for message in messages if first is None or message["seq"] < first]
        self._said = older + self._said
        self._seen = None
        self.more = more

    def _received(self, message: dict[str, Any]) -> Line:
        """The line of a message; if it is one of ours that waits, that waits no more."""
        key = message.get("id")  # the server tells it to the client that made it, and to nobody else
        if key is not None and any(line.key == key for line in self._waiting):
            self._waiting = [line for line in self._waiting if line.key != key]
            self._seen = None
        own = key is not None
        return Line(
            key or f"#{message['seq']}",
            message["seq"],
            message["name"],
            message["text"],
            message["at"],
            own,
            "sent",
        )
