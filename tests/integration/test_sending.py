"""send(), send_text(), send_bytes(), ping(): what goes on the wire, and what True and False mean."""

import dataclasses
import datetime
import enum
import json
import threading
import time
import uuid

import pytest

import fastws
from fastws import Backoff, _core


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Order:
    price: float
    tags: list[str]


VALUES = [
    None, True, False, 0, -1, 2**80, 1.5, -0.0, 1e300, "", "ü€🎈", 'quo"te\\ \n\t\x00\x7f', [], {}, [1, [2, [3]]], (1, 2),
    {"a": {"b": [None, {"c": 1}]}}, {2: "int", 1.5: "float", None: "none", True: "true"}, "x" * 100_000,
    {"type": "subscribe", "channel": "updates"},
]  # fmt: skip


def test_send_writes_json_as_json_dumps_does(opened):
    """api.md 5: json.dumps(ensure_ascii=False, allow_nan=False)."""
    ws, conn = opened()
    for value in VALUES:
        assert ws.send(value) is True
        text = conn.expect()
        assert isinstance(text, str)
        assert json.loads(text) == json.loads(json.dumps(value))
        assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":")) or text == json.dumps(
            value, ensure_ascii=False
        )


def test_a_str_is_sent_as_a_json_string(opened):
    ws, conn = opened()
    ws.send('{"already": "json"}')
    assert json.loads(conn.expect()) == '{"already": "json"}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.datetime(2024, 2, 29, 12, 30, 15), '"2024-02-29T12:30:15"'),
        (
            datetime.datetime(2024, 2, 29, 12, 30, 15, 120, datetime.timezone.utc),
            '"2024-02-29T12:30:15.000120+00:00"',
        ),
        (datetime.date(2024, 2, 29), '"2024-02-29"'),
        (datetime.time(12, 30), '"12:30:00"'),
        (uuid.UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        (Colour.RED, '"red"'),
        (Order(1.5, ["a"]), '{"price":1.5,"tags":["a"]}'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_more_types_as_orjson_writes_them(opened, value, text):
    ws, conn = opened()
    assert ws.send(value)
    assert json.loads(conn.expect()) == json.loads(text)


def test_default_is_asked_for_the_rest(opened):
    ws, conn = opened()
    assert ws.send({"set": {3}}, default=sorted)
    assert conn.expect_json() == {"set": [3]}


def test_what_default_raises_is_heard_as_it_is(opened):
    ws, _ = opened()
    with pytest.raises(OverflowError, match="infinity"):
        ws.send({"set": {3}}, default=lambda _: int(float("inf")))


def loop():
    circle = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize(
    "value",
    [b"bytes", bytearray(b"x"), {1, 2}, object(), float("nan"), float("inf"), {"a": float("-inf")}, loop(), {(1, 2): 3}, "\ud800",
     {"deep": object()}, lambda: None],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
@pytest.mark.parametrize("state", ["open", "idle"])
def test_a_bad_value_raises_in_the_caller_before_any_state_is_looked_at(serve, client, state, value):
    """R7: TypeError or ValueError, open or not; the connection does not notice."""
    server = serve()
    ws = client(server, autoconnect=state == "open")
    if state == "open":
        ws.wait_open(10)
    with pytest.raises((TypeError, ValueError, RecursionError)):
        ws.send(value)
    if state == "open":
        assert ws.send({"still": "open"})
        assert server.wait_open(1).expect_json() == {"still": "open"}


def test_bytes_are_pointed_to_send_bytes(opened):
    ws, _ = opened()
    with pytest.raises(TypeError, match="send_bytes"):
        ws.send(b"x")


BAD_CALLS = [
    ((), TypeError, "takes an object, a default, an epoch"),
    ((1, None), TypeError, "takes an object, a default, an epoch"),
    ((1, None, 0, True, None), TypeError, "takes an object, a default, an epoch"),
    ((1, None, "0"), TypeError, "int"),
    ((1, None, 0.0), TypeError, "int"),
    ((1, None, None), TypeError, "int"),
    ((1, None, -1), OverflowError, "negative"),
    ((1, None, 2**64), OverflowError, "too (big|large)"),
    (({1}, 5, 0), TypeError, "'int' object is not callable"),
    (({1}, lambda one: 1 / 0, 0), ZeroDivisionError, "division by zero"),
]


@pytest.mark.parametrize(("arguments", "error", "says"), BAD_CALLS)
def test_the_core_refuses_bad_arguments_of_send_json_and_sends_nothing(opened, arguments, error, says):
    """Core.send_json takes its arguments without pybind11's help."""
    ws, conn = opened()
    with pytest.raises(error, match=says):
        ws._core.send_json(*arguments)
    assert ws._core.send_json("next", None, ws._core.epoch) is True
    assert conn.expect_json() == "next"
    assert ws.stats().messages_out == 1


def test_send_json_is_for_a_core_that_was_made():
    unmade = _core.Core.__new__(_core.Core)
    with pytest.raises(TypeError, match="not made by its constructor"):
        unmade.send_json(1, None, 0)
    with pytest.raises(TypeError, match="'object'"):
        _core.Core.send_json(object(), 1, None, 0)
    with pytest.raises(TypeError, match="keyword"):
        unmade.send_json(1, default=None, epoch=0)


def test_send_text_and_send_bytes_are_verbatim(opened):
    ws, conn = opened()
    assert ws.send_text('not "json" ü') is True
    assert conn.expect() == 'not "json" ü'
    for data in (b"\x00\xff", bytearray(b"ab"), memoryview(b"abcdef")[::1], b""):
        assert ws.send_bytes(data) is True
        assert conn.expect() == bytes(data)
    with pytest.raises(TypeError):
        ws.send_text(b"x")
    with pytest.raises(TypeError):
        ws.send_bytes("x")
    with pytest.raises((UnicodeEncodeError, ValueError)):
        ws.send_text("\ud800")


def test_every_frame_is_masked_with_another_key(serve, client):
    """RFC 6455 section 5.3: the rig refuses unmasked frames; equal messages differ on the wire."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    raw = b""
    ws = client(f"ws://127.0.0.1:{listener.getsockname()[1]}/")
    sock, _ = listener.accept()
    with listener, sock:
        from fastws._scripted_frames import accept_key, parse_request, response

        sock.settimeout(10)
        request = parse_request(sock.recv(65536))
        key = accept_key(request.headers["sec-websocket-key"])
        sock.sendall(
            response(
                101, [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", key)]
            )
        )
        ws.wait_open(10)
        for _ in range(50):
            ws.send_bytes(b"same")
        while len(raw) < 50 * 10:
            raw += sock.recv(65536)
        keys = {raw[at + 2 : at + 6] for at in range(0, 500, 10)}
        assert len(keys) == 50


def test_ping_measures(opened):
    """api.md 5: seconds; latency is the last one."""
    ws, conn = opened()
    took = ws.ping(10)
    assert 0 < took < 10
    assert ws.latency == pytest.approx(took)
    assert len(conn.pings) == 1


def test_ping_without_answer_times_out(opened):
    def script(conn):
        conn.answer_pings = False

    ws, _ = opened(script)
    with pytest.raises(TimeoutError):
        ws.ping(0.2)
    assert ws.state == "open"


def test_not_open_is_false_and_counted(serve, client):
    """R7: never open, backoff, closed: False, counted as offline."""
    server = serve(lambda conn: conn.refuse(503))
    ws = client(server, autoconnect=False, reconnect=Backoff(base=60, cap=60))
    assert ws.send({"a": 1}) is False
    assert ws.send_text("a") is False
    assert ws.send_bytes(b"a") is False
    ws.connect()
    server.wait_total(1).wait_over()
    assert ws.send({"a": 1}) is False
    ws.close()
    assert ws.send({"a": 1}) is False
    assert ws.stats().dropped["offline"] == 5
    with pytest.raises(fastws.NotConnected):
        ws.ping(1)


def test_a_send_in_a_connect_handler_goes_to_that_connection(serve, recorded):
    """R8: once per epoch, on its own transport."""
    server = serve(
        [
            lambda conn: (conn.expect(), conn.drop()),
            lambda conn: (conn.expect(), conn.reset()),
            lambda conn: conn.accept(),
        ]
    )
    ws, log = recorded(server, on={"connect": lambda event: event.client.send({"epoch": event.epoch})})
    log.wait("connect", 3)
    assert server.wait_open(3).expect_json() == {"epoch": log.all("connect")[2].epoch}
    for conn, event in zip(server.connections, log.all("connect"), strict=True):
        assert [json.loads(message) for message in conn.messages] == [{"epoch": event.epoch}]


def test_a_send_in_a_stale_connect_handler_is_dropped(serve, client, until):
    """R8: the handler runs late, its epoch is over, another connection is open: False, counted, nothing crosses."""
    server = serve([lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()])
    results = []
    hold = threading.Event()

    def handler(event):
        if not results:
            hold.wait(10)
        results.append((event.epoch, event.client.send({"epoch": event.epoch})))

    ws = client(server, autoconnect=False)
    ws.on("connect", handler)
    ws.connect()
    server.wait_open(2)
    assert until(lambda: ws.state == "open")
    time.sleep(0.05)
    hold.set()
    assert until(lambda: len(results) == 2)
    assert [accepted for _, accepted in results] == [False, True]
    assert server.connections[1].expect_json() == {"epoch": results[1][0]}
    assert len(server.connections[1].messages) == 1
    assert ws.stats().dropped["offline"] == 1


def test_nothing_crosses_from_one_connection_to_the_next(serve, client):
    """T34, P8: a thread sends without pause while the server resets: no message twice, order kept on each connection."""
    ends = [
        lambda conn: (conn.expect(), conn.stall(0.03), conn.reset()),
        lambda conn: (conn.expect(), conn.stall(0.03), conn.drop()),
    ]
    server = serve([*(ends * 6), lambda conn: conn.accept()])
    ws = client(server, reconnect=Backoff(base=0.005, cap=0.01))
    stop, accepted = threading.Event(), []

    def pour():
        number = 0
        while not stop.is_set():
            if ws.send({"n": number, "pad": "x" * 200}):
                accepted.append(number)
                number += 1
            else:
                time.sleep(0.001)

    thread = threading.Thread(target=pour)
    thread.start()
    try:
        last = server.wait_open(13, 60)
        last.expect()
        time.sleep(0.1)
    finally:
        stop.set()
        thread.join(10)
    ws.close()
    assert last.wait_over()
    seen = []
    for conn in server.connections:
        own = [json.loads(message)["n"] for message in conn.messages]
        assert own == list(range(own[0], own[0] + len(own))) if own else True, (
            "FIFO and without holes on one connection"
        )
        seen += own
    assert len(seen) == len(set(seen)), "a message was written twice"
    assert seen == sorted(seen)
    assert set(seen) <= set(accepted)
