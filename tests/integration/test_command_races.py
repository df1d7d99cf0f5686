"""Commands that come at the very moment when the connection does something: each case is tried many times."""

import random
import threading
import time

from fastws import Backoff
from fastws._scripted_frames import encode_frame

TEXT, PING = 1, 9


def spin_until(when):
    """Be there on time: sleeping is too coarse."""
    while time.monotonic() < when:
        pass


def test_reconnect_as_the_first_message_comes(serve, client):
    """R1, P4: a message that came with the answer of an attempt that was replaced is nobody's."""
    asked = threading.Event()

    def script(conn):
        conn.read_request()
        asked.set()
        conn.accept(then=encode_frame(PING, b"p") + encode_frame(TEXT, b'{"type": "first"}'))

    ws = client(serve(script), autoconnect=False, reconnect=Backoff(base=0.01, cap=0.01))
    told = []
    ws.on("*", lambda event, _: told.append(event))
    for _ in range(150):
        asked.clear()
        ws.reconnect()
        assert asked.wait(10)
        spin_until(time.monotonic() + random.uniform(0, 200e-6))
        ws.reconnect()
        time.sleep(0.004)
    ws.close()
    connected = False
    for event in told:
        assert event != "first" or connected, "a message outside a connection"
        if event != "first":
            connected = event == "connect"
    assert "first" in told
    assert "error" not in told


def test_reconnect_as_the_backoff_ends(serve, client, until):
    """R14: the timer of what a command replaced says nothing about the new attempt."""
    server = serve()
    server.stop_listening()
    due, timeouts = [], []
    ws = client(server, autoconnect=False, reconnect=Backoff(base=0.004, cap=0.004, jitter=0))
    ws.on("reconnecting", lambda event: due.append(event.at))
    ws.on("error", lambda event: timeouts.append(event) if event.phase == "timeout" else None)
    ws.connect()
    for number in range(600):
        assert until(lambda number=number: len(due) > number)
        spin_until(due[-1] + random.uniform(-60e-6, 20e-6))
        ws.reconnect()
    ws.close()
    assert not timeouts


def test_after_a_storm_of_commands_an_open_client_sends(serve, client):
    """R7: what close() and reconnect() switch off belongs to the connection that they ended."""
    server = serve()
    ws = client(server, reconnect=Backoff(base=0.01, cap=0.02))
    for _ in range(60):
        commands = (ws.reconnect, ws.close, ws.reconnect, ws.reconnect, ws.close, ws.reconnect)
        threads = [threading.Thread(target=command) for command in commands]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        ws.connect() if ws.state == "closed" else None
        ws.wait_open(15)
        assert ws.send({"n": 1})


def test_a_protocol_error_behind_close_is_not_told(serve, client, until):
    """R2: after close() has returned no handler starts but those of disconnect and closed."""
    closed = threading.Event()

    def script(conn):
        conn.answer_close = False
        conn.accept()
        conn.send_json({"type": "go"})
        closed.wait(15)
        conn.send_frame(3, b"no such opcode")

    ws = client(serve(script), autoconnect=False)
    told = []
    ws.on("*", lambda event, _: told.append(event))
    ws.on("go", lambda _: (ws.close(), closed.set()))
    ws.connect()
    assert until(lambda: "closed" in told)
    assert told == ["connecting", "connect", "disconnect", "closed"]
