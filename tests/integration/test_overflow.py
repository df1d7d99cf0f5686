"""Overflow policies over real connections: what is kept, what is told, and that a slow consumer costs no memory."""

import contextlib
import json
import logging
import threading
import time

import pytest

from fastws import Latest
from fastws._scripted_frames import TEXT, encode_frame

SYMBOLS = [f"SYM{number}" for number in range(10)]


def frames(messages):
    return b"".join(encode_frame(TEXT, json.dumps(message).encode()) for message in messages)


def numbers(count, route="n", start=0):
    return [{"type": route, "n": number, "pad": "x" * 100} for number in range(start, start + count)]


@pytest.fixture
def slow(recorded, until):
    """A client whose handler holds the first message until the gate opens: ws, log, seen, gate = slow(server, ...)."""
    gates = []

    def make(server, **options):
        gate, seen = threading.Event(), []
        gates.append(gate)

        def handle(message):
            seen.append(message)
            gate.wait(60)

        ws, log = recorded(server, **options, on={"n": handle, "first": handle})
        assert until(lambda: seen)
        return ws, log, seen, gate

    yield make
    for gate in gates:
        gate.set()


def first_then(messages, go):
    """A script: one message that the handler holds, and the others when `go` is set."""

    def script(conn):
        conn.send_json({"type": "first"})
        go.wait(30)
        conn.send_raw(frames(messages))

    return script


@pytest.fixture
def told(until):
    """told(log, count): the `dropped` events, once they are about so many messages."""

    def wait(log, count):
        assert until(lambda: sum(event.count for event in log.all("dropped")) == count)
        events = log.all("dropped")
        assert len(events) < 5, "once a burst: only a stall of a second splits one"
        return events

    return wait


def test_drop_oldest_hands_over_the_newest(serve, slow, until, told):
    go = threading.Event()
    server = serve(first_then(numbers(10_000), go))
    ws, log, seen, gate = slow(server, inbox_messages=100, overflow="drop_oldest")
    go.set()
    assert until(lambda: ws.stats().messages_in == 10_001)
    ws.ping(10)  # its answer is read after the last of them was placed or dropped
    assert ws.stats().dropped["overflow"] == 9_900
    gate.set()
    assert until(lambda: len(seen) == 101)
    assert [message["n"] for message in seen[1:]] == list(range(9_900, 10_000))
    for event in told(log, 9_900):
        assert (event.cause, event.route) == ("overflow", "n")
        assert 0 <= event.last_at - event.first_at < 60
        assert event.last_at <= time.monotonic()
    assert not log.all("disconnect")


def test_drop_newest_hands_over_the_oldest(serve, slow, until):
    go = threading.Event()
    server = serve(first_then(numbers(10_000), go))
    ws, _, seen, gate = slow(server, inbox_messages=100, overflow="drop_newest")
    go.set()
    assert until(lambda: ws.stats().messages_in == 10_001)
    ws.ping(10)
    gate.set()
    assert until(lambda: len(seen) == 101)
    assert [message["n"] for message in seen[1:]] == list(range(100))
    assert ws.stats().dropped["overflow"] == 9_900


def test_each_route_has_its_own_policy(serve, slow, until):
    """Droppable messages go first; what pauses is never lost."""
    go = threading.Event()
    mixed = [message for pair in zip(numbers(50), numbers(50, "t"), strict=True) for message in pair]
    server = serve(first_then(mixed, go))
    ws, _, seen, gate = slow(server, inbox_messages=60, overflow={"t": "drop_oldest"})
    others = []
    ws.on("t", others.append)
    go.set()
    assert until(lambda: ws.stats().messages_in == 101)
    ws.ping(10)
    assert ws.stats().dropped["overflow"] == 40
    gate.set()
    assert until(lambda: len(others) == 10 and len(seen) == 51)
    assert [message["n"] for message in others] == list(range(40, 50))
    assert [message["n"] for message in seen[1:]] == list(range(50))


def test_a_burst_is_told_once_and_logged(serve, slow, until, told, caplog):
    caplog.set_level(logging.WARNING, "fastws")
    go = threading.Event()
    ws, log, _, gate = slow(serve(first_then(numbers(500), go)), inbox_messages=10, overflow="drop_newest")
    go.set()
    assert until(lambda: ws.stats().dropped["overflow"] == 490)
    gate.set()
    events = told(log, 490)
    time.sleep(0.3)
    assert log.all("dropped") == events
    assert [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()] == [
        f"{ws.url}: {event.count} messages of 'n' were dropped (overflow)" for event in events
    ]


def test_a_burst_that_does_not_end_is_told_meanwhile_and_logged_once(serve, recorded, until, caplog):
    """A consumer that is always too slow hears of it after ten seconds, not only when the feed has ended."""
    caplog.set_level(logging.WARNING, "fastws")
    over = threading.Event()

    def script(conn):
        start = 0
        while not over.wait(0.05):
            conn.send_raw(frames(numbers(20, start=start)))
            start += 20

    handle = lambda message: time.sleep(0.01)
    ws, log = recorded(serve(script), inbox_messages=10, overflow="drop_oldest", on={"n": handle})
    assert until(lambda: log.all("dropped"), 25)
    told = log.all("dropped")[0]
    assert told.last_at - told.first_at >= 9.5
    time.sleep(0.5)  # the burst goes on, and so do its drops
    over.set()
    assert until(lambda: sum(event.count for event in log.all("dropped")) == ws.stats().dropped["overflow"])
    events = log.all("dropped")
    assert 2 <= len(events) < 5, "only a stall of a second splits one"
    assert events[1].first_at >= told.last_at
    logged = [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()]
    assert logged[0] == f"{ws.url}: {told.count} messages of 'n' were dropped (overflow)"
    assert len(logged) < len(events)


def test_lifecycle_events_are_never_dropped(serve, slow, until):
    """R13: a full inbox that drops everything still tells every connect and disconnect."""

    def script(conn):
        conn.send_raw(frames([{"type": "first"}, *numbers(200)]))
        conn.stall(0.02)
        if conn.index < 4:
            conn.close(1001)

    ws, log, _, gate = slow(serve(script), inbox_messages=1, overflow="drop_oldest")
    assert until(lambda: ws.stats().connects == 5)
    gate.set()
    log.wait("connect", 5)
    assert len(log.all("disconnect")) == 4
    assert log.in_language()


def test_latest_gives_the_newest_of_each_key_in_its_place(serve, slow, until):
    go = threading.Event()
    messages = [{"type": "n", "symbol": SYMBOLS[number % 10], "n": number} for number in range(5_000)]
    server = serve(first_then(messages, go))
    ws, log, seen, gate = slow(server, overflow=Latest("symbol"))
    go.set()
    assert until(lambda: ws.stats().messages_in == 5_001)
    ws.ping(10)
    stats = ws.stats()
    assert stats.dropped["conflated"] == 4_990
    assert stats.dropped["overflow"] == 0
    gate.set()
    assert until(lambda: len(seen) == 11)
    assert [(message["symbol"], message["n"]) for message in seen[1:]] == list(
        zip(SYMBOLS, range(4_990, 5_000), strict=True)
    )
    assert not log.all("dropped")


def test_latest_for_a_reader(serve, client, until):
    """A client without handlers follows `overflow` for what its readers have not read."""
    go = threading.Event()
    messages = [{"type": "n", "id": number % 3, "n": number} for number in range(300)]
    with client(serve(first_then(messages, go)), overflow={"n": Latest("id")}) as ws:
        assert ws.recv(10) == {"type": "first"}
        go.set()
        assert until(lambda: ws.stats().messages_in == 301)
        ws.ping(10)
        assert [ws.recv(10)["n"] for _ in range(3)] == [297, 298, 299]
        assert ws.stats().dropped["conflated"] == 297


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def test_a_slow_consumer_with_latest_has_flat_small_memory(serve, slow, until):
    """100,000 messages/s over ten symbols, nobody reads: what is kept does not keep the rest."""
    go, stop = threading.Event(), threading.Event()
    block = frames(
        [
            {"type": "n", "symbol": SYMBOLS[number % 10], "pad": "x" * 100, "n": number}
            for number in range(2_000)
        ]
    )

    def script(conn):
        conn.send_json({"type": "first"})
        go.wait(30)
        began, sent = time.monotonic(), 0
        while not stop.is_set():
            conn.send_raw(block)
            sent += 2_000
            stop.wait(max(0.0, began + sent / 100_000 - time.monotonic()))

    ws, _, seen, gate = slow(serve(script), overflow=Latest("symbol"))
    go.set()
    assert until(lambda: ws.stats().messages_in > 50_000)
    before = resident()
    assert until(lambda: ws.stats().messages_in > 350_000, 60)
    grown = resident() - before
    stop.set()
    stats = ws.stats()
    assert stats.inbox_messages <= 11  # ten, and the one in the handler's hand
    assert stats.inbox_bytes < 10_000
    assert grown < 4 * 2**20, f"{grown} bytes for {stats.messages_in} messages"
    gate.set()
    assert until(lambda: len(seen) >= 11)


def strict(interval, patience):
    """A script that floods, and gives up on a client that does not answer a Ping in time: as strict servers do."""

    def script(conn):
        conn.send_json({"type": "first"})
        block = frames(numbers(200))
        stop = threading.Event()

        def flood():
            with contextlib.suppress(ConnectionError):
                while not stop.is_set():
                    conn.send_raw(block)

        def ping(payload):
            with contextlib.suppress(ConnectionError):
                conn.ping(payload)

        conn.send_raw(block)  # more than an inbox: no Ping comes before it
        flooding = threading.Thread(target=flood, daemon=True)
        flooding.start()
        try:
            for number in range(4):
                conn.stall(interval)
                payload = b"%d" % number
                sent_at = time.monotonic()
                threading.Thread(target=ping, args=(payload,), daemon=True).start()
                while payload not in [pong for _, pong in list(conn.pongs)]:
                    if time.monotonic() - sent_at > patience:
                        conn.judged = "no pong in time"
                        conn.reset()
                        return
                    time.sleep(0.01)
            conn.judged = "lively"
        finally:
            stop.set()
        conn.stall()

    return script


@pytest.mark.parametrize(
    ("overflow", "patience", "judged"),
    [("pause", 1.0, "no pong in time"), ("drop_oldest", 15.0, "lively"), ("drop_newest", 15.0, "lively")],
)
def test_a_strict_servers_pings_wait_behind_what_is_unread(serve, slow, until, overflow, patience, judged):
    """The price of "pause", as documented: a client that does not read can not see a Ping; the drop policies answer."""
    server = serve([strict(0.2, patience), lambda conn: conn.accept()], send_buffer=16384)
    slow(server, inbox_messages=100, overflow=overflow)
    conn = server.wait_open(1)
    assert until(lambda: getattr(conn, "judged", None), 70)
    assert conn.judged == judged
