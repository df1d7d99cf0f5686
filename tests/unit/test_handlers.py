"""The handler table: who is called for what, in which order, with how many arguments."""

import functools
import logging
import threading

import pytest

from fastws._handlers import LIFECYCLE, HandlerTable, wants_argument


def functions(handlers):
    return [one.fn for one in handlers]


def nothing(*_):
    pass


class Method:
    def bare(self):
        pass

    def takes(self, event):
        pass

    def __call__(self, event):
        pass


@pytest.mark.parametrize(
    ("fn", "wants"),
    [
        (lambda: None, False),
        (lambda event: None, True),
        (lambda event=None: None, False),
        (lambda *args: None, True),
        (lambda **named: None, False),
        (lambda *, key=1: None, False),
        (lambda event, more=1: None, True),
        (Method().bare, False),
        (Method().takes, True),
        (Method(), True),
        (functools.partial(lambda event: None, 1), False),
        (functools.partial(lambda channel, event: None, "a"), True),
        ([].append, True),
        (threading.Event().set, False),
        (print, True),
    ],
)
def test_who_wants_the_event(fn, wants):
    assert wants_argument(fn) is wants


@pytest.mark.parametrize("event", ["message", "binary", "*", "trade", "type:error"])
def test_a_message_handler_always_gets_the_message(event):
    assert HandlerTable().add(event, lambda: None).takes_event


@pytest.mark.parametrize("event", sorted(LIFECYCLE))
def test_a_lifecycle_handler_gets_the_event_if_it_takes_one(event):
    table = HandlerTable()
    assert not table.add(event, lambda: None).takes_event
    assert table.add(event, lambda one: None).takes_event


def test_message_handlers_come_before_those_of_the_type():
    table = HandlerTable()
    first, second, third, fourth = (functools.partial(nothing, n) for n in range(4))
    table.add("a", first)
    table.add("message", second)
    table.add("type:a", third)
    table.add("message", fourth)
    assert functions(table.for_message("a").each) == [second, fourth, first, third]
    assert functions(table.for_message("b").each) == [second, fourth]
    assert functions(table.for_message(None).each) == [second, fourth]


@pytest.mark.parametrize("name", [*sorted(LIFECYCLE), "message", "binary", "*"])
def test_a_reserved_type_reaches_only_message_and_its_explicit_route(name):
    table = HandlerTable()
    spoofed, told, explicit = (functools.partial(nothing, n) for n in range(3))
    table.add(name, spoofed)
    table.add("message", told)
    table.add(f"type:{name}", explicit)
    before, after = [spoofed] if name == "message" else [], [spoofed] if name == "*" else []
    expected = [*before, told, explicit, *after]
    assert functions(table.for_message(name).each) == expected


def test_the_same_function_runs_once():
    table = HandlerTable()
    assert table.add("a", nothing) is not None
    assert table.add("a", nothing) is None
    assert functions(table.for_message("a").each) == [nothing]


def test_both_spellings_of_a_type_are_one_event():
    """Registration order, the same function once, off(): whether it was called `a` or `type:a`."""
    table = HandlerTable()
    first, second, third = (functools.partial(nothing, n) for n in range(3))
    table.add("type:a", first)
    table.add("a", second)
    table.add("type:a", third)
    assert table.add("a", first) is None
    assert functions(table.for_message("a").each) == [first, second, third]
    table.remove("a", first)
    assert functions(table.for_message("a").each) == [second, third]
    table.remove("type:a", None)
    assert functions(table.for_message("a").each) == []
    assert table.wishes() == ([], False, False)


def test_a_type_that_begins_like_the_explicit_spelling_is_its_own():
    table = HandlerTable()
    plain, odd, reserved = (functools.partial(nothing, n) for n in range(3))
    table.add("type:a", plain)
    table.add("type:type:a", odd)
    table.add("type:error", reserved)
    assert functions(table.for_message("a").each) == [plain]
    assert functions(table.for_message("type:a").each) == [odd]
    assert functions(table.for_message("type:error").each) == []
    assert sorted(table.wishes()[0]) == ["a", "error", "type:a"]


def test_a_bound_method_is_the_same_each_time():
    table, one = HandlerTable(), Method()
    table.add("a", one.takes)
    assert table.add("a", one.takes) is None
    table.remove("a", one.takes)
    assert table.for_message("a").each == ()


def test_what_was_removed_knows_it():
    table = HandlerTable()
    handler = table.add("a", nothing)
    seen = table.for_message("a").each
    table.remove("a", nothing)
    assert handler.removed
    assert seen == (handler,), "a delivery under way keeps its own table"
    assert table.for_message("a").each == ()


def test_removing_all_of_an_event_leaves_the_others():
    table = HandlerTable()
    table.add("a", nothing)
    table.add("a", print)
    table.add("b", nothing)
    table.remove("a", None)
    assert table.for_message("a").each == ()
    assert functions(table.for_message("b").each) == [nothing]


def test_what_runs_once_is_discarded_once():
    table = HandlerTable()
    handler = table.add("a", nothing, once=True)
    assert table.discard(handler)
    assert not table.discard(handler)
    assert table.add("a", nothing) is not None


def test_what_the_core_must_keep():
    table = HandlerTable()
    assert table.wishes() == ([], False, False)
    table.add("connect", nothing)
    table.add("a", nothing)
    table.add("type:error", nothing)
    assert table.wishes() == (["a", "error"], False, False)
    table.add("binary", nothing)
    assert table.wishes()[1:] == (False, True)
    table.add("message", nothing)
    assert table.wishes()[1:] == (True, True)
    table = HandlerTable()
    table.add("*", nothing)
    assert table.wishes() == ([], True, True)


@pytest.mark.parametrize(
    ("event", "fn", "raises"),
    [
        (5, nothing, TypeError),
        (None, nothing, TypeError),
        ("a", 5, TypeError),
        ("a", None, TypeError),
        ("\ud800", nothing, ValueError),
    ],
)
def test_what_can_not_be_a_handler_is_refused_and_leaves_nothing(event, fn, raises):
    table = HandlerTable()
    with pytest.raises(raises):
        table.add(event, fn)
    assert not table


@pytest.mark.parametrize(("event", "named"), [("open", "connect"), ("close", "disconnect")])
def test_names_of_the_browsers_class_warn_once_and_work(event, named, caplog):
    table = HandlerTable()
    table.add(event, nothing)
    table.add(event, print)
    table.add(f"type:{event}", nothing)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert repr(named) in caplog.records[0].getMessage()
    assert functions(table.for_message(event).each) == [nothing, print]


def test_a_function_made_anew_in_connect_warns_once(caplog):
    def make():
        return lambda message: None

    table = HandlerTable()
    for _ in range(3):
        table.add("a", make(), in_connect=True)
    table.add("b", make(), in_connect=True)
    assert len(caplog.records) == 1
    assert "'a'" in caplog.records[0].getMessage()
    assert len(table.for_message("a").each) == 3


def test_functions_made_anew_elsewhere_are_silent(caplog):
    table = HandlerTable()
    for _ in range(2):
        table.add("a", (lambda: lambda message: None)())
    assert caplog.records == []


def test_many_types_of_a_hostile_server_do_not_grow_the_table():
    table = HandlerTable()
    table.add("message", nothing)
    for number in range(5000):
        assert functions(table.for_message(str(number)).each) == [nothing]
    assert len(table._plans) <= 1024
