"""The route of a large message, which is parsed before its route is known where it begins like one that is handled."""

import threading

import pytest


@pytest.fixture
def deliver(serve, client):
    """deliver(register, texts): register(ws) adds handlers, then the texts come; gives the client when all are worked off."""

    def run(register, texts):
        def script(conn):
            conn.expect()
            for text in texts:
                conn.send(text)
            conn.send_json({"type": "end"})

        ws = client(serve(script), settle=0.0)
        ended = threading.Event()
        register(ws)
        ws.on("end", lambda m: ended.set())
        ws.wait_open(10)
        assert ws.send({"go": 1})
        assert ended.wait(15)
        return ws

    return run


@pytest.mark.parametrize("handled", ["a", "message", "*"])
def test_the_last_of_two_types_is_the_route_of_a_large_message_too(deliver, handled):
    """Large texts are parsed at once where their beginning names a type that is handled; the whole of it decides."""
    texts = [
        one.replace("PAD", "x" * 20_000)
        for one in (
            '{"type":"a","n":1,"pad":"PAD"}',
            '{"type":"a","n":2,"pad":"PAD","type":"b"}',
            '{"type":"b","n":3,"pad":"PAD","type":"a"}',
            '{"pad":"PAD","n":4,"type":"a"}',
            '{"n":5,"pad":["PAD",{"type":"b"}],"type":"a"}',
            '{"type":"a","n":6,"pad":"PAD","type":7}',
            r'{"t\u0079pe":"a","n":7,"pad":"PAD"}',
            r'{"type":"a","n":8,"pad":"PAD","t\u0079pe":"b"}',
            r'{"type":"\u0061","n":9,"pad":"PAD"}',
        )
    ]
    seen = []

    def register(ws):
        if handled == "*":
            ws.on("*", lambda event, m: seen.append((event, m["n"])) if isinstance(m, dict) else None)
        else:
            ws.on(handled, lambda m: seen.append((m["type"], m["n"])) if "n" in m else None)

    ws = deliver(register, texts)
    routes = [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("a", 5), ("message", 6), ("a", 7), ("b", 8), ("a", 9)]
    if handled == "message":
        routes[5] = (7, 6)
    wanted = [one for one in routes if handled != "a" or one[0] == "a"]
    assert [one for one in seen if one[0] != "end"] == wanted
    if handled == "a":
        assert ws.stats().dropped_by_type["b"] == 2


def test_a_large_text_that_is_no_json_is_told_once(deliver):
    """It begins like one that is handled, so it was parsed at once."""
    errors, seen = [], []

    def register(ws):
        ws.on("error", errors.append)
        ws.on("a", seen.append)

    broken = '{"type":"a","pad":"%s"' % ("x" * 20_000)
    deliver(register, [broken, broken + "}"])
    assert [error.phase for error in errors] == ["decode"]
    assert len(seen) == 1
