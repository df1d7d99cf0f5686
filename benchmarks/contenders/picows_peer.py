"""picows: its listener, called by the loop for each frame; orjson reads the frame where it lies.

As its documentation recommends for speed: the core API, uvloop, no copy of the payload; aiofastnet, which it depends on,
moves the bytes, TLS included. The filter copies the payload, because a memoryview has no search: the copy costs less than
a regular expression over the view.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import frames
import orjson
import picows
from server import Where

from .base import WANTED, Handle, LoopContender, context_of, volley_of

_TEXT = picows.WSMsgType.TEXT


class _Parsing(picows.WSListener):
    def __init__(self, handle: Handle) -> None:
        self.handle = handle

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == _TEXT:
            self.handle(orjson.loads(frame.get_payload_as_memoryview()))


class _Filtering(_Parsing):
    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == _TEXT:
            text = frame.get_payload_as_bytes()
            if WANTED in text:
                self.handle(orjson.loads(text))


class _Sending(picows.WSListener):
    """Heeds back-pressure: `room` is set while the transport takes more."""

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()


class Picows(LoopContender):
    label = "picows + orjson + uvloop"
    packages = ("picows", "aiofastnet", "orjson", "uvloop")

    async def open(self, where: Where, handle: Handle, only: bool) -> picows.WSTransport:
        kind = _Filtering if only else _Parsing
        context = context_of(where)
        transport, _ = await picows.ws_connect(
            lambda: kind(handle), where.url, ssl_context=context, websocket_handshake_timeout=60
        )
        return transport

    async def trade(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        async def open_with(handle: Handle) -> Callable[[Any], Any]:
            transport = await self.open(where, handle, False)

            def send(one: dict[str, Any]) -> Awaitable[None] | None:
                transport.send(_TEXT, orjson.dumps(one))
                return None

            return send

        return await volley_of(objects, open_with)

    async def pour(self, where: Where, messages: int) -> float:
        self._kept, listener = await picows.ws_connect(_Sending, where.url, ssl_context=context_of(where))
        order, send, room = frames.order_object(0), self._kept.send, listener.room
        began = time.monotonic()
        for number in range(frames.FIRST_ID, frames.FIRST_ID + messages):
            order["id"] = number
            send(_TEXT, orjson.dumps(order))
            if not room.is_set():
                await room.wait()
        return began
