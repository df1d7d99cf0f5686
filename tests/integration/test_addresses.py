"""Where a connection goes to and comes from: unix domain sockets, local addresses, ports, children that inherit nothing."""

import socket
import subprocess
import sys
import threading

import pytest
import websockets.sync.server

from fastws import WebSocketClient


@pytest.fixture
def unix_server(tmp_path):
    """An echo server of the `websockets` package on a socket in the file system; gives its path."""
    path = tmp_path / "a socket.sock"

    def echo(peer):
        peer.send(f"{peer.request.headers['Host']} {peer.request.path}")
        for message in peer:
            peer.send(message)

    with websockets.sync.server.unix_serve(echo, str(path), max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield path
        server.shutdown()
        thread.join(10)


def url_of(path, resource="/ws?x=1"):
    return f"ws+unix://{str(path).replace(' ', '%20')}:{resource}"


def test_a_unix_socket(unix_server):
    with WebSocketClient(url_of(unix_server), decode="text") as ws:
        assert ws.recv(10) == "localhost /ws?x=1"
        for text in ("hello", "x" * 3_000_000):
            ws.send_text(text)
            assert ws.recv(10) == text
        assert ws.ping(10) > 0


@pytest.mark.parametrize(("resource", "path"), [("", "/"), ("/", "/"), ("?a=1", "/?a=1"), ("/a:b", "/a:b")])
def test_what_follows_the_sockets_path(unix_server, resource, path):
    url = url_of(unix_server, resource)
    for one in {url, url.removesuffix(":")}:
        with WebSocketClient(one, decode="text") as ws:
            assert ws.recv(10) == f"localhost {path}"


def test_a_unix_socket_that_is_not_there_yet(recorded, tmp_path):
    path = tmp_path / "later.sock"
    ws, log = recorded(url_of(path))
    error = log.wait("error")
    assert (error.phase, error.fatal) == ("tcp", False)
    assert str(path) in error.message
    assert "is the server running, and is the path right?" in error.message
    with websockets.sync.server.unix_serve(lambda peer: peer.recv(), str(path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        log.wait("connect")
        ws.close()
        server.shutdown()
        thread.join(10)


def test_a_unix_socket_that_nobody_serves(recorded, tmp_path):
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(tmp_path / "old.sock"))
    _, log = recorded(url_of(tmp_path / "old.sock"))
    assert "is the server running?" in log.wait("error").message


@pytest.mark.parametrize(
    "url",
    [
        "ws+unix://relative/path:/",
        "ws+unix://",
        "ws+unix:///tmp/x:ws",
        "ws+unix:///" + "x" * 108,
        "ws+unix:///tmp/%00:/",
        "ws+unix:///tmp/%zz:/",
        "ws+unix:///tmp/x:/#fragment",
        "wss+unix:///tmp/x:/",
    ],
)
def test_a_bad_unix_url_is_refused(url):
    with pytest.raises(ValueError, match="bad URL"):
        WebSocketClient(url, autoconnect=False)


@pytest.mark.parametrize("option", [{"proxy": "http://127.0.0.1:1"}, {"local_address": "127.0.0.1"}])
def test_what_has_no_meaning_with_a_unix_socket_is_refused(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        WebSocketClient("ws+unix:///tmp/x:/", autoconnect=False, **option)


def test_an_environments_proxy_is_not_asked_for_a_unix_socket(unix_server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with WebSocketClient(url_of(unix_server), decode="text") as ws:
        assert ws.recv(10).startswith("localhost")


# -- Where it comes from


def peer_of(server):
    """The client's address as the server sees it."""
    return server.wait_open(1)._stream._sock.getpeername()[:2]


def test_a_local_address(serve, client):
    server = serve()
    client(server, local_address="127.0.0.5").wait_open(10)
    assert peer_of(server)[0] == "127.0.0.5"


def test_a_local_port_is_kept_over_reconnects(serve, recorded):
    with socket.create_server(("127.0.0.6", 0)) as free:
        port = free.getsockname()[1]
    server = serve([lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()])
    _, log = recorded(server, local_address=("127.0.0.6", port))
    log.wait("connect", 2)
    assert {one._stream._sock.getpeername()[:2] for one in server.connections[1:]} == {("127.0.0.6", port)}


@pytest.mark.parametrize(
    ("local", "text"),
    [
        ("192.0.2.1", "is local_address an address of this machine"),  # RFC 5737: nobody's
        ("::1", "is local_address of the same family"),
    ],
)
def test_a_local_address_that_does_not_fit_is_told(serve, recorded, local, text):
    _, log = recorded(serve(), local_address=local)
    error = log.wait("error")
    assert (error.phase, error.fatal) == ("tcp", False)
    assert text in error.message


def test_a_local_address_chooses_the_family(serve, client):
    """localhost has both; only the one that can be reached from there is."""
    server = serve()
    client(f"ws://localhost:{server.port}/", local_address="127.0.0.1").wait_open(10)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (5, TypeError),
        ("localhost", ValueError),
        ("", ValueError),
        (("127.0.0.1",), TypeError),
        (("127.0.0.1", "80"), TypeError),
        (("127.0.0.1", 65536), ValueError),
        (("127.0.0.1", -1), ValueError),
        (["127.0.0.1", 80], TypeError),
    ],
)
def test_a_bad_local_address_is_refused(value, error):
    with pytest.raises(error, match="local_address"):
        WebSocketClient("ws://127.0.0.1:9/", autoconnect=False, local_address=value)


# -- What children inherit


def inherited():
    """The sockets and pipes that a child process finds open, as the system names them."""
    program = """
import os
for number in os.listdir("/proc/self/fd"):
    try:
        print(os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        pass
"""
    found = subprocess.run(
        [sys.executable, "-c", program],
        close_fds=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [line for line in found.stdout.splitlines() if line.startswith(("socket:", "anon_inode:"))]


def test_a_child_process_inherits_no_descriptor(serve, client, unix_server, trusted, tls_server):
    """PEP 446: nothing we open is there after exec, whatever the parent's subprocess module closes."""
    before = inherited()
    client(serve()).wait_open(10)
    client(serve(tls=tls_server), tls=trusted).wait_open(10)
    client(url_of(unix_server), decode="text").wait_open(10)
    assert inherited() == before
    leaky = socket.socket()
    leaky.set_inheritable(True)
    with leaky:
        assert len(inherited()) == len(before) + 1  # it would have been seen
