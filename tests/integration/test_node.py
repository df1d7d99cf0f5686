"""The `ws` package of Node.js, the server that most of the web runs: mutual TLS, permessage-deflate on offer.

`make test` installs it into build/node. One server serves all tests of this file.
"""

import json
import os
import random
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from fastws import Tls, WebSocketClient

HERE = Path(__file__).resolve().parent
MODULES = HERE.parents[1] / "build" / "node" / "node_modules"


class NodeServer:
    """tests/integration/node/server.cjs as a process; `said` holds what it printed after its port."""

    def __init__(self, folder):
        assert shutil.which("node"), "Node.js is not installed: scripts/install-native tests"
        assert (MODULES / "ws").is_dir(), f"{MODULES} has no ws: scripts/install-node-peer"
        self.said = []
        self._process = subprocess.Popen(
            ["node", str(HERE / "node" / "server.cjs"), str(folder)],
            env={**os.environ, "NODE_PATH": str(MODULES)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = json.loads(self._process.stdout.readline())["port"]
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.said.append(json.loads(line))

    @property
    def url(self):
        return f"wss://localhost:{self.port}/"

    def stop(self):
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        self._reader.join(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def folder(authority, tmp_path_factory):
    """The certificates of both sides, as files."""
    made = tmp_path_factory.mktemp("node")
    server = authority.issue_cert("localhost")
    server.cert_chain_pems[0].write_to_path(str(made / "cert.pem"))
    server.private_key_pem.write_to_path(str(made / "key.pem"))
    authority.cert_pem.write_to_path(str(made / "ca.pem"))
    authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(
        str(made / "own.pem")
    )
    return made


@pytest.fixture(scope="module")
def node(folder):
    server = NodeServer(folder)
    yield server
    server.stop()


@pytest.fixture
def mutual(folder):
    """TLS settings with a certificate of our own."""
    return Tls(ca_file=folder / "ca.pem", cert_file=folder / "own.pem")


def test_both_sides_know_each_other(node, mutual):
    with WebSocketClient(node.url, tls=mutual) as ws:
        hello = ws.recv(10)
    assert hello["client"] == "email:client@example.org"
    assert (hello["protocol"], hello["alpn"]) == ("TLSv1.3", "http/1.1")


def test_without_a_certificate_the_error_says_so(node, folder, recorded):
    _, log = recorded(node.url, tls=Tls(ca_file=folder / "ca.pem"))
    error = log.wait("error")
    assert (error.phase, error.fatal) == ("tls", False)
    assert error.message.startswith(f"localhost:{node.port}: ")
    assert "give Tls(cert_file=..., key_file=...)" in error.message


def test_only_an_extension_that_was_offered_is_in_use(node, mutual):
    """permessage-deflate (RFC 7692) is agreed exactly when the client offers it."""
    with WebSocketClient(node.url, tls=mutual) as ws:
        hello = ws.recv(10)
    assert ("permessage-deflate" in hello["extensions"]) == ("permessage-deflate" in hello["offered"])


def test_echo_of_what_compresses_and_what_does_not(node, mutual):
    noise = random.Random(7).randbytes(300_000)
    with WebSocketClient(node.url, tls=mutual) as ws:
        ws.recv(10)
        for value in (
            {"type": "a", "n": 1},
            "ü€🎈",
            "x" * 2_000_000,
            {"rows": [{"symbol": "EURUSD", "bid": n / 7} for n in range(20_000)]},
        ):
            assert ws.send(value)
            assert ws.recv(20) == value
        for data in (b"", b"\x00" * 1_000_000, noise):
            assert ws.send_bytes(data)
            assert ws.recv(20) == data


@pytest.mark.parametrize("compress", ["auto", False], ids=["deflated", "plain"])
@pytest.mark.parametrize("path", ["", "fragments"], ids=["whole", "cut inside code points"])
def test_three_megabytes(node, mutual, path, compress):
    text = "".join(f"{number}: grüße aus dem Süden 🎈 " for number in range(90_000))
    assert len(text.encode()) > 3_000_000
    with WebSocketClient(node.url + path, tls=mutual, compress=compress) as ws:
        hello = ws.recv(10)
        assert bool(hello["extensions"]) == (compress == "auto")
        for _ in range(2):
            ws.send(text)
            assert ws.recv(30) == text
        stats = ws.stats()
    assert (stats.bytes_in < 3_000_000) == (compress == "auto")


def test_five_thousand_messages_in_order(node, mutual):
    seen, done = [], threading.Event()

    def handler(message):
        seen.append(message["n"])
        if message["n"] == 4_999:
            done.set()

    ws = WebSocketClient(node.url, tls=mutual, autoconnect=False)
    ws.on("n", handler)
    with ws:
        for number in range(5_000):
            assert ws.send({"type": "n", "n": number, "padding": "abc" * (number % 100)})
        assert done.wait(60)
    assert seen == list(range(5_000))


def test_pings_both_ways(node, mutual):
    with WebSocketClient(node.url, tls=mutual) as ws:
        ws.recv(10)
        assert 0 < ws.ping(10) < 10
        ws.send({"type": "ping", "payload": "are you there"})
        assert ws.recv(10) == {"type": "pong", "payload": "are you there"}


def test_our_close_is_clean_on_their_side(node, mutual, until):
    with WebSocketClient(node.url, tls=mutual) as ws:
        ws.recv(10)
        ws.close(4007, "grüße")
    assert until(lambda: {"closed": 4007, "reason": "grüße"} in node.said)


@pytest.mark.parametrize(
    ("order", "code", "clean"),
    [
        ({"type": "close", "code": 4010, "reason": "as you wish"}, 4010, True),
        ({"type": "close", "code": 1012, "reason": "restart"}, 1012, True),
        ({"type": "terminate"}, 1006, False),
    ],
)
def test_their_end_is_told_and_the_session_goes_on(node, folder, recorded, tmp_path, order, code, clean):
    """The settings are this test's own, so that no other's session is there to begin with."""
    shutil.copy(folder / "own.pem", tmp_path)
    ws, log = recorded(node.url, tls=Tls(ca_file=folder / "ca.pem", cert_file=tmp_path / "own.pem"))
    log.wait("connect")
    assert ws.recv(10)["resumed"] is False
    ws.send(order)
    lost = log.wait("disconnect")
    assert (lost.code, lost.clean) == (code, clean)
    if code == 1012:  # a restart asks for 5 to 30 seconds; we do not wait for them here
        assert 5 <= log.wait("reconnecting").delay <= 31
        return
    log.wait("connect", 2)
    assert ws.recv(10)["resumed"] is True
