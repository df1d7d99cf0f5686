"""send_many() and flush(): many in order, what was sent before something failed, and when all is written."""

import itertools
import json
import threading
import time

import pytest

import fastws
from fastws import Backoff, Queue


def numbers(conn, count, timeout=30):
    return [json.loads(conn.expect(timeout)) for _ in range(count)]


def clogged(conn):
    conn.pause_reading()
    conn.accept()


def test_many_are_sent_in_order(opened):
    ws, conn = opened()
    assert ws.send_many({"n": number} for number in range(5000)) == 5000
    assert [one["n"] for one in numbers(conn, 5000)] == list(range(5000))
    assert ws.stats().messages_out == 5000


def test_none_is_nothing(opened):
    ws, _ = opened()
    assert ws.send_many([]) == 0
    with pytest.raises(TypeError):
        ws.send_many(5)


def test_default_is_asked_for_the_rest(opened):
    ws, conn = opened()
    assert ws.send_many([{1}, 2], default=sorted) == 2
    assert numbers(conn, 2) == [[1], 2]


@pytest.mark.parametrize("place", [0, 3, 3000])
def test_a_bad_value_in_the_middle_says_what_was_sent(opened, place):
    """All before it are sent, none behind it; the exception is the one that send() raises, and counts."""
    ws, conn = opened()
    values = [*range(place), {1, 2}, "behind"]
    with pytest.raises(TypeError) as caught:
        ws.send_many(values)
    assert caught.value.accepted == place
    assert ws.send("next")
    assert numbers(conn, place + 1) == [*range(place), "next"]


@pytest.mark.parametrize("error", [LookupError, OverflowError])
def test_an_iterable_that_raises_says_what_was_sent(opened, error):
    ws, conn = opened()
    raised = error("no more")

    def values():
        yield from range(10)
        raise raised

    with pytest.raises(error) as caught:
        ws.send_many(values())
    assert caught.value is raised
    assert caught.value.accepted == 10
    assert numbers(conn, 10) == list(range(10))


def test_a_message_above_the_limit_stops_there(opened):
    ws, conn = opened(max_message_bytes=100)
    with pytest.raises(fastws.MessageTooBig) as caught:
        ws.send_many([1, 2, "x" * 200, 3])
    assert caught.value.accepted == 2
    assert ws.send("next")
    assert numbers(conn, 3) == [1, 2, "next"]


def test_what_a_slow_iterable_gives_is_not_kept_waiting(opened):
    """A batch ends when its time is over, not when it is full."""
    ws, conn = opened()
    arrived = []

    def values():
        for number in range(3):
            time.sleep(0.02)
            yield number
            if number:
                arrived.append(conn.expect(5))

    assert ws.send_many(values()) == 3
    assert arrived == ["0", "1"]


def test_not_open_counts_none_and_drops_all(serve, client):
    ws = client(serve(), autoconnect=False)
    assert ws.send_many(range(2000)) == 0
    assert ws.stats().dropped["offline"] == 2000


def test_a_full_outbox_raises_with_the_count(opened):
    ws, conn = opened(clogged, receive_buffer=4096, outbox_bytes=100_000, send_timeout=0.2)
    with pytest.raises(TimeoutError) as caught:
        ws.send_many("x" * 1000 for _ in itertools.repeat(None))
    conn.resume_reading()
    assert ws.flush(30)
    assert ws.send("next")
    accepted = caught.value.accepted
    assert accepted > 100
    assert numbers(conn, accepted + 1)[-1] == "next"
    assert ws.stats().messages_out == accepted + 1


def test_a_connection_lost_in_the_middle(serve, client):
    """P8: what was accepted is a run from the beginning of that connection; nothing is written twice."""
    server = serve([lambda conn: (conn.expect(), conn.stall(0.02), conn.reset()), lambda conn: conn.accept()])
    ws = client(server, reconnect=Backoff(base=0.005, cap=0.01))
    ws.wait_open(10)

    def pour():
        for number in itertools.count():
            if server.total == 2 and ws.state == "open":
                return
            yield number

    accepted = ws.send_many(pour())
    ws.send("last")
    second = server.wait_open(2)
    ws.flush(10)
    ws.close()
    second.wait_over()
    first = [json.loads(message) for message in server.connections[0].messages]
    assert first == list(range(len(first)))
    rest = [json.loads(message) for message in second.messages]
    assert rest.pop() == "last"
    assert rest == sorted(rest)
    assert not set(first) & set(rest)
    assert len(first) + len(rest) <= accepted


def test_raise_says_where_it_stopped(serve, client):
    ws = client(serve(), autoconnect=False, offline="raise")
    with pytest.raises(fastws.NotConnected) as caught:
        ws.send_many([1, 2])
    assert caught.value.accepted == 0


# -- flush


def test_flush_is_true_when_all_is_written(opened):
    ws, conn = opened()
    assert ws.flush(0) is True
    ws.send_many("x" * 1000 for _ in range(5000))
    assert ws.flush(30) is True
    assert ws.stats().outbox_messages == 0
    assert len(numbers(conn, 5000)) == 5000


def test_flush_waits_without_the_gil_until_the_server_reads(opened):
    ws, conn = opened(clogged, receive_buffer=4096)
    ws.send_bytes(b"x" * 8_000_000)
    with pytest.raises(TimeoutError):
        ws.flush(0.1)
    assert ws.stats().outbox_messages == 1
    resumed = []
    threading.Timer(0.1, lambda: (resumed.append(1), conn.resume_reading())).start()
    assert ws.flush(30) is True
    assert resumed


def test_flush_does_not_wait_for_what_comes_later(opened):
    ws, conn = opened(clogged, receive_buffer=4096)
    ws.send_bytes(b"x" * 8_000_000)
    stop = threading.Event()

    def pour():
        while not stop.is_set():
            ws.send("more")
            time.sleep(0.0005)

    thread = threading.Thread(target=pour)
    thread.start()
    conn.resume_reading()
    assert ws.flush(30) is True
    stop.set()
    thread.join(10)


def test_flush_is_false_when_the_connection_is_lost(opened):
    ws, conn = opened(clogged, receive_buffer=4096, reconnect=False)
    ws.send_bytes(b"x" * 8_000_000)
    threading.Timer(0.1, conn.reset).start()
    assert ws.flush(None) is False


def test_flush_is_false_when_not_open(serve, client):
    ws = client(serve(), autoconnect=False)
    assert ws.flush(1) is False
    assert client(serve(), autoconnect=False, offline=Queue()).flush(1) is False
    for wrong in ("1", -1, True):
        with pytest.raises((TypeError, ValueError), match="timeout"):
            ws.flush(wrong)


def test_flush_waits_for_the_offline_queue(serve, client):
    """A script that sends, flushes and closes has sent."""
    server = serve()
    ws = client(server, offline=Queue())
    ws.send({"n": 1})
    ws.send({"n": 2})
    assert ws.flush(10) is True
    ws.close()
    assert [one["n"] for one in numbers(server.wait_open(1), 2)] == [1, 2]


def test_flush_is_false_when_what_was_stored_is_dropped(serve, client):
    ws = client(serve(), autoconnect=False, offline=Queue())
    ws.send(1)
    threading.Timer(0.1, ws.close).start()
    assert ws.flush(10) is False


def test_flush_in_a_connect_handler_does_not_wait_for_itself(serve, client, until):
    server = serve()
    said = []
    ws = client(server, autoconnect=False, offline=Queue())
    ws.send("stored")
    ws.on("connect", lambda: said.append((ws.send("handler"), ws.flush(10))))
    ws.connect()
    assert numbers(server.wait_open(1), 2) == ["handler", "stored"]
    assert until(lambda: said) == [(True, True)]
