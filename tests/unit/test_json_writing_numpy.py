"""JSON writing of NumPy's arrays and scalars."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_agreement import reference

from fastws import _core

WHOLE = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_at_the_edges_of_their_type(name: str) -> None:
    edges = np.iinfo(name)
    array = np.array([edges.min, edges.max, 0, 1, edges.max // 2], name)
    assert _core.dumps(array) == reference(array.tolist())
    for scalar in array:
        assert _core.dumps({"a": scalar}) == reference({"a": int(scalar)})


@pytest.mark.parametrize("dtype", ["int64", "float64", "bool", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (0, 2), (2, 3), (2, 3, 4), (1,) * 32])
def test_every_shape(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    assert _core.dumps([array, {"a": array}]) == reference([array.tolist(), {"a": array.tolist()}])


def test_every_way_that_memory_can_lie() -> None:
    array = np.arange(120, dtype="float64").reshape(4, 5, 6) / 8
    read_only = array.copy()
    read_only.flags.writeable = False
    views = [array.T, array[::-1, ::2, ::-3], array[:, 1], np.asfortranarray(array), read_only]
    views.append(np.broadcast_to(np.float64(2.5), (3, 2)))
    views.append(np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view("f8"))  # not aligned
    for view in views:
        assert _core.dumps(view) == reference(view.tolist())


@pytest.mark.parametrize("dtype", [">i2", ">i8", ">u4", ">f8", ">f4", ">f2", ">M8[s]"])
def test_other_byte_orders(dtype: str) -> None:
    array = np.array([1, 2, 300]).astype(dtype)
    assert _core.dumps(array) == _core.dumps(array.astype(array.dtype.newbyteorder("=")))
    assert "300" in _core.dumps(np.array([300]).astype(dtype)) or "00:05:00" in _core.dumps(array)


def test_bools() -> None:
    assert (
        _core.dumps([np.bool_(True), np.bool_(False), np.array([True, False])]) == "[true,false,[true,false]]"
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float64_is_a_float(number: float) -> None:
    assert _core.dumps([np.float64(number), np.array([number])]) == reference([number, [number]])


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_reads_back_in_as_few_digits_as_that_takes(number: float) -> None:
    text = _core.dumps(np.float32(number))
    assert np.float32(text) == np.float32(number)
    assert np.signbit(np.float32(text)) == np.signbit(np.float32(number))
    assert _core.dumps(np.array([number], "float32")) == f"[{text}]"
    digits = np.format_float_scientific(np.float32(number), unique=True, trim="-").split("e")[0].strip("-")
    if abs(number) < 2**24:  # larger whole numbers are written in full
        assert len(text.split("e")[0].strip("-0.").replace(".", "").strip("0")) == len(
            digits.replace(".", "").strip("0")
        )


def test_every_float16() -> None:
    every = np.arange(2**16, dtype="uint16").view("float16")
    for number in every:
        if not np.isfinite(number):
            with pytest.raises(ValueError, match=r"^Out of range float values are not JSON compliant"):
                _core.dumps(number)
        else:
            assert float(_core.dumps(number)) == pytest.approx(float(number), rel=1e-7, abs=1e-12)
            assert np.float16(_core.dumps(number)) == number
    finite = every[np.isfinite(every)]
    assert np.array_equal(np.array(json.loads(_core.dumps(finite)), "float16"), finite)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_no_number_is_refused_with_its_place(bad: float, dtype: str) -> None:
    array = np.zeros((2, 3), dtype)
    array[1, 2] = bad
    with pytest.raises(ValueError, match=r"^Out of range float values .* at \$\.prices\[1\]\[2\]$"):
        _core.dumps({"prices": array})
    with pytest.raises(ValueError, match=r"^Out of range float values .* at \$\[2\]$"):
        _core.dumps(array[1])
    with pytest.raises(ValueError, match=r"^Out of range float values .*"):
        _core.dumps(array[1, 2])


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2024-02-29T23:59:59", "2024-02-29T23:59:59"),
        ("2021-01-01T00:00:00.172", "2021-01-01T00:00:00.172000"),
        ("2021-01-01T00:00:00.123456789", "2021-01-01T00:00:00.123456"),
        ("1969-12-31T23:59:59.999999999", "1969-12-31T23:59:59.999999"),
        ("2021", "2021-01-01T00:00:00"),
        ("2021-07", "2021-07-01T00:00:00"),
        ("1969-12", "1969-12-01T00:00:00"),
        ("2000-02-29", "2000-02-29T00:00:00"),
        ("1900-02-28", "1900-02-28T00:00:00"),
        ("0000-01-01", "0000-01-01T00:00:00"),
        ("9999-12-31T23:59", "9999-12-31T23:59:00"),
    ],
)
def test_times(time: str, text: str) -> None:
    moment = np.datetime64(time)
    assert _core.dumps(moment) == f'"{text}"'
    assert _core.dumps(np.array([[moment], [moment]])) == f'[["{text}"],["{text}"]]'


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "25s", "3M"])
def test_every_unit_as_numpy_itself_converts_it(unit: str) -> None:
    steps = np.array([-7, -1, 0, 1, 29, 1234])
    times = steps.astype(f"M8[{unit}]")
    micro = times.astype("M8[us]").tolist()
    assert json.loads(_core.dumps(times)) == [one.isoformat() for one in micro]


@given(st.datetimes())
def test_any_moment(moment: Any) -> None:
    assert json.loads(_core.dumps(np.datetime64(moment, "us"))) == moment.isoformat()


def test_not_a_time_is_null() -> None:
    assert _core.dumps([np.datetime64("NaT", "s"), np.array(["NaT", "2021-01-01"], "M8[D]")]) == (
        '[null,[null,"2021-01-01T00:00:00"]]'
    )


@pytest.mark.parametrize(
    ("steps", "unit"), [(2**62, "Y"), (8030, "Y"), (2**62, "D"), (-719529, "D"), (2**62, "us")]
)
def test_a_time_without_a_year_of_four_digits_is_refused(steps: int, unit: str) -> None:
    times = np.array([0, steps]).astype(f"M8[{unit}]")
    with pytest.raises(ValueError, match=r"^a datetime64 outside the years 0 to 9999 .* at \$\.t\[1\]$"):
        _core.dumps({"t": times})


def test_arrays_of_objects_and_of_strings_are_their_members() -> None:
    mixed = np.array([1, None, {"a": np.int8(2)}, "x"], dtype=object)
    assert _core.dumps(mixed) == '[1,null,{"a":2},"x"]'
    assert _core.dumps(np.array([["a", "é"]])) == '[["a","é"]]'
    cycle = np.array([None], dtype=object)
    cycle[0] = cycle
    with pytest.raises(ValueError, match="Circular reference detected"):
        _core.dumps(cycle)
    with pytest.raises(TypeError, match=r"^Object of type object is not JSON serializable at \$\[0\]$"):
        _core.dumps(np.array([object()]))


@pytest.mark.parametrize(
    "unknown",
    [
        np.complex64(1),
        np.longdouble(1),
        np.timedelta64(1, "s"),
        np.array([1j]),
        np.array([1], "m8[s]"),
        np.array([b"x"]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.ma.masked_array([1, 2], [True, False]),
    ],
    ids=lambda one: f"{type(one).__name__}-{one.dtype}",
)
def test_others_are_asked_of_the_hook_or_refused(unknown: Any) -> None:
    with pytest.raises(
        TypeError, match=rf"^Object of type {type(unknown).__name__} is not JSON serializable at \$\[0\]"
    ):
        _core.dumps([unknown])
    asked = []
    assert _core.dumps([unknown], lambda one: asked.append(one) or "known") == '["known"]'
    assert asked[0] is unknown


@pytest.mark.parametrize("key", [np.int64(1), np.float32(1), np.bool_(True), np.datetime64("2021")])
def test_keys_are_refused_as_json_refuses_them(key: Any) -> None:
    with pytest.raises(TypeError, match=r"^keys must be str, int, float, bool or None, not "):
        _core.dumps({key: 1})
    assert _core.dumps({np.float64(1.5): 1, np.str_("a"): 2}) == '{"1.5":1,"a":2}'


def test_a_large_array_in_a_small_message() -> None:
    array = np.random.default_rng(1).normal(size=(300, 200))
    assert _core.dumps({"a": array, "b": 1}) == reference({"a": array.tolist(), "b": 1})


def test_numpy_is_not_imported_by_writing() -> None:
    code = (
        "import sys; from fastws import _core\n"
        "try: _core.dumps([object()])\n"
        "except TypeError: pass\n"
        "sys.modules['numpy'] = sys  # half imported: without its classes\n"
        "try: _core.dumps([object()])\n"
        "except TypeError as error: print(error)\n"
        "del sys.modules['numpy']; import numpy\n"
        "print(_core.dumps(numpy.arange(2)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "Object of type object is not JSON serializable at $[0]\n[0,1]\n", done.stderr
