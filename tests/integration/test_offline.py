"""What send() does while not open: drop, raise, or store and send in order when a connection takes it (R7, R8, R9)."""

import json
import threading
import time

import pytest

import fastws
from fastws import Backoff, Queue

HOUR = Backoff(base=3600, cap=3600)


def got(conn):
    return [json.loads(message) for message in conn.messages]


def test_raise(serve, client):
    """R7: it raises for the connection's state; a bad value raises before that."""
    server = serve()
    ws = client(server, autoconnect=False, offline="raise")
    for call in (lambda: ws.send(1), lambda: ws.send_text("1"), lambda: ws.send_bytes(b"1")):
        with pytest.raises(fastws.NotConnected, match=r"ws://127\.0\.0\.1"):
            call()
    with pytest.raises(TypeError):
        ws.send({1})
    ws.connect()
    ws.wait_open(10)
    assert ws.send(1) is True
    ws.close()
    with pytest.raises(fastws.NotConnected):
        ws.send(1)
    assert ws.stats().dropped["offline"] == 0


def test_stored_messages_go_out_in_order_without_handlers(serve, client, until):
    """R9: natively at the opening, for a client that nobody dispatches for."""
    server = serve()
    ws = client(server, autoconnect=False, offline=Queue())
    assert ws.send({"n": 0}) is True
    assert ws.send_text("1") is True
    assert ws.send_bytes(b"2") is True
    assert ws.send_many([3, 4]) == 2
    assert (ws.stats().offline_messages, ws.stats().offline_bytes) == (5, 11)
    ws.connect()
    conn = server.wait_open(1)
    assert until(lambda: len(conn.messages) == 5)
    assert conn.messages == ['{"n":0}', "1", b"2", "3", "4"]
    assert ws.stats().offline_messages == 0
    assert ws.stats().dropped["offline"] == 0


def test_what_connect_handlers_send_goes_first(serve, client, until):
    """R9: stored ones follow all handlers; others' sends meanwhile are appended."""
    server = serve()
    ws = client(server, autoconnect=False, offline=Queue())
    entered, leave = threading.Event(), threading.Event()

    def first():
        ws.send("handler 1")
        entered.set()
        assert leave.wait(10)

    ws.on("connect", first).on("connect", lambda: ws.send("handler 2"))
    ws.send("stored")
    ws.connect()
    conn = server.wait_open(1)
    assert entered.wait(10)
    assert ws.send("meanwhile") is True
    assert until(lambda: conn.messages == ['"handler 1"'])
    leave.set()
    assert until(lambda: len(conn.messages) == 4)
    assert got(conn) == ["handler 1", "handler 2", "stored", "meanwhile"]


def test_a_handler_that_raises_holds_nothing_back(serve, client, until):
    server = serve()
    ws = client(server, autoconnect=False, offline=Queue())
    ws.on("connect", lambda: 1 / 0).on("error", lambda event: None)
    ws.send("stored")
    ws.connect()
    conn = server.wait_open(1)
    assert until(lambda: got(conn) == ["stored"])


def test_a_stale_connect_handler_neither_sends_nor_stores(serve, client, until):
    """R8: its epoch is over: False, counted; the next connect calls it again."""
    server = serve([lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()])
    results, hold = [], threading.Event()

    def handler(event):
        if not results:
            hold.wait(10)
        results.append((event.epoch, ws.send({"epoch": event.epoch})))

    ws = client(server, autoconnect=False, offline=Queue())
    ws.on("connect", handler)
    ws.connect()
    server.wait_open(2)
    assert until(lambda: ws.state == "open")
    assert ws.send("stored") is True
    hold.set()
    conn = server.connections[1]
    assert until(lambda: len(conn.messages) == 2)
    assert [accepted for _, accepted in results] == [False, True]
    assert got(conn) == [{"epoch": results[1][0]}, "stored"]
    assert ws.stats().dropped["offline"] == 1


def test_what_a_connection_accepted_does_not_cross(serve, client, recorded):
    """R8: unsent is unsent; only what was stored goes to the next connection."""

    def clogged(conn):
        conn.pause_reading()
        conn.accept()

    server = serve([clogged, lambda conn: conn.accept()], receive_buffer=4096)
    ws, log = recorded(server, offline=Queue(), outbox_bytes=50_000_000)
    log.wait("connect")
    while ws.stats().offline_messages or (ws.send("probe") and ws.stats().offline_messages):
        time.sleep(0.005)
    for _ in range(20):
        assert ws.send_bytes(b"x" * 1_000_000)
    server.connections[0].reset()
    assert log.wait("disconnect").unsent_messages > 0
    conn = server.wait_open(2)
    assert ws.send("next")
    assert json.loads(conn.expect()) == "next"
    assert len(conn.messages) == 1


def test_close_clears_it_and_stores_nothing_more(serve, client):
    server = serve()
    ws = client(server, autoconnect=False, offline=Queue())
    ws.send("before")
    ws.close()
    assert ws.send("closed") is False
    assert ws.stats().dropped["offline"] == 2
    ws.connect()
    conn = server.wait_open(1)
    ws.wait_open(10)
    assert ws.send("after") is True
    assert json.loads(conn.expect()) == "after"
    assert len(conn.messages) == 1


def test_giving_up_drops_and_tells(serve, recorded):
    server = serve(lambda conn: conn.refuse(404))
    ws, log = recorded(server, offline=Queue())
    ws.send("stored")  # before or after the refusal
    log.wait("closed")
    assert ws.send("closed") is False
    counted = ws.stats().dropped["offline"]
    assert counted == 2
    assert ws.stats().offline_messages == 0


def test_the_oldest_go_and_are_told_once(serve, recorded, until):
    server = serve(lambda conn: conn.refuse(503))
    ws, log = recorded(server, offline=Queue(messages=3), reconnect=HOUR)
    log.wait("reconnecting")
    for number in range(10):
        assert ws.send(number) is True
    assert ws.stats().dropped["offline"] == 7
    assert until(lambda: sum(told.count for told in log.all("dropped")) == 7)
    for told in log.all("dropped"):  # one, or more when a stall of a second split the burst
        assert (told.cause, told.route) == ("offline", None)
        assert told.first_at <= told.last_at
    assert ws.stats().offline_messages == 3
    server.scripts[:] = [lambda conn: conn.accept()]
    ws.reconnect()
    conn = server.wait_open(2)
    assert until(lambda: len(conn.messages) == 3)
    assert got(conn) == [7, 8, 9]
    assert sum(told.count for told in log.all("dropped")) == 7
    assert len(log.all("dropped")) < 4, "once a burst"


def test_the_newest_go(serve, client):
    ws = client(serve(), autoconnect=False, offline=Queue(messages=2, on_full="drop_newest"))
    assert [ws.send(number) for number in range(4)] == [True, True, False, False]
    assert ws.send_many([4, 5]) == 0
    assert ws.stats().dropped["offline"] == 4


def test_full_raises(serve, client):
    ws = client(serve(), autoconnect=False, offline=Queue(messages=100, bytes=10, on_full="raise"))
    assert ws.send("x" * 50) is True  # one of any size passes an empty queue
    with pytest.raises(fastws.OfflineQueueFull, match="10 bytes"):
        ws.send(1)
    with pytest.raises(fastws.OfflineQueueFull) as caught:
        ws.send_many([1, 2])
    assert caught.value.accepted == 0
    assert ws.stats().dropped["offline"] == 0


def test_old_messages_are_dropped(serve, client, until):
    server = serve()
    ws = client(server, autoconnect=False, offline=Queue(ttl=3.0))
    ws.send("old")
    time.sleep(3.1)
    ws.send("new")
    ws.connect()
    conn = server.wait_open(1)
    assert until(lambda: conn.messages)
    assert got(conn) == ["new"]
    assert ws.stats().dropped["offline"] == 1


def test_reconnect_stores_at_once(serve, client, until):
    """R15: while the old connection closes, what is sent waits for the next."""
    server = serve(
        [lambda conn: setattr(conn, "answer_close", False) or conn.accept(), lambda conn: conn.accept()]
    )
    ws = client(server, offline=Queue(), close_timeout=0.3)
    ws.wait_open(10)
    ws.reconnect()
    assert ws.send("stored") is True
    conn = server.wait_open(2)
    assert until(lambda: conn.messages)
    assert got(conn) == ["stored"]
    assert server.connections[0].messages == []


def test_threads_at_full_speed_across_reconnects(serve, client, until):
    """P8, R9: every thread's messages stay in order over all connections, none comes twice, and what is missing was
    accepted by a connection that ended."""
    ends = [
        lambda conn: (conn.expect(), conn.stall(0.02), conn.reset()),
        lambda conn: (conn.expect(), conn.stall(0.02), conn.drop()),
    ]
    server = serve([*(ends * 4), lambda conn: conn.accept()])
    ws = client(
        server,
        autoconnect=False,
        offline=Queue(messages=10**6, bytes=2**30),
        reconnect=Backoff(base=0.005, cap=0.01),
    )
    unsent = []
    ws.on("connect", lambda event: ws.send([-1, event.epoch]))
    ws.on("disconnect", lambda event: unsent.append(event.unsent_messages))
    ws.connect()
    stop = threading.Event()
    counts = [0, 0, 0]

    def pour(number):
        while not stop.is_set():
            if number:
                assert ws.send([number, counts[number]]) is True
                counts[number] += 1
            else:
                assert ws.send_many([0, counts[0] + more] for more in range(10)) == 10
                counts[0] += 10
            time.sleep(0.0005)

    threads = [threading.Thread(target=pour, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        server.wait_open(9, 60)
        time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert ws.send([3, 0])
    assert ws.flush(20)
    ws.close()
    last = server.connections[-1]
    assert last.wait_over()
    seen = {number: [] for number in range(-1, 4)}
    for conn in server.connections:
        own = got(conn)
        if own:
            assert own[0][0] == -1, "the connect handler's message goes first"
        for number, count in own:
            seen[number].append(count)
    assert seen[3] == [0]
    for number in range(3):
        assert seen[number] == sorted(set(seen[number])), "in order, and none twice"
        assert seen[number][-1] == counts[number] - 1
    # On the last connection nothing was lost: what it got of a thread has no holes.
    for number in range(3):
        own = [count for one, count in got(last) if one == number]
        assert own == list(range(own[0], own[0] + len(own)))
    assert ws.stats().dropped["offline"] == 0
