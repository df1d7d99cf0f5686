"""The upgrade: what the server gets to see, and what of its answer is believed."""

import base64
import socket

import pytest

import fastws

HELLO = b"\x81\x0e" + b'{"type": "hi"}'


def request_of(server, ws):
    ws.wait_open(10)
    return server.wait_open(1).request


def test_the_request_is_an_upgrade(serve, client):
    """RFC 6455 section 4.1: method, Host with port, Upgrade, Connection, Version, a 16-byte key."""
    server = serve()
    request = request_of(server, client(server))
    assert (request.method, request.path) == ("GET", "/")
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["upgrade"].lower() == "websocket"
    assert "upgrade" in request.headers["connection"].lower()
    assert request.headers["sec-websocket-version"] == "13"
    assert len(base64.b64decode(request.headers["sec-websocket-key"], validate=True)) == 16
    names = [name.lower() for name, _ in request.pairs]
    assert len(names) == len(set(names)), "a header was sent twice"


@pytest.mark.parametrize(
    ("suffix", "path"),
    [("", "/"), ("/", "/"), ("/a/b?x=1&y=%20z", "/a/b?x=1&y=%20z"), ("?q=1", "/?q=1")],
)
def test_path_and_query_arrive_as_written(serve, client, suffix, path):
    """api.md 2: a missing path is /."""
    server = serve()
    assert request_of(server, client(f"ws://127.0.0.1:{server.port}{suffix}")).path == path


def test_http_is_a_synonym_of_ws(serve, client):
    server = serve()
    assert request_of(server, client(f"http://127.0.0.1:{server.port}/x")).path == "/x"


def test_the_host_may_be_a_name(serve, client):
    """Both addresses of localhost are tried; only the IPv4 one listens here."""
    server = serve()
    request = request_of(server, client(f"ws://localhost:{server.port}/"))
    assert request.headers["host"] == f"localhost:{server.port}"


@pytest.mark.parametrize("provided", [False, True], ids=["fixed", "asked"])
def test_the_host_may_be_a_name_beyond_ascii(serve, client, provided):
    server = serve()
    url = f"ws://Bücher.localhost:{server.port}/ü"
    request = request_of(server, client((lambda attempt: url) if provided else url))
    assert request.headers["host"] == f"xn--bcher-kva.localhost:{server.port}"
    assert request.path == "/%C3%BC"


def test_an_ipv6_literal(serve, client):
    server = serve(host="::1")
    request = request_of(server, client(f"ws://[::1]:{server.port}/"))
    assert request.headers["host"] == f"[::1]:{server.port}"


@pytest.mark.parametrize("headers", [{"X-One": "1", "X-Two": "zwei"}, [("X-One", "1"), ("X-Two", "zwei")]])
def test_own_headers(serve, client, headers):
    server = serve()
    request = request_of(server, client(server, headers=headers))
    assert (request.headers["x-one"], request.headers["x-two"]) == ("1", "zwei")


def test_headers_as_pairs_may_repeat(serve, client):
    server = serve()
    request = request_of(server, client(server, headers=[("X-One", "1"), ("X-One", "2")]))
    assert [value for name, value in request.pairs if name.lower() == "x-one"] == ["1", "2"]


def test_cookies(serve, client):
    """RFC 6265 section 5.4: one Cookie header, pairs with a semicolon and a space between."""
    server = serve()
    request = request_of(server, client(server, cookies={"session": "abc", "lang": "de"}))
    assert request.headers["cookie"] == "session=abc; lang=de"


def test_origin_and_user_agent(serve, client):
    server = serve()
    ws = client(server, origin="https://example.com", user_agent="probe/1.0")
    request = request_of(server, ws)
    assert (request.headers["origin"], request.headers["user-agent"]) == ("https://example.com", "probe/1.0")


def test_auth_becomes_basic_credentials(serve, client):
    server = serve()
    request = request_of(server, client(server, auth=("ann", "s3cret:ü")))
    assert request.headers["authorization"] == "Basic " + base64.b64encode("ann:s3cret:ü".encode()).decode()


def test_userinfo_becomes_basic_credentials_and_is_never_shown(serve, recorded):
    """api.md 2 and 3: userinfo is Basic auth; no repr, no attribute and no payload shows it."""
    server = serve()
    ws, log = recorded(f"ws://ann:p%40ss@127.0.0.1:{server.port}/")
    request = request_of(server, ws)
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"ann:p@ss").decode()
    assert "@" not in request.headers["host"]
    shown = " ".join([repr(ws), ws.url, *(repr(payload) for _, payload in log.entries)])
    assert "p%40ss" not in shown and "p@ss" not in shown


def test_subprotocols_are_offered_in_order_and_the_answer_is_shown(serve, recorded):
    server = serve(lambda conn: conn.accept(subprotocol="v1"))
    ws, log = recorded(server, subprotocols=["v2", "v1"])
    offered = request_of(server, ws).headers["sec-websocket-protocol"]
    assert [part.strip() for part in offered.split(",")] == ["v2", "v1"]
    assert ws.subprotocol == "v1"
    assert log.wait("connect").subprotocol == "v1"


def test_a_server_may_choose_no_subprotocol(serve, recorded):
    server = serve()
    ws, log = recorded(server, subprotocols=["v1"])
    assert log.wait("connect").subprotocol is None
    assert ws.subprotocol is None


def test_a_subprotocol_nobody_asked_for_is_fatal_at_first(serve, recorded):
    """Section 5: wrong subprotocol before the first open is fatal."""
    server = serve(lambda conn: conn.accept(subprotocol="other"))
    ws, log = recorded(server, subprotocols=["v1"])
    assert log.wait("closed").reason == "fatal"
    assert "connect" not in log.names
    assert log.in_language()
    with pytest.raises(fastws.ConnectFailed):
        ws.wait_open(5)


def test_the_answers_headers_are_in_the_connect_event(serve, recorded):
    server = serve(lambda conn: conn.accept(headers=[("X-Node", "n7")]))
    _, log = recorded(server)
    headers = log.wait("connect").headers
    assert {name.lower(): value for name, value in dict(headers).items()}["x-node"] == "n7"


@pytest.mark.parametrize("key", ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "short"])
def test_a_wrong_accept_key_is_fatal_at_first(serve, recorded, key):
    """Section 5: bad Sec-WebSocket-Accept before the first open; one error, no connect."""
    server = serve(lambda conn: conn.accept(key=key))
    _, log = recorded(server)
    assert log.wait("closed").reason == "fatal"
    assert log.names == ["connecting", "error", "closed"]
    assert log.all("error")[0].fatal
    assert server.connections[0].wait_over()


def test_a_wrong_accept_key_is_retried_after_an_open(serve, recorded):
    """Section 5: the same after a successful open is a deploy transient."""
    good = lambda conn: (conn.accept(), conn.stall(0.02), conn.drop())
    server = serve([good, lambda conn: conn.accept(key="x"), lambda conn: conn.accept()])
    _, log = recorded(server)
    assert log.wait("connect", 2).is_reconnect
    assert not log.wait("error").fatal
    assert log.in_language()


def test_an_answer_that_comes_bytewise(serve, client):
    """Section 11: 101 split byte by byte, a message right behind it."""
    server = serve(lambda conn: conn.accept(chunk=1, then=HELLO))
    with client(server) as ws:
        assert ws.recv(10) == {"type": "hi"}


def test_messages_in_the_same_packet_as_the_answer(serve, client):
    """No first message is lost: three messages ride on the 101 itself."""
    server = serve(lambda conn: conn.accept(then=HELLO * 3))
    with client(server) as ws:
        assert [ws.recv(10) for _ in range(3)] == [{"type": "hi"}] * 3


def test_messages_and_a_close_in_the_same_packet_as_the_answer(serve, recorded):
    """A peer's close delivers first what came before it (api.md 5), whole and in order."""
    server = serve(
        [lambda conn: conn.accept(then=HELLO * 3 + b"\x88\x02\x0f\xa1"), lambda conn: conn.accept()]
    )
    seen = []
    _, log = recorded(server, on={"hi": seen.append})
    assert log.wait("disconnect").code == 4001
    assert len(seen) == 3
    log.wait("connect", 2)
    assert log.in_language()


def test_every_attempt_has_a_key_of_its_own(serve, recorded):
    """Section 11: Sec-WebSocket-Key differs between attempts, refused ones included."""
    refused = lambda conn: conn.refuse(503)
    dropped = lambda conn: (conn.accept(), conn.drop())
    server = serve([refused, dropped, refused, dropped, lambda conn: conn.accept()])
    _, log = recorded(server)
    log.wait("connect", 3)
    keys = [conn.request.headers["sec-websocket-key"] for conn in server.connections]
    assert len(keys) == len(set(keys)) == 5


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101\r\nUpgrade: websocket\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
    ],
    ids=["bare-101", "no-phrase", "ssh", "binary", "no-number"],
)
def test_an_answer_that_is_none_is_one_error_and_no_crash(serve, recorded, answer):
    def script(conn):
        conn.read_request()
        conn.write(answer)
        conn.fin()

    _, log = recorded(serve(script))
    error = log.wait("error")
    assert error.message
    assert log.names[:2] == ["connecting", "error"]
    assert "connect" not in log.names
    assert log.in_language()


def test_an_endless_head_is_refused(serve, recorded):
    """A server that never ends its head may not fill the memory: an error long before the deadline."""

    def script(conn):
        conn.read_request()
        conn.write(b"HTTP/1.1 101 Switching Protocols\r\n")
        filler = b"X-Filler: " + b"x" * 1000 + b"\r\n"
        while not conn.stall(0):
            conn.write(filler * 50)

    _, log = recorded(serve(script), connect_timeout=8.0)
    error = log.wait("error", timeout=7)
    assert error.phase in ("http", "limit")


def test_a_server_that_leaves_before_it_answered(serve, recorded):
    """A FIN and a RST in place of the answer: one error each, retried."""
    server = serve([
        lambda conn: (conn.read_request(), conn.drop()),
        lambda conn: (conn.read_request(), conn.reset()),
        lambda conn: conn.reset(),
        lambda conn: conn.accept(),
    ])  # fmt: skip
    _, log = recorded(server)
    log.wait("connect")
    assert len(log.all("error")) == 3
    assert log.in_language()
    assert {error.phase for error in log.all("error")} <= {"http", "tcp"}


def test_nobody_listens(recorded):
    """A refused port is phase tcp, with the host named in the message."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        _, log = recorded(f"ws://127.0.0.1:{port}/")
        error = log.wait("error")
    assert (error.phase, error.fatal, error.attempt) == ("tcp", False, 1)
    assert str(port) in error.message or "127.0.0.1" in error.message


def test_a_name_that_does_not_exist(recorded):
    """Section 5: any EAI_* is retried, phase resolve."""
    _, log = recorded("ws://no-such-host.invalid:1/")
    error = log.wait("error")
    assert (error.phase, error.fatal) == ("resolve", False)
    log.wait("reconnecting")


def test_a_token_in_the_query_is_sent_and_never_shown(serve, recorded, caplog):
    """api.md 7: `url` (without secrets)."""
    server = serve(
        [lambda conn: conn.refuse(503), lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()]
    )
    ws, log = recorded(server.url + "feed?symbol=EURUSD&token=hush")
    log.wait("connect", 2)
    assert server.connections[0].request.path == "/feed?symbol=EURUSD&token=hush"
    assert ws.url.endswith("/feed?symbol=EURUSD&token=***")
    everything = repr(ws) + repr(log.entries) + caplog.text
    assert "hush" not in everything
