"""Once close() was called no handler starts but those of `disconnect` and `closed` (R2): what would start one late."""

import threading

import pytest
from server_scripts import echo


class Busy:
    """A handler that runs until it is let go, and then raises what it was given."""

    def __init__(self, error=None):
        self._error = error
        self._runs = threading.Event()
        self._may_end = threading.Event()

    def __call__(self, message):
        self._runs.set()
        self._may_end.wait(30)
        if self._error is not None:
            raise self._error

    def wait(self):
        assert self._runs.wait(15)

    def let_go_after_close(self, ws, log, until):
        """close(), which returns before the handler does; let that go; wait for the last event."""
        closing = threading.Thread(target=ws.close)
        closing.start()
        assert until(lambda: ws.state != "open")
        self._may_end.set()
        log.wait("closed")
        closing.join(15)


@pytest.fixture
def server(serve):
    return serve(lambda conn: conn.send_json({"type": "a"}))


def raised(caplog, kind):
    return [record for record in caplog.records if record.exc_info and record.exc_info[0] is kind]


def test_a_late_connect_handler_is_not_called(serve, recorded, until):
    def deaf(conn):
        conn.answer_close = False  # the client goes on closing until its time is over
        conn.accept()
        conn.send_json({"type": "a"})

    busy, late = Busy(), []
    ws, log = recorded(serve(deaf), on={"a": busy}, close_timeout=1.0)
    busy.wait()
    ws.on("connect", lambda: late.append(ws.state))  # its turn comes when the handler has returned
    busy.let_go_after_close(ws, log, until)
    assert late == []
    assert log.names[-2:] == ["disconnect", "closed"]


def test_what_a_running_handler_raises_is_only_logged(server, recorded, until, caplog):
    busy = Busy(LookupError("late"))
    ws, log = recorded(server, on={"a": busy})
    busy.wait()
    busy.let_go_after_close(ws, log, until)
    assert log.all("error") == []
    assert len(raised(caplog, LookupError)) == 1


def test_a_handler_that_closes_and_raises_is_only_logged(server, recorded, caplog):
    def leave(message):
        ws.close()
        raise LookupError("on leaving")

    ws, log = recorded(server)
    ws.on("a", leave)
    log.wait("closed")
    assert log.all("error") == []
    assert len(raised(caplog, LookupError)) == 1


def test_the_next_error_handler_does_not_start(server, client, until):
    told, closed = [], threading.Event()
    ws = client(server, autoconnect=False)

    def bad(message):
        raise LookupError("told to the first alone")

    ws.on("a", bad).on("error", lambda: (told.append("first"), ws.close()))
    ws.on("error", lambda: told.append("second")).on("closed", closed.set)
    ws.connect()
    assert closed.wait(15)
    assert told == ["first"]


def test_a_new_life_is_told_of_its_own(serve, recorded, until):
    """close() silences what it ended, and nothing that is begun after it."""

    def bad(message):
        raise LookupError("told")

    server = serve(lambda conn: conn.send_json({"type": "a"}))
    ws, log = recorded(server, on={"a": bad})
    log.wait("error")
    ws.close()
    ws.connect()
    assert isinstance(log.wait("error", 2).exception, LookupError)


def test_in_a_loop(run, serve, aclient, eventually, caplog):
    server = serve(echo)

    async def main():
        told = []
        ws = aclient(server)

        async def leave(message):
            await ws.close()
            raise LookupError("on leaving")

        async def first(event):
            told.append("first")
            await ws.close()

        ws.on("a", leave).on("error", lambda: told.append("error")).on(
            "closed", lambda: told.append("closed")
        )
        await ws.wait_open(10)
        await ws.send({"type": "a"})
        assert await eventually(lambda: told)
        assert told == ["closed"]
        assert len(raised(caplog, LookupError)) == 1

        ws.off("a").off("error").off("closed").on("b", lambda message: message["missing"])
        ws.on("error", first).on("error", lambda: told.append("second"))
        ws.connect()
        await ws.wait_open(10)
        await ws.send({"type": "b"})
        assert await ws.wait(15)
        assert told == ["closed", "first"]

    run(main())
