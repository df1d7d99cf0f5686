"""The dispatcher and the registry over a real core that connects to nothing: what needs no server to go wrong."""

import gc
import threading
import time
import weakref

import pytest

import fastws
from fastws import Tls, WebSocketClient, _core

URL = "ws://127.0.0.1:9/"


@pytest.fixture
def idle():
    made = []

    def make(**options):
        made.append(WebSocketClient(URL, autoconnect=False, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def deliver(ws, *messages):
    """As the dispatcher's thread does it, on this one."""
    ws._dispatcher.deliver(
        ws._core.life, [(_core.JSON, message.get("type"), message) for message in messages]
    )


def test_a_star_handler_that_always_raises_is_told_of_it_once(idle, caplog):
    """R11: being told of an error and failing again would never end."""
    ws, seen = idle(), []

    def bad(event, payload):
        seen.append(event)
        raise ValueError(event)

    ws.on("*", bad)
    deliver(ws, {"type": "a"}, {"type": "b"})
    assert seen == ["a", "error", "b", "error"]
    assert len([record for record in caplog.records if record.exc_info]) == 4


def test_an_error_handler_that_raises_is_only_logged(idle, caplog):
    ws, told = idle(), []

    def bad(event):
        told.append(event.phase)
        raise ValueError

    ws.on("error", bad).on("a", lambda message: 1 / 0)
    deliver(ws, {"type": "a"})
    assert told == ["handler"]
    assert len([record for record in caplog.records if record.exc_info]) == 2


def test_messages_of_an_older_life_are_not_delivered(idle):
    """R2."""
    ws, seen = idle(), []
    ws.on("a", seen.append)
    old = ws._core.life
    ws.close()
    ws._dispatcher.deliver(old, [(_core.JSON, "a", {"type": "a"})])
    assert seen == []


def test_close_between_two_handlers_of_one_message_ends_it(idle):
    ws, seen = idle(), []
    ws.on("a", lambda message: ws.close()).on("a", seen.append).on("*", lambda *both: seen.append(both))
    deliver(ws, {"type": "a"})
    assert [one for one in seen if one[0] == "a"] == []


def test_close_between_two_handlers_of_an_error_ends_it(idle):
    ws, seen = idle(), []
    ws.on("error", lambda: ws.close()).on("error", seen.append).on("a", lambda message: 1 / 0)
    deliver(ws, {"type": "a"})
    assert seen == []
    ws._dispatcher.deliver(ws._core.life, [(_core.BAD, "{", ValueError("bad"))])
    assert seen == []


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_program_is_raised_again_by_wait(idle, kind):
    ws = idle()

    def leave(message):
        raise kind("enough")

    ws.on("a", leave)
    deliver(ws, {"type": "a"})
    with pytest.raises(kind, match="enough"):
        ws.wait(5)
    assert ws.state == "closed"


def test_a_bad_text_shows_its_first_80_characters(idle):
    ws, told = idle(), []
    ws.on("error", told.append)
    text = "{" + "x" * 200
    error = ValueError("bad")
    ws._dispatcher.deliver(ws._core.life, [(_core.BAD, text, error)])
    ws._dispatcher.barrier().wait(5)
    assert [(one.phase, one.exception) for one in told] == [("decode", error)]
    assert text[:80] in told[0].message
    assert text[:81] not in told[0].message


def test_a_constructor_that_fails_leaves_the_client_of_that_name(idle, tmp_path):
    first = idle(name="one")
    with pytest.raises(ValueError, match="ca_file"):
        WebSocketClient(URL, name="one", tls=Tls(ca_file=tmp_path / "missing.pem"))
    assert first.state == "idle"
    second = idle(name="one")
    assert (first.state, second.state) == ("closed", "idle")


def test_of_many_clients_made_at_once_one_keeps_the_name():
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(WebSocketClient(URL, name="many"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in made if one.state != "closed"]) == 1
    fastws.close_all()
    assert {one.state for one in made} == {"closed"}


def test_a_client_that_was_never_made_says_nothing():
    with pytest.raises(TypeError):
        WebSocketClient(5)
    with pytest.raises(ValueError):
        WebSocketClient(URL, settle=-1)
    gc.collect()


def client_that_its_provider_refers_to():
    box = []
    asked = threading.Event()

    def headers():
        asked.set()
        return {"A": str(len(box))}

    box.append(WebSocketClient(URL, headers=headers))
    assert asked.wait(5)
    box[0].close()
    return weakref.ref(box[0])


def test_a_client_that_its_provider_refers_to_is_collected():
    """R17: the asking thread keeps no callable while it sleeps."""
    client = client_that_its_provider_refers_to()
    deadline = time.monotonic() + 15
    while client() is not None and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.02)
    assert client() is None
