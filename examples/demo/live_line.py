"""How the demo shows things: one line that is rewritten in a terminal, a line a second in a pipe."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

BARS = " ▁▂▃▄▅▆▇█"


class LiveLine:
    """Prints sentences that stay and one live line below them."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._began = time.monotonic()
        self._shown_at = 0.0
        self._count = 0
        logging.getLogger("fastws").setLevel(logging.ERROR)  # the demo itself says what is worth a warning

    def say(self, text: str) -> None:
        """Print a line that stays, with the seconds since the start."""
        clock = f"{time.monotonic() - self._began:5.1f} s  " if text else ""
        clear = "\r\x1b[K" if self._terminal else ""
        sys.stdout.write(f"{clear}{clock}{text}\n")
        sys.stdout.flush()

    def show(self, update: dict[str, Any]) -> None:
        """Show one reading: every time in a terminal, once a second elsewhere."""
        self._count += 1
        now = time.monotonic()
        if not self._terminal and now - self._shown_at < 1.0:
            return
        self._shown_at = now
        cores = "".join(BARS[min(8, round(percent / 12.5))] for percent in update["cpu"])
        line = (
            f"#{self._count:<5} cpu [{cores}] {sum(update['cpu']) / len(update['cpu']):5.1f} %"
            f"   memory {update['memory_percent']:4.1f} %   load {update['load'][0]:.2f}"
            f"   net in {update['net_in_bytes'] / 2**20:.1f} MiB"
        )
        if self._terminal:
            sys.stdout.write(f"\r\x1b[K         {line}")
            sys.stdout.flush()
        else:
            self.say(line)
