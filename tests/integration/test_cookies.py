"""Cookies that servers set in their handshakes: kept by the client for its next ones, and for nobody else."""

import pytest

from fastws import WebSocketClient


def setting(*cookies, then=None):
    """A script that accepts with Set-Cookie headers, then ends the connection unless told otherwise."""

    def script(conn):
        conn.accept(headers=[("Set-Cookie", cookie) for cookie in cookies])
        if then is None:
            conn.drop()
        else:
            then(conn)

    return script


def stay(conn):
    conn.accept()


def cookie_of(server, index):
    return server.wait_open(index + 1).request.headers.get("cookie")


def test_a_cookie_of_the_handshake_comes_back(serve, recorded):
    server = serve([setting("id=1; HttpOnly", "theme=dark; Path=/"), stay])
    _, log = recorded(server)
    log.wait("connect", 2)
    assert cookie_of(server, 0) is None
    assert cookie_of(server, 1) == "id=1; theme=dark"


def test_cookies_of_refusals_and_redirects_are_kept_too(serve, recorded):
    server = serve(
        [
            lambda conn: conn.refuse(503, headers=[("Set-Cookie", "queue=7")]),
            lambda conn: conn.refuse(302, headers=[("Set-Cookie", "hop=1; Path=/"), ("Location", "/next")]),
            stay,
        ]
    )
    _, log = recorded(server)
    log.wait("connect")
    assert server.connections[1].request.headers["cookie"] == "queue=7"
    assert server.connections[2].request.headers["cookie"] == "queue=7; hop=1"


def test_the_servers_go_before_the_users_of_the_same_name(serve, recorded):
    server = serve([setting("session=new"), stay])
    _, log = recorded(server, cookies={"session": "old", "mine": "1"})
    log.wait("connect", 2)
    assert cookie_of(server, 0) == "session=old; mine=1"
    assert cookie_of(server, 1) == "mine=1; session=new"
    names = [name.lower() for name, _ in server.connections[1].request.pairs]
    assert names.count("cookie") == 1


def test_a_server_may_take_a_cookie_back(serve, recorded):
    server = serve([setting("a=1", "b=2"), setting("a=; Max-Age=0"), stay])
    _, log = recorded(server)
    log.wait("connect", 3)
    assert cookie_of(server, 2) == "b=2"


def test_off_means_that_nothing_is_kept(serve, recorded):
    server = serve([setting("a=1"), stay])
    _, log = recorded(server, keep_cookies=False, cookies={"mine": "1"})
    log.wait("connect", 2)
    assert cookie_of(server, 1) == "mine=1"


def test_two_clients_share_nothing(serve, recorded):
    server = serve([setting("a=1", then=lambda conn: conn.stall()), stay])
    recorded(server)[1].wait("connect")
    recorded(server)[1].wait("connect")
    assert cookie_of(server, 1) is None


def test_a_redirect_to_another_host_gets_its_own_only(serve, recorded):
    """127.0.0.1 and localhost are two hosts, whatever they resolve to."""
    other = serve([setting("theirs=1"), stay])
    elsewhere = f"ws://localhost:{other.port}/"
    home = serve(lambda conn: conn.refuse(302, headers=[("Set-Cookie", "ours=1"), ("Location", elsewhere)]))
    _, log = recorded(home)
    log.wait("connect", 2)
    assert [conn.request.headers.get("cookie") for conn in home.connections] == [None, "ours=1"]
    assert [conn.request.headers.get("cookie") for conn in other.connections] == [None, "theirs=1"]


def test_a_secure_cookie_stays_on_secure_lines(serve, recorded, tls_server, trusted):
    secure = serve([setting("s=1; Secure"), stay], tls=tls_server)
    _, log = recorded(secure, tls=trusted)
    log.wait("connect", 2)
    assert cookie_of(secure, 1) == "s=1"
    plain = serve([setting("s=1; Secure"), stay])
    _, log = recorded(plain)
    log.wait("connect", 2)
    assert cookie_of(plain, 1) is None


def test_no_cookie_is_ever_shown(serve, recorded, caplog):
    server = serve([lambda conn: conn.refuse(503, headers=[("Set-Cookie", "id=hush")]), stay])
    ws, log = recorded(server)
    log.wait("connect")
    assert server.connections[1].request.headers["cookie"] == "id=hush"
    assert "hush" not in repr(ws) + caplog.text + log.all("error")[0].message


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_a_bad_keep_cookies_is_refused(value):
    with pytest.raises(TypeError, match="keep_cookies"):
        WebSocketClient("ws://127.0.0.1:9/", autoconnect=False, keep_cookies=value)
