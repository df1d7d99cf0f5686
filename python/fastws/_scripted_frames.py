"""The wire format of the scripted server: HTTP upgrade requests and RFC 6455 frames, both ways.

May know the standard library and nothing of fastws. Promises: no I/O; encoders also write what a decent
server never would (reserved bits, bad opcodes, masks), because tests need it; the decoder takes only what a client may
send.
"""

import base64
import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_REASONS = {101: "Switching Protocols", 200: "OK", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
_REASONS |= {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class BadFrame(Exception):
    """The client broke RFC 6455."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the client, unmasked."""

    fin: bool
    opcode: int
    payload: bytes
    rsv: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """The client's upgrade request. `headers` has lower-case names; `pairs` keeps order, case and repetitions."""

    method: str
    path: str
    headers: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...] = field(repr=False)


def parse_request(head: bytes) -> Request:
    """The request of a head that ends in an empty line."""
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    pairs: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            pairs.append((name, value.strip()))
    return Request(method, path, {name.lower(): value for name, value in pairs}, tuple(pairs))


def accept_key(key: str) -> str:
    """The Sec-WebSocket-Accept of a Sec-WebSocket-Key (RFC 6455 section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()


def response(
    status: int, headers: list[tuple[str, str]], body: bytes = b"", reason: str | None = None
) -> bytes:
    """An HTTP response as bytes."""
    phrase = _REASONS.get(status, "Status") if reason is None else reason
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def close_payload(code: int | None, reason: str = "") -> bytes:
    """The payload of a Close frame; without a code it is empty."""
    return b"" if code is None else struct.pack("!H", code) + reason.encode()


def encode_frame(
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = None,
    length: int | None = None,
) -> bytes:
    """One frame. `mask` is for what no server may do; `length` lies about the payload's size."""
    size = len(payload) if length is None else length
    first = (0x80 if fin else 0) | (rsv << 4) | opcode
    bit = 0x80 if mask else 0
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if mask is None:
        return head + payload
    return head + mask + unmask(payload, mask)


def unmask(payload: bytes, mask: bytes) -> bytes:
    """XOR with the masking key (RFC 6455 section 5.3), as one big number: quick enough for megabytes."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


class FrameDecoder:
    """Cuts a client's bytes into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises BadFrame."""
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, second = buffer[0], buffer[1]
        if not second & 0x80:
            raise BadFrame("the client sent an unmasked frame (RFC 6455 section 5.1)")
        size, at = second & 0x7F, 2
        if size == 126:
            if len(buffer) < 4:
                return None
            size, at = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            if len(buffer) < 10:
                return None
            size, at = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < at + 4 + size:
            return None
        mask = bytes(buffer[at : at + 4])
        payload = unmask(bytes(buffer[at + 4 : at + 4 + size]), mask)
        del buffer[: at + 4 + size]
        opcode = first & 0x0F
        if opcode >= CLOSE and (size > 125 or not first & 0x80):
            raise BadFrame("the client sent a fragmented or oversized control frame (RFC 6455 section 5.5)")
        return Frame(bool(first & 0x80), opcode, payload, (first >> 4) & 0x7)
