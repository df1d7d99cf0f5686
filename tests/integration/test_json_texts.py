"""JSON through a real connection: what a client makes of a text is what json.loads makes of it, and writing is json.dumps.

A bad text is one `error` event with json's own exception, in its place between the messages.
"""

import json
import queue

import json_suite
from hypothesis import given, settings
from hypothesis import strategies as st
from json_agreement import outcome, reference, refusal, typed
from json_corpus import CORPUS, RICH, every_small_change, settings_of
from json_generated import TEXTS, VALUES

ALONE = [text for _, text in CORPUS]
IN_SETTINGS = [whole for text in ALONE if len(text) < 2000 for whole in settings_of(text)]


def outcomes(seen):
    """The handlers that note what a client makes of each text, in order."""

    def on_error(event):
        assert (event.phase, event.fatal) == ("decode", False)
        seen.append(refusal(event.exception))

    return {"message": lambda message: seen.append(typed(message)), "error": on_error}


def check(texts, seen):
    """Assert that each text became what json.loads makes of it."""
    for text, one in zip(texts, seen, strict=True):
        assert one == outcome(json.loads, text), text[:200]


def check_all(serve, recorded, until, texts):
    """Send each text from a server to a new client and check what becomes of it."""
    seen = []
    ws, log = recorded(serve(lambda conn: [conn.send(text) for text in texts]), on=outcomes(seen))
    assert until(lambda: len(seen) >= len(texts), 60), f"{len(seen)} of {len(texts)}"
    check(texts, seen)
    refused = sum(isinstance(one, tuple) for one in seen)
    assert ws.stats().dropped["decode"] == refused == len(log.all("error"))
    assert "disconnect" not in log.names


def test_our_corpus(serve, recorded, until):
    check_all(serve, recorded, until, ALONE)


def test_our_corpus_as_parts_of_other_texts(serve, recorded, until):
    check_all(serve, recorded, until, IN_SETTINGS)


def test_the_published_suite(serve, recorded, until):
    check_all(serve, recorded, until, list(json_suite.texts().values()))


def test_every_small_change_of_a_text(serve, recorded, until):
    check_all(serve, recorded, until, every_small_change(RICH))


def test_recv_gives_the_same(serve, client):
    """A reader gets the good ones only, and takes another way through the core."""
    good = [text for text in ALONE if isinstance(outcome(json.loads, text), list)]
    ws = client(serve(lambda conn: [conn.send(text) for text in [*ALONE, '"the end"']]), autoconnect=False)
    iter(ws)
    ws.on("error", lambda event: None).connect()
    for text in good:
        assert typed(ws.recv(15)) == outcome(json.loads, text), text[:200]
    assert ws.recv(15) == "the end"


def test_generated_texts(serve, recorded, until):
    """Differential: hypothesis makes texts and breaks them; one connection carries all of them."""
    given_out, seen = queue.Queue(), []

    def script(conn):
        for texts in iter(given_out.get, None):
            for text in texts:
                conn.send(text)

    ws, log = recorded(serve(script), on=outcomes(seen))

    @settings(max_examples=120)
    @given(st.lists(TEXTS, min_size=1, max_size=12))
    def received(texts):
        seen.clear()
        given_out.put(texts)
        assert until(lambda: len(seen) >= len(texts))
        check(texts, seen)

    try:
        received()
    finally:
        given_out.put(None)
    assert "disconnect" not in log.names


def test_generated_objects_are_sent_as_json_dumps_writes_them(opened):
    """Both ways: the server sees json's own bytes."""
    ws, conn = opened()

    @settings(max_examples=150)
    @given(VALUES)
    def sent(value):
        try:
            expected = reference(value)
            expected.encode()
        except ValueError:  # NaN, or a surrogate alone
            return
        assert ws.send([value])
        assert conn.expect(15) == f"[{expected}]"

    sent()
