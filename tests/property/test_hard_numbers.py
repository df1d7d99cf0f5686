"""A few hundred hard numbers of each class, read and written as Python does; `make numbers` takes ten million."""

import itertools
import random

import hard_numbers
import pytest

from fastws import _core


@pytest.mark.parametrize("kind", hard_numbers.CLASSES, ids=lambda kind: kind.name)
def test_they_are_read_and_written_as_python_does(kind):
    texts = list(itertools.islice(kind.texts(random.Random(f"everyday {kind.name}")), 300))
    assert len(set(texts)) > 20
    assert hard_numbers.mismatches(kind, texts) == []


def test_a_tie_is_one():
    dice = random.Random(1)
    for bits in [
        0,
        1,
        2,
        hard_numbers.SMALLEST_NORMAL - 1,
        *(dice.randrange(hard_numbers.LARGEST) for _ in range(500)),
    ]:
        tie = hard_numbers.halfway(bits)
        assert float(hard_numbers.below(tie, 3)) == hard_numbers.double_of(bits)
        assert float(tie) == hard_numbers.double_of(bits + bits % 2)
        assert float(hard_numbers.above(tie, 3)) == hard_numbers.double_of(bits + 1)


@pytest.mark.parametrize("text", ["0.1", "1" * 30, "-0.0", "5e-324"])
@pytest.mark.parametrize(
    "kind", [hard_numbers.CLASSES[0], hard_numbers.CLASSES[-1]], ids=lambda kind: kind.name
)
def test_a_value_that_is_read_wrongly_is_a_mismatch(monkeypatch, kind, text):
    right = hard_numbers.value_of
    monkeypatch.setattr(hard_numbers, "value_of", lambda one: right(one) + (one == text))
    assert hard_numbers.mismatches(kind, ["1.5", text, "2.5"]) == [text]


@pytest.mark.parametrize(
    "kind", [hard_numbers.CLASSES[0], hard_numbers.CLASSES[-1]], ids=lambda kind: kind.name
)
def test_a_value_that_is_written_wrongly_is_a_mismatch(monkeypatch, kind):
    class Wrong:
        loads = staticmethod(_core.loads)
        parsed_natively = staticmethod(_core.parsed_natively)
        dumps = staticmethod(lambda obj: _core.dumps(obj).replace("e-324", "e-323"))

    monkeypatch.setattr(hard_numbers, "_core", Wrong)
    assert hard_numbers.mismatches(kind, ["1.5", "5e-324", "2.5"]) == ["5e-324"]


def test_a_number_that_json_loads_is_asked_for_is_a_mismatch_where_the_core_should_read_it():
    assert hard_numbers.mismatches(hard_numbers.CLASSES[0], ["1.5", "1e999"]) == ["1e999"]
