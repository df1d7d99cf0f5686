"""Redirects of the opening handshake: followed inside one attempt, with nobody's secrets."""

import asyncio
import threading
import time

import aiohttp.web
import pytest

import fastws
from fastws import WebSocketClient

SECRET = {"Authorization": "Bearer hush", "Cookie": "id=hush", "X-Mine": "stays"}


def to(location, status=302):
    return lambda conn: conn.redirect(location, status)


def open_(conn):
    conn.accept()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["/there?x=1", "there?x=1", "../there?x=1", "{url}there?x=1", "{http}there?x=1"]
)
def test_a_redirect_is_followed(serve, recorded, status, location):
    server = serve([lambda conn: conn.redirect(where, status), open_])
    where = location.format(url=server.url, http=server.url.replace("ws:", "http:"))
    ws, log = recorded(server.url + "here", headers=SECRET)
    event = log.wait("connect")
    first, second = server.connections
    assert (first.request.path, second.request.path) == ("/here", "/there?x=1")
    for header, value in SECRET.items():  # the same origin
        assert second.request.headers[header.lower()] == value
    assert event.url == ws.url == server.url + "there?x=1"
    assert log.names == ["connecting", "connect"]  # one attempt, no failure
    assert ws.stats().failures == 0
    assert first.wait_over(5)


def test_credentials_stay_with_their_origin(serve, recorded):
    """What was dropped stays dropped, also on the way back."""
    home = serve([lambda conn: conn.redirect(other.url), open_])
    other = serve(lambda conn: conn.redirect(home.url + "again"))
    _, log = recorded(home.url, headers=SECRET, auth=None)
    log.wait("connect")
    assert home.connections[0].request.headers["authorization"] == "Bearer hush"
    for request in (other.connections[0].request, home.connections[1].request):
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers
        assert request.headers["x-mine"] == "stays"


def test_userinfo_and_auth_are_credentials(serve, recorded):
    other = serve()
    for options in ({"auth": ("me", "hush")}, {}):
        home = serve(lambda conn: conn.redirect(other.url))
        url = home.url if options else home.url.replace("//", "//me:hush@")
        _, log = recorded(url, **options)
        log.wait("connect")
        assert "authorization" in home.connections[0].request.headers
    assert all("authorization" not in conn.request.headers for conn in other.connections)


def test_a_locations_own_userinfo_is_not_used(serve, recorded):
    server = serve([lambda conn: conn.redirect(server.url.replace("//", "//you:secret@") + "x"), open_])
    ws, log = recorded(server.url)
    assert "secret" not in log.wait("connect").url + ws.url
    assert "authorization" not in server.connections[1].request.headers


def test_every_attempt_begins_where_the_user_said(serve, recorded):
    server = serve([to("/a"), lambda conn: (conn.accept(), conn.drop()), to("/b"), open_])
    _, log = recorded(server.url + "start", headers=SECRET)
    log.wait("connect", 2)
    assert [conn.request.path for conn in server.connections] == ["/start", "/a", "/start", "/b"]
    assert all("authorization" in conn.request.headers for conn in server.connections)


def test_a_headers_callable_is_asked_once_for_an_attempt(serve, recorded):
    asked = []
    server = serve([to("/a"), to("/b"), open_])
    _, log = recorded(server.url, headers=lambda attempt: asked.append(1) or {"X-Token": "t"})
    log.wait("connect")
    assert len(asked) == 1
    assert [conn.request.headers["x-token"] for conn in server.connections] == ["t"] * 3


def refusal(url, **options):
    ws = WebSocketClient(url, reconnect=False, **options)
    with pytest.raises(fastws.HandshakeRejected) as caught:
        ws.wait(10)
    return caught.value


@pytest.mark.parametrize(
    ("script", "options", "text", "hops"),
    [
        (lambda conn: conn.refuse(302), {}, "it does not say where to", 0),
        (to("ftp://127.0.0.1/"), {}, "the scheme must be", 0),
        (to("ws://127.0.0.1:99999/"), {}, "the port is not a number", 0),
        (to("/round"), {}, r"one more than max_redirects \(5\)", 5),
        (to("/x"), {"max_redirects": 0}, "max_redirects is 0", 0),
        (to("/x"), {"max_redirects": 1}, r"one more than max_redirects \(1\)", 1),
    ],
)
def test_a_redirect_that_is_not_followed_says_why(serve, script, options, text, hops):
    server = serve(script)
    error = refusal(server.url, **options)
    assert error.status == 302
    with pytest.raises(fastws.HandshakeRejected, match=text):
        raise error
    assert server.total == hops + 1


def test_never_from_wss_to_ws(serve, tls_server, trusted):
    plain = serve()
    secure = serve(lambda conn: conn.redirect(plain.url + "?token=hush"), tls=tls_server)
    with pytest.raises(fastws.HandshakeRejected, match="it leads from wss to ws://"):
        raise refusal(secure.url, tls=trusted)
    assert plain.total == 0


def test_from_ws_to_wss(serve, recorded, tls_server, trusted):
    secure = serve(tls=tls_server)
    _, log = recorded(serve(to(secure.url)).url, tls=trusted, headers=SECRET)
    assert log.wait("connect").url == secure.url
    assert "authorization" not in secure.connections[0].request.headers


def test_the_deadline_is_the_whole_attempts(serve, recorded):
    """Each hop takes its time; together they are too slow."""

    def slow(conn):
        conn.read_request()
        if not conn.stall(0.3):
            conn.redirect("/on")

    _, log = recorded(serve(slow).url, connect_timeout=0.8)
    assert log.wait("error").phase == "timeout"  # a deadline for each hop would end at max_redirects


def test_close_in_the_middle_of_redirects(serve, client):
    server = serve(lambda conn: conn.stall(0.02) or conn.redirect("/on"))
    ws = client(server.url, max_redirects=1000)
    server.wait_total(3)
    ws.close()
    total = server.total
    time.sleep(0.2)
    assert server.total <= total + 1
    assert ws.state == "closed"


def test_other_3xx_are_refusals(serve):
    server = serve(lambda conn: conn.refuse(304, headers=[("Location", "/x")]))
    assert refusal(server.url).status == 304
    assert server.total == 1


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), (None, TypeError), (1.5, TypeError), (True, TypeError)]
)
def test_a_bad_max_redirects_is_refused(value, error):
    with pytest.raises(error, match="max_redirects"):
        WebSocketClient("ws://127.0.0.1:9/", autoconnect=False, max_redirects=value)


def test_a_real_server_that_redirects():
    """aiohttp's own HTTPFound, and its own slash redirects."""
    ready, port, loop = threading.Event(), [], asyncio.new_event_loop()
    stop = asyncio.Event()

    async def moved(request):
        raise aiohttp.web.HTTPFound("/new/place?from=old")

    async def place(request):
        peer = aiohttp.web.WebSocketResponse()
        await peer.prepare(request)
        await peer.send_str(request.path_qs)
        await peer.close()
        return peer

    async def run():
        app = aiohttp.web.Application()
        app.router.add_get("/old", moved)
        app.router.add_get("/new/place", place)
        runner = aiohttp.web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port.append(site._server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert ready.wait(10)
        with WebSocketClient(f"ws://127.0.0.1:{port[0]}/old", decode="text", reconnect=False) as ws:
            assert ws.recv(10) == "/new/place?from=old"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def test_connecting_tells_where_each_attempt_begins(serve, recorded):
    """Not where the one before it was led."""
    server = serve([to("/a"), lambda conn: (conn.accept(), conn.drop()), to("/b"), open_])
    ws, log = recorded(server.url.replace("//", "//me:hush@") + "start")
    log.wait("connect", 2)
    assert [event.url for event in log.all("connecting")] == [server.url + "start"] * 2
    assert [event.url for event in log.all("connect")] == [server.url + "a", server.url + "b"]
    assert ws.url == server.url + "b"
