"""Who is called for a message, in which order, with which arguments."""

import functools
import threading

import pytest


def sends(*messages):
    """A script that sends these JSON values once the test says {"go": 1}."""

    def script(conn):
        conn.expect()
        for message in messages:
            conn.send(message) if isinstance(message, (str, bytes)) else conn.send_json(message)
        conn.send_json({"type": "end"})

    return script


@pytest.fixture
def deliver(serve, client):
    """deliver(register, messages..., options): register(ws) adds handlers, then the messages come; gives the client."""

    def run(register, *messages, **options):
        ws = client(serve(sends(*messages)), **options)
        ended = threading.Event()
        register(ws)
        ws.on("end" if options.get("route_by", "type") == "type" and options.get("decode") != "text" else "message",
              lambda m: ended.set() if "end" in str(m) else None)  # fmt: skip
        ws.wait_open(10)
        assert ws.send({"go": 1})
        assert ended.wait(15)
        return ws

    return run


def test_message_then_type_then_star(deliver):
    """Section 3: `message`, then the type; api.md 3: `*` sees a message once, under its route."""
    calls = []

    def register(ws):
        ws.on("*", lambda event, payload: calls.append(("*", event, payload)))
        ws.on("update", lambda m: calls.append(("update", m)))
        ws.on("message", lambda m: calls.append(("message", m)))

    deliver(register, {"type": "update", "n": 1}, {"n": 2})
    update = {"type": "update", "n": 1}
    messages = [call for call in calls if call[0] != "*" or call[1] in ("update", "message")]
    assert messages[:3] == [("message", update), ("update", update), ("*", "update", update)]
    assert messages[3:5] == [("message", {"n": 2}), ("*", "message", {"n": 2})]


def test_star_sees_lifecycle_and_binary(serve, client, until):
    seen = []
    ws = client(serve(lambda conn: conn.send(b"\x01")), autoconnect=False)
    ws.on("*", lambda event, payload: seen.append((event, payload)))
    ws.connect()
    assert until(lambda: len(seen) >= 3)
    assert [event for event, _ in seen] == ["connecting", "connect", "binary"]
    assert seen[2][1] == b"\x01"
    ws.close()
    assert [event for event, _ in seen][-2:] == ["disconnect", "closed"]


def test_registration_order(deliver):
    calls = []

    def register(ws):
        for name in "cab":
            ws.on("update", lambda m, name=name: calls.append(name))

    deliver(register, {"type": "update"})
    assert calls == ["c", "a", "b"]


def test_on_chains_and_decorates(deliver):
    calls = []

    def register(ws):
        assert ws.on("update", lambda m: calls.append("chained")) is ws

        @ws.on("update")
        def named(message):
            calls.append(message["type"])

        assert callable(named)

    deliver(register, {"type": "update"})
    assert calls == ["chained", "update"]


def test_the_same_function_runs_once(deliver):
    calls = []

    def register(ws):
        for _ in range(3):
            ws.on("update", calls.append)
            ws.on("connect", calls.append)

    deliver(register, {"type": "update"})
    assert len(calls) == 2


def test_one_function_for_two_events_runs_for_both(deliver):
    calls = []

    def register(ws):
        ws.on("a", calls.append).on("b", calls.append)

    deliver(register, {"type": "a"}, {"type": "b"})
    assert calls == [{"type": "a"}, {"type": "b"}]


def test_once(deliver):
    calls = []

    def register(ws):
        ws.on("update", calls.append, once=True)

        @ws.on("update", once=True)
        def named(message):
            calls.append("named")

    deliver(register, *[{"type": "update"}] * 3)
    assert calls == [{"type": "update"}, "named"]


def test_off(deliver):
    calls = []
    keep, drop = (lambda m: calls.append("keep")), (lambda m: calls.append("drop"))

    def register(ws):
        ws.on("a", keep).on("a", drop).on("b", keep).on("b", drop)
        ws.off("a", drop)
        ws.off("b")
        ws.off("a", print)  # never added: nothing happens
        ws.off("never")

    deliver(register, {"type": "a"}, {"type": "b"})
    assert calls == ["keep"]


def test_off_during_dispatch_and_on_during_dispatch(deliver):
    """R12: removed means not called afterwards, even in the same dispatch; added means from the next message on."""
    calls = []

    def second(message):
        calls.append("second")

    def register(ws):
        def first(message):
            calls.append("first")
            ws.off("update", second)
            ws.on("update", third)

        def third(message):
            calls.append("third")

        ws.on("update", first).on("update", second)

    deliver(register, {"type": "update"}, {"type": "update"})
    assert calls == ["first", "first", "third"]


def test_a_handler_may_remove_itself(deliver):
    calls = []

    def register(ws):
        def only(message):
            calls.append(message["n"])
            ws.off("update", only)

        ws.on("update", only)

    deliver(register, {"type": "update", "n": 1}, {"type": "update", "n": 2})
    assert calls == [1]


def test_lifecycle_handlers_get_the_payload_only_if_they_take_it(serve, client, until):
    """api.md 3: a required positional parameter or *args; a default stays what it is."""
    calls = []

    class Taker:
        def bound(self, event):
            calls.append(("bound", event))

        def nothing(self):
            calls.append(("nothing", None))

        def __call__(self, event):
            calls.append(("callable", event))

    taker, flag = Taker(), threading.Event()
    ws = client(serve(), autoconnect=False)
    ws.on("connect", lambda: calls.append(("zero", None)))
    ws.on("connect", lambda event: calls.append(("one", event)))
    ws.on("connect", lambda channel="x": calls.append(("default", channel)))
    ws.on("connect", lambda *args: calls.append(("args", args[0])))
    ws.on("connect", lambda **kw: calls.append(("kw", kw or None)))
    ws.on("connect", taker.bound).on("connect", taker.nothing).on("connect", taker)
    ws.on("connect", functools.partial(lambda tag, event: calls.append((tag, event)), "partial"))
    ws.on("connect", flag.set)
    ws.connect()
    assert flag.wait(10)
    assert until(lambda: len(calls) == 9)
    got = dict(calls)
    event = got["one"]
    assert type(event).__name__ not in ("NoneType", "str")
    assert got == {"zero": None, "one": event, "default": "x", "args": event, "kw": None, "bound": event,
                   "nothing": None, "callable": event, "partial": event}  # fmt: skip


def test_message_handlers_always_get_the_message(deliver):
    """api.md 3: also one whose parameter has a default."""
    calls = []
    deliver(lambda ws: ws.on("update", lambda message=None: calls.append(message)), {"type": "update"})
    assert calls == [{"type": "update"}]


@pytest.mark.parametrize(
    "name",
    [
        "connecting",
        "connect",
        "disconnect",
        "reconnecting",
        "error",
        "dropped",
        "closed",
        "message",
        "binary",
        "*",
    ],
)
def test_a_reserved_type_can_not_fire_a_lifecycle_handler(deliver, caplog, name):
    """T38, D4, section 9: it goes to `message` and to `type:<name>`, with one WARNING per name."""
    wrong, right, every = [], [], []
    hostile = {"type": name, "code": 1006}

    def register(ws):
        if name not in ("message", "*"):
            ws.on(name, lambda payload: wrong.append(payload))
        ws.on(f"type:{name}", right.append)
        ws.on("message", every.append)

    deliver(register, hostile, hostile)
    assert right == [hostile] * 2
    assert every[:2] == [hostile] * 2
    assert hostile not in wrong
    warned = [
        record for record in caplog.records if record.levelname == "WARNING" and name in record.getMessage()
    ]
    assert len(warned) == 1


def test_a_plain_type_can_be_named_explicitly(deliver):
    """Section 9: type:<name> is the explicit route of any type."""
    calls = []
    deliver(lambda ws: ws.on("type:update", calls.append), {"type": "update"})
    assert calls == [{"type": "update"}]


@pytest.mark.parametrize(("event", "named"), [("open", "connect"), ("close", "disconnect")])
def test_open_and_close_are_routes_that_warn_once(deliver, caplog, recwarn, event, named):
    """api.md 3; type:open is silent."""
    calls = []

    def register(ws):
        ws.on(f"type:{event}", calls.append)
        assert not caplog.records and not recwarn.list
        ws.on(event, calls.append)
        ws.on(event, lambda m: None)

    deliver(register, {"type": event})
    assert {"type": event} in calls
    told = [record.getMessage() for record in caplog.records] + [str(w.message) for w in recwarn.list]
    assert len([text for text in told if named in text]) == 1


@pytest.mark.parametrize(
    ("route_by", "message", "route"),
    [
        ("event", {"event": "a", "type": "b"}, "a"),
        (("e", "type"), {"type": "t", "e": "first"}, "first"),
        (("e", "type"), {"type": "t"}, "t"),
        ("type", '{"\\u0074ype": "esc"}', "esc"),
        ("type", '{"type": "\\u00fc\\n"}', "ü\n"),
        ("type", '{"type": "a", "type": "b"}', "b"),
        ("type", '{"x": {"type": "inner"}, "type": "outer"}', "outer"),
        ("type", '  {"x": ["type", "no"], "type" : "spaced" }', "spaced"),
        ("größe", {"größe": "L"}, "L"),
    ],
)
def test_route_by(serve, client, until, route_by, message, route):
    """api.md 2: top-level key, or the first present of several; as json.loads reads it."""
    seen = []

    def script(conn):
        conn.expect()
        conn.send(message) if isinstance(message, str) else conn.send_json(message)

    ws = client(serve(script), route_by=route_by)
    ws.on("*", lambda event, payload: seen.append(event))
    ws.on(route, lambda m: seen.append(("routed", m)))
    ws.wait_open(10)
    ws.send(1)
    assert until(lambda: [event for event in seen if event not in ("connecting", "connect")])
    assert until(lambda: route in seen)
    assert [item[0] for item in seen if isinstance(item, tuple)] == ["routed"]


@pytest.mark.parametrize(
    "value",
    [{"type": 5}, {"type": None}, {"type": ["a"]}, {"other": "a"}, {}, [], [1], 5, None, True, 1.5, '"a"'],
)
def test_messages_without_a_route_are_messages(deliver, value):
    """api.md 2: only a string value is a route; any JSON value is a message."""
    calls = []
    deliver(lambda ws: ws.on("message", calls.append), value)
    expected = "a" if value == '"a"' else value  # text is sent as it is
    assert calls[0] == expected and type(calls[0]) is type(expected)


def test_route_by_none_routes_nothing(deliver):
    """api.md 2."""
    routed, every = [], []
    deliver(
        lambda ws: ws.on("update", routed.append).on("message", every.append),
        {"type": "update"},
        route_by=None,
    )
    assert every[0] == {"type": "update"}
    assert not routed


def test_decode_text_gives_strings(deliver):
    """api.md 2: text frames as str, binary still bytes."""
    every, binary = [], []
    deliver(
        lambda ws: ws.on("message", every.append).on("binary", binary.append),
        "not json",
        b"\x00",
        "ü",
        decode="text",
    )
    assert every[:2] == ["not json", "ü"]
    assert binary == [b"\x00"]


def test_binary_is_bytes_and_no_message(deliver):
    every, binary = [], []
    deliver(lambda ws: ws.on("message", every.append).on("binary", binary.append), b"", b"\x00\xff" * 100000)
    assert binary == [b"", b"\x00\xff" * 100000]
    assert every == [{"type": "end"}]


def test_each_kind_of_receiver_has_objects_of_its_own(serve, client, until):
    """api.md 4: handlers and readers build their own objects: changing one does not change the other."""
    ws = client(serve(lambda conn: (conn.expect(), conn.send_json({"type": "a", "list": []}))))
    seen = []
    ws.on("a", lambda message: (message["list"].append("mine"), seen.append(message)))
    reader = iter(ws.messages("a"))
    ws.wait_open(10)
    ws.send(1)
    assert next(reader) == {"type": "a", "list": []}
    assert until(lambda: seen == [{"type": "a", "list": ["mine"]}])
