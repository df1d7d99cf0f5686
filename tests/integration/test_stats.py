"""stats(): every number that api says, moved by what it counts and by nothing else."""

import threading
import time

import pytest

from fastws import Stats
from fastws._scripted_frames import TEXT, encode_frame

CAUSES = {"unhandled", "unclaimed", "unread", "overflow", "conflated", "offline", "closed", "decode"}


def test_a_new_client_has_counted_nothing(client):
    stats = client("ws://127.0.0.1:1/", autoconnect=False).stats()
    assert isinstance(stats, Stats)
    assert set(stats.dropped) == CAUSES
    assert not any(stats.dropped.values())
    assert set(stats.latency) == {"p50", "p90", "p99", "p999", "max"}
    assert not any(stats.latency.values())
    with pytest.raises(AttributeError):
        stats.handled = 1


def test_traffic_is_counted_both_ways(opened, until):
    ws, conn = opened(lambda conn: (conn.expect(), conn.send_json({"type": "n"}), conn.send(b"abc")))
    seen = []
    ws.on("n", seen.append).on("binary", seen.append)
    before = ws.stats()
    assert ws.send({"a": 1})
    assert until(lambda: len(seen) == 2)
    stats = ws.stats()
    assert (stats.messages_in, stats.messages_out) == (before.messages_in + 2, before.messages_out + 1)
    assert stats.bytes_in - before.bytes_in == 2 + len('{"type": "n"}') + 2 + 3
    assert stats.bytes_out - before.bytes_out == 2 + 4 + len('{"a":1}')
    assert (stats.connects, stats.failures) == (1, 0)
    assert 0 < stats.uptime < 60
    assert stats.parse_seconds > 0
    assert until(lambda: ws.stats().handled == 2)


def test_latency_is_from_the_socket_read_to_the_hand_over(opened, until):
    """A message that waits for a busy handler waits as long as that; one that need not is there at once."""

    def script(conn):
        conn.expect()
        for number in range(20):
            conn.send_json({"type": "n", "n": number})
            conn.stall(0.01)
        conn.expect()
        conn.send_json({"type": "busy"})
        conn.expect()
        conn.send_json({"type": "n", "n": 20})

    seen, held, gate = [], threading.Event(), threading.Event()
    ws, _ = opened(script)
    ws.on("busy", lambda _: (held.set(), gate.wait(30))).on("n", seen.append)
    ws.send({})
    assert until(lambda: len(seen) == 20)
    longest = ws.stats().latency["max"]
    ws.send({})
    assert held.wait(10)
    ws.send({})
    assert until(lambda: ws.stats().messages_in == 22)
    time.sleep(0.25 + 3 * longest)  # on a busy machine the first ones waited, too
    gate.set()
    assert until(lambda: len(seen) == 21)
    latency = ws.stats().latency
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"] <= latency["max"]
    assert 0.2 < latency["max"] < 30
    assert latency["p50"] < latency["max"] / 2


def test_handler_seconds_are_those_of_handlers(opened, until):
    held, gate = threading.Event(), threading.Event()
    ws, _ = opened(lambda conn: (conn.expect(), conn.send_json({"type": "n"})))
    ws.on("n", lambda _: (held.set(), gate.wait(30)))
    assert until(lambda: ws.stats().parse_seconds > 0)  # the read of the handshake is counted
    handshake = ws.stats().parse_seconds
    ws.send({})
    assert held.wait(10)
    assert until(lambda: ws.stats().parse_seconds > handshake)  # and that of the message
    parsed = ws.stats().parse_seconds
    time.sleep(0.1)
    gate.set()
    assert until(lambda: ws.stats().handler_seconds >= 0.1)
    assert ws.stats().parse_seconds == parsed


def test_what_waits_is_counted_until_it_is_worked_off(opened, until):
    gate = threading.Event()
    ws, _ = opened(lambda conn: [conn.send_json({"type": "n", "n": number}) for number in range(50)])
    ws.on("n", lambda _: gate.wait(30))
    assert until(lambda: ws.stats().inbox_messages == 50)
    assert ws.stats().inbox_bytes > 50 * len('{"type": "n", "n": 0}')
    gate.set()
    assert until(lambda: ws.stats().inbox_messages == 0)
    assert ws.stats().inbox_bytes == 0


def test_every_cause_has_its_own_count(serve, client, until):
    go = threading.Event()

    def script(conn):
        conn.accept()
        go.wait(30)
        for text in ['{"type":"x"}', '{"type":"n","n":1}', '{"type":"n",}']:
            conn.send(text)

    ws = client(serve(script), settle=0.0, autoconnect=False)
    ws.on("n", lambda _: None)
    assert ws.send({"lost": True}) is False
    ws.connect()
    ws.wait_open(10)
    go.set()
    assert until(lambda: ws.stats().messages_in == 3)
    assert until(lambda: ws.stats().dropped["decode"] == 1)
    counts = {cause: count for cause, count in ws.stats().dropped.items() if count}
    assert counts == {"unhandled": 1, "offline": 1, "decode": 1}
    assert ws.stats().dropped_by_type == {"x": 1}


def numbers(count):
    """A script that sends so many at once, when it was asked to."""

    def script(conn):
        conn.accept()
        conn.expect()
        conn.send_raw(b"".join(encode_frame(TEXT, b'{"type":"n","n":%d}' % n) for n in range(count)))
        conn.stall()

    return script


@pytest.mark.parametrize("end", ["close", "off"])
def test_what_a_handler_leaves_of_its_slice_was_not_handled(serve, client, until, end):
    """api.md 5: not handed over is `closed`; and where the last handler goes, nobody has them: `unhandled`."""
    ws = client(serve(numbers(200)))
    calls = []

    def first(message):
        calls.append(message["n"])
        if message["n"] == 2:
            ws.close() if end == "close" else ws.off("n", first)

    ws.on("n", first)
    ws.wait_open(10)
    ws.send("go")
    lost = "closed" if end == "close" else "unhandled"
    assert until(lambda: ws.stats().messages_in == 200 and ws.stats().dropped[lost] == 197)
    assert calls == [0, 1, 2]
    assert until(lambda: ws.stats().handled == 3)


def test_a_message_is_counted_once_whatever_becomes_of_it(serve, client, until):
    """Of each one: handled, dropped for a cause, or waiting; whoever else is given it, and if it is no JSON."""

    def script(conn):
        conn.accept()
        conn.expect()
        for n in range(5):
            conn.send_json({"type": "n", "n": n})
            conn.send('{"type": "n", "n":')
        conn.stall()

    ws = client(serve(script))
    seen = []
    ws.on("n", seen.append)
    everything = iter(ws)
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: len(seen) == 5)
    assert [next(everything)["n"] for _ in range(5)] == list(range(5))
    assert until(lambda: ws.stats().messages_in == 10)
    assert until(lambda: (ws.stats().handled, ws.stats().dropped["decode"]) == (5, 5))
    assert sum(ws.stats().dropped.values()) == 5


def test_what_the_ring_holds_waits_until_nobody_may_have_it(serve, client, until):
    ws = client(serve(numbers(50)), settle=1.0)
    ws.on("other", print)
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: ws.stats().messages_in == 50)
    stats = ws.stats()
    assert (stats.inbox_messages, stats.dropped["unhandled"]) == (50, 0)
    assert stats.inbox_bytes > 0
    # Nothing more comes, so nothing clears it: it is told all the same.
    assert until(lambda: (ws.stats().inbox_messages, ws.stats().dropped["unhandled"]) == (0, 50))
