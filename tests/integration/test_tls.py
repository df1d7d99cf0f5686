"""wss: certificates are checked, names are checked, and TLS changes nothing else."""

import datetime
import ssl

import pytest
import trustme

import fastws
from fastws import Tls


def context_for(authority, *names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_a_good_certificate(serve, client, tls_server, trusted):
    server = serve(lambda conn: conn.send(conn.expect()), tls=tls_server)
    with client(server, tls=trusted) as ws:
        assert ws.send({"hello": "ü" * 100_000})
        assert ws.recv(10) == {"hello": "ü" * 100_000}
    conn = server.connections[0]
    assert conn.server_name == "localhost"
    assert conn.wait_over() and conn.close_code == 1000


def test_ca_file(serve, client, authority, tls_server, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    with client(serve(tls=tls_server), tls=Tls(ca_file=str(path))) as ws:
        assert ws.state == "open"


def test_an_address_in_the_certificate(serve, client, authority, trusted):
    """RFC 6125: an IP address is matched as one, and is no SNI."""
    server = serve(tls=context_for(authority, "127.0.0.1"))
    with client(f"wss://127.0.0.1:{server.port}/", tls=trusted):
        assert server.wait_open(1).server_name is None


@pytest.mark.parametrize("case", ["unknown authority", "wrong host", "wrong address", "system trust"])
def test_a_certificate_that_does_not_verify_is_fatal_at_first(serve, recorded, authority, trusted, case):
    """Section 5: certificate verification failure before the first open: fatal, phase tls, nothing was sent."""
    good = context_for(authority, "localhost")
    server, tls, host = {
        "unknown authority": (good, Tls(ca_data=trustme.CA().cert_pem.bytes().decode()), "localhost"),
        "system trust": (good, Tls(), "localhost"),
        "wrong host": (context_for(authority, "other.example"), trusted, "localhost"),
        "wrong address": (good, trusted, "127.0.0.1"),
    }[case]
    server = serve(tls=server)
    ws, log = recorded(f"wss://{host}:{server.port}/", tls=tls)
    assert log.wait("closed").reason == "fatal"
    assert log.names == ["connecting", "error", "closed"]
    error = log.all("error")[0]
    assert (error.phase, error.fatal, error.http_status) == ("tls", True, None)
    assert "certificate" in error.message.lower() or "verify" in error.message.lower()
    with pytest.raises(fastws.TlsFailed):
        ws.wait_open(5)
    assert server.connections[0].request is None, "no request may leave before the server is known"


def test_a_bad_certificate_after_an_open_is_retried(serve, recorded, authority, trusted):
    """Section 5: a deploy transient; wrong for a moment, then right."""
    good, bad = context_for(authority, "localhost"), context_for(authority, "other.example")
    server = serve(tls=good)
    _, log = recorded(server, tls=trusted)
    log.wait("connect")
    server.tls = bad
    server.drop_all()
    log.wait("error", 1)
    server.tls = good
    log.wait("connect", 2)
    assert not any(error.fatal for error in log.all("error"))


def test_an_expired_certificate_is_fatal(serve, recorded, authority, trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    authority.issue_cert("localhost", not_after=past).configure_cert(context)
    _, log = recorded(serve(tls=context), tls=trusted)
    assert log.wait("closed").reason == "fatal"


def test_verify_false_takes_anything(serve, client, authority):
    server = serve(tls=context_for(authority, "other.example"))
    with client(server, tls=Tls(verify=False)) as ws:
        assert ws.state == "open"


def test_a_plain_server_behind_wss_is_a_tls_error(serve, recorded):
    """Section 5: TLS I/O is retried."""

    def script(conn):
        conn.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        conn.drop()

    server = serve(script)
    _, log = recorded(f"wss://localhost:{server.port}/")
    error = log.wait("error")
    assert error.phase == "tls"
    assert log.in_language()


def test_a_tls_server_behind_ws_is_an_error_and_no_crash(serve, recorded, tls_server):
    server = serve(tls=tls_server)
    _, log = recorded(f"ws://localhost:{server.port}/")
    assert log.wait("error").phase in ("http", "tcp")


def test_a_server_that_leaves_in_the_middle_of_tls(serve, recorded, tls_server, trusted):
    server = serve(
        [lambda conn: conn.drop(), lambda conn: conn.reset(), lambda conn: conn.accept()], tls=tls_server
    )
    _, log = recorded(server, tls=trusted)
    log.wait("connect")
    assert len(log.all("error")) == 2
    assert {error.phase for error in log.all("error")} <= {
        "tls",
        "tcp",
    }  # a RST may come before the first byte
    assert not any(error.fatal for error in log.all("error"))


@pytest.mark.parametrize("end", ["drop", "reset", "fin"])
def test_a_loss_over_tls_is_one_disconnect(serve, recorded, tls_server, trusted, end):
    """T11: also with records that were never closed."""
    server = serve(
        [lambda conn: (conn.accept(), conn.stall(0.05), getattr(conn, end)()), lambda conn: conn.accept()],
        tls=tls_server,
    )
    _, log = recorded(server, tls=trusted)
    log.wait("connect", 2)
    assert log.names == ["connecting", "connect", "disconnect", "reconnecting", "connecting", "connect"]
    assert log.all("disconnect")[0].code == 1006


def test_many_records_both_ways(both_ways):
    """Writes from the caller's thread and reads of the I/O thread share one TLS engine."""
    both_ways()


def test_a_message_right_behind_the_handshake(serve, client, tls_server, trusted):
    """The 101 and the first message in one TLS record."""
    server = serve(lambda conn: conn.accept(then=b"\x81\x07" + b'{"n":1}'), tls=tls_server)
    with client(server, tls=trusted) as ws:
        assert ws.recv(10) == {"n": 1}
