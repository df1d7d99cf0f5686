"""Refused upgrades: which status ends a client, which one is retried, and how long Retry-After makes it wait."""

import email.utils
import time

import pytest

import fastws
from fastws import Backoff

TRANSIENT = [408, 425, 429, 500, 502, 503, 504, 599]
DEFINITIVE = [200, 204, 400, 401, 402, 403, 404, 405, 407, 410, 426, 451]


@pytest.mark.parametrize("status", TRANSIENT)
def test_a_transient_status_is_retried_from_the_start(serve, recorded, status):
    """T28, section 5: 408, 425, 429 and 5xx are retried also before the first open."""
    server = serve([lambda conn: conn.refuse(status), lambda conn: conn.accept()])
    _, log = recorded(server)
    assert log.wait("connect").attempt == 2
    error = log.wait("error")
    assert (error.phase, error.http_status, error.fatal) == ("http", status, False)
    assert log.names[:5] == ["connecting", "error", "reconnecting", "connecting", "connect"]


@pytest.mark.parametrize("status", DEFINITIVE)
def test_a_definitive_status_is_fatal_before_the_first_open(serve, recorded, status):
    """T28: mis-configuration is told at once; wait_open and wait raise it, with status, headers and body."""
    body = b"" if status == 204 else b"no such stream"
    server = serve(lambda conn: conn.refuse(status, [("X-Why", "because")], body))
    ws, log = recorded(server)
    closed = log.wait("closed")
    assert closed.reason == "fatal"
    assert log.names == ["connecting", "error", "closed"]
    assert (log.all("error")[0].http_status, log.all("error")[0].fatal) == (status, True)
    for wait in (ws.wait_open, ws.wait):
        with pytest.raises(fastws.HandshakeRejected) as caught:
            wait(5)
        assert caught.value.status == status
        assert dict(caught.value.headers).get("X-Why", dict(caught.value.headers).get("x-why")) == "because"
        assert caught.value.body == body
        assert isinstance(caught.value, ConnectionError)
    assert (ws.state, server.total) == ("closed", 1)


@pytest.mark.parametrize("status", DEFINITIVE)
def test_a_definitive_status_is_retried_after_an_open(serve, recorded, status):
    """T28: what worked once is worth another attempt."""
    server = serve(
        [
            lambda conn: (conn.accept(), conn.drop()),
            lambda conn: conn.refuse(status),
            lambda conn: conn.accept(),
        ]
    )
    _, log = recorded(server)
    assert log.wait("connect", 2).is_reconnect
    assert not log.wait("error").fatal
    assert log.in_language()


def test_never_opened_means_never_in_this_clients_life(serve, recorded):
    """Section 5: after close() and connect() an earlier open still counts."""
    server = serve([lambda conn: conn.accept(), lambda conn: conn.refuse(404), lambda conn: conn.accept()])
    ws, log = recorded(server)
    log.wait("connect")
    ws.close()
    log.wait("closed")
    ws.connect()
    log.wait("connect", 2)
    assert not log.wait("error").fatal


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("provider", ["url", "headers"])
def test_a_provider_makes_401_and_403_worth_another_attempt(serve, recorded, status, provider):
    """T28, section 5: the provider may refresh what was refused."""
    server = serve([lambda conn: conn.refuse(status), lambda conn: conn.accept()])
    if provider == "url":
        _, log = recorded(lambda: server.url)
    else:
        _, log = recorded(server, headers=lambda: {"Authorization": "Bearer new"})
    log.wait("connect")
    assert not log.wait("error").fatal


def test_a_provider_does_not_save_404(serve, recorded):
    server = serve(lambda conn: conn.refuse(404))
    _, log = recorded(lambda: server.url)
    assert log.wait("closed").reason == "fatal"


def test_503_for_ever_makes_the_waits_grow(serve, recorded):
    """T23, P5: the count is not reset by a TCP connection or a TLS handshake."""
    server = serve(lambda conn: conn.refuse(503))
    _, log = recorded(server, reconnect=Backoff(base=0.02, factor=2, cap=10.0, jitter=0.5))
    log.wait("reconnecting", 6)
    for count, event in enumerate(log.all("reconnecting")[:6]):
        assert event.attempt == count + 1
        assert 0.01 * 2**count <= event.delay <= 0.02 * 2**count
        assert event.cause is log.all("error")[count]


def retry_delay(serve, recorded, value, **options):
    """The delay after one refusal with this Retry-After."""
    headers = [] if value is None else [("Retry-After", value)]
    server = serve(lambda conn: conn.refuse(429, headers))
    ws, log = recorded(server, reconnect=Backoff(base=0.02, cap=0.04, **options))
    event = log.wait("reconnecting")
    ws.close()
    return event.delay, log.wait("error").retry_after


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("2", 2.0, 2.2),  # a floor, plus at most a tenth
        ("0", 0.01, 0.02),
        ("1000000000", 300.0, 330.0),  # retry_after_cap
        ("-5", 0.01, 0.02),
        ("soon", 0.01, 0.02),
        ("", 0.01, 0.02),
        ("2.5.1", 0.01, 0.02),
        (None, 0.01, 0.02),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.01, 0.02),
    ],
)
def test_retry_after_is_a_floor_and_rubbish_is_ignored(serve, recorded, value, low, high):
    """T29, section 5: seconds are respected and capped, garbage and the past are ignored."""
    delay, _ = retry_delay(serve, recorded, value)
    assert low <= delay <= high + 1e-6


def test_retry_after_as_a_date(serve, recorded):
    """T29: an HTTP date; one second of rounding and some for the machine."""
    delay, retry_after = retry_delay(serve, recorded, email.utils.formatdate(time.time() + 60, usegmt=True))
    assert 50.0 <= delay <= 67.0
    assert 50.0 <= retry_after <= 61.0


def test_retry_after_cap_is_an_option(serve, recorded):
    delay, retry_after = retry_delay(serve, recorded, "100", retry_after_cap=5.0)
    assert 5.0 <= delay <= 5.5
    assert retry_after in (100.0, 5.0)


def test_the_client_really_waits_for_retry_after(serve, recorded):
    """T29: no attempt before the time the server named."""
    server = serve([lambda conn: conn.refuse(503, [("Retry-After", "1")]), lambda conn: conn.accept()])
    _, log = recorded(server)
    log.wait("connect")
    assert server.connections[1].began_at - server.connections[0].began_at >= 1.0


def test_max_retries_ends_as_exhausted(serve, recorded):
    """Section 4: consecutive failures; closed(exhausted) carries the last failure."""
    server = serve(lambda conn: conn.refuse(503))
    ws, log = recorded(server, reconnect=Backoff(base=0.01, cap=0.02, max_retries=2))
    closed = log.wait("closed")
    assert closed.reason == "exhausted"
    assert server.total == 3
    assert log.in_language()
    with pytest.raises(fastws.HandshakeRejected):
        ws.wait_open(5)
    with pytest.raises(fastws.ConnectFailed):
        ws.wait(5)


def test_max_elapsed_ends_as_exhausted(serve, recorded):
    server = serve(lambda conn: conn.refuse(503))
    _, log = recorded(server, reconnect=Backoff(base=0.05, cap=0.05, max_elapsed=0.4))
    assert log.wait("closed").reason == "exhausted"
    assert log.times[-1] - log.times[0] < 5


@pytest.mark.parametrize(
    "first", [lambda conn: conn.refuse(503), lambda conn: conn.reset()], ids=["503", "reset"]
)
def test_one_life_ends_with_its_first_failure(serve, recorded, first):
    """api.md 2: reconnect=False ends as closed(exhausted)."""
    server = serve(first)
    _, log = recorded(server, reconnect=False)
    assert log.wait("closed").reason == "exhausted"
    assert log.names == ["connecting", "error", "closed"]
    assert server.total == 1


def told_by(caplog):
    """Levels and loggers. A failed attempt is told once: by the line that says what follows it."""
    return [(record.levelname, record.name) for record in caplog.records]


CALLS = {
    "send": lambda ws: ws.send({}),
    "send_text": lambda ws: ws.send_text("a"),
    "send_bytes": lambda ws: ws.send_bytes(b"a"),
    "send_many": lambda ws: ws.send_many([{}]),
    "ping": lambda ws: ws.ping(1),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("offline", ["drop", "raise"])
def test_who_only_sends_finds_in_the_log_why_it_is_in_vain(serve, client, until, caplog, call, offline):
    """Section 6: a script without handlers is not silent, also if it neither waits nor reads nor looks."""
    ws = client(serve(lambda conn: conn.refuse(403)), offline=offline)
    assert until(lambda: ws._core.state == "closed")
    assert told_by(caplog) == []
    if offline == "raise" or call == "ping":
        with pytest.raises(fastws.NotConnected):
            CALLS[call](ws)
    else:
        assert not CALLS[call](ws)
    assert told_by(caplog) == [("ERROR", "fastws")] and "403" in caplog.text


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("offline", ["drop", "raise"])
def test_who_only_sends_in_a_loop_finds_it_too(run, serve, aclient, eventually, caplog, call, offline):
    server = serve(lambda conn: conn.refuse(403))

    async def main():
        ws = aclient(server, offline=offline)
        assert await eventually(lambda: ws._core.state == "closed")
        assert told_by(caplog) == []
        if offline == "raise" or call == "ping":
            with pytest.raises(fastws.NotConnected):
                await CALLS[call](ws)
        else:
            assert not await CALLS[call](ws)
        assert told_by(caplog) == [("ERROR", "fastws")] and "403" in caplog.text
        await ws.close()

    run(main())
