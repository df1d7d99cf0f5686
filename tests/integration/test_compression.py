"""permessage-deflate (RFC 7692) with servers of other projects, and with one that means harm."""

import asyncio
import os
import random
import subprocess
import sys
import textwrap
import threading

import aiohttp.web
import pytest
import websockets.extensions.permessage_deflate as permessage
import websockets.sync.server

from fastws import Deflate, HandshakeRejected, WebSocketClient

TEXT = "".join(f'{{"type":"update","number":{number},"name":"öl {number % 7}"}}' for number in range(20_000))
NOISE = random.Random(1).randbytes(300_000)


@pytest.fixture
def websockets_server():
    """An echo server of the `websockets` package with the given extension factories."""
    servers = []

    def make(**terms):
        factory = permessage.ServerPerMessageDeflateFactory(**terms)

        def echo(peer):
            for message in peer:
                peer.send(message)

        server = websockets.sync.server.serve(
            echo, "127.0.0.1", 0, compression=None, extensions=[factory], max_size=None
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"

    yield make
    for server, thread in servers:
        server.shutdown()
        thread.join(10)


def echoes(ws):
    """Texts and bytes of every kind there and back, twice, so that both contexts are used."""
    for _ in range(2):
        for value in ("x", TEXT, {"type": "a", "text": TEXT[:5000]}, "", [TEXT[:2000]] * 3):
            assert ws.send(value)
            assert ws.recv(20) == value
        for data in (b"", NOISE, TEXT.encode() * 3):
            assert ws.send_bytes(data)
            assert ws.recv(20) == data


OFFERS = {
    "default": "auto",
    "small windows": Deflate(window_bits=9),
    "without takeover": Deflate(context_takeover=False),
    "everything, fast": Deflate(level=1, threshold_bytes=0),
    "everything, small": Deflate(level=9, threshold_bytes=0, window_bits=12, context_takeover=False),
}
ANSWERS = {
    "as offered": {},
    "server without takeover": {"server_no_context_takeover": True},
    "client without takeover": {"client_no_context_takeover": True},
    "small windows": {"server_max_window_bits": 9, "client_max_window_bits": 9},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
def test_all_that_can_be_agreed_on(websockets_server, until, offer, answer):
    events = []
    ws = WebSocketClient(websockets_server(**answer), compress=offer, autoconnect=False)
    ws.on("connect", events.append)
    with ws:
        echoes(ws)
        stats = ws.stats()
        assert until(lambda: events)  # close() would pass it over
    extensions = dict(events[0].headers)["Sec-WebSocket-Extensions"]
    assert extensions.startswith("permessage-deflate")
    for name, value in answer.items():
        assert name in extensions
        assert value is True or int(extensions.split(f"{name}=")[1].split(";")[0]) <= value
    # Noise does not get smaller; all else gets far smaller, in both directions.
    plain = 2 * (len(NOISE) + 4 * len(TEXT.encode()))
    assert stats.bytes_out < plain / 2
    assert stats.bytes_in < plain / 2


def test_off_is_off(websockets_server):
    with WebSocketClient(websockets_server(), compress=False) as ws:
        echoes(ws)
        assert ws.stats().bytes_in > 2 * (len(NOISE) + 4 * len(TEXT.encode()))


def test_off_means_that_nothing_is_offered(serve, client):
    server = serve()
    client(server, compress=False).wait_open(10)
    assert "sec-websocket-extensions" not in server.connections[0].request.headers
    client(server).wait_open(10)
    offer = server.connections[1].request.headers["sec-websocket-extensions"]
    assert offer == "permessage-deflate; client_max_window_bits"


def test_what_was_not_agreed_on_is_not_used(opened):
    ws, conn = opened()  # it answers without extensions
    ws.send(TEXT)
    assert conn.expect() == '"' + TEXT.replace('"', '\\"') + '"'


def test_small_messages_go_plain(websockets_server):
    with WebSocketClient(websockets_server(), compress=Deflate(threshold_bytes=100)) as ws:
        ws.send_text("x" * 99)
        small = ws.stats().bytes_out
        ws.send_text("x" * 100)
        large = ws.stats().bytes_out - small
    assert small == 99 + 6
    assert large < 30


@pytest.mark.parametrize(
    "answer",
    ["permessage-deflate; client_max_window_bits=16", "permessage-deflate, permessage-deflate", "x-unasked"],
)
def test_an_answer_nobody_may_give_is_a_clear_end(serve, client, answer):
    server = serve(lambda conn: conn.accept(headers=[("Sec-WebSocket-Extensions", answer)]))
    ws = client(server)
    with pytest.raises(HandshakeRejected, match=answer.split(",")[0].split("=")[0]):
        ws.wait(10)


def aiohttp_echo(ready):
    """An aiohttp server on a loop of its own; gives the loop and the event that stops it."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def handle(request):
        peer = aiohttp.web.WebSocketResponse(max_msg_size=0, compress=True)
        await peer.prepare(request)
        async for message in peer:
            if message.type is aiohttp.WSMsgType.BINARY:
                await peer.send_bytes(message.data)
            else:
                await peer.send_str(message.data)
        return peer

    async def run():
        app = aiohttp.web.Application()
        app.router.add_get("/", handle)
        runner = aiohttp.web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ready(site._server.sockets[0].getsockname()[1])
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()

    def end():
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()

    return end


@pytest.mark.parametrize("offer", [*OFFERS.values(), False], ids=[*OFFERS, "off"])
def test_aiohttp(offer):
    port, ready = [], threading.Event()
    end = aiohttp_echo(lambda number: (port.append(number), ready.set()))
    try:
        assert ready.wait(10)
        with WebSocketClient(f"ws://127.0.0.1:{port[0]}/", compress=offer) as ws:
            echoes(ws)
    finally:
        end()


def test_many_senders_share_one_context(websockets_server):
    """Threads that send at once: what each compresses refers to what was written before it, in that order."""
    with WebSocketClient(websockets_server(), compress=Deflate(threshold_bytes=0)) as ws:
        reader = iter(ws)  # from here on nothing is dropped

        def send(thread):
            for number in range(300):
                assert ws.send({"thread": thread, "number": number, "text": TEXT[number : number + 200]})

        threads = [threading.Thread(target=send, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        got = [next(reader) for _ in range(1200)]
        for thread in threads:
            thread.join()
    for index in range(4):
        assert [one["number"] for one in got if one["thread"] == index] == list(range(300))


def test_every_connection_begins_a_new_context(recorded):
    """After a reconnect the server knows nothing of what was said before."""
    got = []

    def two_messages(peer):
        got.extend([peer.recv(10), peer.recv(10)])
        peer.close(4000)

    factory = permessage.ServerPerMessageDeflateFactory()
    with websockets.sync.server.serve(
        two_messages, "127.0.0.1", 0, compression=None, extensions=[factory], max_size=None
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        ws, log = recorded(f"ws://127.0.0.1:{server.socket.getsockname()[1]}/")
        for number in (1, 2):
            log.wait("connect", count=number)
            assert ws.send_text(TEXT)
            assert ws.send_text(TEXT)
            assert log.wait("disconnect", count=number).code == 4000
        ws.close()
        server.shutdown()
        thread.join(10)
    assert got == [TEXT] * 4


def test_a_bomb_of_600_mb_costs_no_memory():
    """600 KB that inflate to 600 MB: the connection ends with 1009, and the memory never grew."""
    program = textwrap.dedent("""
        import resource, sys, zlib
        from fastws import WebSocketClient
        from fastws.testing import ScriptedServer

        pack = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = b"".join(pack.compress(bytes(1_000_000)) for _ in range(600)) + pack.flush(zlib.Z_SYNC_FLUSH)
        bomb = bomb[:-4]
        codes = []

        def script(conn):
            conn.accept(headers=[("Sec-WebSocket-Extensions", "permessage-deflate")])
            conn.send_raw(b"\\xc2\\x7f" + len(bomb).to_bytes(8, "big") + bomb)
            codes.append(conn.wait_close(20))

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

        errors = []
        with ScriptedServer(script) as server:
            ws = WebSocketClient(server.url, reconnect=False, autoconnect=False, max_message_bytes=8 * 2**20)
            ws.on("binary", lambda data: sys.exit("it was delivered")).on("error", errors.append)
            before = peak()
            ws.connect()
            try:
                ws.wait(30)
            except Exception as error:
                print(type(error).__name__, error)
            server.connections[0].join(20)
        print(len(bomb), codes, [error.phase for error in errors], before, peak())
        """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert "[1009] ['limit']" in last, done.stdout
    before, after = map(int, last.split()[-2:])
    assert after - before < 40, f"{before} MiB before, {after} MiB at most"


def test_broken_compression_is_told_and_survived(serve, recorded):
    """1007, an error event, and the next connection works."""

    def broken(conn):
        conn.accept(headers=[("Sec-WebSocket-Extensions", "permessage-deflate")])
        conn.send_raw(b"\xc1\x04\xff\xff\xff\xff")
        conn.wait_close()

    server = serve([broken, lambda conn: conn.accept()])
    ws, log = recorded(server)
    assert "cannot be inflated" in log.wait("error").message
    assert log.wait("disconnect").code == 1007
    log.wait("connect", count=2)
    assert server.connections[0].wait_close() == 1007


@pytest.mark.parametrize(
    ("value", "error"), [("on", TypeError), (5, TypeError), (None, TypeError), ({"level": 1}, TypeError)]
)
def test_what_compress_can_not_be(value, error):
    with pytest.raises(error, match="compress"):
        WebSocketClient("ws://127.0.0.1:9/", compress=value, autoconnect=False)
