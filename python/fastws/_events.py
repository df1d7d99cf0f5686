"""The event objects that lifecycle handlers get: frozen, slotted, and free of credentials.

Knows nothing of this package. Each has `client`, a property over a weak reference: a kept event does not keep its client.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_Ref = Callable[[], Any]


def _nobody() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event:
    """What all events have."""

    _client: _Ref = field(default=_nobody, repr=False)

    @property
    def client(self) -> Any:
        """The client this happened to; None when it is gone."""
        return self._client()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Connecting(Event):
    """An attempt starts. `epoch`: its number in the client's life; `attempt`: 1-based, since the last stable connection.
    `url`: where it begins, before any redirect; "" = the client's `url` is a callable, which is asked only now."""

    epoch: int
    attempt: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Connect(Event):
    """The connection is open. `downtime`: seconds since the previous one was lost (0.0 for the first)."""

    epoch: int
    attempt: int
    is_reconnect: bool
    downtime: float
    url: str
    subprotocol: str | None
    headers: list[tuple[str, str]] = field(repr=False)  # of the answer; Set-Cookie is a secret


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Disconnect(Event):
    """The connection ended; exactly once for each delivered `connect`.

    `code`: the peer's close code (RFC 6455 section 7.4); 1005 it sent none; 1006 lost; 1002, 1007 or 1009 when we found
    the fault. `initiator`: "server", "network", "liveness", "user" or "client". `uptime`: seconds.
    """

    epoch: int
    code: int
    reason: str
    clean: bool
    initiator: str
    uptime: float
    unsent_messages: int
    unsent_bytes: int
    will_reconnect: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ErrorEvent(Event):
    """Something failed: an attempt, a text that is no JSON, a handler, a provider, the protocol, a limit.

    `phase`: "resolve", "tcp", "proxy", "tls", "http", "timeout", "provider", "decode", "handler", "protocol", "limit" or
    "record" (the disk).
    `retry_after`: seconds the server asked for. `fatal`: no further attempt follows. `exception`: what was raised, or the
    FastwsError that describes a failed attempt.
    """

    phase: str
    message: str
    http_status: int | None = None
    retry_after: float | None = None
    attempt: int | None = None
    fatal: bool = False
    exception: BaseException | None = None


_ENDED_BY = {"server": "closed by the server", "user": "closed by us", "client": "closed by us"}


def why_ended(cause: Disconnect | ErrorEvent | None) -> str:
    """Why a connection or an attempt ended, in words."""
    if isinstance(cause, ErrorEvent):
        return cause.message
    if cause is None:
        return "connection lost"
    # The peer's: it is not to begin a line of its own.
    reason = cause.reason if cause.reason.isprintable() else repr(cause.reason)
    detail = f"{cause.code}, {reason}" if reason else f"{cause.code}"
    return f"{_ENDED_BY.get(cause.initiator, 'connection lost')} ({detail})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reconnecting(Event):
    """The next attempt is scheduled. `attempt`: consecutive failures so far; `delay`: seconds; `at`: time.monotonic()."""

    attempt: int
    delay: float
    at: float
    cause: Disconnect | ErrorEvent | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dropped(Event):
    """Messages were lost; told once per burst, which ends after a second without a loss, and after ten seconds in any case.

    `cause`: "overflow" (a drop policy; `route` is theirs), "unread" (a reader left them), "unclaimed" (nobody had asked
    yet), "offline" (`Queue` was full, their `ttl` was over, or the client gave up), or "unrecorded" (delivered, but missing
    in the file of `record=`). `first_at`, `last_at`: when the first and the last of them was lost, by time.monotonic().
    """

    cause: str
    route: str | None
    count: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Closed(Event):
    """The end of a life. `reason`: "user", "fatal", "exhausted" or "server"; `code`: the last close code, if there was one."""

    reason: str
    code: int | None
    last_error: BaseException | None = None


KINDS: dict[str, type[Event]] = {
    "connecting": Connecting,
    "connect": Connect,
    "disconnect": Disconnect,
    "reconnecting": Reconnecting,
    "error": ErrorEvent,
    "dropped": Dropped,
    "closed": Closed,
}

_NAMES = {kind: frozenset(one.name for one in fields(kind)) for kind in KINDS.values()}


def make_event(name: str, given: Mapping[str, Any], client: weakref.ref[Any]) -> Event:
    """The event of this name; what its class does not know is left out."""
    kind = KINDS[name]
    known = _NAMES[kind]
    return kind(_client=client, **{key: value for key, value in given.items() if key in known})
