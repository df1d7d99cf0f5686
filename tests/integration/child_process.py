"""A client in a process of its own, whose GIL the test may keep busy and whose clock may stop.

Knows the standard library. Promises: every wait is bounded; the process ends with the test.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time

HEAD = """
import json, sys, threading, time
from fastws import Backoff, WebSocketClient
def say(*parts):
    print(json.dumps(parts), flush=True)
"""


class Child:
    """A Python process that says JSON lines."""

    def __init__(self, source, *args):
        command = [sys.executable, "-c", HEAD + textwrap.dedent(source), *map(str, args)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        self._lines = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))

    def hear(self, timeout=20):
        """The next line. Raises queue.Empty."""
        return self._lines.get(timeout=timeout)

    def heard_nothing(self, seconds):
        """Whether nothing is said for so long."""
        try:
            return self._lines.get(timeout=seconds) is None
        except queue.Empty:
            return True

    def pause(self, seconds):
        """SIGSTOP, wait, SIGCONT."""
        os.kill(self.process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self):
        """Let it end by itself, or end it."""
        try:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write("\n")
                self.process.stdin.close()
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait(10)
            self._thread.join(10)
            self.process.stdout.close()


# For a child's source: holds the GIL in one C call for at least `seconds` and gives how long it was.
BUSY = """
def busy(seconds):
    size = 30_000_000
    while True:
        started = time.monotonic()
        sum(range(size))
        took = time.monotonic() - started
        if took >= seconds:
            return took
        size = int(size * 1.2 * seconds / max(took, 0.05))
"""
