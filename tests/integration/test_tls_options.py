"""Tls(...): every field does what its line in the docstring says, against a real TLS server."""

import logging
import os
import ssl
import stat
import subprocess

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import fastws
from fastws import Tls


def demanding(authority):
    """A server's context that wants a certificate of its clients, signed by this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def identity(authority, tmp_path):
    """A client's certificate as files: certificate, key, both in one, and the key locked with "open sesame"."""
    made = authority.issue_cert("client@example.org")
    files = {name: str(tmp_path / f"{name}.pem") for name in ("cert", "key", "both", "locked")}
    made.cert_chain_pems[0].write_to_path(files["cert"])
    made.private_key_pem.write_to_path(files["key"])
    made.private_key_and_cert_chain_pem.write_to_path(files["both"])
    key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    (tmp_path / "locked.pem").write_bytes(locked)
    return files


def subject_of(der):
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return names.value.get_values_for_type(x509.RFC822Name)


# -- Whom we trust ----------------------------------------------------------------------------------------------------


def test_ca_path_is_a_folder_of_hashed_names(serve, client, authority, tls_server, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    command = ["openssl", "x509", "-noout", "-hash", "-in", tmp_path / "ca.pem"]
    digest = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()
    (tmp_path / "hashed").mkdir()
    (tmp_path / "ca.pem").rename(tmp_path / "hashed" / f"{digest}.0")
    with client(serve(tls=tls_server), tls=Tls(ca_path=tmp_path / "hashed")) as ws:
        assert ws.state == "open"


def test_ca_file_and_ca_data_are_trusted_together(serve, client, authority, tls_server, tmp_path):
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    both = Tls(ca_file=tmp_path / "other.pem", ca_data=authority.cert_pem.bytes().decode())
    with client(serve(tls=tls_server), tls=both) as ws:
        assert ws.state == "open"


def test_server_name_is_asked_for_and_checked(serve, client, recorded, authority, trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("inner.example").configure_cert(context)
    server = serve(tls=context)
    named = Tls(ca_data=trusted.ca_data, server_name="inner.example")
    with client(f"wss://127.0.0.1:{server.port}/", tls=named):
        assert server.wait_open(1).server_name == "inner.example"
    other = Tls(ca_data=trusted.ca_data, server_name="other.example")
    _, log = recorded(f"wss://127.0.0.1:{server.port}/", tls=other)
    assert "not for other.example" in log.wait("error").message
    assert log.wait("closed").reason == "fatal"


@pytest.mark.parametrize("least", [None, "1.2", "1.3"])
def test_min_version_allows_the_newest(serve, client, tls_server, trusted, least):
    server = serve(tls=tls_server)
    with client(server, tls=Tls(ca_data=trusted.ca_data, min_version=least)):
        assert server.wait_open(1).tls.version == "TLSv1.3"


def test_tls_1_2_is_the_least_by_default(serve, client, tls_server, trusted):
    tls_server.maximum_version = ssl.TLSVersion.TLSv1_2
    server = serve(tls=tls_server)
    with client(server, tls=trusted):
        assert server.wait_open(1).tls.version == "TLSv1.2"


@pytest.mark.parametrize("url", ["text", "callable"])
def test_verify_false_warns_once_for_a_client(serve, recorded, caplog, tls_server, url):
    server = serve(tls=tls_server)
    caplog.set_level(logging.WARNING)
    ws, log = recorded(server.url if url == "text" else lambda: server.url, tls=Tls(verify=False))
    log.wait("connect")
    server.drop_all()
    log.wait("connect", 2)
    ws.reconnect()
    log.wait("connect", 3)
    told = [record for record in caplog.records if "certificate is not checked" in record.message]
    assert len(told) == 1
    assert told[0].levelno == logging.WARNING


def test_verify_false_does_not_warn_for_a_plain_connection(serve, client, caplog):
    caplog.set_level(logging.WARNING)
    with client(serve(), tls=Tls(verify=False)):
        assert "certificate" not in caplog.text


# -- Who we are -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("form", ["two files", "one file", "locked key"])
def test_our_certificate_is_shown(serve, client, authority, trusted, identity, form, version):
    own = {
        "two files": {"cert_file": identity["cert"], "key_file": identity["key"]},
        "one file": {"cert_file": identity["both"]},
        "locked key": {
            "cert_file": identity["cert"],
            "key_file": identity["locked"],
            "key_password": "open sesame",
        },
    }[form]
    context = demanding(authority)
    context.maximum_version = version
    server = serve(lambda conn: conn.send(conn.expect()), tls=context)
    with client(server, tls=Tls(ca_data=trusted.ca_data, **own)) as ws:
        ws.send("who am I?")
        assert ws.recv(10) == "who am I?"
    assert subject_of(server.connections[0].tls.certificate) == ["client@example.org"]


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"cert_file": "cert", "key_file": "locked", "key_password": "open barley"}, "^key_password: .*open"),
        ({"cert_file": "cert", "key_file": "locked"}, "^key_password: .* is encrypted"),
        ({"cert_file": "cert"}, "^cert_file: no private key"),
        ({"key_file": "key"}, "^key_file: a key needs its certificate"),
        ({"cert_file": "key", "key_file": "key"}, "^cert_file: no certificate"),
        ({"cert_file": "cert", "key_file": "cert"}, "^key_file: no private key"),
    ],
)
def test_a_certificate_of_ours_that_can_not_be_used_is_named_at_once(identity, own, says):
    own = {name: value if name == "key_password" else identity[value] for name, value in own.items()}
    with pytest.raises(ValueError, match=says) as raised:
        fastws.WebSocketClient("wss://localhost:1/", tls=Tls(**own))
    assert "barley" not in str(raised.value)


@pytest.mark.parametrize(
    ("own", "named"),
    [({"ca_file": None}, "ca_file"), ({"cert_file": None}, "cert_file"), ({"cert_file": "cert", "key_file": None}, "key_file")],
)  # fmt: skip
@pytest.mark.parametrize("reason", ["No such file or directory", "Too many levels of symbolic links"])
def test_a_file_that_can_not_be_read_is_told_with_the_systems_reason(identity, tmp_path, own, named, reason):
    path = tmp_path / "gone.pem"
    if "links" in reason:
        path.symlink_to(path)  # root may read everything else
    own = {name: path if value is None else identity[value] for name, value in own.items()}
    with pytest.raises(ValueError) as raised:
        fastws.WebSocketClient("wss://localhost:1/", tls=Tls(**own))
    assert str(raised.value) == f"{named}: {path} can not be read ({reason})"


# -- ALPN -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "known", "chosen"),
    [
        ({}, ["h2", "http/1.1"], "http/1.1"),  # the default, RFC 7301 section 6
        ({"alpn": ["chat/2", "chat/1"]}, ["chat/1", "http/1.1"], "chat/1"),
        ({"alpn": None}, ["http/1.1"], None),
        ({"alpn": ()}, ["http/1.1"], None),
        ({}, [], None),
    ],
)
def test_alpn_is_offered(serve, client, tls_server, trusted, offered, known, chosen):
    tls_server.set_alpn_protocols(known)
    server = serve(tls=tls_server)
    with client(server, tls=Tls(ca_data=trusted.ca_data, **offered)):
        assert server.wait_open(1).tls.alpn == chosen


# -- The secrets, for Wireshark ---------------------------------------------------------------------------------------


def test_keylog_file_holds_what_the_server_knows(serve, client, tls_server, trusted, tmp_path):
    """The same lines that OpenSSL writes on the other side; the next connection's are appended."""
    tls_server.keylog_filename = str(tmp_path / "server.log")
    ours = tmp_path / "client.log"
    server = serve(tls=tls_server)
    tls = Tls(ca_data=trusted.ca_data, keylog_file=ours)
    for count in (1, 2):
        with client(server, tls=tls):
            pass
        theirs = (tmp_path / "server.log").read_text().splitlines()
        secrets = [line for line in theirs if not line.startswith("#")]
        assert sorted(ours.read_text().splitlines()) == sorted(secrets)
        assert sum(line.startswith("CLIENT_TRAFFIC_SECRET_0 ") for line in secrets) == count
    assert stat.S_IMODE(os.stat(ours).st_mode) == 0o600


def test_a_keylog_file_that_was_moved_away_is_made_again(serve, client, tls_server, trusted, tmp_path):
    ours = tmp_path / "client.log"
    server = serve(tls=tls_server)
    for _ in range(2):
        with client(server, tls=Tls(ca_data=trusted.ca_data, keylog_file=ours)):
            pass
        assert "CLIENT_TRAFFIC_SECRET_0 " in ours.read_text()
        ours.unlink()


def test_a_keylog_file_that_can_not_be_written_is_named_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"^keylog_file: .*No such file"):
        fastws.WebSocketClient("wss://localhost:1/", tls=Tls(keylog_file=tmp_path / "no" / "such.log"))


def test_the_environment_alone_logs_no_secret(serve, client, tls_server, trusted, tmp_path, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "asked.log"))
    with client(serve(tls=tls_server), tls=trusted):
        pass
    assert not (tmp_path / "asked.log").exists()
