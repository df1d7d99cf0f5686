"""Messages that come before anybody wants them, and messages that nobody wants (api.md section 4)."""

import logging
import threading
import time

import pytest
from server_scripts import after_go


def numbers(kind, first, last):
    return [{"type": kind, "n": number} for number in range(first, last)]


def at_once(*messages):
    """A script that sends all right behind the 101."""

    def script(conn):
        for message in messages:
            conn.send_json(message)

    return script


def test_the_first_handler_gets_what_came_before_it(serve, client, until):
    """No first message is lost: nobody read and no message handler existed."""
    ws = client(serve(at_once(*numbers("a", 0, 500))))
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 500)
    seen = []
    ws.on("a", lambda message: seen.append(message["n"]))
    assert until(lambda: len(seen) == 500)
    assert seen == list(range(500))


@pytest.mark.parametrize("claim", ["on", "keep"])
def test_what_happens_while_messages_are_claimed_pushes_none_out(serve, client, until, claim):
    """The connection ends between the claim and the rest of the first on(): somebody takes its events away already."""
    server = serve([at_once(*numbers("a", 0, 1000)), lambda conn: conn.accept()])
    ws = client(server)
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 1000)
    ws.ping(10)  # behind the last of them
    claims = ws._heed_handlers

    def claim_slowly():
        assert ws._dispatcher.running
        claims()
        server.connections[0].drop()
        assert until(lambda: ws._core.connects == 2)

    ws._heed_handlers = claim_slowly
    seen = []
    if claim == "on":
        ws.on("a", lambda message: seen.append(message["n"]))
        assert until(lambda: len(seen) == 1000)
    else:
        ws.keep("a", 2000)
        assert until(lambda: len(ws.tail("a")) == 1000)
        seen = [message["n"] for message in ws.tail("a")]
    assert seen == list(range(1000))
    del ws._heed_handlers


def test_a_late_message_handler_gets_it_too(serve, client, until):
    ws = client(serve(at_once(*numbers("a", 0, 10), *numbers("b", 0, 10))))
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 20)
    seen = []
    ws.on("message", seen.append)
    assert until(lambda: len(seen) == 20)
    assert seen == numbers("a", 0, 10) + numbers("b", 0, 10)


def test_the_ring_keeps_the_newest_1024_and_counts_the_rest(serve, client, until, caplog):
    """1,024 stay; what falls out is `unclaimed`, with one WARNING."""
    ws = client(serve(at_once(*numbers("a", 0, 3000))))
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 3000)
    assert until(lambda: ws.stats().dropped["unclaimed"] == 3000 - 1024)
    seen = []
    ws.on("a", lambda message: seen.append(message["n"]))
    assert until(lambda: len(seen) == 1024)
    assert seen == list(range(3000 - 1024, 3000))
    warned = lambda: [r for r in caplog.records if r.levelno == logging.WARNING and r.name == "fastws"]
    told = lambda: sum(record.args[1] for record in warned())
    assert until(lambda: told() == 3000 - 1024), "told when the burst has ended, a second after the last drop"
    assert len(warned()) < 5, "once a burst: only a stall of a second splits one"


def test_the_ring_keeps_four_mebibytes(serve, client, until):
    """The newest 4 MiB stay, whatever their number."""
    pad = "x" * 100_000
    ws = client(serve(at_once(*[{"type": "a", "n": number, "pad": pad} for number in range(100)])))
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 100)
    ws.ping(10)  # its answer is read after all of them went into the ring
    seen = []
    ws.on("a", lambda message: seen.append(message["n"]))
    assert until(lambda: seen and seen[-1] == 99)
    assert 20 <= len(seen) <= 42
    assert seen == list(range(100 - len(seen), 100))
    assert ws.stats().dropped["unclaimed"] == 100 - len(seen)


def test_a_second_type_is_claimed_within_settle(serve, client, until):
    """A type nobody handles yet goes through the ring until settle after the latest on()."""
    ws = client(serve(after_go(numbers("b", 0, 50) + numbers("a", 0, 1))), settle=10.0)
    first, late = [], []
    ws.on("a", first.append)
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: first)
    ws.on("b", lambda message: late.append(message["n"]))
    assert until(lambda: len(late) == 50)
    assert late == list(range(50))


def test_after_settle_a_type_nobody_wants_is_dropped_natively_and_counted(serve, client, until):
    """Counted as `unhandled`; a handler that comes then gets only what comes then."""
    ws = client(serve(after_go(numbers("b", 0, 50) + numbers("a", 0, 1), numbers("b", 50, 60))), settle=0.1)
    first, late = [], []
    ws.on("a", first.append)
    ws.wait_open(10)
    time.sleep(0.4)
    ws.send("go")
    assert until(lambda: first)
    assert until(lambda: ws.stats().dropped["unhandled"] == 50)
    assert ws.stats().dropped_by_type == {"b": 50}
    ws.on("b", lambda message: late.append(message["n"]))
    time.sleep(0.1)
    ws.send("go")
    assert until(lambda: len(late) == 10)
    assert late == list(range(50, 60))
    assert until(lambda: ws.stats().handled >= 11)


def test_what_nobody_wants_is_not_even_judged(serve, client, until):
    """After settle: each bad text is either only counted, or, its route being unreadable, an error(decode)."""
    bad = ['{"type": "nobody", bad}', '{"type": "nobody", "x": NaNNN}', '{"ty']
    ws = client(serve(after_go([*bad, {"type": "a"}])), settle=0.05)
    errors, seen = [], []
    ws.on("error", errors.append).on("a", seen.append)
    ws.wait_open(10)
    time.sleep(0.3)
    ws.send("go")
    assert until(lambda: seen)
    dropped = ws.stats().dropped
    assert dropped["unhandled"] + dropped["decode"] == 3
    assert dropped["decode"] >= 1, "a text cut short inside its key has no readable route"
    assert [error.phase for error in errors] == ["decode"] * dropped["decode"]


def test_bad_texts_that_nobody_takes_never_stop_the_reading(serve, client, until):
    """The ring is bounded by dropping, not by pausing: a client that only sends must go on answering pings."""

    def script(conn):
        conn.accept()
        for _ in range(500):
            conn.send("{bad")
        conn.ping(b"alive")

    server = serve(script)
    ws = client(server, inbox_messages=50)
    ws.wait_open(10)
    conn = server.wait_open(1)
    assert until(lambda: conn.pongs)
    assert ws.stats().messages_in == 500


@pytest.mark.parametrize("wanted", ["message", "*"])
def test_message_and_star_turn_dropping_off(serve, client, until, wanted):
    ws = client(serve(after_go(numbers("b", 0, 50))), settle=0.05)
    seen = []
    ws.on(wanted, (lambda event, message: seen.append(event)) if wanted == "*" else seen.append)
    ws.on("a", lambda message: None)
    ws.wait_open(10)
    time.sleep(0.3)
    ws.send("go")
    assert until(lambda: len(seen) >= 50)
    assert ws.stats().dropped["unhandled"] == 0


def test_a_reader_of_everything_turns_dropping_off(serve, client, until):
    ws = client(serve(after_go(numbers("b", 0, 50))), settle=0.05)
    ws.on("a", lambda message: None)
    reader = iter(ws)
    ws.wait_open(10)
    time.sleep(0.3)
    ws.send("go")
    assert [next(reader) for _ in range(50)] == numbers("b", 0, 50)
    assert ws.stats().dropped["unhandled"] == 0


def test_off_makes_a_type_unhandled_again(serve, client, until):
    ws = client(
        serve(after_go(numbers("b", 0, 5) + numbers("a", 0, 1), numbers("b", 5, 9) + numbers("a", 1, 2))),
        settle=0.05,
    )
    a, b = [], []
    ws.on("a", a.append).on("b", b.append)
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: a)
    ws.off("b")
    time.sleep(0.3)
    ws.send("go")
    assert until(lambda: len(a) == 2)
    assert len(b) == 5
    assert ws.stats().dropped["unhandled"] == 4


def test_binary_nobody_wants_is_dropped_too(serve, client, until):
    ws = client(serve(after_go([b"x", b"y", {"type": "a"}])), settle=0.05)
    seen = []
    ws.on("a", seen.append)
    ws.wait_open(10)
    time.sleep(0.3)
    ws.send("go")
    assert until(lambda: seen)
    assert ws.stats().dropped["unhandled"] == 2


def test_the_first_read_takes_what_waited(serve, client, until):
    """A first read takes the ring's content first; then nothing is given twice."""
    server = serve(
        lambda conn: (
            [conn.send_json(m) for m in numbers("a", 0, 20)],
            conn.expect(),
            conn.send_json({"type": "end"}),
        )
    )
    ws = client(server)
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 20)
    assert [ws.recv(10) for _ in range(20)] == numbers("a", 0, 20)
    ws.send("go")
    assert ws.recv(10) == {"type": "end"}
    with pytest.raises(TimeoutError):
        ws.recv(0.1)


def test_messages_wait_for_a_routed_reader(serve, client, until):
    ws = client(serve(at_once(*numbers("a", 0, 10), *numbers("b", 0, 10), {"type": "end"})))
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 21)
    reader = iter(ws.messages("b"))
    assert [next(reader) for _ in range(10)] == numbers("b", 0, 10)


def test_a_handler_for_connect_alone_claims_no_message(serve, client, until):
    """A lifecycle handler is no message handler: messages go on waiting."""
    opened = threading.Event()
    ws = client(serve(at_once(*numbers("a", 0, 10))))
    ws.on("connect", opened.set)
    assert opened.wait(10)
    assert until(lambda: ws.stats().messages_in == 10)
    time.sleep(0.1)
    seen = []
    ws.on("a", seen.append)
    assert until(lambda: len(seen) == 10)


def test_the_dropping_costs_no_object(serve, client, until):
    """Dropped natively: nothing was parsed for the dropped type (parse_seconds counts what was)."""
    pad = [0] * 5000
    ws = client(serve(after_go([{"type": "b", "pad": pad}] * 500 + [{"type": "a"}])), settle=0.05)
    seen = []
    ws.on("a", seen.append)
    ws.wait_open(10)
    time.sleep(0.3)
    before = ws.stats()
    ws.send("go")
    assert until(lambda: seen)
    after = ws.stats()
    assert after.dropped["unhandled"] - before.dropped["unhandled"] == 500
    assert until(lambda: ws.stats().handled - before.handled == 1)


def test_what_a_reader_that_goes_pushes_out_is_told_without_another_read(serve, client, until):
    """`dropped` does not wait until the server says something again."""
    ws = client(serve(at_once(*numbers("a", 0, 1500))), ping_interval=None)
    told = []
    ws.on("dropped", told.append)
    reader = ws.messages("a")
    ws.wait_open(10)
    assert until(lambda: ws.stats().messages_in == 1500)
    ws.ping(10)  # behind the last of them
    began = time.monotonic()
    reader.close()
    assert until(lambda: told)
    assert [(one.cause, one.count) for one in told] == [("unclaimed", 1500 - 1024)]
    assert told[0].first_at >= began
