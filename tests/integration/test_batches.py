"""Many messages at once: handlers with batch=True, and recv_many(), of both clients (api sections 3 and 5)."""

import asyncio
import threading

import pytest

from fastws import ConnectionClosed


def numbers(conn):
    conn.accept()
    conn.expect()
    for n in range(1000):
        conn.send_json({"type": "ab"[n % 2], "n": n})
    conn.send(b"bytes")
    conn.send_json({"type": "end"})


def test_a_batch_handler_gets_lists_in_order(serve, client, until):
    ws = client(serve(numbers))
    batches, single, everything, binary = [], [], [], []
    done = threading.Event()

    @ws.on("a", batch=True)
    def many(messages):
        batches.append(messages)

    ws.on("a", lambda message: single.append(message["n"]))
    ws.on("message", lambda messages: everything.append(messages), batch=True)
    ws.on("binary", binary.append, batch=True)
    ws.on("end", lambda message: done.set())
    ws.wait_open(10)
    ws.send({"go": 1})
    assert done.wait(10)
    # Each handler has batches of its own: they are not over at one time.
    assert until(lambda: [sum(map(len, one)) for one in (everything, batches, binary)] == [1001, 500, 1])
    assert all(type(batch) is list and 1 <= len(batch) <= 256 for batch in batches)
    assert [message["n"] for batch in batches for message in batch] == list(range(0, 1000, 2))
    assert single == list(range(0, 1000, 2))
    assert [message.get("n") for batch in everything for message in batch] == [*range(1000), None]
    assert binary == [[b"bytes"]]
    assert len(batches) < 500, "some of them came together"


def test_a_batch_is_told_in_time_with_the_lifecycle(serve, client, until):
    def script(conn):
        conn.accept()
        for n in range(50):
            conn.send_json({"type": "n", "n": n})
        if conn.index == 0:
            conn.close(4000)

    ws, seen = client(serve(script), autoconnect=False), []
    ws.on("connect", lambda: seen.append("open")).on("disconnect", lambda: seen.append("lost"))
    ws.on("n", lambda messages: seen.extend(message["n"] for message in messages), batch=True)
    ws.connect()
    assert until(lambda: len(seen) == 103)
    assert seen == ["open", *range(50), "lost", "open", *range(50)]


def test_a_star_handler_with_batch_gets_pairs(serve, client, until):
    ws, seen = client(serve(numbers), autoconnect=False), []
    ws.on("*", lambda pairs: seen.extend(pairs), batch=True)
    ws.connect()
    ws.wait_open(10)
    ws.send({"go": 1})
    assert until(lambda: seen and seen[-1][0] == "end")
    names = [name for name, _ in seen]
    assert names[:2] == ["connecting", "connect"]
    assert names[2:] == ["a", "b"] * 500 + ["binary", "end"]
    assert seen[1][1].epoch == 1


def test_batch_with_once_off_and_close(serve, client, until):
    ws, once, never, last = client(serve(numbers)), [], [], []
    ws.on("message", once.append, once=True, batch=True)
    ws.on("a", never.append, batch=True).off("a", never.append)
    ws.on("a", lambda messages: (last.append(messages), ws.close()), batch=True)
    ws.on("b", never.append, batch=True)
    ws.wait_open(10)
    ws.send({"go": 1})
    assert until(lambda: ws.state == "closed")
    assert (len(once), never, len(last)) == (1, [], 1), "close() ends the batches that were to follow"


def test_batch_is_for_messages(client):
    ws = client("ws://127.0.0.1:9/", autoconnect=False)
    for event in ("connect", "closed", "error"):
        with pytest.raises(ValueError, match="batch=True is for messages"):
            ws.on(event, print, batch=True)
    with pytest.raises(TypeError, match="batch"):
        ws.on("a", print, batch=1)


def test_what_a_batch_handler_raises_is_told(serve, client, until):
    ws, told = client(serve(numbers)), []
    ws.on("error", told.append)
    ws.on("end", lambda messages: 1 / 0, batch=True)
    ws.wait_open(10)
    ws.send({"go": 1})
    assert until(lambda: len(told) == 1)
    assert isinstance(told[0].exception, ZeroDivisionError)


def test_batches_of_an_asyncio_client_are_awaited(run, serve, aclient, eventually):
    server = serve(numbers)

    async def main():
        seen, most = [], 0

        async def many(messages):
            nonlocal most
            await asyncio.sleep(0)
            most = max(most, len(messages))
            seen.extend(message["n"] for message in messages)

        async with aclient(server) as ws:
            ws.on("b", many, batch=True)
            await ws.send({"go": 1})
            assert await eventually(lambda: len(seen) == 500)
        assert seen == list(range(1, 1000, 2))
        assert 1 < most <= 256

    run(main())


def test_recv_many_takes_what_is_there(serve, client, until):
    ws = client(serve(numbers))
    ws.wait_open(10)
    with pytest.raises(TimeoutError, match="no message within"):
        ws.recv_many(10, 0.02)
    ws.send({"go": 1})
    assert until(lambda: ws.stats().messages_in == 1002)
    ws.ping(10)  # its answer is read after the last of them was placed
    assert [message["n"] for message in ws.recv_many(3)] == [0, 1, 2]
    assert ws.recv(1)["n"] == 3
    assert [message["n"] for message in ws.recv_many(500, 1)] == list(range(4, 504))
    rest = ws.recv_many(10_000, timeout=1)
    assert len(rest) == 498
    assert rest[-2:] == [b"bytes", {"type": "end"}]
    for bad, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="max"):
            ws.recv_many(bad)
    ws.close()
    with pytest.raises(ConnectionClosed):
        ws.recv_many(1)


def test_recv_many_in_a_handler_is_refused(serve, client, until):
    ws, told = client(serve(numbers)), []
    ws.on("error", told.append).on("end", lambda message: ws.recv_many(5))
    ws.wait_open(10)
    ws.send({"go": 1})
    assert until(lambda: len(told) == 1)
    assert isinstance(told[0].exception, RuntimeError)


def test_recv_many_of_an_asyncio_client(run, serve, aclient, eventually):
    server = serve(numbers)

    async def main():
        async with aclient(server) as ws:
            with pytest.raises(TimeoutError):
                await ws.recv_many(10, 0.02)
            waiting = asyncio.create_task(ws.recv_many(10_000))
            await ws.send({"go": 1})
            first = await waiting
            assert await eventually(lambda: ws.stats().messages_in == 1002)
            await ws.ping(10)  # its answer is read after the last of them was placed
            rest = await ws.recv_many(10_000) if len(first) < 1002 else []
            assert len(first) + len(rest) == 1002
            assert [one["n"] for one in (first + rest)[:1000]] == list(range(1000))
        with pytest.raises(ConnectionClosed):
            await ws.recv_many(1)

    run(main())
