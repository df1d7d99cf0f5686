"""Through proxies of other projects: tinyproxy (HTTP), microsocks (SOCKS5), and tinyproxy behind TLS."""

import contextlib
import socket
import ssl

import pytest
from preloaded import compiled
from proxy_programs import Microsocks, Tinyproxy, TlsFront, free_port
from server_scripts import echo

import fastws
from fastws import WebSocketClient

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No test depends on the proxies of the machine it runs on."""
    for name in (*VARIABLES, *map(str.upper, VARIABLES), "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def start(tmp_path):
    """Start a proxy that ends with the test: start(Tinyproxy, ...)."""
    with contextlib.ExitStack() as stack:
        yield lambda kind, *given, **options: stack.enter_context(kind(tmp_path, *given, **options))


@pytest.fixture(scope="session")
def names(tmp_path_factory):
    """A resolver for the proxies alone, in which local.test is 127.0.0.1 and no other .test name exists."""
    return compiled(tmp_path_factory.mktemp("names"), "getaddrinfo_shim", "-ldl")


@pytest.fixture
def front(authority):
    """Put TLS before a proxy: front(proxy, names of its certificate)."""
    with contextlib.ExitStack() as stack:

        def make(behind, *certified):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(*(certified or ("localhost",))).configure_cert(context)
            return stack.enter_context(TlsFront(behind, context))

        yield make


def failure(ws):
    """What the client gave up with."""
    with pytest.raises(fastws.ConnectFailed) as caught:
        ws.wait_open(15)
    return caught.value


# -- There and back


@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h"])
def test_messages_go_through(serve, client, start, front, tls_server, trusted, kind, tls):
    server = serve(echo, tls=tls_server if tls else None)
    proxy = start(Microsocks if kind.startswith("socks") else Tinyproxy)
    reached = front(proxy) if kind == "https" else proxy
    url = reached.url(scheme=kind) if kind.startswith("socks") else reached.url()
    with client(f"{'wss' if tls else 'ws'}://localhost:{server.port}/", proxy=url, tls=trusted) as ws:
        for value in ({"n": 1}, "ü" * 100, ["x" * 1_000_000]):
            assert ws.send(value)
            assert ws.recv(10) == value
    conn = server.connections[0]
    assert conn.wait_over() and conn.close_code == 1000
    assert conn.server_name == ("localhost" if tls else None), "the name asked for is the server's"
    if kind == "https":
        assert reached.names == ["localhost"]
    host = "127.0.0.1" if kind == "socks5" else "localhost"  # who looks the name up
    sent = "connected to" if kind.startswith("socks") else "CONNECT"
    assert f"{sent} {host}:{server.port}" in proxy.log(), "it went another way"


@pytest.mark.parametrize("kind", [Tinyproxy, Microsocks])
def test_a_name_that_only_the_proxy_knows(serve, client, start, names, kind):
    server = serve(echo)
    proxy = start(kind, preload=names)
    with client(f"ws://local.test:{server.port}/", proxy=proxy.url()) as ws:
        assert ws.send({"n": 1}) and ws.recv(10) == {"n": 1}
        assert ws.url == f"ws://local.test:{server.port}/"
    assert server.connections[0].request.headers["host"] == f"local.test:{server.port}"


def test_the_certificate_must_be_for_the_server_not_for_the_proxy(
    serve, client, start, names, tls_server, trusted
):
    server = serve(tls=tls_server)
    proxy = start(Tinyproxy, preload=names)
    error = failure(client(f"wss://local.test:{server.port}/", proxy=proxy.url(), tls=trusted))
    assert isinstance(error, fastws.TlsFailed)
    assert "it is not for local.test" in str(error)


def test_many_messages_both_ways_through_tls_within_tls(both_ways, start, front):
    both_ways(proxy=front(start(Tinyproxy)).url())


def test_a_proxy_that_dies_and_comes_back(serve, recorded, tmp_path):
    """A lost proxy is a lost connection; then attempts fail in the proxy, and are retried."""
    server = serve(echo)
    with Tinyproxy(tmp_path) as proxy:
        ws, log = recorded(server, proxy=proxy.url())
        log.wait("connect")
    assert log.wait("disconnect").code == 1006
    error = log.wait("error")
    assert (error.phase, error.fatal) == ("proxy", False)
    assert f"proxy 127.0.0.1:{proxy.port}" in error.message
    assert "is the proxy running?" in error.message
    with Tinyproxy(tmp_path, port=proxy.port):
        log.wait("connect", 2)
        assert ws.send({"n": 2}) and ws.recv(10) == {"n": 2}
        ws.close()
    assert log.in_language()


# -- Who may


@pytest.mark.parametrize("kind", ["http", "socks5h", "https"])
def test_the_right_user_and_password(serve, client, start, front, trusted, kind):
    server = serve(echo)
    if kind == "socks5h":
        proxy = start(Microsocks, "ann", "p:w@d/%ü")
        url = proxy.url("ann:p%3Aw%40d%2F%25%C3%BC")
    else:
        proxy = start(Tinyproxy, "BasicAuth ann s3cret")
        url = (front(proxy) if kind == "https" else proxy).url("ann:s3cret")
    with client(server, proxy=url, tls=trusted) as ws:
        assert ws.send({"n": 1}) and ws.recv(10) == {"n": 1}
        assert "authorization" not in str(server.connections[0].request.headers).lower()
        assert "s3cret" not in repr(ws) and "ann" not in repr(ws)


@pytest.mark.parametrize("userinfo", ["", "ann:wr0ng", "bob:s3cret"])
@pytest.mark.parametrize("kind", [Tinyproxy, Microsocks])
def test_a_wrong_user_or_password_is_fatal_at_first(serve, recorded, start, kind, userinfo):
    server = serve()
    proxy = start(Tinyproxy, "BasicAuth ann s3cret") if kind is Tinyproxy else start(kind, "ann", "s3cret")
    ws, log = recorded(server, proxy=proxy.url(userinfo))
    assert log.wait("closed").reason == "fatal"
    assert log.names == ["connecting", "error", "closed"]
    error = failure(ws)
    assert isinstance(error, fastws.ProxyFailed)
    status = (
        None if kind is Microsocks else 401 if userinfo else 407
    )  # tinyproxy says 401 where others say 407
    assert (error.phase, error.status) == ("proxy", status)
    assert log.all("error")[0].http_status == error.status
    assert str(error).startswith(f"proxy 127.0.0.1:{proxy.port}: it ")
    if userinfo:
        assert "refused the user and password" in str(error)
    else:
        assert "wants" in str(error) and "://user:password@" in str(error)
    everything = str(error) + repr(error.__dict__) + repr(log.entries) + repr(ws)
    assert not any(secret in everything for secret in ("s3cret", "wr0ng", "bob"))
    assert server.connections == []


def test_a_proxy_sends_us_nowhere(serve, recorded):
    """A redirect is the server's to give: what a proxy answers to CONNECT is a failure, whatever it says."""
    target = serve()

    def redirecting(conn):
        conn.read_request()
        conn.write(
            f"HTTP/1.1 302 Found\r\nLocation: {target.url}\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n".encode()
        )

    proxy = serve(redirecting)
    _, log = recorded("ws://nobody.test/", proxy=f"http://127.0.0.1:{proxy.port}")
    error = log.wait("error")
    assert (error.phase, error.http_status) == ("proxy", 302)
    assert "redirect" not in error.message
    assert (proxy.total, target.total) == (1, 0)


def test_what_the_proxy_forbids_is_fatal_at_first(serve, recorded, start):
    """tinyproxy allows CONNECT to the ports of its list."""
    server = serve()
    ws, log = recorded(f"ws://localhost:{server.port}/", proxy=start(Tinyproxy, "ConnectPort 1").url())
    assert log.wait("closed").reason == "fatal"
    error = failure(ws)
    assert isinstance(error, fastws.ProxyFailed) and error.status == 403
    assert f"it forbids a connection to localhost:{server.port} (403" in str(error)


# -- What fails


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Tinyproxy, "it could not connect to {} (500 "),
        (Microsocks, "{} refused its connection (SOCKS reply 5)"),
    ],
)
def test_a_server_that_refuses_the_proxy_is_tried_again(serve, recorded, start, kind, says):
    server = serve(echo)
    port = server.port
    proxy = start(kind)
    dead = free_port()
    targets = [f"ws://127.0.0.1:{dead}/", f"ws://127.0.0.1:{port}/"]
    ws, log = recorded(lambda attempt: targets[min(attempt.attempt - 1, 1)], proxy=proxy.url())
    log.wait("connect")
    error = log.all("error")[0]
    assert (error.phase, error.fatal) == ("proxy", False)
    assert says.format(f"127.0.0.1:{dead}") in error.message
    assert f"proxy 127.0.0.1:{proxy.port}: " in error.message
    assert log.in_language()


@pytest.mark.parametrize(("kind", "says"), [(Tinyproxy, "(500 "), (Microsocks, "(SOCKS reply 1)")])
def test_a_name_that_the_proxy_does_not_know(recorded, start, names, kind, says):
    _, log = recorded("ws://other.test/", proxy=start(kind, preload=names).url())
    error = log.wait("error")
    assert (error.phase, error.fatal) == ("proxy", False)
    assert says in error.message and "other.test:80" in error.message


@pytest.mark.parametrize(
    ("kind", "scheme", "phase", "says"),
    [
        (Microsocks, "http", "proxy", "is it an HTTP proxy, and is the port right?"),
        (Microsocks, "https", "proxy", "the TLS handshake failed (the proxy ended the connection)"),
        # tinyproxy waits for the end of a line that nobody will send
        (Tinyproxy, "socks5h", "timeout", "is it such a proxy"),
        (Tinyproxy, "https", "timeout", "the TLS handshake was not done"),
    ],
)
def test_a_proxy_of_another_kind(recorded, start, kind, scheme, phase, says):
    proxy = start(kind).url("ann:s3cret", scheme)
    _, log = recorded("ws://local.test/", proxy=proxy, connect_timeout=1 if phase == "timeout" else 15)
    error = log.wait("error")
    assert (error.phase, error.fatal) == (phase, False), error
    assert says in error.message
    assert "s3cret" not in error.message


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
def test_a_silent_proxy_meets_the_deadline(client, scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        ws = client(
            "ws://local.test/", proxy=f"{scheme}://127.0.0.1:{port}", connect_timeout=0.3, reconnect=False
        )
        error = failure(ws)
    assert isinstance(error, fastws.ConnectTimeout)
    assert f"proxy 127.0.0.1:{port}" in str(error)


def test_the_proxys_certificate_is_checked(serve, recorded, start, front, trusted):
    server = serve()
    proxy = front(start(Tinyproxy), "other.example")
    ws, log = recorded(server, proxy=proxy.url("ann:s3cret"), tls=trusted)
    assert log.wait("closed").reason == "fatal"
    error = failure(ws)
    assert isinstance(error, fastws.ProxyFailed)
    assert "the proxy's certificate was refused" in str(error) and "s3cret" not in str(error)
    assert server.connections == []


# -- The environment


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_ws_goes_by_http_proxy(serve, client, start, names, monkeypatch, name):
    server = serve(echo)
    proxy = start(Tinyproxy, preload=names)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv(name, f"127.0.0.1:{proxy.port}")
    with client(f"ws://local.test:{server.port}/") as ws:
        assert ws.send({"n": 1}) and ws.recv(10) == {"n": 1}
    assert f"local.test:{server.port}" in proxy.log()


@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY"])
def test_wss_goes_by_https_proxy(serve, client, start, names, monkeypatch, authority, trusted, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("local.test").configure_cert(context)
    server = serve(echo, tls=context)
    proxy = start(Microsocks, preload=names)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv(name, proxy.url())
    with client(f"wss://local.test:{server.port}/", tls=trusted) as ws:
        assert ws.send({"n": 1}) and ws.recv(10) == {"n": 1}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_never_goes_by_the_environment(serve, client, monkeypatch, host):
    dead = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("ALL_PROXY", dead)
    server = serve()
    with client(f"ws://{host}:{server.port}/") as ws:
        assert ws.state == "open"
    ws = client(
        f"ws://{host}:{server.port}/", proxy=dead, reconnect=False
    )  # one that is named holds for loopback too
    assert isinstance(failure(ws), fastws.ProxyFailed)


def test_each_attempts_url_decides(serve, recorded, start, names, monkeypatch):
    """A provider's URLs: the first is loopback, the second goes through the proxy."""
    proxy = start(Tinyproxy, preload=names)
    monkeypatch.setenv("http_proxy", proxy.url())
    server = serve(echo)
    hosts = iter(["localhost", "local.test"])
    ws, log = recorded(lambda: f"ws://{next(hosts)}:{server.port}/")
    log.wait("connect")
    assert "CONNECT local" not in proxy.log()
    ws.reconnect()
    log.wait("connect", 2)
    assert f"CONNECT local.test:{server.port}" in proxy.log()


def test_a_variable_that_can_not_be_used_is_named(recorded, monkeypatch):
    monkeypatch.setenv("https_proxy", "ftp://ann:s3cret@proxy.test")
    with pytest.raises(ValueError, match="the environment's https_proxy: bad URL: the scheme must be"):
        WebSocketClient("wss://server.test/")
    ws, log = recorded(lambda: "wss://server.test/")
    assert log.wait("closed").reason == "fatal"
    error = failure(ws)
    assert isinstance(error, fastws.ProxyFailed)
    assert "https_proxy" in str(error) and "s3cret" not in str(error)


# -- The argument


@pytest.mark.parametrize(
    "proxy", [5, b"http://proxy.test", True, ("http", "proxy.test"), {"http": "proxy.test"}]
)
def test_what_is_no_proxy_is_a_type_error(proxy):
    with pytest.raises(TypeError, match="proxy must be"):
        WebSocketClient("ws://localhost", proxy=proxy)


@pytest.mark.parametrize(
    "proxy", ["", "proxy.test:3128", "ftp://ann:s3cret@proxy.test", "http://ann:s3cret@", "socks5://a\ud800"]
)
def test_a_url_that_can_not_be_used_is_a_value_error(proxy):
    with pytest.raises(ValueError, match="proxy") as caught:
        WebSocketClient("ws://localhost", proxy=proxy)
    assert "s3cret" not in str(caught.value)
