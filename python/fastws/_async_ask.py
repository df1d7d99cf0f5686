"""The task that asks a client's callables (`url`, `headers`, `should_reconnect`) and awaits what they return.

Knows the core's questions and the loop. Promises: a task of its own, so that a slow handler fails no attempt; it ends with
the client's life; while it sleeps it keeps the client from nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import weakref
from typing import TYPE_CHECKING, Any

from . import _core
from ._ask import Asking, Questioning, questioning
from ._loop import Bell, ClientTask
from ._waiting import OVER

if TYPE_CHECKING:
    from ._face import ClientFace


async def _run(core: _core.Core, bell: Bell, ref: weakref.ref[ClientFace], asker: LoopAsker) -> None:
    while True:
        question = core.next_ask(0.0)
        client = ref()
        if question is None or client is None:
            return
        work = questioning(core, client._providers, question) if question else None
        del client  # a callable may take its time; the client may go meanwhile
        if work is not None and question:
            await asker.carry_out(work, question)
        elif core.state in OVER:
            return
        # Callables often refer to their client: while the task sleeps, nothing here may keep it alive.
        del work
        if not question:
            await bell.rung()


class LoopAsker(Asking):
    """The asking task of one client, while there is something to ask."""

    def __init__(self, core: _core.Core, client: ClientFace, name: str) -> None:
        super().__init__(core)
        self._client = weakref.ref(client)
        self._name = f"{name}-ask"
        self._task: ClientTask | None = None

    def resume(self, bell: Bell) -> None:
        """Start the task unless it runs: it ended with the client's last life."""
        if self._task is None or self._task.done() or self._task.bell is not bell:
            self._task = ClientTask(_run(self._core, bell, self._client, self), bell, self._name)
            bell.on_close = self.stop

    def stop(self) -> None:
        """Ask nobody any more: what a callable would say is of no use to a client that is closed, or gone."""
        task = self._task
        if task is not None and task is not asyncio.current_task(task.bell.loop):
            self._task = None
            task.cancel()

    async def carry_out(self, work: Questioning, question: dict[str, Any]) -> None:
        """Ask what a question needs, and await the answers. When the task is cancelled, nobody asks any more."""
        task = asyncio.current_task()
        assert isinstance(task, ClientTask)
        with contextlib.suppress(StopIteration):
            fn = next(work)
            while True:
                try:
                    answer = self.call(fn, question)
                    if inspect.isawaitable(answer):
                        answer = await answer
                except BaseException as error:  # whatever a callable raises
                    if isinstance(error, asyncio.CancelledError) and task.asked_to_end():
                        work.close()
                        raise
                    fn = work.throw(error)
                else:
                    fn = work.send(answer)
                finally:
                    self.done()
