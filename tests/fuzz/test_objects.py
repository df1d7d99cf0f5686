"""The first inputs of the fuzz targets and some thousand random ones, judged as the targets judge: every day, without clang."""

import json
import random

import pytest
from objects import OPERATIONS, case
from seeds import PROGRAMS, TEXTS

from fastws import _core

NO_BYTES = b""


def judge(data: bytes) -> bytes:
    """Asserts that the object of a program is written as json writes it. Gives what was written, if anything was."""
    obj, hook, expected, has_surrogate = case(data)
    try:
        written = _core.dumps(obj, hook).encode()
    except Exception as error:
        assert isinstance(expected, Exception), expected
        if not (has_surrogate and type(error) is UnicodeEncodeError) and type(expected) is not RecursionError:
            assert type(error) is type(expected)
            assert str(error).startswith(str(expected))
        return NO_BYTES
    if type(expected) is not RecursionError:
        assert written == expected
    return written


@pytest.mark.parametrize("data", PROGRAMS, ids=range(len(PROGRAMS)))
def test_the_object_of_a_seed_is_written_as_json_writes_it(data):
    judge(data)


def test_the_objects_of_random_programs_are_written_as_json_writes_them():
    dice = random.Random(3)
    written = [judge(dice.randbytes(dice.randint(0, 60))) for _ in range(3000)]
    assert sum(map(bool, written)) > 1000
    assert len(set(written)) > 500


def test_every_operation_makes_something():
    for number in range(len(OPERATIONS)):
        obj, *_ = case(bytes([1, 7, 1, 97, number, 3, 3, 3, 3, 3, 3]))
        assert obj != "a", OPERATIONS[number]


@pytest.mark.parametrize("data", TEXTS, ids=range(len(TEXTS)))
def test_the_texts_of_the_seeds_are_read_as_json_loads_reads_them(data):
    text = data.decode("utf-8", "replace")
    try:
        expected = json.loads(text)
    except (ValueError, RecursionError) as error:
        with pytest.raises(type(error)) as refused:
            _core.loads(text)
        assert str(refused.value) == str(error)
    else:
        assert repr(_core.loads(text)) == repr(expected)
