"""The one thread of a client that calls handlers, and the delivery of everything in order.

Knows the core's queue, the handler table and the events. Promises: one handler at a time, never on a caller's stack; an
exception in a handler is told and stops nothing; while the thread sleeps it keeps neither the client nor its handlers
alive, so a client that nobody else refers to is collected in any state.
"""

from __future__ import annotations

import inspect
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _core
from ._errors import failure_to_error
from ._events import Connect, Disconnect, ErrorEvent, Event, make_event
from ._handlers import RESERVED, Handler, HandlerTable, log

if TYPE_CHECKING:
    from ._face import ClientFace

SLICE_MESSAGES = 256  # the most that is built while the GIL is held
SLICE_SECONDS = 0.002


def _run(core: _core.Core, ref: weakref.ref[Dispatcher]) -> None:
    """What the thread does: sleep in the core, wake up, deliver, forget."""
    while True:
        taken = core.take(SLICE_MESSAGES, SLICE_SECONDS, None)
        dispatcher = ref()
        if taken is None or dispatcher is None:
            return
        dispatcher.deliver(*taken)
        del dispatcher, taken


class Dispatcher:
    """Delivers what the core hands over. Owned by its client, which it refers to weakly."""

    def __init__(self, core: _core.Core, client: ClientFace, settle: float, name: str) -> None:
        self.handlers = HandlerTable()
        self.life = core.life  # older lives' messages are not delivered any more (close())
        self.handler_epoch = 0  # the epoch of the `connect` that is being handled
        self.handler_seconds = 0.0
        self.interruption: BaseException | None = None  # what a handler raised to end the program
        self._core = core
        self._client = weakref.ref(client)
        self._settle = settle
        self._name = name
        self._thread: threading.Thread | None = None
        self._started_at = 0.0
        self._pending: deque[Callable[[], None]] = deque()
        self._barriers: deque[threading.Event] = deque()
        self._draining = threading.Lock()
        self._connect: Connect | None = None  # the present connection's event
        self._cause: Disconnect | ErrorEvent | None = None

    # -- The thread ----------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the thread was started."""
        return self._thread is not None

    @property
    def thread(self) -> threading.Thread | None:
        """The thread, once it was started."""
        return self._thread

    @property
    def is_current(self) -> bool:
        """Whether the caller is a handler of this client."""
        return self._thread is not None and threading.get_ident() == self._thread.ident

    def start(self) -> None:
        """Start the thread, the first time."""
        with self._draining:
            if self._thread is not None:
                return
            self._started_at = time.monotonic()
            self._core.dispatching(True)
            target = (self._core, weakref.ref(self))
            self._thread = threading.Thread(target=_run, args=target, name=self._name, daemon=True)
            self._thread.start()

    @property
    def cause(self) -> Disconnect | ErrorEvent | None:
        """The last end of a connection or failure of an attempt that was handed over."""
        return self._cause

    def forked(self) -> None:
        """In a fork's child: the thread is gone, and a lock that another thread held will never be released."""
        self._thread = None
        self._draining = threading.Lock()
        self._pending.clear()
        self._barriers.clear()

    def later(self, action: Callable[[], None]) -> None:
        """Have the thread do something between two deliveries."""
        self._pending.append(action)
        self._core.nudge()

    def barrier(self) -> threading.Event:
        """An event that is set when everything queued before it was delivered."""
        reached = threading.Event()
        self._barriers.append(reached)
        self._core.nudge()
        return reached

    def drain(self) -> None:
        """Without a thread: log what would otherwise happen in silence. Whoever waits or reads calls this."""
        if self._thread is not None or not self._draining.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                taken = self._core.take(SLICE_MESSAGES, SLICE_SECONDS, 0.0)
                if taken is not None:
                    self.deliver(*taken)
        finally:
            self._draining.release()

    # -- Delivering ----------------------------------------------------------------------------------------------------

    def deliver(self, life: int, items: list[_core.Item]) -> None:
        """Everything of one slice, in order."""
        began = time.perf_counter()
        while self._pending:
            self._pending.popleft()()
        for kind, first, second in items:
            if kind == _core.JSON:
                self._message(first, second, life)
            elif kind == _core.EVENT:
                self._lifecycle(first, second)
            elif kind == _core.BINARY:
                self._call_all(self.handlers.of("binary"), second, life)
                self._star("binary", second, life)
            elif kind == _core.TEXT:
                self._message(None, second, life)
            elif life >= self.life:
                self.decode_failed(first, second)
        if not items:  # the queue is empty: all that was queued before a barrier has been delivered
            while self._barriers:
                self._barriers.popleft().set()
        self.handler_seconds += time.perf_counter() - began

    def _message(self, route: str | None, message: Any, life: int) -> None:
        handlers = self.handlers
        if route is not None and route in RESERVED:
            handlers.warn_reserved(route)
        self._call_all(handlers.for_message(route), message, life)
        self._star(route if route is not None and route not in RESERVED else "message", message, life)

    def _call_all(self, handlers: tuple[Handler, ...], payload: Any, life: int | None = None) -> None:
        for handler in handlers:
            if life is not None and life < self.life:
                return
            self._call(handler, payload)

    def _star(self, event: str, payload: Any, life: int | None = None) -> None:
        for handler in self.handlers.of("*"):
            if life is not None and life < self.life:
                return
            self._call(handler, event, payload)

    def _call(self, handler: Handler, *payload: Any) -> None:
        if handler.removed or (handler.once and not self.handlers.discard(handler)):
            return
        try:
            result = handler.fn(*payload) if handler.takes_event else handler.fn()
            if result is not None and inspect.iscoroutine(result):
                result.close()
                raise TypeError(
                    f"the handler of {handler.event!r} is a coroutine function, which this client can not await; "
                    "AsyncWebSocketClient is the client for asyncio"
                )
        except (SystemExit, KeyboardInterrupt) as interruption:
            self.interruption = interruption
            client = self._client()
            if client is not None:
                client._begin_close(1000, "")
        except BaseException as error:  # no handler may end the delivery
            self._handler_failed(handler, payload, error)

    def _handler_failed(self, handler: Handler, payload: tuple[Any, ...], error: BaseException) -> None:
        log.error("the handler of %r raised", handler.event, exc_info=error)
        # Who fails while being told of an error (`*` handlers are, too) is not told of that one: it would never end.
        if handler.event != "error" and not isinstance(payload[-1], ErrorEvent):
            name = getattr(handler.fn, "__qualname__", repr(handler.fn))
            text = f"the handler {name} of {handler.event!r} raised {type(error).__name__}: {error}"
            self._tell_error(phase="handler", message=text, exception=error)

    # -- Lifecycle events ----------------------------------------------------------------------------------------------

    def _lifecycle(self, name: str, given: dict[str, Any]) -> None:
        event = self._event(name, given)
        happened_at = time.monotonic() - given["age"]
        # Told before anybody could listen: what is long over is logged, not delivered as if it were news.
        stale = self._thread is None or happened_at < self._started_at - self._settle
        if name != "dropped" and not self._core.admit(name, given["life"], given.get("epoch", 0)):
            return
        if isinstance(event, Connect):
            self._connect = event
        elif isinstance(event, Disconnect):
            self._connect = None
            self._cause = event
        elif isinstance(event, ErrorEvent) and event.phase not in ("decode", "handler", "protocol", "limit"):
            self._cause = event
            client = self._client()
            if event.phase == "provider" and client is not None and client._asker is not None:
                client._asker.attempt_failed(given["epoch"])
        self._log(name, event)
        # The connection that is open now is news to a handler that came late.
        if stale and not (isinstance(event, Connect) and event.epoch == self._core.epoch):
            return
        if isinstance(event, Connect):
            self._handle_connect(event)
        else:
            self._call_all(self.handlers.of(name), event)
        self._star(name, event)

    def _event(self, name: str, given: dict[str, Any]) -> Event:
        if name == "error":
            given["exception"] = failure_to_error(
                given, url=given["url"], attempt=given["attempt"], epoch=given["epoch"]
            )
            if not given["attempt"]:
                given["attempt"] = None
        elif name == "closed" and given["last_error"] is not None:
            given["last_error"] = failure_to_error(given["last_error"])
        elif name == "reconnecting":
            given["cause"] = self._cause
        return make_event(name, given, self._client)

    def _handle_connect(self, event: Connect) -> None:
        # What a connect handler sends belongs to this connection, even if it is over before the handler ran.
        self.handler_epoch = event.epoch
        try:
            for handler in self.handlers.of("connect"):
                if handler.connected_epoch != event.epoch:
                    handler.connected_epoch = event.epoch
                    self._call(handler, event)
        finally:
            self.handler_epoch = 0

    def connect_late(self, handler: Handler) -> None:
        """A `connect` handler that came while connected is called once for the present connection."""

        def call() -> None:
            event = self._connect
            if event is None or event.epoch != self._core.epoch or handler.connected_epoch == event.epoch:
                return
            handler.connected_epoch = event.epoch
            self.handler_epoch = event.epoch
            try:
                self._call(handler, event)
            finally:
                self.handler_epoch = 0

        self.later(call)

    def _log(self, name: str, event: Any) -> None:
        if name == "reconnecting":
            why = self._cause
            detail = getattr(why, "message", None) or f"connection lost ({getattr(why, 'code', None)})"
            log.warning("%s; attempt %d in %.1f s", detail, event.attempt, event.delay)
        elif name == "closed" and event.reason in ("fatal", "exhausted"):
            log.error("gave up (%s): %s", event.reason, event.last_error or f"close code {event.code}")
        elif name == "error" and not self.handlers.of("error"):
            log.warning("%s: %s", event.phase, event.message)
        elif name == "dropped":
            log.warning("%d messages were dropped (%s)", event.count, event.cause)

    # -- Errors that Python finds --------------------------------------------------------------------------------------

    def decode_failed(self, text: str, error: BaseException) -> None:
        """A text that is no JSON: an `error` event, and nothing else changes."""
        start = text[:80] + ("…" if len(text) > 80 else "")
        message = f"a message is not JSON ({error}); it begins {start!r}"
        if self._thread is None or self.is_current:
            self._tell_error(phase="decode", message=message, exception=error)
        else:
            self.later(lambda: self._tell_error(phase="decode", message=message, exception=error))

    def provider_failed(self, message: str) -> None:
        """Log what went wrong with a provider; the failed attempt tells the rest."""
        log.warning("%s", message)

    def _tell_error(self, **fields: Any) -> None:
        event = make_event("error", fields, self._client)
        if fields["phase"] != "handler":
            self._log("error", event)
        if self._thread is not None:
            self._call_all(self.handlers.of("error"), event)
            self._star("error", event)
