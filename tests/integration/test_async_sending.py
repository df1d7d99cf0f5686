"""Sending from an event loop: a full outbox makes a coroutine wait, never the loop (api sections 2, 5 and 6)."""

import asyncio
import json

import pytest

from fastws import Backoff, NotConnected, OfflineQueueFull, Queue


def clogged(conn):
    conn.pause_reading()
    conn.accept()


@pytest.fixture
def full(serve, aclient, io_turn):
    """An open client whose outbox is full: ws, conn, sent = await full(...); the server reads on conn.resume_reading()."""
    server = serve(clogged, receive_buffer=4096)

    async def make(**options):
        ws = aclient(server, outbox_bytes=10_000, compress=False, **options)
        await ws.wait_open(10)
        conn = server.wait_open(1)
        sent, unmoved = 0, 0
        while unmoved < 3:  # the kernel's buffers have to be full, too
            before = ws.stats().outbox_bytes
            try:
                await asyncio.wait_for(ws.send_bytes(b"x" * 50_000), 0.1)
                sent, unmoved = sent + 1, 0
            except (TimeoutError, asyncio.TimeoutError):
                io_turn(ws, conn)
                await asyncio.sleep(0.05)
                unmoved = unmoved + 1 if ws.stats().outbox_bytes == before else 0
        return ws, conn, sent

    return make


def test_a_full_outbox_holds_a_send_back_and_not_the_loop(run, full, eventually):
    async def main():
        ws, conn, sent = await full()
        sending = [asyncio.create_task(ws.send({"type": "n", "n": n})) for n in range(50)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in sending)
        assert (await asyncio.wait_for(asyncio.sleep(0, "runs"), 1)) == "runs"
        sending[7].cancel()
        sending[0].cancel()
        conn.resume_reading()
        results = await asyncio.gather(*sending, return_exceptions=True)
        cancelled = [n for n, result in enumerate(results) if isinstance(result, asyncio.CancelledError)]
        assert cancelled == [0, 7]
        assert [result for n, result in enumerate(results) if n not in cancelled] == [True] * 48
        await ws.close()
        assert await eventually(lambda: len(conn.messages) == sent + 48)
        assert [one["n"] for one in map(json.loads, conn.messages[sent:])] == [
            n for n in range(50) if n not in (0, 7)
        ]

    run(main())


@pytest.mark.parametrize("seconds", [0, 0.05])
def test_it_gives_up_after_send_timeout(run, full, seconds):
    async def main():
        ws, conn, _ = await full(send_timeout=seconds)
        for call in (lambda: ws.send({}), lambda: ws.send_text("a"), lambda: ws.send_bytes(b"a")):
            with pytest.raises(TimeoutError, match="the outbox stayed full"):
                await call()
        conn.resume_reading()
        await ws.close()

    run(main())


def test_what_waits_is_what_was_given(run, full, eventually):
    async def main():
        ws, conn, sent = await full()
        data, mapping = bytearray(b"before"), {"n": "before"}
        sending = [asyncio.create_task(ws.send_bytes(data)), asyncio.create_task(ws.send(mapping))]
        await asyncio.sleep(0.01)
        data[:] = b"after!"
        mapping["n"] = "after"
        conn.resume_reading()
        assert await asyncio.gather(*sending) == [True, True]
        await ws.close()
        assert await eventually(lambda: len(conn.messages) == sent + 2)
        assert conn.messages[sent] == b"before"
        assert json.loads(conn.messages[sent + 1]) == {"n": "before"}

    run(main())


def test_a_send_that_waits_does_not_cross_to_the_next_connection(run, full):
    async def main():
        ws, _, _ = await full(reconnect=Backoff(base=0.01), close_timeout=0.1)
        sending = [asyncio.create_task(ws.send({"n": n})) for n in range(3)]
        await asyncio.sleep(0.01)
        ws.reconnect()
        assert await asyncio.gather(*sending) == [False] * 3
        await ws.close()

    run(main())


def test_what_is_sent_while_not_open_is_refused_or_stored(run, serve, aclient, eventually):
    server = serve(lambda conn: conn.accept())

    async def main():
        refusing = aclient(server, autoconnect=False, offline="raise")
        for call in (
            lambda: refusing.send({}),
            lambda: refusing.send_text("a"),
            lambda: refusing.send_bytes(b"a"),
        ):
            with pytest.raises(NotConnected):
                await call()
        await refusing.close()
        ws = aclient(server, autoconnect=False, offline=Queue(messages=2, on_full="raise"))
        ws.sticky("hello", {"n": "sticky"}, after_connect=True)

        async def connected():
            await asyncio.sleep(0.01)
            assert await ws.send({"n": "handler"})

        ws.on("connect", connected)
        assert await ws.send({"n": 1})
        assert await ws.send({"n": 2})
        with pytest.raises(OfflineQueueFull):
            await ws.send({"n": 3})
        ws.connect()
        await ws.wait_open(10)
        conn = server.wait_open(1)
        assert await eventually(lambda: len(conn.messages) == 4)
        assert [json.loads(message)["n"] for message in conn.messages] == ["handler", "sticky", 1, 2]
        await ws.close()

    run(main())


def test_what_waited_for_room_is_stored_when_the_connection_is_lost(run, full, eventually):
    async def main():
        ws, conn, _ = await full(offline=Queue(), reconnect=Backoff(base=0.01, close_code_delay={}))
        waiting = asyncio.create_task(ws.send({"n": "waited"}))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        conn.reset()
        assert await waiting is True
        assert await eventually(lambda: ws.stats().connects == 2)
        await ws.close()

    run(main())


def test_many_are_sent_in_order_and_counted(run, serve, aclient, eventually):
    """api section 5: more than a batch, from an iterator, while a server that stalls makes the outbox full."""

    async def main():
        server = serve(clogged, receive_buffer=4096)
        ws = aclient(server, outbox_bytes=20_000, compress=False)
        await ws.wait_open(10)
        conn = server.wait_open(1)
        many = (
            {"type": "n", "n": n, "pad": "x" * 4000} for n in range(3000)
        )  # more than the kernel's buffers hold
        sending = asyncio.create_task(ws.send_many(many))
        later = asyncio.create_task(ws.send({"type": "later"}))
        await asyncio.sleep(0.1)
        assert not sending.done()
        conn.resume_reading()
        assert await asyncio.wait_for(sending, 15) == 3000
        assert await later is True
        assert await ws.flush(10) is True
        assert await eventually(lambda: len(conn.messages) == 3001)
        numbers = [one["n"] for one in map(json.loads, conn.messages) if one["type"] == "n"]
        assert numbers == list(range(3000))
        await ws.close()

    run(main())


def test_a_bad_object_among_many_is_told_after_those_before_it(run, full, eventually):
    async def main():
        ws, conn, sent = await full()
        sending = asyncio.create_task(ws.send_many([{"n": 1}, {"n": 2}, {"n": object()}, {"n": 3}]))
        await asyncio.sleep(0.05)
        conn.resume_reading()
        with pytest.raises(TypeError, match="not JSON serializable") as caught:
            await asyncio.wait_for(sending, 10)
        assert caught.value.accepted == 2
        assert await eventually(lambda: len(conn.messages) == sent + 2)
        await ws.close()

    run(main())


def test_many_while_not_open(run, serve, aclient):
    async def main():
        refused = {"reconnect": Backoff(base=30)}
        server = serve(lambda conn: conn.refuse(503))
        dropping = aclient(server, **refused)
        assert await dropping.send_many([1, 2, 3]) == 0
        assert dropping.stats().dropped["offline"] == 3
        raising = aclient(server, offline="raise", **refused)
        with pytest.raises(NotConnected) as caught:
            await raising.send_many([1, 2, 3])
        assert caught.value.accepted == 0
        storing = aclient(server, offline=Queue(messages=2, on_full="raise"), **refused)
        with pytest.raises(OfflineQueueFull) as full_queue:
            await storing.send_many([1, 2, 3])
        assert full_queue.value.accepted == 2
        assert await dropping.flush(0.1) is False
        with pytest.raises(TimeoutError):
            await storing.flush(0.1)
        for ws in (dropping, raising, storing):
            await ws.close()

    run(main())


def test_flush_waits_until_it_is_written(run, full):
    async def main():
        ws, conn, _ = await full()
        with pytest.raises(TimeoutError, match="not all be written"):
            await ws.flush(0.05)
        flushing = asyncio.create_task(ws.flush(None))
        await asyncio.sleep(0.05)
        assert not flushing.done()
        conn.resume_reading()
        assert await asyncio.wait_for(flushing, 10) is True
        await ws.close()

    run(main())


def test_flush_tells_a_loss(run, full):
    async def main():
        ws, conn, _ = await full()
        flushing = asyncio.create_task(ws.flush(None))
        await asyncio.sleep(0.05)
        conn.reset()
        assert await asyncio.wait_for(flushing, 10) is False
        await ws.close()

    run(main())


@pytest.mark.parametrize("call", ["send", "send_text", "send_bytes", "send_many"])
def test_who_waits_for_room_is_not_overtaken(run, full, eventually, call):
    """Who sends again as soon as its first message went goes behind those that waited meanwhile."""

    async def main():
        ws, conn, sent = await full()

        async def twice():
            await ws.send_text("first")
            await again[call]()

        again = {
            "send": lambda: ws.send("last"),
            "send_text": lambda: ws.send_text('"last"'),
            "send_bytes": lambda: ws.send_bytes(b'"last"'),
            "send_many": lambda: ws.send_many(["last"]),
        }
        sending = [asyncio.create_task(twice())]
        sending += [asyncio.create_task(ws.send_text(str(n))) for n in range(20)]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in sending)
        conn.resume_reading()
        await asyncio.gather(*sending)
        await ws.close()
        assert await eventually(lambda: len(conn.messages) == sent + 22)
        last = b'"last"' if call == "send_bytes" else '"last"'
        assert conn.messages[sent:] == ["first", *map(str, range(20)), last]

    run(main())
