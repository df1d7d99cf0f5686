"""Handlers in an event loop: one task, in order, whatever they return awaited (api sections 3 and 6)."""

import asyncio
import time

import pytest
from server_scripts import echo

import fastws
from fastws import Connect


def test_handlers_run_in_order_and_what_they_return_is_awaited(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        seen = []

        async def slow(message):
            seen.append(("begins", message["n"]))
            await asyncio.sleep(0.01)
            seen.append(("ends", message["n"]))

        async with aclient(server) as ws:
            ws.on("n", slow).on("n", lambda message: seen.append(("next", message["n"])))
            for n in range(5):
                await ws.send({"type": "n", "n": n})
            assert await eventually(lambda: len(seen) == 15)
        assert seen == [(what, n) for n in range(5) for what in ("begins", "ends", "next")]

    run(main())


def test_a_lambda_may_return_a_send(run, serve, aclient):
    server = serve(echo)

    async def main():
        ws = aclient(server)
        ws.on("connect", lambda: ws.send({"type": "subscribe"}))
        assert await ws.recv(10) == {"type": "subscribe"}
        await ws.close()

    run(main())


def test_a_slow_handler_holds_back_the_next_and_never_the_connection(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        release, seen = asyncio.Event(), []

        async def stuck(message):
            seen.append(message["n"])
            await release.wait()

        async with aclient(server, ping_interval=0.05, pong_timeout=30) as ws:
            ws.on("n", stuck)
            for n in range(3):
                await ws.send({"type": "n", "n": n})
            assert await eventually(lambda: seen == [0])
            await asyncio.sleep(0.3)
            assert (seen, ws.state) == ([0], "open")
            assert await ws.ping() > 0
            release.set()
            assert await eventually(lambda: seen == [0, 1, 2])

    run(main())


def test_what_a_handler_raises_is_told_and_ends_nothing(run, serve, aclient, eventually, caplog):
    server = serve(echo)

    async def main():
        told, seen = [], []

        async def fails(message):
            await asyncio.sleep(0)
            raise LookupError("no")

        async def cancels(message):
            raise asyncio.CancelledError

        async def late(message):
            await asyncio.wait_for(asyncio.sleep(60), 0.01)

        async def exits(message):
            raise GeneratorExit

        async with aclient(server) as ws:
            for handler in (fails, cancels, late, exits, lambda message: seen.append(message["n"])):
                ws.on("n", handler)
            ws.on("error", told.append)
            for n in range(2):
                await ws.send({"type": "n", "n": n})
            assert await eventually(lambda: seen == [0, 1])
            assert ws.state == "open"
        kinds = [LookupError, asyncio.CancelledError, asyncio.TimeoutError, GeneratorExit]
        assert [type(event.exception) for event in told] == kinds * 2
        assert {event.phase for event in told} == {"handler"}

    run(main())


@pytest.mark.parametrize("way", ["recv", "recv_many", "iteration", "wait", "wait_open"])
def test_a_handler_does_not_wait_for_its_own_client_but_a_task_it_started_may(
    run, serve, aclient, eventually, way
):
    server = serve(echo)

    async def main():
        outcomes = []
        ws = aclient(server)
        calls = {
            "recv": lambda: ws.recv(0.01),
            "recv_many": lambda: ws.recv_many(2, 0.01),
            "iteration": lambda: anext(ws.messages("x")),
            "wait": lambda: ws.wait(0.01),
            "wait_open": lambda: ws.wait_open(0.01),
        }

        async def call():
            try:
                return await calls[way]()
            except Exception as error:
                return repr(error)  # the error itself would keep the iterator, and its queue

        async def handler(message):
            outcomes.append(await call())
            outcomes.append(asyncio.create_task(call()))

        ws.on("go", handler)
        await ws.wait_open(10)
        await ws.send({"type": "go"})
        assert await eventually(lambda: len(outcomes) == 2)
        assert "RuntimeError" in outcomes[0]
        assert "in a handler" in outcomes[0]
        if way == "iteration":
            await ws.send({"type": "x"})
        assert "RuntimeError" not in repr(await outcomes[1])
        await ws.close()

    run(main())


def test_close_in_a_handler_returns_at_once_and_the_rest_is_told(run, serve, aclient):
    server = serve(echo)

    async def main():
        seen = []
        ws = aclient(server)

        async def handler(message):
            await ws.close()
            seen.append("closed it")

        ws.on("go", handler).on("go", lambda message: seen.append("never"))
        ws.on("disconnect", lambda: seen.append("disconnect")).on("closed", lambda: seen.append("closed"))
        await ws.wait_open(10)
        await ws.send({"type": "go"})
        assert await ws.wait(10)
        assert seen == ["closed it", "disconnect", "closed"]

    run(main())


def test_close_returns_behind_the_last_handlers_though_the_server_never_answers(
    run, serve, aclient, eventually
):
    """At the deadline the connection is cut on another thread: `disconnect` has to wait for its count of what was unsent."""

    def silent(conn):
        conn.answer_close = False
        conn.accept()

    server = serve(silent)

    async def main():
        async def once():
            seen = []
            ws = aclient(server, close_timeout=0.02)
            for event in ("connect", "disconnect", "closed"):
                ws.on(event, lambda told: seen.append(type(told).__name__))
            assert await eventually(lambda: seen)
            began = time.monotonic()
            await ws.close()
            if (
                time.monotonic() - began >= 0.5
            ):  # the machine is slow: close() may give up its wait for handlers
                await eventually(lambda: len(seen) == 3)
            assert seen == ["Connect", "Disconnect", "Closed"]

        for _ in range(15):
            await once()

    run(main())


def test_a_send_of_a_connect_handler_belongs_to_that_connection(run, serve, aclient, eventually):
    """R8: when that is over before it sends, it is dropped, since the next connect calls the handler again."""

    def script(conn):
        conn.accept()
        if conn.index == 0:
            conn.close(1012)

    server = serve(script)

    async def main():
        sent = []
        ws = aclient(server, reconnect=fastws.Backoff(base=0.01, close_code_delay={}))

        async def connected(event):
            if event.epoch == 1:
                await eventually(lambda: ws.stats().connects == 2 and ws.state == "open")
            sent.append((event.epoch, await ws.send({"of": event.epoch})))

        ws.on("connect", connected)
        assert await eventually(lambda: len(sent) == 2)
        assert sent == [(1, False), (2, True)]
        await ws.close()

    run(main())


def test_once_off_and_a_late_connect_handler(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        seen = []
        async with aclient(server) as ws:
            ws.on("connect", lambda event: seen.append(event))
            assert await eventually(lambda: len(seen) == 1)
            assert isinstance(seen[0], Connect)
            assert seen[0].client is ws

            @ws.on("n", once=True)
            async def first(message):
                seen.append(message["n"])

            gone = ws.on("m")(lambda message: seen.append("never"))
            ws.off("m", gone)
            told = asyncio.Event()
            ws.on("last", lambda message: told.set())
            everything = ws.messages()  # before they come: who gets a message is decided when it arrives
            sent = [message for n in range(3) for message in ({"type": "n", "n": n}, {"type": "m"})]
            sent.append({"type": "last"})
            for message in sent:
                await ws.send(message)
            assert [await asyncio.wait_for(anext(everything), 10) for _ in sent] == sent
            await asyncio.wait_for(told.wait(), 10)  # what came before was delivered before
            assert seen[1:] == [0]

    run(main())


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("slow", [False, True], ids=["plain", "coroutine"])
def test_what_ends_the_program_closes_the_client_and_is_raised_by_wait(serve, aclient, new_loop, kind, slow):
    server = serve(echo)

    async def main():
        ws, seen = aclient(server), []

        def leave(message):
            raise kind("enough")

        async def leave_later(message):
            await asyncio.sleep(0)
            raise kind("enough")

        ws.on("go", leave_later if slow else leave).on("closed", lambda: seen.append(ws.state))
        ws.on("connect", lambda: ws.send({"type": "go"}))
        try:
            await ws.wait(10)
        except kind as error:
            return str(error), seen, ws.state
        raise AssertionError("wait() did not raise")

    loop = new_loop()
    try:
        assert loop.run_until_complete(main()) == ("enough", ["closed"], "closed")
    finally:
        loop.close()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_program_goes_through_the_loop_when_nobody_waits(serve, aclient, new_loop, kind):
    server = serve(echo)
    made = []

    async def main():
        def leave(message):
            raise kind("enough")

        ws = aclient(server)
        made.append(ws)
        ws.on("go", leave).on("connect", lambda: ws.send({"type": "go"}))
        await asyncio.sleep(60)

    loop = new_loop()
    task = loop.create_task(main())
    try:
        with pytest.raises(kind, match="enough"):
            loop.run_until_complete(task)
        assert loop.run_until_complete(made[0].close()) is None
        assert made[0].state == "closed"
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
    finally:
        loop.close()


def test_a_timeout_in_a_handler_is_not_the_end_of_the_task(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        seen = []

        async def handler(message):
            # What a timeout of the handler's own does to its task, and how it takes it back.
            task = asyncio.current_task()
            asyncio.get_running_loop().call_later(0.01, task.cancel)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if hasattr(task, "uncancel"):
                    task.uncancel()
            seen.append(message["n"])

        async with aclient(server) as ws:
            ws.on("n", handler)
            for n in range(3):
                await ws.send({"type": "n", "n": n})
            assert await eventually(lambda: seen == [0, 1, 2])
            assert ws.state == "open"

    run(main())
