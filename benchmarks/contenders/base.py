"""What a contender is, and what those on an event loop have in common.

Knows no WebSocket library. A contender never says goodbye: each measurement is a process of its own, which ends with its
figures, and the server is killed.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import frames
from server import Where
from tally import Tally

LIMIT = 240.0  # seconds after which a run has failed
Handle = Callable[[dict[str, Any]], Any]
WANTED = f'"type":"{frames.ROUTE}"'.encode()  # what a hand-written filter looks for before the parser
TURN = 0.02  # seconds between two looks at whether a step is done


@functools.cache
def tls_context(authority: str) -> ssl.SSLContext:
    """A verifying context for all connections of a process."""
    return ssl.create_default_context(cafile=authority)


def context_of(where: Where) -> ssl.SSLContext | None:
    """The context for wss, None for ws."""
    return tls_context(where.authority) if where.authority else None


class Contender:
    """A client under measurement. `label`: as the tables show it. `packages`: whose versions are named. `share`: of a flood's
    messages, it gets one in so many; a slow one needs no more to show its rate."""

    label: str
    packages: tuple[str, ...]
    share: int = 1

    def expect_backlog(self, size: int) -> None:
        """So many bytes will wait for Python: a client that has a limit for that is made with a higher one."""

    def stream(self, where: Where, tally: Tally, only: bool) -> None:
        """Give every message to the tally until it is done; with `only`, those of frames.ROUTE."""
        raise NotImplementedError

    def background(self, where: Where, tally: Tally, only: bool) -> None:
        """The same without waiting: the caller's thread stays free. Peers run in a thread."""
        threading.Thread(target=self.stream, args=(where, tally, only), daemon=True).start()

    def echo(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        """Send each object as JSON and take it back as a dict before the next. Gives the seconds of each round trip."""
        raise NotImplementedError

    def burst(self, where: Where, messages: int, taken: Callable[[], None]) -> float:
        """Send so many of frames.order_object, as fast as it goes. Gives when it began. `taken` waits for the server."""
        raise NotImplementedError

    def hold(self, where: Where, count: int, handle: Handle, steps: Iterator[Callable[[], bool]]) -> None:
        """Open so many connections; then take each step: receive until what it gives says True."""
        raise NotImplementedError


class Volley:
    """A round trip after another, driven by the handler of replies."""

    def __init__(self, objects: list[dict[str, Any]], send: Callable[[Any], Any], done: Callable[[], Any]):
        self.times: list[float] = []
        self._objects, self._send, self._done = objects, send, done
        self._began = 0.0

    def serve(self) -> Any:
        """Send the first."""
        self._began = time.perf_counter()
        return self._send(self._objects[0])

    def handle(self, reply: dict[str, Any]) -> Any:
        """Take a reply, send the next; gives what send gave."""
        now = time.perf_counter()
        at = len(self.times)
        expect(reply, self._objects[at])
        self.times.append(now - self._began)
        if at + 1 == len(self._objects):
            return self._done()
        self._began = time.perf_counter()
        return self._send(self._objects[at + 1])


def expect(reply: dict[str, Any], sent: dict[str, Any]) -> None:
    """Raises SystemExit when the reply is not what was sent."""
    if reply["id"] != sent["id"]:
        raise SystemExit(f"sent {sent['id']}, and {reply['id']} came back")


class LoopContender(Contender):
    """A client on an event loop, which is uvloop's, whatever the client."""

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in a new loop."""
        import uvloop

        return uvloop.run(main)

    async def open(self, where: Where, handle: Handle, only: bool) -> Any:
        """A connection that gives its messages to the handler; with `only`, those of frames.ROUTE."""
        raise NotImplementedError

    async def trade(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        """echo() as a coroutine."""
        raise NotImplementedError

    async def pour(self, where: Where, messages: int) -> float:
        """burst() as a coroutine, without the wait for the server."""
        raise NotImplementedError

    def stream(self, where: Where, tally: Tally, only: bool) -> None:
        async def main() -> None:
            done = asyncio.Event()
            tally.finished = done.set
            kept = await self.open(where, tally.handle, only)
            await asyncio.wait_for(done.wait(), LIMIT)
            del kept

        self.run(main())

    def echo(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        async def main() -> list[float]:
            return await asyncio.wait_for(self.trade(where, objects), LIMIT)

        times: list[float] = self.run(main())
        return times

    def burst(self, where: Where, messages: int, taken: Callable[[], None]) -> float:
        async def main() -> float:
            began = await asyncio.wait_for(self.pour(where, messages), LIMIT)
            await asyncio.to_thread(taken)  # the loop goes on writing what is buffered
            return began

        began: float = self.run(main())
        return began

    def hold(self, where: Where, count: int, handle: Handle, steps: Iterator[Callable[[], bool]]) -> None:
        async def main() -> None:
            at_once = asyncio.Semaphore(64)

            async def one() -> Any:
                async with at_once:
                    return await self.open(where, handle, False)

            kept = await asyncio.gather(*(one() for _ in range(count)))
            for ready in steps:
                while not ready():
                    await asyncio.sleep(TURN)
            del kept

        self.run(main())


async def volley_of(
    objects: list[dict[str, Any]], open_with: Callable[[Handle], Awaitable[Callable[[Any], Any]]]
) -> list[float]:
    """A Volley on a loop: `open_with(handler)` opens a connection and gives what sends on it."""
    done = asyncio.Event()
    volley = Volley(objects, lambda _: None, done.set)
    volley._send = await open_with(volley.handle)
    started = volley.serve()
    if started is not None:
        await started
    await done.wait()
    return volley.times
