"""The constructor and the handler registry: what is wrong raises at once and names the argument."""

import asyncio

import pytest

from fastws import AsyncWebSocketClient, Backoff, WebSocketClient

URL = "ws://127.0.0.1:9/"


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "ftp://host/", "ws://", "ws:///path", "ws://host:0/", "ws://host:99999/", "ws://ho st/", "ws://host:x/",
     "ws://[::1/", "ws://host/a b", "ws://host/\r\nX: y", "ws://host\x00/",
     "ws://host/#fragment"],
)  # fmt: skip
def test_a_bad_url_raises_in_the_constructor(url):
    """api.md 2."""
    with pytest.raises(ValueError, match=r"(?i)url"):
        WebSocketClient(url)


@pytest.mark.parametrize("url", [None, 5, b"ws://host/", ["ws://host/"]])
def test_a_url_of_the_wrong_type(url):
    with pytest.raises(TypeError, match=r"(?i)url"):
        WebSocketClient(url)


class Own(WebSocketClient):
    """A user's."""


@pytest.mark.parametrize("kind", [WebSocketClient, AsyncWebSocketClient, Own])
@pytest.mark.parametrize(
    ("args", "keywords", "says"),
    [
        ((URL,), {"retries": 3}, "got an unexpected keyword argument 'retries'"),
        (
            (URL,),
            {"reconect": True},
            "got an unexpected keyword argument 'reconect'; did you mean 'reconnect'?",
        ),
        ((), {}, "missing a required argument: 'url'"),
        ((URL, "name"), {}, "too many positional arguments"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_in_the_name_of_its_class(kind, args, keywords, says):
    with pytest.raises(TypeError) as caught:
        kind(*args, **keywords)
    assert str(caught.value) == f"{kind.__name__}() {says}"


@pytest.mark.parametrize("data", ["secret text", 5, [1, 2], None])
def test_send_bytes_says_what_it_takes_and_shows_no_value(client, data):
    says = f"send_bytes takes bytes or another buffer, not {type(data).__name__}"
    says += "; send_text() sends text" if isinstance(data, str) else ""
    with pytest.raises(TypeError) as caught:
        client(URL, autoconnect=False).send_bytes(data)
    assert str(caught.value) == says

    async def main():
        await AsyncWebSocketClient(URL, autoconnect=False).send_bytes(data)

    with pytest.raises(TypeError) as caught:
        asyncio.run(main())
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("name", "value"),
    [("connect_timeout", "ten"), ("close_timeout", "two"), ("ping_interval", "x"), ("pong_timeout", []), ("settle", "x"),
     ("headers", 5), ("subprotocols", 5), ("reconnect", 5), ("should_reconnect", 5), ("inbox_messages", 1.5), ("route_by", 5),
     ("auth", "ann"), ("max_message_bytes", "big"), ("tls", "yes"), ("origin", 5), ("user_agent", 5), ("name", 5),
     ("send_timeout", "x"), ("outbox_bytes", None), ("inbox_bytes", "x"), ("decode", 5)],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_named(name, value):
    with pytest.raises((TypeError, ValueError), match=name):
        WebSocketClient(URL, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("connect_timeout", 0), ("connect_timeout", -1), ("connect_timeout", float("nan")), ("close_timeout", -1),
     ("ping_interval", 0), ("pong_timeout", 0), ("settle", -1), ("inbox_messages", 0), ("inbox_bytes", 0),
     ("max_message_bytes", 0), ("outbox_bytes", 0), ("send_timeout", -1), ("decode", "xml"), ("route_by", ()),
     ("headers", {"Bad Name": "x"}), ("headers", {"X": "a\r\nY: b"}), ("headers", {"Upgrade": "h2c"}),
     ("subprotocols", ["a b"]), ("subprotocols", ["a", "a"]), ("user_agent", "a\r\nb"), ("origin", "a\nb")],
)  # fmt: skip
def test_a_value_out_of_range_is_named(name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        WebSocketClient(URL, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("base", 0), ("base", -1), ("factor", 0.5), ("cap", 0), ("jitter", -0.1), ("jitter", 1.1), ("min_uptime", -1),
     ("max_retries", -1), ("max_elapsed", -1), ("base", "x"), ("close_code_delay", {1012: (30, 5)})],
)  # fmt: skip
def test_backoff_names_its_bad_field(name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        Backoff(**{name: value})


@pytest.mark.parametrize(("route", "error"), [(5, TypeError), (b"a", TypeError), ("\ud800", ValueError)])
def test_a_route_that_no_message_can_have_is_named(client, route, error):
    ws = client(URL, autoconnect=False)
    with pytest.raises(error, match="a route"):
        ws.messages("a", route)


def test_contradicting_credentials_raise():
    """Impossible combinations: two sources for one header."""
    with pytest.raises(ValueError, match="auth"):
        WebSocketClient("ws://ann:pw@127.0.0.1:9/", auth=("bob", "pw"))


def test_a_handler_must_be_callable(client):
    ws = client(URL, autoconnect=False)
    with pytest.raises(TypeError):
        ws.on("connect", 5)
    with pytest.raises(TypeError):
        ws.on(5, print)


def test_a_failed_constructor_leaves_nothing_behind():
    import fastws

    before = len(fastws.clients())
    with pytest.raises(ValueError):
        WebSocketClient("nonsense")
    with pytest.raises((TypeError, ValueError)):
        WebSocketClient(URL, connect_timeout=-1)
    assert len(fastws.clients()) == before


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, -1])
def test_close_refuses_codes_that_must_not_be_sent(client, code):
    """RFC 6455 section 7.4: reserved and out-of-range codes never go on the wire."""
    ws = client(URL, autoconnect=False)
    with pytest.raises(ValueError, match="code"):
        ws.close(code)


def test_close_refuses_a_reason_above_123_bytes(client):
    ws = client(URL, autoconnect=False)
    with pytest.raises(ValueError, match="reason"):
        ws.close(1000, "ü" * 62)
    ws.close(1000, "ü" * 61)
