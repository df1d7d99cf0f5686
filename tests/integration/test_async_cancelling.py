"""Cancelling any await loses nothing, gives nothing twice and keeps the order (api section 6), under a running feed."""

import asyncio
import json
import random

import pytest

COUNT = 3000


def feed(conn):
    """Numbers, in bursts of a length of their own, so that some awaits find messages and some have to sleep."""
    conn.accept()
    conn.expect()
    chance = random.Random(1)
    n = 0
    while n < COUNT:
        for _ in range(chance.choice([1, 2, 7, 60, 300])):
            if n < COUNT:
                conn.send_json({"type": "n", "n": n})
                n += 1
        conn.stall(chance.choice([0.0005, 0.002]))


async def interrupted(chance, awaitable):
    """What an awaitable gives, cancelled at some moment or by some timeout: None when that came first."""
    task = asyncio.ensure_future(awaitable)
    way = chance.randrange(4)
    if way == 0:  # before it begins, or as it wakes up
        task.cancel()
    elif way == 1:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        task.cancel()
    elif way == 2:
        await asyncio.wait([task], timeout=chance.random() * 0.002)
        task.cancel()
    else:
        try:
            return await asyncio.wait_for(task, chance.random() * 0.002)
        except asyncio.TimeoutError:
            return None
    try:
        return await task
    except asyncio.CancelledError:
        return None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", ["recv", "recv with a timeout", "recv_many", "iteration", "messages"])
def test_cancelled_reading(run, serve, aclient, way, seed):
    server = serve(feed)

    async def main():
        chance = random.Random(seed)
        got = []
        async with aclient(server) as ws:
            some = ws.messages("n") if way == "messages" else aiter(ws)

            async def timed():
                try:
                    return await ws.recv(chance.random() * 0.001)
                except TimeoutError:
                    return None

            calls = {
                "recv": ws.recv,
                "recv with a timeout": timed,
                "recv_many": lambda: ws.recv_many(chance.randrange(1, 100)),
            }
            call = calls.get(way, lambda: anext(some))
            await ws.send({"go": 1})
            while len(got) < COUNT:
                if chance.random() < 0.5:
                    message = await call()
                else:
                    message = await interrupted(chance, call())
                if message is not None:
                    got += message if way == "recv_many" else [message]
            with pytest.raises(TimeoutError):
                await ws.recv(0.01)
        assert [message["n"] for message in got] == list(range(COUNT))

    run(main(), timeout=100)


def test_many_readers_at_once_some_of_them_cancelled(run, serve, aclient):
    """Tasks that wait for the same queue: each message goes to one of them, and none is lost with one that goes."""
    server = serve(feed)

    async def main():
        chance = random.Random(5)
        got = []

        async def read():
            while True:
                got.append((await ws.recv())["n"])

        async with aclient(server) as ws:
            aiter(ws)  # the messages are for reading from now on, though the tasks may begin late
            readers = [asyncio.create_task(read()) for _ in range(8)]
            await ws.send({"go": 1})
            while len(got) < COUNT:
                await asyncio.sleep(0.001)
                victim = chance.randrange(8)
                readers[victim].cancel()
                readers[victim] = asyncio.create_task(read())
            for task in readers:
                task.cancel()
            await asyncio.wait(readers)
        assert sorted(got) == list(range(COUNT))

    run(main(), timeout=100)


@pytest.mark.parametrize("seed", range(3))
def test_cancelled_sending(run, serve, aclient, eventually, seed):
    """What was accepted arrives once and in order; what was cancelled arrives whole or not at all."""

    def slow(conn):
        conn.accept()
        while not conn.stall(0.003):
            conn.pause_reading()
            conn.stall(0.003)
            conn.resume_reading()

    server = serve(slow, receive_buffer=4096)

    async def main():
        chance = random.Random(seed)
        accepted = []
        async with aclient(server, outbox_bytes=20_000, compress=False, close_timeout=20) as ws:
            conn = server.wait_open(1)
            pad = "x" * 3000
            for n in range(400):
                if chance.random() < 0.5:
                    sent = await ws.send({"n": n, "pad": pad})
                else:
                    sent = await interrupted(chance, ws.send({"n": n, "pad": pad}))
                if sent:
                    accepted.append(n)
            await ws.send({"n": "last"})
        assert await eventually(lambda: conn.messages and '"last"' in conn.messages[-1])
        return accepted, [json.loads(message) for message in conn.messages[:-1]]

    accepted, arrived = run(main(), timeout=100)
    assert [message["n"] for message in arrived] == accepted
    assert {len(message["pad"]) for message in arrived} == {3000}


def test_cancelled_waiting_changes_nothing(run, serve, aclient):
    server = serve(lambda conn: (conn.accept(), conn.stall()))

    async def main():
        ws = aclient(server)
        calls = [ws.wait_open, ws.wait, lambda: ws.ping(None), ws.recv]
        for _ in range(3):
            for call in calls:
                task = asyncio.ensure_future(call())
                await asyncio.sleep(0.002)
                task.cancel()
                await asyncio.wait([task])
            await ws.wait_open(10)
        assert ws.state == "open"
        closing = asyncio.ensure_future(ws.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        assert await ws.wait(10), "a close that was cancelled has begun nevertheless"

    run(main())
