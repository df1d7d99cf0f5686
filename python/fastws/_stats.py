"""What a client shows of itself: its ready state and its counters.

Knows nothing of this package. Values only, never changed after they were made.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class ReadyState(enum.IntEnum):
    """The browser's ready states."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


_READY = {
    "connecting": ReadyState.CONNECTING,
    "backoff": ReadyState.CONNECTING,  # not open, not over
    "open": ReadyState.OPEN,
    "closing": ReadyState.CLOSING,
}


def ready_state(state: str) -> ReadyState:
    """The browser's number for a state: backoff counts as CONNECTING, idle as CLOSED."""
    return _READY.get(state, ReadyState.CLOSED)


@dataclass(frozen=True, slots=True)
class Stats:
    """A look at the counters. Times are seconds, sizes bytes.

    dropped: messages by cause: "unhandled" and "unclaimed" (nobody asked for them), "unread" (a reader left them while the
    inbox was full), "overflow" (a drop policy), "conflated" (a newer one took their place), "offline" (sent while not
    open), "closed" (not handed over before the end), "decode" (no JSON). dropped_by_type: the unhandled ones by their type.

    latency: of messages handed over, the time from the socket read that completed a message until the thread that builds
    its object took it: "p50", "p90", "p99", "p999" (within 6.25 %) and "max". What a message then waits for the handlers of
    others that were taken with it, and a Ping's round trip (`client.latency`), are not in it. It is always counted, in
    2.5 KB and about 45 instructions a message (callgrind).

    recorded, unrecorded: messages that `record=` has in its file, and that it lacks because the disk was too slow or full.

    parse_seconds: on the network's thread, for frames, inflating, UTF-8 and JSON. handler_seconds: in handlers.
    """

    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    handled: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    dropped_by_type: Mapping[str, int] = field(default_factory=dict)
    inbox_messages: int = 0
    inbox_bytes: int = 0
    outbox_messages: int = 0
    outbox_bytes: int = 0
    offline_messages: int = 0
    offline_bytes: int = 0
    connects: int = 0
    failures: int = 0
    uptime: float = 0.0
    handler_seconds: float = 0.0
    parse_seconds: float = 0.0
    latency: Mapping[str, float] = field(default_factory=dict)
    recorded: int = 0
    unrecorded: int = 0


_COUNTERS = frozenset(one.name for one in fields(Stats)) - {"handler_seconds"}


def make_stats(counters: Mapping[str, Any], handler_seconds: float) -> Stats:
    """The core's counters, with the seconds that handlers ran."""
    known = {name: value for name, value in counters.items() if name in _COUNTERS}
    return Stats(**known, handler_seconds=handler_seconds)
