"""What a re-run of a cell replaces: the handler table with the cells that registered."""

import asyncio
import contextvars
import subprocess
import sys

import pytest

from fastws._cells import Cell, InContext, Origin
from fastws._handlers import HandlerTable


def at(cell, run, **more):
    return Origin(None, Cell(cell, run), **more)


def named(name, module="__main__"):
    """A function as a cell's `def` makes it."""
    made = {}
    exec(f"def {name}(*_): pass", {"__name__": module}, made)
    return made[name]


@pytest.fixture
def table():
    return HandlerTable()


def functions(table, event):
    return [one.fn for one in table.of(event)]


def test_a_cells_own_handlers_stand_side_by_side(table):
    first, second = named("f"), named("f")
    table.add("a", first, origin=at("A", 1))
    table.add("a", second, origin=at("A", 1))
    assert functions(table, "a") == [first, second]


def test_a_rerun_replaces_all_that_the_cell_registered_for_the_event(table):
    old = [named(name) for name in "fgh"]
    other, new = named("other"), named("new")
    for fn in old:
        table.add("a", fn, origin=at("A", 1))
    table.add("a", other, origin=at("B", 2))
    gone = list(table.of("a"))[:3]
    table.add("a", new, origin=at("A", 3))
    assert functions(table, "a") == [other, new]
    assert all(one.removed for one in gone)


def test_what_a_rerun_registers_no_more_goes_at_its_end(table):
    table.add("a", named("f"), origin=at("A", 1))
    table.add("b", named("g"), origin=at("A", 1))
    table.add("b", other := named("h"), origin=at("B", 2))
    table.add("a", new := named("f"), origin=at("A", 3))
    assert functions(table, "b") != [other]  # until then it stays
    assert table.remove_older(Cell("A", 3))
    assert (functions(table, "a"), functions(table, "b")) == ([new], [other])
    assert not table.remove_older(Cell("A", 3))


def test_the_same_function_registered_by_a_rerun_belongs_to_the_rerun(table):
    table.add("a", print, origin=at("A", 1))
    (old,) = table.of("a")
    assert table.add("a", print, origin=at("A", 2)) is not None
    (new,) = table.of("a")
    assert old.removed and new is not old
    assert not table.remove_older(Cell("A", 2))
    assert functions(table, "a") == [print]


def test_a_function_of_another_cell_runs_once_still(table):
    table.add("a", print, origin=at("A", 1))
    table.add("a", named("f"), origin=at("B", 2))
    assert table.add("a", print, origin=at("B", 3)) is None
    assert functions(table, "a") == [print]


def test_a_replacement_was_told_of_the_connection_that_the_replaced_was_told_of(table):
    table.add("connect", named("f"), origin=at("A", 1)).connected_epoch = 7
    assert table.add("connect", named("g"), origin=at("B", 2)).connected_epoch == 0
    assert table.add("connect", named("f"), origin=at("A", 3)).connected_epoch == 7


def test_without_ids_a_function_replaces_its_older_version(table):
    table.add("a", named("f"), origin=at(None, 1))
    table.add("a", other := named("g"), origin=at(None, 2))
    table.add("a", elsewhere := named("f", "module"), origin=at(None, 3))
    table.add("a", new := named("f"), origin=at(None, 4))
    assert functions(table, "a") == [other, elsewhere, new]
    assert not table.remove_older(Cell(None, 4))


def test_without_ids_lambdas_closures_and_methods_add_up(table):
    class Book:
        def update(self, message): ...

    many = [(lambda: None), (lambda: None), *(Book().update for _ in range(2)), print]
    for run, fn in enumerate(many):
        table.add("a", fn, origin=at(None, run))
    assert functions(table, "a") == many


def test_without_ids_one_run_replaces_nothing_of_its_own(table):
    both = [named("f"), named("f")]
    for fn in both:
        table.add("a", fn, origin=at(None, 1))
    assert functions(table, "a") == both


def test_what_no_cell_registered_stays(table):
    table.add("a", script := named("f"))
    table.add("a", thread := named("f"), origin=Origin(None, None))
    table.add("a", cell := named("f"), origin=at(None, 1))
    assert functions(table, "a") == [script, thread, cell]


def test_what_a_handler_registered_is_replaced_but_outlives_a_rerun_that_does_not(table):
    table.add("a", old := named("f"), origin=at("A", 1, in_handler=True))
    assert not table.remove_older(Cell("A", 2))
    assert functions(table, "a") == [old]
    table.add("a", new := named("g"), origin=at("A", 2, in_handler=True))
    assert functions(table, "a") == [new]


def test_off_leaves_what_the_client_itself_wants(table):
    kept = named("keep")
    table.add_own("a", kept)
    table.add("a", named("f"))
    table.remove("a", None)
    assert functions(table, "a") == [kept]
    table.remove("a", kept)
    assert not table


VARIABLE = contextvars.ContextVar("variable", default="nowhere")


@pytest.mark.parametrize("event", ["a", "*", "connect"])
def test_a_handler_runs_in_the_context_of_its_cell(table, event):
    context = contextvars.copy_context()
    context.run(VARIABLE.set, "in the cell")
    seen = []
    handler = table.add(event, lambda *_: seen.append(VARIABLE.get()), origin=Origin(context, None))
    handler.call("a", None)
    if event == "a":
        direct = table.direct_plan("a")
        assert direct[0] is handler
        direct[1](None)
    assert set(seen) == {"in the cell"} and VARIABLE.get() == "nowhere"
    handler.beside(lambda *args, **named: seen.append((VARIABLE.get(), args, named)), 1, two=2)
    assert seen[-1] == ("in the cell", (1,), {"two": 2})


def in_cell(coroutine):
    context = contextvars.copy_context()
    context.run(VARIABLE.set, "in the cell")
    return InContext(context, coroutine)


def test_a_coroutine_runs_in_its_context_to_its_end():
    async def work():
        seen = [VARIABLE.get()]
        await asyncio.sleep(0)
        seen.append(VARIABLE.get())
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        except asyncio.TimeoutError:
            seen.append(VARIABLE.get())
        return seen, asyncio.current_task()

    async def main():
        seen, task = await in_cell(work())
        assert task is asyncio.current_task()
        return seen, VARIABLE.get()

    assert asyncio.run(main()) == (["in the cell"] * 3, "nowhere")


def test_a_coroutine_in_its_context_can_fail_and_be_cancelled():
    ended = []

    async def fail():
        await asyncio.sleep(0)
        raise LookupError

    async def wait():
        try:
            while True:
                await asyncio.sleep(0)
        finally:
            ended.append(VARIABLE.get())

    async def main():
        with pytest.raises(LookupError):
            await in_cell(fail())
        task = asyncio.ensure_future(in_cell(wait()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == ["in the cell"]
    steps = in_cell(wait()).__await__()
    next(steps)
    steps.close()
    assert ended == ["in the cell"] * 2


def test_a_script_imports_nothing_of_a_notebook():
    program = (
        "import sys, fastws\n"
        "ws = fastws.WebSocketClient('ws://127.0.0.1:9', autoconnect=False)\n"
        "ws.on('a', print).keep('a', 3); ws._repr_html_()\n"
        "print({'IPython', 'ipykernel', 'pandas', 'polars', 'matplotlib'} & set(sys.modules))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("set()\n", "")
