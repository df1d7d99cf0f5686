"""Many threads on one client while messages flow: nothing is lost, doubled, crossed or stuck."""

import contextlib
import json
import threading
import time

from fastws import Backoff, WebSocketClient


def run(*targets, timeout=60):
    """Run all at once; every thread must end; the first exception is raised."""
    failures = []

    def guarded(target):
        try:
            target()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    end = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.1, end - time.monotonic()))
        assert not thread.is_alive(), "a thread is stuck"
    if failures:
        raise failures[0]


def forever(conn):
    """Sends numbered messages until the connection ends."""
    number = 0
    while not conn.stall(0):
        conn.send_raw(b"".join(frame(number + at) for at in range(50)))
        number += 50


def frame(number):
    text = b'{"type":"n","n":%d}' % number
    return bytes([0x81, len(text)]) + text


def test_eight_threads_send_at_full_speed(serve, client, until):
    """R7, P8: every accepted message arrives once, each thread's in its order, while messages flow in."""
    server = serve(forever)
    ws = client(server, autoconnect=False)
    received = []
    ws.on("n", lambda message: received.append(message["n"]))
    ws.connect()
    ws.wait_open(10)
    conn = server.wait_open(1)

    def sender(name):
        for number in range(1500):
            assert ws.send({"from": name, "n": number, "pad": "x" * (number % 300)})

    run(*[lambda name=name: sender(name) for name in range(8)])
    assert until(lambda: len(conn.messages) == 8 * 1500, 30)
    ws.close()
    by_thread = {name: [] for name in range(8)}
    for text in conn.messages:
        message = json.loads(text)
        by_thread[message["from"]].append(message["n"])
    assert all(numbers == list(range(1500)) for numbers in by_thread.values())
    assert received == list(range(len(received))) and received


def test_handlers_come_and_go_while_messages_flow(serve, client, until):
    """R12: the standing handler sees every message; those that come and go never see one after they went."""
    server = serve(forever)
    ws = client(server, autoconnect=False)
    standing, wrong = [], []
    ws.on("n", lambda message: standing.append(message["n"]))
    ws.connect()
    ws.wait_open(10)
    stop = time.monotonic() + 2.0

    def registrar():
        while time.monotonic() < stop:
            gone = threading.Event()

            def handler(message, gone=gone):
                if gone.is_set():
                    wrong.append(message["n"])

            ws.on("n", handler)
            ws.on("message", handler)
            ws.on("never", handler)
            ws.off("message", handler)
            ws.off("never")
            ws.off("n", handler)
            # A call that is running now may still finish: it is over two messages later.
            later = len(standing) + 2
            until(lambda later=later: len(standing) >= later)
            gone.set()

    run(*[registrar] * 4)
    assert until(lambda: len(standing) > 1000)
    ws.close()
    assert standing == list(range(len(standing)))
    assert not wrong


def test_everything_at_once(serve, client, until):
    """Senders, readers, handlers, stats, commands and losses together: it ends open, and every call returned."""
    ends = [
        lambda conn: (forever_for(conn, 0.15), conn.reset()),
        lambda conn: (forever_for(conn, 0.15), conn.close(1001)),
    ]
    server = serve(ends * 200)
    ws = client(server, reconnect=Backoff(base=0.01, cap=0.02), name="busy")
    ws.on("message", lambda message: None)
    stop = time.monotonic() + 4.0

    def until_stop(action):
        def work():
            while time.monotonic() < stop:
                action()

        return work

    def read():
        with contextlib.suppress(TimeoutError):
            ws.recv(0.05)

    def register():
        handler = lambda message: None
        ws.on("n", handler)
        ws.off("n", handler)

    run(
        *[until_stop(lambda: (ws.send({"a": [1, 2, 3]}), time.sleep(0.0005)))] * 3,
        until_stop(read),
        until_stop(register),
        until_stop(lambda: (ws.stats(), repr(ws), ws.state, ws.latency)),
        until_stop(lambda: (ws.reconnect(), time.sleep(0.1))),
    )
    assert until(lambda: ws.state == "open", 20)
    assert server.most_live == 1


def forever_for(conn, seconds):
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end and not conn.stall(0):
        conn.send_raw(frame(number))
        number += 1


def test_many_clients_at_once(serve, client, until):
    """Fifty clients on one I/O thread: each gets its own messages, in order."""
    server = serve(
        lambda conn: [conn.send_json({"type": "n", "c": conn.index, "n": number}) for number in range(200)]
    )
    seen = [[] for _ in range(50)]
    made = []
    for mine in seen:
        ws = client(server, autoconnect=False)
        ws.on("n", lambda message, mine=mine: mine.append((message["c"], message["n"])))
        made.append(ws)
    for ws in made:
        ws.connect()
    assert until(lambda: all(len(mine) == 200 for mine in seen), 60)
    for mine in seen:
        assert [number for _, number in mine] == list(range(200))
        assert len({index for index, _ in mine}) == 1
    assert len({mine[0][0] for mine in seen}) == 50


def test_threads_making_and_closing_clients(serve, client):
    """Construction, use and close in eight threads."""
    server = serve(lambda conn: conn.send_json({"type": "hi"}))

    def life():
        for _ in range(15):
            with WebSocketClient(server.url) as ws:
                assert ws.send({"x": 1})
                assert ws.recv(20) == {"type": "hi"}

    run(*[life] * 8)
    assert server.total == 120


def test_a_fork_while_another_thread_adds_a_handler_leaves_the_child_free(child):
    """A lock that only the parent's thread can release is no lock of the child's."""
    source = """
        import os, signal, warnings
        warnings.simplefilter("ignore")
        ws = WebSocketClient("ws://127.0.0.1:9/", autoconnect=False)
        held, forked = threading.Event(), threading.Event()
        def hold():
            with ws._dispatcher.handlers._lock:
                held.set()
                forked.wait(20)
        threading.Thread(target=hold).start()
        held.wait(10)
        pid = os.fork()
        if pid == 0:
            signal.alarm(10)
            ws.on("a", print).off("a")
            os._exit(7)
        forked.set()
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        ws.close()
    """
    assert child(source).hear(25) == [7]
