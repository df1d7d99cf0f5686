"""A server that hangs, or resets the connection, in every phase of an attempt: the deadline holds, and the phase is named."""

import socket
import threading
import time

import pytest

from fastws import Backoff, WebSocketClient

TIMEOUT = 0.5  # seconds
LATE = 0.2  # seconds: how far behind its deadline an attempt may end
HALF_AN_ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConn"


def silent(conn):
    conn.stall()


def silent_after_the_request(conn):
    conn.read_request()
    conn.stall()


def silent_in_its_answer(conn):
    conn.read_request()
    conn.write(HALF_AN_ANSWER)
    conn.stall()


def silent_in_its_refusal(conn):
    conn.read_request()
    conn.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1000\r\n\r\nmoment")
    conn.stall()


def drip(conn):
    """An answer that never ends, a byte at a time: each byte is a sign of life, and none of them counts."""
    conn.read_request()
    conn.write(HALF_AN_ANSWER)
    while not conn.stall(0.05):
        conn.write(b"x")


@pytest.fixture
def black_hole():
    """A port whose connection requests are dropped: its queue is full and nobody accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def attempts(url, count=3, connect_timeout=TIMEOUT, **options):
    """The errors of the first attempts; of each, the seconds from `connecting` to `error`, and those from the very beginning."""
    began, errors, done = [], [], threading.Event()
    ws = WebSocketClient(
        url,
        autoconnect=False,
        connect_timeout=connect_timeout,
        reconnect=Backoff(base=0.01, cap=0.01),
        **options,
    )

    def failed(event):
        now = time.monotonic()
        errors.append((event, now - began[-1], now - beginning))
        if len(errors) == count:
            done.set()

    ws.on("connecting", lambda event: began.append(time.monotonic())).on("error", failed)
    beginning = time.monotonic()
    ws.connect()
    assert done.wait(15)
    ws.close()
    return errors


def check(errors, phase, text):
    """Every attempt failed in its phase, none early, and at least the best of them on time (the others may meet a busy machine)."""
    for number, (event, _, since) in enumerate(errors, 1):
        assert (event.phase, event.fatal) == (phase, False), event
        assert text in event.message
        # From the beginning: `connecting` may be told late, which makes what is counted from there too short.
        assert since > number * (TIMEOUT - 0.01)
    assert min(seconds for _, seconds, _ in errors) < TIMEOUT + LATE


def test_nobody_answers_to_connecting(black_hole):
    check(attempts(f"ws://127.0.0.1:{black_hole}/"), "timeout", "no answer to connecting")


@pytest.mark.parametrize("script", [silent, silent_in_its_answer, drip], ids=lambda script: script.__name__)
def test_no_answer_to_the_opening_request(serve, script):
    check(attempts(serve(script).url), "timeout", "no WebSocket handshake within")


def test_no_end_of_a_refusal(serve):
    """What the server said until then is lost, the deadline is not."""
    check(attempts(serve(silent_in_its_refusal).url), "timeout", "no WebSocket handshake within")


def test_no_answer_to_the_tls_handshake(serve, trusted):
    url = serve(silent).url.replace("ws://", "wss://")
    check(attempts(url, tls=trusted), "timeout", "TLS handshake was not done")


@pytest.mark.parametrize(
    "script", [silent_after_the_request, silent_in_its_answer], ids=lambda script: script.__name__
)
def test_no_answer_over_tls(serve, tls_server, trusted, script):
    server = serve(script, tls=tls_server)
    check(attempts(server.url, tls=trusted), "timeout", "no WebSocket handshake within")


def reset_at_once(conn):
    conn.reset()


def reset_after_the_request(conn):
    conn.read_request()
    conn.reset()


def reset_in_the_answer(conn):
    conn.read_request()
    conn.write(HALF_AN_ANSWER)
    time.sleep(0.05)  # the client has read it: a reset throws away what waits
    conn.reset()


@pytest.mark.parametrize(
    "script",
    [reset_at_once, reset_after_the_request, reset_in_the_answer],
    ids=lambda script: script.__name__,
)
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_reset_before_the_connection_is_open(serve, tls_server, trusted, script, secure):
    """It is a failed attempt like any other, at once, and the next one follows."""
    server = serve(script, tls=tls_server if secure else None)
    for event, seconds, _ in attempts(server.url, tls=trusted, connect_timeout=10):
        assert event.phase in ("tcp", "tls", "http"), event
        assert not event.fatal
        assert seconds < 5
    assert server.total >= 3


def test_a_reset_in_the_tls_handshake(serve, trusted):
    def script(conn):
        conn._stream.receive(5)  # the client's first words: it knows that TCP is connected
        conn.reset()

    url = serve(script).url.replace("ws://", "wss://")
    for event, seconds, _ in attempts(url, tls=trusted, connect_timeout=10):
        assert (event.phase, event.fatal) == ("tls", False), event
        assert seconds < 5
