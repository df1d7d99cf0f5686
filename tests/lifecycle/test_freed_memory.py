"""What must not be touched after it was given back: programs in which the C library fills what is freed."""

from fastws.testing import ScriptedServer

FILLED = {"MALLOC_PERTURB_": "85", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}

PROGRAM = """
import sys, threading, time
from fastws import Backoff, WebSocketClient
gate, seen = threading.Event(), []
ws = WebSocketClient(sys.argv[1], inbox_messages=10, autoconnect=False, reconnect=Backoff(base=60, cap=60))
ws.on("n", lambda message: (seen.append(message), gate.wait(30)))
ws.connect()
end = time.monotonic() + 30
while ws.stats().inbox_messages < 10 or ws.state == "connecting":
    assert time.monotonic() < end
    time.sleep(0.01)
time.sleep(0.3)  # the server's Close comes behind what is not read
threading.Timer(0.2, gate.set).start()
getattr(ws, sys.argv[2])()
time.sleep(0.3)
ws.close()
"""


def script(conn):
    conn.accept()
    for number in range(100):
        conn.send_json({"type": "n", "n": number})
    conn.close(1000, wait=False)
    conn.stall(10)


def test_a_paused_client_is_closed_when_the_server_has_closed_already(execute, repeat, tmp_path):
    """The Close frame that is read in the middle of sending ours ends the connection."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    with ScriptedServer(script) as server:
        for command in ("close", "reconnect"):
            for ended in repeat(
                lambda command=command: execute(path, server.url, command, environment=FILLED)
            ):
                assert ended.code == 0, ended
