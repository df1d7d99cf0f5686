"""A Python that holds the GIL for seconds, and a process that is stopped: the connection lives on.

The client runs in a process of its own; the scripted server stays here, so that its clock is not the client's.
"""

import os
import signal
import time


def demanding(conn):
    """Pings every 0.5 s and drops who does not answer within 3 s."""
    conn.accept()
    number = 0
    while not conn.stall(0.5):
        asked, number = time.monotonic(), number + 1
        conn.ping(b"%d" % number)
        while len(conn.pongs) < number:
            if time.monotonic() - asked > 3.0:
                conn.reset()
                raise AssertionError("no pong within 3 s")
            time.sleep(0.01)


def test_one_long_c_call_costs_no_connection(serve, child):
    """design.md 1, section 8: the GIL is held for seconds in one C call; pongs go on, nothing is lost."""
    server = serve(demanding)
    busy = child(
        """
        lost, connects = [], []
        ws = WebSocketClient(sys.argv[1], autoconnect=False)
        ws.on("disconnect", lambda event: lost.append(repr(event))).on("connect", lambda event: connects.append(1))
        ws.connect()
        ws.wait_open(10)
        began = time.monotonic()
        size = 30_000_000
        while time.monotonic() - began < 4.0:      # one C call of at least four seconds
            started = time.monotonic()
            sum(range(size))
            took = time.monotonic() - started
            if took >= 4.0:
                break
            size = int(size * 4.5 / max(took, 0.05))
            began = time.monotonic()
        say("busy for", took, lost, len(connects), ws.state)
        sys.stdin.readline()
        ws.close()
        """,
        server.url,
    )
    _, took, lost, connects, state = busy.hear(60)
    assert took >= 3.5, "the machine did not keep the GIL busy long enough for this test to mean anything"
    assert (lost, connects, state) == ([], 1, "open")
    assert server.total == 1
    assert len(server.connections[0].pongs) >= 6


CLIENT = """
ws = WebSocketClient(sys.argv[1], autoconnect=False, ping_interval=float(sys.argv[2]), pong_timeout=float(sys.argv[3]),
                     reconnect=Backoff(base=0.05, cap=0.1))
ws.on("connect", lambda event: say("connect", event.epoch))
ws.on("disconnect", lambda event: say("disconnect", event.initiator, event.code))
ws.connect()
sys.stdin.readline()
ws.close()
"""


def test_a_stopped_process_keeps_its_healthy_connection(serve, child):
    """T15, R20: SIGSTOP for three intervals while the server goes on sending; no disconnect afterwards."""

    def script(conn):
        conn.accept()
        while not conn.stall(0.1):
            conn.send_json({"type": "tick"})

    server = serve(script)
    process = child(CLIENT, server.url, 0.5, 2.2)
    assert process.hear()[0] == "connect"
    process.pause(3.2)
    assert process.heard_nothing(3.0)
    assert server.live == 1


def test_a_stopped_process_with_a_quiet_healthy_server(serve, child):
    """T15, R20: nothing was sent meanwhile; a ping is, and its pong keeps the connection."""
    server = serve()
    process = child(CLIENT, server.url, 0.5, 2.2)
    assert process.hear()[0] == "connect"
    process.pause(3.2)
    assert process.heard_nothing(3.0)
    assert server.live == 1
    assert server.connections[0].pings


def test_a_server_that_died_meanwhile_is_noticed(serve, child):
    """T15: the server fell silent during the stop: found within pong_timeout (and some), then a new connection."""

    def script(conn):
        if conn.index == 0:
            conn.answer_pings = False
            conn.answer_close = False
        conn.accept()

    server = serve(script)
    process = child(CLIENT, server.url, 1.0, 0.5)
    assert process.hear()[0] == "connect"
    process.pause(3.0)
    resumed = time.monotonic()
    assert process.hear()[:2] == ["disconnect", "liveness"]
    assert time.monotonic() - resumed < 5.0
    assert process.hear()[0] == "connect"


def test_a_connection_lost_during_the_stop_is_made_again(serve, child):
    """T15, R20: the loss waits in the socket; backoff, whose time may be long over, dials."""
    server = serve()
    process = child(CLIENT, server.url, 20, 10)
    assert process.hear()[0] == "connect"
    os.kill(process.process.pid, signal.SIGSTOP)
    server.drop_all()
    time.sleep(1.0)
    os.kill(process.process.pid, signal.SIGCONT)
    assert process.hear()[0] == "disconnect"
    assert process.hear()[0] == "connect"
    assert server.live == 1


def test_a_handshake_that_was_answered_during_the_stop_opens(serve, child):
    """R20: `connecting` gets one grace second to process a completed handshake."""

    def script(conn):
        conn.read_request()
        conn.stall(1.0)
        conn.accept()

    server = serve(script)
    process = child(
        """
        ws = WebSocketClient(sys.argv[1], autoconnect=False, connect_timeout=1.8, reconnect=Backoff(base=0.05))
        ws.on("connect", lambda event: say("connect", event.attempt)).on("error", lambda event: say("error", event.phase))
        ws.connect()
        sys.stdin.readline()
        ws.close()
        """,
        server.url,
    )
    server.wait_total(1)
    process.pause(3.5)
    assert process.hear() == ["connect", 1]
