"""Texts that are parsed before their route is known, because those before them were all wanted: nothing but time may tell."""

import pytest
from server_scripts import after_go

WANTED = 40  # in a row; far more than the client needs to expect another


def trades(first, last):
    return [{"type": "trade", "n": number} for number in range(first, last)]


UNWANTED = [
    {"type": "quote", "n": 1},
    '{"type": "quote", "n": bad}',
    '{"type": "trade", "n": 1, "type": "quote"}',
    '{"t\\u0079pe": "quote", "type": "trade", "ty\\u0070e": "other"}',
    '{"n": 1}',
    '{"type": 5}',
    '["type", "trade"]',
    "17",
    '{"é": 1, "type": "quöte"}',
    '{"inner": {"type": "trade"}, "é": 1}',
]
BAD = ["", "[", '{"type"']  # whose route can not be read: told, wanted or not


@pytest.mark.parametrize("odd", UNWANTED + BAD, ids=repr)
def test_another_text_among_them_is_dropped_or_told_all_the_same(serve, client, until, odd):
    ws = client(serve(after_go([*trades(0, WANTED), odd, odd, *trades(WANTED, 2 * WANTED)])), settle=0.0)
    seen, errors = [], []
    ws.on("trade", lambda message: seen.append(message["n"])).on("error", errors.append)
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: len(seen) == 2 * WANTED)
    assert seen == list(range(2 * WANTED))
    told = 2 if odd in BAD else 0
    assert until(lambda: len(errors) == told)
    assert [error.phase for error in errors] == ["decode"] * told
    assert ws.stats().dropped["unhandled"] == 2 - told


def test_the_route_is_the_one_that_a_search_would_find(serve, client, until):
    """Written with escapes, twice, behind an object that has one, in another place, under a key as long as the right one."""
    odd = [
        '{"t\\u0079pe": "trade", "n": 0}',
        '{"type": "quote", "type": "trade", "n": 1}',
        '{"inner": {"type": "quote"}, "n": 2, "type": "trade"}',
        '{"time": "quote", "type": "tr\\u0061de", "side": "x", "n": 3}',
        '{"é": 1, "type": "trade", "n": 4}',
        ' { "type" : "trade" , "n" : 5 } ',
    ]
    ws = client(serve(after_go([*trades(0, WANTED), *odd, *trades(6, 10)])), settle=0.0)
    seen = []
    ws.on("trade", lambda message: seen.append(message["n"]))
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: len(seen) == WANTED + 10)
    assert seen[WANTED:] == list(range(10))


@pytest.mark.parametrize("key", ["тип", "é", "k" * 65])
def test_keys_that_are_no_short_ascii_route_as_others_do(serve, client, until, key):
    texts = [{key: "trade", "n": n} for n in range(3 * WANTED)]
    ws = client(serve(after_go([*texts, {"n": 1}, {key: "quote"}, *texts])), settle=0.0, route_by=key)
    seen = []
    ws.on("trade", lambda message: seen.append(message["n"]))
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: len(seen) == 6 * WANTED)
    assert ws.stats().dropped_by_type == {"": 1, "quote": 1}


@pytest.mark.parametrize("keys", [("kind", "type"), ("type", "kind"), ("kind",)])
def test_the_first_key_that_is_there_decides(serve, client, until, keys):
    texts = [
        '{"type": "a", "kind": "b"}',
        '{"kind": "b", "type": "a"}',
        '{"kind": 1, "type": "a"}',
        '{"kind": "b"}',
    ]
    ws = client(serve(after_go(texts * WANTED)), settle=0.0, route_by=keys)
    seen = []
    ws.on("a", lambda message: seen.append("a")).on("b", lambda message: seen.append("b"))
    ws.on("message", lambda message: seen.append(None))
    ws.wait_open(10)
    ws.send("go")
    routes = {
        ("kind", "type"): ["b", "b", None, "b"],
        ("type", "kind"): ["a", "a", "a", "b"],
        ("kind",): ["b", "b", None, "b"],
    }
    wanted = [
        seen for route in routes[keys] for seen in ([None] if route is None else [route, None])
    ] * WANTED
    assert until(lambda: len(seen) == len(wanted))
    assert sorted(map(str, seen)) == sorted(map(str, wanted))
