"""connect(), reconnect() and close() against each other, in every state and from handlers."""

import threading
import time

import pytest

from fastws import Backoff


def test_autoconnect_false_stays_idle(serve, client):
    """Section 3: idle until connect()."""
    server = serve()
    ws = client(server, autoconnect=False)
    assert (ws.state, int(ws.ready_state)) == ("idle", 3)
    time.sleep(0.1)
    assert server.total == 0
    ws.connect()
    ws.wait_open(10)
    assert (ws.state, int(ws.ready_state), ws.ready_state.name) == ("open", 1, "OPEN")


def test_connect_does_nothing_unless_idle_or_closed(serve, recorded):
    """api.md 5."""
    server = serve()
    ws, log = recorded(server)
    ws.connect()
    log.wait("connect")
    for _ in range(5):
        ws.connect()
    time.sleep(0.2)
    assert (server.total, log.names) == (1, ["connecting", "connect"])


def test_connect_after_close_is_a_new_life(serve, recorded):
    """Section 3: closed -> connecting; is_reconnect is latched (T40)."""
    server = serve()
    ws, log = recorded(server)
    log.wait("connect")
    ws.close()
    log.wait("closed")
    ws.connect()
    log.wait("connect", 2)
    assert log.in_language()
    assert [event.is_reconnect for event in log.all("connect")] == [False, True]


def test_reconnect_while_open_closes_first_and_then_dials(serve, recorded):
    """R15: the server never sees two; the old one gets a Close frame."""
    server = serve()
    ws, log = recorded(server)
    log.wait("connect")
    ws.reconnect()
    log.wait("connect", 2)
    assert log.names == ["connecting", "connect", "disconnect", "connecting", "connect"]
    assert log.all("disconnect")[0].initiator == "user"
    assert server.connections[0].wait_close() == 1000
    assert server.most_live == 1


def test_reconnect_while_open_waits_for_a_deaf_server_only_so_long(serve, recorded):
    """R15: at most close_timeout, then the old transport is dropped and the new one dialled."""

    def deaf(conn):
        conn.answer_close = False
        conn.accept()

    server = serve([deaf, lambda conn: conn.accept()])
    ws, log = recorded(server, close_timeout=0.4)
    log.wait("connect")
    started = time.monotonic()
    ws.reconnect()
    log.wait("connect", 2)
    assert 0.35 <= time.monotonic() - started < 5
    assert server.most_live == 1


def test_reconnect_in_backoff_dials_at_once(serve, recorded):
    """R14, P6: the wait is cut short and the count starts again."""
    server = serve([lambda conn: conn.refuse(503), lambda conn: conn.accept()])
    ws, log = recorded(server, reconnect=Backoff(base=60, cap=60))
    log.wait("reconnecting")
    assert (ws.state, int(ws.ready_state)) == ("backoff", 0)
    ws.reconnect()
    assert log.wait("connect").attempt == 1


def test_many_reconnects_in_backoff_are_one_attempt(serve, recorded):
    """R14: N calls, one attempt."""
    server = serve([lambda conn: conn.refuse(503), lambda conn: (conn.stall(0.3), conn.accept())])
    ws, log = recorded(server, reconnect=Backoff(base=60, cap=60))
    log.wait("reconnecting")
    ws.reconnect()
    log.wait("connect")
    assert server.total == 2
    ws.close()

    server = serve(lambda conn: conn.accept())
    server.stop_listening()
    ws, log = recorded(server, reconnect=Backoff(base=60, cap=60))
    log.wait("reconnecting")
    server.listen_again()
    for _ in range(200):
        ws.reconnect()
    log.wait("connect")
    time.sleep(0.3)
    ws.wait_open(10)
    # How many depends on when the threads run; were every call an attempt, it would be all.
    assert server.total < 200, "calls that come before the I/O thread runs are one attempt"
    assert (server.live, server.most_live) == (1, 1)


def test_reconnect_while_connecting_starts_over(serve, recorded):
    """Section 3: abort the old attempt, dial with what is configured now."""
    server = serve([lambda conn: (conn.read_request(), conn.stall()), lambda conn: conn.accept()])
    ws, log = recorded(server)
    server.wait_total(1)
    ws.reconnect()
    event = log.wait("connect")
    assert event.epoch == log.all("connecting")[-1].epoch
    assert server.connections[0].wait_over(5)
    assert server.live == 1
    assert log.in_language()


def test_the_last_call_wins_while_closing(serve, recorded):
    """R6: close then reconnect dials; reconnect then close ends."""

    def deaf(conn):
        conn.answer_close = False
        conn.accept()

    server = serve(deaf)
    ended = threading.Event()
    ws, log = recorded(server, close_timeout=20, on={"end": lambda _: (ws.close(), ended.set())})
    log.wait("connect")
    closing = threading.Thread(target=ws.close)
    closing.start()
    assert server.connections[0].wait_close() == 1000
    assert ws.state == "closing"
    assert int(ws.ready_state) == 2
    ws.reconnect()
    server.connections[0].drop()
    log.wait("connect", 2)
    closing.join(10)
    assert not closing.is_alive()
    ws.reconnect()
    server.connections[1].wait_close()
    server.connections[1].send_json({"type": "end"})  # in a handler close() returns at once
    assert ended.wait(10)
    server.connections[1].drop()
    assert log.wait("closed").reason == "user"
    time.sleep(0.3)
    assert server.total == 2
    assert log.in_language()


def test_close_then_reconnect_two_hundred_times(serve, recorded):
    """T8, P1, P14: ends with exactly one live connection, never two."""
    server = serve()
    ws, log = recorded(server)
    log.wait("connect")
    for _ in range(200):
        ws.close()
        ws.reconnect()
    ws.wait_open(10)
    assert ws.state == "open"
    assert server.most_live == 1
    assert server.live == 1
    assert log.in_language()


def test_commands_from_many_threads_never_make_two_connections(serve, recorded):
    """T8, T9: concurrent commands; the last reconnect() wins and opens."""
    server = serve()
    ws, log = recorded(server)
    log.wait("connect")

    def hammer(seed):
        for at in range(40):
            (ws.close, ws.reconnect, ws.connect)[(seed + at) % 3]()

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    ws.reconnect()
    ws.wait_open(10)
    assert server.most_live == 1
    assert log.in_language()


@pytest.mark.parametrize("event", ["connecting", "connect", "disconnect", "reconnecting", "error"])
@pytest.mark.parametrize("command", ["reconnect", "close", "connect"])
def test_a_command_in_a_handler_returns_at_once_and_works(serve, recorded, until, total_now, event, command):
    """T5, T9, R3, P16: no handler may wait for its own thread; the order stays in the language."""
    server = serve(
        [lambda conn: conn.refuse(503), lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()]
    )
    took = []

    def handler(payload):
        if not took:
            started = time.monotonic()
            getattr(payload.client, command)()
            took.append(time.monotonic() - started)

    ws, log = recorded(server, close_timeout=20, on={event: handler})
    assert until(lambda: took)
    if command == "close":
        assert log.wait("closed").reason == "user"
        total = total_now(server)
        time.sleep(0.3)
        assert (server.total, ws.state) == (total, "closed")
    else:
        ws.wait_open(10)
    assert log.in_language()
    assert took[0] < 10
