"""wait(), wait_open(), `with`, clients(), close_all() and name=: how a program stays, starts and ends."""

import gc
import pickle
import threading
import time

import pytest

import fastws
from fastws import Backoff, WebSocketClient


def deaf(conn):
    conn.answer_close = False
    conn.accept()


def test_wait_is_false_on_time_and_true_after_close(serve, client):
    """api.md 5."""
    ws = client(serve())
    started = time.monotonic()
    assert ws.wait(0.2) is False
    assert time.monotonic() - started >= 0.19
    threading.Timer(0.2, ws.close).start()
    assert ws.wait(10) is True
    assert ws.wait() is True


def test_wait_raises_on_exhausted_and_on_fatal(serve, client):
    ws = client(serve(lambda conn: conn.refuse(500)), reconnect=Backoff(base=0.01, max_retries=1))
    with pytest.raises(fastws.HandshakeRejected) as caught:
        ws.wait(10)
    assert caught.value.status == 500
    ws = client(serve(lambda conn: conn.close(4001)), reconnect=Backoff(base=0.01, fatal_close_codes={4001}))
    with pytest.raises((fastws.ConnectionClosed, fastws.ConnectFailed), match="4001"):
        ws.wait(10)


def test_wait_goes_through_reconnects(serve, client):
    server = serve([lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()])
    ws = client(server)
    server.wait_open(2)
    assert ws.wait(0.2) is False


def test_wait_open_returns_when_open(serve, client):
    go = threading.Event()
    server = serve(lambda conn: (conn.read_request(), go.wait(10), conn.accept()))
    ws = client(server)
    assert ws.state == "connecting"
    threading.Timer(0.3, go.set).start()
    ws.wait_open(10)
    assert ws.state == "open"
    ws.wait_open(0)


def test_wait_open_on_time_is_connect_timeout_with_its_cause(serve, client, until):
    """api.md 5: ConnectTimeout, also a TimeoutError; its cause is the last failure."""
    ws = client(serve(lambda conn: conn.refuse(503)), reconnect=Backoff(base=30, cap=30))
    assert until(lambda: ws.state == "backoff")
    with pytest.raises(fastws.ConnectTimeout) as caught:
        ws.wait_open(0.1)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, ConnectionError)
    assert isinstance(caught.value.__cause__, fastws.HandshakeRejected)
    assert caught.value.__cause__.status == 503


def why_not_open(ws):
    with pytest.raises(fastws.ConnectTimeout) as caught:
        ws.wait_open(0.1)
    place, _, why = str(caught.value).partition(": not open within 0.1 s; ")
    assert place == ws.url
    return why


def test_wait_open_says_what_happened_last(serve, client, until):
    slow = Backoff(base=30, cap=30)
    server = serve([lambda conn: conn.refuse(503), lambda conn: (conn.accept(), conn.close(4000, "go"))])
    ws = client(server, reconnect=slow)
    assert until(lambda: ws.state == "backoff")
    assert why_not_open(ws).startswith("last, the server answered 503 ")
    ws.reconnect()
    assert until(lambda: ws.state == "backoff" and server.total == 2)
    assert why_not_open(ws) == "last, closed by the server (4000, go)"


def test_wait_open_names_a_longer_timeout_only_when_nothing_failed(serve, client):
    assert why_not_open(client(serve(lambda conn: conn.stall()))) == "a longer timeout may help"


def test_wait_open_of_an_idle_client_names_connect(client):
    assert why_not_open(client("ws://127.0.0.1:9/", autoconnect=False)) == "not started: connect() starts it"


def test_wait_open_after_close_is_connection_closed(serve, client):
    ws = client(serve())
    ws.wait_open(10)
    ws.close()
    with pytest.raises(fastws.ConnectionClosed) as caught:
        ws.wait_open(5)
    assert caught.value.initiator == "user"


def test_wait_open_is_ended_by_close_from_another_thread(serve, client):
    ws = client(serve(lambda conn: conn.stall()))
    threading.Timer(0.2, ws.close).start()
    started = time.monotonic()
    with pytest.raises(fastws.ConnectionClosed):
        ws.wait_open(20)
    assert time.monotonic() - started < 10


def test_with_opens_and_closes(serve):
    server = serve()
    with WebSocketClient(server.url) as ws:
        assert ws.state == "open"
        ws.send({"in": "side"})
    assert ws.state == "closed"
    conn = server.connections[0]
    assert conn.wait_over()
    assert (conn.close_code, len(conn.messages)) == (1000, 1)


def test_with_connects_an_idle_client(serve):
    with WebSocketClient(serve().url, autoconnect=False) as ws:
        assert ws.state == "open"


def test_with_raises_when_it_can_not_open_and_closes(serve):
    """api.md 5: closes on leaving and when opening fails."""
    ws = WebSocketClient(serve(lambda conn: conn.refuse(404)).url)
    with pytest.raises(fastws.HandshakeRejected), ws:
        raise AssertionError("the body must not run")
    assert ws.state == "closed"
    ws = WebSocketClient(
        serve(lambda conn: conn.stall()).url, connect_timeout=0.3, reconnect=Backoff(base=30)
    )
    with pytest.raises(fastws.ConnectFailed), ws:
        raise AssertionError("the body must not run")
    assert ws.state == "closed"


def test_with_enters_though_the_connection_is_over_already(serve):
    """What a short-lived connection brought is there to be read, and no second one is made."""
    server = serve(lambda conn: (conn.accept(), conn.send_json({"n": 1}), conn.close(1000)))
    ws = WebSocketClient(server.url, reconnect=False)
    assert ws.wait(10)
    with ws:
        assert ws.recv(5) == {"n": 1}
        with pytest.raises(fastws.ConnectionClosed):
            ws.recv(5)
    assert server.total == 1


def test_with_again_after_close_connects_again(serve):
    server = serve()
    ws = WebSocketClient(server.url)
    for number in (1, 2, 3):
        with ws:
            assert ws.state == "open"
        assert server.total == number


def test_with_again_where_nobody_opens_any_more_raises(serve):
    server = serve([lambda conn: conn.accept(), lambda conn: conn.refuse(404)])
    ws = WebSocketClient(server.url, reconnect=False)
    with ws:
        pass
    with pytest.raises(fastws.HandshakeRejected), ws:
        raise AssertionError("the body must not run")


def test_with_lets_the_bodys_exception_through(serve):
    server = serve()
    with pytest.raises(LookupError), WebSocketClient(server.url) as ws:
        raise LookupError
    assert ws.state == "closed"


def test_clients_lists_the_living(serve, client):
    before = set(map(id, fastws.clients()))
    made = [client(serve()) for _ in range(3)]
    assert {id(ws) for ws in fastws.clients()} - before == {id(ws) for ws in made}
    made[0].close()
    assert made[0] not in fastws.clients()
    fastws.close_all()
    assert not set(fastws.clients()) & set(made)
    assert {ws.state for ws in made} == {"closed"}


def test_a_second_client_of_the_same_name_replaces_the_first(serve, recorded):
    """api.md 2: the first gets disconnect and closed(user); its handlers do not move; never two connections."""
    server = serve()
    seen = []
    first, old = recorded(server, name="cell", on={"a": seen.append})
    old.wait("connect")
    second, new = recorded(server, name="cell")
    new.wait("connect")
    assert old.wait("closed").reason == "user"
    assert old.names == ["connecting", "connect", "disconnect", "closed"]
    assert (first.state, second.state, second.name) == ("closed", "open", "cell")
    assert server.most_live == 1
    server.wait_open(2).send_json({"type": "a"})
    time.sleep(0.2)
    assert not seen
    assert first not in fastws.clients() and second in fastws.clients()


def test_the_new_one_dials_when_the_old_transport_is_gone(serve, client):
    """api.md 2: connecting meanwhile, the constructor does not block, its deadline starts when it dials."""
    server = serve([deaf, lambda conn: conn.accept()])
    first = client(server, name="x", close_timeout=4)
    first.wait_open(10)
    started = time.monotonic()
    second = client(server, name="x", connect_timeout=3)
    assert time.monotonic() - started < 3
    assert second.state == "connecting"
    second.wait_open(10)
    assert server.most_live == 1
    assert server.connections[1].began_at - started >= 3.9
    assert second.stats().failures == 0


def test_the_third_waits_for_the_first_behind_the_second(serve, client):
    """The second, replaced before it could dial, still stands between the third and the first one's transport."""
    server = serve([deaf, lambda conn: conn.accept()])
    client(server, name="x", close_timeout=20).wait_open(10)
    second = client(server, name="x")
    third = client(server, name="x")
    assert (second.state, third.state) == ("closed", "connecting")
    time.sleep(0.3)
    assert server.total == 1
    server.connections[0].drop()
    third.wait_open(10)
    assert (server.total, server.most_live) == (2, 1)


def test_the_new_one_waits_for_one_that_was_dropped_too(serve, client):
    """`ws = WebSocketClient(..., name=...)` run again: the old object is let go while its Close frame is out."""
    server = serve([deaf, lambda conn: conn.accept()])
    first = WebSocketClient(server.url, name="x", close_timeout=0.8)
    first.wait_open(10)
    second = client(server, name="x")
    del first
    gc.collect()
    second.wait_open(10)
    assert (server.total, server.most_live) == (2, 1)
    server.connections[0].drop()


def test_the_new_one_waits_while_the_old_one_asks_for_its_url(serve, client):
    """Nothing the older one has under way may end in a connection beside the new one's."""
    server = serve()
    asked, go = threading.Event(), threading.Event()

    def url(attempt):
        asked.set()
        go.wait(10)
        return server.url

    client(url, name="x")
    assert asked.wait(10)
    second = client(server, name="x")
    second.wait_open(10)
    go.set()
    time.sleep(0.2)
    assert (server.total, server.most_live) == (1, 1)


def test_the_same_name_thirty_times(serve, client):
    """A cell run again and again: one connection in the end, never two."""
    server = serve()
    for _ in range(30):
        ws = client(server, name="again")
    ws.wait_open(15)
    assert server.most_live == 1
    assert server.live == 1
    assert [one for one in fastws.clients() if one.name == "again"] == [ws]


def test_repr_tells_state_and_url(serve, client):
    server = serve()
    ws = client(server, name="feed")
    ws.wait_open(10)
    assert "open" in repr(ws) and str(server.port) in repr(ws)
    assert ws.url == server.url


def test_stats_count(serve, client, until):
    """api.md 5."""
    server = serve(
        [
            lambda conn: (
                conn.expect(),
                conn.send_json({"n": 1}),
                conn.send(b"xx"),
                conn.expect(),
                conn.drop(),
            ),
            lambda conn: conn.accept(),
        ]
    )
    ws = client(server)
    ws.wait_open(10)
    ws.send({"a": 1})
    assert ws.recv(10) == {"n": 1}
    assert ws.recv(10) == b"xx"
    ws.send("bye")
    server.wait_open(2)
    assert until(lambda: ws.stats().connects == 2)
    stats = ws.stats()
    assert (stats.messages_in, stats.messages_out) == (2, 2)
    assert stats.bytes_in > 0 and stats.bytes_out > 0
    assert stats.uptime >= 0
    with pytest.raises(AttributeError):
        stats.connects = 5


def test_errors_are_one_tree_and_picklable(serve, client):
    """api.md 7."""
    ws = client(serve(lambda conn: conn.refuse(403, [("X-Why", "no")], b"go away")))
    with pytest.raises(fastws.FastwsError) as caught:
        ws.wait_open(10)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is fastws.HandshakeRejected
    assert (again.status, again.body, str(again)) == (403, b"go away", str(caught.value))
    assert caught.value.host and caught.value.attempt == 1
    assert fastws.HandshakeRejected.__mro__.index(
        fastws.ConnectFailed
    ) < fastws.HandshakeRejected.__mro__.index(fastws.FastwsError)
