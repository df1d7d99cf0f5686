"""Who a client is: there is no second of it, a fork's child has none of its parent's, and no message has an empty place."""

import copy
import pickle

import pytest

import fastws
from fastws import AsyncWebSocketClient, WebSocketClient

URL = "ws://127.0.0.1:9/"


@pytest.mark.parametrize("kind", [WebSocketClient, AsyncWebSocketClient])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_client_can_not_be_copied(kind, duplicate):
    ws = kind(URL, autoconnect=False)
    with pytest.raises(TypeError, match=rf"^{kind.__name__} can not be copied or pickled: make one"):
        duplicate(ws)
    ws._begin_close(1000, "")


def test_an_attempt_to_copy_leaves_the_connection_open(opened):
    """A copy would share the core, and end it when it is collected."""
    ws, conn = opened()
    with pytest.raises(TypeError):
        copy.copy(ws)
    assert ws.state == "open" and ws.send({"n": 1})
    assert conn.expect_json() == {"n": 1}


ASK = """
    import os, warnings
    import fastws._registry
    warnings.simplefilter("ignore")
    def ask_all():
        texts = [repr(ws)]
        for call in (lambda: ws.wait_open(5), lambda: ws.recv(5), ws.ping):
            try:
                call()
            except (fastws.ConnectionClosed, fastws.NotConnected) as error:
                texts.append(str(error))
        say(*texts)
    url = sys.argv[1]
    ws = WebSocketClient((lambda: url) if sys.argv[2] == "provided" else url)
    ws.wait_open(10)
"""
FORKED = "belongs to the parent process: make a new one in this process"


@pytest.mark.parametrize("how", ["fixed", "provided"])
def test_the_child_of_a_fork_is_told_whose_the_client_is(serve, child, how):
    server = serve()
    source = """
    pid = os.fork()
    if pid == 0:
        ask_all()
        os._exit(0)
    os.waitpid(pid, 0)
    say(ws.state)
    ws.close()
    """
    forked = child(ASK + source, server.url, how)
    shown, *texts = forked.hear()
    place = server.url if how == "fixed" else "(url from a provider)"
    assert shown == f"<WebSocketClient {place} destroyed (it belongs to the parent process)>"
    assert len(texts) == 3
    for text in texts:
        assert text.startswith(f"{place}: ") and FORKED in text and "connect()" not in text
    assert forked.hear() == ["open"]


def test_a_client_at_the_interpreters_end_says_so(serve, child):
    server = serve()
    shown, *texts = child(ASK + "    fastws._registry._at_exit(); ask_all()", server.url, "fixed").hear()
    assert shown == f"<WebSocketClient {server.url} destroyed>"
    assert len(texts) == 3
    for text in texts:
        assert text.startswith(f"{server.url}: ") and "the client ended with the interpreter" in text


def test_no_message_begins_with_an_empty_url(client):
    ws = client(lambda: URL, autoconnect=False, offline="raise")
    calls = [lambda: ws.wait_open(0.01), lambda: ws.send({}), ws.ping]
    ws_closed = client(lambda: URL, autoconnect=False)
    ws_closed.close()
    for call in [*calls, lambda: ws_closed.recv(1), lambda: ws_closed.wait_open(1)]:
        with pytest.raises(fastws.FastwsError, match=r"^\(url from a provider\): \S") as caught:
            call()
        assert caught.value.url != ""


def test_a_ping_says_what_makes_it_possible(client, until):
    ws = client(URL, autoconnect=False)
    for remedy in (
        r"connect\(\) starts it$",
        r"wait_open\(\) waits for it$",
        r"connect\(\) starts it again$",
    ):
        with pytest.raises(fastws.NotConnected, match=rf"^{URL}: ping needs an open connection; {remedy}"):
            ws.ping()
        ws.connect() if ws.state == "idle" else ws.close()
