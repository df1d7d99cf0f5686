"""What the integration tests share: scripted servers and clients that end with the test, and a log of events.

Every wait is bounded.
"""

import asyncio
import contextlib
import re
import ssl
import threading
import time

import pytest
import trustme
import uvloop
from child_process import Child
from command_line import CommandLine

import fastws
from fastws import AsyncWebSocketClient, Backoff, Tls, WebSocketClient
from fastws.testing import ScriptedServer

WAIT = 15.0  # seconds: generous on a loaded machine; nothing that works comes near it
LIFECYCLE = ("connecting", "connect", "disconnect", "reconnecting", "error", "dropped", "closed")


@pytest.fixture
def serve():
    """Make scripted servers: serve(script, ...). They stop with the test, which fails when a script failed."""
    with contextlib.ExitStack() as stack:
        yield lambda script=None, **options: stack.enter_context(ScriptedServer(script, **options))


@pytest.fixture
def fast():
    """A backoff fifty times quicker than the default."""
    return Backoff(base=0.02, cap=0.2)


@pytest.fixture
def client(fast):
    """Make clients: client(server or url, ...), by default with quick reconnects. They are closed with the test."""
    made = []

    def make(target, **options):
        options.setdefault("reconnect", fast)
        url = target.url if isinstance(target, ScriptedServer) else target
        made.append(WebSocketClient(url, **options))
        return made[-1]

    yield make
    for ws in made:
        ws.close()
    made.clear()
    assert until(lambda: not fastws.clients()), f"clients left over: {fastws.clients()}"


@pytest.fixture
def opened(serve, client):
    """Make an open client and the server's end of its connection: ws, conn = opened(script, ...)."""

    def make(script=None, **options):
        server = serve(
            script, **{key: options.pop(key) for key in ("receive_buffer", "tls") if key in options}
        )
        ws = client(server, **options)
        ws.wait_open(10)
        return ws, server.wait_open(1)

    return make


@pytest.fixture
def recorded(client):
    """Make clients whose lifecycle events are logged from the first one on: ws, log = recorded(server, ...).

    `on`: more handlers, by event, that must be there before the first event.
    """

    def make(target, on=None, **options):
        ws = client(target, autoconnect=False, **options)
        log = EventLog(ws)
        for event, handler in (on or {}).items():
            ws.on(event, handler)
        ws.connect()
        return ws, log

    return make


@pytest.fixture
def total_now(client):
    """total_now(server): how many connections came, those on their way included: one more comes behind them all."""

    def count(server):
        client(server.url + "probe", reconnect=False)
        is_probe = lambda conn: conn.request is not None and conn.request.path == "/probe"
        assert until(lambda: any(map(is_probe, list(server.connections))))
        return next(filter(is_probe, server.connections)).index + 1

    return count


@pytest.fixture
def child():
    """Start Python processes: child(source, argument, ...). They end with the test."""
    made = []

    def make(source, *args):
        made.append(Child(source, *args))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def command():
    """Start `python -m fastws`: command(server or url, option, ...). It ends with the test."""
    made = []

    def make(target, *args, **options):
        url = target.url if isinstance(target, ScriptedServer) else target
        made.append(CommandLine(url, *args, **options))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture(scope="session")
def authority():
    """A certificate authority made on the spot."""
    return trustme.CA()


@pytest.fixture
def tls_server(authority):
    """A server's TLS context with a certificate for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority):
    """TLS settings that trust the authority."""
    return Tls(ca_data=authority.cert_pem.bytes().decode())


@pytest.fixture
def both_ways(serve, client, tls_server, trusted):
    """both_ways(...): 2000 messages over TLS in either direction at one time; the keywords are the client's."""

    def script(conn):
        for number in range(2000):
            conn.send_json({"type": "n", "n": number})

    def check(**options):
        server = serve(script, tls=tls_server)
        ws = client(server, tls=trusted, autoconnect=False, **options)
        seen = []
        ws.on("n", lambda message: seen.append(message["n"]))
        ws.connect()
        ws.wait_open(10)
        for number in range(2000):
            assert ws.send({"n": number})
        conn = server.connections[0]
        assert until(lambda: len(seen) == 2000 and len(conn.messages) == 2000, 30)
        assert seen == list(range(2000))

    return check


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request):
    """new_loop(): an event loop, once of either kind."""
    return asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop


@pytest.fixture
def run(new_loop):
    """run(main()): a coroutine in an event loop of its own; it may leave no task and no client behind."""

    def start(main, timeout=60):
        async def whole():
            result = await asyncio.wait_for(main, timeout)
            left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
            assert not left, left
            return result

        loop = new_loop()
        try:
            return loop.run_until_complete(whole())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            assert until(lambda: not fastws.clients()), f"clients left over: {fastws.clients()}"

    return start


@pytest.fixture
def aclient(fast):
    """Make asyncio clients: aclient(server or url, ...), with quick reconnects. Whoever makes one closes it."""

    def make(target, **options):
        options.setdefault("reconnect", fast)
        return AsyncWebSocketClient(target.url if isinstance(target, ScriptedServer) else target, **options)

    return make


async def eventually(condition, timeout=WAIT):
    """until(), for a coroutine."""
    end = time.monotonic() + timeout
    while not (result := condition()) and time.monotonic() < end:
        await asyncio.sleep(0.005)
    return result


@pytest.fixture(name="eventually")
def eventually_fixture():
    """await eventually(condition, timeout): wait until it holds, give what it gave last."""
    return eventually


class EventLog:
    """The lifecycle events of one client, in order, as (name, payload)."""

    def __init__(self, ws):
        self.entries = []
        self.times = []
        self._changed = threading.Condition()
        for name in LIFECYCLE:
            ws.on(name, self._writer(name))

    def _writer(self, name):
        def write(payload):
            with self._changed:
                self.entries.append((name, payload))
                self.times.append(time.monotonic())
                self._changed.notify_all()

        return write

    @property
    def names(self):
        """The names alone."""
        return [name for name, _ in list(self.entries)]

    def all(self, name):
        """The payloads of one event."""
        return [payload for seen, payload in list(self.entries) if seen == name]

    def wait(self, name, count=1, timeout=WAIT):
        """Wait for the event number `count` (1-based) of this name and give its payload."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.all(name)) >= count, timeout):
                raise AssertionError(f"no {name} number {count} within {timeout} s, only {self.entries}")
            return self.all(name)[count - 1]

    def in_language(self):
        """Whether the order is one that the specification allows (section 6)."""
        word = ""
        for name, payload in list(self.entries):
            if name == "dropped":
                continue
            if name == "error":
                if payload.phase in ("decode", "handler"):
                    continue
                if payload.phase in ("provider", "protocol", "limit") and not word.endswith("g"):
                    continue
            word += {
                "connecting": "g",
                "connect": "c",
                "disconnect": "d",
                "reconnecting": "r",
                "error": "e",
            }.get(name, "x")
        attempt = "g(?:er?|c(?:dr?)?)?"
        return re.fullmatch(f"(?:(?:{attempt})*x)*(?:{attempt})*", word) is not None


def until(condition, timeout=WAIT):
    """Wait until the condition holds; give what it gave last."""
    end = time.monotonic() + timeout
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return result


@pytest.fixture(name="until")
def until_fixture():
    """until(condition, timeout): wait until it holds, give what it gave last."""
    return until


@pytest.fixture
def io_turn():
    """io_turn(ws, conn): return when the client's I/O thread had a turn, and with it has written what it could."""

    def wait(ws, conn):
        for _ in range(2):  # the first may be read just before it writes
            read = ws.stats().bytes_in
            conn.send_raw(b"\x8a\x00")  # a Pong that nobody asked for
            assert until(lambda: ws.stats().bytes_in > read)  # noqa: B023

    return wait
