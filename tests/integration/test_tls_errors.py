"""What a user reads when TLS fails: the host, OpenSSL's reason, and what to try; every case with a real server."""

import contextlib
import datetime
import socket
import ssl
import threading
import warnings

import pytest
import trustme
import websockets.sync.server
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import fastws
from fastws import Tls

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def context_of(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def self_signed(folder):
    """A server's context with a certificate for localhost that nobody else signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), NOW - DAY, NOW + DAY
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "self-signed.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def first_error(recorded):
    """The first error of a client: error, log = first_error(target, ...)."""

    def make(target, **options):
        _, log = recorded(target, **options)
        return log.wait("error"), log

    return make


# -- Certificates: definitive, so fatal -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "reason", "remedy"),
    [
        ("expired", "certificate has expired", "operator must renew it"),
        ("not yet valid", "certificate is not yet valid", "is this machine's clock right?"),
        ("wrong name", "hostname mismatch", "not for localhost: check the URL, or give Tls(server_name=...)"),
        ("unknown issuer", "unable to get local issuer certificate", "not known here: give Tls(ca_file=...)"),
        ("missing intermediate", "unable to get local issuer certificate", "its intermediate certificates"),
        ("self-signed", "self-signed certificate", "give Tls(ca_file=...) with it"),
    ],
)
def test_a_refused_certificate(serve, first_error, authority, trusted, tmp_path, case, reason, remedy):
    past, future = NOW - 2 * DAY, NOW + 2 * DAY
    if case == "self-signed":
        context, _ = self_signed(tmp_path)
    elif case == "missing intermediate":
        leaf = authority.create_child_ca().issue_cert("localhost")
        leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "leaf.pem"))
        leaf.private_key_pem.write_to_path(str(tmp_path / "leaf.key"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
    else:
        context = context_of(
            {
                "expired": lambda: authority.issue_cert("localhost", not_after=past),
                "not yet valid": lambda: authority.issue_cert(
                    "localhost", not_before=future, not_after=future + DAY
                ),
                "wrong name": lambda: authority.issue_cert("other.example"),
                "unknown issuer": lambda: trustme.CA().issue_cert("localhost"),
            }[case]()
        )
    server = serve(tls=context)
    error, log = first_error(server, tls=trusted)
    assert (error.phase, error.fatal) == ("tls", True)
    assert error.message.startswith(f"localhost:{server.port}: the server's certificate was refused (")
    assert reason in error.message.lower()
    assert remedy in error.message
    assert log.wait("closed").reason == "fatal"


def test_the_remedy_for_a_self_signed_certificate_works(serve, client, tmp_path):
    context, pem = self_signed(tmp_path)
    with client(serve(tls=context), tls=Tls(ca_data=pem)) as ws:
        assert ws.state == "open"


def test_wait_open_raises_the_same_sentence(serve, client, authority, trusted):
    ws = client(serve(tls=context_of(authority.issue_cert("other.example"))), tls=trusted)
    with pytest.raises(fastws.TlsFailed, match="not for localhost: check the URL"):
        ws.wait_open(10)


# -- Versions ---------------------------------------------------------------------------------------------------------


def test_a_server_that_speaks_only_tls_1_1(serve, first_error, authority, trusted):
    context = context_of(authority.issue_cert("localhost"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    server = serve(tls=context)
    error, log = first_error(server, tls=trusted)
    assert (error.phase, error.fatal) == ("tls", False)
    assert error.message.startswith(f"localhost:{server.port}: the TLS handshake failed (")
    assert "protocol version" in error.message
    assert "its operator must allow TLS 1.2 or 1.3" in error.message
    log.wait("connecting", 2)  # an operator may: it is tried again


def test_a_client_that_wants_tls_1_3_of_a_server_that_has_1_2(serve, first_error, tls_server, trusted):
    tls_server.maximum_version = ssl.TLSVersion.TLSv1_2
    error, _ = first_error(serve(tls=tls_server), tls=Tls(ca_data=trusted.ca_data, min_version="1.3"))
    assert error.phase == "tls"
    assert "protocol version" in error.message
    assert 'Tls(min_version="1.3") allows nothing older' in error.message


def test_no_cipher_in_common(serve, first_error, tls_server, trusted):
    tls_server.maximum_version = ssl.TLSVersion.TLSv1_2
    tls_server.set_ciphers("DHE-RSA-AES128-SHA")  # the server's key is of an elliptic curve
    error, _ = first_error(serve(tls=tls_server), tls=trusted)
    assert error.phase == "tls"
    assert "handshake failure" in error.message
    assert "no cipher in common" in error.message


# -- The client's certificate -----------------------------------------------------------------------------------------


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def demanding(request, authority):
    """A server's context that wants a certificate of its clients. TLS 1.3 tells a client only at its first read."""
    context = context_of(authority.issue_cert("localhost"))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = request.param
    return context


def own_files(certificate, folder):
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "own.pem"))
    return {"cert_file": folder / "own.pem"}


def test_a_client_certificate_that_is_wanted_and_not_given(serve, first_error, trusted, demanding):
    server = serve(tls=demanding)
    error, log = first_error(server, tls=trusted)
    assert (error.phase, error.fatal) == ("tls", False)
    assert error.message.startswith(f"localhost:{server.port}: the ")
    assert "asks for a client's certificate: give Tls(cert_file=..., key_file=...)" in error.message
    log.wait("error", 3)
    assert {again.message for again in log.all("error")} == {error.message}
    assert log.in_language()


@pytest.mark.parametrize("case", ["unknown issuer", "expired"])
def test_a_client_certificate_that_the_server_refuses(
    serve, first_error, authority, trusted, demanding, tmp_path, case
):
    own = {
        "unknown issuer": lambda: trustme.CA().issue_cert("client@example.org"),
        "expired": lambda: authority.issue_cert("client@example.org", not_after=NOW - DAY),
    }[case]()
    error, _ = first_error(serve(tls=demanding), tls=Tls(ca_data=trusted.ca_data, **own_files(own, tmp_path)))
    assert error.phase == "tls"
    assert {"unknown issuer": "unknown ca", "expired": "certificate expired"}[case] in error.message
    assert "the server refused the client's certificate" in error.message


def test_a_client_certificate_is_asked_for_after_a_restart_too(
    serve, recorded, tls_server, trusted, demanding
):
    """After an open it is retried, and comes back when the server wants none any more."""
    server = serve(tls=tls_server)
    _, log = recorded(server, tls=trusted)
    log.wait("connect")
    server.tls = demanding
    server.drop_all()
    assert "asks for a client's certificate" in log.wait("error").message
    server.tls = tls_server
    log.wait("connect", 2)
    assert log.in_language()


# -- ALPN and names ---------------------------------------------------------------------------------------------------


class Refusing:
    """A port whose every client, having said hello, is answered with these bytes, then the end."""

    def __init__(self, answer):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                with peer, contextlib.suppress(OSError):
                    peer.settimeout(5)
                    peer.recv(65536)
                    peer.sendall(self._answer)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()


@pytest.mark.parametrize(
    ("alert", "remedy"),
    [
        (120, "none of the protocols that were offered: give Tls(alpn=...)"),
        (112, "does not know the name localhost: check the URL, or give Tls(server_name=...)"),
        (70, "its operator must allow TLS 1.2 or 1.3"),
    ],
)
def test_an_alert_has_its_remedy(first_error, trusted, alert, remedy):
    """Alerts of RFC 8446 section 6.2 that a Python server can not be made to send."""
    with Refusing(bytes([21, 3, 3, 0, 2, 2, alert])) as server:
        error, log = first_error(f"wss://localhost:{server.port}/", tls=trusted)
        assert error.phase == "tls"
        assert remedy in error.message
        log.wait("connecting", 2)


# -- The wrong scheme -------------------------------------------------------------------------------------------------


@pytest.fixture
def plain_peer():
    """A real server without TLS."""
    server = websockets.sync.server.serve(lambda peer: peer.recv(), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.socket.getsockname()[1]
    server.shutdown()
    thread.join(10)


def test_wss_to_a_plain_websocket_server(plain_peer, first_error):
    error, _ = first_error(f"wss://localhost:{plain_peer}/")
    assert (error.phase, error.fatal) == ("tls", False)
    assert error.message.startswith(f"localhost:{plain_peer}: the TLS handshake failed (")
    assert "does the server speak TLS on this port, or should the URL begin with ws://?" in error.message


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 7]
)
def test_wss_to_something_else(first_error, answer):
    with Refusing(answer) as server:
        error, _ = first_error(f"wss://localhost:{server.port}/")
        assert error.phase == "tls"
        assert "should the URL begin with ws://?" in error.message


def test_ws_to_a_tls_server(serve, first_error, tls_server):
    """OpenSSL's servers leave without a word."""
    server = serve(tls=tls_server)
    error, log = first_error(f"ws://localhost:{server.port}/")
    assert (error.phase, error.fatal) == ("http", False)
    assert "should the URL begin with wss://?" in error.message
    log.wait("connecting", 2)


@pytest.mark.parametrize(
    "answer",
    [
        bytes([21, 3, 1, 0, 2, 2, 70]),  # an alert
        b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port\n",  # nginx
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",  # Go
        b"HTTP/1.1 400 Bad Request\r\n\r\nYou're speaking plain HTTP to an SSL-enabled server port.\n",  # Apache
    ],
)
def test_ws_to_what_other_servers_of_tls_answer(first_error, answer):
    with Refusing(answer) as server:
        error, _ = first_error(f"ws://localhost:{server.port}/")
        assert error.phase == "http"
        assert error.message.count("should the URL begin with wss://?") == 1


def test_the_scheme_is_not_doubted_without_a_reason(serve, first_error, tls_server, trusted):
    """A server that speaks, and one behind TLS, are taken at their word."""
    error, _ = first_error(serve(lambda conn: conn.refuse(400, body=b"no such channel")))
    assert "wss://" not in error.message
    error, _ = first_error(
        serve(lambda conn: (conn.read_request(), conn.drop()), tls=tls_server), tls=trusted
    )
    assert "begin with" not in error.message


def test_the_scheme_is_not_doubted_after_an_open(serve, recorded):
    """A deploy may drop connections without a word, but the URL was right."""
    server = serve(
        [lambda conn: (conn.accept(), conn.drop()), lambda conn: (conn.read_request(), conn.drop())]
    )
    _, log = recorded(server)
    error = log.wait("error")
    assert "ended the connection without a response" in error.message
    assert "begin with" not in error.message
