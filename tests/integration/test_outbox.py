"""A full outbox: send() waits, tells the truth when it can not go on, and counts what was never written."""

import threading
import time

import pytest

import fastws


def clogged(conn):
    conn.pause_reading()
    conn.accept()


def fill(ws, size=1_000_000, count=64):
    """Send until something stops it; gives what send() said."""
    said = []
    for _ in range(count):
        said.append(ws.send_bytes(b"x" * size))
        if said[-1] is False:
            break
    return said


def test_a_full_outbox_waits_and_then_raises(opened):
    """api.md 2: send_timeout, then TimeoutError; the connection stands."""
    ws, _ = opened(clogged, receive_buffer=4096, outbox_bytes=1_000_000, send_timeout=0.3)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        fill(ws)
    assert time.monotonic() - started >= 0.29
    assert ws.state == "open"


def test_send_timeout_zero_raises_at_once(opened):
    ws, _ = opened(clogged, receive_buffer=4096, outbox_bytes=1_000_000, send_timeout=0)
    with pytest.raises(TimeoutError):
        fill(ws)


def test_a_send_that_waits_is_false_when_the_connection_is_lost(opened):
    """api.md 2: False when the connection is lost meanwhile."""
    ws, conn = opened(
        clogged, receive_buffer=4096, outbox_bytes=1_000_000, send_timeout=None, reconnect=False
    )
    threading.Timer(0.5, conn.reset).start()
    assert fill(ws)[-1] is False


def test_a_waiting_send_goes_on_when_the_server_reads_again(opened):
    ws, conn = opened(clogged, receive_buffer=4096, outbox_bytes=1_000_000, send_timeout=None)
    threading.Timer(0.5, conn.resume_reading).start()
    assert fill(ws, count=20) == [True] * 20
    for _ in range(20):
        assert len(conn.expect(30)) == 1_000_000


def test_a_waiting_send_releases_the_gil(opened, until):
    """api.md 2: other threads run meanwhile."""
    ws, conn = opened(clogged, receive_buffer=4096, outbox_bytes=1_000_000, send_timeout=30)
    thread = threading.Thread(target=fill, args=(ws,), kwargs={"count": 20})
    thread.start()

    def fifty_turns_while_it_waits():
        before = ws.stats().messages_out
        for _ in range(50):
            time.sleep(0.001)
        after = ws.stats()
        return after.outbox_bytes >= 1_000_000 and after.messages_out == before and thread.is_alive()

    assert until(fifty_turns_while_it_waits)
    conn.resume_reading()
    thread.join(30)
    assert not thread.is_alive()


def test_one_message_larger_than_the_outbox_passes_an_empty_one(opened):
    """api.md 4: limits are checked after a push."""
    ws, conn = opened(outbox_bytes=1000)
    for _ in range(3):
        assert ws.send_bytes(b"x" * 500_000)
        assert len(conn.expect(30)) == 500_000


def test_a_message_above_the_limit_raises(opened):
    """api.md 7: MessageTooBig; nothing is written."""
    ws, conn = opened(max_message_bytes=10_000)
    for call in (
        lambda: ws.send("x" * 10_001),
        lambda: ws.send_text("x" * 10_001),
        lambda: ws.send_bytes(b"x" * 10_001),
    ):
        with pytest.raises(fastws.MessageTooBig):
            call()
    assert ws.send({"small": True})
    assert conn.expect_json() == {"small": True}


def test_unsent_messages_are_told_at_the_loss(serve, recorded):
    """Section 6: disconnect.unsent_messages and unsent_bytes."""
    server = serve([clogged, lambda conn: conn.accept()], receive_buffer=4096)
    ws, log = recorded(server, outbox_bytes=50_000_000)
    log.wait("connect")
    for _ in range(20):
        assert ws.send_bytes(b"x" * 1_000_000)
    server.connections[0].reset()
    lost = log.wait("disconnect")
    assert 0 < lost.unsent_messages <= 20
    assert lost.unsent_bytes > 0
    assert not server.wait_open(2).messages
    assert ws.stats().outbox_messages == 0
