"""Keeping messages, and the tables made of them."""

import importlib
import sys
import threading

import pandas
import polars
import pytest

from fastws._handlers import HandlerTable
from fastws._keep import Keeper, Tail, to_frame


@pytest.fixture
def table():
    return HandlerTable()


@pytest.fixture
def keeper():
    return Keeper()


def tell(table, route, *messages):
    for message in messages:
        for handler in table.of(route):
            handler.call(route, message)


def test_the_newest_are_kept_in_order(table, keeper):
    keeper.keep(table, "a", 3)
    tell(table, "a", *range(5))
    assert keeper.tail("a", None) == [2, 3, 4]
    assert keeper.tail("a", 2) == [3, 4]
    assert keeper.tail("a", 0) == []
    assert keeper.tail("a", 9) == [2, 3, 4]


def test_another_number_keeps_what_is_kept(table, keeper):
    keeper.keep(table, "a", 3)
    tell(table, "a", 1, 2, 3)
    keeper.keep(table, "a", 2)
    assert keeper.tail("a", None) == [2, 3]
    keeper.keep(table, "a", 4)
    tell(table, "a", 4, 5, 6)
    assert keeper.tail("a", None) == [3, 4, 5, 6]
    assert len(table.of("a")) == 1


def test_a_look_is_a_copy(table, keeper):
    keeper.keep(table, "a", 3)
    tell(table, "a", 1)
    seen = keeper.tail("a", None)
    seen.append("mine")
    tell(table, "a", 2)
    assert (seen, keeper.tail("a", None)) == ([1, "mine"], [1, 2])


def test_nothing_ends_it_and_a_type_is_the_same_with_and_without_its_prefix(table, keeper):
    keeper.keep(table, "type:a", 3)
    tell(table, "a", 1)
    assert keeper.tail("a", None) == keeper.tail("type:a", None) == [1]
    keeper.keep(table, "a", 0)
    keeper.keep(table, "a", 0)
    assert not table
    with pytest.raises(ValueError, match=r"nothing of 'a' is kept: keep\('a', n\)"):
        keeper.tail("a", None)


def test_a_reserved_type_needs_its_prefix(table, keeper):
    keeper.keep(table, "type:error", 1)
    tell(table, "type:error", 1)
    assert keeper.tail("type:error", None) == [1]


@pytest.mark.parametrize(
    ("route", "n", "error", "said"),
    [
        (3, 1, TypeError, "route must be a str, not int"),
        ("connect", 1, ValueError, "'connect' is an event"),
        ("*", 1, ValueError, "'*' is an event"),
        ("a\ud800", 1, ValueError, "route"),
        ("a", -1, ValueError, "n must be at least 0"),
        ("a", 1.5, TypeError, "n must be an int, not float"),
        ("a", True, TypeError, "n must be an int, not bool"),
    ],
)
def test_bad_input_is_named_and_keeps_nothing(table, keeper, route, n, error, said):
    with pytest.raises(error) as raised:
        keeper.keep(table, route, n)
    assert said in str(raised.value)
    assert not table
    with pytest.raises((TypeError, ValueError)):
        keeper.tail(route, None)


@pytest.mark.parametrize("n", [-1, 1.5, "2"])
def test_a_bad_number_for_a_look_is_named(table, keeper, n):
    keeper.keep(table, "a", 3)
    with pytest.raises((TypeError, ValueError), match="n must be"):
        keeper.tail("a", n)


def test_looking_and_resizing_beside_the_handler_loses_and_breaks_nothing():
    tail = Tail(100)
    ended = threading.Event()

    def write():
        for number in range(60_000):
            tail.add(number)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    sizes = iter(range(1, 1_000_000))
    while not ended.is_set():
        seen = tail.last(None)
        assert seen == list(range(seen[0], seen[0] + len(seen))) if seen else True
        tail.shrink(50 + next(sizes) % 50)
    writer.join()
    tail.shrink(50)
    assert tail.last(None) == list(range(59_950, 60_000))


# -- Tables ------------------------------------------------------------------------------------------------------------

MESSAGES = [
    {"type": "a", "n": 1, "price": 1, "book": [[1, 2], [3]], "who": {"name": "x"}},
    {"type": "a", "n": 2, "price": 2.5, "note": "late"},
    {"type": "a", "n": 3, "price": None, "book": {"odd": True}, "mixed": 1},
    {"type": "a", "n": 2**70, "mixed": "text"},
]
COLUMNS = ["type", "n", "price", "book", "who", "note", "mixed"]


def test_a_pandas_table():
    frame = to_frame(MESSAGES, "pandas")
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == COLUMNS and len(frame) == 4
    assert frame["n"].tolist() == [1, 2, 3, 2**70]
    assert frame["price"].tolist()[:2] == [1, 2.5] and frame["price"].isna().tolist()[2:] == [True, True]
    assert frame["book"][0] == [[1, 2], [3]] and frame["book"][2] == {"odd": True}
    assert frame["who"][0] is MESSAGES[0]["who"]
    assert frame["note"].isna().tolist() == [True, False, True, True]


def test_a_polars_table():
    frame = to_frame(MESSAGES, "polars")
    assert isinstance(frame, polars.DataFrame)
    assert frame.columns == COLUMNS and len(frame) == 4
    assert frame["n"].to_list() == [1, 2, 3, 2**70]
    assert frame["price"].dtype == polars.Float64 and frame["price"].to_list() == [1.0, 2.5, None, None]
    assert frame["book"].to_list() == [[[1, 2], [3]], None, {"odd": True}, None]
    assert frame["who"].to_list()[0] is MESSAGES[0]["who"]
    assert frame["note"].dtype == polars.String and frame["note"].to_list() == [None, "late", None, None]
    assert frame["mixed"].to_list() == [None, None, 1, "text"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_numbers_stay_numbers(library):
    frame = to_frame([{"n": n, "x": n / 2, "ok": True} for n in range(3)], library)
    assert (frame["n"] * 2).to_list() == [0, 2, 4]
    assert frame["x"].sum() == 1.5
    assert frame["ok"].all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_what_is_no_object_has_a_column_too(library):
    frame = to_frame(["a", b"b", [1], {"n": 1}], library)
    assert list(frame.columns) == ["message", "n"]
    assert frame["message"].to_list()[:3] == ["a", b"b", [1]]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_nothing_is_an_empty_table(library):
    assert to_frame([], library).shape == (0, 0)
    assert to_frame([{}, {}], library).shape[1] == 0


@pytest.fixture
def installed(monkeypatch):
    """Choose what is installed, and what of it was imported."""

    def choose(names, imported=()):
        real = importlib.import_module

        def find(name, *more):
            if name in ("pandas", "polars") and name not in names:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return {"pandas": pandas, "polars": polars}.get(name) or real(name, *more)

        monkeypatch.setattr(importlib, "import_module", find)
        for name in ("pandas", "polars"):
            if name not in imported:
                monkeypatch.delitem(sys.modules, name)

    return choose


@pytest.mark.parametrize(
    ("names", "imported", "kind"),
    [
        (["pandas", "polars"], [], pandas.DataFrame),
        (["pandas", "polars"], ["pandas", "polars"], pandas.DataFrame),
        (["pandas", "polars"], ["polars"], polars.DataFrame),
        (["polars"], [], polars.DataFrame),
        (["pandas"], [], pandas.DataFrame),
    ],
)
def test_the_library_in_use_is_taken_and_pandas_if_both_are(installed, names, imported, kind):
    installed(names, imported)
    assert type(to_frame([{"n": 1}], None)) is kind


def test_without_either_the_error_says_what_to_install(installed):
    installed([])
    with pytest.raises(
        ImportError, match="needs pandas or polars, which is not installed: pip install pandas"
    ):
        to_frame([], None)
    with pytest.raises(ImportError, match="needs polars, which is not installed: pip install polars"):
        to_frame([], "polars")
    with pytest.raises(ValueError, match="library must be 'pandas', 'polars' or None, not 'numpy'"):
        to_frame([], "numpy")


def test_a_library_that_lacks_something_itself_says_so(monkeypatch):
    def find(name, *more):
        raise ModuleNotFoundError("No module named 'dateutil'", name="dateutil")

    monkeypatch.setattr(importlib, "import_module", find)
    with pytest.raises(ModuleNotFoundError, match="dateutil"):
        to_frame([], None)
