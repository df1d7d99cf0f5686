"""Whole corpora against json.loads: our own by class and in every setting, and the published JSON Parsing Test Suite."""

import json
import sys

import json_suite
import pytest
from json_agreement import agree, outcome, typed
from json_corpus import ACCEPTED, CORPUS, PYTHONS_OWN, REFUSED, RICH, every_small_change, settings_of

from fastws import _core

by_name = pytest.mark.parametrize(
    ("kind", "texts"),
    [
        pytest.param(kind, texts, id=f"{kind}: {name}")
        for kind, classes in (("accepted", ACCEPTED), ("refused", REFUSED), ("python's own", PYTHONS_OWN))
        for name, texts in classes.items()
    ],
)


@by_name
def test_our_corpus(kind, texts):
    for text in texts:
        agree(text)
        if kind == "accepted":
            json.loads(text)
        elif kind == "refused":
            with pytest.raises((json.JSONDecodeError, RecursionError)):
                json.loads(text)


@by_name
def test_our_corpus_as_parts_of_other_texts(kind, texts):
    for text in texts:
        if len(text) < 10_000:
            for whole in settings_of(text):
                agree(whole)


@by_name
def test_a_text_read_before_changes_nothing(kind, texts):
    """The reader and the builder remember keys, lists of keys and strings: what they were shown must not leak into others."""
    first = [outcome(_core.loads, text) for text in texts]
    assert [outcome(_core.loads, text) for text in reversed(texts)] == first[::-1]
    assert [outcome(_core.loads, text) for text in texts] == first


@pytest.mark.parametrize(
    "name", ["scalars", "structure", "whitespace", "duplicate keys", "escapes", "unicode", "strings"]
)
def test_what_json_allows_is_read_without_the_help_of_json_loads(name):
    assert not [text for text in ACCEPTED[name] if not _core.parsed_natively(text)]


@pytest.mark.parametrize(
    "text", [RICH, '{"a":[-1.5e+3,"\\ud83d\\ude00",{"b":null}]}', '[[],{},"\\u0041\\n",0.5]']
)
def test_every_small_change_of_a_text(text):
    for changed in every_small_change(text):
        agree(changed)


@pytest.mark.parametrize("digits", [4299, 4300, 4301, 5000])
@pytest.mark.parametrize("limit", [0, 640, 4300, 10_000])
def test_the_limit_of_digits_is_pythons(digits, limit):
    """sys.set_int_max_str_digits holds for messages as well."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        for text in ("7" * digits, "-" + "7" * digits, f'{{"a":[{"7" * digits}]}}', "8" * 300, "8" * 640):
            agree(text)
    finally:
        sys.set_int_max_str_digits(before)


SUITE = json_suite.texts()


def test_the_suite_is_the_whole_one():
    assert len(SUITE) > 330
    assert {name[:2] for name in SUITE if name[1] == "_"} == {"y_", "n_", "i_"}


@pytest.mark.parametrize("first", ["y", "n", "i", "number", "object", "string"])
def test_the_published_suite(first):
    """json.loads takes some of the texts that the suite wants refused (NaN): its word is the last one."""
    texts = {name: text for name, text in SUITE.items() if name.startswith(first + "_")}
    assert texts
    for name, text in texts.items():
        assert outcome(_core.loads, text) == outcome(json.loads, text), name
        if first == "y":
            json.loads(text)


def test_the_corpora_hold_every_kind_of_end():
    """They would prove little if all of their texts were refused for the same reason."""
    said = {
        outcome(json.loads, text)[2]
        for _, text in CORPUS
        if outcome(json.loads, text)[0] is json.JSONDecodeError
    }
    assert len({message.split(":")[0] for message in said}) >= 9, said
    assert sum(outcome(json.loads, text)[0] is RecursionError for _, text in CORPUS) >= 4
    assert {type(json.loads(text)) for texts in ACCEPTED.values() for text in texts} == {
        dict, list, str, int, float, bool, type(None)
    }  # fmt: skip
    assert typed(-0.0) != typed(0.0) != typed(0) != typed(False)
