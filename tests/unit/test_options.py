"""The option values and the checks of single arguments: what is wrong raises at once and names the argument."""

import copy
import dataclasses
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastws import Backoff, Deflate, Queue, Tls
from fastws._options import LONGEST, number, text, whole

# -- Single values


@pytest.mark.parametrize("value", [True, False, "1", b"1", None, [], 1j])
def test_what_is_no_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="delay must be a number"):
        number("delay", value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, -0.001, 10**400])
def test_a_number_that_no_clock_counts_is_a_value_error(value):
    with pytest.raises(ValueError, match="delay"):
        number("delay", value)


@given(st.floats(min_value=0.0, allow_infinity=False) | st.integers(min_value=0, max_value=10**300))
def test_every_other_number_is_taken_and_bounded(value):
    assert number("delay", value) == min(float(value), LONGEST)


def test_zero_is_not_above_zero():
    assert number("delay", 0) == 0.0
    with pytest.raises(ValueError, match="delay must be above 0"):
        number("delay", 0, above=True)


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_what_is_no_int_is_a_type_error(value):
    with pytest.raises(TypeError, match="count must be an int"):
        whole("count", value)


@pytest.mark.parametrize("value", [0, -1, 2**63, 2**70])
def test_an_int_out_of_range_is_a_value_error(value):
    with pytest.raises(ValueError, match="count"):
        whole("count", value)


def test_none_is_only_taken_where_it_means_something():
    assert number("delay", None, none=True) is None
    assert whole("count", None, none=True) is None
    assert text("name", None, none=True) is None
    with pytest.raises(TypeError):
        text("name", None)


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b", "\ud800"])
def test_a_text_that_breaks_out_of_its_line_is_refused(value):
    with pytest.raises(ValueError, match="origin"):
        text("origin", value)


# -- Backoff


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base", 0),
        ("base", True),
        ("base", math.nan),
        ("factor", 0.99),
        ("cap", 0.5),
        ("jitter", 1.01),
        ("jitter", -0.1),
        ("min_uptime", -1),
        ("max_retries", 1.5),
        ("max_retries", -1),
        ("max_retries", 2**32),
        ("max_elapsed", "1"),
        ("retry_after_cap", -1),
        ("close_code_delay", [1012]),
        ("close_code_delay", {1012: 5}),
        ("close_code_delay", {1012: (5, 1)}),
        ("close_code_delay", {1012: (-1, 1)}),
        ("close_code_delay", {999: (0, 1)}),
        ("close_code_delay", {True: (0, 1)}),
        ("fatal_close_codes", 4001),
        ("fatal_close_codes", "4001"),
        ("fatal_close_codes", [5000]),
    ],
)
def test_backoff_names_its_bad_field(field, value):
    with pytest.raises((TypeError, ValueError), match=rf"Backoff\({field}="):
        Backoff(**{field: value})


def test_backoffs_of_equal_values_are_equal_and_hash_alike():
    one, other = Backoff(fatal_close_codes=[4001, 4002]), Backoff(fatal_close_codes=(4002, 4001))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Backoff()
    assert Backoff(close_code_delay={}) != Backoff()


def test_a_backoff_can_not_be_changed():
    backoff = Backoff()
    with pytest.raises(dataclasses.FrozenInstanceError):
        backoff.base = 2.0
    with pytest.raises(TypeError):
        backoff.close_code_delay[1012] = (0, 0)
    assert not hasattr(backoff, "__dict__")


def test_a_backoff_keeps_no_hold_on_what_it_was_made_of():
    delays = {1012: (1, 2)}
    backoff = Backoff(close_code_delay=delays)
    delays[1012] = (3, 4)
    assert backoff.close_code_delay == {1012: (1.0, 2.0)}


def test_a_backoff_can_be_copied_and_pickled():
    backoff = Backoff(max_retries=3, fatal_close_codes=[4001])
    assert copy.deepcopy(backoff) == backoff
    assert pickle.loads(pickle.dumps(backoff)) == backoff


def test_classic_has_neither_jitter_nor_stable_time():
    assert Backoff.classic() == Backoff(jitter=0.0, min_uptime=0.0)


def test_the_core_gets_plain_values():
    assert Backoff(fatal_close_codes=[4002, 4001], cap=1e300).core() == {
        "base": 1.0,
        "factor": 2.0,
        "cap": LONGEST,
        "jitter": 0.5,
        "min_uptime": 5.0,
        "max_retries": None,
        "max_elapsed": None,
        "close_code_delay": {1012: (5.0, 30.0)},
        "fatal_close_codes": [4001, 4002],
        "retry_after_cap": 300.0,
    }


# -- Tls


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ca_file", 5),
        ("ca_path", b"x"),
        ("ca_data", b"x"),
        ("cert_file", True),
        ("key_file", []),
        ("key_password", 5),
        ("verify", 1),
        ("verify", None),
        ("server_name", 5),
        ("server_name", "a\nb"),
        ("min_version", "1.1"),
        ("min_version", 1.2),
        ("alpn", "http/1.1"),
        ("alpn", b"http/1.1"),
        ("alpn", 5),
        ("alpn", [b"http/1.1"]),
        ("alpn", [""]),
        ("alpn", ["x" * 256]),
        ("alpn", ["\ud800"]),
        ("alpn", ["http/1.1", "h2"]),
        ("keylog_file", 5),
    ],
)
def test_tls_names_its_bad_field(field, value):
    with pytest.raises((TypeError, ValueError), match=rf"Tls\({field}="):
        Tls(**{field: value})


def test_tls_shows_no_secret():
    shown = repr(Tls(key_file="key.pem", key_password="hush", ca_data="-----BEGIN"))
    assert "hush" not in shown
    assert "BEGIN" not in shown
    assert "key.pem" in shown


def test_tls_takes_paths_and_compares_by_value(tmp_path):
    assert Tls(ca_file=tmp_path) == Tls(ca_file=str(tmp_path))
    assert hash(Tls()) == hash(Tls())
    assert Tls() != Tls(verify=False)
    assert Tls().core()["ca_file"] == ""


# -- Deflate


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("level", 0),
        ("level", 10),
        ("level", 6.0),
        ("level", None),
        ("window_bits", 8),  # zlib can not make it
        ("window_bits", 16),
        ("window_bits", "15"),
        ("context_takeover", 1),
        ("threshold_bytes", -1),
        ("threshold_bytes", None),
    ],
)
def test_deflate_names_its_bad_field(field, value):
    with pytest.raises((TypeError, ValueError), match=rf"Deflate\({field}="):
        Deflate(**{field: value})


def test_deflate_is_a_value():
    assert Deflate() == Deflate(level=6, window_bits=15, context_takeover=True, threshold_bytes=1024)
    assert len({Deflate(), Deflate(), Deflate(level=1)}) == 2
    assert Deflate(level=1).core() == {
        "level": 1,
        "window_bits": 15,
        "context_takeover": True,
        "threshold_bytes": 1024,
    }


def test_tls_keeps_what_alpn_gave():
    assert Tls().alpn == ("http/1.1",)
    assert Tls(alpn=iter(["a", "b"])).alpn == ("a", "b")
    assert Tls(alpn=["a"]) == Tls(alpn=("a",)) != Tls()
    assert Tls(alpn=[]) == Tls(alpn=None)
    assert Tls(alpn=None).core()["alpn"] == []


# -- Queue


def test_queue_defaults_and_equality():
    """api.md 2: 1000 messages, 16 MiB, no time limit, the oldest go."""
    assert Queue() == Queue(messages=1000, bytes=16 * 2**20, ttl=None, on_full="drop_oldest")
    assert hash(Queue(ttl=1)) == hash(Queue(ttl=1.0))
    assert pickle.loads(pickle.dumps(Queue(ttl=2.5))) == Queue(ttl=2.5)
    assert Queue(ttl=1).core() == {
        "policy": "queue", "messages": 1000, "bytes": 16 * 2**20, "ttl": 1.0, "on_full": "drop_oldest"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [("messages", 0), ("messages", 1.5), ("messages", True), ("messages", None), ("bytes", 0), ("bytes", "1"), ("ttl", 0), ("ttl", -1),
     ("ttl", "1"), ("ttl", float("nan")), ("on_full", "drop"), ("on_full", None)],
)  # fmt: skip
def test_bad_queues_are_named(field, value):
    with pytest.raises((TypeError, ValueError), match=rf"Queue\({field}="):
        Queue(**{field: value})
