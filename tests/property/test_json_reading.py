"""The reader, the builder and the scan against json.loads: the same objects, types and exceptions for every text."""

import json
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from json_agreement import agree, outcome
from json_generated import PIECES, STYLES, VALUES

from fastws import _core


@given(VALUES, STYLES)
@settings(max_examples=400)
def test_what_dumps_wrote_is_read_as_json_loads_reads_it(value, style):
    try:
        text = json.dumps(value, **style)
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate that was not escaped is in no text frame
        return
    agree(text)


@given(VALUES, st.integers(min_value=0), st.sampled_from(PIECES), st.booleans())
@settings(max_examples=800)
def test_a_changed_text_is_read_or_refused_as_json_loads_does(value, place, piece, replaces):
    text = json.dumps(value)
    at = place % (len(text) + 1)
    agree(text[:at] + piece + text[at + replaces :])


@given(st.text(alphabet="0123456789.eE+-", min_size=1, max_size=40))
@settings(max_examples=600)
@example("[128.74836467836484838364836483643636483648e-336]")  # RapidJSON 1.1.0 crashes when it converts it
@example("0.184467440737095516159")  # and converts this one to -6.53e-201
@example("1.8e308")
@example("2.2250738585072011e-308")
@example("1.00000000001e-2147483638")
@example("-0")
@example("-0.0")
@example("123456789012345678")
@example("-36028797018963968")
@example("1" * 301)
@example("9" * 5000)
def test_numbers_are_pythons_own(text):
    agree(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[1]\0junk",
        "\ufeff1",
        "[1,]",
        "[01]",
        "[.5]",
        "+1",
        '"\\x"',
        '"\x1f"',
        "{1:2}",
        '{"a":1,"a":2}',
        "[1 2]",
    ]
    + ["[" * depth + "]" * depth for depth in (499, 500, 501, 900)]
    + ['{"a":' * depth + "1" + "}" * depth for depth in (499, 500, 501)],
)
def test_the_edges(text):
    agree(text)


def test_a_hundred_thousand_brackets_are_an_error_and_no_crash():
    with pytest.raises((RecursionError, json.JSONDecodeError)):
        _core.loads("[" * 100_000)


def test_what_servers_send_takes_the_fast_path():
    text = '{"type":"trade","price":64012.5,"id":1234567890123456789,"tags":["a","é"],"nested":{"ok":true,"no":null}}'
    assert _core.parsed_natively(text)
    assert not _core.parsed_natively("[NaN]")


def test_a_hundred_thousand_random_changes():
    """Seeded: a failure repeats. Cheap changes of one valid text, by the thousand."""
    dice = random.Random(20261123)
    text = json.dumps(
        {"type": "tick", "a": [1, -2.5e-3, {"b": "é\n😀", "c": []}, None, True], "d": 10**20, "e": ""}
    )
    for _ in range(100_000):
        at = dice.randrange(len(text))
        piece = dice.choice(PIECES)
        changed = text[:at] + piece + text[at + dice.randrange(3) :]
        if outcome(_core.loads, changed) != outcome(json.loads, changed):
            agree(changed)


def expected_route(text, keys):
    """What the scan, and the reader, must say of a text that json.loads takes."""
    value = json.loads(text)
    if isinstance(value, dict):
        for key in keys:
            if key in value:
                return ("found", value[key]) if isinstance(value[key], str) else ("none", None)
    return "none", None


def check_route(text, keys):
    """Assert that the scan agrees with json.loads wherever json.loads takes the text."""
    try:
        wanted = expected_route(text, keys)
    except (ValueError, RecursionError):
        _core.find_route(text, keys)  # anything, but no crash
        _core.read_route(text, keys)
        return
    if wanted[1] is not None and any(0xD800 <= ord(c) < 0xE000 for c in wanted[1]):
        wanted = ("unreadable", None)  # UTF-8 can not hold it: json.loads decides
    assert _core.find_route(text, keys) == wanted
    assert _core.read_route(text, keys) == wanted


@given(VALUES, STYLES, st.sampled_from([["type"], ["a", "b"], ["b", "type"], [""]]))
@settings(max_examples=600)
@example({"type": "x", "a": {"type": "y"}}, {}, ["type"])
def test_the_route_is_what_json_loads_gives(value, style, keys):
    try:
        text = json.dumps(value, **style)
        text.encode()
    except UnicodeEncodeError:
        return
    check_route(text, keys)


@given(VALUES, st.integers(min_value=0), st.sampled_from(PIECES))
@settings(max_examples=600)
def test_the_route_of_a_changed_text(value, place, piece):
    text = json.dumps({"type": "tick", "v": value})
    at = place % (len(text) + 1)
    check_route(text[:at] + piece + text[at:], ["type"])


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ('{"type":"a","type":"b"}', ("found", "b")),
        ('{"a":{"type":"x"},"type":"y"}', ("found", "y")),
        ('{"t\\u0079pe":"esc"}', ("found", "esc")),
        ('{"type":"a\\u00e9\\ud83d\\ude00"}', ("found", "aé😀")),
        ('{"type":1}', ("none", None)),
        ("[]", ("none", None)),
        ("nope", ("unreadable", None)),
        ('{"type":"a"', ("unreadable", None)),
        ("", ("unreadable", None)),
    ],
)
def test_routes_by_example(text, route):
    assert _core.find_route(text, ["type"]) == route
    assert _core.read_route(text, ["type"]) == route


def test_the_first_of_several_keys_that_is_there_decides():
    for text, route in [
        ('{"b":"2","a":"1"}', ("found", "1")),
        ('{"b":"2","a":1}', ("none", None)),
        ('{"b":"2","x":{"a":"1"}}', ("found", "2")),
        ('{"b":"2","\\u0061":"1"}', ("found", "1")),
        (json.dumps({"b" * 70: "2"}), ("none", None)),
    ]:
        assert _core.find_route(text, ["a", "b"]) == _core.read_route(text, ["a", "b"]) == route
    long = "b" * 70  # longer than a key's word on the tape
    assert _core.read_route(json.dumps({long: "x"}), [long]) == ("found", "x")
    assert _core.read_route(json.dumps({"é": "x"}, ensure_ascii=False), ["é"]) == ("found", "x")
