"""What becomes of a client whose loop ends, or that is dropped, and what is left of it (api section 6, R17)."""

import asyncio
import contextlib
import gc
import os
import threading
import time

import pytest
from server_scripts import echo

import fastws
from fastws import ConnectionClosed


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_a_loop_that_is_closed_early_closes_the_client_and_another_may_have_it(
    serve, client, aclient, new_loop, caplog, until
):
    with client(serve(echo)) as first:
        first.wait_open(10)  # the process has an I/O thread from now on, whose descriptors stay,
    new_loop().close()  # and what its first loop of this kind leaves open
    server = serve(echo)
    before = descriptors()
    made = []

    async def make():
        ws = aclient(server)
        ws.on("n", print)
        await ws.wait_open(10)
        made.append(ws)
        made.append(asyncio.ensure_future(ws.recv()))
        await asyncio.sleep(0.01)

    loop = new_loop()
    loop.run_until_complete(make())
    caplog.clear()
    reading = made.pop()
    with contextlib.suppress(AttributeError):
        reading._log_destroy_pending = False  # the test's own task, which it leaves behind
    del reading
    loop.close()
    del loop
    gc.collect()
    assert until(lambda: made[0].state == "closed")
    assert server.connections[0].wait_close() == 1000
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "its event loop ends" in caplog.text

    async def again():
        ws = made[0]
        with pytest.raises(ConnectionClosed):
            await ws.recv(1)
        ws.connect()
        await ws.wait_open(10)
        await ws.send({"n": 1})
        assert await ws.recv(10) == {"n": 1}
        await ws.close()

    loop = new_loop()
    loop.run_until_complete(again())
    loop.close()
    del loop
    made.clear()
    gc.collect()
    assert until(lambda: descriptors() <= before + 1), (
        before,
        descriptors(),
    )  # the io thread's socket pair may be new


@pytest.mark.parametrize("waiting", ["handler", "provider"])
def test_what_a_closed_loop_left_in_an_await_is_no_failure(serve, new_loop, caplog, until, waiting):
    def script(conn):
        conn.accept()
        conn.send_json({"type": "n"})
        conn.stall()

    server = serve(script)
    caught, reached, made = [], [], []

    async def forever(*_):
        reached.append(True)
        try:
            await asyncio.Event().wait()
        except GeneratorExit as error:
            caught.append(type(error))
            raise

    async def make():
        ws = fastws.AsyncWebSocketClient(
            server.url, **({"headers": forever} if waiting == "provider" else {})
        )
        ws.on("n", forever).on("error", caught.append)
        while not reached:
            await asyncio.sleep(0.01)
        made.append(ws)

    loop = new_loop()
    loop.run_until_complete(make())
    loop.close()
    del loop
    assert until(lambda: made[0].state == "closed")
    made.clear()
    gc.collect()
    assert caught == [GeneratorExit], "the coroutine is taken apart, and that is all"
    told = [record.getMessage() for record in caplog.records if record.name == "fastws"]
    assert [text for text in told if "its event loop ends" not in text] == []


def test_between_two_loops_it_takes_handlers_and_commands(run, serve, aclient, eventually):
    server = serve(echo)
    made, seen = [], []

    async def first():
        async with aclient(server, headers=lambda: {}) as ws:
            ws.on("n", seen.append)
        made.append(ws)

    async def second():
        ws = made[0]
        await ws.wait_open(10)
        await ws.send({"type": "m"})
        assert await eventually(lambda: seen == ["open", {"type": "m"}])
        await ws.close()

    run(first())
    ws = made[0]
    ws.on("m", seen.append).on("connect", lambda: seen.append("open")).off("n")
    assert ws.state == "closed"
    ws.connect()
    assert ws.state == "closed", "nothing runs yet"
    run(second())


def test_dropped_between_two_runs_of_its_loop_it_ends(serve, aclient, new_loop, until):
    server = serve(lambda conn: conn.stall())

    async def make():
        async def slow():
            await asyncio.sleep(60)

        ws = aclient(server, headers=slow)
        ws.on("n", print)
        await asyncio.sleep(0.01)
        return ws

    loop = new_loop()
    ws = loop.run_until_complete(make())
    with pytest.warns(ResourceWarning, match=r"was not closed; await close\(\) or async with"):
        del ws
        gc.collect()
    assert until(lambda: not fastws.clients())
    loop.run_until_complete(asyncio.sleep(0.01))
    assert not asyncio.all_tasks(loop)
    loop.close()


def test_a_loop_that_cancels_all_tasks_is_told_the_last_events(serve, aclient, caplog):
    """What asyncio.run does when main returns and leaves a client open."""
    server = serve(echo)
    seen = []

    async def main():
        ws = aclient(server)
        for event in ("connect", "disconnect", "closed"):
            ws.on(event, lambda event: seen.append(type(event).__name__))
        began = asyncio.Event()

        async def stuck(message):
            began.set()
            try:
                await asyncio.sleep(60)
            finally:
                seen.append("cancelled")

        ws.on("n", stuck)
        await ws.wait_open(10)
        await ws.send({"type": "n"})
        await asyncio.wait_for(began.wait(), 10)
        return ws

    ws = asyncio.run(main())
    assert ws.state == "closed"
    assert seen == ["Connect", "cancelled", "Disconnect", "Closed"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_last_handler_that_does_not_return_holds_the_loop_no_longer_than_close_does(serve, aclient, until):
    server = serve(echo)

    async def main():
        ws = aclient(server, close_timeout=0.05)
        ws.on("closed", lambda: asyncio.sleep(60))
        await ws.wait_open(10)
        return ws

    began = time.monotonic()
    ws = asyncio.run(main())
    assert time.monotonic() - began < 30
    assert until(lambda: ws.state == "closed")


def test_nothing_is_left_of_clients_that_were_closed(run, serve, aclient, until):
    server = serve(echo)

    async def some():
        for _ in range(20):
            async with aclient(server) as ws:
                ws.on("n", print)
                reading = aiter(ws)  # first: a second after the handler, what nobody reads is dropped
                await ws.send({"n": 1})
                await anext(reading)
        del ws, reading
        gc.collect()

    run(some())
    before = descriptors()
    run(some())
    assert until(lambda: descriptors() <= before), (before, descriptors())


def test_a_dropped_client_ends_with_a_warning_from_any_thread(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        async def opened():
            ws = aclient(server)
            ws.on("n", lambda message, ws=ws: ws)  # a cycle: only the collector frees it
            await ws.wait_open(10)

        await opened()
        with pytest.warns(ResourceWarning, match=r"was not closed; await close\(\) or async with"):
            gc.collect()
        assert await eventually(lambda: not fastws.clients())

        await opened()
        with pytest.warns(ResourceWarning, match=r"was not closed; await close\(\) or async with"):
            thread = threading.Thread(target=gc.collect)
            thread.start()
            while thread.is_alive():
                await asyncio.sleep(0.005)
        assert await eventually(lambda: len(asyncio.all_tasks()) <= 2), "its task ends"

    run(main())
