"""A scripted WebSocket server for tests: real sockets, real TLS, and any misbehaviour a client must survive.

May know the standard library and the private modules _scripted_*; nothing of the client it tests. Promises: a free port
of the loopback interface, one thread pair per connection, a record of everything received, and bounded waits.

    def script(conn):
        conn.send_json({"type": "hello"})
        assert conn.expect_json() == {"type": "subscribe"}
        conn.reset()

    with ScriptedServer(script) as server:
        ws = WebSocketClient(server.url)

In pytest the fixture `scripted_server` makes such servers, which stop with the test: nothing is to be imported.

    def test_mine(scripted_server):
        server = scripted_server(script)

A script gets one Connection and runs in a thread of its own. The upgrade is answered when the script first sends,
expects or accepts, at the latest when it returns; after it returned the connection stays, answers pings and a Close,
and records, until either side ends it. A list of scripts serves one connection each; the last one repeats.
"""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from fastws._scripted_connection import Connection, Script
from fastws._scripted_frames import Request
from fastws._scripted_replay import read_recording, replay_scripts
from fastws._scripted_stream import Agreement, PeerGone

__all__ = ["Agreement", "Connection", "PeerGone", "Request", "Script", "ScriptedServer", "replay"]

_WAIT = 10.0  # seconds


class ScriptedServer:
    """Listens on a free port of `host` from its construction on.

    `script`: one callable or several, see the module. `tls`: a server's ssl.SSLContext, or (certificate
    file, key file). `send_buffer`, `receive_buffer`: the kernel's buffers per connection, in bytes (small ones show
    back-pressure soon). `connections` holds all in the order of their coming, `most_live` the most that stood at once.
    Leaving the context manager stops everything and raises what a script raised, unless the test failed already.
    """

    def __init__(
        self,
        script: Script | Sequence[Script] | None = None,
        *,
        tls: ssl.SSLContext | tuple[str, str] | None = None,
        host: str = "127.0.0.1",
        send_buffer: int | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        if isinstance(tls, tuple):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            tls = context
        if tls is not None:
            tls.sni_callback = self._note_server_name
        self.tls = tls
        self.host = host
        self.port = 0
        one = script or (lambda conn: None)
        self.scripts: list[Script] = [*one] if isinstance(one, Sequence) else [one]
        self.connections: list[Connection] = []
        self.repeats = False  # whether the first script follows the last one
        self.errors: list[BaseException] = []
        self.most_live = 0
        self._buffers = {socket.SO_SNDBUF: send_buffer, socket.SO_RCVBUF: receive_buffer}
        self._changed = threading.Condition()
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self.listen_again()

    @property
    def url(self) -> str:
        """ws:// or wss:// of this server; wss names localhost, as a test's certificate does."""
        return f"wss://localhost:{self.port}/" if self.tls else f"ws://{self.host}:{self.port}/"

    @property
    def live(self) -> int:
        """How many TCP connections stand now."""
        with self._changed:
            return sum(conn.live for conn in self.connections)

    @property
    def total(self) -> int:
        """How many TCP connections came."""
        return len(self.connections)

    def wait_total(self, count: int, timeout: float = _WAIT) -> "Connection":
        """Wait for the connection number `count` (1-based) and give it. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.connections) >= count, timeout):
                raise TimeoutError(f"{len(self.connections)} of {count} connections within {timeout} s")
            return self.connections[count - 1]

    def wait_open(self, count: int = 1, timeout: float = _WAIT) -> "Connection":
        """Wait until the connection number `count` (1-based) was answered with 101 and give it."""
        return self.wait_total(count, timeout).wait_open(timeout)

    def listen_again(self) -> None:
        """Listen (again) on the same port."""
        listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option, size in self._buffers.items():
            if size is not None:
                listener.setsockopt(socket.SOL_SOCKET, option, size)
        listener.bind((self.host, self.port))
        self.port = listener.getsockname()[1]
        listener.listen(512)
        listener.settimeout(0.1)
        self._listener = listener
        self._acceptor = threading.Thread(target=self._accept, args=(listener,), name="scripted", daemon=True)
        self._acceptor.start()

    def stop_listening(self) -> None:
        """Refuse new connections; those that stand go on."""
        listener, self._listener = self._listener, None
        if listener is not None and self._acceptor is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            self._acceptor.join()
            listener.close()

    def drop_all(self, *, reset: bool = False) -> None:
        """End every standing connection without a Close frame."""
        for conn in list(self.connections):
            conn.reset() if reset else conn.drop()

    def stop(self) -> None:
        """Stop listening and drop every connection; the scripts end."""
        self.stop_listening()
        self.drop_all()
        for conn in self.connections:
            conn.join(5.0)

    def __enter__(self) -> "ScriptedServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = list(self.errors)  # what comes from stopping is nobody's fault
        self.stop()
        if error is None and before:
            raise AssertionError(f"a script failed: {before[0]!r}") from before[0]

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                index = len(self.connections)
                last = len(self.scripts) - 1
                script = self.scripts[index % len(self.scripts) if self.repeats else min(index, last)]
                conn = Connection(sock, index, script, self.tls, self.errors)
                self.connections.append(conn)
                self.most_live = max(self.most_live, sum(other.live for other in self.connections))
                self._changed.notify_all()
            conn.start()

    def _note_server_name(
        self, sock: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> None:
        for conn in reversed(self.connections):
            conn.note_server_name(sock, name)


def replay(path: str | os.PathLike[str], speed: float | None = 1.0, **options: Any) -> ScriptedServer:
    """A server that sends what a client's `record=` wrote, to whoever connects: `with replay(path) as server: ...`.

    Each connection is sent the messages of one recorded connection, in their order and at their times, and ends as that
    one did when the server or the network ended it; a client that reconnects is given the next one, after the last the
    first again. A last line that is torn is passed over.

    Args:
        speed: how many times faster than recorded; None (or infinity) = as fast as the client takes it.
        options: those of ScriptedServer, `tls` and others.

    Raises:
        OSError: the file can not be read. ValueError: it is no recording, or `speed` is not above 0.
    """
    scripts = replay_scripts(read_recording(path), speed)
    server = ScriptedServer(scripts, **options)
    server.repeats = True
    return server
