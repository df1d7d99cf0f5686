"""Several servers, one room: the log is a Redis stream, the word of who is where goes by Redis pub/sub.

Knows redis-py and the shape of a message. Promises what `hub.Hub` does, across all servers on one Redis; how durable the log is,
Redis decides (`appendonly yes`, `appendfsync always` for every acknowledged message). A server that dies is forgotten by the
others after ABSENT seconds.

Keys, under chat:{ROOM}: `seq` counts, `log` is the stream with ids SEQ-0, `id:CLIENT:ID` is the number a message got (for
RECEIPTS seconds: a resend within that time is harmless), `name:KEY` is the client that has a name. chat:log-id names the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import Iterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from .hub import Deliver, Elsewhere, Hub, now_ms
from .protocol import Refused, Said

log = logging.getLogger("chat")

KEPT = 100_000  # messages of a room, about
RECEIPTS = 24 * 3600
ABSENT = 6.0
NAME_SECONDS = 10
PATIENCE = 5.0  # seconds for Redis to answer

_APPEND = """
local old = redis.call('GET', KEYS[3])
if old then
  return {tonumber(old), 0}
end
local seq = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], seq .. '-0',
           'client', ARGV[3], 'id', ARGV[4], 'name', ARGV[5], 'text', ARGV[6], 'at', ARGV[7])
redis.call('SET', KEYS[3], seq, 'EX', ARGV[2])
return {seq, 1}
"""
_CLAIM = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

_TROUBLE = (RedisError, OSError, asyncio.TimeoutError, TimeoutError)


class _Followed:
    """A room that this server follows."""

    def __init__(self, deliver: Deliver, elsewhere: Elsewhere, last: int) -> None:
        self.deliver = deliver
        self.elsewhere = elsewhere
        self.last = last  # the newest message that was delivered
        self.progress = asyncio.Condition()
        self.others: dict[
            str, tuple[set[str], set[str], float]
        ] = {}  # by server: people, typists, until when it is believed
        self.told: dict[str, Any] | None = None
        self.reading: asyncio.Task[None] | None = None

    def tell_elsewhere(self) -> None:
        """Let the room know of all other servers."""
        now = time.monotonic()
        self.others = {server: word for server, word in self.others.items() if word[2] > now}
        people = {name for word in self.others.values() for name in word[0]}
        typing = {name for word in self.others.values() for name in word[1]}
        self.elsewhere(people, typing)


class RedisHub(Hub):
    """One of several servers on one Redis (redis://host:port/number)."""

    def __init__(self, url: str) -> None:
        super().__init__()
        # Any: its hints cover all protocols at once; protocol 2 has one shape for all its versions.
        self._redis: Any = Redis.from_url(
            url, decode_responses=True, protocol=2, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )
        self._server = secrets.token_hex(8)
        self._rooms: dict[str, _Followed] = {}
        self._append = self._redis.register_script(_APPEND)
        self._claim = self._redis.register_script(_CLAIM)
        self._release = self._redis.register_script(_RELEASE)
        self._words: Any = self._redis.pubsub(ignore_subscribe_messages=True)
        self._hearing: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Raises OSError when Redis does not answer."""
        try:
            self.log_id = await self._find_log_id()
            await self._words.subscribe(_channel(""))  # so that there is something to hear at all times
        except _TROUBLE as error:
            raise OSError(f"Redis: {error}") from None
        self._hearing = asyncio.create_task(self._hear())

    async def close(self) -> None:
        """Leave all rooms."""
        readings = (self._hearing, *(room.reading for room in self._rooms.values()))
        tasks = [task for task in readings if task is not None]
        self._rooms.clear()
        self._closing = True
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)
        with contextlib.suppress(*_TROUBLE):
            await self._words.aclose()
            await self._redis.aclose()

    async def _find_log_id(self) -> str:
        await self._redis.set("chat:log-id", secrets.token_hex(8), nx=True)
        return str(await self._redis.get("chat:log-id"))

    # -- The log -------------------------------------------------------------------------------------------------------

    async def follow(self, room: str, deliver: Deliver, elsewhere: Elsewhere) -> None:
        """Begin after the newest message there is now, and ask the other servers who they have."""
        with _refusing():
            newest = await self._redis.xrevrange(_key(room, "log"), count=1)
            await self._words.subscribe(_channel(room))
        followed = _Followed(deliver, elsewhere, _seq(newest[0][0]) if newest else 0)
        self._rooms[room] = followed
        followed.reading = asyncio.create_task(self._read(room, followed))
        with contextlib.suppress(*_TROUBLE):
            await self._redis.publish(_channel(room), json.dumps({"server": self._server, "ask": True}))

    async def leave(self, room: str) -> None:
        """Follow this room no more."""
        followed = self._rooms.pop(room, None)
        if followed is None:
            return
        if followed.reading is not None:
            followed.reading.cancel()  # or it ends by itself: redis-py may take a cancellation for a time-out
        with contextlib.suppress(*_TROUBLE):
            await self._words.unsubscribe(_channel(room))

    async def append(self, room: str, client: str, id: str, name: str, text: str) -> tuple[Said, bool]:
        """Keep a message; returns when it was delivered here too, so that a receipt never overtakes an older message."""
        keys = [_key(room, "log"), _key(room, "seq"), _key(room, f"id:{client}:{id}")]
        at = now_ms()
        with _refusing():
            seq, new = await self._append(keys, [KEPT, RECEIPTS, client, id, name, text, at])
            said = Said(seq, client, id, name, text, at)
            if not new:
                old = await self._redis.xrange(keys[0], f"{seq}-0", f"{seq}-0")
                said = _said(*old[0]) if old else said
        followed = self._rooms.get(room)
        if followed is not None:
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                async with followed.progress:
                    await asyncio.wait_for(followed.progress.wait_for(lambda: followed.last >= seq), PATIENCE)
        return said, bool(new)

    async def after(self, room: str, seq: int, most: int) -> list[Said]:
        """The first `most` messages after `seq`, oldest first."""
        with _refusing():
            return [
                _said(*entry)
                for entry in await self._redis.xrange(_key(room, "log"), f"({seq}-0", "+", count=most)
            ]

    async def before(self, room: str, seq: int | None, most: int) -> list[Said]:
        """The last `most` messages before `seq` (None = of all), oldest first."""
        end = "+" if seq is None else f"({seq}-0"
        if seq == 0:
            return []
        with _refusing():
            return [
                _said(*entry)
                for entry in await self._redis.xrevrange(_key(room, "log"), end, "-", count=most)
            ][::-1]

    async def _read(self, room: str, followed: _Followed) -> None:
        while self._rooms.get(room) is followed:
            try:
                block = int(PATIENCE * 500)
                answer = await self._redis.xread(
                    {_key(room, "log"): f"{followed.last}-0"}, count=200, block=block
                )
            except _TROUBLE as error:
                log.warning("Redis: %s", error)
                await asyncio.sleep(0.5)
                await self._check_log()
                continue
            if self._rooms.get(room) is not followed:
                return
            entries = [_said(*entry) for _, found in answer or () for entry in found]
            for said in entries:
                followed.last = said.seq
                followed.deliver(said)
            if entries:
                async with followed.progress:
                    followed.progress.notify_all()

    async def _check_log(self) -> None:
        with contextlib.suppress(*_TROUBLE):
            if await self._find_log_id() != self.log_id:
                log.error(
                    "Redis has lost the log: this server ends, and starts afresh when it is started again"
                )
                self.lost.set()

    # -- The word of others --------------------------------------------------------------------------------------------

    async def claim(self, room: str, key: str, client: str) -> bool:
        """Take a name for a client, on all servers."""
        with _refusing():
            return bool(await self._claim([_key(room, f"name:{key}")], [client, NAME_SECONDS]))

    async def release(self, room: str, key: str, client: str) -> None:
        """Give a name back."""
        with contextlib.suppress(*_TROUBLE):
            await self._release([_key(room, f"name:{key}")], [client])

    async def tell(self, room: str, people: dict[str, str], names: set[str], typing: set[str]) -> None:
        """Let other servers know who is here, and keep the names of these people."""
        followed = self._rooms.get(room)
        word = {"server": self._server, "people": sorted(names), "typing": sorted(typing)}
        if followed is not None:
            followed.told = word
            followed.tell_elsewhere()
        with _refusing():
            await self._redis.publish(_channel(room), json.dumps(word))
            for key, client in people.items():
                await self._claim([_key(room, f"name:{key}")], [client, NAME_SECONDS])

    async def _hear(self) -> None:
        while not self._closing:
            try:
                heard = await self._words.get_message(timeout=PATIENCE / 2)
            except _TROUBLE:
                await asyncio.sleep(0.5)  # redis-py connects and subscribes again
                continue
            if heard is not None:
                await self._heard(heard["channel"], heard["data"])

    async def _heard(self, channel: str, data: str) -> None:
        room = channel.removeprefix(_channel(""))
        followed = self._rooms.get(room)
        with contextlib.suppress(ValueError, KeyError, TypeError, *_TROUBLE):
            word = json.loads(data)
            if followed is None or word["server"] == self._server:
                return
            if word.get("ask"):
                if followed.told is not None:
                    await self._redis.publish(channel, json.dumps(followed.told))
                return
            until = time.monotonic() + ABSENT
            followed.others[word["server"]] = (set(word["people"]), set(word["typing"]), until)
            followed.tell_elsewhere()


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except _TROUBLE as error:
        log.warning("Redis: %s", error)
        raise Refused("not-stored", "The server can not reach its storage now.") from None


def _key(room: str, what: str) -> str:
    return f"chat:{{{room}}}:{what}"


def _channel(room: str) -> str:
    return f"chat:here:{room}"


def _seq(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])


def _said(entry_id: str, fields: dict[str, str]) -> Said:
    return Said(
        _seq(entry_id), fields["client"], fields["id"], fields["name"], fields["text"], int(fields["at"])
    )
