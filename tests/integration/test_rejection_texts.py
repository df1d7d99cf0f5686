"""What a refused handshake says: where, what the server answered, the start of its page, and what to try."""

import socket
import threading

import pytest

import fastws


def refusal(client, target, **options):
    ws = client(target, **{"reconnect": False, **options})
    with pytest.raises(fastws.HandshakeRejected) as caught:
        ws.wait_open(10)
    return str(caught.value)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "401 Unauthorized instead of opening a WebSocket (101); it says: bad token; check its credentials: headers="),
        (403, "403 Forbidden instead of opening a WebSocket (101); it says: bad token; check its credentials: headers="),
        (404, "404 Not Found instead of opening a WebSocket (101); it says: bad token; is /live the path of its WebSocket?"),
        (503, "503 Service Unavailable instead of opening a WebSocket (101); it says: bad token; it may open later"),
    ],
)  # fmt: skip
def test_a_status_says_where_and_what_to_try(serve, client, status, says):
    url = serve(lambda conn: conn.refuse(status, [], b"bad token\n")).url + "live"
    assert refusal(client, url).startswith(f"{url}: the server answered {says}")


def test_a_status_that_passes_names_the_delay(serve, recorded):
    server = serve([lambda conn: conn.refuse(429, [("Retry-After", "1")]), lambda conn: conn.accept()])
    _, log = recorded(server)
    assert "it asks to wait 1 s, which reconnecting heeds" in log.wait("error").message


def test_no_secret_is_shown_wherever_it_was_given(serve, client):
    """Servers repeat what they were sent: it is in their page, and in ours."""
    body = b"no such token: hush-hush, nor Bearer whisper-whisper"
    url = serve(lambda conn: conn.refuse(401, [], body)).url
    text = refusal(client, f"{url}?token=hush-hush", headers={"Authorization": "Bearer whisper-whisper"})
    assert text.startswith(f"{url}?token=***: ")
    assert "it says: no such token: ***, nor Bearer ***;" in text
    text = refusal(client, url.replace("//", "//ann:s3cret@"))
    assert "s3cret" not in text and "ann" not in text


@pytest.mark.parametrize("body", [b"<html>denied</html>", b"\x1b[31mdenied", b"\xff\xfe"])
def test_a_page_that_is_no_plain_text_is_not_shown(serve, client, body):
    assert "it says" not in refusal(client, serve(lambda conn: conn.refuse(403, [], body)))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "the server's response is not HTTP/1.1: is this a web server's port?"),
        (b"HTTP/1.1 101 S", "the server ended the connection in the middle of its response; is it a WebSocket server?"),
        (b"", "the server ended the connection without a response; does it want TLS"),
    ],
)  # fmt: skip
def test_what_is_no_answer_says_where_too(client, answer, says):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_once():
            conn, _ = listener.accept()
            with conn:
                conn.recv(65536)
                conn.sendall(answer)

        thread = threading.Thread(target=serve_once)
        thread.start()
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        assert refusal(client, url).startswith(f"{url}: {says}")
        thread.join()


def test_a_subprotocol_nobody_asked_for_says_where(serve, client):
    server = serve(lambda conn: conn.accept(subprotocol="other"))
    text = refusal(client, server, subprotocols=["mine"])
    assert text.startswith(f'{server.url}: the server chose the subprotocol "other", which was not requested')
