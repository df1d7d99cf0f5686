"""One client's connection on the server: reads its requests, keeps them within the limits, writes what the room tells it.

Knows aiohttp's socket, the protocol and the rooms. Promises that no text from a client ends anything but its own connection,
and that a client that reads too slowly is closed (1013) instead of filling the memory: it comes back and is given what it missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

from aiohttp import WSCloseCode, WSMsgType, web

from . import protocol
from .limits import Bucket
from .protocol import Join, Older, Ping, Refused, Say, Typing
from .room import Member, Room, Rooms, encode

SAY_RATE, SAY_BURST = 5.0, 20  # messages a second and at once
OTHER_RATE, OTHER_BURST = 20.0, 60
GARBAGE_RATE, GARBAGE_BURST = 0.5, 10  # requests that were refused as garbage, before the connection is ended
OUTBOX_MESSAGES, OUTBOX_BYTES = 2000, 8 * 2**20
JOIN_SECONDS = 20.0
CLOSE_SECONDS = 3.0


class Outbox:
    """What waits to be written to one client."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self.ending: tuple[int, str] | None = None

    def put(self, text: str) -> None:
        """Send a text soon; a full outbox ends the connection."""
        if self.ending is not None:
            return
        if self._texts and (len(self._texts) >= OUTBOX_MESSAGES or self._bytes + len(text) > OUTBOX_BYTES):
            self._texts.clear()
            return self.end(protocol.TOO_SLOW, "you read too slowly")
        self._texts.append(text)
        self._bytes += len(text)
        self._news.set()

    def end(self, code: int, reason: str) -> None:
        """Close the connection when what was put before is written."""
        if self.ending is None:
            self.ending = (code, reason)
        self._news.set()

    async def write_to(self, socket: web.WebSocketResponse) -> tuple[int, str]:
        """Write until the end: the code and reason to close with."""
        while True:
            while self._texts:
                text = self._texts.popleft()
                self._bytes -= len(text)
                await socket.send_str(text)
            if self.ending is not None:
                return self.ending
            self._news.clear()
            await self._news.wait()


class Connection:
    """One client, from its upgrade to its end."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self.outbox = Outbox()
        self._place: tuple[Room, Member] | None = None
        self._taking = asyncio.Lock()  # held while a request is worked on
        now = time.monotonic()
        self._says = Bucket(SAY_RATE, SAY_BURST, now)
        self._others = Bucket(OTHER_RATE, OTHER_BURST, now)
        self._garbage = Bucket(GARBAGE_RATE, GARBAGE_BURST, now)

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Read and write until the connection ends."""
        reading = asyncio.create_task(self._read(socket))
        writing = asyncio.create_task(self._write(socket, reading))
        patience = asyncio.get_running_loop().call_later(JOIN_SECONDS, self._lose_patience)
        try:
            await asyncio.wait({reading})
        finally:
            patience.cancel()
            reading.cancel()
            if self._place is not None:
                await self._rooms.go(*self._place)
            if self.outbox.ending is not None:
                await asyncio.wait({writing}, timeout=CLOSE_SECONDS)
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
        if not reading.cancelled():
            reading.result()  # what went wrong in it is the server's to log

    async def _read(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            async with self._taking:
                if message.type is WSMsgType.TEXT:
                    await self._take(message.data)
                elif message.type is WSMsgType.BINARY:
                    self._refuse(Refused("bad-message", "This chat speaks text messages only."))

    async def _write(self, socket: web.WebSocketResponse, reading: asyncio.Task[None]) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):  # it ended: the reader knows
            code, reason = await self.outbox.write_to(socket)
            # close() reads what still comes, until the client's Close frame; but only if nobody else does. Else it leaves at
            # once, the client's next request is answered by a reset, and that would eat the close code.
            async with self._taking:  # not in the middle of a request
                reading.cancel()
            await asyncio.wait({reading})
            await socket.close(code=code, message=reason.encode())

    def _lose_patience(self) -> None:
        if self._place is None:
            self.outbox.end(WSCloseCode.POLICY_VIOLATION, "you never joined a room")

    async def _take(self, text: str) -> None:
        try:
            await self._do(protocol.read(text))
        except Refused as refused:
            self._refuse(refused)

    def _refuse(self, refused: Refused) -> None:
        self.outbox.put(encode(refused.reply()))
        garbage = refused.code in ("bad-message", "too-fast", "bad-version") and refused.about is None
        if garbage and self._garbage.take(time.monotonic()):
            self.outbox.end(protocol.TOO_MUCH_GARBAGE, "too many requests that make no sense")

    async def _do(self, request: protocol.Request) -> None:
        if not isinstance(request, Say) and (wait := self._others.take(time.monotonic())):
            raise Refused("too-fast", "That is too much at once.", retry_after=wait)
        if isinstance(request, Ping):
            return self.outbox.put('{"type":"pong"}')
        if isinstance(request, Join):
            return await self._join(request)
        about = request.id if isinstance(request, Say) else None
        if self._place is None:
            raise Refused("not-joined", "Join a room first.", about=about)
        room, member = self._place
        if isinstance(request, Say):
            if wait := self._says.take(time.monotonic()):
                raise Refused("too-fast", "Slowly: that is a lot at once.", about=about, retry_after=wait)
            await room.say(member, request)
        elif isinstance(request, Typing):
            room.typing(member, request.on)
        elif isinstance(request, Older):
            await room.older(member, request.before)

    async def _join(self, join: Join) -> None:
        if self._place is not None:
            raise Refused("bad-message", "You are in a room already; another room needs another connection.")
        self._place = await self._rooms.enter(self.outbox, join)
