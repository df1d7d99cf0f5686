"""24 million messages through one process, each parsed and handled: nothing lost, memory flat.

    python benchmarks/flood.py [--millions 24]

The server sends as fast as the client takes (benchmarks/feed.py). The inbox is small, so that reading pauses whenever handlers
are behind, and what waits does not hide what leaks. Prints the rate and the resident memory at every tenth
of the run. Exit code 1 when a message is missing, doubled or out of order, or when memory grew by more than 8 MiB after the
first fifth of the run.
"""

from __future__ import annotations

import argparse
import sys
import time

import frames
from server import Server
from soak import resident_mib
from tally import Tally

from fastws import WebSocketClient

MOST_GROWTH = 8.0  # MiB
INBOX = 8 << 20  # bytes
PATIENCE = 600  # seconds


def main() -> int:
    """Run it; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--millions", type=float, default=24.0, help="messages")
    total = int(parser.parse_args().millions * 1e6) // frames.BLOCK * frames.BLOCK
    tally, memory = Tally(total), []
    with Server("feed.py", "flood", "1", total) as server:
        client = WebSocketClient(server.where.url, autoconnect=False, reconnect=False, inbox_bytes=INBOX)
        client.on(frames.ROUTE, tally.handle)
        began = time.monotonic()
        client.connect()
        while not tally.done.wait(0.02) and time.monotonic() - began < PATIENCE:
            if tally.count >= total * len(memory) / 10:
                memory.append(resident_mib())
        memory.append(resident_mib())
        rate = tally.count / (time.monotonic() - began)
        stats = client.stats()
        client.close()
    growth = max(memory[2:]) - memory[2] if len(memory) > 3 else 0.0
    print(f"messages           {tally.count:,} of {total:,}, not the expected one {tally.wrong}")
    print(f"rate               {rate:,.0f} messages a second")
    print(f"memory             {' '.join(f'{mib:.1f}' for mib in memory)} MiB, growth {growth:.1f} MiB")
    print(f"dropped            {dict(stats.dropped)}")
    return 0 if tally.count == total and tally.wrong == 0 and growth <= MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
