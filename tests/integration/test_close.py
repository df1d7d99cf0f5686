"""close(): what the server sees, how long it takes, what is delivered afterwards, and that it is final."""

import asyncio
import threading
import time

import pytest

import fastws
from fastws import Backoff

HI = b"\x81\x0d" + b'{"type":"hi"}'


def deaf(conn):
    """Accepts, and never answers a Close."""
    conn.answer_close = False
    conn.accept()


def test_code_and_reason_reach_the_server(serve, recorded):
    server = serve()
    ws, log = recorded(server)
    log.wait("connect")
    ws.close(4002, "tschüß")
    conn = server.connections[0]
    assert conn.wait_over()
    assert (conn.close_code, conn.close_reason) == (4002, "tschüß")
    lost = log.wait("disconnect")
    assert (lost.initiator, lost.clean, lost.will_reconnect) == ("user", True, False)
    assert log.wait("closed").reason == "user"
    assert log.names == ["connecting", "connect", "disconnect", "closed"]


def test_when_close_returns_the_closed_handlers_have_returned(serve, recorded):
    """api.md 5: outside handlers."""
    server = serve()
    done = []
    ws, log = recorded(server, on={"closed": lambda _: (time.sleep(0.2), done.append(True))})
    log.wait("connect")
    ws.close()
    assert done == [True]
    assert (ws.state, int(ws.ready_state)) == ("closed", 3)


def last_words(conn):
    """Two more messages after the client's Close frame, before the answer to it."""
    conn.answer_close = False
    conn.accept()
    conn.wait_close()
    conn.send_json({"type": "n", "n": 1})
    conn.send_json({"type": "n", "n": 2})
    conn.close(1000, wait=False)
    conn.drop()


def test_what_the_server_still_says_while_we_reconnect_arrives(serve, recorded):
    """The client goes on: what was sent before the server's Close frame belongs to it, and comes before `disconnect`."""
    server = serve([last_words, lambda conn: conn.accept()])
    order = []
    ws, log = recorded(
        server,
        on={"n": lambda message: order.append(message["n"]), "disconnect": lambda _: order.append("gone")},
    )
    log.wait("connect")
    ws.reconnect()
    log.wait("connect", count=2)
    assert order == [1, 2, "gone"]
    assert ws.stats().messages_in == 2
    assert not any(ws.stats().dropped.values())


def test_what_the_server_still_says_while_we_close_is_counted(serve, recorded):
    """api.md 5: dropped as "closed"."""
    seen = []
    ws, log = recorded(serve(last_words), on={"n": seen.append})
    log.wait("connect")
    ws.close()
    assert not seen
    assert ws.stats().messages_in == 2
    assert ws.stats().dropped["closed"] == 2


def test_a_server_that_ignores_the_close_is_left(serve, recorded, until):
    """T4, P16: closed after close_timeout, by the clock, and the transport is gone."""
    server = serve(deaf)
    ws, log = recorded(server, close_timeout=0.5)
    log.wait("connect")
    started = time.monotonic()
    ws.close()
    took = time.monotonic() - started
    assert 0.45 <= took < 20
    assert until(lambda: ws.state == "closed")
    assert server.connections[0].wait_over()
    log.wait("disconnect")  # close() does not wait without bound for handlers
    assert not log.all("disconnect")[0].clean


def test_a_server_that_reads_nothing_is_left(serve, recorded):
    """P16: the Close frame itself can not be written; unsent messages are counted."""

    def script(conn):
        conn.pause_reading()
        conn.accept()

    server = serve(script, receive_buffer=4096)
    ws, log = recorded(server, close_timeout=0.5)
    log.wait("connect")
    server.wait_open(1)
    for _ in range(8):
        assert ws.send_bytes(b"x" * 1_000_000)
    started = time.monotonic()
    ws.close()
    assert time.monotonic() - started < 20
    lost = log.wait("disconnect")
    assert lost.unsent_messages > 0
    assert lost.unsent_bytes > 1_000_000


def test_what_was_accepted_before_close_is_written_first(serve, recorded):
    """api.md 5: then the Close frame."""
    server = serve()
    ws, log = recorded(server)
    log.wait("connect")
    for number in range(500):
        assert ws.send({"n": number, "pad": "x" * 1000})
    ws.close()
    conn = server.connections[0]
    assert conn.wait_over()
    assert len(conn.messages) == 500
    assert conn.close_code == 1000
    assert log.wait("disconnect").unsent_messages == 0


def test_a_tls_server_that_drops_tcp_on_close_causes_no_reconnect(serve, recorded, tls_server, trusted):
    """T3: our Close answered by a bare FIN: one disconnect, closed(user), no attempt."""

    def script(conn):
        conn.answer_close = False
        conn.accept()
        conn.wait_close()
        conn.drop()

    server = serve(script, tls=tls_server)
    ws, log = recorded(server, tls=trusted)
    log.wait("connect")
    ws.close()
    assert log.wait("closed").reason == "user"
    time.sleep(0.5)
    assert log.names == ["connecting", "connect", "disconnect", "closed"]
    assert server.total == 1


def test_close_while_connecting_aborts_and_a_late_answer_revives_nothing(serve, recorded):
    """T2, R4: 101 held back; close(); then 101 comes."""
    closed = threading.Event()

    def script(conn):
        conn.read_request()
        closed.wait(30)
        conn.accept()

    server = serve(script)
    ws, log = recorded(server, close_timeout=20)
    server.wait_total(1)
    started = time.monotonic()
    ws.close()
    assert time.monotonic() - started < 10
    closed.set()
    assert server.connections[0].wait_over(), "the client must drop the TCP connection"
    time.sleep(0.5)
    assert "connect" not in log.names
    assert log.names[-1] == "closed"
    assert ws.state == "closed"


def test_close_in_backoff_is_final(serve, recorded, total_now):
    """T1, R5, P3: no attempt after close(), at every moment of the wait."""
    for pause in (0.0, 0.005, 0.015, 0.03, 0.05):
        server = serve(lambda conn: conn.refuse(503))
        ws, log = recorded(server, reconnect=Backoff(base=0.05, cap=0.05, jitter=0))
        log.wait("reconnecting")
        time.sleep(pause)
        ws.close()
        total = total_now(server)
        time.sleep(0.25)  # five times the cap
        assert server.total == total
        assert ws.state == "closed"
        assert log.names[-1] == "closed"
        assert log.in_language()


def test_close_during_a_stalled_tls_handshake(serve, recorded, tls_server, trusted):
    """R4: no closing handshake while there is nothing to close."""
    server = serve(lambda conn: conn.stall(), tls=tls_server)
    ws, _ = recorded(server, tls=trusted, close_timeout=20)
    server.wait_total(1)
    started = time.monotonic()
    ws.close()
    assert time.monotonic() - started < 10
    assert server.connections[0].wait_over()


def test_close_when_idle_and_twice(serve, recorded, client):
    """Section 3: idle -> closed(user); closed -> nothing more."""
    server = serve()
    ws = client(server, autoconnect=False)
    seen = []
    ws.on("closed", lambda event: seen.append(event.reason))
    ws.close()
    ws.close()
    assert (ws.state, seen, server.total) == ("closed", ["user"], 0)
    ws, log = recorded(server)
    log.wait("connect")
    ws.close()
    ws.close()
    assert log.names.count("closed") == 1


def test_close_in_a_message_handler_returns_at_once(serve, recorded, until):
    """R3, P16: below 50 ms by the specification; the bound here only tells it from waiting for the server."""
    server = serve(lambda conn: (deaf(conn), conn.send_json({"type": "go"})))
    took = []

    def handler(_):
        started = time.monotonic()
        fastws.clients()[0].close()
        took.append(time.monotonic() - started)

    _, log = recorded(server, close_timeout=20, on={"go": handler})
    assert until(lambda: took) and took[0] < 10
    server.connections[0].drop()
    assert log.wait("closed").reason == "user"


def test_nothing_starts_after_close_but_disconnect_and_closed(serve, recorded, until):
    """R2, P13: a flood, a close in the middle; no message handler starts afterwards."""

    def flood(conn):
        conn.accept()
        while not conn.stall(0):
            conn.send_raw(HI * 50)

    server = serve(flood)
    seen, late = [], []
    closed = threading.Event()

    def handler(_):
        (late if closed.is_set() else seen).append(1)

    ws, log = recorded(server, on={"hi": handler})
    assert until(lambda: len(seen) > 100)
    ws.close()
    closed.set()
    time.sleep(0.3)
    assert not late
    assert log.names[-2:] == ["disconnect", "closed"]


def test_a_running_handler_is_not_waited_for_without_bound(serve, recorded, until):
    """R3: the caller may hold a lock that the handler wants."""
    server = serve(lambda conn: conn.send_json({"type": "go"}))
    lock, entered = threading.Lock(), threading.Event()

    def handler(_):
        entered.set()
        with lock:
            pass

    with lock:
        ws, _ = recorded(server, on={"go": handler}, close_timeout=0.3)
        assert entered.wait(10)
        started = time.monotonic()
        ws.close()
        assert time.monotonic() - started < 20
    assert until(lambda: ws.state == "closed")


def test_close_from_many_threads(serve, recorded):
    """Sticky and idempotent: all return, one closed event, no attempt."""
    server = serve()
    ws, log = recorded(server)
    log.wait("connect")
    threads = [threading.Thread(target=ws.close) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert log.names.count("closed") == 1
    assert server.total == 1
    assert ws.send({"late": True}) is False


@pytest.mark.parametrize("how", ["close", "drop"])
def test_messages_before_the_peers_close_are_delivered_first(serve, recorded, how):
    """api.md 5: after a close by the peer, what came before is delivered before disconnect."""

    def script(conn):
        for number in range(2000):
            conn.send_json({"type": "n", "n": number})
        getattr(conn, how)()

    server = serve([script, lambda conn: conn.accept()])
    order = []
    ws, log = recorded(
        server, on={"n": lambda m: order.append(m["n"]), "disconnect": lambda _: order.append("lost")}
    )
    log.wait("connect", 2)
    assert order == [*range(2000), "lost"]


def test_closing_many_clients_at_once_takes_as_long_as_one(serve, client, until):
    """api.md 5: close_all() closes in parallel."""
    server = serve(deaf)
    made = [client(server, close_timeout=0.5) for _ in range(20)]
    for ws in made:
        ws.wait_open(10)
    started = time.monotonic()
    fastws.close_all()
    assert time.monotonic() - started < 4.0
    assert {ws.state for ws in made} == {"closed"}


FIRST_TO_HEAR = ["connecting", "connect", "error", "reconnecting"]


def script_for(event):
    return lambda conn: conn.accept() if event == "connect" else conn.refuse(503)


@pytest.mark.parametrize("event", FIRST_TO_HEAR)
def test_close_in_a_handler_keeps_the_next_one_from_starting(serve, client, until, event):
    """R2: not only the events to come are over, but the rest of this one is, too."""
    ws = client(serve(script_for(event)), autoconnect=False)
    closed, late = threading.Event(), []
    ws.on(event, lambda: (ws.close(), closed.set())).on(event, lambda: late.append("second"))
    ws.on("*", lambda name, payload: late.append(name) if closed.is_set() else None)
    ws.connect()
    assert closed.wait(10)
    assert until(lambda: "closed" in late)
    assert late == (["disconnect", "closed"] if event == "connect" else ["closed"])


@pytest.mark.parametrize("event", FIRST_TO_HEAR)
def test_close_in_a_handler_keeps_the_next_one_from_starting_in_a_loop(
    run, serve, aclient, eventually, event
):
    server = serve(script_for(event))

    async def main():
        ws = aclient(server, autoconnect=False)
        closed, late = asyncio.Event(), []

        async def close():
            await ws.close()
            closed.set()

        ws.on(event, close).on(event, lambda: late.append("second"))
        ws.on("*", lambda name, payload: late.append(name) if closed.is_set() else None)
        ws.connect()
        await asyncio.wait_for(closed.wait(), 10)
        assert await eventually(lambda: "closed" in late)
        await ws.close()
        assert late == (["disconnect", "closed"] if event == "connect" else ["closed"])

    run(main())


def test_a_late_connect_handler_does_not_start_after_close(serve, client):
    """R2: what on("connect") owes it while open is not paid any more."""
    ws = client(serve(lambda conn: conn.send_json({"type": "go"})), autoconnect=False)
    late = []

    def go(message):
        ws.on("connect", lambda: late.append("connect"))
        ws.close()
        closed.set()

    closed = threading.Event()
    ws.on("go", go)
    ws.connect()
    assert closed.wait(10)
    ws.close()
    assert late == []
