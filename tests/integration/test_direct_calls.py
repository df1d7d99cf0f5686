"""Handlers called straight from the slice: what they see is what step-by-step delivery shows them."""

import pytest
from child_process import Child
from restless_handlers import deeds, numbered


def story(seed, serve, client, until, *, stepwise):
    """Every call of a few handlers that come, go, raise and return things while the messages run."""
    messages = numbered(seed, ["a", "b", "c", "message", "é" * 40])
    ws = client(serve(lambda conn: [conn.send_json(one) for one in messages]), autoconnect=False)
    calls = []

    def late(message):
        calls.append(("late", message["n"]))

    def busy(message):
        calls.append(("busy", message["n"]))
        return deed(message)

    deed = deeds(seed, ws, calls, late)
    ws.on("a", busy).on("b", busy).on("c", lambda message: calls.append(("c", message["n"])))
    ws.on("error", lambda event: calls.append(("error", str(event.exception))))
    ws.on("é" * 40, lambda message: calls.append(("é", message["n"])))
    ws.on("message", lambda message: calls.append(("message", message["n"])))
    ws.on("end", lambda _: calls.append("end"))
    if stepwise:
        ws.on("*", lambda *_: None)
    ws.connect()
    assert until(lambda: "end" in calls)
    return calls


@pytest.mark.parametrize("seed", range(5))
def test_direct_calls_are_those_of_stepwise_delivery(serve, client, until, seed):
    direct = story(seed, serve, client, until, stepwise=False)
    assert len(direct) > 700
    assert direct == story(seed, serve, client, until, stepwise=True)


def test_close_in_a_handler_ends_the_slice(serve, client, until):
    """R2: neither the same message's other handlers nor the next messages are called."""
    calls = []
    ws = client(
        serve(lambda conn: [conn.send_json({"type": "a", "n": n}) for n in range(100)]), autoconnect=False
    )

    def closing(message):
        calls.append(message["n"])
        if message["n"] == 10:
            ws.close()

    ws.on("a", closing).on("a", lambda message: calls.append(-message["n"]))
    ws.on("closed", lambda: calls.append("closed"))
    ws.connect()
    assert until(lambda: "closed" in calls)
    assert calls == [n for k in range(10) for n in (k, -k)] + [10, "closed"]
    stats = ws.stats()
    assert stats.handled + stats.dropped["closed"] == stats.messages_in


def test_more_routes_than_are_remembered(serve, client, until):
    """Names and plans are kept for a bounded number of routes; all are delivered."""
    routes = [f"{'r' * (n % 90)}{n}" for n in range(3000)]
    seen = []
    ws = client(serve(lambda conn: [conn.send_json({"type": route}) for route in routes]), autoconnect=False)
    ws.on("message", lambda message: seen.append(message["type"]))
    ws.connect()
    assert until(lambda: len(seen) == len(routes))
    assert seen == routes
    assert len(ws._dispatcher.handlers.direct) <= 1024


def test_a_handler_that_is_gone_with_its_route_is_freed(serve, client, until):
    """The table keeps no function that off() took away."""
    import gc
    import weakref

    seen = []

    class Handler:
        def __call__(self, message):
            seen.append(message["n"])

    handler = Handler()
    ref = weakref.ref(handler)
    server = serve(
        lambda conn: [conn.send_json({"type": "a", "n": 1}), conn.expect(), conn.send_json({"type": "z"})]
    )
    ws = client(server, autoconnect=False)
    ws.on("a", handler).on("z", lambda _: seen.append("z"))
    ws.connect()
    assert until(lambda: seen == [1])
    ws.off("a", handler)
    del handler
    ws.send("on")
    assert until(lambda: "z" in seen)
    gc.collect()
    assert until(lambda: ref() is None)


def test_every_route_reaches_its_own_handler(serve, client, until):
    """Of every length, and those that differ in one place only: names are kept by what is at their ends."""
    routes = ["r" * size for size in range(1, 70)]
    routes += ["r" * at + "x" + "r" * (63 - at) for at in range(64)]
    calls = []
    ws = client(
        serve(lambda conn: [conn.send_json({"type": route}) for route in [*routes, *routes, "end"]]),
        autoconnect=False,
    )
    for route in routes:
        ws.on(route, lambda message, route=route: calls.append((route, message["type"])))
    ws.on("end", lambda _: calls.append("end"))
    ws.connect()
    assert until(lambda: "end" in calls)
    assert calls[:-1] == [(route, route) for route in [*routes, *routes]]


SLOW_LOADS = """
import json
url, end = sys.argv[1:3]
reading, go, calls, loads = threading.Event(), threading.Event(), [], json.loads

def slow(text, *more, **options):
    if "NaN" in text:
        reading.set()
        go.wait(20)
    return loads(text, *more, **options)

json.loads = slow
ws = WebSocketClient(url)
handle = lambda message: calls.append(True)
ws.on("n", handle)
ws.wait_open(15)
ws.send("go")
assert reading.wait(20)
ws.close() if end == "close" else ws.off("n", handle)
go.set()
time.sleep(0.3)
say(calls)
"""


@pytest.mark.parametrize("end", ["close", "off"])
def test_no_handler_starts_after_close_or_off_has_returned(serve, end):
    """R2, R12: also where a message is made by json.loads (NaN is), which lets other threads run."""
    server = serve(lambda conn: [conn.expect(), conn.send('{"type": "n", "v": NaN}'), conn.stall()])
    child = Child(SLOW_LOADS, server.url, end)
    try:
        assert child.hear(60) == [[]]
    finally:
        child.end()
