"""Ctrl-C while the main thread waits inside the client: every waiting call lets it through, soon."""

import pytest

from fastws.testing import ScriptedServer

PROGRAM = """
import sys, time
import logging; logging.getLogger("fastws").addHandler(logging.NullHandler())
from fastws import Backoff, WebSocketClient
from telling import say
ws = WebSocketClient(sys.argv[1], connect_timeout=60, close_timeout=CLOSE, send_timeout=None, outbox_bytes=1000,
                     reconnect=Backoff(base=60, cap=60))
def ready():
    say("ready")
    return ws
def fill():
    while ws.send_bytes(b"x" * 1000000):
        pass
def opened():
    ws.wait_open(15)
    return ready()
try:
    CALL
except KeyboardInterrupt:
    say("interrupted", time.monotonic(), ws.state)
"""
CALLS = {
    "wait": "opened().wait()",
    "wait with a timeout": "opened().wait(60)",
    "recv": "opened().recv()",
    "recv with a timeout": "opened().recv(60)",
    "recv beside another thread's": "import threading; threading.Thread(target=list, args=(ws,), daemon=True).start(); "
    "time.sleep(0.2); opened().recv()",
    "iteration": "[message for message in opened()]",
    "messages": "[message for message in opened().messages('a')]",
    "ping": "opened().ping(60)",
    "send": "opened(); fill()",
    "send_many": "opened(); ws.send_many('x' * 100_000 for _ in iter(int, 1))",
    "flush": "opened(); ws.send_bytes(b'x' * 8_000_000); ws.flush(60)",
    "close": "opened().close()",
    "wait_open": "ready().wait_open()",
    "with": "ready().__enter__()",
}


def script_for(name):
    def script(conn):
        conn.answer_close = conn.answer_pings = False
        if name in ("wait_open", "with"):
            conn.stall()
        conn.pause_reading()
        conn.accept()

    return script


@pytest.mark.parametrize("name", CALLS)
def test_every_waiting_call_can_be_interrupted(execute, tmp_path, name):
    """api.md 5 and 8: KeyboardInterrupt within a second or so, and the program decides what happens then."""
    path = tmp_path / "program.py"
    # an interrupted wait() closes the client first, and this server answers no Close
    path.write_text(PROGRAM.replace("CALL", CALLS[name]).replace("CLOSE", "60" if name == "close" else "0.5"))
    with ScriptedServer(script_for(name), receive_buffer=4096) as server:
        ended = execute(path, server.url, interrupt=0.4)
    said = {line[0]: line[1:] for line in ended.lines}
    assert "interrupted" in said, ended
    assert said["interrupted"][0] - said["signalled"][0] < 10.0  # the calls wait a minute, or for ever
    assert (ended.code, ended.stderr) == (0, "")


def test_a_signal_handler_of_the_program_runs_and_the_wait_goes_on(execute, tmp_path):
    """A handled signal is no interrupt: recv() goes on waiting and gets its message."""
    path = tmp_path / "program.py"
    program = """
import signal
signal.signal(signal.SIGINT, lambda *_: (say("handled"), ws.send("go")))
say("got", opened().recv(30))
"""
    path.write_text(
        PROGRAM.replace("CLOSE", "0.5").replace(
            'try:\n    CALL\nexcept KeyboardInterrupt:\n    say("interrupted", time.monotonic(), ws.state)',
            program,
        )
    )
    with ScriptedServer(lambda conn: (conn.expect(30), conn.send_json({"n": 1}))) as server:
        ended = execute(path, server.url, interrupt=0.4)
    assert [line for line in ended.lines if line[0] in ("handled", "got")] == [["handled"], ["got", {"n": 1}]]
    assert (ended.code, ended.stderr) == (0, "")
