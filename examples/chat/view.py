"""What a chat looks like at one moment, as plain values: what `session` makes and every face draws.

Pure. The browser's session.js makes objects of the same shape, so the notebook's face and the page draw with the same code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["sent", "sending", "failed"]


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `key` stays the same from the first sight to the last; `at`: milliseconds since 1970.

    `state` of an own message: "sending" until the server has it, "failed" (`trouble` says why) when it would not take it.
    """

    key: str
    seq: int | None
    name: str
    text: str
    at: int
    own: bool
    state: State
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """The connection, as people think of it.

    `state`: "connecting", "online", "waiting" (for the next attempt), "refused" (the server would not let us in: choose
    another name), "replaced" (by ourselves, elsewhere) or "closed". `retry_at`: time.monotonic() of the next attempt.
    """

    state: Literal["connecting", "online", "waiting", "refused", "replaced", "closed"]
    trouble: str = ""
    code: str = ""
    attempt: int = 0
    retry_at: float | None = None
    was_online: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Everything a face draws. `unread_from`: key of the first line that came while nobody looked; `typing`: the others."""

    room: str
    name: str
    link: Link
    lines: tuple[Line, ...]
    more: bool
    people: tuple[str, ...]
    typing: tuple[str, ...]
    unread_from: str | None
    unread: int

    def plain(self, now: float) -> dict[str, Any]:
        """As JSON has it; the next attempt is then "in so many seconds" (`retry_in`)."""
        plain = asdict(self)
        at = plain["link"].pop("retry_at")
        plain["link"]["retry_in"] = None if at is None else max(0.0, at - now)
        return plain


def typing_sentence(names: tuple[str, ...]) -> str:
    """Who is typing, for people; "" = nobody."""
    if not names:
        return ""
    if len(names) == 1:
        return f"{names[0]} is typing"
    if len(names) <= 3:
        return f"{', '.join(names[:-1])} and {names[-1]} are typing"
    return f"{names[0]}, {names[1]} and {len(names) - 2} others are typing"
