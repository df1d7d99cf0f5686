"""What every client has, however its calls are waited for: its making, its handlers, its commands, what is so now.

Knows the core, the delivery and the options. Promises: nothing here waits; bad arguments raise at once and name
themselves. The network's work is done natively, on a thread that never takes the GIL.
"""

from __future__ import annotations

import itertools
import os
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from . import _ask, _automatic, _cells, _core, _idn, _options, _registry, _settings, _sharing, _trust
from ._delivery import Delivery
from ._handlers import log
from ._identity import Identity
from ._keep import Keeping
from ._notebook import Shown
from ._options import Backoff, Deflate, Queue, Tls
from ._overflow import Overflow
from ._refusals import REFUSED, Refusing
from ._stats import ReadyState, Stats, make_stats, ready_state

if TYPE_CHECKING:
    from typing_extensions import Self

_Handler = TypeVar("_Handler", bound=Callable[..., Any])
_numbers = itertools.count(1)


class ClientFace(Identity, Keeping, Refusing, Shown, ABC):
    """The part of a client that never waits. WebSocketClient and its like add what does."""

    _unclosed = False  # whether a warning is due when nobody refers to it any more
    _dispatcher: Delivery
    _asker: _ask.Asking | None
    _ends = "close() or a with statement"

    @_options.refused_by_class
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
        keep_cookies: bool = True,
        subprotocols: Iterable[str] | None = None,
        origin: str | None = None,
        user_agent: str | None = None,
        auth: tuple[str, str] | None = None,
        # network
        proxy: str | None = "env",
        local_address: str | tuple[str, int] | None = None,
        max_redirects: int = 5,
        connect_timeout: float = 10.0,
        close_timeout: float = 2.0,
        tls: Tls | None = None,
        # reconnecting
        reconnect: Backoff | bool | None = None,
        should_reconnect: Callable[..., bool | float | None] | None = None,
        # liveness
        ping_interval: float | None = 20.0,
        pong_timeout: float | None = 10.0,
        heartbeat: Mapping[str, Any] | None = None,
        auto_reply: Iterable[tuple[Mapping[str, str | float | bool | None], Any]] | None = None,
        # sending and receiving
        offline: Literal["drop", "raise"] | Queue = "drop",
        compress: Literal["auto"] | bool | Deflate = "auto",
        outbox_bytes: int = 16 * 2**20,
        send_timeout: float | None = 10.0,
        max_message_bytes: int = 64 * 2**20,
        inbox_messages: int = 1_000_000,
        inbox_bytes: int = 256 * 2**20,
        overflow: Overflow = "pause",
        record: str | os.PathLike[str] | None = None,
    ) -> None:
        """Connect, unless told otherwise.

        Args:
            url: ws://, wss://, http://, https:// or ws+unix:///path/of/a/socket:/resource, or a callable that gives one, asked
                before every attempt. Userinfo becomes Basic authentication.
            name: a second client of this name in this process closes the first (re-run a notebook cell, get one connection).
            autoconnect: False = `connect()` starts it.
            route_by: top-level key whose string value is a message's route, or a tuple of keys (the first present decides);
                None = no routing.
            decode: "json" = text messages become objects; "text" = they stay str. Binary messages are bytes.
            settle: seconds in which a handler may come late and is still given what it missed.
            headers, cookies, subprotocols, origin, user_agent, auth: of the opening handshake. `headers`: a mapping, pairs, or
                a callable asked before every attempt, whose Authorization and Cookie go before those of other keywords; `auth`:
                (user, password).
            keep_cookies: what servers set in a handshake goes with this client's next ones (RFC 6265), before `cookies` of the
                same names.
            max_redirects: of one attempt, never from wss to ws; Authorization and cookies stay with the origin (scheme, host,
                port) they are for. 0 = off.
            connect_timeout: seconds for one whole attempt. close_timeout: seconds for the closing handshake.
            proxy: http://, https://, socks5:// or socks5h:// (the proxy looks names up) with optional user:password; None = no
                proxy; "env" = http_proxy (ws), https_proxy (wss), all_proxy and no_proxy, in either case, as this process's
                environment has them now; those are never used for loopback. An https:// proxy is checked as `tls` says.
            local_address: the IP address of this machine to connect from, or (address, port); None = the system chooses.
            tls: a `Tls`; None = `Tls()`, which checks servers. reconnect: a `Backoff`; None = `Backoff()`; False = one life,
                like a plain browser WebSocket.
            should_reconnect: a callable asked during the wait: False ends it, a number is the delay in seconds, None the
                default.
            ping_interval, pong_timeout: seconds without inbound bytes before a Ping, and for its answer; None = off.
            heartbeat: {"send": obj, "every": seconds}: the application's own sign of life, sent as JSON while open, also while
                Python is busy. None = off.
            auto_reply: [(match, reply), ...]: a text message whose top-level keys equal those of `match` is answered with
                `reply` (as JSON) at once, also while Python is busy; handlers get it all the same. The first rule that matches
                replies. Values to match are str, numbers, True, False and None, compared as JSON's: 1 equals 1.0 and not
                True. A full outbox is not added to. None = off.
            offline: what `send` does while not open: "drop" returns False; "raise" raises NotConnected; a `Queue` stores.
            compress: "auto" = permessage-deflate (RFC 7692) is offered; a `Deflate` says how; False = off.
            outbox_bytes: what may wait to be sent; a full outbox makes `send` wait `send_timeout` seconds (None = for ever,
                0 = not at all), then raise TimeoutError.
            max_message_bytes: the largest message taken or sent, at most 2 GiB.
            inbox_messages, inbox_bytes: what may wait for Python.
            overflow: what a full inbox does. "pause": reading stops, nothing is lost, the server is held back; its pings wait
                behind what is unread, so a server that is strict about pongs may end the connection. "drop_oldest",
                "drop_newest": messages are lost, told by `dropped`, and pings are answered. `Latest(key)`: the latest per
                value of a key is kept. Or a mapping of routes to these; in it, "binary" is binary messages, "message" those
                without a route, "*" all others.
            record: a file to which every inbound message is appended with the time of its arrival, as JSON lines, by a thread
                of its own (docs/recording.md); `fastws.testing.replay` serves it again. None = off.

        Raises:
            TypeError, ValueError: an argument can not be used; the message names it. OSError: `record` can not be opened.
        """
        if isinstance(url, str):
            url = _idn.ascii_host(_options.encodable("url", url))
        given = {key: value for key, value in locals().items() if key not in ("self", "name", "autoconnect")}
        parts: dict[str, Any] = {"user": None, "secure": True}  # what a callable gives is not known yet
        if isinstance(url, str):
            parts = _core.parse_url(url)
        _options.text("name", name, none=True)
        _options.truth("autoconnect", autoconnect)
        userinfo = None if parts["user"] is None else (parts["user"], parts["password"] or "")
        config = _settings.core_config(userinfo=userinfo, **given)
        providers = _ask.Providers(
            url=url if callable(url) else None,
            headers=headers if callable(headers) else None,
            should_reconnect=should_reconnect,
        )
        self._providers = providers if providers else _ask.NO_PROVIDERS
        config["heartbeat"] = _automatic.heartbeat(heartbeat, _core.dumps)
        config["auto_reply"] = _automatic.auto_reply(auto_reply, _core.dumps)
        self._name = name
        self._connect_timeout: float = config["connect_timeout"]
        self._close_timeout: float = config["close_timeout"]
        self._send_timeout: float | None = config["send_timeout"]
        _trust.complete(config["tls"], parts["secure"])
        older = _registry.named(name)
        fixed_url, fixed_headers = config.pop("url"), config.pop("headers")
        self._shared = _sharing.shared(config)
        self._core: _core.Core = _core.Core(
            fixed_url, fixed_headers, self._shared.core, None if older is None else older._core
        )
        self._first_url = self._core.url
        _trust.warn_unverified(config["tls"], parts["secure"], self._first_url)
        label = f"fastws-{name if name is not None else next(_numbers)}"
        self._lock = threading.Lock()
        self._asker = None
        self._begin(label, config["settle"])
        self._unclosed = True
        self._opened_before = 0  # connections that were open before the last close()
        if autoconnect:
            self._autoconnect()  # before it is known by its name: one that is replaced at once must stay closed
        # Only now, when nothing can be refused any more, the older client of this name goes.
        replaced = _registry.add(self, name)
        if replaced is not None:
            replaced._begin_close(1000, "replaced")

    # -- What each kind of client does its own way ---------------------------------------------------------------------

    @abstractmethod
    def _begin(self, label: str, settle: float) -> None:
        """Make what calls its handlers and, if there are providers, what asks them."""

    @abstractmethod
    def _autoconnect(self) -> None:
        """Connect, as the constructor was told to."""

    @abstractmethod
    def _at_hand(self, bind: bool = True) -> None:
        """Raise RuntimeError when the client can not be used from here. `bind`: it may come to belong to this loop."""

    @abstractmethod
    def _await_end(self) -> None:
        """Behind close_all(): wait for the end of a client that was told to close, as far as one can wait here."""

    # -- Handlers ------------------------------------------------------------------------------------------------------

    @overload
    def on(self, event: str, fn: Callable[..., Any], *, once: bool = False, batch: bool = False) -> Self: ...

    @overload
    def on(
        self, event: str, fn: None = None, *, once: bool = False, batch: bool = False
    ) -> Callable[[_Handler], _Handler]: ...

    def on(
        self, event: str, fn: Callable[..., Any] | None = None, *, once: bool = False, batch: bool = False
    ) -> Any:
        """Call `fn` for every event of this name: a lifecycle event, `message`, `binary`, `*`, or a message's type.

        Gives the client, so calls can be chained; without `fn` it is a decorator. Handlers run one at a time, in order of
        registration, on a thread (in AsyncWebSocketClient a task) of this client's own; the same function added twice runs
        once. `once`: it runs one time; what else arrived for it until then goes to no reader. `batch`: it gets a list of the
        messages that were taken together (at most 256, after the handlers that get each one; for `*` a list of pairs), and
        in time with the lifecycle events.
        In a notebook their output goes to the cell that registered them, and that cell's re-run replaces them; what replaces
        a `connect` handler counts as called for the present connection.

        Raises:
            TypeError: `event` is no str, or `fn` can not be called. ValueError: `batch` for a lifecycle event.
            RuntimeError: the system gives no thread for handlers.
        """
        if fn is None:

            def register(decorated: _Handler) -> _Handler:
                self.on(event, decorated, once=once, batch=batch)
                return decorated

            return register
        self._at_hand()
        handler = self._dispatcher.handlers.add(
            event,
            fn,
            _options.truth("once", once),
            batch=_options.truth("batch", batch),
            in_connect=self._epoch() != 0,
            origin=_cells.origin(self),
        )
        if handler is not None:
            try:
                self._dispatcher.start()  # first, so that what is claimed has somebody who takes it
            except RuntimeError:
                self._dispatcher.handlers.discard(handler)
                raise
            self._heed_handlers()
            if event == "connect":
                self._dispatcher.connect_late(handler)
        return self

    def off(self, event: str, fn: Callable[..., Any] | None = None) -> Self:
        """Forget a handler, or all of an event. It is not called any more when this returns, but it may still be running.
        What `keep` began goes on."""
        self._at_hand(bind=False)
        self._dispatcher.handlers.remove(event, fn)
        self._heed_handlers()
        return self

    def _heed_handlers(self) -> None:
        handlers = self._dispatcher.handlers
        told: object = None
        # Another thread's on() may have told the core of more meanwhile: who comes last must not say less.
        while told != (now := (handlers.wishes(), bool(handlers.of("connect")))):
            told = now
            self._core.handle(*now[0])
            if not now[1] or self._dispatcher.running:  # before it runs, nobody would release
                self._core.expect_release(now[1])

    def _cell_ended(self, cell: _cells.Cell) -> None:
        # One that is closed, for one of its name has taken its place, is still to tell its handlers so.
        if self._unclosed and self._dispatcher.handlers.remove_older(cell):
            self._heed_handlers()

    def _epoch(self) -> int:
        dispatcher = self._dispatcher
        return dispatcher.handler_epoch if dispatcher.handler_epoch and dispatcher.is_current else 0

    # -- What every connection is sent ---------------------------------------------------------------------------------

    def sticky(self, key: str, obj: Any, *, after_connect: bool = False) -> bool:
        """Send this (as JSON) on every connection: natively, in order of insertion, before `connect` handlers run;
        `after_connect`: after they have returned. While open it is sent at once, even past a full outbox. A new value takes its
        key's place. The same value of a key goes out once per connection, however often it is set; the newest 64 values of
        a key are remembered for that. It survives `close()`. Does not wait.

        Returns:
            True = it was sent on the connection that is open; False = the next one will send it.

        Raises:
            TypeError, ValueError: `key` is no str, or `obj` is not JSON. MessageTooBig: above max_message_bytes.
        """
        self._at_hand(bind=False)
        if not isinstance(key, str):
            raise TypeError(f"key must be a str, not {type(key).__name__}")
        try:
            return self._core.set_sticky(
                _options.encodable("key", key), obj, _options.truth("after_connect", after_connect)
            )
        except REFUSED as error:
            raise self._refusal(error) from None

    def unsticky(self, key: str) -> bool:
        """Send it on no further connection, and forget that it was sent on this one. False = there is no such key."""
        self._at_hand(bind=False)
        if not isinstance(key, str):
            raise TypeError(f"key must be a str, not {type(key).__name__}")
        return self._core.unset_sticky(_options.encodable("key", key))

    # -- The connection's life -----------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Start connecting; does nothing unless idle or closed. Does not wait."""
        self._at_hand()
        self._begin_life()
        self._core.connect()
        self._show_again()

    def reconnect(self) -> None:
        """Connect anew now: closes an open connection first, cuts a wait short, starts a closed client. Does not wait."""
        self._at_hand()
        self._begin_life()
        self._core.reconnect()
        self._show_again()

    def _begin_life(self) -> None:
        self._unclosed = True
        self._dispatcher.begin_life()

    def _begin_close(self, code: int, reason: str) -> None:
        _settings.close_frame(code, reason)
        self._unclosed = False
        self._opened_before = self._core.connects
        self._core.close(code, reason)
        self._dispatcher.life = max(self._dispatcher.life, self._core.life)

    # -- What is so now ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """idle, connecting, open, backoff, closing, closed, or destroyed (after exit, or in a fork's child)."""
        state = self._core.state
        self._dispatcher.drain()  # who only looks at the state of a client without handlers is to find its end in the log
        return state

    @property
    def ready_state(self) -> ReadyState:
        """The browser's number for it: backoff counts as CONNECTING, idle as CLOSED."""
        return ready_state(self.state)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose; None = none, or not open."""
        return self._core.subprotocol

    @property
    def latency(self) -> float | None:
        """Seconds of the last Ping's round trip; None = there was none."""
        return self._core.latency

    def stats(self) -> Stats:
        """The counters as they stand now."""
        seconds = self._dispatcher.handler_seconds + self._core.handler_seconds
        return make_stats(self._core.stats(), seconds)

    # -- The end -------------------------------------------------------------------------------------------------------

    def _threads(self) -> list[threading.Thread]:
        return []

    def _forked(self) -> None:
        self._unclosed = False
        self._inherited = True
        self._lock = threading.Lock()
        self._asker = None
        self._card = None
        self._dispatcher.forked()

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is None or _registry.exiting():
            return
        if self._unclosed and core.state not in ("closed", "destroyed"):
            text = f"{self!r} was not closed; {self._ends} ends a client"
            log.warning("%s", text)
            warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
        core.destroy()
