"""nginx as it stands in front of most servers: it ends TLS, and answers itself while its upstream is away.

Each test runs its own nginx (Debian's package, its own settings, a free port of the loopback interface) before a server
of the `websockets` package.
"""

import contextlib
import shutil
import socket
import subprocess
import sys
import time

import pytest

from fastws import Tls, WebSocketClient

SETTINGS = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  log_format tls '$status $ssl_protocol reused=$ssl_session_reused alpn=$ssl_alpn_protocol';
  access_log {folder}/access.log tls;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    ssl_client_certificate {folder}/ca.pem;
    ssl_session_cache shared:sessions:1m;
    {more}
    location / {{
      if (-f {folder}/maintenance) {{ return 503; }}
      add_header Retry-After 1 always;
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
    }}
  }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


ECHO = """
import sys
from websockets.sync.server import serve

def echo(peer):
    try:
        for message in peer:
            peer.send(message)
    finally:
        print(peer.close_code, flush=True)

with serve(echo, "127.0.0.1", int(sys.argv[1])) as server:
    print("ready", flush=True)
    server.serve_forever()
"""


class Upstream:
    """An echo server without TLS, as a process on a port that stays its own; what dies is killed, without goodbye."""

    def __init__(self):
        self.port = free_port()
        self.start()

    def start(self):
        command = [sys.executable, "-c", ECHO, str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.next_line() == "ready"

    def next_line(self):
        """What it prints next: the close code of a connection that ended."""
        return self._process.stdout.readline().strip()

    def die(self):
        self._process.kill()
        self._process.wait(20)
        self._process.stdout.close()


class Nginx:
    """One nginx process; `more` goes into its server's settings."""

    def __init__(self, folder, upstream, more=""):
        program = shutil.which(
            "nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin"
        )
        assert program, "nginx is not installed: scripts/install-native tests"
        self.folder, self.port = folder, free_port()
        settings = SETTINGS.format(folder=folder, port=self.port, upstream=upstream.port, more=more)
        (folder / "nginx.conf").write_text(settings)
        self._command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        self.start()

    def start(self):
        with (self.folder / "error.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        end = time.monotonic() + 20
        while True:
            assert self._process.poll() is None, (self.folder / "error.log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert time.monotonic() < end, "nginx does not listen"
            time.sleep(0.02)

    def stop(self):
        self._process.terminate()
        self._process.wait(20)

    @property
    def url(self):
        return f"wss://localhost:{self.port}/"

    @property
    def log(self):
        """What it noted of each request that has ended."""
        path = self.folder / "access.log"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def upstream():
    made = Upstream()
    yield made
    made.die()


@pytest.fixture
def nginx(authority, upstream, tmp_path):
    """Start nginx: nginx(more settings). They end with the test."""
    made = []
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "server.pem")
    )
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def start(more=""):
        made.append(Nginx(tmp_path, upstream, more))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def test_everything_passes_through(nginx, trusted, until):
    front = nginx("ssl_protocols TLSv1.2 TLSv1.3;")
    with WebSocketClient(front.url, tls=trusted) as ws:
        for value in ({"type": "a", "n": 1}, "ü€🎈", "x" * 1_000_000):
            assert ws.send(value)
            assert ws.recv(10) == value
        assert ws.send_bytes(b"\x00\xff" * 200_000)
        assert ws.recv(10) == b"\x00\xff" * 200_000
        assert 0 < ws.ping(10) < 10
    assert until(lambda: front.log == ["101 TLSv1.3 reused=. alpn=http/1.1"]), front.log


def test_our_close_reaches_the_upstream(nginx, upstream, client, trusted):
    ws = client(nginx().url, tls=trusted)
    ws.wait_open(10)
    ws.close(4005, "done")
    assert upstream.next_line() == "4005"


@pytest.mark.parametrize(
    ("more", "version"),
    [
        ("ssl_protocols TLSv1.3;", "TLSv1.3"),
        ("ssl_protocols TLSv1.2; ssl_session_tickets on;", "TLSv1.2"),
        ("ssl_protocols TLSv1.2; ssl_session_tickets off;", "TLSv1.2"),  # ids, from nginx's own cache
    ],
)
def test_an_upstream_that_dies_and_returns(nginx, upstream, recorded, trusted, until, more, version):
    """nginx answers 502 meanwhile; every connection after the first resumes its TLS session."""
    front = nginx(more)
    ws, log = recorded(front.url, tls=trusted)
    log.wait("connect")
    upstream.die()
    lost = log.wait("disconnect")
    assert (lost.code, lost.clean, lost.will_reconnect) == (1006, False, True)
    log.wait("error", 2)
    assert {(error.phase, error.http_status, error.fatal) for error in log.all("error")} == {
        ("http", 502, False)
    }
    upstream.start()
    assert log.wait("connect", 2).is_reconnect
    ws.send({"back": True})
    assert ws.recv(10) == {"back": True}
    ws.close()
    assert until(lambda: len(front.log) == len(log.all("connecting")))
    first, *others = front.log
    assert first == f"101 {version} reused=. alpn=http/1.1"
    assert set(others) == {f"502 {version} reused=r alpn=http/1.1", f"101 {version} reused=r alpn=http/1.1"}
    assert log.in_language()


def test_an_upstream_that_is_not_there_yet(nginx, upstream, recorded, trusted):
    """Started together, as in a compose file: 502 before the first open is retried, not fatal."""
    upstream.die()
    _, log = recorded(nginx().url, tls=trusted)
    error = log.wait("error", 2)
    assert (error.phase, error.http_status, error.fatal) == ("http", 502, False)
    upstream.start()
    assert not log.wait("connect").is_reconnect


def test_maintenance(nginx, recorded, trusted):
    """503 with a Retry-After of one second, which the quick backoff of these tests would undercut."""
    front = nginx()
    (front.folder / "maintenance").touch()
    began = time.monotonic()
    _, log = recorded(front.url, tls=trusted)
    error = log.wait("error")
    assert (error.phase, error.http_status, error.retry_after, error.fatal) == ("http", 503, 1.0, False)
    assert 1.0 <= log.wait("reconnecting").delay <= 1.2
    (front.folder / "maintenance").unlink()
    log.wait("connect")
    assert time.monotonic() - began >= 1.0


def test_nginx_itself_restarts(nginx, recorded, trusted, until):
    """Its ticket keys are new: a full handshake, and no error but that nobody listened for a while."""
    front = nginx()
    ws, log = recorded(front.url, tls=trusted)
    log.wait("connect")
    front.stop()
    log.wait("disconnect")
    log.wait("error")
    front.start()
    log.wait("connect", 2)
    assert {error.phase for error in log.all("error")} == {"tcp"}
    ws.close()
    assert until(lambda: [line.split()[2] for line in front.log] == ["reused=."]), front.log


def test_ws_to_its_tls_port(nginx, recorded):
    front = nginx()
    _, log = recorded(front.url.replace("wss:", "ws:"))
    error = log.wait("error")
    assert (error.phase, error.http_status) == ("http", 400)
    assert "should the URL begin with wss://?" in error.message
    assert log.wait("closed").reason == "fatal"


def test_a_client_certificate_that_nginx_wants(nginx, recorded, client, authority, trusted, tmp_path):
    """nginx lets the handshake pass, and asks with a page of HTTP."""
    front = nginx("ssl_verify_client on;")
    _, log = recorded(front.url, tls=trusted)
    error = log.wait("error")
    assert (error.phase, error.http_status) == ("http", 400)
    assert "give Tls(cert_file=..., key_file=...)" in error.message
    authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "own.pem")
    )
    with client(front.url, tls=Tls(ca_data=trusted.ca_data, cert_file=tmp_path / "own.pem")) as ws:
        ws.send({"n": 1})
        assert ws.recv(10) == {"n": 1}
