"""fastws' AsyncWebSocketClient, through handlers and through `await recv()`. Settings as in fastws_faces.py.

Imported only where fastws has that class.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import frames
from server import Where
from tally import Tally

from fastws import AsyncWebSocketClient

from .base import LIMIT, Handle, LoopContender, expect, volley_of
from .fastws_faces import options


class HandledAsync(LoopContender):
    label = "fastws async + uvloop"
    packages = ("fastws", "uvloop")

    async def open(self, where: Where, handle: Handle, only: bool) -> AsyncWebSocketClient:
        client = AsyncWebSocketClient(where.url, autoconnect=False, **options(where))
        client.on(frames.ROUTE, handle)
        client.connect()
        await client.wait_open(60)
        return client

    async def trade(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        kept = []

        async def open_with(handle: Handle) -> Callable[[Any], Awaitable[Any]]:
            kept.append(await self.open(where, handle, False))
            return kept[0].send

        return await volley_of(objects, open_with)

    async def pour(self, where: Where, messages: int) -> float:
        self._client = AsyncWebSocketClient(
            where.url, **options(where)
        )  # kept: one that is dropped is closed
        await self._client.wait_open(10)
        order, send = frames.order_object(0), self._client.send
        began = time.monotonic()
        for number in range(frames.FIRST_ID, frames.FIRST_ID + messages):
            order["id"] = number
            await send(order)
        return began


class ReadAsync(HandledAsync):
    label = "fastws async, recv() + uvloop"

    async def trade(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        client = AsyncWebSocketClient(where.url, **options(where))
        await client.wait_open(10)
        times = []
        for one in objects:
            began = time.perf_counter()
            await client.send(one)
            reply = await client.recv()
            times.append(time.perf_counter() - began)
            expect(reply, one)
        return times


class IteratedAsync(HandledAsync):
    label = "fastws async, messages() + uvloop"

    def stream(self, where: Where, tally: Tally, only: bool) -> None:
        async def main() -> None:
            client = AsyncWebSocketClient(where.url, autoconnect=False, **options(where))
            messages = client.messages(frames.ROUTE)
            client.connect()
            async for message in messages:
                tally.handle(message)
                if tally.count == tally.wanted:
                    break

        self.run(asyncio.wait_for(main(), LIMIT))
