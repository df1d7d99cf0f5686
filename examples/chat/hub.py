"""What a room needs of the world: a shared log of messages, and word of the same room on other servers.

`Hub` is the interface; `local_hub.LocalHub` is one server alone with its SQLite file, `redis_hub.RedisHub` several servers on one
Redis. Promises, of every hub: a message that `append` returned is kept; `deliver` is called once for each new message of a
followed room, in the order of `seq`.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from .protocol import Said

Deliver = Callable[[Said], None]
Elsewhere = Callable[[set[str], set[str]], None]  # the people, and the typists, of a room on other servers


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Hub(ABC):
    """The log and the word of others. Every method may raise Refused("not-stored") where the storage does not answer.

    `log_id` tells this log from any other: a `seq` of one says nothing in another. `lost`: the log is gone, and the server
    has to start afresh.
    """

    log_id: str = ""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    @abstractmethod
    async def start(self) -> None:
        """Begin. Raises OSError when there is nothing to begin with."""

    @abstractmethod
    async def close(self) -> None:
        """End."""

    @abstractmethod
    async def follow(self, room: str, deliver: Deliver, elsewhere: Elsewhere) -> None:
        """Call `deliver` for new messages of this room from now on, and `elsewhere` when others have changed."""

    @abstractmethod
    async def leave(self, room: str) -> None:
        """Follow this room no more."""

    @abstractmethod
    async def append(self, room: str, client: str, id: str, name: str, text: str) -> tuple[Said, bool]:
        """Keep a message: it, and whether it is new. It is delivered too, if it is new."""

    @abstractmethod
    async def after(self, room: str, seq: int, most: int) -> list[Said]:
        """The first `most` messages after `seq`, oldest first."""

    @abstractmethod
    async def before(self, room: str, seq: int | None, most: int) -> list[Said]:
        """The last `most` messages before `seq` (None = of all), oldest first."""

    @abstractmethod
    async def claim(self, room: str, key: str, client: str) -> bool:
        """Take a name for a client, unless another client has it on another server."""

    @abstractmethod
    async def release(self, room: str, key: str, client: str) -> None:
        """Give a name back."""

    @abstractmethod
    async def tell(self, room: str, people: dict[str, str], names: set[str], typing: set[str]) -> None:
        """Let other servers know who is here (`people`: name key to client) and who types."""
