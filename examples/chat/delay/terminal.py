"""How long it takes from one person's key to another person's terminal: `python -m chat.delay [--messages 200]`.

A real server and two real faces, each a process in a terminal of its own (a pty that this program reads as a terminal would). The
clock starts when a key is written to one and stops when its effect has come out of the other: "is typing" after the first key, the
text after Enter. Two sessions, the server (with its commit to the disk) and both programs' drawing are inside. Prints the median,
the 99th percentile and the largest, in ms.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
PATIENCE = 60.0  # seconds
EVERY = 0.22  # seconds from one message to the next: the server takes five a second


class Terminal:
    """A program in a terminal of so many rows and columns."""

    def __init__(self, *command: str, size: tuple[int, int] = (30, 100)) -> None:
        self._end, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._program = subprocess.Popen(
            command,
            cwd=HERE,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._shown = b""

    def write(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._end, keys)

    def wait_for(self, text: bytes) -> float:
        """Read until this has come out: when (seconds of the monotonic clock). What came before is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while text not in self._shown:
            if not select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise SystemExit(f"delay: {text!r} was not shown within {PATIENCE:.0f} s")
            self._shown = self._shown[-4096:] + os.read(self._end, 65536)
        self._shown = b""
        return time.monotonic()

    def read_what_there_is(self) -> None:
        """A terminal that nobody reads would hold its program up."""
        while select.select([self._end], [], [], 0)[0]:
            os.read(self._end, 65536)

    def end(self) -> None:
        """End the program."""
        self._program.terminate()
        self._program.wait(PATIENCE)
        os.close(self._end)


def measure(messages: int, data: Path) -> tuple[list[float], list[float]]:
    """The delays of "is typing" and those of the messages, in ms."""
    command = [sys.executable, "-m", "chat.server", "--port", "0", "--data", str(data)]
    server = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().split()[1].replace("http:", "ws:") + "ws"
    face = [sys.executable, "-m", "chat.terminal", url, "--name"]
    one, other = Terminal(*face, "One"), Terminal(*face, "Other")
    try:
        for terminal in (one, other):
            terminal.wait_for(b"2 here")
        typing, said = [], []
        for number in range(messages):
            typing.append(delay(one, f"m{number}q".encode(), other, b"One is typing"))
            time.sleep(EVERY)
            said.append(delay(one, b"\r", other, f"m{number}q".encode()))
        return typing, said
    finally:
        one.end()
        other.end()
        server.terminate()
        server.wait(PATIENCE)
        server.stdout.close()


def delay(one: Terminal, keys: bytes, other: Terminal, text: bytes) -> float:
    """Press keys in one terminal: ms until the text has come out of the other."""
    one.read_what_there_is()
    other.read_what_there_is()
    began = time.monotonic()
    one.write(keys)
    return 1000 * (other.wait_for(text) - began)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="chat.delay", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(options.messages, Path(folder) / "delay.sqlite3")
    for what, delays in zip(("is typing", "message"), map(sorted, measured), strict=True):
        p50, p99 = (delays[min(len(delays) - 1, int(len(delays) * part))] for part in (0.5, 0.99))
        print(
            f"{what:9}  p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   largest {delays[-1]:6.1f} ms   ({len(delays)})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
