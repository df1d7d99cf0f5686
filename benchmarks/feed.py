"""The server of one connection: floods it, feeds it steadily, echoes, or drains what it sends.

A process of its own (server.py starts it), never the bottleneck: what it writes is made beforehand and goes to the socket
in large pieces; what it reads is looked at when the clock has stopped. Knows frames and sockets, no client.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

import frames
from server import Door, report

PAUSE = 0.001  # seconds between two pieces of a steady feed


def flood(connection: socket.socket, kind: str, messages: int) -> None:
    """As many messages as fast as the client takes them. `kind`: "large", or how many types the small ones have."""
    block = _block(kind)
    joined = b"".join(block)
    whole, rest = divmod(messages, len(block))
    tail = b"".join(block[:rest])
    report(began=time.monotonic())
    for _ in range(whole):
        connection.sendall(joined)
    connection.sendall(tail)


def _block(kind: str) -> list[bytes]:
    texts = frames.large_texts() if kind == "large" else frames.small_texts(int(kind))
    return [frames.frame(text) for text in texts]


def steady(connection: socket.socket, per_second: int, seconds: float) -> None:
    """So many messages a second, each with its number and the time it was sent (CLOCK_MONOTONIC, one machine)."""
    began, sent, total = time.monotonic(), 0, int(per_second * seconds)
    while sent < total:
        due = min(total, int((time.monotonic() - began) * per_second) + 1)
        pieces = []
        while sent < due:
            body = json.dumps({"type": "tick", "number": sent, "sent": time.monotonic(), "pad": "x" * 130})
            pieces.append(frames.frame(body.encode()))
            sent += 1
        connection.sendall(b"".join(pieces))
        time.sleep(max(0.0, began + sent / per_second - time.monotonic()))


def windows(connection: socket.socket, types: int, per_second: int) -> None:
    """For each line "SECONDS" on standard input: a steady feed of the block for so long, then a report of its size."""
    block = [frames.frame(text) for text in frames.small_texts(types)]
    joined, size = b"".join(block) * 2, len(block[0])
    at = 0  # in the block: it goes on from one window to the next
    for line in sys.stdin:
        began, sent, total = time.monotonic(), 0, int(float(line) * per_second)
        while sent < total:
            due = min(total, sent + len(block), int((time.monotonic() - began) * per_second) + 1)
            if due > sent:
                connection.sendall(joined[at * size : (at + due - sent) * size])
                at, sent = (at + due - sent) % len(block), due
            time.sleep(PAUSE)
        report(sent=sent, seconds=time.monotonic() - began)


def echo(connection: socket.socket) -> None:
    """Every message comes back, until the client leaves."""
    received = bytearray()
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionError:
            return
        if not piece:
            return
        received += piece
        while len(received) > 8 and len(received) >= sum(frames.head_of(received)):
            if received[0] & 0x0F == 8:
                return
            connection.sendall(frames.frame(frames.unmasked(received, 0), received[0]))
            del received[: sum(frames.head_of(received))]


def drain(connection: socket.socket, messages: int) -> None:
    """Take so many messages of one size as fast as they come; then see that all are there, in order."""
    first = bytearray()
    while len(first) < 14:
        first += connection.recv(65536)
    size = sum(frames.head_of(first))
    held = bytearray(size * messages)
    held[: len(first)] = first
    view, at = memoryview(held), len(first)
    while at < len(held):
        taken = connection.recv_into(view[at:])
        if not taken:
            break
        at += taken
    ended = time.monotonic()
    wrong = messages - at // size
    for number in range(at // size):
        text = frames.unmasked(view, number * size)
        wrong += json.loads(text) != frames.order_object(number)
    report(ended=ended, bytes=size, wrong=wrong)


def watch(connection: socket.socket, per_second: int, seconds: float, every: float, limit: float) -> None:
    """A steady feed that pings `every` seconds and gives up when no pong came for `limit`; reports which."""
    block = [frames.frame(text) for text in frames.small_texts()]
    ping = frames.frame(b"are you there", 0x89)
    connection.setblocking(False)
    began = heard = time.monotonic()
    pinged, sent, total, waiting = began, 0, int(per_second * seconds), bytearray()
    report(began=began)
    told = False
    while True:
        now = time.monotonic()
        due = min(total, int((now - began) * per_second))
        waiting += b"".join(block[number % len(block)] for number in range(sent, due))
        sent = due
        if now - pinged >= every:
            waiting += ping
            pinged = now
        if waiting:
            try:
                del waiting[: connection.send(waiting[: 1 << 20])]
            except BlockingIOError:
                pass
            except ConnectionError:
                break
        if select.select([connection], [], [], PAUSE)[0]:
            if not connection.recv(65536):
                break  # the client has what it wanted, or gave up
            heard = time.monotonic()  # a client of ours sends nothing but pongs and its Close
        if now - heard > limit:
            report(kept=False, after=now - began)
            connection.close()
            return
        if sent == total and not waiting and not told:
            told = True
            report(kept=True, after=now - began)
    if not told:
        report(kept=False, after=time.monotonic() - began)


def main() -> None:
    """`feed.py SETTINGS MODE ARGUMENTS`: serves one connection, then waits for the client to leave."""
    door = Door(sys.argv[1])
    connection = door.accept()
    mode, *rest = sys.argv[2:]
    if mode == "flood":
        flood(connection, rest[0], int(rest[1]))
    elif mode == "steady":
        steady(connection, int(rest[0]), float(rest[1]))
    elif mode == "windows":
        windows(connection, int(rest[0]), int(rest[1]))
    elif mode == "echo":
        echo(connection)
    elif mode == "drain":
        drain(connection, int(rest[0]))
    else:
        watch(connection, int(rest[0]), float(rest[1]), float(rest[2]), float(rest[3]))
        return
    connection.settimeout(60)
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass  # a client that leaves without waiting for an answer to its Close


if __name__ == "__main__":
    main()
