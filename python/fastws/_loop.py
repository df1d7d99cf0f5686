"""What clients are to their event loop: one descriptor that it watches for all of them, and tasks that end with it.

Knows the core's bells and asyncio. Promises: one wake-up for all that happened to a loop's clients since the last one;
whoever sleeps looks for himself what it was, so that a sleeper that is cancelled takes nothing from the others; a loop that
goes while its clients live is noticed, and leaves no descriptor behind.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from . import _core

if TYPE_CHECKING:
    from ._async_client import AsyncWebSocketClient


class _Watch:
    """What the loop calls when the descriptor is readable. Nobody else holds it: when it goes, the loop has gone."""

    __slots__ = ("_bells",)

    def __init__(self, bells: _LoopBells) -> None:
        self._bells = bells

    def __call__(self) -> None:
        by_number = self._bells.by_number
        for number in self._bells.wakeup.answer():
            bell = by_number.get(number)
            if bell is not None:
                bell.rang()

    def __del__(self) -> None:
        self._bells.loop_gone()


class _LoopBells:
    """The bells of a loop's clients, and the descriptor by which they wake it. They are there while there are any."""

    __slots__ = ("__weakref__", "_last", "by_number", "loop", "wakeup")

    _of: ClassVar[weakref.WeakValueDictionary[int, _LoopBells]] = weakref.WeakValueDictionary()  # by id(loop)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.by_number: dict[int, Bell] = {}
        self.wakeup = _core.LoopWakeup()
        self._last = 0
        loop.add_reader(self.wakeup.descriptor, _Watch(self))
        self._of[id(loop)] = self

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> _LoopBells:
        """Those of a loop. Raises OSError: the system gives no descriptor."""
        return cls._of.get(id(loop)) or cls(loop)  # they hold their loop, so that no other has its id()

    def add(self, bell: Bell, core: _core.Core) -> int:
        """Have a client's bell wake the loop: its number; 0 = the process ends, and nothing rings any more."""
        self._last += 1
        if not core.open_bell(self.wakeup, self._last):
            return 0
        self.by_number[self._last] = bell
        return self._last

    def remove(self, number: int) -> None:
        """A client has gone."""
        self.by_number.pop(number, None)
        if not self.by_number:
            self._forget()
            self.loop.remove_reader(self.wakeup.descriptor)

    def loop_gone(self) -> None:
        """The loop is closed, or collected. From any thread."""
        self._forget()
        bells = list(self.by_number.values())
        self.by_number.clear()
        for bell in bells:
            bell.loop_gone()

    def forked(self) -> None:
        """In a fork's child: what the loop watches is shared with the parent, and not touched."""
        self._forget()
        self.by_number.clear()

    def _forget(self) -> None:
        if self._of.get(id(self.loop)) is self:
            del self._of[id(self.loop)]


class Bell:
    """A client's bell, and who sleeps until it rings. All calls but close() are for the loop's thread."""

    __slots__ = ("_bells", "_core", "_number", "_open", "_sleepers", "client", "loop", "on_close", "thread")

    def __init__(
        self,
        core: _core.Core,
        loop: asyncio.AbstractEventLoop,
        client: weakref.ref[AsyncWebSocketClient],
    ) -> None:
        """`client`: told, in whichever thread, that the loop ends."""
        self.loop = loop
        self.thread = threading.get_ident()
        self._core = core
        self.client = client
        self._sleepers: dict[asyncio.Future[None], None] = {}  # in the order in which they came
        bells = _LoopBells.of(loop)
        self._number = bells.add(self, core)
        self._bells: _LoopBells | None = bells  # None: it is closed, and so is their descriptor when all are
        self._open = self._number > 0
        self.on_close: Callable[[], None] | None = None  # called in the loop, when the client is gone

    def rang(self) -> None:
        """Something happened: whoever sleeps is to look."""
        self._core.quiet_bell()  # before anybody looks: what happens from now on rings again
        self._rouse()

    async def rung(self, timeout: float | None = None) -> None:
        """Sleep until something happened, or the time (seconds; None = no limit) is over.

        The caller has looked, with nothing awaited since, and looks again afterwards.
        """
        sleeper = self.sleeper()
        timer = None if timeout is None else self.loop.call_later(timeout, self._wake, sleeper)
        try:
            await sleeper
        finally:
            self.forget(sleeper)
            if timer is not None:
                timer.cancel()

    def sleeper(self) -> asyncio.Future[None]:
        """What to await instead of rung(): who stops awaiting it before it is done has it forgotten."""
        sleeper = self.loop.create_future()
        self._sleepers[sleeper] = None
        if not self._open:  # the client is being destroyed: the next look finds that
            self.loop.call_soon(self._wake, sleeper)
        return sleeper

    def forget(self, sleeper: asyncio.Future[None]) -> None:
        """Nobody awaits this one any more."""
        self._sleepers.pop(sleeper, None)

    @staticmethod
    def _wake(sleeper: asyncio.Future[None]) -> None:
        if not sleeper.done():
            sleeper.set_result(None)

    def close(self) -> None:
        """Stop watching and wake whoever sleeps. From any thread: a client may be collected in any."""
        if not self._open:
            return
        self._open = False
        if threading.get_ident() == self.thread:
            self._dismiss()
            return
        try:
            self.loop.call_soon_threadsafe(self._dismiss)
        except RuntimeError:  # closed: it watches nothing any more
            self._core.close_bell()

    def forked(self) -> None:
        """In a fork's child: nothing of the parent's rings here."""
        self._open = False
        self._sleepers.clear()
        if self._bells is not None:
            self._bells.forked()

    def _dismiss(self) -> None:
        self._core.close_bell()
        bells, self._bells = self._bells, None
        if self.loop.is_closed():
            return
        if bells is not None:
            bells.remove(self._number)
        self._rouse()
        if self.on_close is not None:
            self.on_close()

    def _rouse(self) -> None:
        sleepers, self._sleepers = self._sleepers, {}
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    def loop_gone(self) -> None:
        """The loop is closed, or collected: nothing is watched any more. From any thread."""
        if self._open:
            self._open = False
            self._core.close_bell()
            self._bells = None
            client = self.client()
            if client is not None:
                client._loop_ends()


class ClientTask(asyncio.Task[None]):
    """A task that serves a client and ends with its loop, whether that cancels it first or not."""

    __slots__ = ("_asked", "bell")

    def __init__(self, work: Coroutine[Any, Any, None], bell: Bell, name: str) -> None:
        self.bell = bell
        self._asked = False
        super().__init__(work, loop=bell.loop, name=name)
        # A loop that is closed as it stands takes its clients with it: that is told once, by the client.
        self._log_destroy_pending = False

    if sys.version_info >= (3, 11):

        def asked_to_end(self) -> bool:
            """Whether a CancelledError is for this task, and not of something that a user's coroutine awaited."""
            if not self.cancelling():
                return False
            self.uncancel()
            return True

    else:

        def cancel(self, msg: Any = None) -> bool:
            """Note that somebody wants this task to end."""
            self._asked = True
            return super().cancel(msg)

        def asked_to_end(self) -> bool:
            """Whether a CancelledError is for this task, and not of something that a user's coroutine awaited."""
            asked, self._asked = self._asked, False
            return asked
