"""The demo's server, written with the `websockets` package: real readings of this machine, several times a second.

A client that sent {"type": "subscribe", "channel": "updates"} gets {"type": "update", ...}. Everybody also gets types
that the demo's client does not handle ("heartbeat", "process"), as real feeds have them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import ssl
import time
from typing import Any

import psutil
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

UPDATES_PER_SECOND = 8


def reading(number: int) -> dict[str, Any]:
    """What this machine does right now."""
    memory, network = psutil.virtual_memory(), psutil.net_io_counters()
    return {
        "type": "update",
        "number": number,
        "time": time.time(),
        "cpu": psutil.cpu_percent(percpu=True),
        "memory_percent": memory.percent,
        "memory_used_bytes": memory.used,
        "net_in_bytes": network.bytes_recv,
        "net_out_bytes": network.bytes_sent,
        "load": psutil.getloadavg(),
    }


async def stream(connection: ServerConnection, subscribed: asyncio.Event) -> None:
    """Send readings to who subscribed, and what nobody asked for to everybody."""
    for number in itertools.count(1):
        if subscribed.is_set():
            await connection.send(json.dumps(reading(number)))
        await connection.send(json.dumps({"type": "heartbeat", "number": number}))
        if number % UPDATES_PER_SECOND == 0:
            processes = [p.info for p in itertools.islice(psutil.process_iter(["pid", "name"]), 20)]
            await connection.send(json.dumps({"type": "process", "processes": processes}))
        await asyncio.sleep(1 / UPDATES_PER_SECOND)


async def serve_one(connection: ServerConnection) -> None:
    """Read the client's wishes while its stream runs beside."""
    subscribed = asyncio.Event()
    streaming = asyncio.create_task(stream(connection, subscribed))
    with contextlib.suppress(ConnectionClosed):
        async for text in connection:
            message = json.loads(text)
            if message.get("type") == "subscribe" and message.get("channel") == "updates":
                subscribed.set()
    streaming.cancel()
    with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
        await streaming


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", help="a PEM file with the key and the chain: serve wss")
    options = parser.parse_args()
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
    async with serve(serve_one, "127.0.0.1", options.port, ssl=context) as server:
        print("listening", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
