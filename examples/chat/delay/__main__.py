"""`python -m chat.delay [terminal-terminal] [browser-terminal] [notebook-browser] ... [--messages 200]`.

A real server and two real faces, each as a person has it. The clock starts when a key is pressed in the first and stops when
its effect is seen in the second: "is typing" after the first key, the text after Enter. Both faces' programs, their drawing and
the server with its commit to the disk are inside; so is, where it begins in a page, the way of the key into the browser. Prints
the median, the 99th percentile and the largest, in ms.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .terminal import EXAMPLES, Terminal

EVERY = 0.22  # seconds from one message to the next: the server takes five a second
FACES = ("terminal", "browser", "notebook")


def measure(pair: tuple[str, str], messages: int, data: Path) -> tuple[list[float], list[float]]:
    """The delays of "is typing" and those of the messages, in ms, from the first face to the second."""
    with contextlib.ExitStack() as stack:
        url = start_server(stack, data)
        make: dict[str, Callable[[str, str], Any]] = {"terminal": Terminal.joined}
        if set(pair) != {"terminal"}:
            from .pages import Pages  # needs more than a terminal does

            pages = stack.enter_context(Pages())
            make |= {"browser": pages.browser, "notebook": pages.notebook}
        one, other = make[pair[0]](url, "One"), make[pair[1]](url, "Other")
        for face in (one, other):
            stack.callback(face.end)
            face.wait_for(b"2 here")
        typing, said = [], []
        for number in range(messages):
            text = f"m{number}q"
            typing.append(delay(one, functools.partial(one.type, text), other, "One is typing"))
            time.sleep(EVERY)
            said.append(delay(one, one.send, other, text))
        return typing, said


def start_server(stack: contextlib.ExitStack, data: Path) -> str:
    """Start a server that ends with the stack; its URL."""
    command = [sys.executable, "-m", "chat.server", "--port", "0", "--data", str(data)]
    server = stack.enter_context(subprocess.Popen(command, cwd=EXAMPLES, stdout=subprocess.PIPE, text=True))
    stack.callback(server.terminate)
    assert server.stdout is not None
    return server.stdout.readline().split()[1].replace("http:", "ws:") + "ws"


def delay(one: Any, act: Callable[[], None], other: Any, text: str) -> float:
    """Do something in one face: ms until the text is seen in the other."""
    for face in (one, other):
        face.expect(text)
    began = time.time()
    act()
    return 1000 * (other.seen(text) - began)


def pair(text: str) -> tuple[str, str]:
    """Two faces of the command line."""
    one, _, other = text.partition("-")
    if one not in FACES or other not in FACES:
        raise argparse.ArgumentTypeError(f"{text!r} is not two of {', '.join(FACES)} with a - between them")
    return one, other


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="chat.delay", description=__doc__.splitlines()[2])
    parser.add_argument(
        "pairs", nargs="*", type=pair, default=[("terminal", "terminal")], metavar="FACE-FACE"
    )
    parser.add_argument("--messages", type=int, default=200)
    options = parser.parse_args()
    for one, other in options.pairs:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure((one, other), options.messages, Path(folder) / "delay.sqlite3")
        for what, delays in zip(("is typing", "message"), map(sorted, measured), strict=True):
            p50, p99 = (delays[min(len(delays) - 1, int(len(delays) * part))] for part in (0.5, 0.99))
            print(
                f"{one} to {other:8}  {what:9}  p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   largest {delays[-1]:6.1f} ms"
                f"   ({len(delays)})",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
