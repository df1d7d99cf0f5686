"""Handlers that run once: when one has, its messages are as if it had never been there (api sections 3 and 4)."""

import time

from server_scripts import echo


def numbers(kind, first, last):
    return [{"type": kind, "n": number} for number in range(first, last)]


def on_go(first, then):
    """A script that sends `first` at once, and `then` when it has been sent something."""

    def script(conn):
        for message in first:
            conn.send_json(message)
        conn.expect()
        for message in then:
            conn.send_json(message)
        conn.expect(30)

    return script


def test_its_type_is_handled_by_nobody_any_more(serve, client, until):
    seen = []
    ws = client(serve(on_go(numbers("a", 0, 1), numbers("a", 1, 51))), settle=0.05)
    ws.on("a", seen.append, once=True)
    assert until(lambda: seen)
    time.sleep(0.3)  # until it is settled that nobody comes
    ws.send("go")
    assert until(lambda: ws.stats().dropped["unhandled"] == 50), ws.stats()
    assert seen == numbers("a", 0, 1)


def test_the_client_counts_as_one_without_handlers_again(serve, client, until):
    """A full inbox then pauses the reading: what waits for a reader is not dropped in favour of handlers."""
    seen = []
    ws = client(serve(on_go(numbers("a", 0, 1), numbers("b", 0, 500))), inbox_messages=50)
    reader = iter(ws.messages("b"))
    ws.on("a", seen.append, once=True)
    assert until(lambda: seen)
    ws.send("go")
    assert until(lambda: ws.stats().inbox_messages >= 50)
    time.sleep(0.3)  # what could be lost is lost by then
    assert ws.stats().dropped["unread"] == 0
    assert [next(reader) for _ in range(500)] == numbers("b", 0, 500)


def test_a_late_handler_is_given_what_came_since(serve, client, until):
    once, late = [], []
    ws = client(serve(on_go(numbers("a", 0, 1), numbers("a", 1, 6))), settle=60)
    ws.on("a", once.append, once=True)
    assert until(lambda: once)
    ws.send("go")
    assert until(lambda: ws.stats().messages_in == 6)
    ws.ping(10)  # the pong comes in a later read: all of them are placed
    ws.on("a", late.append)
    assert until(lambda: len(late) == 5)
    assert (once, late) == (numbers("a", 0, 1), numbers("a", 1, 6))


def test_a_late_handler_in_a_loop_is_given_it_too(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        once, late = [], []
        async with aclient(server, settle=60) as ws:
            ws.on("a", once.append, once=True)
            await ws.send({"type": "a", "n": 0})
            assert await eventually(lambda: once)
            for message in numbers("a", 1, 6):
                await ws.send(message)
            assert await eventually(lambda: ws.stats().messages_in == 6)
            await ws.ping(10)
            ws.on("a", late.append)
            assert await eventually(lambda: len(late) == 5)
        assert (once, late) == (numbers("a", 0, 1), numbers("a", 1, 6))

    run(main())


def test_others_that_come_meanwhile_are_not_forgotten(serve, client, until):
    """The one that goes and the one that comes tell the core of it on two threads; the last word has both."""
    ws = client(serve(echo), settle=0.0)
    ws.wait_open(10)
    for n in range(200):
        once, after = [], []
        ws.on("a", once.append, once=True)
        ws.send({"type": "a", "n": n})
        ws.on(f"b{n}", after.append)
        assert until(lambda once=once: once)
        ws.send({"type": f"b{n}", "n": n})
        assert until(lambda after=after: after), n
        ws.off(f"b{n}")
