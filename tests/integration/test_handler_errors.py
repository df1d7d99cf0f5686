"""A handler that raises: reported, and nothing stops."""

import asyncio
import gc
import logging
import traceback
import warnings

import pytest


def test_an_exception_is_reported_and_the_rest_goes_on(serve, recorded, until, caplog):
    """R11, T41, P18: the other handlers of the event run, the next message comes, the state is untouched."""
    seen = []

    def bad(message):
        raise LookupError("from the handler")

    server = serve(
        lambda conn: (conn.send_json({"type": "a", "n": 1}), conn.send_json({"type": "a", "n": 2}))
    )
    ws, log = recorded(server, on={"a": bad})
    ws.on("a", lambda message: seen.append(message["n"]))
    assert until(lambda: len(log.all("error")) == 2 and len(seen) == 2)
    assert seen == [1, 2]
    error = log.all("error")[0]
    assert (error.phase, error.fatal) == ("handler", False)
    assert isinstance(error.exception, LookupError)
    assert ws.state == "open"
    assert "disconnect" not in log.names
    told = [record for record in caplog.records if record.exc_info and record.exc_info[0] is LookupError]
    assert len(told) == 2
    assert told[0].levelno == logging.ERROR


@pytest.mark.parametrize("more", [{}, {"once": True}, {"batch": True}])
def test_where_a_handler_raised_is_told(serve, recorded, until, caplog, more):
    """The log names the handler and shows the way to the line; the event's exception has it, too."""

    def parse(message):
        raise LookupError("no price")

    def on_update(message):
        parse(message)

    ws, log = recorded(serve(lambda conn: [conn.expect(), conn.send_json({"type": "update"})]))
    ws.on("update", on_update, **more)
    ws.wait_open(10)
    ws.send("go")
    assert until(lambda: log.all("error"))
    frames = traceback.extract_tb(log.all("error")[0].exception.__traceback__)
    assert [frame.name for frame in frames][-2:] == ["on_update", "parse"]
    assert "on_update of 'update' raised" in caplog.text
    assert 'raise LookupError("no price")' in caplog.text


@pytest.mark.parametrize("event", ["connecting", "connect", "disconnect", "reconnecting", "error", "closed"])
def test_lifecycle_handlers_may_raise(serve, recorded, event):
    """R11: each kind; the story goes on as if nothing was."""

    def bad(_):
        raise ValueError(event)

    server = serve(
        [lambda conn: conn.refuse(503), lambda conn: (conn.accept(), conn.drop()), lambda conn: conn.accept()]
    )
    ws, log = recorded(server, on={event: bad})
    log.wait("connect", 2)
    ws.close()
    log.wait("closed")
    assert log.in_language()
    assert log.names.count("connect") == 2


def test_an_exception_in_an_error_handler_is_only_logged(serve, recorded, until, caplog):
    """R11: no loop."""

    def bad(_):
        raise ValueError("again")

    server = serve([lambda conn: conn.refuse(503), lambda conn: conn.accept()])
    _, log = recorded(server, on={"error": bad})
    log.wait("connect")
    assert [error.phase for error in log.all("error")] == ["http"]
    assert until(
        lambda: [record for record in caplog.records if record.exc_info and record.exc_info[0] is ValueError]
    )


def test_an_exception_in_a_star_handler(serve, recorded, until):
    seen = []

    def bad(event, payload):
        raise ValueError(event)

    ws, log = recorded(serve(lambda conn: conn.send_json({"type": "a"})), on={"*": bad, "a": seen.append})
    assert until(lambda: seen)
    assert until(lambda: log.all("error"))
    assert ws.state == "open"


def test_a_message_handler_that_takes_no_argument_is_an_error(serve, recorded, until):
    """api.md 3: a message handler always gets the message."""
    _, log = recorded(serve(lambda conn: conn.send_json({"type": "a"})), on={"a": lambda: None})
    assert isinstance(log.wait("error").exception, TypeError)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_in_a_handler_closes_and_is_raised_by_wait(serve, recorded, kind):
    """api.md 3, T41: closes the client and is raised again by wait()."""

    def bad(message):
        raise kind(7)

    ws, log = recorded(serve(lambda conn: conn.send_json({"type": "a"})), on={"a": bad})
    with pytest.raises(kind) as caught:
        ws.wait(10)
    assert caught.value.args == (7,)
    assert log.wait("closed").reason == "user"
    assert log.in_language()


@pytest.fixture
def left(serve, client, until):
    """A client that a handler's SystemExit closed, and whose next connection is quiet."""

    def leave(message):
        raise SystemExit(3)

    ws = client(serve([lambda conn: conn.send_json({"type": "a"}), lambda conn: conn.accept()]))
    ws.on("a", leave)
    assert until(lambda: ws.state == "closed")
    return ws


def another_life(ws):
    ws.connect()
    ws.wait_open(10)
    ws.close()


def test_an_exit_is_raised_for_the_life_it_ended_and_for_no_later_one(left):
    for _ in range(2):
        with pytest.raises(SystemExit):
            left.wait(10)
    another_life(left)
    assert left.wait(10)


def test_an_exit_that_nobody_waited_for_is_raised_later_and_once(left):
    another_life(left)
    with pytest.raises(SystemExit):
        left.wait(10)
    another_life(left)
    assert left.wait(10)


def test_a_coroutine_is_an_error_that_names_the_async_client(serve, recorded):
    """api.md 3: and it is closed, so nothing warns that it was never awaited."""

    async def handler(message):
        await asyncio.sleep(0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, log = recorded(serve(lambda conn: conn.send_json({"type": "a"})), on={"a": handler})
        error = log.wait("error")
        assert error.phase == "handler"
        assert "AsyncWebSocketClient" in error.message + str(error.exception)
        gc.collect()


def test_the_same_closure_added_again_and_again_in_connect_warns_once(serve, client, until, caplog):
    """T37: handlers registered inside `connect` multiply at every reconnect; the log says so once."""
    server = serve(lambda conn: (conn.accept(), conn.stall(0.02), conn.drop()))
    ws = client(server, autoconnect=False)
    connects = []

    def on_connect(event):
        connects.append(event)

        def on_update(message):
            pass

        event.client.on("update", on_update)

    ws.on("connect", on_connect)
    ws.connect()
    assert until(lambda: len(connects) >= 4)
    ws.close()
    told = [
        record
        for record in caplog.records
        if record.levelno == logging.WARNING and "update" in record.getMessage()
    ]
    assert len(told) == 1


def test_a_thousand_raising_handlers_leave_no_chain(serve, recorded, until):
    """T45: exceptions do not pile up as each other's context."""
    caught = []

    def bad(message):
        raise ValueError("x")

    server = serve(lambda conn: [conn.send_json({"type": "a"}) for _ in range(300)])
    recorded(server, on={"a": bad, "error": lambda event: caught.append(event.exception)})
    assert until(lambda: len(caught) == 300)
    assert all(error.__context__ is None for error in caught)
