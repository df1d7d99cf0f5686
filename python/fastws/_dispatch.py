"""The one thread of a client that calls handlers.

Knows the core's queue, the delivery and cells. Promises: one handler at a time, never on a caller's stack; an exception in a
handler is told and stops nothing; while the thread sleeps it keeps neither the client nor its handlers alive, so a client
that nobody else refers to is collected in any state.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from . import _cells, _core
from ._delivery import SLICE_MESSAGES, SLICE_SECONDS, Delivery, Step
from ._handlers import Handler

if TYPE_CHECKING:
    from ._face import ClientFace


def _run(core: _core.Core, ref: weakref.ref[Dispatcher]) -> None:
    """What the thread does: sleep in the core, wake up, deliver, forget."""
    dispatcher = ref()
    if dispatcher is None:
        return
    dispatcher.called_by(threading.get_ident())
    del dispatcher
    while True:
        fetched = core.fetch(_core.HANDLERS, SLICE_MESSAGES, None)
        dispatcher = ref()
        if fetched is None or dispatcher is None:
            return
        dispatcher.deliver_slice()
        del dispatcher


class Dispatcher(Delivery):
    """Delivers what the core hands over, on a thread of its own."""

    def __init__(self, core: _core.Core, client: ClientFace, settle: float, name: str) -> None:
        super().__init__(core, client, settle)
        self._name = name
        self._thread: threading.Thread | None = None
        self._caller: int | None = None  # that thread's identity, once it runs
        self._draining = threading.Lock()

    @property
    def thread(self) -> threading.Thread | None:
        """The thread, once it was started."""
        return self._thread

    @property
    def is_current(self) -> bool:
        """Whether the caller is a handler of this client."""
        return threading.get_ident() == self._caller

    def start(self) -> None:
        """Start the thread, the first time. Raises RuntimeError: the system gives none, and nothing has changed."""
        with self._draining:
            if self._thread is not None:
                return
            work = functools.partial(_run, self._core, weakref.ref(self))
            thread = threading.Thread(target=_cells.shown_here(work), name=self._name, daemon=True)
            self._started_at = time.monotonic()
            self._core.dispatching(True)
            try:
                thread.start()
            except RuntimeError:
                self._started_at = None
                self._core.dispatching(False)
                raise
            self._thread = thread

    def forked(self) -> None:
        """In a fork's child: the thread is gone, and a lock that another thread held will never be released."""
        super().forked()
        self._thread = None
        self._caller = None
        self._draining = threading.Lock()

    def barrier(self) -> threading.Event:
        """An event that is set when everything queued before it was delivered."""
        reached = threading.Event()
        self.at_barrier(reached.set)
        return reached

    def drain(self) -> None:
        """Without a thread: log what would otherwise happen in silence. Whoever waits or reads calls this."""
        if self._thread is not None or not self.waits() or not self._draining.acquire(False):
            return
        try:
            if self._thread is None:
                taken = self._core.take(SLICE_MESSAGES, SLICE_SECONDS, 0.0)
                if taken is not None:
                    self.deliver(*taken)
        finally:
            self._draining.release()

    def called_by(self, thread: int) -> None:
        """Handlers are called by the thread of this identity from now on."""
        self._caller = thread

    def deliver_slice(self) -> None:
        """Have the handlers of what was fetched called: natively, up to whatever wants more than a call with the message."""
        handlers = self.handlers
        left = self._core.deliver(SLICE_SECONDS, handlers.direct, handlers.direct_plan, self._returned)
        if left is not None:
            self.deliver(left[0], left[1])
        elif self._pending or self._barriers:
            self.deliver(self.life, [])

    def deliver(self, life: int, items: list[_core.Item]) -> None:
        """Call the handlers of one slice, in order."""
        began = time.perf_counter()
        for step in self.steps(life, items):
            self._take(step)
        self.handler_seconds += time.perf_counter() - began

    def _take(self, step: Step) -> None:
        handlers, event, payload, of_life = step
        for handler in handlers:
            if of_life is not None and of_life < self.life:
                break
            self._call(handler, event, payload)

    def _call(self, handler: Handler, event: str, payload: Any) -> None:
        if handler.removed or (handler.once and not self.spend(handler)):
            return
        try:
            result = handler.call(event, payload)
        except BaseException as error:
            self._returned(handler, payload, None, error)
        else:
            if result is not None:
                self._returned(handler, payload, result, None)

    def _returned(self, handler: Handler, payload: Any, result: Any, error: BaseException | None) -> None:
        """A handler gave something, or raised: no handler may end the delivery."""
        if inspect.iscoroutine(result):
            result.close()
            error = TypeError(
                f"the handler of {handler.event!r} is a coroutine function, which this client can not await; "
                "AsyncWebSocketClient is the client for asyncio"
            )
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            self.interrupted(error)
        elif error is not None:
            step = self.handler_failed(handler, payload, error)
            if step is not None:
                self._take(step)
