"""The objects that reading JSON makes, beyond their value: what the garbage collector knows of them, whose they are, what is shared."""

import gc
import json
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
