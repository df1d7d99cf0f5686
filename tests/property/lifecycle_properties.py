"""The properties of the specification's section 10 as assertions over what one machine does, step by step.

They know neither the C++ class nor the model, only what went in and what came out. P7 is in tests/unit/test_backoff.py;
P8 and P17 are no matter of the machine, and of P15 and P16 only the deadlines are.
"""

from collections import deque
from typing import Any

from lifecycle_model import DIALS, Settings

# P4: delivered events, as a walk. Only what a state lists may come next; a prefix is always allowed.
LANGUAGE = {
    "apart": {"connecting": "dialling", "closed": "apart"},
    "dialling": {"connecting": "dialling", "error": "ended", "connect": "connected", "closed": "apart"},
    "connected": {"disconnect": "ended"},
    "ended": {"reconnecting": "waiting", "connecting": "dialling", "closed": "apart"},
    "waiting": {"connecting": "dialling", "closed": "apart"},
}


class Observer:
    """Watches one machine through a network of its own, which keeps the transports."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.live: set[int] = set()
        self.told_to_close = False  # since the last start by the user
        self.floor = 0.0  # the least wait that the last hint of the server allows
        self.users_delay: float | None = None
        self.closing_until: float | None = None
        self.queue: deque[dict[str, Any]] = deque()  # emitted, not delivered
        self.place = "apart"
        self.delivered_connects: list[int] = []
        self.delivered_disconnects: list[int] = []

    def hinted(self, floor: float) -> None:
        """An attempt or a connection ends now, and the server asks for a wait of at least `floor`."""
        self.floor = floor
        self.users_delay = None

    def step(
        self, command: str, before: Any, after: Any, effects: list[Any], events: list[Any], now: float
    ) -> None:
        self._commands(command, before, after)
        self._effects(effects)
        self._shape(before, after, now)
        self._counting(command, before, after, events)
        self._waiting(after, events)
        entries = [event for event in events if event["kind"] == "closed"]
        assert len(entries) == (after.state == "closed" and before.state != "closed"), "P9: one per entry"
        if after.state == "destroyed":
            assert not events, "P10: no events ever"
            self.queue.clear()
        for event in events:
            if event["kind"] == "connecting":
                for queued in self.queue:
                    queued["restarted"] = True
            self.queue.append({**event, "cut": False, "restarted": False})

    def _commands(self, command: str, before: Any, after: Any) -> None:
        if before.state == "destroyed":
            assert after == before, "destroyed is for ever"
        elif command == "close":
            self.told_to_close = True
            assert after.life == before.life + 1
            assert after.state == "closed" or (after.state == "closing" and not after.restarts), "R2"
            for queued in self.queue:
                queued["cut"] = queued["kind"] not in ("disconnect", "closed")  # P13
        elif command == "reconnect":
            self.told_to_close = False
            assert after.state == "connecting" or (after.state == "closing" and after.restarts), "P14"
        elif command == "connect" and before.state in ("idle", "closed"):
            self.told_to_close = False
            assert after.state == "connecting"

    def _effects(self, effects: list[Any]) -> None:
        for kind, epoch, *_ in effects:
            if kind == "start":
                assert not self.live, "P1: a new attempt starts only when no transport is live"
                assert not self.told_to_close, "P3: no attempt after close()"
                self.live.add(epoch)
            elif kind == "abort":
                self.live.discard(epoch)
            elif kind in ("send_close", "ping"):
                assert epoch in self.live

    def _shape(self, before: Any, after: Any, now: float) -> None:
        assert self.live == ({after.epoch} if after.state in DIALS else set()), (
            "P1, P10: what lives is the epoch's"
        )
        timed = after.state in ("connecting", "backoff", "closing")
        timed = timed or (after.state == "open" and self.settings.ping_interval is not None)
        assert (after.deadline is not None) == timed, "P2: one timer, or none; off is off"
        if after.state == "closing":
            if before.state != "closing":
                self.closing_until = now + self.settings.close_timeout
            assert after.deadline == self.closing_until, "P16: nothing makes closing longer"

    def _counting(self, command: str, before: Any, after: Any, events: list[Any]) -> None:
        """P6: the count of failures is reset by a stable connection or by the user, and by nothing else."""
        losses = [event for event in events if event["kind"] == "disconnect" and before.state == "open"]
        stable = any(event["uptime"] >= self.settings.min_uptime for event in losses)
        fresh = after.epoch > before.epoch and (
            command in ("connect", "reconnect") or before.state == "closing"
        )
        counted = after.state == "backoff" and before.state in ("connecting", "open")
        start = 0 if stable or fresh else before.failures
        assert after.failures == start + counted, "P6"

    def _waiting(self, after: Any, events: list[Any]) -> None:
        """P5: the delay is that of the schedule, downwards jittered, unless a hint of the server raises it."""
        for event in events:
            if event["kind"] != "reconnecting":
                continue
            if self.users_delay is not None:
                assert event["delay"] == self.users_delay
                continue
            longest = self.settings.ceiling(event["attempt"] - 1)
            least = max(self.floor, (1.0 - self.settings.jitter) * longest)
            assert least <= event["delay"], "P5: hints are floors"
            assert self.floor > 0.0 or event["delay"] <= longest, "P5"
            assert after.state in ("backoff", "connecting")

    # Delivery

    def delivered(self, event: dict[str, Any], admitted: bool) -> None:
        """The front of the queue was offered, and `admitted` or not."""
        kind = event["kind"]
        if kind == "closed":
            assert admitted == (not event["restarted"]), "P9: delivered unless restarted before"
        elif kind == "disconnect":
            due = (
                event["epoch"] in self.delivered_connects and event["epoch"] not in self.delivered_disconnects
            )
            assert admitted == due, "P4: once per delivered connect"
        else:
            assert admitted == (not event["cut"]), "P13, and what close() does not cut is delivered"
        if not admitted:
            return
        assert kind in LANGUAGE[self.place], f"P4: {kind} while {self.place}"
        self.place = LANGUAGE[self.place][kind]
        if kind == "connect":
            self.delivered_connects.append(event["epoch"])
        elif kind == "disconnect":
            self.delivered_disconnects.append(event["epoch"])

    def all_delivered(self, state: str, epoch: int) -> None:
        """Everything queued has been offered."""
        missing = set(self.delivered_connects) - set(self.delivered_disconnects)
        if state == "destroyed":
            assert len(missing) <= 1, "P4: destroy drops what is queued, a last disconnect as well"
        else:
            assert missing <= ({epoch} if state in ("open", "closing") else set()), "P4: strictly paired"
