"""Servers of other projects: the `websockets` and `aiohttp` packages, as they come, with all their defaults."""

import asyncio
import functools
import json
import threading

import aiohttp.web
import pytest
import websockets.asyncio.server
import websockets.sync.server

from fastws import WebSocketClient


class WebsocketsServer:
    """An echo server of the `websockets` package in a thread: text and binary; "close CODE" closes."""

    def __init__(self, **options):
        self.closed = []
        self._server = websockets.sync.server.serve(self._handle, "127.0.0.1", 0, **options)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def _handle(self, peer):
        try:
            for message in peer:
                if isinstance(message, str) and message.startswith('"close'):
                    peer.close(int(json.loads(message).split()[1]), "as you wish")
                    break
                peer.send(message)
        finally:
            self.closed.append(peer.close_code)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join(10)


class AiohttpServer(WebsocketsServer):
    """The same with `aiohttp`, on a loop in a thread."""

    def __init__(self):
        self.closed = []
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        app = aiohttp.web.Application()
        app.router.add_get("/", self._handle_get)
        self._stop = asyncio.Event()
        runner = aiohttp.web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._port = site._server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle_get(self, request):
        peer = aiohttp.web.WebSocketResponse(protocols=("v1",))
        await peer.prepare(request)
        async for message in peer:
            if message.type is aiohttp.WSMsgType.BINARY:
                await peer.send_bytes(message.data)
            elif message.data.startswith('"close'):
                await peer.close(code=int(json.loads(message.data).split()[1]), message=b"as you wish")
            else:
                await peer.send_str(message.data)
        self.closed.append(peer.close_code)
        return peer

    @property
    def url(self):
        return f"ws://127.0.0.1:{self._port}/"

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@pytest.fixture(params=[WebsocketsServer, AiohttpServer], ids=["websockets", "aiohttp"])
def peer(request):
    with request.param() as server:
        yield server


def test_echo_of_everything(peer):
    with WebSocketClient(peer.url) as ws:
        for value in ({"type": "a", "n": 1}, "ü€🎈", [1.5, None, True], "x" * 500_000):
            assert ws.send(value)
            assert ws.recv(10) == value
        for data in (b"", b"\x00\xff" * 200_000):
            assert ws.send_bytes(data)
            assert ws.recv(10) == data


@pytest.mark.parametrize("compress", ["auto", False], ids=["deflated", "plain"])
def test_a_large_text_with_and_without_compression(peer, compress):
    text = "".join(f"{number}: grüße 🎈 " for number in range(44_000))[:900_000]
    with WebSocketClient(peer.url, compress=compress, decode="text") as ws:
        for _ in range(3):
            assert ws.send_text(text)
            assert ws.recv(30) == text
        assert (ws.stats().bytes_in < 1_000_000) == (compress == "auto")


def test_ten_thousand_messages_in_order(peer):
    seen, done = [], threading.Event()

    def handler(message):
        seen.append(message["n"])
        if message["n"] == 9_999:
            done.set()

    ws = WebSocketClient(peer.url, autoconnect=False)
    ws.on("n", handler)
    with ws:
        for number in range(10_000):
            assert ws.send({"type": "n", "n": number})
        assert done.wait(30)
    assert seen == list(range(10_000))


def test_our_close_is_clean_on_both_sides(peer, until):
    lost, opened = [], threading.Event()
    ws = WebSocketClient(peer.url)
    ws.on("disconnect", lost.append).on("connect", opened.set)
    assert opened.wait(10)
    ws.close(4005, "done")
    assert (lost[0].clean, lost[0].initiator) == (True, "user")
    assert until(lambda: peer.closed == [4005])


def test_their_close_is_told_and_retried(peer, recorded):
    ws, log = recorded(peer.url)
    log.wait("connect")
    ws.send("close 4010")
    lost = log.wait("disconnect")
    assert (lost.code, lost.reason, lost.clean, lost.initiator) == (4010, "as you wish", True, "server")
    log.wait("connect", 2)
    ws.send({"back": True})
    assert ws.recv(10) == {"back": True}


def test_ping(peer):
    with WebSocketClient(peer.url) as ws:
        assert 0 < ws.ping(10) < 10


def test_a_server_that_goes_away_and_comes_back(recorded):
    """Its end closes with 1001; the client finds the next server on the same port."""

    async def greet(peer):
        await peer.send('{"type": "hi"}')
        await peer.wait_closed()

    async def serve_twice():
        wait = functools.partial(asyncio.get_running_loop().run_in_executor, None)
        async with websockets.asyncio.server.serve(greet, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            ws, log = recorded(f"ws://127.0.0.1:{port}/")
            await wait(log.wait, "connect")
        lost = await wait(log.wait, "disconnect")
        assert (lost.code, lost.clean, lost.initiator) == (1001, True, "server")
        await wait(log.wait, "error", 2)
        async with websockets.asyncio.server.serve(greet, "127.0.0.1", port):
            assert (await wait(log.wait, "connect", 2)).is_reconnect
            await wait(ws.close)
        assert log.in_language()

    asyncio.run(serve_twice())


def test_a_rejection_of_a_real_server(recorded):
    refuse = lambda peer, request: peer.respond(403, "not today\n")
    with WebsocketsServer(process_request=refuse) as server:
        ws, log = recorded(server.url)
        assert log.wait("closed").reason == "fatal"
        assert log.all("error")[0].http_status == 403


def test_a_subprotocol_of_a_real_server():
    with AiohttpServer() as server, WebSocketClient(server.url, subprotocols=["v2", "v1"]) as ws:
        assert ws.subprotocol == "v1"


def test_real_tls(tls_server, trusted):
    with WebsocketsServer(ssl=tls_server) as server:
        with WebSocketClient(server.url.replace("ws://127.0.0.1", "wss://localhost"), tls=trusted) as ws:
            ws.send("x" * 1_000_000)
            assert ws.recv(20) == "x" * 1_000_000
