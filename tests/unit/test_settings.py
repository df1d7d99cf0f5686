"""A client's settings: every keyword of the constructor is checked, and its name stands in what is raised."""

import base64
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastws import Backoff, Queue, Tls
from fastws._settings import (
    auth_header,
    basic_auth,
    close_frame,
    cookie_header,
    core_config,
    header_pairs,
    proxy_setting,
    route_keys,
    subprotocol_names,
)

DEFAULTS = {
    "url": "ws://localhost",
    "userinfo": None,
    "route_by": "type",
    "decode": "json",
    "settle": 1.0,
    "headers": None,
    "cookies": None,
    "subprotocols": None,
    "origin": None,
    "user_agent": None,
    "auth": None,
    "proxy": None,
    "connect_timeout": 10.0,
    "close_timeout": 2.0,
    "tls": None,
    "compress": "auto",
    "local_address": None,
    "max_redirects": 5,
    "keep_cookies": True,
    "reconnect": None,
    "should_reconnect": None,
    "ping_interval": 20.0,
    "pong_timeout": 10.0,
    "offline": "drop",
    "outbox_bytes": 1,
    "send_timeout": 10.0,
    "max_message_bytes": 1,
    "inbox_messages": 1,
    "inbox_bytes": 1,
    "overflow": "pause",
    "record": None,
}


def config(**changed):
    return core_config(**{**DEFAULTS, **changed})


# -- The handshake


def test_headers_as_mapping_and_as_pairs():
    assert header_pairs("headers", {"A": " b "}) == [("A", "b")]
    assert header_pairs("headers", [("A", "b"), ["A", "c"]]) == [("A", "b"), ("A", "c")]
    assert header_pairs("headers", None) == []


@pytest.mark.parametrize(
    "headers",
    [
        5,
        "A: b",
        ["A: b"],
        [("A", "b", "c")],
        {"A": 5},
        {5: "b"},
        {"A": None},
        {"A": "b\r\nC: d"},
        {"A\r\nB": "c"},
        {"A B": "c"},
        {"": "c"},
        {"A:": "c"},
        {"A": "b\0"},
        {"Connection": "close"},
        {"Sec-WebSocket-Key": "x"},
        {"sec-websocket-protocol": "x"},
    ],
)
def test_headers_that_can_not_be_sent_are_refused(headers):
    with pytest.raises((TypeError, ValueError), match="headers"):
        header_pairs("headers", headers)


@given(st.text(), st.text())
def test_no_header_ever_breaks_out_of_its_line(name, value):
    try:
        pairs = header_pairs("headers", {name: value})
    except ValueError:
        return
    assert not any(c in part for pair in pairs for part in pair for c in "\r\n\0")


def test_cookies_are_one_header():
    assert cookie_header({"a": "1", "b": "2"}) == [("Cookie", "a=1; b=2")]
    assert cookie_header({}) == cookie_header(None) == []


@pytest.mark.parametrize(
    "cookies", ["a=1", [("a", "1")], {"a": 1}, {"a": "1; b=2"}, {"a b": "1"}, {"a": "1\r\n"}]
)
def test_cookies_that_can_not_be_sent_are_refused(cookies):
    with pytest.raises((TypeError, ValueError), match="cookies"):
        cookie_header(cookies)


def test_basic_authentication_is_that_of_the_standard():
    assert basic_auth("Aladdin", "open sesame") == ("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    assert base64.b64decode(basic_auth("ü", "ö")[1][6:]).decode() == "ü:ö"  # RFC 7617 section 2.1


@pytest.mark.parametrize("auth", ["ann", ("ann",), ("ann", 5), ["ann", "pw"], ("a:b", "pw")])
def test_auth_that_can_not_be_sent_is_refused(auth):
    with pytest.raises((TypeError, ValueError), match="auth"):
        auth_header(auth)


@pytest.mark.parametrize("names", ["chat", b"chat", 5, [5], ["a b"], [""], ["a", "a"], ["a\r\n"]])
def test_subprotocols_that_can_not_be_offered_are_refused(names):
    with pytest.raises((TypeError, ValueError), match="subprotocols"):
        subprotocol_names(names)


def test_subprotocols_keep_their_order():
    assert subprotocol_names(["b", "a"]) == ["b", "a"]


def test_route_keys():
    assert route_keys("type") == ["type"]
    assert route_keys(("event", "type")) == ["event", "type"]
    assert route_keys(None) == []


@pytest.mark.parametrize("keys", [5, b"type", (), ("type", 5), {"type"}, "\ud800"])
def test_route_keys_that_mean_nothing_are_refused(keys):
    with pytest.raises((TypeError, ValueError), match="route_by"):
        route_keys(keys)


# -- The proxy

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def from_environment(**environ):
    """What is taken from an environment, without the variables that are not set."""
    found = proxy_setting("env", environ)
    assert tuple(found) == VARIABLES
    return {name: value for name, value in found.items() if value}


def test_a_proxy_of_ones_own_asks_no_environment():
    environ = {"http_proxy": "http://proxy.test"}
    assert proxy_setting(None, environ) == {}
    assert proxy_setting("socks5://other.test", environ) == {"url": "socks5://other.test"}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_read_in_either_case_the_lower_first(name):
    assert from_environment() == {}
    assert from_environment(**{name: "low"}) == {name: "low"}
    assert from_environment(**{name.upper(): "UP"}) == {name: "UP"}
    assert from_environment(**{name: " low ", name.upper(): "UP"}) == {name: "low"}
    assert from_environment(**{name: "", name.upper(): "UP"}) == {}, "an empty one switches the other off"


def test_a_web_servers_clients_can_not_name_the_proxy():
    """The header `Proxy` of a request is HTTP_PROXY to a CGI program (https://httpoxy.org)."""
    cgi = {"REQUEST_METHOD": "GET", "HTTP_PROXY": "evil"}
    assert from_environment(**cgi) == {}
    assert from_environment(**cgi, http_proxy="low") == {"http_proxy": "low"}
    assert from_environment(**cgi, HTTPS_PROXY="UP", ALL_PROXY="UP") == {
        "https_proxy": "UP",
        "all_proxy": "UP",
    }


def test_a_variable_that_is_no_text_is_still_taken():
    assert from_environment(http_proxy="http://\udcff.test") == {"http_proxy": "http://?.test"}


@pytest.mark.parametrize("proxy", [5, True, b"http://proxy.test", ("a", "b"), {"http": "proxy.test"}])
def test_a_proxy_that_is_none_is_a_type_error(proxy):
    with pytest.raises(TypeError, match="proxy must be"):
        proxy_setting(proxy, {})


def test_a_proxy_without_a_utf8_form_is_refused():
    with pytest.raises(ValueError, match="proxy holds a lone surrogate"):
        proxy_setting("http://\ud800", {})


# -- The whole


def test_the_defaults_are_what_the_core_expects():
    made = config()
    assert made["url"] == "ws://localhost"
    assert (made["url_provider"], made["headers_provider"], made["asks"]) == (False, False, False)
    assert made["reconnect"] is True
    assert made["backoff"] == Backoff().core()
    assert made["tls"] == Tls().core()
    assert made["user_agent"].startswith("fastws/")
    assert made["headers"] == []


def test_callables_become_questions():
    made = config(url=lambda: "ws://h", headers=dict, should_reconnect=lambda: None)
    assert made["url"] is None
    assert (made["url_provider"], made["headers_provider"], made["asks"]) == (True, True, True)
    assert made["headers"] == []


def test_an_empty_user_agent_sends_none():
    assert config(user_agent="")["user_agent"] == ""


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"auth": ("a", "b"), "userinfo": ("c", "d")}, "auth"),
        ({"auth": ("a", "b"), "headers": {"authorization": "x"}}, "auth"),
        ({"userinfo": ("a", "b"), "headers": {"Authorization": "x"}}, "url"),
        ({"cookies": {"a": "b"}, "headers": [("COOKIE", "c=d")]}, "cookies"),
        ({"origin": "http://a", "headers": {"Origin": "http://b"}}, "origin"),
        ({"user_agent": "a", "headers": {"User-Agent": "b"}}, "user_agent"),
        ({"ping_interval": None, "pong_timeout": 5.0}, "pong_timeout"),
        ({"reconnect": False, "should_reconnect": lambda: True}, "should_reconnect"),
    ],
)
def test_impossible_combinations_name_the_argument(changed, names):
    with pytest.raises(ValueError, match=names):
        config(**changed)


@pytest.mark.parametrize("name", sorted(set(DEFAULTS) - {"userinfo"}))
def test_every_keyword_refuses_what_has_no_meaning(name):
    with pytest.raises((TypeError, ValueError), match=name):
        config(**{name: object()})


@pytest.mark.parametrize(
    "name", ["settle", "connect_timeout", "ping_interval", "inbox_bytes", "outbox_bytes"]
)
@pytest.mark.parametrize("value", [True, math.nan])
def test_a_bool_and_nan_are_no_numbers(name, value):
    with pytest.raises((TypeError, ValueError), match=name):
        config(**{name: value})


def test_off_is_none():
    made = config(ping_interval=None, pong_timeout=None, send_timeout=None, route_by=None)
    assert (made["ping_interval"], made["pong_timeout"], made["send_timeout"]) == (None, None, None)
    assert made["route_by"] == []
    assert config(pong_timeout=None)["ping_interval"] == 20.0


# -- Closing


@pytest.mark.parametrize("code", [1000, 3000, 4999])
def test_codes_that_users_may_send(code):
    close_frame(code, "ü" * 61)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1001, ""),
        (2999, ""),
        (5000, ""),
        (True, ""),
        ("1000", ""),
        (1000, "ü" * 62),
        (1000, b""),
        (1000, "\ud800"),
    ],
)
def test_what_must_not_stand_in_a_close_frame(code, reason):
    with pytest.raises((TypeError, ValueError)):
        close_frame(code, reason)


# -- What send() does while not open


def test_offline_is_drop_raise_or_a_queue():
    assert config()["offline"] == {"policy": "drop"}
    assert config(offline="raise")["offline"] == {"policy": "raise"}
    assert config(offline=Queue(messages=5))["offline"]["messages"] == 5


@pytest.mark.parametrize("value", [None, 1, True, "queue", "", ["drop"], Queue])
def test_a_bad_offline_is_named(value):
    with pytest.raises((TypeError, ValueError), match="offline"):
        config(offline=value)
