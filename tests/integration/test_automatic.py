"""heartbeat= and auto_reply=: what the client sends by itself, natively (reconnect-spec section 8)."""

import json
import threading
import time

import pytest
import websockets.sync.server
from child_process import BUSY

from fastws import Backoff, WebSocketClient

PING_PONG = [({"type": "ping"}, {"type": "pong"})]


def got(conn):
    return [json.loads(message) for message in conn.messages]


# -- auto_reply


def test_a_match_is_answered_and_reaches_handlers_all_the_same(serve, client, until):
    server = serve()
    seen = []
    ws = client(server, auto_reply=PING_PONG)
    ws.on("ping", seen.append)
    conn = server.wait_open(1)
    conn.send_json({"type": "ping", "n": 1})
    conn.send_json({"type": "other"})
    conn.send_json({"data": {"type": "ping"}})
    conn.send_json({"type": "ping", "n": 2})
    assert until(lambda: len(conn.messages) == 2 and len(seen) == 2)
    assert got(conn) == [{"type": "pong"}] * 2
    assert [message["n"] for message in seen] == [1, 2]


@pytest.mark.parametrize(
    ("match", "text", "answered"),
    [
        ({"op": 1}, '{"op": 1.0, "d": null}', True),
        ({"op": 1}, '{"op": true}', False),
        ({"op": True}, '{"op": true}', True),
        ({"op": None}, '{"op": null}', True),
        ({"op": None}, "{}", False),
        ({"op": 2.5, "t": "é"}, '{"t": "\\u00e9", "op": 25e-1}', True),
        ({"op": 2.5, "t": "é"}, '{"t": "é"}', False),
        ({"t": "ping"}, '"ping"', False),
        ({"t": "ping"}, '{"t": "ping"', False),
    ],
)
@pytest.mark.parametrize("decode", ["json", "text"])
def test_values_are_compared_as_json(opened, match, text, answered, decode):
    ws, conn = opened(auto_reply=[(match, "yes"), ({"t": "end"}, "end")], decode=decode)
    conn.send(text)
    conn.send('{"t": "end"}')
    assert conn.expect_json() == ("yes" if answered else "end")
    assert ws.stats().messages_in == 2 or ws.recv(10) is not None


def test_a_message_that_comes_with_the_handshake_is_answered(serve, client):
    """It is read before the connection counts as open, and answered once it is."""
    ping = b'\x81\x0f{"type":"ping"}'
    server = serve(lambda conn: conn.accept(then=ping * 3))
    client(server, auto_reply=PING_PONG)
    conn = server.wait_open(1)
    assert [conn.expect_json() for _ in range(3)] == [{"type": "pong"}] * 3


def test_the_first_rule_that_matches_replies(opened):
    rules = [({"a": 1, "b": 2}, "both"), ({"a": 1}, "a"), ({"b": 2}, "b")]
    _, conn = opened(auto_reply=rules)
    for message in ({"a": 1, "b": 2}, {"a": 1}, {"b": 2}):
        conn.send_json(message)
    assert [conn.expect_json() for _ in range(3)] == ["both", "a", "b"]


def test_replies_work_without_anybody_reading(opened):
    """The inbox pauses reading when it is full; until then, and with nobody at all, replies go out."""
    _, conn = opened(auto_reply=PING_PONG)
    for number in range(2000):
        conn.send_json({"type": "ping", "n": number})
    for _ in range(2000):
        assert conn.expect_json() == {"type": "pong"}


def test_a_server_that_does_not_read_fills_no_memory(opened, until):
    """A full outbox is not added to; the connection stands."""
    ws, conn = opened(
        lambda conn: (conn.pause_reading(), conn.accept()),
        auto_reply=[({"type": "ping"}, "x" * 50_000)],
        outbox_bytes=500_000,
        receive_buffer=4096,
    )
    for number in range(1000):
        conn.send_json({"type": "ping", "n": number})
    assert until(lambda: ws.stats().messages_in == 1000)
    assert ws.stats().outbox_bytes < 600_000
    assert ws.state == "open"


def test_a_websockets_server_is_answered():
    answers = []

    def handle(peer):
        for number in range(100):
            peer.send(json.dumps({"event": "ping", "n": number, "pad": "\\" * (number % 3)}))
        answers.extend(peer.recv(10) for _ in range(100))

    with websockets.sync.server.serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        with WebSocketClient(url, auto_reply=[({"event": "ping"}, {"event": "pong"})], reconnect=False) as ws:
            ws.wait(20)
        server.shutdown()
        thread.join(10)
    assert answers == ['{"event":"pong"}'] * 100


# -- heartbeat


def most_beats(conn, now):
    """How many can have been due: a stall makes them fewer, for what was missed is never made up."""
    return (now - conn.began_at) / 0.1 + 1


def test_it_beats_while_open_and_on_every_connection(serve, client, until):
    three = lambda conn: (conn.accept(), [conn.expect() for _ in range(3)], conn.drop())
    server = serve([three, lambda conn: conn.accept()])
    ws = client(server, heartbeat={"send": {"op": "hb"}, "every": 0.1})
    second = server.wait_open(2)
    assert until(lambda: len(second.messages) >= 3)
    assert len(second.messages) <= most_beats(second, time.monotonic())
    ws.close()
    first = server.connections[0]
    assert len(first.messages) <= most_beats(first, first.over_at)
    assert {json.dumps(message) for conn in server.connections for message in got(conn)} == {'{"op": "hb"}'}


def test_a_clogged_connection_gathers_no_beats(opened):
    ws, _ = opened(
        lambda conn: (conn.pause_reading(), conn.accept()),
        heartbeat={"send": "x" * 10_000, "every": 0.001},
        outbox_bytes=100_000,
        receive_buffer=4096,
    )
    ws.send_bytes(b"x" * 8_000_000)
    time.sleep(0.3)
    assert ws.stats().outbox_bytes < 8_200_000


# -- Both while Python is busy


def test_a_busy_gil_delays_neither(serve, child):
    """Section 8: what pure Python clients can not do: beats and replies go on while one C call holds the GIL."""

    def script(conn):
        conn.accept()
        number = 0
        while not conn.stall(0.1):
            number += 1
            conn.send_json({"type": "ping", "n": number})

    server = serve(script)
    busy = child(
        BUSY
        + """
ws = WebSocketClient(sys.argv[1], heartbeat={"send": "beat", "every": 0.1},
                     auto_reply=[({"type": "ping"}, "pong")], reconnect=Backoff(base=0.05, cap=0.1))
ws.wait_open(10)
before = time.time()
busy(3.0)
say(before, time.time())
sys.stdin.readline()
ws.close()
""",
        server.url,
    )
    before, after = busy.hear(60)
    offset = time.time() - time.monotonic()
    conn = server.wait_open(1)
    meanwhile = [
        json.loads(message)
        for message, at in zip(conn.messages, conn.arrivals, strict=False)
        if before + 0.3 < at + offset < after - 0.3
    ]
    # Of some 24; who needs the GIL sends none, and a machine that stands still for two seconds leaves these.
    assert meanwhile.count("beat") >= 3
    assert meanwhile.count("pong") >= 3
    assert server.total == 1


# -- Bad arguments


@pytest.mark.parametrize(
    "value",
    [5, "x", [], {"send": 1}, {"every": 1}, {"send": 1, "every": 0}, {"send": 1, "every": "1"}, {"send": {1}, "every": 1},
     {"send": 1, "every": 1, "more": 1}, {"send": float("nan"), "every": 1}],
    ids=repr,
)  # fmt: skip
def test_a_bad_heartbeat_is_named(value):
    with pytest.raises((TypeError, ValueError), match="heartbeat"):
        WebSocketClient("ws://localhost", autoconnect=False, heartbeat=value)


@pytest.mark.parametrize(
    "value",
    [5, "x", {"type": "ping"}, [5], [({"a": 1},)], [({"a": 1}, 2, 3)], [("a", 1)], [({}, 1)], [({1: 1}, 1)], [({"a": [1]}, 1)],
     [({"a": {}}, 1)], [({"a": float("nan")}, 1)], [({"a": 1}, {1})], [({"a": "\ud800"}, 1)], [({"\ud800": 1}, 1)]],
    ids=repr,
)  # fmt: skip
def test_a_bad_rule_is_named(value):
    with pytest.raises((TypeError, ValueError), match="auto_reply"):
        WebSocketClient("ws://localhost", autoconnect=False, auto_reply=value)


def test_reconnect_settings_do_not_matter_to_them(serve, client):
    """They belong to the client: every later connection has them."""
    server = serve([lambda conn: (conn.accept(), conn.drop())] * 3 + [lambda conn: conn.accept()])
    client(server, auto_reply=PING_PONG, reconnect=Backoff(base=0.005, cap=0.01))
    conn = server.wait_open(4)
    conn.send_json({"type": "ping"})
    assert conn.expect_json() == {"type": "pong"}
