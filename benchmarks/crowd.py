"""The server of many connections: bursts to all of them, or a trickle to each, as it is told.

A process of its own (server.py starts it). It reads nothing after the handshakes: its clients have nothing to say. Knows
frames and sockets, no client.
"""

from __future__ import annotations

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import frames
from server import Door, report

FEED_BYTES = frames.SMALL
SEND_BUFFER = 64 << 10  # bytes
AT_ONCE = 16  # connections of a burst; one at a time would wait for each one's acknowledgements (RFC 1122 section 4.2.3.2)


def burst(connections: list[socket.socket], count: int, size: int) -> None:
    """`count` texts of `size` bytes to each connection, AT_ONCE of them at a time: the next one's turn comes when a client
    has taken most of its texts, so that nobody is measured on how it copes with all at once."""
    texts = b"".join(frames.frame(text) for text in frames.large_texts(size, count))

    def send(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        connection.sendall(texts)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(send, connections))


def trickle(connections: list[socket.socket], per_second: int, seconds: float) -> None:
    """So many messages a second to each connection, their times spread evenly; each says when it was sent."""
    rate, total = per_second * len(connections), int(per_second * seconds) * len(connections)
    began = time.monotonic()
    for sent in range(total):
        ahead = began + sent / rate - time.monotonic()
        if ahead > 0.0005:
            time.sleep(ahead)
        number, who = divmod(sent, len(connections))
        text = b'{"type":"%s","who":%d,"number":%d,"sent":%.6f,"pad":"' % (
            frames.ROUTE.encode(),
            who,
            number,
            time.monotonic(),
        )
        connections[who].sendall(frames.frame(text + b"x" * (FEED_BYTES - len(text) - 2) + b'"}'))
    report(sent=total, late=time.monotonic() - began - total / rate)


def main() -> None:
    """`crowd.py SETTINGS CONNECTIONS`: accepts so many, then obeys `burst COUNT SIZE` and `trickle PER_SECOND SECONDS`."""
    door = Door(sys.argv[1])
    connections = [door.accept() for _ in range(int(sys.argv[2]))]
    for line in sys.stdin:
        word, first, second = line.split()
        if word == "burst":
            burst(connections, int(first), int(second))
        else:
            trickle(connections, int(first), float(second))


if __name__ == "__main__":
    main()
