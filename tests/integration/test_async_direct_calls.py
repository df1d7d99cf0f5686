"""Handlers of an asyncio client called straight from the slice: as step-by-step delivery calls them, whatever they are."""

import asyncio
import time

import pytest
from child_process import Child
from restless_handlers import deeds, numbered


async def story(seed, serve, aclient, eventually, *, stepwise):
    """Every call of a few handlers, plain and coroutine, that come, go, raise and return things while the messages run."""
    messages = numbered(seed, ["a", "b", "c", "message"])
    ws = aclient(serve(lambda conn: [conn.send_json(one) for one in messages]), autoconnect=False)
    calls = []

    def late(message):
        calls.append(("late", message["n"]))

    async def later(message):
        await asyncio.sleep(0)
        calls.append(("later", message["n"]))

    deed = deeds(seed, ws, calls, late, later)

    def plain(message):
        calls.append(("plain", message["n"]))
        return deed(message)

    async def coroutine(message):
        calls.append(("begins", message["n"]))
        if message["n"] % 3:
            await asyncio.sleep(0)
        calls.append(("ends", message["n"]))
        return deed(message)

    async def told(event):
        await asyncio.sleep(0)
        calls.append(("error", str(event.exception)))

    ws.on("a", plain).on("b", coroutine).on("b", plain).on("c", lambda message: coroutine(message))
    ws.on("error", told).on("message", lambda message: calls.append(("message", message["n"])))
    ws.on("end", lambda _: calls.append("end"))
    if stepwise:
        ws.on("*", lambda *_: None)
    ws.connect()
    assert await eventually(lambda: "end" in calls)
    await ws.close()
    return calls


@pytest.mark.parametrize("seed", range(5))
def test_direct_calls_are_those_of_stepwise_delivery(run, serve, aclient, eventually, seed):
    async def main():
        direct = await story(seed, serve, aclient, eventually, stepwise=False)
        assert len(direct) > 700
        assert direct == await story(seed, serve, aclient, eventually, stepwise=True)

    run(main())


@pytest.mark.parametrize("batch", [False, True], ids=["", "batch"])
def test_close_in_a_handler_ends_the_slice(run, serve, aclient, eventually, batch):
    """R2: neither the same message's other handlers nor the next messages are called."""

    async def main():
        calls = []
        ws = aclient(
            serve(lambda conn: [conn.send_json({"type": "a", "n": n}) for n in range(100)]), autoconnect=False
        )

        async def closing(message):
            calls.append(message["n"])
            if message["n"] == 10:
                await ws.close()

        ws.on("a", closing).on("a", lambda message: calls.append(-message["n"]))
        if batch:
            ws.on("b", calls.append, batch=True)
        ws.on("closed", lambda: calls.append("closed"))
        ws.connect()
        assert await eventually(lambda: "closed" in calls)
        assert calls == [n for k in range(10) for n in (k, -k)] + [10, "closed"]
        stats = ws.stats()
        assert stats.handled + stats.dropped["closed"] == stats.messages_in

    run(main())


def test_messages_that_come_while_a_late_connect_handler_waits_are_delivered(run, serve, aclient, eventually):
    """The bell that they rang is heard by nobody: the task looks again before it sleeps."""

    def script(conn):
        conn.accept()
        conn.expect()
        for n in range(3):
            conn.send_json({"type": "n", "n": n})

    server = serve(script)

    async def main():
        seen = []
        async with aclient(server) as ws:
            ws.on("n", lambda message: seen.append(message["n"]))
            await asyncio.sleep(0.05)  # the task sleeps

            async def late():
                await ws.send({"go": 1})
                while ws.stats().messages_in < 3:
                    await asyncio.sleep(0.005)
                await asyncio.sleep(0.05)

            ws.on("connect", late)
            assert await eventually(lambda: seen == [0, 1, 2], 5)

    run(main())


@pytest.mark.parametrize("coroutine", [False, True], ids=["plain", "coroutine"])
def test_handlers_that_take_their_time_let_other_tasks_run(run, serve, aclient, eventually, coroutine):
    """A slice ends after 2 ms, whatever waits, and also where nothing that is awaited ever sleeps."""
    count = 300
    server = serve(
        lambda conn: (conn.expect(), [conn.send_json({"type": "n", "n": n}) for n in range(count)])
    )

    async def main():
        turns, in_a_row, most, last = 0, 0, 0, -1
        seen = []

        def work(message):
            nonlocal in_a_row, most, last
            in_a_row = in_a_row + 1 if turns == last else 1
            most, last = max(most, in_a_row), turns
            time.sleep(0.001)
            seen.append(message["n"])

        async def work_too(message):
            work(message)

        async def other():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with aclient(server) as ws:
            ws.on("n", work_too if coroutine else work)
            await ws.send({"go": 1})
            beside = asyncio.create_task(other())
            assert await eventually(lambda: len(seen) == count)
            beside.cancel()
            await asyncio.wait([beside])
        assert seen == list(range(count))
        assert most <= 8, most

    run(main())


def test_what_a_loop_that_ends_leaves_of_a_slice_is_not_told_in_the_next(
    serve, aclient, new_loop, until, caplog
):
    """Its messages are of a life that is over; what ended it is told."""
    rounds = []

    def script(conn):
        conn.accept()
        rounds.append(conn.index)
        for n in range(50):
            conn.send_json({"type": "n", "n": n + 100 * conn.index})

    server = serve([script, script])
    seen = []
    made = []

    async def first():
        ws = aclient(server, autoconnect=False)
        made.append(ws)

        async def stuck(message):
            seen.append(message["n"])
            if message["n"] == 3:
                await asyncio.sleep(60)

        ws.on("n", stuck)
        ws.connect()
        while 3 not in seen or ws.stats().messages_in < 50:
            await asyncio.sleep(0.005)

    async def second():
        ws = made[0]
        ws.connect()
        while 149 not in seen:
            await asyncio.sleep(0.005)
        stats = ws.stats()
        await ws.close()
        return stats

    loop = new_loop()
    loop.run_until_complete(first())
    loop.close()
    assert until(lambda: made[0].state == "closed")
    loop = new_loop()
    stats = loop.run_until_complete(asyncio.wait_for(second(), 20))
    loop.close()
    assert seen == [*range(4), *range(100, 150)]
    assert (stats.messages_in, stats.inbox_messages) == (100, 0)


INTERRUPTED = """
import asyncio, json, uvloop
from fastws import AsyncWebSocketClient
interrupts, loads = [KeyboardInterrupt()], json.loads

def interrupted(text, *more, **options):
    if "NaN" in text and interrupts:
        raise interrupts.pop()
    return loads(text, *more, **options)

json.loads = interrupted

async def main():
    async with AsyncWebSocketClient(sys.argv[1]) as ws:
        ws.on("n", lambda message: say("handled"))
        await ws.send("go")
        await asyncio.sleep(20)

try:
    (uvloop if sys.argv[2] == "uvloop" else asyncio).run(main())
except KeyboardInterrupt:
    say("interrupted")
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_ctrl_c_while_a_message_is_made_goes_through(serve, loop):
    """json.loads makes some messages (NaN is in them), and Ctrl-C may come in there."""
    server = serve(lambda conn: [conn.expect(), conn.send('{"type": "n", "v": NaN}'), conn.stall()])
    child = Child(INTERRUPTED, server.url, loop)
    try:
        assert child.hear(60) == ["interrupted"]
    finally:
        child.end()
