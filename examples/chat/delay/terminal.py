"""The terminal's face for measuring: the program in a pty, which is read as a terminal would read it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds


class Terminal:
    """A program in a terminal of so many rows and columns."""

    def __init__(self, *command: str, size: tuple[int, int] = (30, 100)) -> None:
        self._end, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._program = subprocess.Popen(
            command,
            cwd=EXAMPLES,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._shown = b""

    @classmethod
    def joined(cls, url: str, name: str) -> Terminal:
        """The chat's face in a terminal."""
        return cls(sys.executable, "-m", "chat.terminal", url, "--name", name)

    def write(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._end, keys)

    def wait_for(self, text: bytes) -> float:
        """Read until this has come out: when, as time.time(). What came before is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while text not in self._shown:
            if not select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise SystemExit(f"delay: {text!r} was not shown within {PATIENCE:.0f} s")
            self._shown = self._shown[-4096:] + os.read(self._end, 65536)
        self._shown = b""
        return time.time()

    # -- As a face that is measured ------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Press these keys."""
        self.write(text.encode())

    def send(self) -> None:
        """Press Enter."""
        self.write(b"\r")

    def expect(self, text: str) -> None:
        """Forget what came before. A terminal that nobody reads would hold its program up."""
        while select.select([self._end], [], [], 0)[0]:
            os.read(self._end, 65536)

    def seen(self, text: str) -> float:
        """When it came out."""
        return self.wait_for(text.encode())

    def end(self) -> None:
        """End the program."""
        self._program.terminate()
        self._program.wait(PATIENCE)
        os.close(self._end)
