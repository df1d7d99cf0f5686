"""AsyncWebSocketClient: the same client for asyncio and uvloop (api section 6). Every test runs on both."""

import asyncio

import aiohttp
import aiohttp.web
import pytest
import websockets
from server_scripts import echo

from fastws import ConnectFailed, ConnectionClosed, ConnectTimeout, MessageTooBig, NotConnected, ReadyState


def numbers(count):
    """Sends so many messages, once one came."""

    def script(conn):
        conn.expect()
        for n in range(count):
            conn.send_json({"type": "n", "n": n})

    return script


def test_a_round_trip_of_everything_that_can_be_sent(run, serve, aclient):
    server = serve(echo)

    async def main():
        async with aclient(server) as ws:
            assert (ws.state, ws.ready_state) == ("open", ReadyState.OPEN)
            assert await ws.send({"type": "a", "é": [1, 2.5, None]})
            assert await ws.recv(10) == {"type": "a", "é": [1, 2.5, None]}
            assert await ws.send_text('{"b": 1}')
            assert await ws.recv(10) == {"b": 1}
            assert await ws.send_bytes(bytearray(b"\x00\xff"))
            assert await ws.recv(10) == b"\x00\xff"
            assert 0 < await ws.ping() < 10
            assert ws.latency > 0
        assert ws.state == "closed"
        assert not await ws.send({"late": True})
        assert ws.stats().dropped["offline"] == 1

    run(main())


def test_iteration_gives_every_message_in_order_across_a_reconnect(run, serve, aclient):
    def script(conn):
        conn.accept()
        first = 0 if conn.index == 0 else 3
        for n in range(first, first + 3):
            conn.send_json({"type": "n", "n": n})
        if first == 0:
            conn.close(1001)

    server = serve(script)

    async def main():
        seen = []
        async with aclient(server) as ws:
            async for message in ws:
                seen.append(message["n"])
                if len(seen) == 6:
                    break
        assert seen == list(range(6))

    run(main())


def test_messages_of_some_types_have_a_queue_of_their_own(run, serve, aclient):
    def script(conn):
        conn.accept()
        conn.expect()
        for n in range(200):
            conn.send_json({"type": "ab"[n % 2], "n": n})

    server = serve(script)

    async def main():
        async with aclient(server) as ws:
            some = ws.messages("a")
            await ws.send({"go": 1})
            assert [(await anext(some))["n"] for _ in range(100)] == list(range(0, 200, 2))
            assert [(await ws.recv(10))["n"] for _ in range(100)] == list(range(1, 200, 2))
            some.close()
            with pytest.raises(StopAsyncIteration):
                await anext(some)
            with pytest.raises(TypeError, match="a route must be a str"):
                ws.messages(1)
            with pytest.raises(ValueError, match="a route holds a lone surrogate"):
                ws.messages("a", "\ud800")

    run(main())


def test_iteration_ends_after_close(run, serve, aclient, eventually):
    server = serve(echo)

    async def main():
        ws = aclient(server)
        await ws.wait_open(10)
        seen = []

        async def read():
            async for message in ws:
                seen.append(message)

        reading = asyncio.create_task(read())
        await ws.send({"type": "last"})
        assert await eventually(lambda: seen)
        await ws.close()
        await reading
        assert seen == [{"type": "last"}]
        with pytest.raises(ConnectionClosed):
            await ws.recv(1)

    run(main())


def test_recv_times_out_and_goes_on(run, serve, aclient):
    server = serve(echo)

    async def main():
        async with aclient(server) as ws:
            with pytest.raises(TimeoutError, match="no message within"):
                await ws.recv(0.02)
            with pytest.raises(TimeoutError):
                await ws.recv(0)
            await ws.send({"n": 1})
            assert await ws.recv(10) == {"n": 1}

    run(main())


def test_what_keeps_it_from_opening_is_raised(run, serve, aclient):
    rejecting, stalling = serve(lambda conn: conn.refuse(404)), serve(lambda conn: conn.stall())

    async def main():
        with pytest.raises(ConnectFailed, match="404"):
            async with aclient(rejecting):
                raise AssertionError("it can not open")
        with pytest.raises(ConnectTimeout):
            async with aclient(stalling, connect_timeout=0.1):
                raise AssertionError("it can not open")
        ws = aclient(stalling, connect_timeout=30)
        with pytest.raises(ConnectTimeout):
            await ws.wait_open(0.05)
        await ws.close()
        with pytest.raises(ConnectionClosed):
            await ws.wait_open(1)
        with pytest.raises(NotConnected, match="ping"):
            await ws.ping()

    run(main())


def test_a_ping_that_is_not_answered_times_out_or_ends_with_the_connection(run, serve, aclient, eventually):
    def script(conn):
        conn.answer_pings = False
        conn.accept()
        conn.expect()
        conn.reset()

    server = serve(script)

    async def main():
        async with aclient(server) as ws:
            with pytest.raises(TimeoutError):
                await ws.ping(0.05)
            pinging = asyncio.create_task(ws.ping(None))
            await asyncio.sleep(0.02)
            await ws.send({"go": 1})
            with pytest.raises(NotConnected):
                await pinging

    run(main())


def test_wait_tells_how_it_ended(run, serve, aclient):
    server, rejecting = serve(echo), serve(lambda conn: conn.refuse(401))

    async def main():
        ws = aclient(server)
        await ws.wait_open(10)
        assert await ws.wait(0.02) is False
        waiting = asyncio.create_task(ws.wait())
        await asyncio.sleep(0)
        await ws.close()
        assert await waiting is True
        with pytest.raises(ConnectFailed, match="401"):
            await aclient(rejecting).wait(10)

    run(main())


def test_a_client_can_be_started_again_and_reconnected(run, serve, aclient):
    server = serve(echo)

    async def main():
        events = []
        ws = aclient(server, autoconnect=False)
        ws.on("connect", lambda event: events.append(event.epoch)).on(
            "closed", lambda: events.append("closed")
        )
        assert ws.state == "idle"
        ws.connect()
        while not events:  # open is not told yet: reconnect() would have that passed over in silence
            await asyncio.sleep(0.005)
        ws.reconnect()
        while len(events) < 2:
            await asyncio.sleep(0.005)
        await ws.close()
        async with ws:
            assert await ws.send({"n": 1})
            assert await ws.recv(10) == {"n": 1}
            # None of these awaits had to wait: close() would pass `connect` over in silence.
            while len(events) < 4:
                await asyncio.sleep(0.005)
        assert events == [1, 2, "closed", 3, "closed"]

    run(main())


def test_bad_input_raises_at_once(run, serve, aclient):
    server = serve(echo)

    async def main():
        async with aclient(server, max_message_bytes=1000) as ws:
            with pytest.raises(TypeError, match="send_bytes"):
                await ws.send(b"bytes")
            with pytest.raises(ValueError, match="JSON"):
                await ws.send(float("nan"))
            with pytest.raises(TypeError, match="send_text takes a str"):
                await ws.send_text(b"bytes")
            with pytest.raises(TypeError):
                await ws.send_bytes("text")
            with pytest.raises(MessageTooBig):
                await ws.send("x" * 2000)
            with pytest.raises(ValueError, match="code"):
                await ws.close(1006)
            with pytest.raises(TypeError, match="timeout"):
                await ws.recv("1")
            with pytest.raises(ValueError, match="max"):
                await ws.recv_many(0)
            assert await ws.send({"n": 1})
            assert await ws.recv(10) == {"n": 1}

    run(main())


def test_a_feed_that_never_pauses_lets_other_tasks_run(run, serve, aclient):
    server = serve(numbers(20_000))

    async def main():
        turns, most, seen = 0, 0, 0

        async def other():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with aclient(server) as ws:
            aiter(ws)  # who reads later keeps no more than the newest 1024
            await ws.send("go")
            while ws.stats().messages_in < 5000:
                await asyncio.sleep(0.005)
            beside = asyncio.create_task(other())
            await asyncio.sleep(0)
            for _ in range(5000):
                before = turns
                await ws.recv(10)
                seen = seen + 1 if turns == before else 0
                most = max(most, seen)
            beside.cancel()
            await asyncio.wait([beside])
        assert most <= 256, most  # a slice

    run(main())


def test_the_server_of_websockets(run, aclient):
    async def handler(connection):
        async for message in connection:
            await connection.send(message)

    async def main():
        async with websockets.serve(handler, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with aclient(f"ws://127.0.0.1:{port}/") as ws:
                for n in range(500):
                    assert await ws.send({"type": "n", "n": n, "pad": "x" * n})
                for n in range(500):
                    assert (await ws.recv(10))["n"] == n

    run(main())


def test_the_server_of_aiohttp(run, aclient):
    async def handler(request):
        socket = aiohttp.web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    async def main():
        app = aiohttp.web.Application()
        app.router.add_get("/", handler)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aclient(f"ws://127.0.0.1:{port}/") as ws:
            done = []
            ws.on("n", lambda message: done.append(message["n"]))
            for n in range(500):
                assert await ws.send({"type": "n", "n": n})
            while len(done) < 500:
                await asyncio.sleep(0.005)
            assert done == list(range(500))
        await runner.cleanup()

    run(main())
