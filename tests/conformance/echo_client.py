"""The client under test: every message goes back from its handler, as a user of fastws would write it.

    python echo_client.py URL AGENT

Reads one number a line, runs that case of the server at URL, and answers with one line of JSON: {"complaints": [...]}, what
the client said that no user should ever read. Runs as a process of its own (`watching.py`), because a crash and a hang are
findings too.
"""

from __future__ import annotations

import json
import sys
import threading
import urllib.parse

from fastws import ErrorEvent, WebSocketClient

# The server is single-threaded: it may still be busy with the last case when the next one connects.
CONNECT_TIMEOUT = 30.0


def run_case(url: str) -> list[str]:
    """Echo until the connection has ended; gives what went wrong on our side."""
    complaints: list[str] = []
    ended = threading.Event()
    ws = WebSocketClient(
        url, autoconnect=False, decode="text", reconnect=False, connect_timeout=CONNECT_TIMEOUT
    )

    def complain(event: ErrorEvent) -> None:
        # A server that breaks the protocol is what most cases are about; everything else is our fault.
        if event.phase not in ("protocol", "limit"):
            complaints.append(f"{event.phase}: {event.message}")

    ws.on("message", ws.send_text).on("binary", ws.send_bytes)
    ws.on("error", complain).on("closed", ended.set)
    ws.connect()
    ended.wait()
    ws.close()
    return complaints


def main() -> None:
    """One case a line, until there are no more."""
    url, agent = sys.argv[1], urllib.parse.quote(sys.argv[2], safe="")
    for line in sys.stdin:
        complaints = run_case(f"{url}/runCase?case={int(line)}&agent={agent}")
        print(json.dumps({"complaints": complaints}), flush=True)


main()
