"""What the servers of the benchmarks have in common: starting as a process, listening, TLS, the handshake.

A server is a process of its own, on a core that it is pinned to. It prints one line of JSON when it listens and one for
each thing it reports; commands reach it as lines on its standard input. Knows no WebSocket library: every contender gets
the very same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class Certificates:
    """Files of the authority and of the server's certificate (PEM)."""

    authority: str
    chain: str


@dataclass(frozen=True)
class Where:
    """What a client must know: the URL, and for wss the authority that it trusts."""

    url: str
    port: int
    authority: str | None


_CORES = sorted(os.sched_getaffinity(0))  # before anything is pinned


def server_core() -> int:
    """The core that servers are pinned to."""
    return _CORES[0]


def client_cores(pinned: bool) -> set[int]:
    """The cores of a client: one, not the server's; or all but the server's, where there are more than two."""
    if pinned:
        return {_CORES[-1]}
    return set(_CORES[1:]) if len(_CORES) > 2 else set(_CORES)


class Server:
    """A server as a process: `file` is its program; `arguments` follow. Ends with the `with` block."""

    def __init__(self, file: str, *arguments: Any, tls: Certificates | None = None) -> None:
        settings = {"core": server_core(), "chain": tls.chain if tls else None}
        program = str(Path(__file__).with_name(file))
        self.process = subprocess.Popen(
            [sys.executable, program, json.dumps(settings), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        port = self.report()["port"]
        scheme = "wss" if tls else "ws"
        self.where = Where(f"{scheme}://127.0.0.1:{port}/", port, tls.authority if tls else None)

    def report(self) -> dict[str, Any]:
        """The next line that the server prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the server ended with code {self.process.wait()}")
        return json.loads(line)

    def command(self, *words: Any) -> None:
        """Tell the server to do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


# -- In the server's process --------------------------------------------------------------------------------------------


def report(**values: Any) -> None:
    """Print a line for the process that started this one."""
    print(json.dumps(values), flush=True)


class Door:
    """The listening socket; gives connections whose handshake is done."""

    def __init__(self, settings: str) -> None:
        chosen = json.loads(settings)
        os.sched_setaffinity(0, {chosen["core"]})
        self._tls = None
        if chosen["chain"]:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(chosen["chain"])
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        report(port=self._listening.getsockname()[1])

    def accept(self) -> socket.socket:
        """Take one connection and answer its handshakes."""
        connection, _ = self._listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                raise ConnectionError(f"the client left during its handshake, after {request!r}")
            request += received
        head = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in request.split(b"\r\n")[1:])
        }
        answer = base64.b64encode(hashlib.sha1(head[b"sec-websocket-key"] + _GUID).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + answer + b"\r\n\r\n"
        )
        return connection
