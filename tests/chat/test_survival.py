"""The server is killed in mid-conversation, or its disk is full: nothing acknowledged is lost, nothing is said twice."""

import random
import resource
import sqlite3
import threading
import time

import pytest
from chat_rig import until


def history(path):
    """What stands in the server's file, in order: (name, text)."""
    with sqlite3.connect(path) as db:
        return db.execute("select name, text from message order by seq").fetchall()


def test_what_is_said_while_the_server_is_gone_arrives_when_it_is_back(serve, person):
    server = serve()
    ada, bob = person("Ada", url=server.url), person("Bob", url=server.url)
    ada.say("before")
    bob.sees("before")
    ada.settled()
    server.kill()
    ada.say("one", "two", "three")
    assert [line.state for line in ada.view.lines] == ["sent", "sending", "sending", "sending"]
    bob.say("mine")
    server.start()
    ada.settled()
    bob.settled()
    until(lambda: len(bob.texts) == len(ada.texts) == 5)
    assert ada.texts == bob.texts
    assert [text for text in ada.texts if text != "mine"] == ["before", "one", "two", "three"]


def test_a_conversation_survives_a_server_that_is_killed_again_and_again(serve, person, tmp_path):
    """Four talk; the server dies six times at random moments. In the end all see the same, each message once, each one's in order."""
    seed = random.randrange(2**32)
    print("seed", seed)  # shown when the test fails
    dice = random.Random(seed)
    server = serve()
    people = [person(name, url=server.url) for name in ("Ada", "Bob", "Cyd", "Dan")]
    count = 24

    def talk(one, pauses):
        for number, pause in enumerate(pauses):
            one.say(f"{one.session.name} {number}")
            time.sleep(pause)

    talking = [
        threading.Thread(target=talk, args=(one, [dice.uniform(0, 0.2) for _ in range(count)]))
        for one in people
    ]
    for thread in talking:
        thread.start()
    acknowledged = set()
    for _ in range(6):
        time.sleep(dice.uniform(0.05, 0.4))
        acknowledged |= {line.text for one in people for line in one.view.lines if line.state == "sent"}
        server.restart()
        assert acknowledged <= {text for _, text in history(tmp_path / "history0.sqlite3")}
    for thread in talking:
        thread.join()
    for one in people:
        one.settled()
    said = {f"{one.session.name} {number}" for one in people for number in range(count)}
    until(lambda: all(set(one.texts) == said for one in people))
    kept = history(tmp_path / "history0.sqlite3")
    assert len(kept) == len(said), "nothing twice"
    for one in people:
        assert one.texts == [text for _, text in kept], "everybody has it in the server's order"
        own = [text for name, text in kept if name == one.session.name]
        assert own == [f"{one.session.name} {number}" for number in range(count)]


def test_a_receipt_that_was_lost_with_the_server_comes_again(serve, person, tmp_path):
    """The message is on the disk, the server dies before it says so."""
    server = serve()
    ada = person("Ada", url=server.url)
    ada.say("first")
    ada.settled()
    server.pause()
    ada.say("second")  # the stopped server's kernel takes it
    server.kill()
    with sqlite3.connect(tmp_path / "history0.sqlite3") as db:  # as if it had been written in time
        line = ada.view.lines[-1]
        db.execute(
            "insert into message (room, client, id, name, text, at) select room, client, ?, name, ?, at from message",
            (line.key, line.text),
        )
    server.start()
    ada.settled()
    ada.sees("first", "second")
    assert [text for _, text in history(tmp_path / "history0.sqlite3")] == ["first", "second"]


def test_a_server_that_ends_says_so_and_keeps_what_it_had(serve, person):
    server = serve()
    ada = person("Ada", url=server.url)
    ada.say("kept")
    ada.settled()
    assert server.stop() == 0
    until(lambda: ada.view.link.state != "online")
    server.start()
    ada.online()
    ada.sees("kept")
    late = person("Bob", url=server.url)
    late.sees("kept")


def test_a_full_history_refuses_and_goes_on_serving(serve, person):
    server = serve("--max-history-mib", "0.1")
    ada, bob = person("Ada", url=server.url), person("Bob", url=server.url)
    for number in range(30):
        ada.say(f"{number} " + "x" * 3900)
    failed = until(lambda: [line for line in ada.view.lines if line.state == "failed"])
    assert "full" in failed[0].trouble
    until(lambda: all(line.state != "sending" for line in ada.view.lines))
    kept = [line.text for line in ada.view.lines if line.state == "sent"]
    assert kept
    bob.sees(*kept)
    assert ada.view.link.state == "online"
    person("Cyd", url=server.url).sees(*kept)


def test_a_disk_that_is_full_and_has_room_again(serve, person):
    """The system lets no file of the server grow beyond a limit, later it does: what failed is sent again, once."""
    server = serve()
    ada, bob = person("Ada", url=server.url), person("Bob", url=server.url)
    ada.say("before")
    ada.settled()
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    ada.say("no room")
    failed = until(lambda: [line for line in ada.view.lines if line.state == "failed"])
    assert "can not keep messages" in failed[0].trouble
    assert ada.session.discard("no such key") == ""
    bob.sees("before")
    resource.prlimit(
        server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    ada.session.retry(failed[0].key)
    ada.settled()
    bob.sees("before", "no room")


def test_a_failed_message_can_be_taken_back(serve, person):
    server = serve("--max-history-mib", "0.01")
    ada = person("Ada", url=server.url)
    ada.say("x" * 4000)
    failed = until(lambda: [line for line in ada.view.lines if line.state == "failed"])
    assert ada.session.discard(failed[0].key) == "x" * 4000
    assert ada.view.lines == ()


def test_a_history_that_can_not_be_opened_is_told_at_once(serve, tmp_path):
    (tmp_path / "history0.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(AssertionError, match="history can not be used: file is not a database"):
        serve()
