"""Pings: who is found silent, who is left in peace, and that a busy Python changes nothing."""

import threading
import time

import pytest

from fastws import Backoff


def silent(conn):
    """Accepts, then answers nothing at all."""
    conn.answer_pings = False
    conn.answer_close = False
    conn.accept()


def test_a_silent_peer_is_found(serve, recorded):
    """T13, P15: ping_interval + pong_timeout (+ 1 s grace); 1006 by liveness, and a new connection."""
    server = serve([silent, lambda conn: conn.accept()])
    _, log = recorded(server, ping_interval=0.4, pong_timeout=0.3)
    lost = log.wait("disconnect")
    assert (lost.code, lost.clean, lost.initiator, lost.will_reconnect) == (1006, False, "liveness", True)
    assert 0.65 <= lost.uptime < 4.0
    log.wait("connect", 2)
    assert server.connections[0].wait_over(5)  # then all that came was read
    assert len(server.connections[0].pings) >= 1


def test_a_quiet_peer_that_pongs_is_left_in_peace_also_after_reconnects(serve, recorded, until):
    """T14: two reconnects in a row, then quiet for longer than a timeout takes, without a false one."""
    server = serve(
        [
            lambda conn: (conn.accept(), conn.drop()),
            lambda conn: (conn.accept(), conn.reset()),
            lambda conn: conn.accept(),
        ]
    )
    ws, log = recorded(server, ping_interval=0.2, pong_timeout=2.5)
    log.wait("connect", 3)
    conn = server.connections[2]
    assert until(lambda: len(conn.pings) >= 15)  # 3 s
    assert len(conn.pings) <= (time.monotonic() - conn.began_at) / 0.2 + 1
    assert len(log.all("disconnect")) == 2
    assert ws.state == "open"


class Talking:
    """A script that never pongs, says `first`, then `again` every 0.05 s, and knows its longest pause."""

    def __init__(self, first, again):
        self._first = first
        self._again = again
        self._last = self._longest = 0.0

    def __call__(self, conn):
        self._last = time.monotonic()
        silent(conn)
        conn.send_raw(self._first)
        while not conn.stall(0.05):
            now = time.monotonic()
            conn.send_raw(self._again)
            self._longest = max(self._longest, time.monotonic() - self._last)
            self._last = now

    @property
    def pause(self):
        """The longest until now."""
        return max(self._longest, time.monotonic() - self._last)


def talked_to(serve, recorded, first, again, **options):
    """What became of a client that the server talks to: its state, the number of its Pings, its disconnects.

    Looked at once more when the server itself paused, which is no fault of the client.
    """
    for _ in range(5):
        talking = Talking(first, again)
        server = serve(talking)
        ws, log = recorded(server, **options)
        log.wait("connect")
        time.sleep(2.0)
        seen = ws.state, len(server.connections[0].pings), log.all("disconnect")
        if talking.pause < 0.4:
            break
    return seen


def test_any_inbound_bytes_count_as_alive(serve, recorded):
    """Section 8: no Ping while something comes; a peer that talks but never pongs is alive."""
    tick = b'\x81\x10{"type": "tick"}'
    state, pings, lost = talked_to(serve, recorded, b"", tick, ping_interval=0.6, pong_timeout=0.3)
    assert state == "open"
    assert pings <= 1
    assert not lost


def test_half_a_message_counts_as_alive(serve, recorded):
    """Section 8: bytes, not messages."""
    head = b"\x82\x7e\x10\x00"
    state, _, lost = talked_to(serve, recorded, head, b"x", ping_interval=0.5, pong_timeout=0.3)
    assert state == "open"
    assert not lost


@pytest.mark.parametrize(
    "options", [{"ping_interval": None}, {"ping_interval": 0.2, "pong_timeout": None}], ids=str
)
def test_none_turns_it_off(serve, recorded, options):
    """api.md 2: None = off."""
    ws, log = recorded(serve(silent), **options)
    log.wait("connect")
    time.sleep(1.2)
    assert ws.state == "open"
    assert not log.all("disconnect")


def test_a_busy_handler_does_not_kill_its_connection(serve, recorded, until):
    """section 8 runs natively: a handler that sleeps through many intervals loses nothing."""
    server, gate = serve(), threading.Event()
    on = {"connect": lambda _: gate.wait(30)}
    ws, log = recorded(server, ping_interval=0.2, pong_timeout=2.5, on=on)
    conn = server.wait_open(1)
    assert until(lambda: len(conn.pings) >= 15)  # 3 s
    gate.set()
    log.wait("connect")
    assert ws.state == "open"
    assert server.total == 1
    assert not log.all("disconnect")


def test_a_paused_reader_rests_the_pong_deadline(serve, recorded, until):
    """P15: while we do not read we can not see the pong: the peer is not to blame."""
    gate = threading.Event()

    def flood(conn):
        conn.accept()
        for number in range(5000):
            conn.send_json({"type": "n", "n": number, "pad": "x" * 1000})

    seen = []
    server = serve(flood, send_buffer=16384)
    on = {"n": lambda message: (gate.wait(20), seen.append(message["n"]))}
    ws, log = recorded(server, inbox_messages=20, ping_interval=0.2, pong_timeout=2.5, on=on)
    log.wait("connect")
    time.sleep(3.5)
    assert ws.state == "open"
    gate.set()
    assert until(lambda: len(seen) == 5000)
    assert seen == list(range(5000))
    assert not log.all("disconnect")


def test_a_second_silence_is_found_too(serve, recorded):
    """T14: the idle deadline is armed anew on every open."""
    server = serve([silent, silent, silent, lambda conn: conn.accept()])
    _, log = recorded(server, ping_interval=0.2, pong_timeout=0.2, reconnect=Backoff(base=0.01, cap=0.02))
    log.wait("connect", 4)
    assert {event.initiator for event in log.all("disconnect")} == {"liveness"}
    assert all(event.uptime >= 0.35 for event in log.all("disconnect"))


def test_the_servers_pings_are_answered_with_their_payload(serve, recorded, until):
    """RFC 6455 section 5.5.3."""
    payloads = [b"", b"x" * 125, bytes(range(100))]
    server = serve(lambda conn: [conn.ping(payload) for payload in payloads])
    recorded(server)
    conn = server.wait_open(1)
    assert until(lambda: len(conn.pongs) == 3)
    assert [payload for _, payload in conn.pongs] == payloads
