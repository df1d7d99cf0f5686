"""The log of a client without handlers: whose line it is, who ended the connection and why; one line for one event."""

import logging

import pytest

from fastws import Backoff

OPEN = lambda conn: conn.accept()


@pytest.fixture
def lines(caplog):
    """lines(): what was logged so far, as (level, text)."""
    caplog.set_level(logging.INFO, "fastws")
    return lambda: [(one.levelname, one.getMessage()) for one in caplog.records if one.name == "fastws"]


def logged(ws, lines, until, count):
    assert until(lambda: ws.state and len(lines()) >= count), lines()
    return lines()


@pytest.mark.parametrize(("name", "begins"), [("prices", "'prices' {url}: "), (None, "{url}: ")])
def test_a_lost_connection_is_told_with_its_client_and_reason(serve, client, until, lines, name, begins):
    server = serve([lambda conn: (conn.accept(), conn.close(1008, "token expired")), OPEN])
    ws = client(server, name=name, reconnect=Backoff(base=0.5, jitter=0))
    begins = begins.format(url=server.url)
    assert logged(ws, lines, until, 1) == [
        ("WARNING", f"{begins}closed by the server (1008, token expired); attempt 1 in 0.5 s")
    ]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (lambda conn: (conn.accept(), conn.close(4000)), "closed by the server (4000)"),
        (lambda conn: (conn.accept(), conn.close(4000, "a\nb")), "closed by the server (4000, 'a\\nb')"),
        (lambda conn: (conn.accept(), conn.drop()), "connection lost (1006, the peer ended the stream)"),
        (lambda conn: (conn.accept(), conn.send_raw(b"\xff\xff")), "closed by us (1002, "),
    ],
)
def test_the_line_says_who_ended_it(serve, client, until, lines, script, says):
    server = serve([script, OPEN])
    ws = client(server)
    assert until(lambda: ws.state and [text for _, text in lines() if f"{server.url}: {says}" in text]), (
        lines()
    )


def test_giving_up_tells_the_close_reason(serve, client, until, lines):
    server = serve(lambda conn: (conn.accept(), conn.close(1008, "token expired")))
    ws = client(server, reconnect=Backoff(fatal_close_codes=[1008]))
    says = f"{server.url}: gave up (fatal): closed by the server (1008, token expired)"
    assert logged(ws, lines, until, 1) == [("ERROR", says)]


def test_a_failed_attempt_is_one_line(serve, client, until, lines):
    server = serve(lambda conn: conn.refuse(503))
    ws = client(server, reconnect=Backoff(base=0.02, max_retries=2))
    told = logged(ws, lines, until, 3)
    assert [level for level, _ in told] == ["WARNING", "WARNING", "ERROR"]
    for _, text in told:
        assert text.count("the server answered 503") == text.count(server.url) == 1, text


def test_what_no_such_line_follows_has_a_line_of_its_own(serve, client, until, lines):
    server = serve(lambda conn: (conn.accept(), conn.send("{bad")))
    ws = client(server)
    ws.on("message", lambda message: None)
    ((level, text),) = logged(ws, lines, until, 1)
    assert (level, text[: len(server.url) + 10]) == ("WARNING", f"{server.url}: decode: ")
