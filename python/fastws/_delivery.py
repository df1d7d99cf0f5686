"""What a client's handlers are told, in which order, and what the log is told besides: the part that calls nobody.

Knows what the core hands over, the handler table and the events. Promises: order of occurrence; lifecycle events only
while the core admits them; messages of an older life to nobody; one `error` for a failure, and none without end. Whoever
calls the handlers (a thread, a task) takes one step after the other, and calls a step's handlers before the next.
"""

from __future__ import annotations

import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _core
from ._errors import ConnectFailed, failure_to_error
from ._events import Connect, Disconnect, ErrorEvent, Event, make_event, why_ended
from ._handlers import RESERVED, Handler, HandlerTable, log

if TYPE_CHECKING:
    from ._face import ClientFace

SLICE_MESSAGES = 256  # the most that is built while the GIL is held
SLICE_SECONDS = 0.002
_PAST_CLOSE = ("disconnect", "dropped", "closed")  # what handlers are told of after close(), too

# Handlers to call, the event's name, its payload, and the life it belongs to: once that is over, the rest is not called
# any more. None: whatever happens meanwhile, it is told.
Step: TypeAlias = tuple[tuple[Handler, ...], str, Any, int | None]


class Delivery(ABC):
    """What is to be delivered, and what was. Owned by its client, which it refers to weakly."""

    def __init__(self, core: _core.Core, client: ClientFace, settle: float) -> None:
        self.handlers = HandlerTable()
        self.life = core.life  # older lives' messages are not delivered any more (close())
        self.handler_epoch = 0  # the epoch of the `connect` that is being handled
        self.handler_seconds = 0.0  # of handlers that the core does not call by itself
        self.interruption: BaseException | None = None  # what a handler raised to end the program
        self.interruption_raised = False  # whether that came to whoever waited, or to the loop
        self._core = core
        self._client = weakref.ref(client)
        self._settle = settle
        # None: nobody calls handlers, so that what happens is only logged.
        self._started_at: float | None = None
        # Lists: they are seldom used, and a deque takes 800 bytes while it is empty.
        self._pending: list[Callable[[], Iterable[Step]]] = []
        self._barriers: list[Callable[[], None]] = []
        self._connect: Connect | None = None  # the present connection's event
        self._connect_life = 0  # the life it belongs to
        self._cause: Disconnect | ErrorEvent | None = None

    @property
    def running(self) -> bool:
        """Whether somebody calls handlers."""
        return self._started_at is not None

    @property
    @abstractmethod
    def is_current(self) -> bool:
        """Whether the caller is a handler of this client."""

    @abstractmethod
    def start(self) -> None:
        """Have handlers called from now on; does nothing the second time."""

    @abstractmethod
    def drain(self) -> None:
        """While nobody calls handlers: log what would otherwise happen in silence. Whoever waits or reads calls this."""

    def waits(self) -> bool:
        """Whether anything may be there to be delivered."""
        return not self._core.drained() or bool(self._pending or self._barriers)

    @property
    def cause(self) -> Disconnect | ErrorEvent | None:
        """The last end of a connection or failure of an attempt that was handed over."""
        return self._cause

    def forked(self) -> None:
        """In a fork's child: whoever called handlers is gone."""
        self._started_at = None
        self._pending.clear()
        self._barriers.clear()
        self.handlers.forked()

    def later(self, action: Callable[[], Iterable[Step]]) -> None:
        """Have further steps taken between two slices."""
        self._pending.append(action)
        self._core.nudge()

    def at_barrier(self, reached: Callable[[], None]) -> None:
        """Call `reached` when everything queued before was delivered."""
        self._barriers.append(reached)
        self._core.nudge()

    # -- The steps of a slice ------------------------------------------------------------------------------------------

    def steps(self, life: int, items: list[_core.Item]) -> Iterator[Step]:
        """Everything of one slice, in order. A step's handlers must have been called when the next one is asked for."""
        while self._pending:
            yield from self._pending.pop(0)()
        handlers = self.handlers
        batches: dict[Handler, list[Any]] = {}
        for kind, first, second in items:
            if kind == _core.JSON or kind == _core.TEXT:
                event = "message"
                if first is not None:
                    if first in RESERVED:
                        handlers.warn_reserved(first)
                    else:
                        event = first
                each, batched = handlers.for_message(first)
            elif kind == _core.BINARY:
                event = "binary"
                each, batched = handlers.for_binary()
            else:
                yield from self._whole(batches, life)  # what came before is told before
                if kind == _core.EVENT:
                    try:
                        yield from self._lifecycle(first, second)
                    finally:
                        if first == "connect":  # handled or not: what is held back for its handlers goes out
                            self._core.release(second["epoch"])
                elif life >= self.life:
                    yield self._bad_text(first, second, life)
                continue
            if each:
                yield each, event, second, life
            for handler in batched:
                batches.setdefault(handler, []).append((event, second) if handler.star else second)
        yield from self._whole(batches, life)
        barriers = len(self._barriers)  # counted first: one that comes now may be behind what is not here yet
        if barriers and self._core.drained():
            for _ in range(barriers):
                self._barriers.pop(0)()

    def _whole(self, batches: dict[Handler, list[Any]], life: int) -> Iterator[Step]:
        for handler in list(batches):
            yield (handler,), handler.event, batches.pop(handler), life

    def _lifecycle(self, name: str, given: dict[str, Any]) -> Iterator[Step]:
        event = self._event(name, given)
        started_at = self._started_at
        # Told before anybody could listen: what is long over is logged, not delivered as if it were news.
        stale = started_at is None or time.monotonic() - given["age"] < started_at - self._settle
        if name != "dropped" and not self._core.admit(name, given["life"], given.get("epoch", 0)):
            return
        if isinstance(event, Connect):
            self._connect = event
            self._connect_life = given["life"]
        elif isinstance(event, Disconnect):
            self._connect = None
            self._cause = event
        elif isinstance(event, ErrorEvent) and event.phase not in (
            "decode",
            "handler",
            "protocol",
            "limit",
            "record",
        ):
            self._cause = event
            client = self._client()
            if event.phase == "provider" and client is not None and client._asker is not None:
                client._asker.attempt_failed(given["epoch"])
        if not given.get("continued"):  # a burst that does not end is logged once
            self._log(name, event)
        # The connection that is open now is news to a handler that came late.
        if stale and not (isinstance(event, Connect) and event.epoch == self._core.epoch):
            return
        # One of its handlers may call close(): then the others are told only of what is told after that, too.
        of_life = None if name in _PAST_CLOSE else given["life"]
        if isinstance(event, Connect):
            yield from self._connected(event, self.handlers.of("connect"))
            yield self.handlers.of("*"), name, event, of_life
        else:
            yield self._told(name), name, event, of_life

    def _told(self, name: str) -> tuple[Handler, ...]:
        return self.handlers.of(name) + self.handlers.of("*")

    def _event(self, name: str, given: dict[str, Any]) -> Event:
        if name == "error":
            given["exception"] = failure_to_error(
                given, url=given["url"], attempt=given["attempt"], epoch=given["epoch"]
            )
            if not given["attempt"]:
                given["attempt"] = None
        elif name == "closed" and given["last_error"] is not None:
            given["last_error"] = self.error_of(given["last_error"])
        elif name == "reconnecting":
            given["cause"] = self._cause
        return make_event(name, given, self._client)

    def error_of(self, failure: dict[str, Any]) -> ConnectFailed:
        """The exception of the client's last failure, with what its `error` event knew of it, once that was handed over."""
        told = self._cause
        where: dict[str, Any] = {}
        if isinstance(told, ErrorEvent) and told.message == failure["message"]:
            where = {"attempt": told.attempt, "epoch": getattr(told.exception, "epoch", None)}
        return failure_to_error(failure, url=self._core.url, **where)

    def _connected(self, event: Connect, handlers: tuple[Handler, ...]) -> Iterator[Step]:
        # What a connect handler sends belongs to this connection, even if it is over before the handler ran.
        self.handler_epoch = event.epoch
        try:
            for handler in handlers:
                if handler.connected_epoch != event.epoch:
                    handler.connected_epoch = event.epoch
                    yield (handler,), "connect", event, self._connect_life
        finally:
            self.handler_epoch = 0

    def connect_late(self, handler: Handler) -> None:
        """A `connect` handler that came while connected is called once for the present connection."""

        def call() -> Iterator[Step]:
            event = self._connect
            over = self._connect_life < self._core.life  # after close() it is to be told nothing but the end
            if event is not None and event.epoch == self._core.epoch and not over:
                yield from self._connected(event, (handler,))

        self.later(call)

    def _who(self) -> str:
        client = self._client()
        return self._core.url if client is None else client._who

    def _log(self, name: str, event: Any) -> None:
        who = self._who()
        if name == "reconnecting":
            why = why_ended(self._cause).removeprefix(f"{self._core.url}: ")
            log.warning("%s: %s; attempt %d in %.1f s", who, why, event.attempt, event.delay)
        elif name == "closed" and event.reason in ("fatal", "exhausted"):
            why = str(event.last_error or why_ended(self._cause)).removeprefix(f"{self._core.url}: ")
            log.error("%s: gave up (%s): %s", who, event.reason, why)
        elif name == "error" and event is not self._cause and not self.handlers.of("error"):
            # A failed attempt's is told by the line of what follows it.
            log.warning("%s: %s: %s", who, event.phase, event.message)
        elif name == "dropped":
            of = "" if event.route is None else f" of {event.route!r}"
            log.warning("%s: %d messages%s were dropped (%s)", who, event.count, of, event.cause)

    def spend(self, handler: Handler) -> bool:
        """Forget one that runs once, before it runs; False = somebody did already."""
        if not self.handlers.discard(handler):
            return False
        client = self._client()
        if client is not None:
            client._heed_handlers()  # or the core would go on keeping messages for it
        return True

    # -- What went wrong in Python -------------------------------------------------------------------------------------

    def interrupted(self, interruption: BaseException) -> None:
        """A handler wants the program to end: the client is closed, and wait() raises it again."""
        self.interruption, self.interruption_raised = interruption, False
        client = self._client()
        if client is not None:
            client._begin_close(1000, "")

    def begin_life(self) -> None:
        """The client is started: what ended an earlier life is over with that, once somebody heard of it."""
        if self.interruption_raised:
            self.interruption, self.interruption_raised = None, False

    def handler_failed(self, handler: Handler, payload: Any, error: BaseException) -> Step | None:
        """Log what a handler raised; the step that tells it, if anybody is to be told."""
        name = getattr(handler.fn, "__qualname__", repr(handler.fn))
        text = f"the handler {name} of {handler.event!r} raised"
        handler.beside(log.error, "%s: %s", self._who(), text, exc_info=error)
        # Who fails while being told of an error (`*` handlers are, too) is not told of that one: it would never end.
        if handler.event == "error" or isinstance(payload, ErrorEvent):
            return None
        text += f" {type(error).__name__}: {error}"
        return self._tell(self.life, phase="handler", message=text, exception=error)

    def decode_failed(self, text: str, error: BaseException) -> None:
        """A reader found a text that is no JSON: an `error` event, and nothing else changes."""
        life = self.life
        if self.running:
            self.later(lambda: [self._bad_text(text, error, life)])
        else:
            self._bad_text(text, error, life)

    def _bad_text(self, text: str, error: BaseException, life: int) -> Step:
        start = text[:80] + ("…" if len(text) > 80 else "")
        message = f"a message is not JSON ({error}); it begins {start!r}"
        return self._tell(life, phase="decode", message=message, exception=error)

    def _tell(self, life: int, **fields: Any) -> Step:
        event = make_event("error", fields, self._client)
        if fields["phase"] != "handler":
            self._log("error", event)
        client = self._client()
        closed = client is not None and not client._unclosed  # no handler of `error` starts any more
        return self._told("error") if self.running and not closed else (), "error", event, life
