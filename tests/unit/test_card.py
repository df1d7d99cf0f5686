"""The card: everything escaped, everything that matters in its text, and figures that fit."""

import re
from html.parser import HTMLParser

import pytest

from fastws._card import HISTORY, Look, html, text

NASTY = "<script>alert('\"&')</script>"


class Page(HTMLParser):
    """The tags and the text of a page, styles left out."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.open, self.said, self.attributes = [], [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes += attributes

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.said.append(data)

    @property
    def text(self):
        return " ".join("".join(self.said).split())


def look(**fields):
    return Look(**{"kind": "WebSocketClient", "name": None, "url": "ws://h/", "state": "open", **fields})


def test_it_says_everything_without_styles_and_pictures():
    page = Page(
        html(
            look(
                name="chat",
                messages_in=12345,
                messages_out=7,
                rates_in=[0, 1234.4],
                rates_out=[0.25],
                reconnects=2,
                failures=3,
                dropped=1000,
                latency=0.0123,
                error="it broke",
            )
        )
    )
    assert page.text == (
        "open WebSocketClient 'chat' ws://h/ in 1,234/s 12,345 in all out 0.2/s 7 in all "
        "reconnects 2 failed attempts 3 dropped 1,000 latency 12.3 ms last error: it broke"
    )
    assert not page.open


@pytest.mark.parametrize("field", ["kind", "name", "url", "state", "error"])
def test_whatever_is_shown_is_escaped(field):
    page = Page(html(look(**{field: NASTY})))
    assert "script" not in page.tags
    assert "alert(" in page.text
    assert not any(name.startswith("on") for name, _ in page.attributes)


def test_a_long_error_is_cut():
    page = Page(html(look(error="x" * 5000)))
    assert "x" * 300 + "…" in page.text and "x" * 301 not in page.text


@pytest.mark.parametrize(
    ("state", "ended", "said"),
    [
        ("open", None, "open"),
        ("backoff", None, "backoff"),
        ("closed", "user", "closed"),
        ("closed", "server", "closed (server)"),
        ("closed", "fatal", "closed (fatal)"),
    ],
)
def test_the_state_is_said_in_words(state, ended, said):
    assert Page(html(look(state=state, ended=ended))).text.startswith(f"{said} WebSocketClient ")


@pytest.mark.parametrize("count", [0, 1, HISTORY, HISTORY + 50])
def test_a_sparkline_has_one_point_a_second_and_stays_inside(count):
    page = html(look(rates_in=[n * 1e6 for n in range(count)]))
    (points, _) = re.findall(r'<polyline points="([^"]*)"', page)
    pairs = [tuple(map(float, point.split(","))) for point in points.split()]
    assert [x for x, _ in pairs] == list(range(HISTORY))
    assert all(2 <= y <= 27 for _, y in pairs)
    assert pairs[-1][1] == (27 if count < 2 else 2)


def test_seconds_have_their_unit():
    assert "latency 1.5 s" in Page(html(look(latency=1.5))).text


def test_who_shows_no_html_gets_the_repr():
    assert text(look(name="a")) == "<WebSocketClient 'a' ws://h/ open>"
    assert text(look()) == "<WebSocketClient ws://h/ open>"
