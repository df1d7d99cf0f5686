"""aiohttp's client: `async for`, texts left as bytes for orjson, compression off, pings answered by itself (autoping).

One session for all connections of a process. JSON is sent as orjson's bytes in a text frame, without a detour over str.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import frames
import orjson
from server import Where

from .base import WANTED, Handle, LoopContender, context_of, expect

_TEXT = aiohttp.WSMsgType.TEXT


class Aiohttp(LoopContender):
    label = "aiohttp + orjson + uvloop"
    packages = ("aiohttp", "orjson", "uvloop")

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._readers: list[asyncio.Task[None]] = []

    async def _connect(self, where: Where) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return await self._session.ws_connect(
            where.url,
            autoping=True,
            compress=0,
            max_msg_size=0,
            decode_text=False,
            ssl=context_of(where) or True,
        )

    async def open(self, where: Where, handle: Handle, only: bool) -> Any:
        connection = await self._connect(where)
        self._readers.append(asyncio.create_task(self._read(connection, handle, only)))
        return connection

    async def _read(self, connection: Any, handle: Handle, only: bool) -> None:
        if only:
            async for message in connection:
                if message.type is _TEXT and WANTED in message.data:
                    handle(orjson.loads(message.data))
        else:
            async for message in connection:
                if message.type is _TEXT:
                    handle(orjson.loads(message.data))

    async def trade(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        connection = await self._connect(where)
        times = []
        for one in objects:
            began = time.perf_counter()
            await connection.send_frame(orjson.dumps(one), _TEXT)
            reply = orjson.loads((await connection.receive()).data)
            times.append(time.perf_counter() - began)
            expect(reply, one)
        return times

    async def pour(self, where: Where, messages: int) -> float:
        self._kept = connection = await self._connect(where)
        order, send = frames.order_object(0), connection.send_frame
        began = time.monotonic()
        for number in range(frames.FIRST_ID, frames.FIRST_ID + messages):
            order["id"] = number
            await send(orjson.dumps(order), _TEXT)
        return began
