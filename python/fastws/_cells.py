"""Which notebook cell runs this code, so that what a cell registered can be told from what its re-run registers.

Knows IPython if it is loaded, never imports it, and nothing of this package. Promises: outside IPython nothing is looked
for or kept; in a Jupyter kernel a handler's prints, whenever they come, go where those of its cell go.
"""

from __future__ import annotations

import contextvars
import functools
import sys
import threading
import types
import weakref
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of one cell. `id`: the front end's name of it, None = it gives none; `run` differs at every run."""

    id: str | None
    run: object

    def is_rerun_of(self, older: Cell) -> bool:
        """Whether that was an earlier run of this same cell."""
        return self.id is not None and self.id == older.id and self.run != older.run


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was registered. `context`: what routes output to the cell (ipykernel 6.29 and later), None = nothing
    does; `cell` None = no cell did it (a thread of the user's own, say); `in_handler`: a handler of that cell did, which
    the cell's re-run may not call again."""

    context: Context | None
    cell: Cell | None
    in_handler: bool = False

    def replaces(self, fn: Callable[..., Any], older: Origin | None, older_fn: Callable[..., Any]) -> bool:
        """Whether registering `fn` here takes the place of what was registered there, for the same event."""
        if self.cell is None or older is None or older.cell is None:
            return False
        if self.cell.id is not None:
            return self.cell.is_rerun_of(older.cell)
        return self.cell.run != older.cell.run and _is_new_version(fn, older_fn)

    def is_before(self, cell: Cell) -> bool:
        """Whether an earlier run of that cell did it, itself."""
        return self.cell is not None and not self.in_handler and cell.is_rerun_of(self.cell)


class EndsWithCells(Protocol):
    """What wants to know that a cell has ended."""

    def _cell_ended(self, cell: Cell) -> None: ...


_inherited: ContextVar[Cell | None] = ContextVar("fastws_cell", default=None)  # set where a handler runs
_listeners: weakref.WeakSet[EndsWithCells] = weakref.WeakSet()
_listening_to: weakref.WeakSet[Any] = weakref.WeakSet()  # shells


def origin(listener: EndsWithCells) -> Origin | None:
    """Where the caller registers something, None = not in IPython. If a cell does itself, `listener` is told, from now
    on, when cells end."""
    shell = _shell()
    if shell is None:
        return None
    cell = _inherited.get()
    in_handler = cell is not None
    if cell is None and threading.current_thread() is threading.main_thread():
        cell = _running(shell)
    if cell is not None and cell.id is not None and not in_handler:  # so only the main thread changes these
        _listeners.add(listener)
        if shell not in _listening_to:
            _listening_to.add(shell)
            shell.events.register("post_run_cell", _cell_ended)
    if not hasattr(shell, "kernel"):
        return Origin(None, cell, in_handler)
    context = contextvars.copy_context()
    context.run(_inherited.set, cell)
    return Origin(context, cell, in_handler)


class InContext:
    """Awaits a coroutine that runs in a context, each step of it. What awaits it keeps its own task and its own context."""

    def __init__(self, context: Context, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._context = context
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        run, coroutine = self._context.run, self._coroutine
        step = functools.partial(coroutine.send, None)
        while True:
            try:
                waiting_for = run(step)
            except StopIteration as ended:
                return ended.value
            try:
                step = functools.partial(coroutine.send, (yield waiting_for))
            except GeneratorExit:
                run(coroutine.close)
                raise
            except BaseException as error:
                # Cancelled, or what it waits for failed: the coroutine's to handle.
                step = functools.partial(coroutine.throw, error)


def in_kernel() -> Any:
    """The shell of the Jupyter kernel that runs this code; None = none does."""
    shell = _shell()
    return shell if shell is not None and hasattr(shell, "kernel") else None


def shown_here(work: Callable[[], None]) -> Callable[[], None]:
    """The same work, for a thread: in a Jupyter kernel its output goes where that of the caller goes."""
    return work if in_kernel() is None else functools.partial(contextvars.copy_context().run, work)


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    get = getattr(ipython, "get_ipython", None)  # None: it is being imported
    return get() if get is not None else None


def _running(shell: Any) -> Cell:
    if not hasattr(shell, "kernel"):
        return Cell(None, shell.execution_count)
    request = shell.get_parent() or {}
    return Cell(request.get("metadata", {}).get("cellId"), request.get("header", {}).get("msg_id"))


def _cell_ended(result: Any = None) -> None:
    """IPython's post_run_cell. After a run that failed nobody knows what it would have registered: nothing goes then.
    Interrupting is not failing: a cell may end with ws.wait()."""
    error = None if result is None else result.error_before_exec or result.error_in_exec
    shell = _shell()
    if shell is None or (error is not None and not isinstance(error, KeyboardInterrupt)):
        return
    cell = _running(shell)
    for listener in list(_listeners):
        listener._cell_ended(cell)


def _is_new_version(fn: object, older: object) -> bool:
    if not isinstance(fn, types.FunctionType) or not isinstance(older, types.FunctionType):
        return False
    name = (
        fn.__qualname__
    )  # with a `<`, many functions have the same: lambdas, and those that are made in a function
    return "<" not in name and (fn.__module__, name) == (older.__module__, older.__qualname__)
