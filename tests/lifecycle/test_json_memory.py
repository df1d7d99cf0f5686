"""JSON and memory: every allocation may fail, and a million messages or a million strange keys leave nothing behind."""

import pathlib
import sysconfig

import pytest
from preloaded import compiled

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def failing_allocator(tmp_path_factory):
    """The allocator that fails, for this Python."""
    include = sysconfig.get_path("include")
    return compiled(tmp_path_factory.mktemp("allocator"), "failing_allocator", f"-I{include}")


@pytest.mark.parametrize("allocator", ["pymalloc", "debug"])
def test_every_allocation_may_fail(execute, failing_allocator, sanitized, allocator):
    """MemoryError and no other end, the next call works, every reference is given back. "debug" finds what is used after free."""
    environment = {} if sanitized else {"PYTHONMALLOC": allocator}
    ended = execute(
        "-X", "faulthandler", HERE / "without_memory.py", failing_allocator, preload=failing_allocator,
        environment=environment, timeout=300,
    )  # fmt: skip
    assert (ended.code, ended.stderr) == (0, ""), ended
    became = ended.lines[-1][1]
    assert len(became) > 50
    for name, one in became.items():
        assert one["references"] == [], name
        # Under a sanitizer Python's own allocator counts nothing.
        assert one["blocks a round"] < 1, (name, one)
    assert sum(one["errors"] for one in became.values()) > 500


MEMORY = """
import gc, json, random, sys
from fastws import _core
from telling import say
def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
dice = random.Random(7)
"""

MILLION = """
texts = [json.dumps(value) for value in (
    {"type": "trade", "price": 64012.5, "id": 1234567890123456789, "tags": ["a", "é"], "nested": {"ok": True, "no": None}},
    {"s": "AAPL", "bids": [[1.5, 2], [1.25, 7]], "asks": [], "u": 10**20, "text": "longer than what is remembered, by far"},
    [{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}] * 3,
    {"日本": "😀", "k" * 70: [0.1, -0.0, 1e300]},
)]
expected = [json.loads(text) for text in texts]
probe = _core.loads(texts[0])
keys = [key for key in probe] + [key for key in _core.loads(texts[2])[0]]
def run(count):
    loads, dumps = _core.loads, _core.dumps
    for _ in range(count // 4):
        for text in texts:
            loads(text)
run(40_000)
blocks, references, memory = sys.getallocatedblocks(), [sys.getrefcount(key) for key in keys], resident()
run(1_000_000)
say("grown", sys.getallocatedblocks() - blocks, resident() - memory, [sys.getrefcount(key) for key in keys] == references)
assert [_core.loads(text) for text in texts] == expected
"""

FLOOD = """
def check(text):
    assert _core.loads(text) == json.loads(text), text[:100]
def flood(number):
    # New keys and lists of keys each time, some of them long, some of one length with one hash's worth of difference.
    made = [f"{dice.getrandbits(64):x}" for _ in range(8)]
    check(json.dumps([{key: key for key in made}] * 3))
    check(json.dumps([dict.fromkeys((f"key{number}{letter}" for letter in "abcdefg"), "x" * 20)] * 3))
    if number % 50 == 0:
        check(json.dumps([{"k" * 65_536 + str(number): 1, "k" * 65_536: 2}] * 2))
        check(json.dumps([{"é" * 30_000 + str(number): 1}] * 2))
    if number % 10 == 0:
        for size in (7, 8, 9, 15, 16, 23, 24, 25, 39, 40, 41, 63, 64, 65, 255, 256):
            base = "c" * (size - 6)
            check(json.dumps([{f"{base}{number:06}": 1, f"{number:06}{base}": 2}] * 3))
for number in range(3000):
    flood(number)
blocks, memory = sys.getallocatedblocks(), resident()
for number in range(3000, 11_000):
    flood(number)
say("grown", sys.getallocatedblocks() - blocks, resident() - memory)
text = json.dumps({"type": "trade", "price": 1.5})
for _ in range(3):
    check(text)
first, second = _core.loads(text), _core.loads(text)
say("shared", all(one is other for one, other in zip(first, second)))
"""


def test_a_million_messages_leave_nothing_behind(execute, tmp_path, sanitized):
    path = tmp_path / "program.py"
    path.write_text(MEMORY + (MILLION.replace("1_000_000", "50_000") if sanitized else MILLION))
    ended = execute(path, timeout=300)
    assert (ended.code, ended.stderr) == (0, ""), ended
    _, blocks, memory, same = ended.lines[-1]
    assert blocks < 200
    assert sanitized or memory < 2_000_000
    assert same, "references to the keys that are kept"


def test_a_flood_of_strange_keys_makes_nothing_grow(execute, tmp_path, sanitized):
    """The places for keys, lists of keys and strings are bounded, and right whoever had them before."""
    path = tmp_path / "program.py"
    path.write_text(MEMORY + FLOOD)
    ended = execute(path, timeout=300)
    assert (ended.code, ended.stderr) == (0, ""), ended
    (_, blocks, memory), (_, shared) = ended.lines
    assert blocks < 3000, "more objects than there are places"
    assert sanitized or memory < 3_000_000
    assert shared, "what comes after the flood is remembered again"
