"""A client's handlers run on one thread of its own, and where the system gives none, on() says so and changes nothing."""

import threading
import time

import pytest


def refuse(thread):
    """What Thread.start does where the system has no thread left."""
    raise RuntimeError("can't start new thread")


def test_of_many_clients_each_is_told_in_order_on_its_own_named_thread(serve, client, until):
    server, told = serve(), []
    made = []
    for index in range(20):
        ws = client(server.url + str(index), name=f"told{index}")
        made.append(ws.on("n", lambda m, i=index: told.append((i, m["n"], threading.current_thread().name))))
    for ws in made:
        ws.wait_open(10)
    conns = {conn.request.path: conn for conn in server.connections}
    for n in range(3):
        for index in range(20):
            conns[f"/{index}"].send_json({"type": "n", "n": n})
    assert until(lambda: len(told) == 60)
    assert all(name == f"fastws-told{index}" for index, _, name in told)
    for index in range(20):
        assert [n for one, n, _ in told if one == index] == [0, 1, 2]


def test_without_a_thread_on_raises_and_the_next_one_works(opened, until, monkeypatch):
    ws, conn = opened()
    told = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for event in ("n", "connect"):
            with pytest.raises(RuntimeError, match="can't start new thread"):
                ws.on(event, lambda message: told.append("refused"))
    conn.send_json({"type": "n", "n": 1})  # kept, for a handler may still come
    ws.on("n", lambda message: told.append(message["n"]))
    assert until(lambda: told == [1])
    conn.send_json({"type": "n", "n": 2})
    assert until(lambda: told == [1, 2])


def test_without_a_thread_keep_raises_and_the_next_one_works(opened, until, monkeypatch):
    ws, conn = opened()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            ws.keep("n", 5)
    with pytest.raises(ValueError, match="nothing of 'n' is kept"):
        ws.tail("n")
    ws.keep("n", 2)
    for n in range(3):
        conn.send_json({"type": "n", "n": n})
    assert until(lambda: [message["n"] for message in ws.tail("n")] == [1, 2])


def test_who_looks_at_the_state_meanwhile_calls_no_handler(serve, client):
    server, told = serve(), []
    for index in range(30):
        ws = client(server).on("n", lambda message: told.append(threading.get_ident()))
        ws.wait_open(10)
        server.wait_open(index + 1).send_json({"type": "n"})
        end = time.monotonic() + 10
        while len(told) <= index and time.monotonic() < end:
            assert ws.state == "open"
    assert len(told) == 30
    assert threading.get_ident() not in told
