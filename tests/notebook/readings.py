"""The demo's server as a process: the feed that the example notebooks read."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

SERVER = Path(__file__).resolve().parents[2] / "examples" / "demo" / "server.py"


@contextlib.contextmanager
def readings():
    """Run it; its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(SERVER), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "listening\n"
        yield f"ws://127.0.0.1:{port}"
        process.kill()
