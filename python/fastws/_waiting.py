"""Waiting for a client to open or to end, and what to raise when it ended otherwise.

Knows the client's core and dispatcher through the client. Promises: waits natively, without the GIL, in slices that
notice Ctrl-C; while it waits, a client without handlers has its events logged; a handler never waits for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._cells import in_kernel
from ._errors import ConnectFailed, ConnectionClosed, ConnectTimeout, NotConnected
from ._events import Disconnect, why_ended
from ._options import number

if TYPE_CHECKING:
    from ._client import WebSocketClient
    from ._face import ClientFace

GRACE = 0.5  # seconds that close() waits for handlers beyond close_timeout
OVER = ("closed", "destroyed")


def refuse_in_handler(client: ClientFace, what: str) -> None:
    """Raise RuntimeError when the caller is a handler of this client."""
    if client._dispatcher.is_current:
        raise RuntimeError(f"{what} in a handler of its own client would wait for itself")


def reach(client: ClientFace, reached: Callable[[str], bool], timeout: float | None) -> str | None:
    """Sleep until the state is one that was asked for: that state; None when the time (seconds) is over."""
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        seen = client._core.version()
        client._dispatcher.drain()
        state = client._core.state
        if reached(state):
            return state
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            return None
        client._core.wait_change(seen, left)


def until_open(client: WebSocketClient, timeout: float | None, opened_before: int) -> None:
    """Return when it is open, or was and is over, with more than `opened_before` connections; raises what kept it from that."""
    seconds = number("timeout", timeout, none=True)
    refuse_in_handler(client, "wait_open")
    state = reach(client, open_or_over, seconds)
    check_open(client, state, timeout, opened_before)


def open_or_over(state: str) -> bool:
    """Whether there is nothing to wait for any more before it is open."""
    return state == "open" or state in OVER


def check_open(client: ClientFace, state: str | None, timeout: float | None, opened_before: int) -> None:
    """What waiting for `open` came to; `state` None: the time is over. Raises what kept it from opening."""
    if state == "open" or (state is not None and client._core.connects > opened_before):
        return
    if state is not None:
        error = ended(client) or closed_error(client)
        if isinstance(error, ConnectionClosed) and error.initiator != "user" and state != "destroyed":
            text = f"{client._place}: not open any more, and no further attempt follows"
            raise ConnectFailed(text, url=client.url) from error
        raise error
    failure = client._core.last_failure()
    cause = None if failure is None else _failed(client, failure)
    text = f"{client._place}: not open within {timeout} s; {_last(client, cause)}"
    raise ConnectTimeout(text, url=client.url, phase="timeout") from cause


def _last(client: ClientFace, failure: ConnectFailed | None) -> str:
    if client._core.state == "idle":
        return "not started: connect() starts it"
    end = client._dispatcher.cause
    if isinstance(end, Disconnect):  # newer than any failure
        last = "" if end.initiator == "user" else why_ended(end)
    else:
        last = "" if failure is None else str(failure).removeprefix(f"{client._place}: ")
    return f"last, {last}" if last else "a longer timeout may help"


def until_closed(client: WebSocketClient, timeout: float | None) -> bool:
    """True when it is closed, False when the time is over; raises what a handler raised to end the program."""
    seconds = number("timeout", timeout, none=True)
    refuse_in_handler(client, "wait")
    try:
        state = reach(client, lambda state: state in OVER, seconds)
    except KeyboardInterrupt:
        if not in_kernel():
            client.close()
        raise
    if state is None:
        return False
    until_handled(client)
    check_end(client)
    return True


def check_end(client: ClientFace) -> None:
    """Raise what a handler raised to end the program, or what ended the client."""
    dispatcher = client._dispatcher
    if dispatcher.interruption is not None:
        dispatcher.interruption_raised = True
        raise dispatcher.interruption
    error = ended(client)
    if error is not None:
        raise error


def until_handled(client: WebSocketClient) -> None:
    """Return when the closing handshake and the handlers of `closed` are done, and the recording is in its file; at the
    latest after close_timeout + 0.5 s."""
    until = time.monotonic() + client._close_timeout + GRACE
    reach(client, lambda state: state != "closing", client._close_timeout + GRACE)
    if client._dispatcher.running and not client._dispatcher.is_current:
        reached = client._dispatcher.barrier()
        while not reached.wait(min(0.05, max(0.0, until - time.monotonic()))):
            if time.monotonic() >= until or client._core.state == "destroyed":
                break
    client._core.flush_record(max(0.0, until - time.monotonic()))


def ended(client: ClientFace) -> ConnectFailed | ConnectionClosed | None:
    """What ended the client, when that was neither the user nor the server in order."""
    outcome = client._core.outcome()
    if outcome is None or outcome[0] not in ("fatal", "exhausted"):
        return None
    reason, code, failure = outcome
    if failure is not None:
        return _failed(client, failure)
    return _closed(client, f"the connection ended (close code {code}) and none follows ({reason})", code)


def closed_error(client: ClientFace) -> ConnectionClosed:
    """What tells that the client is closed."""
    outcome = client._core.outcome()
    if outcome is not None and outcome[0] == "user":
        text = f"{client._place}: the client is closed; {client._remedy}"
        return ConnectionClosed(text, url=client.url, code=outcome[1] or None, initiator="user")
    if client._core.state == "destroyed":
        return ConnectionClosed(f"{client._place}: {client._remedy}", url=client.url)
    return _closed(client, "the client is closed", outcome[1] if outcome is not None else 0)


def nothing_read(client: ClientFace, timeout: float | None, *, over: bool) -> Exception:
    """What tells why there is no message: the client is closed and nothing is left (`over`), or the time is over."""
    if not over:
        return TimeoutError(f"no message within {timeout} s")
    why = ended(client)
    if not isinstance(why, ConnectFailed):
        return why or closed_error(client)
    reason = str(why).removeprefix(f"{client._place}: ").rstrip(".")
    closed = ConnectionClosed(
        f"{client._place}: the client gave up ({reason}); connect() starts it again", url=client.url
    )
    closed.__cause__ = why
    return closed


def not_open(client: ClientFace, what: str) -> NotConnected:
    """What tells that a call needs an open connection."""
    client._dispatcher.drain()
    text = f"{client._place}: {what} needs an open connection; {client._remedy}"
    return NotConnected(text, url=client.url)


def _closed(client: ClientFace, what: str, code: int) -> ConnectionClosed:
    client._dispatcher.drain()
    end = client._dispatcher.cause
    where: dict[str, Any] = {}
    if isinstance(end, Disconnect) and end.code == code:
        where = {"reason": end.reason, "initiator": end.initiator, "epoch": end.epoch}
        what += f": {end.reason}" if end.reason else ""
    text = f"{client._place}: {what}; connect() starts it again"
    return ConnectionClosed(text, url=client.url, code=code or None, **where)


def _failed(client: ClientFace, failure: dict[str, Any]) -> ConnectFailed:
    client._dispatcher.drain()
    return client._dispatcher.error_of(failure)
