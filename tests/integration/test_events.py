"""Lifecycle events: their order, their fields, their pairing, and what the log says when nobody handles them."""

import gc
import logging
import threading
import weakref

import pytest

from fastws import Backoff, WebSocketClient

OPEN_DROP = lambda conn: (conn.accept(), conn.drop())
OPEN = lambda conn: conn.accept()
REFUSE = lambda conn: conn.refuse(503)


def test_a_whole_story_in_order(serve, recorded):
    """P4, D3: failures are error + reconnecting, connections are paired connect and disconnect, closed ends it."""
    server = serve([REFUSE, OPEN_DROP, REFUSE, REFUSE, OPEN_DROP, OPEN])
    ws, log = recorded(server)
    log.wait("connect", 3)
    ws.close()
    failed = ["connecting", "error", "reconnecting"]
    lost = ["connecting", "connect", "disconnect", "reconnecting"]
    assert log.names == failed + lost + failed * 2 + lost + ["connecting", "connect", "disconnect", "closed"]
    assert log.in_language()


def test_connect_and_disconnect_are_paired_by_epoch(serve, recorded):
    """D3, T39: every disconnect has the epoch of the connect before it; epochs only grow."""
    server = serve([*[OPEN_DROP, REFUSE] * 5, OPEN])
    ws, log = recorded(server)
    log.wait("connect", 6)
    ws.close()
    opened = [event.epoch for event in log.all("connect")]
    assert opened == [event.epoch for event in log.all("disconnect")]
    tried = [event.epoch for event in log.all("connecting")]
    assert tried == sorted(set(tried))
    assert set(opened) <= set(tried)


def test_fields_of_connecting_and_connect(serve, recorded):
    """Section 6; T40: is_reconnect and downtime."""
    server = serve([OPEN_DROP, REFUSE, OPEN])
    ws, log = recorded(server)
    log.wait("connect", 2)
    first, second = log.all("connect")
    assert (first.attempt, first.is_reconnect, first.downtime, first.subprotocol) == (1, False, 0, None)
    assert (first.url, second.url) == (server.url, server.url)
    assert second.is_reconnect
    assert 0 < second.downtime < 10
    assert second.attempt == 3, "the 1-based number of this attempt since the last stable connection"
    assert [event.attempt for event in log.all("connecting")] == [1, 2, 3]
    assert all(event.url == server.url for event in log.all("connecting"))
    assert [event.client is ws for _, event in log.entries] == [True] * len(log.entries)


def test_fields_of_disconnect_and_reconnecting(serve, recorded):
    server = serve([lambda conn: (conn.expect(), conn.stall(0.15), conn.close(4000, "so")), OPEN])
    ws, log = recorded(server)
    log.wait("connect")
    ws.send("it is open from here on")
    log.wait("connect", 2)
    lost = log.all("disconnect")[0]
    assert (lost.code, lost.reason, lost.clean, lost.initiator, lost.will_reconnect) == (
        4000,
        "so",
        True,
        "server",
        True,
    )
    assert 0.15 <= lost.uptime < 10
    assert (lost.unsent_messages, lost.unsent_bytes) == (0, 0)
    waiting = log.all("reconnecting")[0]
    assert waiting.attempt == 1
    assert waiting.cause is lost


def test_fields_of_error(serve, recorded):
    """Section 6: one per failure; the cause of reconnecting is the same object."""
    server = serve([lambda conn: conn.refuse(429, [("Retry-After", "0")]), OPEN])
    _, log = recorded(server)
    log.wait("connect")
    error = log.all("error")[0]
    assert (error.phase, error.http_status, error.retry_after, error.attempt, error.fatal) == (
        "http",
        429,
        0,
        1,
        False,
    )
    assert "429" in error.message
    assert log.all("reconnecting")[0].cause is error


def test_fields_of_closed(serve, recorded):
    """closed carries reason, code and the last error."""
    server = serve(lambda conn: conn.refuse(404))
    _, log = recorded(server)
    closed = log.wait("closed")
    assert closed.reason == "fatal"
    last = closed.last_error
    assert "404" in str(last)
    assert (last.url, last.host, last.phase, last.attempt, last.epoch) == (
        server.url,
        "127.0.0.1",
        "http",
        1,
        1,
    )
    told = log.all("error")[0].exception
    assert vars(last) == vars(told), "as the `error` event of the same failure has it"


def test_events_are_frozen_and_slotted_and_have_a_repr(serve, recorded):
    """api.md 3."""
    server = serve([REFUSE, OPEN_DROP, OPEN])
    ws, log = recorded(server)
    log.wait("connect", 2)
    ws.close()
    for name, event in log.entries:
        assert not hasattr(event, "__dict__"), name
        with pytest.raises((AttributeError, TypeError)):
            event.epoch = 5
        assert type(event).__name__ in repr(event)


def test_a_kept_event_does_not_keep_its_client(serve, until):
    """Section 6: client is a property over a weak reference."""
    server = serve()
    kept, opened = [], threading.Event()
    ws = WebSocketClient(server.url)
    ws.on("connect", lambda event: (kept.append(event), opened.set()))
    assert opened.wait(10)
    assert kept[0].client is ws
    alive = weakref.ref(ws)
    ws.close()
    del ws
    assert until(lambda: (gc.collect(), alive() is None)[1])
    assert kept[0].client is None


def test_handlers_run_on_one_thread_that_is_not_the_callers(serve, recorded):
    """R12, T42: whatever the command, no handler runs on the caller's stack."""
    server = serve([REFUSE, OPEN_DROP, lambda conn: (conn.accept(), conn.send_json({"type": "hi"}))])
    threads = []
    note = lambda _: threads.append(threading.current_thread())
    events = ["connecting", "connect", "disconnect", "reconnecting", "error", "closed", "hi", "message"]
    ws, log = recorded(server, on=dict.fromkeys(events, note))
    log.wait("connect", 2)
    ws.reconnect()
    log.wait("connect", 3)
    ws.close()
    assert len({thread.ident for thread in threads}) == 1
    assert threading.current_thread() not in threads
    assert threads[0].name.startswith("fastws-")
    assert threads[0].daemon


def test_connect_registered_while_connected_is_called_once(serve, client, until):
    """api.md 4: for the present connection; not again until the next."""
    server = serve([OPEN, OPEN])
    ws = client(server)
    ws.wait_open(10)
    seen = []
    ws.on("connect", lambda event: seen.append(event.epoch))
    assert until(lambda: seen)
    ws.on("disconnect", lambda event: None)
    server.drop_all()
    assert until(lambda: len(seen) == 2)
    assert seen[0] != seen[1]


def test_a_second_connect_handler_added_late_is_called_too_and_the_first_not_again(serve, client, until):
    server = serve()
    ws = client(server)
    first, second = [], []
    ws.on("connect", lambda: first.append(1))
    assert until(lambda: first)
    ws.on("connect", lambda: second.append(1))
    assert until(lambda: second)
    ws.send({"x": 1})
    server.wait_open(1).expect()
    assert (len(first), len(second)) == (1, 1)


def test_a_failure_without_handlers_is_logged(serve, client, caplog, until):
    """Section 6: error at WARNING, reconnecting at WARNING, in the logger `fastws`."""
    caplog.set_level(logging.INFO, logger="fastws")
    server = serve([REFUSE, OPEN])
    client(server).wait_open(10)
    assert until(lambda: [r for r in caplog.records if r.name == "fastws" and "503" in r.getMessage()])
    assert {record.levelno for record in caplog.records if record.name == "fastws"} >= {logging.WARNING}


def test_a_fatal_end_without_handlers_is_logged_as_an_error(serve, client, caplog, until):
    caplog.set_level(logging.INFO, logger="fastws")
    ws = client(serve(lambda conn: conn.refuse(403)))
    assert until(lambda: ws.state == "closed")
    assert until(lambda: [record for record in caplog.records if record.levelno == logging.ERROR])


def test_an_error_with_a_handler_is_not_logged_as_well(serve, client, caplog, until):
    """Section 6: only an error event *without a handler* is logged."""
    caplog.set_level(logging.INFO, logger="fastws")
    server = serve([lambda conn: (conn.accept(), conn.send("{bad"), conn.send_json({"type": "end"}))])
    errors, ended = [], threading.Event()
    ws = client(server, autoconnect=False)
    ws.on("error", errors.append).on("message", lambda message: ended.set())
    ws.connect()
    assert ended.wait(10)
    assert [error.phase for error in errors] == ["decode"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_lifecycle_events_survive_a_full_inbox(serve, recorded, until):
    """R13: never dropped by what messages do."""
    gate = threading.Event()

    def script(conn):
        for number in range(50):
            conn.send_json({"type": "n", "n": number})
        conn.drop()

    server = serve([*[script] * 5, OPEN])
    _, log = recorded(
        server, inbox_messages=10, on={"n": lambda _: gate.wait(0.5)}, reconnect=Backoff(base=0.01, cap=0.01)
    )
    gate.set()
    log.wait("connect", 6, timeout=60)
    assert len(log.all("disconnect")) == 5
    assert log.in_language()


def test_events_come_in_the_order_they_happened(serve, recorded):
    """R13: connect, then that connection's messages, then its disconnect; over many short lives."""

    def script(conn):
        for number in range(100):
            conn.send_json({"type": "n", "c": conn.index, "n": number})
        conn.close(4000)

    story = []
    server = serve([*[script] * 5, OPEN])
    on = {
        "n": lambda message: story.append((message["c"], message["n"])),
        "connect": lambda _: story.append("connect"),
        "disconnect": lambda _: story.append("disconnect"),
    }
    _, log = recorded(server, on=on)
    log.wait("connect", 6)
    expected = []
    for index in range(5):
        expected += ["connect", *[(index, number) for number in range(100)], "disconnect"]
    assert story[: len(expected)] == expected
