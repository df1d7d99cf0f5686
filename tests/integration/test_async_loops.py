"""Which loop a client belongs to, and what wakes that (api section 6)."""

import asyncio
import contextlib
import gc
import json
import os
import threading

import pytest
from server_scripts import echo

import fastws
from fastws import AsyncWebSocketClient
from fastws._scripted_frames import encode_frame


def test_made_where_no_loop_runs_it_connects_at_its_first_on_or_await_in_one(run, serve, aclient, eventually):
    server = serve(echo)
    first, second, seen = aclient(server), aclient(server), []
    second.on("connect", seen.append)
    assert (first.state, second.state) == ("idle", "idle")

    async def main():
        assert first.sticky("key", {}) is False  # the next connection will send it, whichever loop that is in
        assert first.off("message") is first and first.unsticky("key")
        assert first.state == "idle"
        first.on("message", print)
        assert await eventually(lambda: first.state == "open")
        await second.wait_open(10)
        assert await eventually(lambda: len(seen) == 1)
        await first.close()
        await second.close()

    run(main())


def test_closed_before_it_had_a_loop_it_never_connects(run, serve, aclient):
    server = serve(echo)
    ws, replaced = aclient(server), aclient(server, name="one")
    newer = aclient(server, name="one", autoconnect=False)

    async def main():
        await ws.close()
        replaced.on("n", print)
        newer.on("n", print)
        assert (ws.state, replaced.state, newer.state) == ("closed", "closed", "idle")
        await newer.close()

    run(main())
    assert not server.connections


def test_another_live_loop_may_not_use_it(serve, aclient, new_loop):
    server = serve(echo)
    mine, other = new_loop(), new_loop()
    ws = None

    async def make():
        nonlocal ws
        ws = aclient(server)
        await ws.wait_open(10)

    async def use():
        for call in (
            lambda: ws.send({}),
            lambda: ws.send_text(""),
            lambda: ws.send_bytes(b""),
            lambda: ws.recv(1),
            lambda: ws.recv_many(1, 1),
            lambda: ws.wait(1),
            lambda: ws.wait_open(1),
            lambda: ws.ping(1),
            lambda: ws.close(),
            lambda: anext(ws.messages("a")),
            lambda: ws.__aenter__(),
        ):
            with pytest.raises(RuntimeError, match="belongs to another event loop"):
                await call()
        for call in (
            lambda: ws.on("a", print),
            lambda: ws.off("a"),
            lambda: ws.sticky("key", {}),
            lambda: ws.unsticky("key"),
            lambda: ws.keep("a"),
            ws.connect,
            ws.reconnect,
        ):
            with pytest.raises(RuntimeError, match="belongs to another event loop"):
                call()
        assert ws.state == "open"

    mine.run_until_complete(make())
    other.run_until_complete(use())
    other.close()
    errors = []

    def elsewhere():
        try:
            ws.on("a", print)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(errors) == 1
    ws.on("n", print)  # between two runs of its own loop, in that loop's thread
    mine.run_until_complete(ws.close())
    mine.close()


def test_two_hundred_clients_on_one_loop(run, serve, aclient, eventually):
    server = serve(echo)

    async def one(number):
        got = []
        async with aclient(server, connect_timeout=30) as ws:
            ws.on("n", lambda message: got.append(message["n"]))
            for n in range(10):
                assert await ws.send({"type": "n", "n": n})
            assert await eventually(lambda: len(got) == 10)
        return got == list(range(10))

    async def main():
        assert all(await asyncio.gather(*(one(number) for number in range(200))))

    run(main(), timeout=100)


def test_several_loops_in_several_threads(serve, aclient, new_loop):
    server = serve(echo)
    results = []

    async def main():
        async with aclient(server) as ws:
            total = 0
            for n in range(200):
                await ws.send({"n": n})
                total += (await ws.recv(10))["n"]
            return total

    def work():
        loop = new_loop()
        results.append(loop.run_until_complete(main()))
        loop.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [sum(range(200))] * 4


def test_one_wake_up_for_a_batch_and_none_for_what_nobody_wants(run, serve, aclient, eventually, monkeypatch):
    def script(conn):
        conn.accept()
        conn.expect()
        # At once, so that they come in few reads however quick the loop is.
        texts = [{"type": "n" if n % 3 == 0 else "unwanted", "n": n} for n in range(3000)]
        conn.send_raw(b"".join(encode_frame(1, json.dumps(text).encode()) for text in texts))
        conn.expect()
        for _ in range(1000):
            conn.send_json({"type": "unwanted"})
        conn.send_json({"type": "n", "n": -1})

    server = serve(script)

    async def main():
        rings, got = [], []
        ws = aclient(server, settle=0.0)
        ws.on("n", lambda message: got.append(message["n"]))
        await ws.wait_open(10)
        rouse = ws._bell._rouse
        monkeypatch.setattr(type(ws._bell), "_rouse", lambda bell: (rings.append(1), rouse()))
        await ws.send({"go": 1})
        assert await eventually(lambda: len(got) == 1000)
        assert len(rings) < 100, "about one for each time the queue ran empty, never one for each message"
        await asyncio.sleep(0.05)
        rings.clear()
        await ws.send({"go": 2})
        assert await eventually(lambda: got[-1] == -1)
        assert len(rings) <= 2
        await ws.close()

    run(main())


def test_close_all_in_a_loop_and_outside(run, serve, aclient, client, eventually):
    server = serve(echo)
    plain = client(server)
    plain.wait_open(10)

    async def main():
        first, second = aclient(server), aclient(server)
        await first.wait_open(10)
        await second.wait_open(10)
        assert set(fastws.clients()) == {plain, first, second}
        fastws.close_all()
        assert plain.state == "closed"
        assert await first.wait(10)
        assert await second.wait(10)
        assert fastws.clients() == []

    run(main())


def test_close_all_outside_the_loop_closes_what_another_threads_loop_has(serve, aclient, until):
    server = serve(echo)
    opened, seen = threading.Event(), []

    async def main():
        ws = aclient(server)
        ws.on("closed", lambda: seen.append("closed"))
        await ws.wait_open(10)
        opened.set()
        await ws.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert opened.wait(10)
    (ws,) = fastws.clients()
    assert isinstance(ws, AsyncWebSocketClient)
    fastws.close_all()
    assert ws.state == "closed"
    thread.join(10)
    assert seen == ["closed"]


def test_one_name_one_connection_of_either_kind(run, serve, aclient, client, eventually):
    server = serve(echo)
    plain = client(server, name="one")
    plain.wait_open(10)

    async def main():
        async with aclient(server, name="one") as ws:
            assert plain.state == "closed"
            assert ws.name == "one"

    run(main())


def event_descriptors():
    """How many eventfds are open."""
    links = []
    for one in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            links.append(os.readlink(f"/proc/self/fd/{one}"))
    return links.count("anon_inode:[eventfd]")


def test_the_clients_of_a_loop_share_one_descriptor(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        async with aclient(server) as first:  # from here on the process has its I/O thread
            before = event_descriptors()
            others = [aclient(server) for _ in range(20)]
            for number, ws in enumerate(others):
                await ws.wait_open(10)
                await ws.send({"n": number})
            assert [await ws.recv(10) for ws in others] == [{"n": number} for number in range(20)]
            assert event_descriptors() == before
            for ws in others:
                await ws.close()
            del ws
            others.clear()
            gc.collect()
            await first.send({"n": -1})  # it is still heard
            assert await first.recv(10) == {"n": -1}
        del first
        gc.collect()
        assert await eventually(lambda: event_descriptors() == before - 1)
        async with aclient(server) as again:
            await again.send({"n": 1})
            assert await again.recv(10) == {"n": 1}

    run(main())


def test_a_loop_in_each_thread_hears_its_own_clients(serve, aclient, new_loop):
    server = serve(echo)
    start, failed = threading.Barrier(4), []

    async def main(thread):
        clients = [aclient(server) for _ in range(5)]
        for turn in range(20):
            for number, ws in enumerate(clients):
                await ws.wait_open(10)
                await ws.send({"n": [thread, number, turn]})
            for number, ws in enumerate(clients):
                assert await ws.recv(10) == {"n": [thread, number, turn]}
        for ws in clients:
            await ws.close()

    def live(thread):
        start.wait()
        loop = new_loop()
        try:
            loop.run_until_complete(main(thread))
        except BaseException as error:
            failed.append(error)
        finally:
            loop.close()

    threads = [threading.Thread(target=live, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not failed
    assert not any(one.is_alive() for one in threads)
