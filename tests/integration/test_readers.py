"""recv(), iteration and messages(): in order, across reconnects, and how they end."""

import threading
import time

import pytest

import fastws


def numbers(kind, first, last):
    return [{"type": kind, "n": number} for number in range(first, last)]


def talks(*messages, end=None):
    """A script that sends these and then ends as told."""

    def script(conn):
        for message in messages:
            conn.send(message) if isinstance(message, (str, bytes)) else conn.send_json(message)
        conn.accept() if not conn.opened else None
        if end is not None:
            end(conn)

    return script


def test_recv_in_order(serve, client):
    with client(serve(talks(*numbers("a", 0, 300)))) as ws:
        assert [ws.recv(10) for _ in range(300)] == numbers("a", 0, 300)


def test_recv_times_out(serve, client):
    """api.md 5: TimeoutError, not before its time, and nothing is lost by it."""
    server = serve(lambda conn: (conn.expect(), conn.send_json({"n": 1})))
    with client(server) as ws:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            ws.recv(0.2)
        assert time.monotonic() - started >= 0.19
        with pytest.raises(TimeoutError):
            ws.recv(0)
        ws.send("go")
        assert ws.recv(10) == {"n": 1}


def test_iteration_goes_on_across_reconnects(serve, client):
    """api.md 1: every message, in order, reconnects in between."""
    scripts = [
        talks(*numbers("a", at * 10, at * 10 + 10), end=lambda conn: conn.close(1001)) for at in range(4)
    ]
    ws = client(serve([*scripts, talks({"type": "end"})]))
    seen = []
    for message in ws:
        if message["type"] == "end":
            break
        seen.append(message)
    assert seen == numbers("a", 0, 40)


def test_iteration_ends_after_close(serve, client, until):
    ws = client(serve(talks(*numbers("a", 0, 5))))
    ws.wait_open(10)
    seen = []
    closer = threading.Thread(target=lambda: (until(lambda: len(seen) == 5), ws.close()))
    closer.start()
    for message in ws:
        seen.append(message)
    closer.join()
    assert seen == numbers("a", 0, 5)


@pytest.mark.parametrize("code", [1000, 1001])
def test_iteration_ends_with_one_life_after_a_clean_close(serve, client, code):
    """api.md 5: reconnect=False and 1000 or 1001; what came before is read first."""
    ws = client(serve(talks(*numbers("a", 0, 50), end=lambda conn: conn.close(code))), reconnect=False)
    assert list(ws) == numbers("a", 0, 50)


def test_iteration_raises_what_ended_it(serve, client):
    """api.md 5: otherwise."""
    ws = client(
        serve(talks(*numbers("a", 0, 5), end=lambda conn: conn.close(4001, "enough"))), reconnect=False
    )
    seen = []
    with pytest.raises(fastws.ConnectionClosed) as caught:
        for message in ws:
            seen.append(message)
    assert seen == numbers("a", 0, 5)
    assert (caught.value.code, caught.value.reason) == (4001, "enough")
    assert isinstance(caught.value, ConnectionError)


def test_iteration_raises_a_fatal_rejection(serve, client):
    ws = client(serve(lambda conn: conn.refuse(403)))
    with pytest.raises(fastws.HandshakeRejected):
        next(iter(ws))


def test_recv_of_a_client_that_gave_up_says_why(serve, client):
    """api.md 5: ConnectionClosed, whatever closed it; the rejection is its cause."""
    ws = client(serve(lambda conn: conn.refuse(403)))
    for read in (lambda: ws.recv(10), lambda: ws.recv_many(2, 10), lambda: ws.recv(0)):
        with pytest.raises(fastws.ConnectionClosed, match="403") as caught:
            read()
        assert isinstance(caught.value.__cause__, fastws.HandshakeRejected)
        assert caught.value.__cause__.status == 403


def test_recv_raises_when_closed_and_nothing_is_left(serve, client):
    """api.md 5: ConnectionClosed."""
    ws = client(serve(talks(*numbers("a", 0, 3), end=lambda conn: conn.close(1000))), reconnect=False)
    assert [ws.recv(10) for _ in range(3)] == numbers("a", 0, 3)
    with pytest.raises(fastws.ConnectionClosed):
        ws.recv(10)


def test_recv_in_another_thread_is_ended_by_close(serve, client):
    ws = client(serve())
    ws.wait_open(10)
    raised = []

    def read():
        try:
            ws.recv(30)
        except fastws.ConnectionClosed as error:
            raised.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.2)
    ws.close()
    thread.join(5)
    assert not thread.is_alive()
    assert len(raised) == 1


def test_recv_waits_through_a_reconnect(serve, client):
    server = serve([lambda conn: (conn.accept(), conn.stall(0.1), conn.reset()), talks({"n": 1})])
    ws = client(server)
    assert ws.recv(10) == {"n": 1}


def test_messages_of_chosen_routes(serve, client):
    """messages(*routes): only these, in their common order; the rest is not consumed."""
    mixed = [
        message
        for trio in zip(numbers("a", 0, 20), numbers("b", 0, 20), numbers("c", 0, 20), strict=True)
        for message in trio
    ]
    ws = client(serve(lambda conn: (conn.expect(), [conn.send_json(message) for message in mixed])))
    ac, b = ws.messages("a", "c"), ws.messages("b")
    ac, b = iter(ac), iter(b)
    ws.wait_open(10)
    ws.send("go")
    assert [next(ac) for _ in range(40)] == [message for message in mixed if message["type"] != "b"]
    assert [next(b) for _ in range(20)] == numbers("b", 0, 20)


def test_a_message_goes_to_at_most_one_reader(serve, client, until):
    """api.md 4: readers consume: two of everything share, nothing twice, nothing lost."""
    server = serve(
        lambda conn: (conn.expect(), [conn.send_json(message) for message in numbers("a", 0, 2000)])
    )
    ws = client(server)
    shares = ([], [])

    def read(reader, share):
        for message in reader:
            share.append(message["n"])

    threads = [threading.Thread(target=read, args=(iter(ws), share)) for share in shares]
    for thread in threads:
        thread.start()
    ws.wait_open(10)
    time.sleep(0.2)
    ws.send("go")
    assert until(lambda: len(shares[0]) + len(shares[1]) == 2000)
    ws.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(shares[0] + shares[1]) == list(range(2000))
    assert all(share == sorted(share) for share in shares)


def test_handlers_observe_what_readers_consume(serve, client, until):
    """api.md 4."""
    server = serve(
        lambda conn: (conn.expect(), [conn.send_json(message) for message in numbers("a", 0, 200)])
    )
    ws = client(server)
    observed = []
    ws.on("a", observed.append)
    reader = iter(ws)
    ws.wait_open(10)
    ws.send("go")
    assert [next(reader) for _ in range(200)] == numbers("a", 0, 200)
    assert until(lambda: len(observed) == 200)
    assert observed == numbers("a", 0, 200)


def test_readers_of_everything_get_binary_too(serve, client):
    """api.md 4: readers that name no route also get binary frames; others do not."""
    server = serve(
        lambda conn: (conn.expect(), conn.send(b"\x01"), conn.send_json({"type": "a"}), conn.send(b"\x02"))
    )
    with client(server) as ws:
        named = iter(ws.messages("a"))
        every = iter(ws)
        ws.send("go")
        assert next(named) == {"type": "a"}
        got = [next(every), next(every)]
        assert got == [b"\x01", b"\x02"]


def test_a_dead_iterator_stops_consuming(serve, client, until):
    """api.md 4: a *living* iterator: after its end the messages wait for the next reader."""
    server = serve(lambda conn: [(conn.expect(), conn.send_json({"n": number})) for number in range(3)])
    with client(server) as ws:
        first = iter(ws)
        ws.send("go")
        assert next(first) == {"n": 0}
        del first
        ws.send("go")
        assert ws.recv(10) == {"n": 1}
        ws.send("go")
        assert ws.recv(10) == {"n": 2}


@pytest.mark.parametrize("event", ["a", "message"])
@pytest.mark.parametrize("leave", ["close", "forget"])
def test_what_a_reader_leaves_unread_comes_to_no_handler_twice(serve, client, until, event, leave):
    """api.md 4: a message goes to every handler once, and what was left to the next reader."""
    end = {"type": "a", "n": "end"}
    server = serve(
        lambda conn: (
            conn.expect(),
            [conn.send_json(message) for message in numbers("a", 0, 10)],
            conn.expect(),
            conn.send_json(end),
        )
    )
    with client(server, settle=60) as ws:
        seen = []
        ws.on(event, seen.append)
        reader = ws.messages("a")
        ws.send("go")
        assert until(lambda: len(seen) == 10)
        assert next(reader) == {"type": "a", "n": 0}
        if leave == "close":
            reader.close()
        del reader
        following = ws.messages("a")
        ws.send("go")
        assert until(lambda: end in seen)  # what came twice would come before it
        assert seen == [*numbers("a", 0, 10), end]
        assert [next(following) for _ in range(10)] == [*numbers("a", 1, 10), end]


def test_bad_json_is_told_once_and_reading_goes_on(serve, client, caplog):
    """Section 6: an error without a handler is a WARNING; the reader is given the next message."""
    with client(serve(talks("{bad", {"n": 1}))) as ws:
        assert ws.recv(10) == {"n": 1}
        assert ws.stats().dropped["decode"] == 1
    assert len([record for record in caplog.records if "{bad" in record.getMessage()]) == 1


@pytest.mark.parametrize("call", ["recv", "next", "wait", "wait_open", "messages"])
def test_waiting_for_oneself_in_a_handler_raises(serve, recorded, until, call):
    """api.md 3: RuntimeError, at once, and the client lives on."""
    raised = []
    calls = {
        "recv": lambda ws: ws.recv(1),
        "next": lambda ws: next(iter(ws)),
        "messages": lambda ws: next(iter(ws.messages("a"))),
        "wait": lambda ws: ws.wait(1),
        "wait_open": lambda ws: ws.wait_open(1),
    }

    def handler(event):
        try:
            calls[call](event.client)
        except RuntimeError as error:
            raised.append(error)

    ws, log = recorded(serve(), on={"connect": handler})
    assert until(lambda: raised)
    assert ws.state == "open"
    assert not log.all("error")


def test_an_unread_reader_never_stops_the_handlers(serve, client, until, caplog):
    """api.md 4: what waits for readers only goes, oldest first, as `unread`, with one WARNING."""

    def script(conn):
        conn.expect()
        for message in numbers("a", 0, 3000):
            conn.send_json(message)
        conn.expect()
        conn.send_json({"type": "a", "n": 3000})

    ws = client(serve(script), inbox_messages=100)
    handled = []
    ws.on("a", handled.append)
    reader = iter(ws)
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: len(handled) == 3000)
    assert ws.stats().dropped["unread"] >= 2800
    ws.send("go")
    rest = [next(reader)["n"]]
    while rest[-1] != 3000:
        rest.append(next(reader)["n"])
    assert rest == sorted(set(rest)) and rest[0] >= 2800, "the oldest go, the newest stay"
    told = lambda: [record.args[1] for record in caplog.records if "(unread)" in record.getMessage()]
    assert until(lambda: sum(told()) == ws.stats().dropped["unread"])
    assert len(told()) < 5, "once a burst: only a stall of a second splits one"
