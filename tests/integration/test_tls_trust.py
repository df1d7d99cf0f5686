"""Which authorities a client trusts when its settings name none: the environment's, the system's, certifi's."""

import subprocess
import sys

import certifi
import pytest

import fastws
from fastws import Tls, WebSocketClient, _trust

LAYOUTS = {
    "Debian": "etc/ssl/certs/ca-certificates.crt",
    "RHEL": "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "older RHEL": "etc/pki/tls/certs/ca-bundle.crt",
    "openSUSE": "etc/ssl/ca-bundle.pem",
    "macOS": "etc/ssl/cert.pem",
    "Debian's folder": "etc/ssl/certs/HASH",
    "RHEL's folder": "etc/pki/ca-trust/extracted/pem/directory-hash/HASH",
}


@pytest.fixture
def ca_file(authority, tmp_path):
    """The authority in a file of its own, where nobody looks."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def hashed(ca_file):
    """The name by which OpenSSL finds the authority in a folder."""
    command = ["openssl", "x509", "-noout", "-hash", "-in", ca_file]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    return found.stdout.strip() + ".0"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A made-up system with nothing in it, and an environment that names nothing."""
    made = tmp_path / "root"
    made.mkdir()
    monkeypatch.setattr(_trust, "ROOT", str(made))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    return made


@pytest.fixture
def without_certifi(monkeypatch):
    """An interpreter in which certifi is not installed."""
    monkeypatch.setitem(sys.modules, "certifi", None)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_authorities_of_a_system_are_trusted(serve, client, tls_server, root, ca_file, hashed, layout):
    path = root / LAYOUTS[layout].replace("HASH", hashed)
    path.parent.mkdir(parents=True)
    path.write_bytes(ca_file.read_bytes())
    with client(serve(tls=tls_server)) as ws:
        assert ws.state == "open"


@pytest.mark.parametrize("system", ["empty", "full"])
def test_ssl_cert_file_comes_first(serve, client, tls_server, root, ca_file, monkeypatch, system):
    if system == "full":
        (root / "etc/ssl").mkdir(parents=True)
        (root / "etc/ssl/cert.pem").write_text(certifi.contents())
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    with client(serve(tls=tls_server)) as ws:
        assert ws.state == "open"


def test_ssl_cert_dir_comes_first(serve, client, tls_server, root, ca_file, hashed, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / hashed).write_bytes(ca_file.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "folder"))
    with client(serve(tls=tls_server)) as ws:
        assert ws.state == "open"


def test_the_environment_is_read_for_every_client(serve, client, recorded, tls_server, ca_file, monkeypatch):
    """A notebook sets it and tries again, without a restart."""
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    server = serve(tls=tls_server)
    _, log = recorded(server)
    assert log.wait("closed").reason == "fatal"
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    with client(server) as ws:
        assert ws.state == "open"


@pytest.mark.parametrize(
    ("variable", "says"), [("SSL_CERT_FILE", "can not be read"), ("SSL_CERT_DIR", "rehash")]
)
def test_an_environment_that_names_nothing_of_use_is_an_error(root, tmp_path, monkeypatch, variable, says):
    monkeypatch.setenv(variable, str(tmp_path / "gone"))
    with pytest.raises(ValueError, match=rf"^{variable} names .*gone.*{says}"):
        WebSocketClient("wss://localhost:1/")


def test_certifi_is_taken_where_the_system_has_none(serve, recorded, tls_server, root):
    """The real package: its bundle is loaded, and does not hold the authority of this test."""
    _, log = recorded(serve(tls=tls_server))
    assert "unable to get local issuer" in log.wait("error").message
    assert log.wait("closed").reason == "fatal"


def test_certifis_bundle_is_the_one_that_is_trusted(serve, client, tls_server, root, ca_file, monkeypatch):
    """As where an organisation's own certifi, with its authority, is installed."""
    package = root / "site" / "certifi"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"def where():\n    return {str(ca_file)!r}\n")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.delitem(sys.modules, "certifi")
    with client(serve(tls=tls_server)) as ws:
        assert ws.state == "open"


def test_certifi_is_not_imported_while_the_system_has_authorities():
    program = (
        "import sys, fastws\n"
        "assert fastws._trust._core.find_trust() != ('', ''), 'this machine has no ca-certificates'\n"
        "fastws.WebSocketClient('wss://localhost:1/', autoconnect=False).close()\n"
        "print('certifi' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_no_authorities_at_all_is_an_error_that_says_what_to_do(root, without_certifi):
    with pytest.raises(ValueError, match=r"^tls: no certificate authorities") as raised:
        WebSocketClient("wss://localhost:1/")
    for remedy in ("ca-certificates", "pip install certifi", "SSL_CERT_FILE", "Tls(ca_file="):
        assert remedy in str(raised.value)
    assert fastws.clients() == []


def test_no_authorities_are_told_at_the_attempt_when_a_callable_gives_the_url(
    serve, recorded, tls_server, root, without_certifi
):
    server = serve(tls=tls_server)
    _, log = recorded(lambda: server.url)
    error = log.wait("error")
    assert (error.phase, error.fatal) == ("tls", True)
    assert "no certificate authorities" in error.message
    assert log.wait("closed").reason == "fatal"


@pytest.mark.parametrize("case", ["plain", "own authorities", "no verification"])
def test_no_authorities_hinder_nobody_who_needs_none(
    serve, client, tls_server, trusted, root, without_certifi, case
):
    server = serve(tls=None if case == "plain" else tls_server)
    tls = {"plain": Tls(), "own authorities": trusted, "no verification": Tls(verify=False)}[case]
    with client(server, tls=tls) as ws:
        assert ws.state == "open"
