"""JSON writing against json.dumps for generated objects, repr() for 400,000 doubles, str() for times."""

import collections
import datetime
import json
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_agreement import reference

from fastws import _core

texts = st.text(st.characters(exclude_categories=("Cs",))) | st.text('"\\\n\x00\x1f\x7fab é世😀', max_size=80)
numbers = st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
keys = texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
objects = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.dictionaries(keys, inner).map(collections.OrderedDict)
    ),
    max_leaves=60,
)


@settings(max_examples=500, deadline=None)
@given(objects)
def test_equals_json_dumps(obj: object) -> None:
    assert _core.dumps(obj) == reference(obj)


@settings(max_examples=300, deadline=None)
@given(objects, st.text(min_size=1))
def test_fails_where_json_or_utf_8_fails(obj: object, text: str) -> None:
    wrapped = [obj, {text: text}]
    try:
        expected = reference(wrapped).encode()
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            _core.dumps(wrapped)
    else:
        assert _core.dumps(wrapped).encode() == expected


@settings(max_examples=300, deadline=None)
@given(st.recursive(scalars | st.just(set()), lambda inner: st.lists(inner) | st.dictionaries(keys, inner)))
def test_the_hook_is_asked_for_the_same_objects_in_the_same_order(obj: object) -> None:
    asked: list[int] = []

    def hook(_: object) -> list[int]:
        asked.append(len(asked))
        return [asked[-1]]

    written = _core.dumps(obj, hook)
    asked.clear()
    assert written == json.dumps(obj, ensure_ascii=False, separators=(",", ":"), default=hook)


@settings(max_examples=1000, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_repr(value: float) -> None:
    assert _core.dumps(value) == repr(value)


def written_as(values: list[float]) -> list[str]:
    return _core.dumps(values)[1:-1].split(",")


def test_200_000_doubles_of_random_bits_are_their_repr() -> None:
    bits = random.Random(20).randbytes(8 * 200_000)
    values = [v for (v,) in struct.iter_unpack("<d", bits) if v == v and abs(v) != float("inf")]
    assert len(values) > 199_000
    assert written_as(values) == [repr(value) for value in values]


def test_200_000_rounded_doubles_and_their_neighbours_are_their_repr() -> None:
    source = random.Random(21)
    values = []
    for _ in range(70_000):
        value = round(source.uniform(-1, 1) * 10 ** source.randint(-5, 17), source.randint(0, 10))
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        values += [value, *struct.unpack("<2d", struct.pack("<2Q", bits + 1, max(bits, 1) - 1))]
    finite = [value for value in values if value == value]
    assert len(finite) > 200_000
    assert written_as(finite) == [repr(value) for value in finite]


@settings(max_examples=300, deadline=None)
@given(st.datetimes(timezones=st.none() | st.integers(-1439, 1439).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))))  # fmt: skip
def test_a_datetime_is_its_isoformat(value: datetime.datetime) -> None:
    assert _core.dumps(value) == f'"{value.isoformat()}"'


@settings(max_examples=500, deadline=None)
@given(st.dates() | st.times() | st.uuids())
def test_a_date_time_or_uuid_is_its_text(value: object) -> None:
    assert _core.dumps(value) == f'"{value}"'
