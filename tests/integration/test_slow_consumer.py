"""A full inbox: reading pauses, nothing is lost, the server feels it, the connection lives."""

import asyncio
import threading
import time

import pytest


def flood(count, pad=1000):
    """A script that sends `count` messages and notes how far it got."""

    def script(conn):
        conn.sent = 0
        if not conn.opened:
            conn.accept()
        for number in range(count):
            conn.send_json({"type": "n", "n": number, "pad": "x" * pad})
            conn.sent = number + 1

    return script


@pytest.mark.parametrize(
    "limit", [{"inbox_messages": 100}, {"inbox_bytes": 200_000}], ids=["messages", "bytes"]
)
def test_a_slow_handler_loses_nothing_and_the_server_feels_it(serve, recorded, until, limit):
    """api.md 2, overflow="pause": TCP back-pressure reaches the server; memory stays bounded."""
    gate, seen = threading.Event(), []
    server = serve(flood(20_000), send_buffer=16384)
    ws, log = recorded(server, **limit, on={"n": lambda message: (gate.wait(30), seen.append(message["n"]))})
    log.wait("connect")
    conn = server.wait_open(1)
    assert until(lambda: conn.sent > 100)
    assert until(lambda: (before := conn.sent) and (time.sleep(0.5), conn.sent == before)[1]), (
        "the server was never held"
    )
    assert conn.sent < 20_000
    stats = ws.stats()
    if "inbox_messages" in limit:
        assert stats.inbox_messages <= 3000
    else:
        assert stats.inbox_bytes <= 2_000_000
    gate.set()
    assert until(lambda: len(seen) == 20_000, 60)
    assert seen == list(range(20_000))
    assert not log.all("disconnect")
    assert not any(ws.stats().dropped.values())


def test_a_slow_reader_without_handlers_loses_nothing(serve, client, until):
    """api.md 4: a client without message handlers follows `overflow`."""
    server = serve(flood(5000), send_buffer=16384)
    ws = client(server, inbox_messages=50, autoconnect=False)
    reader = iter(ws)
    ws.connect()
    assert next(reader)["n"] == 0
    time.sleep(0.7)
    assert server.wait_open(1).sent < 5000
    assert [next(reader)["n"] for _ in range(4999)] == list(range(1, 5000))


def test_a_message_larger_than_the_inbox_passes(serve, client):
    """api.md 4: one message of any allowed size always passes an empty inbox."""
    server = serve(lambda conn: (conn.send_json({"pad": "x" * 1_000_000}), conn.send_json({"n": 1})))
    with client(server, inbox_bytes=1000) as ws:
        assert len(ws.recv(20)["pad"]) == 1_000_000
        assert ws.recv(20) == {"n": 1}


def test_pause_and_go_many_times(serve, client):
    """Resuming never misses its cue: an inbox of two, read in fits."""
    server = serve(lambda conn: (conn.expect(), flood(3000, pad=10)(conn)))
    with client(server, inbox_messages=2) as ws:
        with pytest.raises(TimeoutError):
            ws.recv(0)  # from here on the client is a reader, and nothing waits in the bounded ring
        ws.send("go")
        for number in range(3000):
            if number % 500 == 0:
                time.sleep(0.05)
            assert ws.recv(20)["n"] == number


def test_a_paused_client_still_notices_close_and_sends(serve, recorded, until):
    """Sending and close() do not wait for the reader."""
    gate = threading.Event()
    server = serve(flood(20_000), send_buffer=16384)
    ws, log = recorded(server, inbox_messages=10, close_timeout=0.5, on={"n": lambda _: gate.wait(60)})
    log.wait("connect")
    time.sleep(0.3)
    assert ws.send({"still": "here"})
    conn = server.wait_open(1)
    assert until(lambda: conn.messages)
    started = time.monotonic()
    ws.close()
    assert time.monotonic() - started < 20.0
    gate.set()
    assert conn.wait_over()


def test_a_lost_connection_delivers_what_waited_first(serve, recorded, until):
    """R13: the inbox's content, then disconnect, also when the reader was paused."""
    story = []
    on = {
        "n": lambda message: (time.sleep(0.0005), story.append(message["n"])),
        "disconnect": lambda _: story.append("lost"),
    }

    def script(conn):
        flood(1000)(conn)
        conn.close(1001)

    server = serve([script, lambda conn: conn.accept()])
    _, log = recorded(server, inbox_messages=20, on=on)
    log.wait("connect", 2, timeout=30)
    assert story == [*range(1000), "lost"]


def snapshot_and_updates(conn):
    conn.accept()
    conn.expect()
    conn.send_json({"type": "snapshot", "data": "x" * 700_000})
    for n in range(1000):
        conn.send_json({"type": "update", "n": n, "pad": "x" * 1000})
    conn.stall()


@pytest.mark.parametrize("limits", [{"inbox_bytes": 2**20}, {"inbox_messages": 2}])
def test_what_a_reader_has_read_does_not_keep_the_inbox_full(serve, client, limits):
    """Reading goes on when there is room again, whoever read what took it, and even if he never asks for more."""
    ws = client(serve(snapshot_and_updates), **limits)
    snapshots, updates = ws.messages("snapshot"), ws.messages("update")
    ws.wait_open(10)
    ws.send("go")
    assert len(next(snapshots)["data"]) == 700_000
    over = threading.Timer(20, ws.close)
    over.start()
    try:
        assert [next(updates)["n"] for _ in range(1000)] == list(range(1000))
    finally:
        over.cancel()


@pytest.mark.parametrize("limits", [{"inbox_bytes": 2**20}, {"inbox_messages": 2}])
def test_nor_does_it_in_an_event_loop(run, serve, aclient, limits):
    async def main():
        async with aclient(serve(snapshot_and_updates), **limits) as ws:
            snapshots, updates = ws.messages("snapshot"), ws.messages("update")
            await ws.send("go")
            assert len((await anext(snapshots))["data"]) == 700_000
            for n in range(1000):
                assert (await asyncio.wait_for(anext(updates), 20))["n"] == n

    run(main())


def test_what_was_read_is_not_counted_as_waiting(serve, client, until):
    def script(conn):
        conn.accept()
        conn.expect()
        for n in range(10):
            conn.send_json({"n": n})
        conn.stall()

    ws = client(serve(script))
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: ws.stats().messages_in == 10)
    assert [ws.recv(10)["n"] for _ in range(10)] == list(range(10))
    stats = ws.stats()
    assert (stats.handled, stats.inbox_messages, stats.inbox_bytes) == (10, 0, 0)
