"""A feed that is never the bottleneck: it answers one WebSocket handshake and then writes frames made beforehand.

Used by the benchmarks as a process of its own (`start_feed`), so that client and server have a core each. Knows no
WebSocket library: every contender gets the very same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import struct
import subprocess
import sys
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def tick(number: int, generator: random.Random) -> bytes:
    """One trade of about 200 bytes of JSON."""
    text = json.dumps(
        {
            "type": "trade",
            "symbol": generator.choice(["BTC-USD", "ETH-USD", "SOL-USD", "EUR-USD"]),
            "id": 10_000_000 + number,
            "price": round(generator.uniform(10, 70_000), 2),
            "size": round(generator.uniform(0.0001, 9), 6),
            "side": generator.choice(["buy", "sell"]),
            "time": 1_764_000_000_000 + number,
            "venue": "loopback",
            "maker": generator.random() < 0.5,
            "flags": [],
        },
        separators=(",", ":"),
    )
    return text[:-1].encode() + b',"pad":"' + b"x" * max(0, 200 - len(text) - 9) + b'"}'


def frame(payload: bytes) -> bytes:
    """One unmasked, final text frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def accept(server: socket.socket) -> socket.socket:
    """Take one connection and answer its handshake."""
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(65536)
        if not received:
            return connection
        request += received
    head = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in request.split(b"\r\n")[1:])
    }
    answer = base64.b64encode(hashlib.sha1(head[b"sec-websocket-key"] + GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + answer + b"\r\n\r\n"
    )
    return connection


def flood(connection: socket.socket, messages: int) -> None:
    """As many messages as fast as the client takes them."""
    generator = random.Random(7)
    block = [frame(tick(number, generator)) for number in range(1000)]
    joined, whole, rest = b"".join(block), messages // 1000, messages % 1000
    for _ in range(whole):
        connection.sendall(joined)
    connection.sendall(b"".join(block[:rest]))


def steady(connection: socket.socket, per_second: int, seconds: float) -> None:
    """So many messages a second, each with its number and the time it was sent (CLOCK_MONOTONIC, one machine)."""
    began, sent, total = time.monotonic(), 0, int(per_second * seconds)
    while sent < total:
        due = min(total, int((time.monotonic() - began) * per_second) + 1)
        frames = []
        while sent < due:
            body = json.dumps({"type": "tick", "number": sent, "sent": time.monotonic(), "pad": "x" * 130})
            frames.append(frame(body.encode()))
            sent += 1
        connection.sendall(b"".join(frames))
        time.sleep(max(0.0, began + sent / per_second - time.monotonic()))


def start_feed(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start this file as a process; gives it and its URL."""
    process = subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, f"ws://127.0.0.1:{process.stdout.readline().strip()}/"


def main() -> None:
    """`flood N` or `steady N_PER_SECOND SECONDS`: serves one connection, then waits for the client to leave."""
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    connection = accept(server)
    if sys.argv[1] == "flood":
        flood(connection, int(sys.argv[2]))
    else:
        steady(connection, int(sys.argv[2]), float(sys.argv[3]))
    connection.settimeout(60)
    while connection.recv(65536):
        pass


if __name__ == "__main__":
    main()
