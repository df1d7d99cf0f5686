"""Garbage: a client nobody holds ends, in every state, also out of a cycle with its own handlers (R17, T46)."""

import gc
import logging
import pathlib
import sys
import time
import weakref

import pytest
from exits import script_for

import fastws
from fastws import Backoff, WebSocketClient
from fastws.testing import ScriptedServer

PROGRAM = pathlib.Path(__file__).with_name("fork_collecting.py")
STATES = ["idle", "connecting", "open", "backoff", "closing", "closed"]


def until(condition, timeout=15.0):
    end = time.monotonic() + timeout
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return result


@pytest.fixture
def quiet_server():
    """One server per state's needs."""
    made = []

    def make(state):
        made.append(ScriptedServer(script_for(state)))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def make(server, state):
    ws = WebSocketClient(
        server.url, autoconnect=state != "idle", close_timeout=20.0, reconnect=Backoff(base=60, cap=60)
    )
    if state == "closing":
        ws.on("connect", lambda event: event.client.close())
    if state == "closed":
        ws.wait_open(10)
        ws.close()
    assert until(lambda: ws.state == state), ws.state
    return ws


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("cyclic", [False, True], ids=["plain", "cycle"])
def test_a_dropped_client_ends(quiet_server, caplog, state, cyclic):
    """R17: ResourceWarning and one WARNING unless it was closed; the connection, the threads and the entry go."""
    server = quiet_server(state)
    ws = make(server, state)
    alive = weakref.ref(ws)
    if cyclic:
        # the handler's closure holds the client, the client holds the handler
        ws.on("n", lambda message, ws=ws: ws.send(message)).on("disconnect", lambda event, ws=ws: ws)
    caplog.clear()
    ended = state in ("closed", "closing")
    if ended:
        del ws
        # The handler that closed may not have returned yet, and holds the client until then.
        assert until(lambda: gc.collect() >= 0 and alive() is None)
    else:
        with pytest.warns(ResourceWarning):
            del ws
            gc.collect()
    assert alive() is None
    assert list(fastws.clients()) == []
    assert until(lambda: server.live == 0)
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == (0 if ended else 1)


def test_a_dropped_open_client_says_goodbye_and_never_comes_back(quiet_server):
    """api.md 5: a Close frame is written if it can be at once; nothing waits; no attempt follows."""
    server = quiet_server("open")
    ws = make(server, "open")
    started = time.monotonic()
    with pytest.warns(ResourceWarning):
        del ws
        gc.collect()
    assert time.monotonic() - started < 10.0  # half of close_timeout
    assert server.connections[0].wait_close() is not None
    time.sleep(0.3)
    assert server.total == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_dropped_under_flood_from_inside_its_own_handler():
    """T5: the last reference goes while its handler runs, on the handler's own thread."""
    holder, done = {}, []

    def flood(conn):
        while not conn.stall(0.001):
            conn.send_json({"type": "n"})

    def handler(message):
        if holder.pop("ws", None) is not None:
            done.append(True)

    with ScriptedServer(flood) as server:
        holder["ws"] = WebSocketClient(server.url, autoconnect=False)
        alive = weakref.ref(holder["ws"])
        holder["ws"].on("n", handler)
        holder["ws"].connect()
        assert until(lambda: done)
        assert until(lambda: (gc.collect(), alive() is None)[1])
        assert until(lambda: server.live == 0)


def test_a_reader_keeps_its_client_and_lets_it_go(quiet_server):
    """A living iterator holds its client; with it goes the client."""
    server = quiet_server("open")
    ws = make(server, "open")
    alive = weakref.ref(ws)
    reader = iter(ws)
    ws.close()
    del ws
    assert list(reader) == []
    del reader
    gc.collect()
    assert alive() is None


def test_handlers_are_released_with_their_client(quiet_server):
    """R17: nothing native keeps a callable: reference counts are as before."""

    def handler(message):
        pass

    before = sys.getrefcount(handler)
    server = quiet_server("open")
    for _ in range(5):
        ws = make(server, "open")
        ws.on("n", handler).on("message", handler).on("connect", handler)
        ws.close()
        del ws
    gc.collect()
    assert until(lambda: (gc.collect(), sys.getrefcount(handler) == before)[1])


def test_a_rerun_cell_leaves_one_client(quiet_server):
    """T46: the same variable bound again and again; each old client goes when it is replaced."""
    server = quiet_server("open")
    ws = make(server, "open")
    for _ in range(10):
        with pytest.warns(ResourceWarning):
            ws = make(server, "open")
            gc.collect()
    assert [one is ws for one in fastws.clients()] == [True]
    assert until(lambda: server.live == 1)
    ws.close()


@pytest.mark.parametrize("moment", ["before", "after_in_parent", "after_in_child"])
def test_a_client_may_be_collected_while_a_fork_is_under_way(repeat, execute, moment):
    """R19: the thread that forks waits for nothing of its own."""
    for ended in repeat(lambda: execute(PROGRAM, moment, timeout=30)):
        assert (ended.code, ended.said("child")) == (0, 7), ended
