"""JSON writing, a fact each: json.dumps's bytes and errors, the default hook, hostile objects."""

import collections
import dataclasses
import datetime
import enum
import gc
import json
import sys
import threading
from typing import Any

import pytest
from json_agreement import reference
from json_subclasses import Colour, Number, Point, Real, Reversed, Word

from fastws import _core


class Name(str, enum.Enum):
    ADA = "ada"


@dataclasses.dataclass
class Order:
    symbol: str


def moved() -> collections.OrderedDict:
    ordered = collections.OrderedDict(a=1, b=2, c=3)
    ordered.move_to_end("a")
    return ordered


@pytest.mark.parametrize(
    "obj",
    [
        None, True, False, 0, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 10**400,
        "", "a", "é", "世", "😀", "\x7f", "\x00\x1f\b\f\n\r\t\"\\/", "\u2028\u2029\ufeff",
        [], (), {}, [[]], [{}], {"": ""}, [1, [2, [3, {"a": (4,)}]]],
        {1: 1, 1.5: 2, None: 4, False: 5, "x": 6, 2**70: 7},
        {True: 1}, {1: "a", "1": "b"}, {-0.0: -0.0, 1e300: 1e-300},
        Point(1, 2.5), Number(7), Number(2**80), Real(1.5), Word("word"), Colour.RED, Name.ADA,
        {Number(5): 1, Real(2.5): 2, Word("w"): 3, Colour.RED: 4, Name.ADA: 5},
        collections.OrderedDict(b=1, a=2), moved(), collections.defaultdict(list, a=[1]),
        collections.Counter("aab"),
        Reversed(a=1, b=2), Reversed(),
        "x" * 100_000, "é" * 100_000, ["\n" * 5000], list(range(3000)), {str(i): [i] for i in range(3000)},
    ],
    ids=lambda obj: repr(obj)[:30],
)  # fmt: skip
def test_equals_json_dumps(obj: object) -> None:
    assert _core.dumps(obj) == reference(obj)


HARD_DOUBLES = [
    0.0, -0.0, 1.0, 1e15, 1e16, 123456789012345678.0, 9007199254740993.0, 1e-4, 1e-5, 0.00012345, 1e22,
    1e23, 5e-324, 1.5, 2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, 0.1 + 0.2, 1
    / 3, 2 / 3, 100.0, 1e7 - 1e-8, 9999999.99999999, 99999999999.9999, 999999999999999.9,
    9999999999999998.0, 1e11, 67123.45, 0.0125, 4.35, 8.41e21, 2.0**-1074, 9.5e-05, 9.9999e15,
    2.98023223876953125e-8, 5e-5, 7.0385307e-26, 1.1e-4,
]  # fmt: skip


@pytest.mark.parametrize(
    "value", [*HARD_DOUBLES, *(-v for v in HARD_DOUBLES), *(10.0**n for n in range(-320, 309))]
)
def test_floats_are_written_as_repr(value: float) -> None:
    assert _core.dumps(value) == repr(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), Real("nan")])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"a": [v]}, lambda v: {v: 1}])
def test_floats_that_json_lacks_are_refused(value: float, wrap: Any) -> None:
    with pytest.raises(ValueError, match=r"^Out of range float values are not JSON compliant"):
        _core.dumps(wrap(value))


def test_an_integer_with_more_digits_than_python_writes_is_refused() -> None:
    with pytest.raises(ValueError, match="Exceeds the limit"):
        _core.dumps([10**5000])


@pytest.mark.parametrize("key", [(1, 2), b"a", frozenset(), datetime.date(2000, 1, 1)])
def test_keys_of_other_types_are_refused_as_by_json(key: object) -> None:
    with pytest.raises(TypeError) as expected:
        reference({key: 1})
    with pytest.raises(TypeError) as refused:
        _core.dumps({key: 1})
    assert str(refused.value).startswith(str(expected.value))


@pytest.mark.parametrize(
    "obj", [{1}, object(), 1j, range(3), int, datetime.timedelta(1), collections.deque()]
)
def test_other_types_are_refused_as_by_json(obj: object) -> None:
    with pytest.raises(TypeError) as expected:
        reference(obj)
    with pytest.raises(TypeError) as refused:
        _core.dumps(obj)
    assert str(refused.value) == str(expected.value)


@pytest.mark.parametrize("data", [b"x", bytearray(b"x"), memoryview(b"x")])
def test_bytes_are_refused_and_the_right_method_named(data: object) -> None:
    with pytest.raises(TypeError, match=r"is not JSON serializable at \$\.a; send_bytes\(\)"):
        _core.dumps({"a": data})


@pytest.mark.parametrize(
    ("obj", "place"),
    [
        ({"a": [0, 1, 2, {1}]}, r" at $.a[3]"),
        ([[{"a b": {"c": {1}}}]], r' at $[0][0]["a b"].c'),
        ({1: ({1},)}, r" at $[1][0]"),
        (collections.OrderedDict(a=[{1}]), " at $.a[0]"),
        ({"a": {"b": {(): 1}}}, " in a key of $.a.b"),
        ({"é": {1}}, r' at $["\xe9"]'),
        ({"a\n世": {1}}, r' at $["a\n\u4e16"]'),
    ],
)
def test_a_fault_is_located(obj: object, place: str) -> None:
    with pytest.raises(TypeError) as refused:
        _core.dumps(obj)
    assert str(refused.value).endswith(place)


@pytest.mark.parametrize("text", ["ab\ud800", "ab\udfff", "世界\udc00", "ab\ud83d\ude00", "😀😀\ud800"])
def test_lone_surrogates_are_refused_and_located(text: str) -> None:
    with pytest.raises(UnicodeEncodeError) as refused:
        _core.dumps({"a": [text]})
    assert (refused.value.object, refused.value.start, refused.value.end) == (text, 2, 3)
    assert "surrogates not allowed at $.a[0]" in str(refused.value)
    with pytest.raises(ValueError, match=r"surrogates not allowed in a key of \$\[0\]"):
        _core.dumps([{text: 1}])


def test_cycles_are_refused() -> None:
    loop: list[Any] = [1]
    loop.append({"a": (loop,)})
    with pytest.raises(ValueError, match=r"^Circular reference detected at \$\[1\]\.a\[0\]$"):
        _core.dumps(loop)
    mapping: dict[str, Any] = {}
    mapping["self"] = mapping
    with pytest.raises(ValueError, match=r"^Circular reference detected"):
        _core.dumps(mapping)
    odd = collections.OrderedDict()
    odd["self"] = odd
    with pytest.raises(ValueError, match=r"^Circular reference detected"):
        _core.dumps(odd)


def test_a_cycle_of_many_members_is_refused_as_a_cycle() -> None:
    first: list[Any] = []
    last = first
    for _ in range(300):
        last.append([])
        last = last[0]
    last.append(first)
    with pytest.raises(ValueError, match=r"^Circular reference detected"):
        _core.dumps(first)


def test_a_cycle_that_becomes_too_deep_beside_itself_is_refused_as_a_cycle() -> None:
    most = max(sys.getrecursionlimit(), 10_000 if sys.version_info >= (3, 12) else 0)
    first: list[Any] = []
    last = first
    for _ in range(most * 3 // 10):
        last.append([])
        last = last[0]
    last += [nested(most * 6 // 10), first]
    with pytest.raises(ValueError, match=r"^Circular reference detected"):
        _core.dumps(first)


def test_the_same_object_twice_is_no_cycle() -> None:
    shared = {"a": [1]}
    assert _core.dumps([shared, shared, {"b": shared}]) == reference([shared, shared, {"b": shared}])


def nested(depth: int) -> list[Any]:
    obj: list[Any] = []
    for _ in range(depth - 1):
        obj = [obj]
    return obj


def test_depth_that_json_writes_is_written() -> None:
    assert _core.dumps(nested(900)) == "[" * 900 + "]" * 900


@pytest.mark.parametrize("recursion_limit", [None, 10**8])
def test_depth_never_overflows_the_stack_of_a_small_thread(recursion_limit: int | None) -> None:
    deep = nested(300_000)
    outcome: list[object] = []

    def work() -> None:
        try:
            outcome.append(len(_core.dumps(deep)))
        except RecursionError as error:
            outcome.append(str(error))

    before, size = sys.getrecursionlimit(), threading.stack_size(128 * 1024)
    try:
        sys.setrecursionlimit(recursion_limit or before)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(before)
        threading.stack_size(size)
    too_deep = "maximum recursion depth exceeded while encoding a JSON object"
    assert outcome == [600_000 if recursion_limit else too_deep]


def test_what_json_takes_is_not_asked_of_the_hook() -> None:
    obj = [1, "a", None, Order("X"), Colour.RED, datetime.date(2024, 1, 1), Point(1, 2.0)]

    def hook(_: object) -> object:
        raise AssertionError

    assert _core.dumps(obj, hook) == _core.dumps(obj)


def test_the_hook_gives_what_is_written_instead() -> None:
    assert (
        _core.dumps({"a": {1}, "b": b"x"}, lambda o: sorted(o) if isinstance(o, set) else o.hex())
        == '{"a":[1],"b":"78"}'
    )
    assert _core.dumps(1j, lambda o: {o.imag} if isinstance(o, complex) else list(o)) == "[1.0]"


def test_a_hook_that_raises_is_heard_and_one_that_gives_its_argument_is_a_cycle() -> None:
    with pytest.raises(ZeroDivisionError):
        _core.dumps([object()], lambda _: 1 / 0)
    with pytest.raises(ValueError, match=r"^Circular reference detected"):
        _core.dumps([object()], lambda o: o)


@pytest.mark.parametrize("wrap", [lambda: object(), lambda: [object()], lambda: {"a": object()}])
def test_a_hook_without_end_is_a_recursion_error(wrap: Any) -> None:
    with pytest.raises(RecursionError):
        _core.dumps(object(), lambda _: wrap())


def test_a_hook_that_writes_has_a_buffer_of_its_own() -> None:
    def hook(obj: set[int]) -> str:
        return _core.dumps([_core.dumps(sorted(obj)), {1, 2}] if len(obj) == 3 else [], lambda _: "inner")

    assert json.loads(_core.dumps(["before", {1, 2, 3}, "after"], hook)) == [
        "before",
        '["[1,2,3]","inner"]',
        "after",
    ]


def test_a_hook_that_enters_again_for_ever_is_a_recursion_error() -> None:
    def hook(obj: object) -> str:
        return _core.dumps(obj, hook)

    with pytest.raises(RecursionError):
        _core.dumps(object(), hook)


def test_a_list_that_shrinks_meanwhile_ends_there() -> None:
    items: list[object] = [1, object(), 2, 3]

    def hook(_: object) -> str:
        items.clear()
        gc.collect()
        return "gone"

    assert _core.dumps(items, hook) == '[1,"gone"]'


@pytest.mark.parametrize("change", [dict.clear, lambda d: d.update(z=1), lambda d: d.pop("last")])
def test_a_dict_that_changes_its_size_meanwhile_is_refused(change: Any) -> None:
    mapping = {"first": object(), "last": 2}

    def hook(_: object) -> int:
        change(mapping)
        gc.collect()
        return 1

    with pytest.raises(RuntimeError, match=r"^dictionary changed size during iteration"):
        _core.dumps(mapping, hook)


def test_a_dict_whose_keys_change_for_ever_is_refused() -> None:
    mapping: dict[object, object] = {0: object()}

    def hook(_: object) -> int:
        (last,) = mapping
        mapping[last + 1] = object()  # type: ignore[operator]
        del mapping[last]
        return 1

    with pytest.raises(RuntimeError, match=r"^dictionary keys changed during iteration"):
        _core.dumps(mapping, hook)


def test_items_that_are_no_pairs_are_refused() -> None:
    class Odd(dict):
        def items(self):
            return [(1, 2, 3)]

    with pytest.raises(ValueError, match=r"^items must return 2-tuples"):
        _core.dumps(Odd(a=1))


def test_what_was_met_is_given_back() -> None:
    key, value, hooked = "k" * 20, ["v"], object()
    order = Order("X")
    obj = {key: [value, (value,), collections.OrderedDict(a=value), order, Colour.RED, hooked]}
    kept = [key, value, hooked, order, obj, obj[key]]
    before = [sys.getrefcount(one) for one in kept]
    for _ in range(100):
        _core.dumps(obj, lambda _: value)
        with pytest.raises(TypeError):
            _core.dumps(obj)
        with pytest.raises(ZeroDivisionError):
            _core.dumps([obj, obj], lambda _: 1 / 0)
    gc.collect()
    assert [sys.getrefcount(one) for one in kept] == before
