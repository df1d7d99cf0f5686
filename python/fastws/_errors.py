"""The exceptions of fastws.

Knows nothing of this package. Every message says what happened, where, and what to try; every exception can be pickled.

    FastwsError
    ├── ConnectFailed (ConnectionError)
    │   ├── ResolveFailed
    │   ├── TcpFailed
    │   ├── ProxyFailed
    │   ├── TlsFailed
    │   ├── HandshakeRejected
    │   └── ConnectTimeout (TimeoutError)
    ├── ConnectionClosed (ConnectionError)
    ├── NotConnected (ConnectionError)
    ├── OfflineQueueFull
    └── MessageTooBig (ValueError)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


class FastwsError(Exception):
    """The base of everything that fastws raises by a class of its own.

    Attributes (None where they make no sense): `url` without secrets, `host`, `phase` (see the `error` event),
    `attempt` (1-based), `epoch` (number of the attempt in the client's life).
    """

    def __init__(
        self,
        message: str = "",
        *,
        url: str | None = None,
        host: str | None = None,
        phase: str | None = None,
        attempt: int | None = None,
        epoch: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.url = url or None  # "": of a provider that was not asked yet
        self.host = urlsplit(url).hostname if host is None and url else host
        self.phase = phase
        self.attempt = attempt
        self.epoch = epoch
        for name, value in more.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[FastwsError], args: tuple[Any, ...], fields: dict[str, Any]) -> FastwsError:
    error = kind(*args)
    error.__dict__.update(fields)
    return error


class ConnectFailed(FastwsError, ConnectionError):
    """An attempt to connect failed, or the client gave up connecting."""


class ResolveFailed(ConnectFailed):
    """The host's name has no address, or could not be looked up in time."""


class TcpFailed(ConnectFailed):
    """No address of the host took the connection."""


class ProxyFailed(ConnectFailed):
    """The proxy refused, or could not be reached. `status`: the HTTP status it answered with, or None."""

    status: int | None = None


class TlsFailed(ConnectFailed):
    """The TLS handshake failed; for a refused certificate the message says why and what to try."""


class HandshakeRejected(ConnectFailed):
    """The server answered the opening handshake with something else than a WebSocket (RFC 6455 section 4.1).

    Attributes: `status` (HTTP status), `headers` (list of (name, value)), `body` (at most its first 4 KiB, bytes),
    `retry_after` (seconds, or None).
    """

    status: int | None = None
    headers: list[tuple[str, str]] = []  # noqa: RUF012  a default for reading; every instance sets its own
    body: bytes = b""
    retry_after: float | None = None


class ConnectTimeout(ConnectFailed, TimeoutError):
    """No connection within the time; the cause is the last failure, if there was one."""


class ConnectionClosed(FastwsError, ConnectionError):
    """The client is closed and nothing is left to read.

    Attributes: `code` and `reason` of the last connection's end (None when it never opened), `initiator`.
    """

    code: int | None = None
    reason: str = ""
    initiator: str | None = None


class NotConnected(FastwsError, ConnectionError):
    """What was asked for needs an open connection, and there is none now."""


class OfflineQueueFull(FastwsError):
    """The offline queue has no room for the message, and its `on_full` is "raise"."""


class MessageTooBig(FastwsError, ValueError):
    """The message is larger than `max_message_bytes` allows."""


_BY_PHASE: dict[str, type[ConnectFailed]] = {
    "resolve": ResolveFailed,
    "tcp": TcpFailed,
    "proxy": ProxyFailed,
    "tls": TlsFailed,
    "http": HandshakeRejected,
    "timeout": ConnectTimeout,
}


def failure_to_error(failure: Mapping[str, Any], **where: Any) -> ConnectFailed:
    """The exception of a failed attempt, from the core's fields (phase, message, http_status, ...)."""
    kind = _BY_PHASE.get(failure["phase"], ConnectFailed)
    if kind is HandshakeRejected:
        where.update(
            status=failure["http_status"],
            headers=failure["headers"],
            body=failure["body"],
            retry_after=failure["retry_after"],
        )
    elif kind is ProxyFailed:
        where.update(status=failure["http_status"])
    return kind(failure["message"], phase=failure["phase"], **where)
