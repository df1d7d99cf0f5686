"""The byte stream of one accepted connection of the scripted server: TCP or TLS, usable from two threads at once.

May know sockets and ssl, nothing of WebSocket. Promises: a call that waits is woken by end(); no descriptor is closed
while a thread sleeps on it; reading and writing never enter the TLS object at the same time.
"""

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass

_POLL_GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


@dataclass(frozen=True)
class Agreement:
    """What a TLS handshake settled: `version` ("TLSv1.3"), `alpn` (the protocol chosen, or None), `resumed` (an earlier
    session goes on), `certificate` (the client's, DER, or None).
    """

    version: str | None
    alpn: str | None
    resumed: bool
    certificate: bytes | None


class PeerGone(ConnectionError):
    """The connection is over; a script that meets it simply ends."""


class Stream:
    """One socket. `end()` may come from any thread."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._calls = threading.Lock()  # around every non-blocking call on the socket
        self._sending = threading.Lock()  # one frame at a time
        self._reading = threading.Lock()  # held by the reader while it may sleep on the descriptor
        self._ending = threading.Lock()
        self._wake_read, self._wake_write = socket.socketpair()
        self.agreement: Agreement | None = None
        self.ended = False
        self.closed_at: float | None = None

    def start_tls(self, context: ssl.SSLContext, timeout: float) -> None:
        """The server's half of a TLS handshake. Raises ssl.SSLError, PeerGone and TimeoutError."""
        end = time.monotonic() + timeout
        with self._calls:
            if self.ended:
                raise PeerGone("the connection is over")
            secure = context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
            self._sock = secure
        with self._reading:
            while True:
                try:
                    with self._calls:
                        if self.ended:
                            raise PeerGone("the connection is over")
                        secure.do_handshake()
                        self.agreement = Agreement(
                            secure.version(),
                            secure.selected_alpn_protocol(),
                            bool(secure.session_reused),
                            secure.getpeercert(binary_form=True),
                        )
                        return
                except ssl.SSLWantReadError:
                    self._sleep(select.POLLIN, end)
                except ssl.SSLWantWriteError:
                    self._sleep(select.POLLOUT, end)

    def owns(self, sock: object) -> bool:
        """Whether it is this stream's socket."""
        return sock is self._sock

    def peer_gone(self) -> bool:
        """Whether the client's end is closed already, read or not."""
        with self._calls:
            if self.ended or self._sock.fileno() < 0:
                return True
            poller = select.poll()
            poller.register(self._sock.fileno(), _POLL_GONE)
            return bool(poller.poll(0))

    def receive(self, timeout: float | None = None) -> bytes:
        """Some bytes; b"" at the end of the stream. Raises TimeoutError."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._reading:
            while not self.ended:
                try:
                    with self._calls:
                        return b"" if self.ended else self._sock.recv(65536)
                except (BlockingIOError, ssl.SSLWantReadError):
                    self._sleep(select.POLLIN, end)
                except ssl.SSLWantWriteError:
                    self._sleep(select.POLLOUT, end)
                except OSError:
                    return b""
        return b""

    def send(self, data: bytes, chunk: int | None = None, timeout: float = 30.0) -> None:
        """Write all, `chunk` bytes per call when given. Raises PeerGone and TimeoutError."""
        end = time.monotonic() + timeout
        view = memoryview(data)
        with self._sending:
            while view:
                if self.ended:
                    raise PeerGone("the connection is over")
                try:
                    with self._calls:
                        count = 0 if self.ended else self._sock.send(view[:chunk])
                    view = view[count:]
                except (BlockingIOError, ssl.SSLWantWriteError):
                    self._sleep(select.POLLOUT, end)
                except ssl.SSLWantReadError:
                    self._sleep(select.POLLIN, end)
                except OSError as error:
                    raise PeerGone(str(error)) from error
                if chunk is not None:
                    time.sleep(0.0005)  # one packet, one read of the client

    def finish_writing(self) -> None:
        """FIN, without any goodbye of TLS or WebSocket."""
        with self._calls, contextlib.suppress(OSError):
            if not self.ended:
                socket.socket.shutdown(self._sock, socket.SHUT_WR)

    def end(self, *, reset: bool = False) -> None:
        """Close the descriptor; `reset`: with a RST."""
        with self._ending:
            if self.ended:
                return
            self.ended = True
            self._wake_write.send(b"x")  # never read: everyone who sleeps sees it
        with self._sending, self._reading, self._calls:
            if reset:
                with contextlib.suppress(OSError):
                    self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # First: the client may act on the end before this thread runs again.
            self.closed_at = time.monotonic()
            self._sock.close()
            self._wake_read.close()
            self._wake_write.close()

    def _sleep(self, event: int, end: float | None) -> None:
        remaining = None if end is None else end - time.monotonic()
        if remaining is not None and remaining <= 0:
            raise TimeoutError("the client did nothing in time")
        poller = select.poll()
        poller.register(self._sock.fileno(), event)
        poller.register(self._wake_read.fileno(), select.POLLIN)
        poller.poll(None if remaining is None else remaining * 1000)
