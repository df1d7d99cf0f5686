"""`python -m chat`: a server if there is none yet, and the terminal's face. What `make chat` runs.

The server it starts is a process of its own: it serves whoever comes, goes on when this face leaves, and ends half a minute after
the last one left.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from .protocol import DEFAULT_PORT

ROOT = Path(__file__).resolve().parents[2]
LINGER = 30
STARTING = 60.0  # seconds: a busy machine takes its time


def who_listens(port: int) -> str:
    """ "chat", "nobody", or "somebody" who is no chat."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/about", timeout=3) as answer:
            return "chat" if "chat" in json.loads(answer.read(10_000)) else "somebody"
    except urllib.error.HTTPError:
        return "somebody"
    except urllib.error.URLError as error:
        return "nobody" if isinstance(error.reason, ConnectionRefusedError) else "somebody"
    except (OSError, ValueError, TypeError):
        return "somebody"


def start_server(port: int, data: Path) -> str:
    """Start a server and wait until it listens: "", or what went wrong."""
    data.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "chat.server",
        "--port",
        str(port),
        "--data",
        str(data),
        "--linger",
        str(LINGER),
    ]
    log = data.with_suffix(".log")
    with log.open("ab") as errors:
        server = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,  # Ctrl-C in this terminal is not for it
        )
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        if server.poll() is not None:
            return f"the server ended at once; {log} says why"
        if who_listens(port) == "chat":
            return ""
        time.sleep(0.05)
    server.kill()
    return f"the server did not begin to listen; {log} may say why"


def main() -> int:
    """Find or start the server, then chat."""
    parser = argparse.ArgumentParser(prog="chat", description=__doc__.splitlines()[0])
    parser.add_argument("--name", help="your name (default: asked for)")
    parser.add_argument("--room", default="lobby")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument(
        "--data", type=Path, default=ROOT / "build" / "chat" / "history.sqlite3", help="the history's file"
    )
    parser.add_argument("--no-terminal", action="store_true", help="only see to it that a server runs")
    options = parser.parse_args()
    found = who_listens(options.port)
    if found == "somebody":
        print(
            f"chat: port {options.port} is used by another program; choose another one (--port)",
            file=sys.stderr,
        )
        return 1
    if found == "nobody" and (trouble := start_server(options.port, options.data)):
        print(f"chat: {trouble}", file=sys.stderr)
        return 1
    page = f"http://127.0.0.1:{options.port}/?room={options.room}"
    print(f"chat: in a browser: {page}", flush=True)
    if options.no_terminal or not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(f"chat: the server ends {LINGER} s after the last one left", flush=True)
        return 0
    try:
        from .terminal import ChatApp, prefers_dark
    except ModuleNotFoundError as error:
        print(f"chat: the terminal's face needs {error.name}: pip install textual", file=sys.stderr)
        return 1
    logging.getLogger("fastws").setLevel(logging.CRITICAL)  # the face shows it
    url = f"ws://127.0.0.1:{options.port}/ws"
    ChatApp(url, room=options.room, name=options.name, dark=prefers_dark(os.environ), page=page).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
