"""Session resumption: a reconnect goes on with the last session, and nobody else ever does.

A Python server forgets the sessions of its cache when a connection ends without goodbye, so here are tickets only; session
ids are in the tests of the core and behind nginx.
"""

import ssl

import pytest

from fastws import Tls

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
KINDS = {
    "1.3": lambda context: setattr(context, "minimum_version", TLS_1_3),
    "1.2": lambda context: setattr(context, "maximum_version", TLS_1_2),
}


@pytest.fixture
def context(authority):
    """Make a server's context, whose sessions no other context takes: context(kind, names)."""

    def make(kind="1.3", names=("localhost", "127.0.0.1"), issuer=authority):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert(*names).configure_cert(made)
        KINDS[kind](made)
        return made

    return make


def resumed(server):
    return [conn.tls.resumed for conn in server.connections if conn.tls is not None]


@pytest.mark.parametrize("end", ["close", "drop", "reset", "fin"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_reconnect_resumes_the_session(serve, recorded, context, trusted, kind, end):
    """However the connection ended; and every time, not the first time only."""
    server = serve(tls=context(kind))
    _, log = recorded(server, tls=trusted)
    for count in (1, 2, 3):
        log.wait("connect", count)
        getattr(server.wait_open(count), end)()
    log.wait("connect", 4)
    assert resumed(server) == [False, True, True, True]
    assert {conn.tls.version for conn in server.connections} == {"TLSv1.3" if kind == "1.3" else "TLSv1.2"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_client_of_equal_settings_resumes_too(serve, client, context, trusted, kind):
    """Scripts that connect, ask and leave: equal values share one context."""
    server = serve(tls=context(kind))
    for _ in range(3):
        with client(server, tls=Tls(ca_data=trusted.ca_data)):
            pass
    assert resumed(server) == [False, True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_data_flows_over_a_resumed_session(serve, client, until, context, trusted, kind):
    server = serve(lambda conn: conn.send(conn.expect()), tls=context(kind))
    ws = client(server, tls=trusted)
    for count in (1, 2):
        ws.wait_open(10)
        conn = server.wait_open(count)
        assert ws.send({"n": count, "text": "ü" * 200_000})
        assert ws.recv(10) == {"n": count, "text": "ü" * 200_000}
        conn.drop()
        assert until(lambda count=count: ws.stats().connects == count + 1)
    assert resumed(server)[:2] == [False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_that_the_server_forgot_falls_back_to_a_full_handshake(
    serve, recorded, context, trusted, kind
):
    """A restarted server: its ticket keys and its cache are gone."""
    server = serve(tls=context(kind))
    _, log = recorded(server, tls=trusted)
    log.wait("connect")
    server.tls = context(kind)
    server.drop_all()
    log.wait("connect", 2)
    server.drop_all()
    log.wait("connect", 3)
    assert resumed(server) == [False, False, True]
    assert log.all("error") == []


@pytest.mark.parametrize(("before", "after"), [("1.3", "1.2"), ("1.2", "1.3")])
def test_a_session_of_another_version_falls_back_too(serve, recorded, context, trusted, before, after):
    server = serve(tls=context(before))
    _, log = recorded(server, tls=trusted)
    log.wait("connect")
    server.tls = context(after)
    server.drop_all()
    log.wait("connect", 2)
    assert resumed(server) == [False, False]
    assert log.all("error") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_is_never_offered_to_another_host(serve, client, context, trusted, kind):
    """The same server under two names: what was checked for one holds nothing for the other."""
    server = serve(tls=context(kind))
    for host in ("localhost", "127.0.0.1", "localhost", "127.0.0.1"):
        with client(f"wss://{host}:{server.port}/", tls=trusted):
            pass
    assert resumed(server) == [False, False, True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_is_never_offered_to_another_port(serve, client, context, trusted, kind):
    """One context behind two ports would take it."""
    shared = context(kind)
    first, second = serve(tls=shared), serve(tls=shared)
    for server in (first, second, first):
        with client(server, tls=trusted):
            pass
    assert resumed(first) == [False, True]
    assert resumed(second) == [False]


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_is_never_offered_for_another_server_name(serve, client, context, trusted, kind):
    server = serve(tls=context(kind, ("localhost", "inner.example")))
    for name in (None, "inner.example", None):
        with client(server, tls=Tls(ca_data=trusted.ca_data, server_name=name)):
            pass
    assert resumed(server) == [False, False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_made_unverified_opens_no_door(serve, client, recorded, context, trusted, kind):
    """verify=False took a certificate for another name; who verifies must still see and refuse it."""
    server = serve(tls=context(kind, ("other.example",)))
    for _ in range(2):
        with client(server, tls=Tls(verify=False)):
            pass
    assert resumed(server) == [False, True]
    _, log = recorded(server, tls=trusted)
    assert "hostname mismatch" in log.wait("error").message.lower()
    assert log.wait("closed").reason == "fatal"


@pytest.mark.parametrize("kind", KINDS)
def test_other_authorities_are_another_context(serve, client, context, trusted, kind, tmp_path):
    """Equal trust written another way is not equal: nothing is assumed."""
    (tmp_path / "ca.pem").write_text(trusted.ca_data)
    server = serve(tls=context(kind))
    for tls in (trusted, Tls(ca_file=tmp_path / "ca.pem"), trusted):
        with client(server, tls=tls):
            pass
    assert resumed(server) == [False, False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_certificate_is_verified_although_there_is_a_session(serve, recorded, context, trusted, kind):
    server = serve(tls=context(kind))
    _, log = recorded(server, tls=trusted)
    log.wait("connect")
    server.tls = context(kind, ("other.example",))
    server.drop_all()
    error = log.wait("error")
    assert error.phase == "tls"
    assert "hostname mismatch" in error.message.lower()
    server.tls = context(kind)
    log.wait("connect", 2)
