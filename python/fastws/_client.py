"""WebSocketClient: what users type.

Knows the core, the dispatcher, the readers and the options; every other module is smaller for that. The network's work is
done natively, on a thread that never takes the GIL.
"""

from __future__ import annotations

import enum
import itertools
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, TypeVar, overload

from . import _ask, _core, _options, _registry
from ._dispatch import Dispatcher
from ._errors import ConnectFailed, ConnectionClosed, ConnectTimeout, MessageTooBig, NotConnected, failure_to_error
from ._handlers import log
from ._options import Backoff, Tls
from ._reading import Messages, Reader

_Handler = TypeVar("_Handler", bound=Callable[..., Any])
_numbers = itertools.count(1)

try:
    __version__ = version("fastws")
except PackageNotFoundError:  # imported from a tree that is not installed
    __version__ = "0"


class ReadyState(enum.IntEnum):
    """The browser's ready states."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


_READY = {"connecting": 0, "backoff": 0, "open": 1, "closing": 2}


@dataclass(frozen=True, slots=True)
class Stats:
    """A look at the counters. Times are seconds, sizes bytes; `dropped` counts messages by cause, `dropped_by_type` those
    that nobody handles by their type."""

    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    handled: int = 0
    dropped: Mapping[str, int] = ()  # type: ignore[assignment]
    dropped_by_type: Mapping[str, int] = ()  # type: ignore[assignment]
    inbox_messages: int = 0
    inbox_bytes: int = 0
    outbox_messages: int = 0
    outbox_bytes: int = 0
    connects: int = 0
    failures: int = 0
    uptime: float = 0.0
    handler_seconds: float = 0.0
    parse_seconds: float = 0.0


class WebSocketClient:
    """A WebSocket connection that stays: it connects in the background at once, and again whenever it breaks.

    Args:
        url: ws://, wss://, http:// or https://, or a callable that gives one, asked before every attempt. Userinfo becomes
            Basic authentication.
        name: a second client of this name in this process closes the first (re-run a notebook cell, get one connection).
        autoconnect: False = `connect()` starts it.
        route_by: top-level key whose string value is a message's route, or a tuple of keys (the first present decides);
            None = no routing.
        decode: "json" = text messages become objects; "text" = they stay str. Binary messages are bytes.
        settle: seconds in which a handler may come late and is still given what it missed.
        headers, cookies, subprotocols, origin, user_agent, auth: of the opening handshake. `headers`: a mapping, pairs, or
            a callable asked before every attempt; `auth`: (user, password).
        connect_timeout: seconds for one whole attempt. close_timeout: seconds for the closing handshake.
        tls: a `Tls`. reconnect: a `Backoff`; False = one life, like a plain browser WebSocket.
        should_reconnect: a callable asked during the wait: False ends it, a number is the delay in seconds, None the default.
        ping_interval, pong_timeout: seconds without inbound bytes before a Ping, and for its answer; None = off.
        outbox_bytes: what may wait to be sent; a full outbox makes `send` wait `send_timeout` seconds (None = for ever,
            0 = not at all), then raise TimeoutError.
        max_message_bytes: the largest message taken or sent. inbox_messages, inbox_bytes: what may wait for Python; when it
            is full, reading pauses and the server is held back.

    Raises:
        TypeError, ValueError: an argument can not be used; the message names it.
    """

    def __init__(
        self,
        url: str | Callable[..., str],
        *,
        # identity
        name: str | None = None,
        autoconnect: bool = True,
        # routing
        route_by: str | tuple[str, ...] | None = "type",
        decode: str = "json",
        settle: float = 1.0,
        # handshake
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | Callable[..., Any] | None = None,
        cookies: Mapping[str, str] | None = None,
        subprotocols: Iterable[str] | None = None,
        origin: str | None = None,
        user_agent: str | None = None,
        auth: tuple[str, str] | None = None,
        # network
        connect_timeout: float = 10.0,
        close_timeout: float = 2.0,
        tls: Tls | None = None,
        # reconnecting
        reconnect: Backoff | bool | None = None,
        should_reconnect: Callable[..., bool | float | None] | None = None,
        # liveness
        ping_interval: float | None = 20.0,
        pong_timeout: float | None = 10.0,
        # limits
        outbox_bytes: int = 16 * 2**20,
        send_timeout: float | None = 10.0,
        max_message_bytes: int = 64 * 2**20,
        inbox_messages: int = 1_000_000,
        inbox_bytes: int = 256 * 2**20,
    ) -> None:
        self._closed_by_user = True  # until everything is right: __del__ of a client that was never made says nothing
        self._pid_lost = False
        if isinstance(url, str):
            parts = _core.parse_url(_checked_url(url))
        elif callable(url):
            parts = {"user": None, "password": None}
        else:
            raise TypeError(f"url must be a str or a callable, not {type(url).__name__}")
        if reconnect is None or reconnect is True:
            reconnect = Backoff()
        if not isinstance(reconnect, (Backoff, bool)):
            raise TypeError(f"reconnect must be a Backoff or False, not {type(reconnect).__name__}")
        tls = Tls() if tls is None else tls
        if not isinstance(tls, Tls):
            raise TypeError(f"tls must be a Tls, not {type(tls).__name__}")
        if decode not in ("json", "text"):
            raise ValueError(f'decode must be "json" or "text", not {decode!r}')
        if ping_interval is None and pong_timeout is not None and pong_timeout != 10.0:
            raise ValueError("pong_timeout has no meaning with ping_interval=None: nothing is pinged")
        if should_reconnect is not None and reconnect is False:
            raise ValueError("should_reconnect is never asked with reconnect=False")
        if auth is not None and parts["user"] is not None:
            raise ValueError("auth and the url's own user and password exclude each other")
        self._providers = _ask.Providers(
            url=url if callable(url) else None,
            headers=headers if callable(headers) else None,
            should_reconnect=_options.callable_or_none("should_reconnect", should_reconnect),
        )
        fixed = _options.cookie_header(cookies) + _options.auth_header(auth)
        if parts["user"] is not None:
            fixed.append(_options.basic_auth(parts["user"], parts["password"] or ""))
        if not callable(headers):
            fixed += _options.header_pairs("headers", headers)
        _options.text("name", name, none=True)
        _options.truth("autoconnect", autoconnect)
        settle_seconds = _options.number("settle", settle)
        close_seconds = _options.number("close_timeout", close_timeout, above=True)
        connect_seconds = _options.number("connect_timeout", connect_timeout, above=True)
        assert settle_seconds is not None and close_seconds is not None and connect_seconds is not None
        agent = _options.text("user_agent", user_agent, none=True)
        config = {
            "url": url if isinstance(url, str) else None,
            "url_provider": self._providers.url is not None,
            "headers_provider": self._providers.headers is not None,
            "asks": self._providers.should_reconnect is not None,
            "headers": fixed,
            "subprotocols": _options.subprotocol_names(subprotocols),
            "origin": _options.text("origin", origin, none=True),
            "user_agent": f"fastws/{__version__}" if agent is None else agent,
            "route_by": _options.route_keys(route_by),
            "decode": decode,
            "settle": settle_seconds,
            "connect_timeout": connect_seconds,
            "close_timeout": close_seconds,
            "ping_interval": _options.number("ping_interval", ping_interval, above=True, none=True),
            "pong_timeout": _options.number("pong_timeout", pong_timeout, above=True, none=True),
            "outbox_bytes": _options.whole("outbox_bytes", outbox_bytes),
            "send_timeout": _options.number("send_timeout", send_timeout, none=True),
            "max_message_bytes": _options.whole("max_message_bytes", max_message_bytes),
            "inbox_messages": _options.whole("inbox_messages", inbox_messages),
            "inbox_bytes": _options.whole("inbox_bytes", inbox_bytes),
            "reconnect": reconnect is not False,
            "backoff": (reconnect or Backoff()).core(),
            "tls": tls.core(),
        }
        self._name = name
        self._connect_timeout = connect_seconds
        self._close_timeout = close_seconds
        older = _registry.take_name(name, self) if name is not None else None
        if older is not None:
            older._begin_close(1000, "replaced")
        self._core = _core.Core(config, None if older is None else older._core)
        if isinstance(url, str) and url.lower().startswith(("wss", "https")) and not tls.verify:
            log.warning("%s: the server's certificate is not checked (Tls(verify=False))", self._core.url)
        label = f"fastws-{name if name is not None else next(_numbers)}"
        self._dispatcher = Dispatcher(self._core, self, settle_seconds, label)
        self._reader: Reader | None = None
        self._lock = threading.Lock()
        self._asking = _ask.start(self._core, self, label) if self._providers else None
        self._closed_by_user = False
        _registry.add(self)
        if autoconnect:
            self._core.connect()

    # -- Handlers ------------------------------------------------------------------------------------------------------

    @overload
    def on(self, event: str, fn: Callable[..., Any], *, once: bool = False) -> WebSocketClient: ...

    @overload
    def on(self, event: str, fn: None = None, *, once: bool = False) -> Callable[[_Handler], _Handler]: ...

    def on(self, event: str, fn: Callable[..., Any] | None = None, *, once: bool = False) -> Any:
        """Call `fn` for every event of this name: a lifecycle event, `message`, `binary`, `*`, or a message's type.

        Gives the client, so calls can be chained; without `fn` it is a decorator. Handlers run in order of registration on a
        thread of this client's own; the same function added twice runs once. `once`: it runs one time.

        Raises:
            TypeError: `event` is no str, or `fn` can not be called.
        """
        if fn is None:

            def register(decorated: _Handler) -> _Handler:
                self.on(event, decorated, once=once)
                return decorated

            return register
        handler = self._dispatcher.handlers.add(event, fn, _options.truth("once", once))
        if handler is not None:
            self._core.handle(*self._dispatcher.handlers.wishes())
            self._dispatcher.start()
            if event == "connect":
                self._dispatcher.connect_late(handler)
        return self

    def off(self, event: str, fn: Callable[..., Any] | None = None) -> WebSocketClient:
        """Forget a handler, or all of an event. It is not called any more when this returns, but it may still be running."""
        self._dispatcher.handlers.remove(event, fn)
        self._core.handle(*self._dispatcher.handlers.wishes())
        return self

    # -- Sending -------------------------------------------------------------------------------------------------------

    def send(self, obj: Any, *, default: Callable[[Any], Any] | None = None) -> bool:
        """Send an object as JSON (a str is sent as a JSON string). `default`: called for what JSON does not know.

        Returns:
            True = accepted for this connection (or counted in `disconnect.unsent_messages`); False = not open, dropped.

        Raises:
            TypeError, ValueError: it is not JSON. MessageTooBig: above max_message_bytes. TimeoutError: the outbox stayed full.
        """
        try:
            return self._core.send_json(obj, default, self._epoch())
        except OverflowError as error:
            raise MessageTooBig(str(error), url=self.url) from None

    def send_text(self, text: str) -> bool:
        """Send a text message as it stands. Returns and raises as `send` does."""
        if not isinstance(text, str):
            raise TypeError(f"send_text takes a str, not {type(text).__name__}")
        try:
            return self._core.send_text(text, self._epoch())
        except OverflowError as error:
            raise MessageTooBig(str(error), url=self.url) from None

    def send_bytes(self, data: Any) -> bool:
        """Send a binary message: bytes, bytearray, memoryview or another contiguous buffer. As `send`."""
        try:
            return self._core.send_bytes(data, self._epoch())
        except OverflowError as error:
            raise MessageTooBig(str(error), url=self.url) from None

    def _epoch(self) -> int:
        dispatcher = self._dispatcher
        return dispatcher.handler_epoch if dispatcher.handler_epoch and dispatcher.is_current else 0

    def ping(self, timeout: float | None = 10.0) -> float:
        """One round trip to the server and back, in seconds (RFC 6455 section 5.5.2). `timeout`: seconds; None = no limit.

        Raises:
            NotConnected: it is not open, or ended meanwhile. TimeoutError: no answer in time.
        """
        seconds = self._core.ping(_options.number("timeout", timeout, none=True))
        if seconds is None:
            raise NotConnected("ping needs an open connection; wait_open() waits for one", url=self.url)
        return seconds

    # -- Reading -------------------------------------------------------------------------------------------------------

    def recv(self, timeout: float | None = None) -> Any:
        """The next message: an object, a str (decode="text") or bytes. `timeout`: seconds; None = no limit.

        Raises:
            TimeoutError: none came in time. ConnectionClosed: closed, and nothing is left. ConnectFailed: given up.
            RuntimeError: called in a handler of this client.
        """
        self._refuse_in_handler("recv")
        found, message = self._own_reader().next(self, _options.number("timeout", timeout, none=True))
        if found:
            return message
        if message:
            raise self._ended() or self._closed_error()
        raise TimeoutError(f"no message within {timeout} s")

    def messages(self, *routes: str) -> Messages:
        """An iterator over the messages of these types, or of everything; across reconnects. It has a queue of its own."""
        if not routes:
            return iter(self)
        for route in routes:
            if not isinstance(route, str):
                raise TypeError(f"a route must be a str, not {type(route).__name__}")
        names = tuple(route.removeprefix("type:") for route in routes)
        return Messages(self, Reader(self, names, at_once=1), own=True)

    def __iter__(self) -> Messages:
        """Every message, in order, reconnects in between. What a loop leaves unread is there for the next."""
        return Messages(self, self._own_reader(), own=False)

    def _own_reader(self) -> Reader:
        with self._lock:
            if self._reader is None:
                self._reader = Reader(self, None, at_once=64)
            return self._reader

    # -- Waiting -------------------------------------------------------------------------------------------------------

    def wait_open(self, timeout: float | None = None) -> None:
        """Return when the connection is open. `timeout`: seconds; None = no limit.

        Raises:
            ConnectFailed: given up. ConnectionClosed: closed. ConnectTimeout: not in time; its cause is the last failure.
            RuntimeError: called in a handler of this client.
        """
        self._refuse_in_handler("wait_open")
        if self._await(lambda state: state in ("open", "closed", "destroyed"), timeout) == "open":
            return
        if self.state in ("closed", "destroyed"):
            raise self._ended() or self._closed_error()
        failure = self._core.last_failure()
        error = ConnectTimeout(f"{self.url}: not open within {timeout} s", url=self.url, phase="timeout")
        raise error from (None if failure is None else failure_to_error(failure))

    def wait(self, timeout: float | None = None) -> bool:
        """Stay here until the client is closed: True; False when the time (seconds; None = no limit) is over.

        Ctrl-C goes through: a script's client is closed first, a notebook's stays open.

        Raises:
            ConnectFailed: given up. RuntimeError: called in a handler of this client.
        """
        self._refuse_in_handler("wait")
        try:
            state = self._await(lambda state: state in ("closed", "destroyed"), timeout)
        except KeyboardInterrupt:
            if not _in_notebook():
                self.close()
            raise
        if state is None:
            return False
        self._finish_close()
        if self._dispatcher.interruption is not None:
            raise self._dispatcher.interruption
        error = self._ended()
        if error is not None:
            raise error
        return True

    def _await(self, reached: Callable[[str], bool], timeout: float | None) -> str | None:
        """The state that was reached; None when the time is over."""
        seconds = _options.number("timeout", timeout, none=True)
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            seen = self._core.version()
            self._dispatcher.drain()
            state = self.state
            if reached(state):
                return state
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._core.wait_change(seen, left)

    def _ended(self) -> ConnectFailed | None:
        """What ended the client, when that was neither the user nor the server in order."""
        outcome = self._core.outcome()
        if outcome is None or outcome[0] not in ("fatal", "exhausted"):
            return None
        reason, code, failure = outcome
        if failure is not None:
            return failure_to_error(failure, url=self.url)
        return ConnectFailed(f"{self.url}: given up ({reason}) after close code {code}", url=self.url)

    def _closed_error(self) -> ConnectionClosed:
        outcome = self._core.outcome()
        code = outcome[1] if outcome is not None and outcome[1] else None
        initiator = {"user": "user", "server": "server"}.get(outcome[0]) if outcome is not None else None
        text = f"{self.url}: the client is closed; connect() starts it again"
        return ConnectionClosed(text, url=self.url, code=code, initiator=initiator)

    def _refuse_in_handler(self, what: str) -> None:
        if self._dispatcher.is_current:
            raise RuntimeError(f"{what} in a handler of its own client would wait for its own thread")

    # -- The connection's life -----------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Start connecting; does nothing unless idle or closed. Does not wait."""
        self._closed_by_user = False
        self._core.connect()

    def reconnect(self) -> None:
        """Connect anew now: closes an open connection first, cuts a wait short, starts a closed client. Does not wait."""
        self._closed_by_user = False
        self._core.reconnect()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection (RFC 6455 section 7.1.2): from now on no attempt is made and no handler starts but those of
        `disconnect` and `closed`. In a handler it returns at once; elsewhere when the `closed` handlers have returned, at
        the latest after close_timeout + 0.5 s.

        Raises:
            ValueError: `code` is neither 1000 nor 3000 to 4999, or `reason` is longer than 123 bytes of UTF-8.
        """
        self._begin_close(code, reason)
        if not self._dispatcher.is_current:
            self._finish_close()

    def _begin_close(self, code: int, reason: str) -> None:
        if isinstance(code, bool) or not isinstance(code, int):
            raise TypeError(f"code must be an int, not {type(code).__name__}")
        if code != 1000 and not 3000 <= code <= 4999:
            raise ValueError(f"code must be 1000 or 3000 to 4999 (RFC 6455 section 7.4), not {code}")
        if not isinstance(reason, str):
            raise TypeError(f"reason must be a str, not {type(reason).__name__}")
        if len(reason.encode()) > 123:
            raise ValueError("reason must be at most 123 bytes of UTF-8 (RFC 6455 section 5.5)")
        self._closed_by_user = True
        self._core.close(code, reason)
        self._dispatcher.life = max(self._dispatcher.life, self._core.life)

    def _finish_close(self) -> None:
        until = time.monotonic() + self._close_timeout + 0.5
        self._await(lambda state: state != "closing", self._close_timeout + 0.5)
        if self._dispatcher.running and not self._dispatcher.is_current:
            reached = self._dispatcher.barrier()
            while not reached.wait(min(0.05, max(0.0, until - time.monotonic()))):
                if time.monotonic() >= until or self._core.state == "destroyed":
                    break

    def __enter__(self) -> WebSocketClient:
        self.connect()
        try:
            self.wait_open(self._connect_timeout)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- What is so now ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """idle, connecting, open, backoff, closing, closed, or destroyed (after exit, or in a fork's child)."""
        return self._core.state

    @property
    def ready_state(self) -> ReadyState:
        """The browser's number for it: backoff counts as CONNECTING, idle as CLOSED."""
        return ReadyState(_READY.get(self.state, 3))

    @property
    def url(self) -> str:
        """The URL of the last attempt, without user and password."""
        return self._core.url

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose; None = none, or not open."""
        return self._core.subprotocol

    @property
    def name(self) -> str | None:
        """The name given to the constructor."""
        return self._name

    @property
    def latency(self) -> float | None:
        """Seconds of the last Ping's round trip; None = there was none."""
        return self._core.latency

    def stats(self) -> Stats:
        """The counters as they stand now."""
        known = {one.name for one in fields(Stats)}
        values = {key: value for key, value in self._core.stats().items() if key in known}
        return Stats(**values, handler_seconds=self._dispatcher.handler_seconds)

    def __repr__(self) -> str:
        name = f" {self._name!r}" if self._name is not None else ""
        return f"<WebSocketClient{name} {self.url or '(url from a provider)'} {self.state}>"

    # -- The end -------------------------------------------------------------------------------------------------------

    def _threads(self) -> list[threading.Thread]:
        return [thread for thread in (self._dispatcher.thread, self._asking) if thread is not None]

    def _forked(self) -> None:
        self._pid_lost = True

    def __del__(self) -> None:
        if self._closed_by_user or self._pid_lost or _registry.exiting():
            return
        if self._core.state not in ("closed", "destroyed"):
            text = f"{self!r} was not closed; close() or a with statement ends a client"
            log.warning("%s", text)
            warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
        self._core.destroy()


def _checked_url(url: str) -> str:
    try:
        url.encode()
    except UnicodeEncodeError:
        raise ValueError("bad URL: it holds a lone surrogate") from None
    return url


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code."""
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
