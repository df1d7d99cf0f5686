"""The connection's life, written a second time from the specification's text, as plainly as it can be said.

It shares nothing with the C++ class but the names of states, effects and events. Times are seconds of a virtual clock,
`drawn` is a pair of numbers in [0, 1): the jitter's and the one for a server's hint.
"""

from dataclasses import dataclass, field
from typing import Any

DIALS = ("connecting", "open", "closing")  # the states that hold a transport


@dataclass
class Settings:
    """What C++ takes as keywords, with its defaults."""

    base: float = 1.0
    factor: float = 2.0
    cap: float = 30.0
    jitter: float = 0.5
    min_uptime: float = 5.0
    max_retries: int | None = None
    max_elapsed: float | None = None
    close_code_delay: dict[int, tuple[float, float]] = field(default_factory=lambda: {1012: (5.0, 30.0)})
    fatal_close_codes: set[int] = field(default_factory=set)
    retry_after_cap: float = 300.0
    reconnect: bool = True
    has_provider: bool = False
    asks: bool = False
    connect_timeout: float = 10.0
    close_timeout: float = 2.0
    ping_interval: float | None = 20.0
    pong_timeout: float | None = 10.0

    def ceiling(self, failures: int) -> float:
        """Section 4: min(cap, base * factor**n)."""
        return min(self.cap, self.base * self.factor ** min(failures, 500))

    def hinted(self, code: int, retry_after: float | None, drawn: tuple[float, float]) -> float:
        """The floor that a server asked for: a close code's delay, or Retry-After."""
        if code in self.close_code_delay:
            least, most = self.close_code_delay[code]
            return least + (most - least) * drawn[1]
        if code == 1013:
            return self.cap * (1.0 - self.jitter * drawn[0])
        if retry_after is not None:
            return min(max(retry_after, 0.0), self.retry_after_cap) * (1.0 + 0.1 * drawn[1])
        return 0.0

    def stops(self, failure: dict[str, Any], ever_opened: bool) -> bool:
        """Section 5: a definitive rejection that has never succeeded."""
        status = failure["http_status"]
        if ever_opened:
            return False
        if failure["definitive"]:
            return True
        if status in (0, 408, 425, 429) or 500 <= status <= 599:
            return False
        return not (self.has_provider and status in (401, 403))


class Model:
    """One client's life. Inputs are methods; what comes of them is appended to `effects` and `events`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state = "idle"
        self.epoch = 0
        self.life = 0
        self.failures = 0
        self.deadline: float | None = None
        self.restarts = False  # what follows closing
        self.closed_reason = "none"
        self.effects: list[tuple[Any, ...]] = []
        self.events: list[dict[str, Any]] = []
        self.ever_opened = False
        self.graced = False  # connecting: the grace second is being, or was, given
        self.failing_since = 0.0
        self.opened_at = 0.0
        self.ended_at: float | None = None
        self.ping_sent: float | None = None  # open: nothing was received after this Ping yet
        self.pong_due = 0.0
        # backoff: when it failed, the default delay, whether it had been open
        self.question: tuple[float, float, bool] | None = None
        self.last_code = 0
        self.last_failure: dict[str, Any] | None = None

    # Commands

    def connect(self, now: float) -> None:
        if self.state in ("idle", "closed"):
            self._start_fresh(now)

    def reconnect(self, now: float) -> None:
        if self.state == "open":
            self._say_goodbye(now, 1000, "")
            self.restarts = True
        elif self.state == "closing":
            self.restarts = True
        elif self.state != "destroyed":
            if self.state == "connecting":
                self.effects.append(("abort", self.epoch))
            self._start_fresh(now)

    def close(self, now: float, code: int, reason: str) -> None:
        if self.state == "destroyed":
            return
        self.life += 1
        if self.state == "open":
            self._say_goodbye(now, code, reason)
            self.restarts = False
        elif self.state == "closing":
            self.restarts = False
        elif self.state != "closed":
            if self.state == "connecting":
                self.effects.append(("abort", self.epoch))
            self._closed("user")

    def destroy(self) -> None:
        if self.state in DIALS:
            self.effects.append(("abort", self.epoch))
        self.events.clear()
        self.state = "destroyed"
        self.deadline = None

    # Completions

    def dialing(self, now: float, epoch: int) -> None:
        if self.state == "connecting" and epoch == self.epoch:
            self.deadline = now + self.settings.connect_timeout
            self.graced = False

    def opened(self, now: float, epoch: int) -> None:
        if epoch == self.epoch and self.state in ("open", "closing"):
            return  # a second report about the transport that we hold
        if epoch != self.epoch or self.state != "connecting":
            self.effects.append(("abort", epoch))
            return
        self.state = "open"
        self.opened_at = now
        self.ping_sent = None
        interval = self.settings.ping_interval
        self.deadline = None if interval is None else now + interval
        self.last_code, self.last_failure = 0, None
        downtime = 0.0 if self.ended_at is None else now - self.ended_at
        self._tell("connect", attempt=self.failures + 1, is_reconnect=self.ever_opened, downtime=downtime)
        self.ever_opened = True

    def failed(self, now: float, epoch: int, failure: dict[str, Any], drawn: tuple[float, float]) -> None:
        if self.state == "connecting" and epoch == self.epoch:
            self._fail(now, failure, drawn)

    def lost(self, now: float, epoch: int, loss: dict[str, Any], drawn: tuple[float, float]) -> None:
        if epoch != self.epoch:
            return
        if self.state == "open":
            self._lose(now, loss, drawn)
        elif self.state == "closing":
            self._part(now, loss)

    def answered(self, now: float, epoch: int, answer: object) -> None:
        if self.state != "backoff" or epoch != self.epoch or self.question is None:
            return
        (failed_at, delay, after_connection), self.question = self.question, None
        if answer is False:
            self._closed("fatal")
        else:
            if isinstance(answer, float) and 0.0 <= answer < float("inf"):
                delay = answer
            self._schedule(failed_at, delay, after_connection)

    def timer(self, now: float, heard: float, paused: bool, slept: bool, drawn: tuple[float, float]) -> None:
        if self.deadline is None or now < self.deadline:
            return
        late = slept or now > self.deadline + 1.0
        if self.state == "connecting":
            if late and not self.graced:
                self.graced = True
                self.deadline = now + 1.0
            else:
                failure = {"phase": "timeout", "definitive": False, "http_status": 0, "retry_after": None}
                self._fail(now, failure, drawn)
        elif self.state == "open":
            self._listen(now, max(heard, self.opened_at), paused, late, drawn)
        elif self.state == "backoff":
            if self.question is not None:
                self._schedule(*self.question)
            self._attempt(now)
        else:
            self.effects.append(("abort", self.epoch))
            self._part(now, {"code": 1006, "reason": "", "clean": False})

    # What the inputs have in common

    def _start_fresh(self, now: float) -> None:
        self.failures = 0
        self.failing_since = now
        self.last_code, self.last_failure = 0, None
        self._attempt(now)

    def _attempt(self, now: float) -> None:
        self.state = "connecting"
        self.epoch += 1
        self.question = None
        self.graced = False
        self.closed_reason = "none"
        self.deadline = now + self.settings.connect_timeout
        self.effects.append(("start", self.epoch))
        self._tell("connecting", attempt=self.failures + 1)

    def _say_goodbye(self, now: float, code: int, reason: str) -> None:
        self.state = "closing"
        self.deadline = now + self.settings.close_timeout
        self.effects.append(("send_close", self.epoch, code, reason))

    def _fail(self, now: float, failure: dict[str, Any], drawn: tuple[float, float]) -> None:
        self.effects.append(("abort", self.epoch))
        if not self.settings.reconnect:
            end = "exhausted"
        elif self.settings.stops(failure, self.ever_opened):
            end = "fatal"
        else:
            end = self._exhausted(now)
        self.last_failure = failure
        self._tell("error", attempt=self.failures + 1, fatal=end != "", failure=failure)
        self._wait_or_end(now, end, self.settings.hinted(0, failure["retry_after"], drawn), False, drawn)

    def _lose(self, now: float, loss: dict[str, Any], drawn: tuple[float, float]) -> None:
        if now - self.opened_at >= self.settings.min_uptime:
            self.failures = 0
            self.failing_since = now
        if not self.settings.reconnect:
            end = "server" if loss["initiator"] == "server" and loss["code"] in (1000, 1001) else "exhausted"
        elif loss["code"] in self.settings.fatal_close_codes:
            end = "fatal"
        else:
            end = self._exhausted(now)
        self._disconnected(now, loss, loss["initiator"], end == "")
        self._wait_or_end(now, end, self.settings.hinted(loss["code"], None, drawn), True, drawn)

    def _part(self, now: float, loss: dict[str, Any]) -> None:
        self._disconnected(now, loss, "user", self.restarts)
        if self.restarts:
            self._start_fresh(now)
        else:
            self._closed("user")

    def _disconnected(self, now: float, loss: dict[str, Any], initiator: str, will_reconnect: bool) -> None:
        self.ended_at = now
        self.last_code = loss["code"]
        told = {name: loss[name] for name in ("code", "reason", "clean")}
        uptime = now - self.opened_at
        self._tell("disconnect", initiator=initiator, uptime=uptime, will_reconnect=will_reconnect, **told)

    def _exhausted(self, now: float) -> str:
        """`max_retries` counts consecutive failures; `max_elapsed` the time since their series began."""
        retries, elapsed = self.settings.max_retries, self.settings.max_elapsed
        over = (retries is not None and self.failures >= retries) or (
            elapsed is not None and now - self.failing_since >= elapsed
        )
        return "exhausted" if over else ""

    def _wait_or_end(
        self, now: float, end: str, floor: float, connected: bool, drawn: tuple[float, float]
    ) -> None:
        if end:
            self._closed(end)
            return
        delay = max(self.settings.ceiling(self.failures) * (1.0 - self.settings.jitter * drawn[0]), floor)
        self.failures += 1
        self.state = "backoff"
        if self.settings.asks:
            self.effects.append(("ask", self.epoch))
            self.question = (now, delay, connected)
            self.deadline = now + delay
        else:
            self._schedule(now, delay, connected)

    def _schedule(self, failed_at: float, delay: float, after_connection: bool) -> None:
        at = self.deadline = failed_at + delay
        self._tell(
            "reconnecting", attempt=self.failures, delay=delay, at=at, after_connection=after_connection
        )

    def _closed(self, reason: str) -> None:
        self.state, self.closed_reason = "closed", reason
        self.deadline = self.question = None
        self._tell("closed", reason=reason, code=self.last_code, failure=self.last_failure)

    def _listen(self, now: float, heard: float, paused: bool, late: bool, drawn: tuple[float, float]) -> None:
        """Section 8; `late` is R20: a clock that jumped kills nobody."""
        interval, patience = self.settings.ping_interval, self.settings.pong_timeout
        assert interval is not None
        if not late and (self.ping_sent is None or heard >= self.ping_sent):
            self.ping_sent = None
            if heard + interval > now:
                self.deadline = heard + interval
                return
            late = True  # quiet for a whole interval: ask, just as after a jump
        if late:
            self.effects.append(("ping", self.epoch))
            if patience is None:
                self.deadline = now + interval
                return
            self.ping_sent, self.pong_due = now, now + patience
        else:
            assert patience is not None
            if paused:
                self.pong_due = now + patience
            if now >= self.pong_due:
                self.effects.append(("abort", self.epoch))
                loss = {"code": 1006, "reason": "ping timeout", "clean": False, "initiator": "liveness"}
                self._lose(now, loss, drawn)
                return
        self.deadline = min(self.pong_due, now + interval)

    def _tell(self, kind: str, **fields: Any) -> None:
        self.events.append({"kind": kind, "life": self.life, "epoch": self.epoch, **fields})
