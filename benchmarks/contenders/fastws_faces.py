"""fastws' WebSocketClient, through handlers and through recv().

As it is shipped, but for two settings: the first second's waiting for late handlers is off (`settle=0`), because a run is
hardly longer, and a lost connection is not opened again (`reconnect=False`), because it would hide the loss.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import frames
from server import Where
from tally import Tally

from fastws import Tls, WebSocketClient

from .base import LIMIT, TURN, Contender, Handle, Volley, expect


def options(where: Where) -> dict[str, Any]:
    """What every client is made with."""
    tls = Tls(ca_file=where.authority) if where.authority else None
    return {"reconnect": False, "settle": 0.0, "tls": tls}


class Handled(Contender):
    label = "fastws"
    packages = ("fastws",)

    def __init__(self) -> None:
        self._clients: list[WebSocketClient] = []  # kept: one that is dropped is closed
        self._more: dict[str, Any] = {}

    def expect_backlog(self, size: int) -> None:
        self._more["inbox_bytes"] = size

    def background(self, where: Where, tally: Tally, only: bool) -> None:
        client = WebSocketClient(where.url, autoconnect=False, **options(where), **self._more)
        client.on(frames.ROUTE, tally.handle)
        client.connect()
        self._clients.append(client)

    def stream(self, where: Where, tally: Tally, only: bool) -> None:
        self.background(where, tally, only)
        if not tally.done.wait(LIMIT):
            raise SystemExit(f"fastws: {tally.count} of {tally.wanted}, {self._clients[0].stats()}")

    def echo(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        client = WebSocketClient(where.url, autoconnect=False, **options(where))
        self._clients.append(client)
        done = threading.Event()
        volley = Volley(objects, client.send, done.set)

        def handle(reply: dict[str, Any]) -> None:
            volley.handle(reply)

        client.on(frames.ROUTE, handle)
        client.connect()
        client.wait_open(10)
        volley.serve()
        if not done.wait(LIMIT):
            raise SystemExit(f"fastws: {len(volley.times)} round trips, {client.stats()}")
        return volley.times

    def burst(self, where: Where, messages: int, taken: Callable[[], None]) -> float:
        client = WebSocketClient(where.url, **options(where))
        self._clients.append(client)
        client.wait_open(10)
        order, send = frames.order_object(0), client.send
        began = time.monotonic()
        for number in range(frames.FIRST_ID, frames.FIRST_ID + messages):
            order["id"] = number
            send(order)
        taken()
        return began

    def hold(self, where: Where, count: int, handle: Handle, steps: Iterator[Callable[[], bool]]) -> None:
        for _ in range(count):
            client = WebSocketClient(where.url, autoconnect=False, **options(where))
            client.on(frames.ROUTE, handle)
            client.connect()
            self._clients.append(client)
        for client in self._clients:
            client.wait_open(LIMIT)
        for ready in steps:
            while not ready():
                time.sleep(TURN)


class Read(Handled):
    label = "fastws, recv()"

    def echo(self, where: Where, objects: list[dict[str, Any]]) -> list[float]:
        client = WebSocketClient(where.url, **options(where))
        self._clients.append(client)
        client.wait_open(10)
        times = []
        for one in objects:
            began = time.perf_counter()
            client.send(one)
            reply = client.recv()
            times.append(time.perf_counter() - began)
            expect(reply, one)
        return times

    def hold(self, where: Where, count: int, handle: Handle, steps: Iterator[Callable[[], bool]]) -> None:
        self._clients = [WebSocketClient(where.url, **options(where)) for _ in range(count)]
        for client in self._clients:
            client.wait_open(LIMIT)
        for ready in steps:
            while not ready():
                for client in self._clients:
                    try:
                        while True:
                            handle(client.recv(timeout=0))
                    except TimeoutError:
                        pass  # this one has nothing


class Iterated(Handled):
    label = "fastws, messages()"

    def stream(self, where: Where, tally: Tally, only: bool) -> None:
        client = WebSocketClient(where.url, autoconnect=False, **options(where))
        self._clients.append(client)
        messages = client.messages(frames.ROUTE)
        client.connect()
        for message in messages:
            tally.handle(message)
            if tally.count == tally.wanted:
                break
