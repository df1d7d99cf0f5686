"""How many 200-byte JSON messages a second reach a Python handler as dicts: fastws beside its peers, in one run.

    python benchmarks/stream.py [--messages 400000] [--rounds 5]

The same bytes for everybody, over loopback, from a process of its own that writes frames made beforehand (feed.py). Every
message is parsed and handed to a Python function that counts it. Contenders take turns; each round is a fresh process.
Counted is the time from the first message to the last as the handler sees them, and the CPU time of the whole client.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from feed import start_feed


class Counter:
    """The handler that everybody calls: notes the first and the last message."""

    def __init__(self, wanted: int, finished: Callable[[], None]) -> None:
        self.wanted, self.finished = wanted, finished
        self.count, self.began, self.ended, self.prices = 0, 0.0, 0.0, 0.0

    def handle(self, message: dict) -> None:
        """Use the message, as a handler would."""
        if self.count == 0:
            self.began = time.perf_counter()
        self.count += 1
        self.prices += message["price"]
        if self.count == self.wanted:
            self.ended = time.perf_counter()
            self.finished()


def run_fastws(url: str, messages: int) -> Counter:
    """A handler for the messages' type; the main thread waits."""
    import threading

    from fastws import WebSocketClient

    done = threading.Event()
    counter = Counter(messages, done.set)
    client = WebSocketClient(url, autoconnect=False)
    client.on("trade", counter.handle)
    client.connect()
    if not done.wait(120):
        raise SystemExit(f"fastws: {counter.count} of {messages} messages, {client.stats()}")
    client.close()
    return counter


def run_picows(url: str, messages: int) -> Counter:
    """picows's listener with orjson, on uvloop: the fastest of the peers."""
    import orjson
    import picows
    import uvloop

    async def main() -> Counter:
        done = asyncio.Event()
        counter = Counter(messages, done.set)

        class Listener(picows.WSListener):
            def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
                if frame.msg_type == picows.WSMsgType.TEXT:
                    counter.handle(orjson.loads(frame.get_payload_as_memoryview()))

        transport, _ = await picows.ws_connect(Listener, url)
        await asyncio.wait_for(done.wait(), 120)
        transport.disconnect()
        return counter

    return uvloop.run(main())


def run_websockets(url: str, messages: int) -> Counter:
    """websockets' asyncio client with json.loads, as its documentation shows it, compression off."""
    from websockets.asyncio.client import connect

    async def main() -> Counter:
        counter = Counter(messages, lambda: None)
        async with connect(url, compression=None, ping_interval=None, max_queue=None) as connection:
            async for text in connection:
                counter.handle(json.loads(text))
                if counter.count == messages:
                    return counter
        raise SystemExit("websockets: the feed ended early")

    return asyncio.run(main())


CONTENDERS = {
    "fastws": run_fastws,
    "picows + orjson + uvloop": run_picows,
    "websockets + json": run_websockets,
}
PACKAGES = ("fastws", "picows", "orjson", "uvloop", "websockets")


def measure(name: str, url: str, messages: int) -> None:
    """In a process of its own: run one contender, print its figures."""
    counter = CONTENDERS[name](url, messages)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = counter.ended - counter.began
    print(json.dumps({"rate": messages / seconds, "cpu": (used.ru_utime + used.ru_stime) / messages * 1e6}))


def main() -> None:
    """Interleave the contenders, print a table of medians and ranges."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", nargs=2, metavar=("CONTENDER", "URL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure, options.messages)
        return
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name in CONTENDERS:
            feed, url = start_feed("flood", str(options.messages))
            command = [sys.executable, __file__, "--messages", str(options.messages), "--measure", name, url]
            result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            feed.kill()
            feed.wait()
            if result.returncode:
                raise SystemExit(f"{name} failed:\n{result.stderr}")
            figures[name].append(json.loads(result.stdout))
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES)
    print(
        f"Python {platform.python_version()}, {versions}; {platform.machine()}, loopback, plain ws, no compression"
    )
    print(
        f"{options.messages} messages of 200 bytes a round, {options.rounds} rounds, every message handled\n"
    )
    best = max(
        statistics.median(run["rate"] for run in runs) for name, runs in figures.items() if name != "fastws"
    )
    print("| client | messages/s (median, range) | CPU µs a message | ratio to the best peer |")
    print("|---|---|---|---|")
    for name, runs in figures.items():
        rates = [run["rate"] for run in runs]
        rate, cpu = statistics.median(rates), statistics.median(run["cpu"] for run in runs)
        print(
            f"| {name} | {rate:,.0f} ({min(rates):,.0f} - {max(rates):,.0f}) | {cpu:.2f} | {rate / best:.2f} |"
        )


if __name__ == "__main__":
    main()
