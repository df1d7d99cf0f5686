"""What a reader has fetched and not given: it is as if nobody had asked for it (api section 4)."""

import asyncio
import gc
import threading
import time
import weakref

import pytest

from fastws import Latest, WebSocketClient

COUNT = 200
STALE = 0.003  # seconds after which what was fetched goes back


def sends(*parts):
    """A script that sends each part when it was asked to."""

    def script(conn):
        conn.accept()
        for part in parts:
            conn.expect()
            for message in part:
                conn.send(message) if isinstance(message, str) else conn.send_json(message)
        conn.expect()

    return script


def numbers(first, last, **more):
    return [{"type": "a", "n": n, **more} for n in range(first, last)]


@pytest.fixture
def fed(serve, client, until):
    """A client that has received the first part: ws, more() = fed(part, ..., options)."""

    def make(*parts, **options):
        ws = client(serve(sends(*parts)), **options)
        reader = ws.messages("a")
        ws.wait_open(10)
        expected = 0

        def more():
            nonlocal expected
            expected += len(parts[ws.stats().messages_out])
            ws.send("on")
            assert until(lambda: ws.stats().messages_in == expected)
            ws.ping(10)  # its answer is read after the last of them was placed or dropped

        more()
        return ws, reader, more

    return make


def test_a_loop_that_is_left_takes_nothing_with_it(fed):
    """However it is left: its end, close(), or nobody refers to the iterator any more."""
    ws, reader, _ = fed(numbers(0, COUNT))
    seen = [next(reader)["n"]]
    reader.close()
    assert list(reader) == []
    for _ in range(10):
        for message in ws.messages("a"):
            seen.append(message["n"])
            if len(seen) % 7 == 0:
                break
    seen += [message["n"] for message in ws.recv_many(COUNT)]
    assert seen == list(range(COUNT))


def test_what_was_given_is_handled_and_what_was_not_is_closed_with_the_life(fed):
    ws, reader, _ = fed(numbers(0, COUNT))
    assert [next(reader)["n"] for _ in range(5)] == list(range(5))
    ws.close()
    assert list(reader) == []
    stats = ws.stats()
    assert stats.dropped["closed"] == COUNT - 5
    assert (stats.handled, stats.inbox_messages) == (5, 0)


def test_nothing_of_an_older_life_is_given(fed):
    """R2, with an iterator that outlives close() and connect()."""
    ws, reader, _ = fed(numbers(0, COUNT), numbers(500, 501))
    assert next(reader) == {"type": "a", "n": 0}
    ws.close()
    ws.connect()
    ws.wait_open(10)
    ws.send("on")
    later = next(reader)["n"]
    assert later == 0, "the server's script began anew"
    assert ws.stats().dropped["closed"] == COUNT - 1


def test_what_went_stale_gives_way_to_the_latest(fed):
    """Latest: what a slow loop fetched and has not looked at is still replaced by what is newer."""
    ws, reader, more = fed(
        [{"type": "a", "key": key, "n": 1} for key in "xyz"],
        [{"type": "a", "key": key, "n": 2} for key in "xyz"],
        overflow=Latest("key"),
    )
    assert next(reader) == {"type": "a", "key": "x", "n": 1}
    more()
    time.sleep(STALE)
    assert [(one["key"], one["n"]) for one in (next(reader) for _ in range(3))] == [
        ("y", 2),
        ("z", 2),
        ("x", 2),
    ]
    assert ws.stats().dropped["conflated"] == 2


def test_what_went_stale_is_dropped_when_the_oldest_are(fed, until):
    """drop_oldest: the oldest go, also those that a slow loop fetched, and the newest stay."""
    ws, reader, more = fed(numbers(0, 50), numbers(50, 150), overflow="drop_oldest", inbox_messages=60)
    assert next(reader) == {"type": "a", "n": 0}
    more()
    time.sleep(STALE)
    rest = [next(reader)["n"]]
    while rest[-1] != 149:
        rest.append(next(reader)["n"])
    assert rest == list(range(150 - len(rest), 150))
    assert len(rest) <= 60
    assert ws.stats().dropped["overflow"] == 149 - len(rest)


def test_a_bad_text_among_what_was_fetched_is_told_once(serve, client, caplog):
    bad = '{"type":"a","n":'
    with client(serve(sends([*numbers(0, 3), bad, *numbers(3, 6)]))) as ws:
        reader = iter(ws)
        ws.send("on")
        assert [next(reader)["n"] for _ in range(6)] == list(range(6))
        assert ws.stats().dropped["decode"] == 1
    assert len([record for record in caplog.records if "is not JSON" in record.getMessage()]) == 1


def test_threads_that_share_an_iterator_are_given_each_message_once_and_in_order(fed):
    _, reader, _ = fed(numbers(0, 3000))
    shares = [[] for _ in range(3)]
    ends = threading.Semaphore(3000)

    def read(share):
        while ends.acquire(blocking=False):
            share.append(next(reader)["n"])

    threads = [threading.Thread(target=read, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert sorted(n for share in shares for n in share) == list(range(3000))
    assert all(share == sorted(share) for share in shares)


def test_a_client_that_was_read_goes_with_its_cycle(serve, until):
    """The reader's native part hides nothing from the collector: handlers that refer to their client do not keep it."""
    ws = WebSocketClient(serve(sends(numbers(0, 3))).url)
    ws.on("b", lambda message, ws=ws: ws)
    ws.wait_open(10)
    with pytest.raises(TimeoutError):
        ws.recv(0)  # from here on the client is a reader, however late the next recv() is
    ws.send("on")
    assert ws.recv(10) == {"type": "a", "n": 0}
    reader = ws.messages("c")
    ws.on("c", lambda message, reader=reader: reader)
    ws.close()
    gone = weakref.ref(ws)
    del ws, reader
    assert until(lambda: gc.collect() >= 0 and gone() is None)


def test_an_async_loop_that_is_left_takes_nothing_with_it(run, serve, aclient, eventually):
    server = serve(sends(numbers(0, COUNT)))

    async def main():
        async with aclient(server) as ws:
            seen = []
            await ws.send("on")
            assert await eventually(lambda: ws.stats().messages_in == COUNT)
            await ws.ping(10)  # its answer is read after the last of them was placed
            for _ in range(10):
                async for message in ws.messages("a"):
                    seen.append(message["n"])
                    if len(seen) % 7 == 0:
                        break
            seen += [message["n"] for message in await ws.recv_many(COUNT)]
            assert seen == list(range(COUNT))

    run(main())


def test_tasks_that_share_a_reader_are_given_each_message_once(run, serve, aclient, eventually):
    """Also when the one that fetched them goes away."""
    server = serve(sends(numbers(0, COUNT)))

    async def main():
        async with aclient(server) as ws:
            seen = []
            reader = ws.messages("a")

            async def read():
                async for message in reader:
                    seen.append(message["n"])
                    await asyncio.sleep(0.0005 * (message["n"] % 3))

            readers = [asyncio.create_task(read()) for _ in range(4)]
            await ws.send("on")
            assert await eventually(lambda: len(seen) > 20)
            for one in readers[:3]:
                one.cancel()
            assert await eventually(lambda: len(seen) == COUNT)
            assert sorted(seen) == list(range(COUNT))
            readers[3].cancel()
            await asyncio.wait(readers)

    run(main())
