"""sticky(): what every connection is sent, natively, in which order, and how often (R10)."""

import json

import pytest
from child_process import BUSY

import fastws
from fastws import Backoff, Queue


def got(conn):
    return [json.loads(message) for message in conn.messages]


def test_the_order_at_open(serve, client, until):
    """R10: sticky, connect handlers, sticky after_connect, offline queue; on every connection."""
    server = serve(
        [lambda conn: ([conn.expect() for _ in range(5)], conn.drop()), lambda conn: conn.accept()]
    )
    ws = client(server, autoconnect=False, offline=Queue())
    ws.send("stored")
    assert ws.sticky("late", "after", after_connect=True) is False
    assert ws.sticky("b", "first") is False
    assert ws.sticky("a", "second") is False
    ws.on("connect", lambda: ws.send("handler"))
    ws.connect()
    server.wait_open(2)
    assert until(lambda: [len(conn.messages) for conn in server.connections] == [5, 4])
    assert got(server.connections[0]) == ["first", "second", "handler", "after", "stored"]
    assert got(server.connections[1]) == ["first", "second", "handler", "after"]


def test_while_open_it_is_sent_at_once_and_once_per_value(opened):
    ws, conn = opened()
    assert ws.sticky("k", {"v": 1}) is True
    assert ws.sticky("k", {"v": 1}) is True
    assert ws.sticky("k", {"v": 2}, after_connect=True) is True
    assert ws.sticky("k", {"v": 1}) is True
    assert ws.unsticky("k") is True
    assert ws.unsticky("k") is False
    assert ws.sticky("k", {"v": 1}) is True
    ws.send("end")
    assert [conn.expect_json() for _ in range(4)] == [{"v": 1}, {"v": 2}, {"v": 1}, "end"]


def test_set_in_a_connect_handler_it_comes_once(serve, client, until):
    """A handler that sets it on every connect does not double what was replayed."""
    server = serve(
        [lambda conn: ([conn.expect() for _ in range(2)], conn.drop()), lambda conn: conn.accept()]
    )
    ws = client(server, autoconnect=False)
    ws.on("connect", lambda: (ws.sticky("sub", "subscribe"), ws.send("handler")))
    ws.connect()
    server.wait_open(2)
    assert until(lambda: [len(conn.messages) for conn in server.connections] == [2, 2])
    assert [got(conn) for conn in server.connections] == [["subscribe", "handler"]] * 2


def test_it_survives_close(serve, client):
    server = serve()
    ws = client(server)
    ws.wait_open(10)
    ws.sticky("k", "kept")
    ws.sticky("gone", "gone")
    ws.unsticky("gone")
    ws.close()
    ws.connect()
    ws.wait_open(10)
    ws.send("end")
    conn = server.wait_open(2)
    assert [conn.expect_json(), conn.expect_json()] == ["kept", "end"]


def test_after_connect_without_handlers(serve, client):
    server = serve()
    ws = client(server, autoconnect=False)
    ws.sticky("late", "late", after_connect=True)
    ws.sticky("early", "early")
    ws.connect()
    conn = server.wait_open(1)
    assert [conn.expect_json(), conn.expect_json()] == ["early", "late"]


def test_bad_arguments_are_named_and_change_nothing(opened):
    ws, conn = opened(max_message_bytes=1000)
    ws.sticky("k", 1)
    with pytest.raises(TypeError, match="key"):
        ws.sticky(1, 1)
    with pytest.raises(ValueError, match="key"):
        ws.sticky("\ud800", 1)
    with pytest.raises(TypeError, match="after_connect"):
        ws.sticky("k", 2, after_connect=1)
    with pytest.raises(TypeError):
        ws.sticky("k", {1})
    with pytest.raises(fastws.MessageTooBig):
        ws.sticky("k", "x" * 1001)
    with pytest.raises(TypeError, match="key"):
        ws.unsticky(None)
    assert ws.sticky("k", 1) is True
    ws.send(2)
    assert [conn.expect_json(), conn.expect_json()] == [1, 2]


def test_a_busy_gil_does_not_delay_it(serve, child):
    """Section 8, R10: the connection breaks and returns while one C call holds the GIL: the subscription is renewed."""
    server = serve(lambda conn: (conn.expect(), conn.stall(0.3), conn.reset()))
    busy = child(
        BUSY
        + """
ws = WebSocketClient(sys.argv[1], autoconnect=False, reconnect=Backoff(base=0.05, cap=0.1))
ws.sticky("sub", "subscribe")
ws.connect()
ws.wait_open(10)
took = busy(3.0)
after = time.monotonic()
say(after - took, after)
sys.stdin.readline()
ws.close()
""",
        server.url,
    )
    before, after = busy.hear(60)
    renewed = [conn for conn in server.connections if conn.arrivals and before < conn.arrivals[0] < after]
    assert len(renewed) >= 2
    assert all(got(conn) == ["subscribe"] for conn in renewed)


def test_a_burst_of_reconnects_sends_it_once_on_each(serve, client, until):
    """R10: once per epoch, whatever ends the epochs."""
    server = serve([*([lambda conn: (conn.expect(), conn.reset())] * 10), lambda conn: conn.accept()])
    ws = client(server, autoconnect=False, reconnect=Backoff(base=0.005, cap=0.01))
    ws.sticky("k", "once")
    ws.connect()
    last = server.wait_open(11, 60)
    assert until(lambda: last.messages)
    ws.send("end")
    assert until(lambda: len(last.messages) == 2)
    assert [got(conn) for conn in server.connections] == [["once"]] * 10 + [["once", "end"]]
