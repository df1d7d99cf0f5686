"""The hub of one server alone, over its SQLite file. Messages that come while a commit runs are committed together: one fsync for many.

Knows the history and asyncio. The history is used on one thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .history import Entry, History
from .hub import Deliver, Elsewhere, Hub, now_ms
from .protocol import Refused, Said

log = logging.getLogger("chat")

_Result = TypeVar("_Result")


class LocalHub(Hub):
    """One server alone."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history
        self.log_id = history.log_id
        self._thread = ThreadPoolExecutor(1, "chat-history")
        self._followers: dict[str, Deliver] = {}
        self._waiting: list[tuple[Entry, asyncio.Future[tuple[Said, bool]]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The file is open already."""

    async def close(self) -> None:
        """Commit what waits, and close the file."""
        if self._committing is not None:
            await self._committing
        self._thread.submit(self._history.close)
        self._thread.shutdown()

    async def follow(self, room: str, deliver: Deliver, elsewhere: Elsewhere) -> None:
        """There is nobody else: `elsewhere` is never called."""
        self._followers[room] = deliver

    async def leave(self, room: str) -> None:
        """Follow this room no more."""
        self._followers.pop(room, None)

    async def append(self, room: str, client: str, id: str, name: str, text: str) -> tuple[Said, bool]:
        """Keep a message; returns when it is on the disk."""
        done: asyncio.Future[tuple[Said, bool]] = asyncio.get_running_loop().create_future()
        self._waiting.append((Entry(room, client, id, name, text, now_ms()), done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())
        return await asyncio.shield(done)

    async def _commit(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                kept = await self._run(self._history.append, [entry for entry, _ in batch])
            except Refused as refused:
                for _, done in batch:
                    done.set_exception(Refused(refused.code, str(refused)))
                    done.exception()  # who asked may be gone: it is looked at here already
                continue
            for (entry, done), (said, new) in zip(batch, kept, strict=True):
                if new and entry.room in self._followers:
                    self._followers[entry.room](said)
                done.set_result((said, new))

    async def after(self, room: str, seq: int, most: int) -> list[Said]:
        """The first `most` messages after `seq`, oldest first."""
        return await self._run(self._history.after, room, seq, most)

    async def before(self, room: str, seq: int | None, most: int) -> list[Said]:
        """The last `most` messages before `seq` (None = of all), oldest first."""
        return await self._run(self._history.before, room, seq, most)

    async def claim(self, room: str, key: str, client: str) -> bool:
        """There are no others who could have the name."""
        return True

    async def release(self, room: str, key: str, client: str) -> None:
        """There is nobody to give it to."""

    async def tell(self, room: str, people: dict[str, str], names: set[str], typing: set[str]) -> None:
        """There is nobody to tell."""

    async def _run(self, call: Callable[..., _Result], *args: Any) -> _Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)
        except sqlite3.Error as error:
            log.error("the history can not be used: %s", error)
            raise Refused("not-stored", f"The server can not keep messages now ({error}).") from None
