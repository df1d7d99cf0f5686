"""The one task of a client that calls handlers and awaits what they return.

Knows the core's queue, the delivery and the loop. Promises: one handler at a time, in order; a slow one holds back the
next ones and never the connection; between two slices the loop's other tasks run; while it sleeps the task keeps neither
the client nor its handlers alive; it ends with the client's life, and the client's life with it.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import weakref
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from . import _core
from ._delivery import SLICE_MESSAGES, SLICE_SECONDS, Delivery, Step
from ._handlers import Handler
from ._loop import Bell, ClientTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._async_client import AsyncWebSocketClient


async def _run(bell: Bell, ref: weakref.ref[LoopDispatcher]) -> None:
    """What the task does: look into the core, deliver, forget, sleep."""
    task = asyncio.current_task()
    assert isinstance(task, ClientTask)
    while True:
        dispatcher = ref()
        if dispatcher is None:
            return
        more = await dispatcher.turn()
        if more is None:
            return
        del dispatcher
        sleeper = None if more else bell.sleeper()
        try:
            await (asyncio.sleep(0) if sleeper is None else sleeper)
        except asyncio.CancelledError:
            if sleeper is not None:
                bell.forget(sleeper)
            task.asked_to_end()
            dispatcher = ref()
            if dispatcher is None or not dispatcher.last_call():
                raise
            del dispatcher


def _raise(interruption: BaseException) -> None:
    raise interruption


class LoopDispatcher(Delivery):
    """Delivers what the core hands over, in a task of its client's loop, once there is one."""

    def __init__(
        self, core: _core.Core, client: AsyncWebSocketClient, settle: float, name: str, patience: float
    ) -> None:
        super().__init__(core, client, settle)
        self.waited_for = 0  # how many wait for the end, and would be told of an interruption
        self._name = name
        self._patience = patience  # seconds that the last handlers get when the loop ends
        self._bell: Bell | None = None
        self._task: ClientTask | None = None
        self._delivers: ClientTask | None = None  # the task while it calls handlers, or awaits what one gave
        self._last_call: asyncio.TimerHandle | None = None

    @property
    def is_current(self) -> bool:
        """Whether the caller is a handler of this client: the task itself, not one that a handler started."""
        if self._delivers is None:
            return False
        try:
            return asyncio.current_task() is self._delivers
        except RuntimeError:  # no loop runs here
            return False

    def bind(self, bell: Bell) -> None:
        """Belong to a loop; the task of an earlier one went with that."""
        self._bell = bell
        self._task = None
        self._last_call = None
        self.resume()

    def start(self) -> None:
        """Have handlers called from now on, or from when the client has a loop."""
        if not self.running:
            self._started_at = time.monotonic()
            self._core.dispatching(True)
        self.resume()

    def resume(self) -> None:
        """Start the task if it is needed: it ended with the client's last life."""
        bell = self._bell
        if not self.running or bell is None or bell.loop.is_closed():
            return
        if self._task is None or self._task.done():
            work = _run(bell, weakref.ref(self))
            self._task = ClientTask(work, bell, self._name)

    def forked(self) -> None:
        """In a fork's child: the loop is the parent's."""
        super().forked()
        self._bell = None
        self._task = None

    def later(self, action: Callable[[], Iterable[Step]]) -> None:
        """Have further steps taken between two slices."""
        super().later(action)
        self.resume()

    def barrier(self) -> asyncio.Future[None] | None:
        """A future that is done when everything queued before it was delivered; None = nobody delivers."""
        if self._task is None or self._task.done():
            return None
        reached = asyncio.get_running_loop().create_future()
        self.at_barrier(lambda: None if reached.done() else reached.set_result(None))
        return reached

    def drain(self) -> None:
        """Without a task: log what would otherwise happen in silence."""
        bell = self._bell
        if self.running or not self.waits() or bell is None or threading.get_ident() != bell.thread:
            return
        taken = self._core.take(SLICE_MESSAGES, SLICE_SECONDS, 0.0)
        if taken is not None:
            for _ in self.steps(*taken):
                pass  # nobody is to be called

    # -- The task ------------------------------------------------------------------------------------------------------

    async def turn(self) -> bool | None:
        """Deliver what is there, a slice at the most: whether more may be. None = the task has nothing to do any more."""
        core, handlers = self._core, self.handlers
        left = SLICE_SECONDS
        until = time.monotonic() + left
        room = SLICE_MESSAGES
        task = self._delivers = self._task
        try:
            while True:
                fetched = core.fetch(_core.HANDLERS, room, 0.0)
                if fetched is None:
                    return None
                if fetched:
                    # Natively, but for what is to be awaited or told.
                    rest = core.deliver(left, handlers.direct, handlers.direct_plan, None)
                    if rest is not None:
                        await self._go_on(rest, until)
                waits = bool(
                    self._pending
                )  # what is done about that may take its time, and then a new look is due
                if waits or self._barriers:
                    await self.deliver(self.life, [])
                if not fetched and not waits:
                    return None if self.end_if_over() else False
                room -= fetched
                left = until - time.monotonic()
                if room <= 0 or left <= 0:
                    return True
        finally:
            if self._delivers is task:
                self._delivers = None

    async def _go_on(self, rest: Any, until: float) -> None:
        """Deliver the rest of a slice of which some was delivered natively, in order: what Core.deliver() gave, and what it
        gives when it is called again."""
        handlers = self.handlers
        while rest is not None:
            life, more, stop = rest
            del rest
            if stop is None:
                await self.deliver(life, more)
                return
            handler, message, result, error, left = stop
            del stop  # what it refers to would stay until the next one
            began = time.monotonic()
            await self._finish(handler, message, result, error)
            del result, error
            for handler in left:
                if life < self.life:
                    break
                await self._call(handler, handler.event, message)
            now = time.monotonic()
            self.handler_seconds += now - began
            rest = None
            if more:
                rest = self._core.deliver(until - now, handlers.direct, handlers.direct_plan, None)

    async def deliver(self, life: int, items: list[_core.Item]) -> None:
        """Call the handlers of one slice, in order."""
        began = time.perf_counter()
        for step in self.steps(life, items):
            await self._take(step)
        self.handler_seconds += time.perf_counter() - began

    async def _take(self, step: Step) -> None:
        handlers, event, payload, of_life = step
        for handler in handlers:
            if of_life is not None and of_life < self.life:
                break
            await self._call(handler, event, payload)

    async def _call(self, handler: Handler, event: str, payload: Any) -> None:
        if handler.removed or (handler.once and not self.spend(handler)):
            return
        try:
            result = handler.call(event, payload)
        except BaseException as error:
            await self._failed(handler, payload, error)
        else:
            if result is not None:
                await self._finish(handler, payload, result, None)

    async def _finish(self, handler: Handler, payload: Any, result: Any, error: BaseException | None) -> None:
        """Await what a handler gave, if that can be; tell what it raised."""
        if error is not None:
            await self._failed(handler, payload, error)
            return
        try:
            if isinstance(result, CoroutineType) or inspect.isawaitable(result):
                await (result if handler.origin is None else handler.awaitable(result))
        except BaseException as raised:
            if isinstance(raised, GeneratorExit) and not self.is_current:
                raise  # no failure: the loop ended with this await, and what waited in it is taken apart
            await self._failed(handler, payload, raised)

    async def _failed(self, handler: Handler, payload: Any, error: BaseException) -> None:
        """A handler raised: none may end the delivery."""
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            self.interrupted(error)
            if not self.waited_for and self._bell is not None:
                # Nobody is there to raise it: it goes through the loop, as it would from any callback.
                self._bell.loop.call_soon(_raise, error)
                self.interruption_raised = True
            return
        if isinstance(error, asyncio.CancelledError) and self._task is not None and self._task.asked_to_end():
            if not self.last_call():
                raise error
            return  # the loop ends, and this handler with it; the last events are told yet
        step = self.handler_failed(handler, payload, error)
        if step is not None:
            await self._take(step)

    def end_if_over(self) -> bool:
        """Whether the client's life is over and all of it was told: the task ends, and leaves nothing to a loop that may."""
        if not self._core.is_over() or self._pending or self._barriers or not self._core.drained():
            return False
        self._task = None
        if self._last_call is not None:
            self._last_call.cancel()
            self._last_call = None
        return True

    def last_call(self) -> bool:
        """The task was cancelled, so its loop ends: the client is closed, and the last events are told; False = they had
        their time already, and the task ends where it stands."""
        task, bell = self._task, self._bell
        if task is None or bell is None or self._last_call is not None:
            return False
        client = bell.client()
        if client is not None:
            client._loop_ends()
        self._last_call = bell.loop.call_later(self._patience, task.cancel)
        return True
