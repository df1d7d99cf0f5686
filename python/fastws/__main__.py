"""python -m fastws URL: a connection at the shell. Its messages are JSON lines on stdout, what becomes of it is on stderr.

Knows the public API and nothing else of this package. Promises: a message is one line of JSON, written when it comes; no
secret of the URL is shown; however it ends, the connection is closed in order and the exit code says why.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import logging
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any, TextIO

from fastws import (
    Closed,
    Connect,
    Connecting,
    Disconnect,
    Dropped,
    ErrorEvent,
    FastwsError,
    Reconnecting,
    Tls,
    WebSocketClient,
    __version__,
)

# What a shell makes of an end by SIGINT, SIGPIPE and SIGTERM.
INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143

_NOTES = """
On stdout every message is one line of JSON in UTF-8. A JSON text is parsed and
written again without spaces and line breaks; any other text is a JSON string; a
binary message is {"kind":"binary","data":"..."} with its bytes in base64.

A connection that breaks comes back by itself. What can not succeed (an unknown
path, a refused certificate) ends at once.

exit codes:
    0  ended in order: --count is reached, the server closed with 1000 or 1001
       under --no-reconnect, or Ctrl-D was typed under --stdin
    1  could not connect, or gave up; --timeout is over; stdout can not be written
    2  usage
  130  Ctrl-C
  141  nobody reads stdout any more, as in `| head`
  143  SIGTERM
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fastws",
        description="Connect to a WebSocket server and stay connected: JSON lines on stdout, status on stderr.",
        epilog=_NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "url", metavar="URL", help="ws://, wss://, http://, https:// or ws+unix:///path/of/a/socket:/resource"
    )
    add(
        "--send",
        metavar="TEXT",
        type=_json,
        action="append",
        default=[],
        help="a JSON text to send on every connect, again after a reconnect; may be repeated",
    )
    add(
        "--stdin",
        action="store_true",
        help="send each line of stdin that is not empty, as it stands, once the connection is open. The end of a file or "
        "pipe ends nothing; Ctrl-D at a terminal closes. Without this option stdin is never read",
    )
    add(
        "--type",
        metavar="ROUTE",
        type=_route,
        action="append",
        default=[],
        help='only messages of this "type"; may be repeated. All others are dropped before they are parsed',
    )
    add("--count", metavar="N", type=_count, help="end after N messages")
    add("--timeout", metavar="SECONDS", type=_seconds, help="end with 1 when no message comes for so long")
    add(
        "--header",
        metavar="'NAME: VALUE'",
        type=_header,
        action="append",
        default=[],
        help="of the opening handshake; may be repeated",
    )
    add(
        "--subprotocol",
        metavar="NAME",
        action="append",
        default=[],
        help="offered to the server; may be repeated",
    )
    add("--no-reconnect", action="store_true", help="one connection, and no second attempt")
    add("--record", metavar="PATH", help="append every message with its time to this file, as JSON lines")
    add("--insecure", action="store_true", help="take any certificate: nobody checks who answers")
    add("--quiet", action="store_true", help="only errors on stderr")
    add("--version", action="version", version=f"fastws {__version__}")
    return parser


# What argparse says when these refuse never shows the argument itself: it may hold a secret.


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # as it will be sent
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"not JSON ({error}); a plain text is written '\"text\"'") from None
    return value


def _route(text: str) -> str:
    with contextlib.suppress(UnicodeEncodeError):
        return text.encode().decode()
    raise argparse.ArgumentTypeError("not UTF-8")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("a header is written 'Name: value'")
    return name.strip(), value.strip()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError("must be a number of seconds above 0")


def _json_line(message: Any) -> bytes:
    """A message as one line: bytes, a text, or what was parsed already. Raises RecursionError, for that only."""
    if isinstance(message, bytes):
        message = {"kind": "binary", "data": base64.b64encode(message).decode()}
    elif isinstance(message, str):
        with contextlib.suppress(ValueError, RecursionError):
            return _written(json.loads(message))
    return _written(message)


def _written(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    # A lone surrogate, which has no UTF-8 form, becomes the escape that JSON has for it.
    return text.encode(errors="backslashreplace")


def _write(file: TextIO, line: bytes) -> None:
    """Past Python's buffers, so that nothing is left in them that an exit would wait for."""
    left = memoryview(line)
    while left:
        left = left[os.write(file.fileno(), left) :]


def _tell(text: str) -> None:
    """One line on stderr, whatever a server put into it."""
    line = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            _write(sys.stderr, f"fastws: {line}\n".encode(errors="backslashreplace"))


class Run:
    """From connecting to the exit code."""

    def __init__(self, ws: WebSocketClient, options: argparse.Namespace) -> None:
        self._ws = ws
        self._options = options
        self._status = 0  # the exit code of whoever closed the client
        self._waiting_since = math.inf  # time.monotonic(); inf: not waiting for a message

    def run(self) -> int:
        """Connect, copy messages until something ends it, close. Gives the exit code."""
        ws, options = self._ws, self._options
        with contextlib.closing(ws):
            self._tell_status()
            for number, value in enumerate(options.send):
                ws.sticky(f"--send {number}", value)
            messages = ws.messages(*options.type)  # before the first one comes
            ws.connect()
            self._beside(self._watch)
            if options.stdin:
                # Not sys.stdin: its encoding is the environment's.
                lines = open(0, encoding="utf-8", errors="surrogateescape", newline="\n", closefd=False)  # noqa: SIM115
                self._beside(self._send_lines, lines)
            try:
                return self._copy(messages)
            except BrokenPipeError:
                return BROKEN_PIPE
            except FastwsError:
                return 1  # `closed` told why
            except OSError as error:
                _tell(f"can not write to stdout: {error.strerror}")
                return 1

    def _beside(self, target: Any, *args: Any) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()

    def _copy(self, messages: Iterable[Any]) -> int:
        with contextlib.suppress(FastwsError):  # wait() raises it again, when everything has been told
            self._waiting_since = time.monotonic()
            for number, message in enumerate(messages, 1):
                self._waiting_since = math.inf
                try:
                    _write(sys.stdout, _json_line(message))
                except RecursionError:
                    _tell("a message is nested too deeply to be written")
                if number == self._options.count:
                    return 0
                self._waiting_since = time.monotonic()
        self._ws.wait()
        return self._status

    def _end(self, status: int) -> None:
        self._status = status
        self._ws.close()

    def _watch(self) -> None:
        """End it when nobody reads stdout any more, though nothing is written, and when no message comes for too long."""
        timeout = self._options.timeout or math.inf
        reader = select.poll()
        reader.register(sys.stdout.fileno(), 0)  # asks for nothing: that the other end is gone is told always
        while (left := self._waiting_since + timeout - time.monotonic()) > 0:
            if reader.poll(1000 * min(left, timeout, 3600.0)):
                return self._end(BROKEN_PIPE)
        _tell(f"no message within {timeout:g} s")
        self._end(1)

    def _send_lines(self, lines: TextIO) -> None:
        with contextlib.suppress(FastwsError):  # it is over
            for line in lines:
                self._send(line.rstrip("\r\n"))
            if lines.isatty():
                self._end(0)

    def _send(self, text: str) -> None:
        try:
            while text and not self._ws.send_text(text):
                self._ws.wait_open()
        except ValueError as error:
            _tell(f"a line of stdin is not sent: {error}")

    # -- Status --------------------------------------------------------------------------------------------------------

    def _tell_status(self) -> None:
        ws = self._ws.on("error", self._failed).on("dropped", self._dropped).on("closed", self._closed)
        if not self._options.quiet:
            ws.on("connecting", self._connecting).on("connect", self._connected)
            ws.on("disconnect", self._disconnected).on("reconnecting", self._reconnecting)

    def _connecting(self, event: Connecting) -> None:
        _tell(f"connecting to {event.url}")

    def _connected(self, event: Connect) -> None:
        chosen = f", subprotocol {event.subprotocol}" if event.subprotocol else ""
        _tell(f"connected to {event.url}{chosen}")

    def _disconnected(self, event: Disconnect) -> None:
        reason = f", {event.reason}" if event.reason else ""
        _tell(f"disconnected by {event.initiator}: code {event.code}{reason}")

    def _reconnecting(self, event: Reconnecting) -> None:
        _tell(f"next attempt in {event.delay:.1f} s")

    def _failed(self, event: ErrorEvent) -> None:
        if not event.fatal:  # else `closed` follows, and tells it
            _tell(event.message)

    def _dropped(self, event: Dropped) -> None:
        _tell(f"{event.count} messages are lost ({event.cause})")

    def _closed(self, event: Closed) -> None:
        if event.reason in ("fatal", "exhausted"):
            _tell(f"gave up: {event.last_error or f'the connection ended with code {event.code}'}")


def _client(parser: argparse.ArgumentParser, options: argparse.Namespace) -> WebSocketClient:
    try:
        return WebSocketClient(
            options.url,
            autoconnect=False,
            decode="json" if options.type else "text",  # only what is parsed has a type
            settle=0.0,  # nobody comes late
            headers=options.header,
            subprotocols=options.subprotocol,
            tls=Tls(verify=not options.insecure),
            reconnect=not options.no_reconnect,
            send_timeout=None,  # a full outbox holds stdin back
            record=options.record,
        )
    except (TypeError, ValueError, OSError) as error:
        parser.error(str(error))


def main() -> int:
    """What the command line asks for. Gives the exit code."""
    parser = _parser()
    if len(sys.argv) == 1:
        parser.print_help()
        return 2
    options, unknown = parser.parse_known_args()
    if unknown:  # a second URL may hold a secret, and so may what follows an option
        names = [one.partition("=")[0] for one in unknown if one.startswith("-")]
        parser.error(f"unknown: {' '.join(names) or 'what follows the URL'}")
    if sys.stdout is None or (options.stdin and sys.stdin is None):
        parser.error("stdout, or the stdin that is to be sent, is closed")
    logging.getLogger("fastws").disabled = True  # what it would say is told here, or was asked for
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(TERMINATED))
    try:
        return Run(_client(parser, options), options).run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
