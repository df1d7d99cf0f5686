"""The chat's server: `python -m chat.server --port 8765`. Serves the page at / and the chat at /ws, with aiohttp.

Composes hub, rooms and connections. Prints "listening http://HOST:PORT/" when it does. Without --redis it is alone with its
SQLite file; with it, any number of servers serve the same rooms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sqlite3
import sys
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, web

from . import protocol
from .connection import Connection
from .history import History
from .hub import Hub
from .local_hub import LocalHub
from .room import Rooms

PAGE = Path(__file__).parent / "page"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PING_SECONDS = 20.0

# Nothing but this server's own files runs or is drawn, whatever somebody manages to say.
SAFETY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws://{host} wss://{host};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Server:
    """The handlers of one server, over one hub."""

    def __init__(self, hub: Hub) -> None:
        self._rooms = Rooms(hub)
        self._open: dict[Connection, asyncio.Task[None] | None] = {}
        self.came_and_went = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._open)

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application()
        application.router.add_get("/ws", self.chat)
        application.router.add_get("/about", self.about)
        application.router.add_get("/{name:[a-z.-]*}", self.page)
        application.on_shutdown.append(self._end)
        return application

    async def about(self, request: web.Request) -> web.Response:
        """Tell a program that this is a chat."""
        return web.json_response({"chat": protocol.VERSION, "connections": self.connections})

    async def page(self, request: web.Request) -> web.Response:
        """One of the page's files."""
        path = PAGE / (request.match_info["name"] or "index.html")
        if path.suffix not in KINDS or not path.is_file():
            raise web.HTTPNotFound
        headers = {key: value.replace("{host}", _host(request)) for key, value in SAFETY.items()}
        body = await asyncio.to_thread(path.read_bytes)
        return web.Response(body=body, content_type=KINDS[path.suffix], charset="utf-8", headers=headers)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """One client. A page of another site is turned away: a browser would let it speak in its reader's name."""
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
            raise web.HTTPForbidden(text="This chat is for its own page.")
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, max_msg_size=protocol.FRAME_BYTES)
        try:
            await socket.prepare(request)
        except ConnectionError:
            return web.Response()  # it left before it was answered: no fault, and nobody to tell
        connection = Connection(self._rooms)
        self._open[connection] = asyncio.current_task()
        self.came_and_went.set()
        try:
            await connection.serve(socket)
        finally:
            del self._open[connection]
            self.came_and_went.set()
        return socket

    async def _end(self, application: web.Application) -> None:
        tasks = [task for task in self._open.values() if task is not None]
        for connection in self._open:
            connection.outbox.end(WSCloseCode.GOING_AWAY, "the server ends")
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)


def _host(request: web.Request) -> str:
    """The host as it may stand in a header: what a client made up is not repeated."""
    host = request.host
    return host if all(one.isalnum() or one in ".-:[]" for one in host) else "localhost"


async def serve(options: argparse.Namespace) -> int:
    """Serve until told to end, or until nobody has been here for a while; gives the exit code."""
    try:
        hub = await _hub(options)
    except (OSError, sqlite3.Error) as error:
        print(f"chat: the history can not be used: {error}", file=sys.stderr)
        return 1
    server = Server(hub)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=3.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        await site.start()
    except OSError as error:
        print(f"chat: {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        await runner.cleanup()
        await hub.close()
        return 1
    host, port = runner.addresses[0][:2]
    print(f"listening http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    watching = [
        asyncio.create_task(_until_lonely(server, options.linger, ended)),
        asyncio.create_task(hub.lost.wait()),
    ]
    watching[1].add_done_callback(lambda _: ended.set())
    await ended.wait()
    for task in watching:
        task.cancel()
    await runner.cleanup()
    await hub.close()
    return 1 if hub.lost.is_set() else 0


async def _hub(options: argparse.Namespace) -> Hub:
    if options.redis:
        from .redis_hub import RedisHub  # only who has several servers needs the package

        hub: Hub = RedisHub(options.redis)
    else:
        path = Path(options.data)
        path.parent.mkdir(parents=True, exist_ok=True)
        hub = LocalHub(History(path, limit_mib=options.max_history_mib))
    await hub.start()
    return hub


async def _until_lonely(server: Server, linger: float | None, ended: asyncio.Event) -> None:
    while linger is not None:
        server.came_and_went.clear()
        if server.connections:
            await server.came_and_went.wait()
            continue
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(server.came_and_went.wait(), linger)
            continue
        return ended.set()


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="chat.server", description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=protocol.DEFAULT_PORT, help="0 = any that is free")
    parser.add_argument("--data", default="chat.sqlite3", help="the file of the history")
    parser.add_argument(
        "--max-history-mib", type=float, help="the history grows no larger (default: the disk's limit)"
    )
    parser.add_argument("--redis", metavar="URL", help="share rooms with other servers: redis://host:port/0")
    parser.add_argument("--linger", type=float, help="end when nobody has been connected for so many seconds")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    return asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
