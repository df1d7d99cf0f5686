"""The C++ state machine against the model in lifecycle_model.py, under every command, completion and timer.

After every step both have the same state, deadline, effects and events, and the properties in lifecycle_properties.py
hold. Everything is tried in every state: stale and unheard-of epochs, late timers, deliveries at any moment.
"""

from collections import namedtuple
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from lifecycle_model import Model, Settings
from lifecycle_properties import Observer

from fastws._core import _policy

Snapshot = namedtuple("Snapshot", "state epoch life deadline restarts closed_reason failures")

drawn = st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 0.9375])] * 2)
ages = st.sampled_from([0, 1, 2, -1])  # of a completion, in epochs; -1: of an epoch that never was
USABLE = (0.0, 7.5, 900.0)
answers = st.sampled_from([None, None, *USABLE, False, -1.0, float("inf"), float("nan")])
steps = st.sampled_from([0.0, 0.125, 0.5, 1.0, 4.875, 5.0, 20.0, 3600.0])
failures = st.fixed_dictionaries(
    {
        "phase": st.sampled_from(["resolve", "tcp", "proxy", "tls", "http", "provider"]),
        "definitive": st.sampled_from([False] * 7 + [True]),
        "http_status": st.sampled_from(
            [0] * 8 + [200, 302, 400, 401, 403, 404, 407, 408, 425, 429, 500, 503, 599]
        ),
        "retry_after": st.sampled_from([None, None, 0.0, 2.0, 60.0, 1e9]),
    }
)
losses = st.fixed_dictionaries(
    {
        "code": st.sampled_from([1006, 1006, 1000, 1001, 1005, 1009, 1011, 1012, 1013, 4000, 4001]),
        "reason": st.sampled_from(["", "bye"]),
        "clean": st.booleans(),
        "initiator": st.sampled_from(["server", "network", "client"]),
    }
)
completions = st.one_of(
    st.just(("opened", ())),
    st.tuples(st.just("failed"), st.tuples(failures, drawn)),
    st.tuples(st.just("lost"), st.tuples(losses, drawn)),
    st.tuples(st.just("answered"), st.tuples(answers)),
)
ROWS = {
    "opened": ("connecting",),
    "failed": ("connecting",),
    "lost": ("open", "closing"),
    "answered": ("backoff",),
}
lives = st.builds(
    Settings,
    base=st.sampled_from([1.0, 0.5]),
    factor=st.sampled_from([2.0, 1.0, 1.5]),
    jitter=st.sampled_from([0.5, 0.0, 1.0]),
    cap=st.sampled_from([30.0, 4.0]),
    min_uptime=st.sampled_from([5.0, 0.0]),
    max_retries=st.sampled_from([None, None, None, 0, 2, 4]),
    max_elapsed=st.sampled_from([None, None, None, 30.0]),
    close_code_delay=st.sampled_from([{1012: (5.0, 30.0)}, {1012: (0.5, 5.0), 1013: (1.0, 2.0)}]),
    fatal_close_codes=st.sampled_from([set(), {4001, 1009}]),
    retry_after_cap=st.sampled_from([300.0, 10.0]),
    reconnect=st.sampled_from([True] * 5 + [False]),
    has_provider=st.booleans(),
    asks=st.booleans(),
    connect_timeout=st.sampled_from([10.0, 0.5]),
    close_timeout=st.sampled_from([2.0, 0.0]),
    ping_interval=st.sampled_from([20.0, 20.0, 2.0, None]),
    pong_timeout=st.sampled_from([10.0, 10.0, 5.0, None]),
)


class Lifecycle(RuleBasedStateMachine):
    @initialize(life=lives, autoconnect=st.sampled_from([True, True, True, False]))
    def begin(self, life: Settings, autoconnect: bool) -> None:
        self.settings = life
        self.real = _policy.Lifecycle(**vars(life))
        self.model = Model(life)
        self.observer = Observer(life)
        self.delivery = _policy.Delivery()
        self.now = 1000.0
        self.heard = 0.0
        self.before = self.snapshot()
        if autoconnect:
            self.step("connect", self.now)

    def snapshot(self) -> Snapshot:
        return Snapshot(*(getattr(self.real, name) for name in Snapshot._fields))

    def step(self, name: str, *arguments: Any, stale: bool = False) -> None:
        """Do the same to both, then compare all that can be seen."""
        getattr(self.real, name)(*arguments)
        getattr(self.model, name)(*arguments)
        before, after = self.before, self.snapshot()
        effects, events = self.real.take_effects(), self.real.take_events()
        for event in events:
            if event.get("failure") is not None:
                assert event["failure"].pop("message") or event["failure"]["phase"] != "timeout"
        assert after == Snapshot(*(getattr(self.model, field) for field in Snapshot._fields))
        assert effects == self.model.effects
        assert events == self.model.events
        if stale:
            assert after == before and not events, "P11: no state change"
            assert effects == ([("abort", arguments[1])] if name == "opened" else []), (
                "P11: its transport is aborted"
            )
        self.observer.step(name, before, after, effects, events, self.now)
        self.model.effects.clear()
        self.model.events.clear()
        self.before = after

    def complete(self, name: str, age: int, *arguments: Any) -> None:
        epoch = max(0, self.real.epoch - age)
        self.step(name, self.now, epoch, *arguments, stale=epoch != self.real.epoch)

    # Inputs where they belong

    @precondition(lambda self: self.real.state in ("idle", "closed"))
    @rule()
    def connect(self) -> None:
        self.step("connect", self.now)

    @precondition(lambda self: self.real.state == "connecting")
    @rule()
    def open_in_time(self) -> None:
        self.complete("opened", 0)

    @precondition(lambda self: self.real.state == "connecting")
    @rule(failure=failures, drawn=drawn)
    def fail(self, failure: dict[str, Any], drawn: tuple[float, float]) -> None:
        self.observer.hinted(self.settings.hinted(0, failure["retry_after"], drawn))
        self.complete("failed", 0, failure, drawn)

    @precondition(lambda self: self.real.state in ("open", "closing"))
    @rule(loss=losses, drawn=drawn)
    def lose(self, loss: dict[str, Any], drawn: tuple[float, float]) -> None:
        self.observer.live.discard(self.real.epoch)
        self.observer.hinted(self.settings.hinted(loss["code"], None, drawn))
        self.complete("lost", 0, loss, drawn)

    @precondition(lambda self: self.model.question is not None)
    @rule(answer=answers)
    def answer(self, answer: object) -> None:
        if answer in USABLE and answer is not False:
            self.observer.users_delay = answer
        self.complete("answered", 0, answer)

    # Inputs in any state

    @rule(command=st.sampled_from(["connect", "reconnect", "close", "close", "dialing"]), age=ages)
    def command(self, command: str, age: int) -> None:
        if command == "close":
            self.step("close", self.now, *[(1000, ""), (4999, "done")][age % 2])
        elif command == "dialing":
            self.complete("dialing", age)
        else:
            self.step(command, self.now)

    @precondition(lambda self: self.real.epoch > 3)
    @rule(sure=st.integers(0, 20))
    def destroy(self, sure: int) -> None:
        if sure == 0:
            self.step("destroy")

    @rule(age=ages, completion=completions)
    def completion_out_of_place(self, age: int, completion: tuple[str, tuple[Any, ...]]) -> None:
        """A report that nobody waits for: of another epoch, or of this one in a state that has no row for it."""
        name, arguments = completion
        if age == 0 and self.real.state in ROWS[name]:
            age = 1
        self.complete(name, age, *arguments)

    # Time

    @rule(seconds=steps)
    def wait(self, seconds: float) -> None:
        """Time passes; a timer that comes before its deadline has no effect."""
        if self.real.deadline is not None:
            seconds = min(seconds, max(0.0, (self.real.deadline - self.now) / 2))
        self.now += seconds
        self.fire(False, False, (0.0, 0.0))
        assert self.real.state != "closed" or self.real.deadline is None

    @rule(seconds=st.sampled_from([0.0, 5.0, 1e6]))
    def time_without_a_timer(self, seconds: float) -> None:
        if self.real.deadline is None:
            self.now += seconds

    @precondition(lambda self: self.real.deadline is not None)
    @rule(
        late=st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, 1.0625, 7200.0]),
        paused=st.sampled_from([False, False, True]),
        slept=st.sampled_from([False] * 5 + [True]),
        drawn=drawn,
    )
    def timer(self, late: float, paused: bool, slept: bool, drawn: tuple[float, float]) -> None:
        self.now = max(self.now, self.real.deadline + late)
        self.fire(paused, slept, drawn)

    def fire(self, paused: bool, slept: bool, drawn: tuple[float, float]) -> None:
        """The timer calls; should that end the attempt or the connection, the wait has no hint but the code's."""
        due = self.real.deadline is not None and self.now >= self.real.deadline
        if due and self.real.state in ("connecting", "open"):
            self.observer.hinted(self.settings.hinted(1006, None, drawn))
        self.step("timer", self.now, self.heard, paused, slept, drawn)

    @precondition(lambda self: self.real.state == "open")
    @rule()
    def bytes_arrive(self) -> None:
        self.heard = self.now

    # Delivery

    @rule(count=st.integers(1, 6))
    def deliver(self, count: int) -> None:
        """P18: whatever a handler does, no matter: that events are delivered is no input of the machine."""
        for _ in range(min(count, len(self.observer.queue))):
            event = self.observer.queue.popleft()
            about = event["kind"], event["life"], event["epoch"]
            self.observer.delivered(event, self.delivery.admit(*about, self.real.life, self.real.epoch))
        assert self.snapshot() == self.before, "P18"

    def teardown(self) -> None:
        if not hasattr(self, "real"):
            return
        self.becomes_open_when_left_alone()
        self.deliver(len(self.observer.queue))
        self.observer.all_delivered(self.real.state, self.real.epoch)

    def becomes_open_when_left_alone(self) -> None:
        """P12: a quiet user, a healthy network and a should_reconnect without wishes."""
        if self.real.state not in ("connecting", "backoff") and not (
            self.real.state == "closing" and self.real.restarts
        ):
            return
        life = self.settings
        waits = max(life.cap, self.observer.floor, self.observer.users_delay or 0.0)
        bound = self.now + waits + life.connect_timeout + life.close_timeout + 1.0  # the grace second
        while self.real.state != "open":
            assert self.real.state in ("connecting", "backoff", "closing")
            if self.real.state == "connecting":
                self.open_in_time()
            else:
                self.timer(0.0, False, False, (0.0, 0.0))
        assert self.now <= bound, "P12"


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=5 * settings().max_examples, stateful_step_count=60, deadline=None
)
