"""10,000 messages a second for a minute while the main thread runs pure Python: nothing lost, memory flat.

    python benchmarks/soak.py [--rate 10000] [--seconds 60]

The feed is a process of its own; every message carries its number and the time it was sent. The main thread never waits:
it computes, so that the handler's thread has to win the GIL again and again. Prints the arrival delay (from the server's
clock reading to the handler's; one machine, one monotonic clock) and the memory at every tenth of the run. Exit code 1 when
a message is missing or out of order, or when memory grew by more than 8 MiB after the first fifth of the run.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from server import Server

from fastws import WebSocketClient


def resident_mib() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> int:
    """Run it; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=10_000, help="messages a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    total = int(options.rate * options.seconds)
    server = Server("feed.py", "steady", options.rate, options.seconds)

    # Delays go to buckets of 0.1 ms, so that measuring does not grow the memory that is measured.
    buckets = [0] * 100_000
    state = {"next": 0, "wrong": 0, "slowest": 0.0}

    def handle(message: dict) -> None:
        delay = time.monotonic() - message["sent"]
        buckets[min(len(buckets) - 1, int(delay * 10_000))] += 1
        state["slowest"] = max(state["slowest"], delay)
        if message["number"] != state["next"]:
            state["wrong"] += 1
        state["next"] = message["number"] + 1

    client = WebSocketClient(server.where.url, autoconnect=False)
    client.on("tick", handle)
    client.connect()
    began, rounds, memory = time.monotonic(), 0, []
    while state["next"] < total and time.monotonic() - began < options.seconds + 30:
        for number in range(50_000):  # pure Python that never gives the GIL away by itself
            rounds += number & 1
        if len(memory) < 10 * (time.monotonic() - began) / options.seconds:
            memory.append(resident_mib())
    client.close()
    server.stop()

    def percentile(share: float) -> float:
        seen = 0
        for index, count in enumerate(buckets):
            seen += count
            if seen >= share * sum(buckets):
                return index / 10
        return float("inf")

    stats = client.stats()
    growth = max(memory[2:]) - memory[2] if len(memory) > 3 else 0.0
    print(f"messages           {state['next']:,} of {total:,}, out of order or missing {state['wrong']}")
    print(
        f"main thread        {rounds / (time.monotonic() - began) / 1e6:.1f} million rounds a second beside it"
    )
    print(
        f"arrival delay      p50 {percentile(0.5):.1f} ms   p99 {percentile(0.99):.1f} ms   "
        f"p99.9 {percentile(0.999):.1f} ms   slowest {state['slowest'] * 1000:.1f} ms"
    )
    print(f"memory             {' '.join(f'{mib:.1f}' for mib in memory)} MiB, growth {growth:.1f} MiB")
    print(f"dropped            {stats.dropped}, reconnects {stats.connects - 1}")
    return 0 if state["next"] == total and state["wrong"] == 0 and growth <= 8.0 else 1


if __name__ == "__main__":
    sys.exit(main())
