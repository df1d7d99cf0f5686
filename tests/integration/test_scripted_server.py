"""The scripted server itself, against the `websockets` client: what other tests take for granted."""

import re
import socket
import ssl
import subprocess
import sys
import time

import pytest
import trustme
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from fastws.testing import ScriptedServer


def test_a_script_sends_and_expects():
    def script(conn):
        conn.send_json({"type": "hello"})
        assert conn.expect_json() == {"type": "subscribe"}
        conn.send(b"\x00\xff")
        conn.close(4001, "enough")

    with ScriptedServer(script) as server, connect(server.url) as peer:
        assert peer.recv() == '{"type": "hello"}'
        peer.send('{"type": "subscribe"}')
        assert peer.recv() == b"\x00\xff"
        with pytest.raises(ConnectionClosedError) as caught:
            peer.recv()
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4001, "enough")
        conn = server.connections[0]
        assert conn.wait_over()
        assert (conn.close_code, conn.messages) == (4001, ['{"type": "subscribe"}'])


def test_no_script_accepts_records_and_answers():
    with ScriptedServer() as server:
        with connect(server.url + "path?x=1", additional_headers={"X-Token": "t"}) as peer:
            peer.send("one")
            peer.send(["two", "parts"])
            peer.ping().wait(5)
        conn = server.wait_total(1)
        assert conn.wait_over()
        assert conn.messages == ["one", "twoparts"]
        assert (conn.request.path, conn.request.headers["x-token"]) == ("/path?x=1", "t")
        assert (len(conn.pings), conn.close_code, server.live, server.most_live, server.total) == (
            1,
            1000,
            0,
            1,
            1,
        )


def test_scripts_serve_one_connection_each_and_the_last_repeats():
    first = lambda conn: conn.refuse(503, [("Retry-After", "2")], b"later")
    with ScriptedServer([first, lambda conn: conn.send("second")]) as server:
        with pytest.raises(InvalidStatus) as caught, connect(server.url):
            pass
        answer = caught.value.response
        assert (answer.status_code, answer.headers["Retry-After"], answer.body) == (503, "2", b"later")
        for _ in range(2):
            with connect(server.url) as peer:
                assert peer.recv() == "second"


def test_fragments_chunks_and_pings():
    def script(conn):
        conn.accept(chunk=1)
        conn.send_fragments(["a", "b", "c"])
        conn.send_frame(0x1, "é".encode(), chunk=1)
        conn.ping(b"mark")

    with ScriptedServer(script) as server, connect(server.url, compression=None) as peer:
        assert [peer.recv(), peer.recv()] == ["abc", "é"]
        conn = server.connections[0]
        end = time.monotonic() + 5
        while not conn.pongs and time.monotonic() < end:
            time.sleep(0.01)
        assert [payload for _, payload in conn.pongs] == [b"mark"]


@pytest.mark.parametrize("way", ["reset", "drop", "fin"])
def test_ends_without_a_close_frame(way):
    with ScriptedServer(lambda conn: (conn.accept(), getattr(conn, way)())) as server:
        with connect(server.url) as peer, pytest.raises(ConnectionClosedError) as caught:
            peer.recv(timeout=5)
        assert caught.value.rcvd is None


def test_a_wrong_accept_key_is_noticed():
    with ScriptedServer(lambda conn: conn.accept(key="x" * 28)) as server, pytest.raises(InvalidHandshake):
        with connect(server.url):
            pass


def test_a_close_can_be_left_without_answer():
    def script(conn):
        conn.answer_close = False

    with ScriptedServer(script) as server:
        with connect(server.url, close_timeout=0.2):
            pass
        assert server.connections[0].wait_close() == 1000


def test_stop_listening_refuses_and_listen_again_accepts():
    with ScriptedServer(lambda conn: conn.send("still")) as server, connect(server.url) as standing:
        server.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((server.host, server.port))
        assert standing.recv() == "still"
        server.listen_again()
        with connect(server.url) as peer:
            assert peer.recv() == "still"


def test_live_counts_a_client_that_left_before_it_is_read():
    def script(conn):
        conn.pause_reading()
        conn.accept()

    with ScriptedServer(script) as server:
        raw = socket.create_connection((server.host, server.port))
        raw.sendall(b"GET / HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n")
        server.wait_open(1)
        assert server.live == 1
        raw.close()
        end = time.monotonic() + 5
        while server.live and time.monotonic() < end:
            time.sleep(0.01)
        assert server.live == 0


def test_tls_with_a_certificate_and_the_server_name(tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with ScriptedServer(lambda conn: conn.send("x" * 300000), tls=context) as server:
        url = server.url.replace("localhost", "127.0.0.1")  # a bare machine knows no names at all
        with connect(url, ssl=trusting, server_hostname="localhost") as peer:
            assert len(peer.recv()) == 300000
            peer.send("y" * 300000)
        assert server.connections[0].wait_over()
        assert server.connections[0].server_name == "localhost"
        assert [len(text) for text in server.connections[0].messages] == [300000]


def test_a_stalled_server_answers_nothing_and_stop_ends_it():
    for step in ("stall", "read_request"):
        with ScriptedServer(lambda conn, step=step: (getattr(conn, step)(), conn.stall())) as server:
            with pytest.raises(TimeoutError), connect(server.url, open_timeout=0.3):
                pass
            assert server.wait_total(1).wait_over(5)


def test_a_failing_script_fails_the_test():
    def script(conn):
        assert conn.expect() == "right"

    with pytest.raises(AssertionError, match="a script failed"), ScriptedServer(script) as server:
        with connect(server.url) as peer:
            peer.send("wrong")
            with pytest.raises((ConnectionClosedError, ConnectionClosedOK)):
                peer.recv(timeout=5)


USERS_TESTS = """
import time
from fastws import WebSocketClient

def test_two_servers(scripted_server):
    for n in (1, 2):
        server = scripted_server(lambda conn: conn.send_json(n))
        with WebSocketClient(server.url) as ws:
            assert ws.recv(10) == n

def test_a_script_that_fails(scripted_server):
    def script(conn):
        conn.accept()
        raise LookupError("in the script")

    server = scripted_server([script], host="127.0.0.1")
    with WebSocketClient(server.url) as ws:
        while not server.errors:
            time.sleep(0.01)
"""


def test_pytest_finds_the_fixture(tmp_path):
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rE", tmp_path]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert "LookupError: in the script" in run.stdout
    assert "ERROR test_users.py::test_a_script_that_fails" in run.stdout
    assert re.search("2 passed.*, 1 error in", run.stdout)


def test_without_pytest_nothing_imports_it():
    source = "import sys, fastws, fastws.testing; assert not {'pytest', '_pytest'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", source], check=True, timeout=100)
