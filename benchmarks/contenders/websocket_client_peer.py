"""websocket-client: blocking, with orjson; the UTF-8 check left out and wsaccel masking, as its documentation recommends.

It answers pings while somebody reads. So each of many connections has a thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import frames
import orjson
import websocket
from server import Where
from tally import Tally

from .base import TURN, WANTED, Contender, Handle, expect


def _connect(where: Where) -> websocket.WebSocket:
    options = {"ca_certs": where.authority} if where.authority else None
    return websocket.create_connection(where.url, sslopt=options, skip_utf8_validation=True)


class WebsocketClient(Contender):
    label = "websocket-client + orjson"
    share = 5
    packages = ("websocket-client", "wsaccel", "orjson")

    def stream(self, where: Where, tally: Tally, only: bool) -> None:
        connection = _connect(where)
        while tally.count < tally.wanted:
            opcode, text = connection.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return
            if not only or WANTED in text:
                tally.handle(orjson.loads(text))

    def echo(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        connection = _connect(where)
        times = []
        for one in objects:
            began = time.perf_counter()
            connection.send(orjson.dumps(one), websocket.ABNF.OPCODE_TEXT)
            reply = orjson.loads(connection.recv_data()[1])
            times.append(time.perf_counter() - began)
            expect(reply, one)
        return times

    def burst(self, where: Where, messages: int, taken: Callable[[], None]) -> float:
        connection = _connect(where)
        order, send = frames.order_object(0), connection.send
        began = time.monotonic()
        for number in range(frames.FIRST_ID, frames.FIRST_ID + messages):
            order["id"] = number
            send(orjson.dumps(order), websocket.ABNF.OPCODE_TEXT)
        taken()
        return began

    def hold(self, where: Where, count: int, handle: Handle, steps: Iterator[Callable[[], bool]]) -> None:
        for _ in range(count):
            threading.Thread(target=_read, args=(_connect(where), handle), daemon=True).start()
        for ready in steps:
            while not ready():
                time.sleep(TURN)


def _read(connection: websocket.WebSocket, handle: Handle) -> None:
    while True:
        try:
            opcode, text = connection.recv_data()
        except websocket.WebSocketConnectionClosedException:
            return
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return
        handle(orjson.loads(text))
