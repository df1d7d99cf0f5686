"""Losing a connection and getting it back: every way to lose it, how long the waits are, and what never happens."""

import itertools
import time

import pytest

from fastws import Backoff

CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4000, 4401, 4999]


def test_a_server_that_listens_later_is_found(serve, recorded):
    """T27: the first failure is retried like any other."""
    server = serve()
    server.stop_listening()
    _, log = recorded(server)
    log.wait("reconnecting", 3)
    server.listen_again()
    event = log.wait("connect")
    assert not event.is_reconnect
    assert event.downtime == 0
    assert log.names[:3] == ["connecting", "error", "reconnecting"]
    assert log.in_language()


ENDS = {
    "drop": lambda conn: conn.drop(),
    "reset": lambda conn: (conn.stall(0.05), conn.reset()),  # a RST at once may swallow the 101 itself
    "fin": lambda conn: conn.fin(),
    "half a frame": lambda conn: (conn.send_raw(b"\x81\x7e\x01"), conn.drop()),
    "half a message": lambda conn: (conn.send_frame(0x1, b"half", fin=False), conn.drop()),
    "close": lambda conn: conn.close(1001, "bye"),
    "close without code": lambda conn: conn.close(None),
    "close, then drop": lambda conn: (conn.close(1000, wait=False), conn.drop()),
    "close, then reset": lambda conn: (conn.close(1000, wait=False), conn.stall(0.05), conn.reset()),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_every_way_to_lose_a_connection_is_one_disconnect_and_one_reconnect(serve, recorded, end):
    """T3, T11, T39, P1, P4: one loss, one disconnect, one reconnecting, one new connection."""
    server = serve([lambda conn: (conn.accept(), end(conn)), lambda conn: conn.accept()])
    ws, log = recorded(server)
    log.wait("connect", 2)
    assert log.names == ["connecting", "connect", "disconnect", "reconnecting", "connecting", "connect"]
    lost = log.all("disconnect")[0]
    assert lost.will_reconnect
    assert lost.epoch == log.all("connect")[0].epoch
    assert log.all("reconnecting")[0].cause is lost
    assert ws.state == "open"
    assert server.most_live == 1


@pytest.mark.parametrize("end", ["drop", "reset", "fin"])
def test_a_loss_without_close_frame_is_1006(serve, recorded, end):
    """Section 6: 1006 = lost; not clean; the network's doing."""
    server = serve(
        [lambda conn: (conn.accept(), conn.stall(0.05), getattr(conn, end)()), lambda conn: conn.accept()]
    )
    _, log = recorded(server)
    lost = log.wait("disconnect")
    assert (lost.code, lost.clean, lost.initiator) == (1006, False, "network")


@pytest.mark.parametrize("code", CODES)
def test_every_close_code_is_retried_and_told(serve, recorded, code):
    """Section 5: the client reconnects on every remote close."""
    server = serve([lambda conn: conn.close(code, "därum"), lambda conn: conn.accept()])
    _, log = recorded(server)
    lost = log.wait("disconnect")
    assert (lost.code, lost.reason, lost.clean, lost.initiator) == (code, "därum", True, "server")
    log.wait("connect", 2)
    assert log.in_language()
    assert server.connections[0].wait_close() == code, "the Close is echoed (RFC 6455 section 5.5.1)"


def test_a_close_without_code_is_1005(serve, recorded):
    server = serve([lambda conn: conn.close(None), lambda conn: conn.accept()])
    _, log = recorded(server)
    lost = log.wait("disconnect")
    assert (lost.code, lost.clean, lost.initiator) == (1005, True, "server")
    log.wait("connect", 2)


def test_close_1012_waits_five_to_thirty_seconds(serve, recorded):
    """Section 5: the floor of a service restart."""
    _, log = recorded(serve(lambda conn: conn.close(1012)))
    assert 5.0 <= log.wait("reconnecting").delay <= 30.0


def test_close_1012_can_be_configured(serve, recorded):
    """Section 5: Backoff(close_code_delay={1012: (0.3, 0.4)})."""
    sent_at = []

    def restart(conn):
        conn.accept()
        sent_at.append(time.monotonic())
        conn.close(1012)

    server = serve([restart, lambda conn: conn.accept()])
    _, log = recorded(server, reconnect=Backoff(base=0.02, cap=0.1, close_code_delay={1012: (0.3, 0.4)}))
    log.wait("connect", 2)
    assert 0.3 <= log.all("reconnecting")[0].delay <= 0.4
    assert server.connections[1].began_at - sent_at[0] >= 0.28


def test_close_1013_jumps_to_the_cap(serve, recorded):
    """Section 5: delay in [(1-j) cap, cap]."""
    _, log = recorded(
        serve(lambda conn: conn.close(1013)), reconnect=Backoff(base=0.02, cap=7.0, jitter=0.25)
    )
    assert 0.75 * 7.0 <= log.wait("reconnecting").delay <= 7.0


def test_a_fatal_close_code_ends_the_client(serve, recorded):
    """Section 5: Backoff(fatal_close_codes=...) is opt-in."""
    server = serve(lambda conn: conn.close(4001, "banned"))
    _, log = recorded(server, reconnect=Backoff(base=0.02, fatal_close_codes={4001}))
    closed = log.wait("closed")
    assert (closed.reason, closed.code) == ("fatal", 4001)
    assert not log.all("disconnect")[0].will_reconnect
    assert log.names == ["connecting", "connect", "disconnect", "closed"]


def test_one_life_and_a_clean_close_is_closed_server(serve, recorded):
    """api.md 2: reconnect=False, 1000 or 1001: closed(server), and wait() is True."""
    for code in (1000, 1001):
        ws, log = recorded(serve(lambda conn, code=code: conn.close(code)), reconnect=False)
        closed = log.wait("closed")
        assert (closed.reason, closed.code) == ("server", code)
        assert ws.wait(5) is True
        assert not log.all("disconnect")[0].will_reconnect


def test_one_life_and_a_lost_connection_is_exhausted(serve, recorded):
    server = serve(lambda conn: (conn.accept(), conn.drop()))
    _, log = recorded(server, reconnect=False)
    assert log.wait("closed").reason == "exhausted"
    assert log.names == ["connecting", "connect", "disconnect", "closed"]
    assert server.total == 1


def test_accept_then_drop_makes_the_waits_grow(serve, recorded):
    """T19, T23, D1: an open that does not last min_uptime resets nothing."""
    server = serve(lambda conn: (conn.accept(), conn.drop()))
    _, log = recorded(server, reconnect=Backoff(base=0.02, factor=2, cap=10.0, jitter=0.5, min_uptime=5.0))
    log.wait("reconnecting", 6)
    for count, event in enumerate(log.all("reconnecting")[:6]):
        assert event.attempt == count + 1
        assert 0.01 * 2**count <= event.delay <= 0.02 * 2**count
    assert log.in_language()


def test_the_client_really_waits_as_long_as_it_says(serve, recorded):
    """P5: an attempt never begins before its time; it is late only by what the machine needs."""
    server = serve(lambda conn: (conn.accept(), conn.drop()))
    _, log = recorded(server, reconnect=Backoff(base=0.1, factor=2, cap=10.0, jitter=0))
    last = server.wait_total(4)
    starts = [conn.began_at for conn in server.connections[:4]]
    ends = [conn.over_at for conn in server.connections[:3]]
    for count, (begin, end) in enumerate(zip(starts[1:], ends, strict=True)):
        assert begin - end >= 0.1 * 2**count - 0.01
    assert last.began_at - starts[0] < 10
    assert log.wait("reconnecting").at > 0


def test_reconnecting_tells_when_on_the_monotonic_clock(serve, recorded):
    """Section 6: `at` is time.monotonic()'s."""
    began = time.monotonic()
    _, log = recorded(serve(lambda conn: conn.refuse(503)), reconnect=Backoff(base=2.0, jitter=0))
    event = log.wait("reconnecting")
    assert event.delay == pytest.approx(2.0)
    assert began + event.delay <= event.at <= time.monotonic() + event.delay


def test_a_stable_connection_resets_the_count(serve, recorded):
    """T22, P6: after min_uptime the next wait is the first one again."""
    # It opens and ends in one read of the client, and the stable one lasts from a message on: no stall changes that.
    short = lambda conn: conn.accept(then=b"\x88\x02\x03\xe9")
    stable = lambda conn: (conn.expect(), conn.stall(0.6), conn.drop())
    server = serve([short, short, short, stable, lambda conn: conn.accept()])
    _, log = recorded(
        server,
        on={"connect": lambda event: event.client.send("here")},
        reconnect=Backoff(base=0.02, factor=2, cap=10, jitter=0, min_uptime=0.5),
    )
    log.wait("connect", 5)
    assert [event.attempt for event in log.all("reconnecting")] == [1, 2, 3, 1]
    assert [round(event.delay, 6) for event in log.all("reconnecting")] == [0.02, 0.04, 0.08, 0.02]


def test_classic_is_the_reference_schedule(serve, recorded):
    """Section 1, D1 and D2: Backoff.classic(): 1 s, 2 s, reset by the mere open."""
    server = serve(
        [lambda conn: conn.refuse(503), lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()]
    )
    _, log = recorded(server, reconnect=Backoff.classic())
    log.wait("connect", 2)
    assert [event.delay for event in log.all("reconnecting")] == [1.0, 1.0]


def test_jitter_is_drawn_anew_and_per_client(serve, recorded):
    """T20, T21: waits differ between attempts and between two clients of one process."""
    server = serve(lambda conn: conn.refuse(503))
    delays = []
    for _ in range(2):
        ws, log = recorded(server, reconnect=Backoff(base=0.02, factor=1, cap=0.02))
        log.wait("reconnecting", 6)
        ws.close()
        delays.append([event.delay for event in log.all("reconnecting")[:6]])
    assert len(set(itertools.chain(*delays))) == 12


def test_fifty_losses_of_every_kind_leave_one_connection(serve, recorded, until):
    """T11, T39, P1, P4: never two connections, whatever ended the one before."""
    kinds = [
        lambda conn: conn.refuse(503),
        lambda conn: conn.reset(),
        *(lambda conn, end=end: (conn.accept(), end(conn)) for end in ENDS.values()),
    ]
    scripts = [kinds[at % len(kinds)] for at in range(50)]
    server = serve([*scripts, lambda conn: conn.accept()])
    ws, log = recorded(server, reconnect=Backoff(base=0.005, cap=0.01, min_uptime=0))
    server.wait_open(51, 60)
    assert until(lambda: log.names[-1] == "connect" and ws.state == "open")
    assert server.most_live == 1
    assert server.live == 1
    assert log.in_language()
    assert len(log.all("connect")) - len(log.all("disconnect")) == 1
    epochs = [event.epoch for event in log.all("connecting")]
    assert epochs == sorted(set(epochs))
    assert ws.state == "open"


def test_a_deploy_is_survived(serve, recorded):
    """Section 11: the listener is gone, then answers 404, then is well."""
    scripts = [
        lambda conn: conn.accept(),
        lambda conn: conn.refuse(404),
        lambda conn: conn.refuse(502),
        lambda conn: conn.accept(),
    ]
    server = serve(scripts)
    _, log = recorded(server)
    log.wait("connect")
    server.stop_listening()
    server.drop_all(reset=True)
    log.wait("error", 2)
    server.listen_again()
    event = log.wait("connect", 2)
    assert event.is_reconnect
    assert event.downtime > 0
    assert not any(error.fatal for error in log.all("error"))
    assert log.in_language()


def test_an_attempt_that_stalls_is_given_up_and_its_late_answer_is_nothing(serve, recorded):
    """T12, R1, P11: two servers stall beyond connect_timeout, then answer; only the newest connection lives."""

    def late(conn):
        conn.read_request()
        conn.stall(5.0)  # less, once the client has left
        conn.accept()

    server = serve([late, late, lambda conn: conn.accept()])
    ws, log = recorded(server, connect_timeout=0.4)
    log.wait("connect")
    errors = log.all("error")
    assert len(errors) >= 2 and {error.phase for error in errors} == {"timeout"}
    for conn in server.connections[:2]:
        assert conn.wait_over(5), "an attempt given up must be closed by the client"
    time.sleep(1.2)  # both late answers have been sent by now
    assert ws.state == "open"
    assert log.names.count("connect") == 1
    assert "disconnect" not in log.names
    assert server.live == 1


def test_a_stall_before_tls_or_before_101_is_a_timeout(serve, recorded):
    """Section 4: connect_timeout is total; the phase says timeout, the attempt ends on time."""
    server = serve(lambda conn: conn.stall())
    began = time.monotonic()  # `connecting` may be told late
    _, log = recorded(server, connect_timeout=0.3)
    assert log.wait("error").phase == "timeout"
    assert 0.25 <= log.times[1] - began < 5
    log.wait("connecting", 2)


def test_two_clients_know_nothing_of_each_other(serve, recorded):
    """One client's losses leave the other's connection alone."""
    quiet, noisy = serve(), serve(lambda conn: (conn.accept(), conn.drop()))
    ws, log = recorded(quiet)
    log.wait("connect")
    _, other = recorded(noisy)
    other.wait("connect", 8)
    assert log.names == ["connecting", "connect"]
    assert ws.state == "open"
