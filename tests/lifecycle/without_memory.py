"""A program in which each allocation of reading and of writing JSON fails: what the tests of failing memory run.

usage: without_memory.py LIBRARY. It says one JSON line: what became of each case.
"""

import array
import collections
import ctypes
import dataclasses
import datetime
import decimal
import enum
import gc
import itertools
import json
import sys
import uuid

from fastws import _core

library = ctypes.PyDLL(sys.argv[1])
library.call_failing.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.c_long, ctypes.c_int]
library.call_failing.restype = ctypes.py_object
library.allocations.restype = ctypes.c_long
library.install.restype = None

fresh = itertools.count()


def storm(call, arguments, expected, before=lambda: None, all_after=False):
    """Call it with each allocation failing in turn until none is left to fail; the number of MemoryErrors.

    `before`: called before each; gives the arguments and what is expected of them, where these are new ones each time.
    """
    errors = 0
    for number in itertools.count():
        if (given := before()) is not None:
            arguments, expected = given
        try:
            result = library.call_failing(call, arguments, number, all_after)
        except MemoryError:
            errors += 1
        else:
            assert same(result, expected), (number, arguments, result)
        finished = library.allocations() <= number
        assert same(call(*arguments), expected), f"after allocation {number} failed"
        if finished:
            return errors


TEXTS = [
    "[]", "{}", "[[],{},[[]]]", '{"a":{"b":[1,2.5,"text",null,true]}}', '"one string"', '"é"', '"日本"', '"😀"', "1e400", "[NaN]",
    "123456789012345678901234567890", "9223372036854775807", "1234567890123456.5", '{"é":1,"日":2,"😀":3}', '{"' + "k" * 300 + '":"' + "v" * 70000 + '"}',
    '[{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7},{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}]', "[" * 100 + "]" * 100, '{"a":' * 100 + "{}" + "}" * 100,
    "{" + ",".join(f'"key {n}":[{n}.5]' for n in range(40)) + "}", '["text of a","text of a","text of a"]', '"\\ud800"', '{"type":"tick","p":1.5,"s":"AAPL"}',
]  # fmt: skip


def new_text():
    """Keys, lists of keys and strings that nothing has met yet, many of them several times, so that they are learnt here."""
    n = next(fresh)
    seven = ",".join(f'"k{i} {n}":"text {n}"' for i in range(7))
    two = f'"a{n}":1,"b{n}":{{"c{n}":[2.5,"text {n}"]}}'
    return "[" + ",".join([f"{{{seven}}},{{{two}}},{{}}"] * 4) + "]"


def new_arguments():
    text = new_text()
    return (text,), json.loads(text)


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int = 1
    y: object = None


class Named(collections.namedtuple("Named", "a b")):
    pass


def hook(value):
    return [str(value), {"é": 1.5}]


OBJECTS = [
    [], {}, None, "a", "é" * 50, "😀\n\"", 2**70, -(10**300), 0.1, 1e300, ["a" * 100_000], [list(range(2000))], {"a": {"b": [1, 2.5, "text", None, True]}},
    {1: 2, 1.5: 3, None: 4, False: 5, 2**80: 6}, (1, (2, (3,))), collections.OrderedDict(a=1, b=[2]), collections.defaultdict(list, a=[1]), Named(1, [2]),
    Colour.RED, Point(1, Point(2, [Colour.RED])), datetime.datetime(2020, 1, 2, 3, 4, 5, 6, datetime.timezone.utc), datetime.date(2020, 1, 2),
    datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=3))), datetime.time(1, 2), uuid.UUID(int=5),
]  # fmt: skip
nested = []
for _ in range(200):
    nested = [nested, {"k": nested}] if len(repr(nested)) < 2000 else [nested]
OBJECTS.append(nested)
# No key is called as a field of Point: Python's cache of attributes keeps references to names, for as long as it likes.
HOOKED = [
    decimal.Decimal("1.5"),
    [decimal.Decimal(1), {"a": {1, 2}.__class__}],
    {"outer": [decimal.Decimal(2)]},
]
REFUSED = [
    object(),
    {"a": [float("nan")]},
    {"a": {(1,): 2}},
    "\ud800",
    {"a\ud800": 1},
    [{"a": [b"x"]}],
    {"outer": {"inner": [decimal.Decimal(1)]}},
]


def refuse(value):
    """The class of the exception with which writing ends: MemoryError passes."""
    try:
        _core.dumps(value)
    except MemoryError:
        raise
    except Exception as error:
        return type(error)
    return None


def parts(value):
    """An object and all that it holds."""
    left, found = [value], []
    while left:
        found.append(one := left.pop())
        left += (
            [*one, *one.values()] if isinstance(one, dict) else one if isinstance(one, (list, tuple)) else []
        )
    return found


def cases():
    """Each as (name, call, its arguments, where to get new ones, objects whose references are counted)."""
    for text in TEXTS:
        yield (
            text,
            _core.loads,
            (text,),
            None,
            [text, *[key for key in parts(_core.loads(text)) if type(key) is str]],
        )
    yield "new texts", _core.loads, (), new_arguments, []
    for value in OBJECTS:
        yield (
            repr(value),
            _core.dumps,
            (value,),
            None,
            [*parts(value), type(value), Colour, Colour.RED, Point],
        )
    for value in HOOKED:
        yield repr(value), _core.dumps, (value, hook), None, [*parts(value), hook, decimal.Decimal]
    for value in REFUSED:
        yield repr(value), refuse, (value,), None, [*parts(value), type(value), object, bytes]


def count(objects):
    gc.collect()
    references = array.array(
        "q", [sys.getrefcount(one) for one in objects if not isinstance(one, (int, type(None)))]
    )
    return sys.getallocatedblocks(), references


def same(one, other):
    """Whether the results are equal; NaN is NaN."""
    return repr(one) == repr(other)


def judge(name, call, arguments, new, shared):
    """Fail every allocation, many times over: how many failed in a round, by how much references and memory grew."""
    expected = None if new else call(*arguments)
    before = new or (lambda: None)
    errors, blocks, references, grown = 0, None, None, 0
    # What Python itself keeps for later use grows for a while; a leak grows in every window.
    for _ in range(WINDOWS):
        for _ in range(ROUNDS):
            errors = storm(call, arguments, expected, before)
            errors += storm(call, arguments, expected, before, all_after=True)
        blocks_now, references_now = count(shared)
        references = references or references_now
        grown, blocks = blocks_now - (blocks or 0), blocks_now
        if grown < ROUNDS:
            break
    lost = [now - was for was, now in zip(references, references_now, strict=True) if now != was]
    return {"errors": errors, "references": lost, "blocks a round": grown / ROUNDS}


WINDOWS, ROUNDS = 40, 8
sys.unraisablehook = lambda unraisable: (
    None
)  # 3.13 tells there what could not be looked up for lack of memory
library.install()
for _ in range(4000):  # the builder's places are all taken: from now on a newcomer replaces another
    _core.loads(new_text())
became = {f"{number} {case[0][:60]}": judge(*case) for number, case in enumerate(cases())}
print(json.dumps(["became", became]), flush=True)
