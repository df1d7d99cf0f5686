"""The waits of the real state machine: their bounds, their jitter, and how often a hostile server can make us dial."""

import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastws._core import _policy

SHORTEST = 1.0  # the jitter's limit, which no draw reaches: what is bounded with it is bounded
LONGEST = 0.0


class Client:
    """One client that connects at time 0; its server does as it is told."""

    def __init__(self, draw: Callable[[], float], **life: object) -> None:
        self.draw = draw
        self.min_uptime = float(life.get("min_uptime", 5.0))
        self.machine = _policy.Lifecycle(ping_interval=None, **life)
        self.now = 0.0
        self.attempts = [0.0]
        self.machine.connect(self.now)

    def meet(self, server: str) -> float:
        """One attempt meets a server that will `refuse`, `flap` or `hold`; gives the wait after it."""
        drawn = (self.draw(), 0.0)
        if server == "refuse":
            self.machine.failed(self.now, self.machine.epoch, {}, drawn)
        else:
            self.machine.opened(self.now, self.machine.epoch)
            self.now += self.min_uptime if server == "hold" else 0.0
            self.machine.lost(self.now, self.machine.epoch, {}, drawn)
        wait = self.machine.deadline - self.now
        self.now = self.machine.deadline
        self.machine.timer(self.now, 0.0, False, False, drawn)
        self.attempts.append(self.now)
        self.machine.take_effects()
        self.machine.take_events()
        return wait

    def busiest(self, window: float) -> int:
        """The most attempts in any `window` seconds."""
        most = first = 0
        for last, at in enumerate(self.attempts):
            while self.attempts[first] < at - window:
                first += 1
            most = max(most, last - first + 1)
        return most


def always(value: float) -> Callable[[], float]:
    return lambda: value


# --- P5: one delay ---------------------------------------------------------------------------------------------------

fractions = st.floats(0.0, 1.0, exclude_max=True)


@given(
    failures=st.integers(0, 2**32 - 1),
    drawn=fractions,
    jitter=st.floats(0.0, 1.0),
    base=st.floats(0.001, 100.0),
    factor=st.floats(1.0, 10.0),
    cap=st.floats(0.001, 1000.0),
)
def test_a_delay_is_never_outside_its_bounds(failures, drawn, jitter, base, factor, cap):
    """P5, T25: for any count of failures, the largest included."""
    schedule = {"base": base, "factor": factor, "cap": cap}
    longest = _policy.longest_delay(failures, **schedule)
    assert longest == pytest.approx(
        min(cap, base * factor ** min(failures, 200)) if factor > 1.05 else longest
    )
    assert 0.0 < longest <= cap
    delay = _policy.delay(failures, drawn, jitter=jitter, **schedule)
    assert (1.0 - jitter) * longest <= delay * (1 + 1e-12)
    assert delay <= longest


def test_the_schedule_without_jitter_is_the_reference_classs():
    """Backoff.classic(): jitter 0 and min_uptime 0."""
    client = Client(always(0.7), jitter=0.0, min_uptime=0.0)
    assert [client.meet("refuse") for _ in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert client.meet("flap") == 1.0  # opening is enough


def test_the_first_retry_is_not_at_once():
    """T24."""
    for drawn in (0.0, 0.5, math.nextafter(1.0, 0.0)):
        assert Client(always(drawn)).meet("refuse") >= 0.5


def test_a_million_failures_do_not_overflow():
    """T25."""
    for drawn in (0.0, math.nextafter(1.0, 0.0)):
        assert 15.0 <= _policy.delay(10**6, drawn) <= 30.0


def test_jitter_is_uniform_below_the_schedule():
    """T20: Kolmogorov-Smirnov against U((1 - j) c, c), for every step of the schedule."""
    rng = random.Random(20)
    clients = [Client(rng.random) for _ in range(2000)]
    for longest in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0):
        waits = sorted(client.meet("refuse") for client in clients)
        distance = max(
            max(abs((rank + 1) / len(waits) - place), abs(rank / len(waits) - place))
            for rank, place in ((rank, (wait / longest - 0.5) / 0.5) for rank, wait in enumerate(waits))
        )
        assert distance < 1.95 / math.sqrt(len(waits)), longest  # p = 0.001


def test_jitter_is_not_clamped_away_at_the_cap():
    """T21: at n >= 10 the cap itself is hit with p < 1e-3, and every wait is drawn anew."""
    rng = random.Random(21)
    waits = [_policy.delay(10 + number % 50, rng.random()) for number in range(20_000)]
    assert sum(wait == 30.0 for wait in waits) < 20
    assert len(set(waits)) > 19_900


# --- P7: attempts in a window ----------------------------------------------------------------------------------------


@cache
def answer_to(failures: int, server: str) -> tuple[int, float]:
    """From `failures` so far: the count after one attempt, and the seconds until the next, at the shortest jitter."""
    client = Client(always(SHORTEST))
    for _ in range(failures):
        client.meet("refuse")
    before = client.now
    client.meet(server)
    return client.machine.failures, client.now - before


def most_attempts(window: float) -> int:
    """Exact dynamic programming over everything a server can do; all times are multiples of half a second."""
    at_cap = 6  # from here on one failure more changes nothing
    best: list[list[int]] = []
    for left in range(int(window * 2) + 1):
        row = []
        for failures in range(at_cap + 1):
            after = 0
            for server in ("refuse", "flap", "hold"):
                count, seconds = answer_to(failures, server)
                rest = left - round(seconds * 2)
                assert seconds * 2 == round(seconds * 2) > 0
                if rest >= 0:
                    after = max(after, best[rest][min(count, at_cap)])
            row.append(1 + after)
        best.append(row)
    return max(best[-1])


@pytest.mark.parametrize(("window", "bound"), [(60, 23), (120, 44), (600, 214)])
def test_no_server_gets_more_attempts_than_the_bound(window, bound):
    """P7: the worst that any adversary can do, found exactly."""
    assert most_attempts(window) == bound


@settings(max_examples=200, deadline=None)
@given(servers=st.lists(st.sampled_from(["refuse", "flap", "hold"]), max_size=80), seed=st.integers(0, 2**32))
def test_adversaries_at_random_stay_within_the_bound(servers, seed):
    """P7 with drawn jitter, in any window, wherever it begins."""
    client = Client(random.Random(seed).random)
    for server in servers:
        client.meet(server)
    assert client.busiest(60.0) <= 23
    assert client.busiest(120.0) <= 44


def rhythm(flaps: int) -> Iterator[str]:
    while True:
        yield "hold"
        yield from ["flap"] * flaps


@pytest.mark.parametrize("min_uptime", [5.0, 30.0])
def test_the_long_run_rate_is_the_formulas(min_uptime):
    """P7: max over m of (m + 1) / (min_uptime + (1 - j) base (f^(m+1) - 1) / (f - 1)), up to where the cap begins."""
    rates = []
    for flaps in range(5):
        client = Client(always(SHORTEST), min_uptime=min_uptime)
        for server in islice(rhythm(flaps), (flaps + 1) * 200):
            client.meet(server)
        rate = (flaps + 1) * 200 / client.now
        assert rate == pytest.approx((flaps + 1) / (min_uptime + 0.5 * (2 ** (flaps + 1) - 1)))
        rates.append(rate)
    assert max(rates) == pytest.approx({5.0: 3 / 8.5, 30.0: 5 / 45.5}[min_uptime])


def test_accept_and_drop_is_as_slow_as_refusing():
    """T19, P7: a server that accepts and drops defeats no backoff: 12 attempts in 120 s at the most."""
    worst = Client(always(SHORTEST))
    while worst.now < 600.0:
        worst.meet("flap")
    assert sum(at <= 120.0 for at in worst.attempts) == 12
    counts = []
    for seed in range(300):
        client = Client(random.Random(seed).random)
        while client.now < 600.0:
            client.meet("flap")
        counts.append(sum(at <= 600.0 for at in client.attempts))
    assert sum(counts) / len(counts) == pytest.approx(31.5, abs=1.5)
    assert sum(count <= 33 for count in counts) >= 0.9 * len(counts)


def test_a_server_that_always_answers_503_is_asked_ever_more_rarely():
    """T23: the TCP connection and the handshake reset nothing."""
    client = Client(always(LONGEST))
    waits = [client.meet("refuse") for _ in range(6)]
    assert waits == sorted(waits) and waits[0] < waits[-1]


def test_a_stable_connection_is_followed_by_a_short_wait():
    """T22."""
    client = Client(always(LONGEST))
    for _ in range(6):
        client.meet("refuse")
    assert client.meet("hold") <= 1.0
