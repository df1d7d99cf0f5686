"""No WebSocket client: raw sockets that move the same bytes, as the floor of the round trip and the ceiling of the feed.

Knows sockets and frames.py.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from typing import Any

import frames
from server import Where
from tally import Tally

from .base import Contender, context_of


def _shake_hands(where: Where) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", where.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    context = context_of(where)
    if context:
        connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{where.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):  # byte by byte: what follows is a frame's
        answer += connection.recv(1)
    return connection


class Floor(Contender):
    label = "raw socket, nothing parsed"
    packages = ()

    def stream(self, where: Where, tally: Tally, only: bool) -> None:
        """Counts heads of frames, which are all of one size: a stride through each piece that comes."""
        with _shake_hands(where) as connection:
            self._count(connection, tally)

    def _count(self, connection: socket.socket, tally: Tally) -> None:
        buffer = bytearray(1 << 20)
        view = memoryview(buffer)
        taken = connection.recv_into(buffer)
        while taken < 14:
            taken += connection.recv_into(view[taken:])
        size, at = sum(frames.head_of(view)), 0
        while True:
            heads = buffer[at:taken:size]
            tally.wrong += len(heads) - heads.count(0x81)
            tally.count += len(heads)
            at += len(heads) * size - taken
            if tally.count == tally.wanted and at == 0:
                break
            taken = connection.recv_into(buffer)
            if not taken:
                return
        tally.ended = time.monotonic()

    def echo(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        """Frames made beforehand go out; as many bytes as they must come back are read."""
        texts = [json.dumps(one, separators=(",", ":")).encode() for one in objects]
        requests = [frames.masked_frame(text) for text in texts]
        replies = [frames.frame(text) for text in texts]
        buffer = bytearray(len(max(replies, key=len)))
        view = memoryview(buffer)
        times = []
        with _shake_hands(where) as connection:
            for request, reply in zip(requests, replies, strict=True):
                began = time.perf_counter()
                connection.sendall(request)
                taken = connection.recv_into(buffer)
                while taken < len(reply):
                    taken += connection.recv_into(view[taken:])
                times.append(time.perf_counter() - began)
                if view[:taken] != reply:
                    raise SystemExit("what came back is not what was sent")
        return times
