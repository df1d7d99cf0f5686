"""The objects that reading JSON makes, beyond their value: what the garbage collector knows of them, whose they are, what is shared."""

import gc
import json
import random
import sys
import weakref

import pytest

from fastws import _core

TEXTS = [
    "[]", "{}", "[1]", '{"a":1}', '{"a":1.5,"b":"x","c":null}', '{"a":[]}', '{"a":{}}', '{"a":{"b":{"c":1}}}', "[[],{},[{}]]", '{"é":1}', '{"é":[]}',
    '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}', '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":[7]}', '[{"a":1,"a":[]},{"a":[],"a":1}]',
    '{"a":[NaN]}', '[{"x":1,"y":2},{"x":1,"y":2},{"x":[],"y":2}]',
]  # fmt: skip


def containers(value):
    """All lists and dicts of a value, in order."""
    left, found = [value], []
    while left:
        one = left.pop()
        if isinstance(one, (list, dict)):
            found.append(one)
            left += one.values() if isinstance(one, dict) else one
    return found


@pytest.mark.parametrize("text", TEXTS)
def test_the_collector_tracks_what_it_tracks_of_json_loads(text):
    """Not more, or collections get slow; not less, or cycles made of them are never found. Also when keys are known already."""
    for _ in range(4):
        ours, theirs = containers(_core.loads(text)), containers(json.loads(text))
        tracked = [gc.is_tracked(one) for one in ours]
        assert tracked == [gc.is_tracked(one) for one in theirs]
        assert all(gc.is_tracked(one) for one in ours if isinstance(one, list))


@pytest.mark.parametrize("text", TEXTS)
def test_cycles_made_of_what_was_read_are_found(text):
    class Mark:
        pass

    for _ in range(4):
        value, mark = _core.loads(text), Mark()
        for one in containers(value):
            one.append((one, mark)) if isinstance(one, list) else one.update(cycle=one, mark=mark)
        seen = weakref.ref(mark)
        del value, mark, one
        gc.collect()
        assert seen() is None


@pytest.mark.parametrize("text", TEXTS)
def test_every_container_is_new_and_has_one_owner(text):
    """What one handler does to a message is seen in no other message."""
    for _ in range(4):
        value, before = _core.loads(text), json.loads(text)
        assert sys.getrefcount(value) == 2
        for one in containers(value):
            one.append("mine") if isinstance(one, list) else one.clear()
        assert repr(_core.loads(text)) == repr(before)


def test_reading_leaves_the_collector_as_it_was():
    """It is switched off while a text is built; afterwards it is on or off as before, whether that went well or not."""
    for text in ('{"a":[1,2]}', "[NaN]", "[1,", "1" * 5000):
        for switch in (gc.enable, gc.disable):
            switch()
            try:
                was = gc.isenabled()
                try:
                    _core.loads(text)
                except ValueError:
                    assert text in ("[1,", "1" * 5000)
                assert gc.isenabled() == was
            finally:
                gc.enable()


def test_keys_are_shared_between_messages():
    """That saves most of their memory, as json.loads does within one message."""
    for key in ("a key", "ключ", "é", "日本語", "😀" * 20, "k" * 100):
        text = json.dumps({key: 1, "another key": {key: 2}}, ensure_ascii=False)
        first, second = _core.loads(text), _core.loads(text)
        assert [id(key) for key in first] == [id(key) for key in second]
        assert next(iter(first)) is next(iter(first["another key"]))


def test_strings_and_numbers_have_one_owner():
    text = json.dumps({"s": "x" * 100, "wide": "é日😀", "i": 123456789012, "f": 1.5, "big": 10**40})
    value = _core.loads(text)
    for name in value:
        one = value[name]
        assert sys.getrefcount(one) == 3, name  # the dict's, ours, and the argument


def test_what_objects_mostly_hold_is_read_as_it_stands():
    """Objects of one shape are copies of a pattern that learns what comes again: each still holds what its own text says."""
    dice = random.Random(3)
    pool = [
        "buy",
        "sell",
        "BTC-USD",
        "",
        "é",
        None,
        True,
        False,
        0,
        -1,
        1.5,
        [],
        {},
        ["buy"],
        "x" * 24,
        "x" * 25,
    ]
    for keys in (["a", "b", "c", "d", "e", "f"], [f"a longer key {n}" for n in range(9)], list("abcdefa")):

        def text(depth, keys=keys):
            members = []
            for key in keys:
                if depth and dice.random() < 0.1:
                    value = text(depth - 1)
                elif depth and dice.random() < 0.05:
                    value = f"[{text(depth - 1)},{text(0)}]"
                else:  # the first ones nearly always, the others as often as not
                    usual = dice.random() < (0.97 if key in keys[:3] else 0.5)
                    value = json.dumps(pool[keys.index(key) % 3] if usual else dice.choice(pool))
                members.append(f'"{key}":{value}')
            return "{" + ",".join(members) + "}"

        for _ in range(3000):
            one = text(dice.choice((0, 0, 0, 2)))
            assert repr(_core.loads(one)) == repr(json.loads(one))


def test_what_is_done_to_one_object_is_in_no_later_one():
    text = json.dumps({"type": "t", "a": "same", "b": None, "c": True, "d": "same", "e": "same", "n": 1})
    for _ in range(300):
        value = _core.loads(text)
        assert value == json.loads(text)
        for key in value:
            value[key] = "changed"
        value["more"] = 1


def test_a_value_that_came_for_long_is_given_up_when_others_come():
    def text(side):
        return json.dumps({"type": "t", "a": 1, "b": 2, "c": 3, "d": 4, "side": side})

    for side in ("buy", "sell", None, True, "buy"):
        for _ in range(200):
            assert _core.loads(text(side))["side"] == side
        assert _core.loads(text("other"))["side"] == "other"
        assert _core.loads(text(7))["side"] == 7


def test_patterns_own_what_they_hold():
    """A string that a pattern holds is let go when the pattern learns another one, or makes room for other keys."""
    before = sys.getrefcount(None)
    for number in range(3000):
        keys = [f"k{number}_{n}" for n in range(7)]
        for _ in range(12):
            value = _core.loads(json.dumps(dict.fromkeys(keys, "a value")))
        assert value[keys[0]] is value[keys[6]]
    del value
    # None stands in for what is not known yet: 7 times in each of at most 512 patterns, and 7 that were given up.
    assert abs(sys.getrefcount(None) - before) < 8 * 512
