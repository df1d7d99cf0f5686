"""websockets' asyncio client: recv() that leaves texts as bytes for orjson, compression off, no queue limit, no pings.

The settings are those its author asked others to use when they compare.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import frames
import orjson
from server import Where
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .base import WANTED, Handle, LoopContender, context_of, expect


class Websockets(LoopContender):
    label = "websockets + orjson + uvloop"
    share = 5
    packages = ("websockets", "orjson", "uvloop")

    def __init__(self) -> None:
        self._readers: list[asyncio.Task[None]] = []

    async def _connect(self, where: Where) -> ClientConnection:
        return await connect(
            where.url,
            ssl=context_of(where),
            compression=None,
            max_queue=None,
            max_size=None,
            ping_interval=None,
            open_timeout=60,
        )

    async def open(self, where: Where, handle: Handle, only: bool) -> ClientConnection:
        connection = await self._connect(where)
        self._readers.append(asyncio.create_task(self._read(connection, handle, only)))
        return connection

    async def _read(self, connection: ClientConnection, handle: Handle, only: bool) -> None:
        recv = connection.recv
        try:
            while True:
                text = await recv(decode=False)
                if not only or WANTED in text:
                    handle(orjson.loads(text))
        except ConnectionClosed:
            return

    async def trade(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        connection = await self._connect(where)
        times = []
        for one in objects:
            began = time.perf_counter()
            await connection.send(orjson.dumps(one), text=True)
            reply = orjson.loads(await connection.recv(decode=False))
            times.append(time.perf_counter() - began)
            expect(reply, one)
        return times

    async def pour(self, where: Where, messages: int) -> float:
        self._kept = connection = await self._connect(where)
        order, send = frames.order_object(0), connection.send
        began = time.monotonic()
        for number in range(frames.FIRST_ID, frames.FIRST_ID + messages):
            order["id"] = number
            await send(orjson.dumps(order), text=True)
        return began
