"""Host names beyond ASCII: what becomes of them, what is refused, and that nothing else of a URL is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastws import WebSocketClient
from fastws._idn import ascii_host


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://bücher.example/", "wss://xn--bcher-kva.example/"),
        ("wss://BÜCHER.example", "wss://xn--bcher-kva.example"),
        ("ws://faß.de:8080/a?b=ü", "ws://xn--fa-hia.de:8080/a?b=ü"),  # IDNA 2008 keeps the sharp s
        ("ws://user:pässword@例え.テスト/ü", "ws://user:pässword@xn--r8jz45g.xn--zckzah/ü"),
        (
            "ws://\uff45\uff58ample\u3002com/",
            "ws://example.com/",
        ),  # wide letters and an ideographic full stop
        ("ws://bücher.example.:1/", "ws://xn--bcher-kva.example.:1/"),
        ("http://bücher.example?x", "http://xn--bcher-kva.example?x"),
    ],
)
def test_the_host_becomes_ascii(url, expected):
    assert ascii_host(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "wss://example.com/ü?ö#ä",
        "ws://[::1]/ü",
        "ws://u:ü@host/",
        "not a url, but ü",
        "//ü/",
        "ws:///ü",
        "ws+unix:///tmp/ü:/ws",
    ],
)
def test_everything_else_stays(url):
    assert ascii_host(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "ws://a\u200db/",
        "ws://\u0301a.example/",
        "ws://ü..example/",
        "ws://" + "ü" * 70 + "/",
        "ws://ü_x.example/",
        "ws://א1a/",
    ],
)
def test_what_can_not_be_a_name_is_refused_by_name(url):
    with pytest.raises(ValueError, match=r"url: .* can not be a host name"):
        WebSocketClient(url, autoconnect=False)


@given(st.text())
def test_no_text_breaks_it(text):
    try:
        result = ascii_host("ws://" + text)
    except ValueError:
        return
    assert result.startswith("ws://")
    assert ascii_host(result) == result


def test_the_client_shows_it():
    ws = WebSocketClient("wss://Bücher.example/pfad", autoconnect=False)
    assert ws.url == "wss://xn--bcher-kva.example/pfad"
    ws.close()
