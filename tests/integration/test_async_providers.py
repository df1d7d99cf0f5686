"""Providers of an asyncio client: asked on its loop, coroutine functions allowed (api section 6, reconnect-spec R16)."""

import asyncio
import threading

import pytest
from server_scripts import echo

from fastws import Attempt, Backoff, ConnectFailed


@pytest.mark.parametrize("slow", [False, True], ids=["plain", "coroutine"])
def test_url_and_headers_are_asked_before_every_attempt_on_the_loop(run, serve, aclient, eventually, slow):
    server = serve(lambda conn: (conn.accept(), conn.index == 0 and conn.close(1012)))

    async def main():
        asked = []

        def url(attempt):
            asked.append(("url", attempt, threading.get_ident()))
            return server.url + f"?epoch={attempt.epoch}"

        def headers():
            asked.append(("headers", None, threading.get_ident()))
            return {"X-Token": str(len(asked))}

        async def slow_url(attempt):
            await asyncio.sleep(0.01)
            return url(attempt)

        async def slow_headers():
            await asyncio.sleep(0.01)
            return headers()

        ws = aclient(
            slow_url if slow else url,
            headers=slow_headers if slow else headers,
            reconnect=Backoff(base=0.01, close_code_delay={}),
        )
        assert await eventually(lambda: ws.stats().connects == 2 and ws.state == "open")
        assert [what for what, _, _ in asked] == ["url", "headers"] * 2
        assert all(isinstance(attempt, Attempt) for what, attempt, _ in asked if what == "url")
        assert {thread for _, _, thread in asked} == {threading.get_ident()}
        assert [conn.request.headers["x-token"] for conn in server.connections] == ["2", "4"]
        assert [conn.request.path for conn in server.connections] == ["/?epoch=1", "/?epoch=2"]
        await ws.close()

    run(main())


def test_a_slow_handler_fails_no_attempt(run, serve, aclient, eventually):
    server = serve(lambda conn: (conn.accept(), conn.index == 0 and conn.close(1012)))

    async def main():
        release = asyncio.Event()

        async def url():
            return server.url

        ws = aclient(url, reconnect=Backoff(base=0.01, close_code_delay={}))
        ws.on("disconnect", lambda: release.wait())
        assert await eventually(lambda: ws.stats().connects == 2)
        assert ws.stats().failures == 0
        release.set()
        await ws.close()

    run(main())


def test_what_a_provider_raises_or_a_wrong_answer_is_a_failed_attempt(run, serve, aclient):
    server = serve(echo)

    async def main():
        async def raises():
            await asyncio.sleep(0)
            raise LookupError("no token")

        async def cancelled():
            raise asyncio.CancelledError

        async def wrong():
            return 5

        for provider, said in (
            (raises, "no token"),
            (cancelled, "CancelledError"),
            (wrong, "must be a mapping"),
        ):
            ws = aclient(server, headers=provider, reconnect=Backoff(base=0.01, max_retries=0))
            with pytest.raises(ConnectFailed, match=said):
                await ws.wait_open(10)

    run(main())


def test_a_provider_that_does_not_answer_fails_attempts_at_their_deadline(
    run, serve, aclient, eventually, caplog
):
    server = serve(echo)

    async def main():
        release = asyncio.Event()
        asked = []

        async def url():
            asked.append(1)
            await release.wait()
            return server.url

        ws = aclient(url, connect_timeout=0.05)
        errors = []
        ws.on("error", errors.append)
        assert await eventually(lambda: len(errors) >= 2)
        assert {event.phase for event in errors} == {"provider"}
        assert len(asked) == 1
        assert "url has not returned" in caplog.text
        release.set()
        await ws.wait_open(10)
        await ws.close()

    run(main())


def test_should_reconnect_is_awaited(run, serve, aclient, eventually):
    server = serve(lambda conn: (conn.accept(), conn.close(1011)))

    async def main():
        answers = [0.01, None, False]

        async def decide(attempt):
            await asyncio.sleep(0)
            return answers[attempt.epoch - 1]

        seen = []
        ws = aclient(server, should_reconnect=decide)
        ws.on("closed", seen.append)
        assert await eventually(lambda: len(seen) == 1)
        assert seen[0].reason == "fatal"
        assert ws.stats().connects == 3

    run(main())


def test_a_loop_that_ends_while_it_asks(serve, aclient, new_loop, caplog, until):
    server = serve(echo)
    made = []

    async def main():
        async def forever():
            await asyncio.sleep(60)

        made.append(aclient(server, headers=forever, should_reconnect=forever))
        await asyncio.sleep(0.02)
        assert made[-1].state == "connecting"

    asyncio.run(main())
    assert until(lambda: made[0].state == "closed")
    loop = new_loop()
    loop.run_until_complete(main())
    loop.close()
    assert until(lambda: made[1].state == "closed")
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
