"""What the server sends against the rules: bad JSON changes nothing, bad frames end the connection and no more."""

import json

import pytest

BAD_JSON = [
    "", " ", "{", "{bad", "[1,]", '{"a":1}x', "nul", '{"a" 1}', '"\\x"', '"\t"', "01", "1.", "--1", "'a'", "\ufeff{}",
    "[" * 2000, '{"type": "a"', '{"type": "a"} {"type": "b"}',
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_JSON)
def test_bad_json_is_one_error_and_changes_nothing_else(serve, recorded, until, text):
    """Bad input; P18: error(decode) with json's own exception and the text's start; the connection stands."""
    seen = []
    server = serve(lambda conn: (conn.send(text), conn.send_json({"type": "end"})))
    ws, log = recorded(server, on={"message": seen.append})
    assert until(lambda: seen)
    errors = log.all("error")
    assert len(errors) == 1
    assert (errors[0].phase, errors[0].fatal, errors[0].http_status) == ("decode", False, None)
    assert isinstance(errors[0].exception, (json.JSONDecodeError, RecursionError))
    with pytest.raises((json.JSONDecodeError, RecursionError)) as caught:
        json.loads(text)
    assert str(errors[0].exception) == str(caught.value)
    if text.strip():
        assert repr(text.strip()[:10])[1:-1] in errors[0].message
    assert seen == [{"type": "end"}]
    assert ws.state == "open"
    assert ws.stats().dropped["decode"] == 1
    assert "disconnect" not in log.names


@pytest.mark.parametrize(
    "text",
    ['{"a": NaN}', "[Infinity, -Infinity]", "1e400", "-0", "-0.0", "1" * 400, "1.7976931348623157e308", '"\\ud800"', '{"a":1,"a":2}',
     '"\\u0000"', "[" * 300 + "]" * 300, '{"":{"":[]}}', " [ 1 , 2 ] \n", "123456789012345678901234567890"],
)  # fmt: skip
def test_unusual_json_is_what_json_loads_makes_of_it(serve, recorded, until, text):
    """design.md: json.loads equality is the contract."""
    seen = []
    recorded(serve(lambda conn: conn.send(text)), on={"message": seen.append})
    assert until(lambda: seen)
    expected = json.loads(text)
    assert repr(seen[0]) == repr(expected)


def test_an_error_handler_is_not_needed(serve, client, until, caplog):
    """Section 6: without a handler it is a WARNING that shows the text's start."""
    seen = []
    ws = client(serve(lambda conn: (conn.send("{nonsense"), conn.send_json({"n": 1}))), autoconnect=False)
    ws.on("message", seen.append)
    ws.connect()
    assert until(lambda: seen)
    assert [record.levelname for record in caplog.records if "{nonsense" in record.getMessage()] == [
        "WARNING"
    ]


FAULTS = {
    "masked": lambda conn: conn.send_frame(0x1, b"{}", mask=b"\x01\x02\x03\x04"),
    "rsv1": lambda conn: conn.send_frame(0x1, b"{}", rsv=4),
    "rsv2": lambda conn: conn.send_frame(0x1, b"{}", rsv=2),
    "opcode 3": lambda conn: conn.send_frame(0x3, b""),
    "opcode 11": lambda conn: conn.send_frame(0xB, b""),
    "continuation of nothing": lambda conn: conn.send_frame(0x0, b"x"),
    "text inside a message": lambda conn: (conn.send_frame(0x1, b"a", fin=False), conn.send_frame(0x1, b"b")),
    "fragmented ping": lambda conn: conn.send_frame(0x9, b"", fin=False),
    "ping of 126 bytes": lambda conn: conn.send_frame(0x9, b"x" * 126),
    "close of 1 byte": lambda conn: conn.send_frame(0x8, b"\x03"),
    "close 1005": lambda conn: conn.send_frame(0x8, b"\x03\xed"),
    "close 999": lambda conn: conn.send_frame(0x8, b"\x03\xe7"),
    "length of 2**63": lambda conn: conn.send_raw(b"\x82\x7f" + b"\x80" + b"\x00" * 7),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_protocol_error_fails_the_connection_with_1002(serve, recorded, fault):
    """RFC 6455 section 7.1.7; section 6: code 1002, initiator client, error(protocol); then a reconnect."""
    server = serve([lambda conn: (conn.accept(), fault(conn), conn.stall(5)), lambda conn: conn.accept()])
    _, log = recorded(server)
    log.wait("connect", 2)
    lost = log.all("disconnect")[0]
    assert (lost.code, lost.initiator, lost.clean, lost.will_reconnect) == (1002, "client", False, True)
    assert [error.phase for error in log.all("error")] == ["protocol"]
    assert server.connections[0].wait_close() == 1002
    assert log.in_language()


@pytest.mark.parametrize(
    "frames",
    [[(0x1, b"\xff", True)], [(0x1, b"\xc3", True)], [(0x1, b"ok \xed\xa0\x80", True)], [(0x1, b"\xc3", False), (0x0, b"", True)],
     [(0x8, b"\x03\xe8\xff", True)]],
    ids=["ff", "cut short", "surrogate", "cut short at the last fragment", "in a close reason"],
)  # fmt: skip
def test_text_that_is_no_utf8_fails_the_connection_with_1007(serve, recorded, frames):
    """RFC 6455 section 8.1."""

    def script(conn):
        for opcode, payload, fin in frames:
            conn.send_frame(opcode, payload, fin=fin)
        conn.stall(5)

    server = serve([script, lambda conn: conn.accept()])
    _, log = recorded(server)
    log.wait("connect", 2)
    lost = log.all("disconnect")[0]
    assert (lost.code, lost.initiator) == (1007, "client")
    assert server.connections[0].wait_close() == 1007


@pytest.mark.parametrize("parts", [1, 3])
def test_a_message_above_the_limit_is_1009(serve, recorded, parts):
    """api.md 2: max_message_bytes: close 1009 and error(limit); whole or in fragments."""
    whole = ["x" * (3000 // parts)] * parts
    server = serve([lambda conn: (conn.send_fragments(whole), conn.stall(5)), lambda conn: conn.accept()])
    _, log = recorded(server, max_message_bytes=2000)
    log.wait("connect", 2)
    lost = log.all("disconnect")[0]
    assert (lost.code, lost.initiator, lost.will_reconnect) == (1009, "client", True)
    assert [error.phase for error in log.all("error")] == ["limit"]
    assert server.connections[0].wait_close() == 1009
    assert log.in_language()


def test_a_message_at_the_limit_passes(serve, recorded, until):
    seen = []
    server = serve(lambda conn: conn.send(json.dumps("x" * 1998)))
    _, log = recorded(server, max_message_bytes=2000, on={"message": seen.append})
    assert until(lambda: seen)
    assert seen == ["x" * 1998]
    assert not log.all("error")


def test_an_announced_giant_is_refused_before_it_comes(serve, recorded):
    """The length alone is enough: no memory is taken for it."""
    server = serve(
        [lambda conn: (conn.send_frame(0x2, b"", length=2**62), conn.stall(5)), lambda conn: conn.accept()]
    )
    _, log = recorded(server)
    log.wait("connect", 2)
    assert log.all("disconnect")[0].code == 1009


def test_fragments_bytewise_frames_and_pings_in_between(serve, recorded, until):
    """RFC 6455 section 5.4: control frames may come inside a message."""
    text = '{"type": "ü", "pad": "€uro 🎈"}'
    data = text.encode()

    def script(conn):
        conn.send_frame(0x1, data, chunk=1)
        for at in range(len(data)):
            conn.send_frame(0x1 if at == 0 else 0x0, data[at : at + 1], fin=at == len(data) - 1)
            conn.ping(b"%d" % at)

    seen = []
    server = serve(script)
    recorded(server, on={"ü": seen.append})
    assert until(lambda: len(seen) == 2)
    assert seen == [json.loads(text)] * 2
    conn = server.connections[0]
    assert until(lambda: len(conn.pongs) == len(data))
    assert [payload for _, payload in conn.pongs] == [b"%d" % at for at in range(len(data))]


def test_an_unasked_pong_is_nothing(serve, recorded, until):
    """RFC 6455 section 5.5.3."""
    seen = []
    server = serve(lambda conn: (conn.send_frame(0xA, b"unasked"), conn.send_json({"n": 1})))
    ws, log = recorded(server, on={"message": seen.append})
    assert until(lambda: seen)
    assert ws.state == "open"
    assert not log.all("error")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 1_000_000])
def test_every_length_form(serve, recorded, until, size):
    """RFC 6455 section 5.2: 7, 16 and 64 bit lengths, both ways."""
    seen = []
    server = serve(lambda conn: conn.send(conn.expect()))
    ws, log = recorded(server, on={"binary": seen.append})
    log.wait("connect")
    payload = bytes(index % 251 for index in range(size))
    assert ws.send_bytes(payload)
    assert until(lambda: seen)
    assert seen == [payload]
