"""The demo: a real server, a real client, and a server that dies in the middle.

    python examples/demo/run.py [--tls]

Starts server.py as a process of its own, runs client.py, kills the server after some seconds, starts it again, and ends
with the client's summary. The client is never told: it notices, backs off, reconnects and subscribes again by itself.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
CLIENT_SECONDS = 24.0
KILLED_AFTER = 6.0
DOWN_FOR = 4.0


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(folder: Path) -> tuple[str, str]:
    """A certificate for localhost, made on the spot: (the authority's file, the server's file)."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        folder / "server.pem"
    )
    return str(folder / "authority.pem"), str(folder / "server.pem")


def start_server(port: int, certificate: str) -> subprocess.Popen[str]:
    """Start server.py and wait until it listens."""
    command = [sys.executable, str(HERE / "server.py"), "--port", str(port)]
    if certificate:
        command += ["--certificate", certificate]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    if server.stdout.readline().strip() != "listening":
        raise SystemExit("the demo's server did not start")
    return server


def narrate(text: str) -> None:
    """Say what the demo itself does."""
    clear = "\r\x1b[K" if sys.stdout.isatty() else ""
    print(f"{clear}-------- {text}", flush=True)


def main() -> int:
    """Run the whole of it; gives the client's exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tls", action="store_true", help="wss with a certificate made on the spot")
    tls = parser.parse_args().tls
    port = free_port()
    url = f"{'wss' if tls else 'ws'}://localhost:{port}/"
    with tempfile.TemporaryDirectory() as folder:
        authority, certificate = make_certificate(Path(folder)) if tls else ("", "")
        server = start_server(port, certificate)
        narrate(
            f"a server of the `websockets` package listens at {url}; the client is examples/demo/client.py"
        )
        client = subprocess.Popen(
            [sys.executable, str(HERE / "client.py"), url, str(CLIENT_SECONDS), authority]
        )
        try:
            time.sleep(KILLED_AFTER)
            narrate("the server is killed now; nobody tells the client")
            server.kill()
            server.wait()
            time.sleep(DOWN_FOR)
            server = start_server(port, certificate)
            narrate("the server is back; nobody tells the client")
            return client.wait(timeout=CLIENT_SECONDS + 10)
        finally:
            client.kill()
            server.kill()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
