"""One connection of the scripted server: what a script, or the test's own thread, can do to a client.

May know the standard library and the other _scripted_* modules. Promises: every wait is bounded or ends with the
connection; what the client sent is recorded also while the script does something else.
"""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from fastws import _scripted_frames as frames
from fastws._scripted_frames import Request
from fastws._scripted_stream import Agreement, PeerGone, Stream

Script: TypeAlias = Callable[["Connection"], object]
_WAIT = 10.0  # seconds: how long a script waits for a client before the test has failed


class Connection:
    """One accepted TCP connection, in the hands of its script (and of the test's own thread, once it is open).

    Attributes: `index` (0-based, per server), `began_at` (time.monotonic), `request` (the upgrade, or None), `messages`
    (str and bytes received), `arrivals` (their times), `pings` and `pongs` (lists of (time, payload)), `close_code`
    (None = no Close came; 1005 = one without a code) and `close_reason`, `close_at`, `server_name` (SNI), `tls` (what its
    handshake settled, or None), `error` (what ended the script). Switches: `answer_close`, `answer_pings`.
    """

    def __init__(
        self,
        sock: socket.socket,
        index: int,
        script: "Script",
        tls: ssl.SSLContext | None,
        errors: list[BaseException],
    ) -> None:
        self.index = index
        self.began_at = time.monotonic()
        self.request: Request | None = None
        self.messages: list[str | bytes] = []
        self.arrivals: list[float] = []
        self.pings: list[tuple[float, bytes]] = []
        self.pongs: list[tuple[float, bytes]] = []
        self.close_code: int | None = None
        self.close_reason = ""
        self.close_at: float | None = None
        self.server_name: str | None = None
        self.error: BaseException | None = None
        self.answer_close = True
        self.answer_pings = True
        self._script = script
        self._tls = tls
        self._errors = errors  # the server's
        self._stream = Stream(sock)
        self._unread: deque[str | bytes] = deque()
        self._changed = threading.Condition()
        self._secured = False
        self._opened = threading.Event()
        self._over = threading.Event()
        self._may_read = threading.Event()
        self._may_read.set()
        self._close_sent = False
        self._script_thread = threading.Thread(target=self._run, name=f"scripted-{index}", daemon=True)
        self._reader = threading.Thread(target=self._read, name=f"scripted-{index}-read", daemon=True)

    # The handshake.

    def read_request(self, timeout: float = _WAIT) -> Request:
        """TLS (if the server has it) and the whole upgrade request; nothing is answered yet."""
        if not self._secured:
            self._secured = True
            if self._tls is not None:
                self._stream.start_tls(self._tls, timeout)
        if self.request is None:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := self._stream.receive(timeout)):
                    raise PeerGone("the client left before its request was whole")
                head += data
            self.request = frames.parse_request(head)
        return self.request

    def accept(
        self,
        *,
        subprotocol: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        key: str | None = None,
        chunk: int | None = None,
        then: bytes = b"",
    ) -> None:
        """Answer 101.

        `key`: another Sec-WebSocket-Accept; `chunk`: bytes per packet; `then`: sent in the same write.
        """
        request = self.read_request()
        answer = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        expected = frames.accept_key(request.headers.get("sec-websocket-key", ""))
        answer.append(("Sec-WebSocket-Accept", expected if key is None else key))
        if subprotocol is not None:
            answer.append(("Sec-WebSocket-Protocol", subprotocol))
        self._stream.send(frames.response(101, [*answer, *headers]) + then, chunk)
        self._opened.set()
        self._reader.start()

    def refuse(
        self,
        status: int,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        chunk: int | None = None,
    ) -> None:
        """Answer the upgrade with another status, then close."""
        self.read_request()
        answer = [*headers, ("Content-Length", str(len(body))), ("Connection", "close")]
        with contextlib.suppress(PeerGone):
            self._stream.send(frames.response(status, answer, body), chunk)
        self.fin()

    def redirect(self, location: str, status: int = 302) -> None:
        """Send the client elsewhere."""
        self.refuse(status, [("Location", location)])

    # Sending. What is sent before accept() accepts first.

    def send(self, message: str | bytes) -> None:
        """One text (str) or binary (bytes) message in one frame."""
        if isinstance(message, str):
            self.send_frame(frames.TEXT, message.encode())
        else:
            self.send_frame(frames.BINARY, message)

    def send_json(self, value: object) -> None:
        """One JSON text message."""
        self.send(json.dumps(value))

    def send_frame(
        self, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, mask: bytes | None = None,
        length: int | None = None, chunk: int | None = None,
    ) -> None:  # fmt: skip
        """Any frame at all, right or wrong."""
        self.send_raw(
            frames.encode_frame(opcode, payload, fin=fin, rsv=rsv, mask=mask, length=length), chunk=chunk
        )

    def send_fragments(self, parts: Sequence[str | bytes]) -> None:
        """One message, a frame per part."""
        opcode = frames.TEXT if isinstance(parts[0], str) else frames.BINARY
        for at, part in enumerate(parts):
            data = part.encode() if isinstance(part, str) else part
            self.send_frame(opcode if at == 0 else frames.CONTINUATION, data, fin=at == len(parts) - 1)

    def send_raw(self, data: bytes, *, chunk: int | None = None) -> None:
        """Bytes as they are; `chunk`: bytes per packet."""
        self._ensure_open()
        self._stream.send(data, chunk)

    def write(self, data: bytes, *, chunk: int | None = None) -> None:
        """Bytes as they are, also in place of the answer to the upgrade."""
        self._stream.send(data, chunk)

    def ping(self, payload: bytes = b"") -> None:
        """A Ping; the answer shows in `pongs`."""
        self.send_frame(frames.PING, payload)

    # Receiving.

    def expect(self, timeout: float = _WAIT) -> str | bytes:
        """The next message nobody took yet. Raises TimeoutError, or PeerGone at the end of the connection."""
        self._ensure_open()
        with self._changed:
            self._changed.wait_for(lambda: self._unread or self._over.is_set(), timeout)
            if self._unread:
                return self._unread.popleft()
        if self._over.is_set():
            raise PeerGone(f"connection {self.index} ended before a message came")
        raise TimeoutError(f"connection {self.index}: no message within {timeout} s")

    def expect_json(self, timeout: float = _WAIT) -> Any:
        """expect() through json.loads."""
        return json.loads(self.expect(timeout))

    def pause_reading(self) -> None:
        """Read nothing more; the client's writes pile up. Before accept(): not even what the client sends first."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Go on reading."""
        self._may_read.set()

    # Time.

    def stall(self, seconds: float | None = None) -> bool:
        """Do nothing for a while (None: until either side ends the connection). True: the connection is over."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self._over.wait(0.01):
            if not self._reader.is_alive() and self._stream.peer_gone():
                return True
            if end is not None and time.monotonic() >= end:
                return False
        return True

    def wait_over(self, timeout: float = _WAIT) -> bool:
        """Whether the connection was over within the time."""
        return self._over.wait(timeout)

    def wait_close(self, timeout: float = _WAIT) -> int | None:
        """Wait for the client's Close frame (or the end without one) and give its code."""
        with self._changed:
            self._changed.wait_for(lambda: self.close_code is not None or self._over.is_set(), timeout)
        return self.close_code

    # Ending.

    def close(
        self, code: int | None = 1000, reason: str = "", *, wait: bool = True, timeout: float = _WAIT
    ) -> None:
        """The closing handshake. `wait=False` only writes the Close frame; the client's answer then ends it."""
        self._close_sent = True
        self.send_frame(frames.CLOSE, frames.close_payload(code, reason))
        if wait and threading.current_thread() is not self._reader:
            self._over.wait(timeout)

    def reset(self) -> None:
        """End with a RST."""
        self._end(reset=True)

    def drop(self) -> None:
        """Close the socket: FIN, without Close frame or TLS close_notify."""
        self._end()

    def fin(self, linger: float = 1.0) -> None:
        """FIN without Close frame, then read what comes for at most `linger` seconds."""
        self._stream.finish_writing()
        end = time.monotonic() + linger
        while not self._stream.peer_gone() and time.monotonic() < end:
            time.sleep(0.002)
        self._end()

    # What it is now.

    @property
    def opened(self) -> bool:
        """Whether 101 was sent."""
        return self._opened.is_set()

    @property
    def live(self) -> bool:
        """Whether both ends still have the TCP connection (the client's FIN counts at once, read or not)."""
        return not self._over.is_set() and not self._stream.peer_gone()

    @property
    def over_at(self) -> float | None:
        """When the connection ended here (time.monotonic), or None."""
        return self._stream.closed_at

    @property
    def tls(self) -> Agreement | None:
        """What the TLS handshake settled; None = plain, or not done."""
        return self._stream.agreement

    def wait_open(self, timeout: float = _WAIT) -> "Connection":
        """Wait until 101 was sent. Raises TimeoutError."""
        if not self._opened.wait(timeout):
            raise TimeoutError(f"connection {self.index} was not opened within {timeout} s")
        return self

    # Inside.

    def start(self) -> None:
        """Run the script; the server calls it once."""
        self._script_thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the script."""
        self._script_thread.join(timeout)

    def note_server_name(self, sock: object, name: str | None) -> None:
        """Remember the SNI when `sock` is this connection's."""
        if self._stream.owns(sock):
            self.server_name = name

    def _ensure_open(self) -> None:
        if not self._opened.is_set():
            if threading.current_thread() is self._script_thread:
                self.accept()
            else:
                self.wait_open()

    def _run(self) -> None:
        try:
            self._script(self)
            if not self._opened.is_set() and not self._over.is_set():
                self.accept()
        except (ConnectionError, ssl.SSLError) as error:
            self.error = error  # the client went away, or said no to our certificate: scripts live with that
        except BaseException as error:
            self.error = error
            self._errors.append(error)
        if self.error is not None or not self._opened.is_set():
            self._end()

    def _read(self) -> None:
        decoder = frames.FrameDecoder()
        parts: list[bytes] = []
        first = 0
        try:
            while self._may_read.wait() and (data := self._stream.receive()):
                for frame in decoder.feed(data):
                    if frame.opcode >= frames.CLOSE:
                        self._control(frame)
                        continue
                    first = frame.opcode or first
                    parts.append(frame.payload)
                    if frame.fin:
                        self._message(b"".join(parts), first)
                        parts = []
        except (frames.BadFrame, UnicodeDecodeError) as error:
            self._errors.append(error)
        except ConnectionError:
            pass
        self._end()

    def _message(self, payload: bytes, opcode: int) -> None:
        message = payload.decode() if opcode == frames.TEXT else payload
        with self._changed:
            self.messages.append(message)
            self.arrivals.append(time.monotonic())
            self._unread.append(message)
            self._changed.notify_all()

    def _control(self, frame: frames.Frame) -> None:
        now = time.monotonic()
        if frame.opcode == frames.PING:
            self.pings.append((now, frame.payload))
            if self.answer_pings:
                self.send_frame(frames.PONG, frame.payload)
        elif frame.opcode == frames.PONG:
            self.pongs.append((now, frame.payload))
        else:
            with self._changed:
                self.close_at = now
                self.close_reason = frame.payload[2:].decode()
                self.close_code = int.from_bytes(frame.payload[:2], "big") if frame.payload else 1005
                self._changed.notify_all()
            if self._close_sent:
                self._end()
            elif self.answer_close:
                self._close_sent = True
                self.send_frame(frames.CLOSE, frame.payload[:2])
                self._end()  # the server closes TCP first (RFC 6455 section 7.1.1)

    def _end(self, *, reset: bool = False) -> None:
        self._may_read.set()
        self._stream.end(reset=reset)
        with self._changed:
            self._over.set()
            self._changed.notify_all()
