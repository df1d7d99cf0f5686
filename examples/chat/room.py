"""A room on one server: who is here, who types, and what everybody is told. `Rooms` opens and forgets them.

Knows members and the hub, no socket. Promises that a member gets every message of the room once and in order: those that were
kept before it came in its welcome, all later ones after that.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Protocol

from . import protocol
from .hub import Hub
from .protocol import Join, Refused, Said

PEOPLE = 200  # in one room, on one server
ROOMS = 500  # on one server
TYPING_SECONDS = 5.0  # a typist who says nothing more is taken for gone
REMIND = 2.0  # seconds between two words to other servers, at most


class Outlet(Protocol):
    """The way to one member."""

    def put(self, text: str) -> None:
        """Send a text, now or soon."""

    def end(self, code: int, reason: str) -> None:
        """Close the connection."""


class Member:
    """One person by one connection."""

    def __init__(self, outlet: Outlet, join: Join) -> None:
        self.outlet = outlet
        self.name = join.name
        self.key = protocol.name_key(join.name)
        self.client = join.client
        self.early: (
            list[Said] | None
        ) = []  # what was said before the welcome was written; None = it is written
        self.last = 0  # the newest message it was told


def encode(message: dict[str, Any]) -> str:
    """A message as it goes over the wire."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


class Room:
    """Who is in one room and what they are told."""

    def __init__(self, name: str, hub: Hub) -> None:
        self.name = name
        self._hub = hub
        self._members: dict[str, Member] = {}  # by client
        self._typing: dict[str, asyncio.TimerHandle] = {}  # by client
        self._people_elsewhere: set[str] = set()
        self._typing_elsewhere: set[str] = set()
        self._told: dict[str, list[str]] = {"people": [], "typing": []}
        self._changed = asyncio.Event()
        self._living = True

    @property
    def empty(self) -> bool:
        """Whether nobody is here."""
        return not self._members

    # -- Coming and going ----------------------------------------------------------------------------------------------

    async def enter(self, member: Member, join: Join) -> None:
        """Let a member in and welcome it. Raises Refused; then it is not in."""
        for other in self._members.values():
            if other.key == member.key and other.client != member.client:
                raise Refused("name-taken", f"Somebody called {other.name} is here already.")
        before = self._members.get(member.client)
        if before is None and len(self._members) >= PEOPLE:
            raise Refused("room-full", f"This room is full: {PEOPLE} are here.")
        self._members[member.client] = member
        try:
            if not await self._hub.claim(self.name, member.key, member.client):
                raise Refused("name-taken", f"Somebody called {member.name} is here already.")
            same_log = join.log == self._hub.log_id
            messages, complete = await self._missed(join.since if same_log else 0)
        except BaseException:
            if self._members.get(member.client) is member:
                del self._members[member.client]
            raise
        finally:
            if before is not None:
                if before.key != member.key:
                    await self._hub.release(self.name, before.key, before.client)
                before.outlet.end(protocol.REPLACED, "you came by another connection")
        self.tell_people()  # the others: the newcomer reads it in its welcome
        self._welcome(member, messages, complete)

    async def _missed(self, since: int) -> tuple[list[Said], bool]:
        """What a member has not seen, and whether it is all of it."""
        if since:
            messages = await self._hub.after(self.name, since, 2 * protocol.PAGE + 1)
            if len(messages) <= 2 * protocol.PAGE:
                return messages, True
        return await self._hub.before(self.name, None, protocol.PAGE), False

    def _welcome(self, member: Member, messages: list[Said], complete: bool) -> None:
        early, member.early = member.early or [], None
        member.last = messages[-1].seq if messages else 0
        member.outlet.put(
            encode(
                {
                    "type": "welcome",
                    "version": protocol.VERSION,
                    "room": self.name,
                    "name": member.name,
                    "log": self._hub.log_id,
                    "limits": protocol.LIMITS,
                    "people": self._people(),
                    "typing": self._typists(),
                    "complete": complete,
                    "messages": [said.told_to(member.client) for said in messages],
                }
            )
        )
        for said in early:
            self._pass_on(member, said, _said(said))

    async def go(self, member: Member) -> None:
        """A member's connection has ended; nothing happens if it was replaced."""
        if self._members.get(member.client) is not member:
            return
        del self._members[member.client]
        self._stop_typing(member.client)
        self.tell_people()
        self.tell_typing()
        await self._hub.release(self.name, member.key, member.client)

    # -- Talking -------------------------------------------------------------------------------------------------------

    async def say(self, member: Member, say: protocol.Say) -> None:
        """Keep a message and tell everybody; the member's own copy is its receipt. Raises Refused."""
        self.typing(member, False)
        try:
            said, new = await self._hub.append(self.name, member.client, say.id, member.name, say.text)
        except Refused as refused:
            refused.about = say.id
            raise
        if not new:  # sent again because the receipt was lost
            member.outlet.put(_said(said, member.client))

    def deliver(self, said: Said) -> None:
        """The hub has a new message."""
        text = _said(said)
        for member in self._members.values():
            if member.early is None:
                self._pass_on(member, said, text)
            else:
                member.early.append(said)

    def _pass_on(self, member: Member, said: Said, text: str) -> None:
        if said.seq > member.last:  # else it stood in the welcome
            member.last = said.seq
            member.outlet.put(text if member.client != said.client else _said(said, said.client))

    async def older(self, member: Member, before: int) -> None:
        """Send a member the messages before this one."""
        messages = await self._hub.before(self.name, before, protocol.PAGE)
        more = len(messages) == protocol.PAGE
        page = [said.told_to(member.client) for said in messages]
        member.outlet.put(encode({"type": "older", "before": before, "messages": page, "more": more}))

    # -- Typing --------------------------------------------------------------------------------------------------------

    def typing(self, member: Member, on: bool) -> None:
        """A member types, or types no more."""
        self._stop_typing(member.client)
        if on:
            loop = asyncio.get_running_loop()
            self._typing[member.client] = loop.call_later(TYPING_SECONDS, self._expire, member.client)
        self.tell_typing()

    def _stop_typing(self, client: str) -> None:
        timer = self._typing.pop(client, None)
        if timer is not None:
            timer.cancel()

    def _expire(self, client: str) -> None:
        self._stop_typing(client)
        self.tell_typing()

    # -- Telling -------------------------------------------------------------------------------------------------------

    def elsewhere(self, people: set[str], typing: set[str]) -> None:
        """Who is here, and who types, by other servers."""
        self._people_elsewhere, self._typing_elsewhere = people, typing
        self._tell("people", "people", self._people())
        self._tell("typing", "names", self._typists())

    def _here(self) -> set[str]:
        return {member.name for member in self._members.values()}

    def _typing_here(self) -> set[str]:
        return {self._members[client].name for client in self._typing if client in self._members}

    def _people(self) -> list[str]:
        return sorted(self._here() | self._people_elsewhere, key=str.casefold)

    def _typists(self) -> list[str]:
        return sorted(self._typing_here() | self._typing_elsewhere, key=str.casefold)

    def tell_people(self) -> None:
        """Tell everybody who is here, if that has changed."""
        self._tell("people", "people", self._people())
        self._changed.set()

    def tell_typing(self) -> None:
        """Tell everybody who types, if that has changed."""
        self._tell("typing", "names", self._typists())
        self._changed.set()

    def _tell(self, kind: str, key: str, names: list[str]) -> None:
        if names == self._told[kind]:
            return
        self._told[kind] = names
        text = encode({"type": kind, key: names})
        for member in self._members.values():
            if member.early is None:
                member.outlet.put(text)

    async def keep_telling(self) -> None:
        """Let other servers know of this room's changes, and every REMIND seconds that they are still so."""
        while self._living:
            self._changed.clear()
            people = {member.key: member.client for member in self._members.values()}
            with contextlib.suppress(Refused):
                await self._hub.tell(self.name, people, self._here(), self._typing_here())
            reminder = asyncio.get_running_loop().call_later(REMIND, self._changed.set)
            await self._changed.wait()
            reminder.cancel()

    def end(self) -> None:
        """Let `keep_telling` end. It is not cancelled: libraries, and wait_for, may take a cancellation for a result."""
        self._living = False
        self._changed.set()


def _said(said: Said, client: str = "") -> str:
    return encode({"type": "said", **said.told_to(client)})


class Rooms:
    """The rooms of one server; one that is empty is forgotten."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._rooms: dict[str, Room] = {}
        self._tellers: dict[str, asyncio.Task[None]] = {}
        self._door = asyncio.Lock()  # one at a time: a room is not forgotten while somebody enters

    def __len__(self) -> int:
        return len(self._rooms)

    async def enter(self, outlet: Outlet, join: Join) -> tuple[Room, Member]:
        """Let somebody into a room. Raises Refused."""
        member = Member(outlet, join)
        async with self._door:
            room = self._rooms.get(join.room)
            if room is None:
                if len(self._rooms) >= ROOMS:
                    raise Refused("too-many-rooms", f"There are {ROOMS} rooms already; choose one of them.")
                room = Room(join.room, self._hub)
                await self._hub.follow(join.room, room.deliver, room.elsewhere)
                self._rooms[join.room] = room
                self._tellers[join.room] = asyncio.create_task(room.keep_telling())
            try:
                await room.enter(member, join)
            except BaseException:
                await self._forget_if_empty(room)
                raise
        return room, member

    async def go(self, room: Room, member: Member) -> None:
        """Somebody's connection has ended."""
        async with self._door:
            await room.go(member)
            await self._forget_if_empty(room)

    async def _forget_if_empty(self, room: Room) -> None:
        if not room.empty or self._rooms.get(room.name) is not room:
            return
        del self._rooms[room.name]
        room.end()
        await self._tellers.pop(room.name)
        with contextlib.suppress(Refused):
            await self._hub.tell(room.name, {}, set(), set())
        await self._hub.leave(room.name)
