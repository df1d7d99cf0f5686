"""Several servers on one Redis serve one room: messages, people and typing cross over, and one may be killed at any time."""

import contextlib
import subprocess
import threading
import time
import uuid

import pytest
from chat_rig import Server, Talker, free_port, until


class RedisServer:
    """A Redis of this test's own, on a free port of the loopback, that writes what it acknowledges."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
            "--appendonly", "yes", "--appendfsync", "always",
        ]  # fmt: skip
        self._log = folder / "redis.log"
        self.start()

    def start(self):
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(
            lambda: "Ready to accept connections" in self._log.read_text().rpartition("Server initialized")[2]
        )

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(stack, tmp_path):
    one = RedisServer(tmp_path)
    stack.callback(one.kill)
    return one


@pytest.fixture
def pair(stack, redis, tmp_path):
    """Two servers on one Redis."""
    made = [Server(tmp_path / f"unused{number}", "--redis", redis.url) for number in range(2)]
    for one in made:
        stack.callback(one.end)
    return made


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Two servers on one Redis, for all tests that do no harm to them."""
    folder = tmp_path_factory.mktemp("servers")
    with contextlib.ExitStack() as stack:
        redis = RedisServer(folder)
        stack.callback(redis.kill)
        made = [Server(folder / f"unused{number}", "--redis", redis.url) for number in range(2)]
        for one in made:
            stack.callback(one.end)
        yield made
        assert [one.stop() for one in made] == [0, 0]


def test_two_servers_are_one_room(shared, person):
    ada, bob = person("Ada", url=shared[0].url), person("Bob", url=shared[1].url)
    until(lambda: ada.view.people == bob.view.people == ("Ada", "Bob"))
    ada.say("from one server")
    bob.sees("from one server")
    bob.say("from the other")
    ada.sees("from one server", "from the other")
    ada.session.typing(True)
    until(lambda: bob.view.typing == ("Ada",))
    ada.session.typing(False)
    until(lambda: bob.view.typing == ())
    assert [line.seq for line in ada.view.lines] == [line.seq for line in bob.view.lines]
    late = person("Cyd", url=shared[0].url)
    late.sees("from one server", "from the other")
    late.close()
    until(lambda: bob.view.people == ("Ada", "Bob"))


def test_a_name_is_one_persons_on_all_servers(shared, stack, room):
    ada = Talker(shared[0].url, "Ada", room)
    stack.callback(ada.close)
    thief = Talker(shared[1].url, None, room)
    stack.callback(thief.close)
    assert thief.join("ada")["code"] == "name-taken"
    assert thief.join("ada", client=ada.client)["type"] == "welcome", (
        "the same client may come by the other server"
    )
    ada.close()


def test_rooms_that_are_left_and_entered_again_and_again_stay_open(shared):
    """A room that empties is forgotten while it is still being told of; redis-py may swallow the cancellation of that."""
    for _ in range(25):
        room = uuid.uuid4().hex
        ada, thief = Talker(shared[0].url, "Ada", room), Talker(shared[1].url, None, room)
        assert thief.join("ada")["code"] == "name-taken"
        assert thief.join("Bob")["type"] == "welcome"
        ada.close()
        thief.close()


def test_a_resend_by_way_of_the_other_server_is_harmless(shared, stack, room):
    ada, bob = Talker(shared[0].url, "Ada", room), Talker(shared[1].url, "Bob", room)
    id = uuid.uuid4().hex
    receipt = ada.say("once", id)
    assert bob.next("said")["text"] == "once"
    again = Talker(shared[1].url, "Ada", room, client=ada.client)
    for one in (ada, bob, again):
        stack.callback(one.close)
    assert again.say("once", id) == receipt
    again.say("next")
    assert bob.next("said")["text"] == "next"


def test_older_messages_come_from_any_server(shared, stack, room):
    ada = Talker(shared[0].url, "Ada", room)
    stack.callback(ada.close)
    seqs = [ada.say(str(number))["seq"] for number in range(8)]
    bob = Talker(shared[1].url, "Bob", room, since=seqs[4], log=ada.welcome["log"])
    stack.callback(bob.close)
    assert [message["text"] for message in bob.welcome["messages"]] == ["5", "6", "7"]
    older = bob.ask({"type": "older", "before": seqs[3]}, "older")
    assert [message["text"] for message in older["messages"]] == ["0", "1", "2"]
    assert not older["more"]


def test_one_server_is_killed_and_the_others_people_hear_of_it(pair, person):
    ada, bob = person("Ada", url=pair[0].url), person("Bob", url=pair[1].url)
    until(lambda: ada.view.people == ("Ada", "Bob"))
    bob.session.typing(True)
    until(lambda: ada.view.typing == ("Bob",))
    pair[1].kill()
    bob.say("while away")
    until(lambda: ada.view.people == ("Ada",))
    until(lambda: ada.view.typing == ())  # told in a message of its own
    ada.say("meanwhile")
    pair[1].start()
    bob.online()
    bob.settled()
    ada.sees("meanwhile", "while away")
    bob.sees("meanwhile", "while away")
    until(lambda: ada.view.people == ("Ada", "Bob"))


def test_a_conversation_survives_servers_and_redis_being_killed(pair, redis, person):
    people = [person(name, url=pair[number % 2].url) for number, name in enumerate(("Ada", "Bob", "Cyd"))]
    count = 15

    def talk(one):
        for number in range(count):
            one.say(f"{one.session.name} {number}")
            time.sleep(0.1)

    talking = [threading.Thread(target=talk, args=(one,)) for one in people]
    for thread in talking:
        thread.start()
    time.sleep(0.4)
    pair[0].restart()
    time.sleep(0.4)
    redis.kill()
    redis.start()
    pair[1].restart()
    for thread in talking:
        thread.join()

    def retried():
        for one in people:
            for line in one.view.lines:
                if line.state == "failed":  # it was said while Redis was gone
                    one.session.retry(line.key)
        return all(
            len(one.texts) == 3 * count and all(line.state == "sent" for line in one.view.lines)
            for one in people
        )

    until(retried)
    said = {f"{one.session.name} {number}" for one in people for number in range(count)}
    assert all(set(one.texts) == said for one in people)
    assert people[0].texts == people[1].texts == people[2].texts


def test_a_redis_that_has_lost_everything_ends_the_server(pair, redis, person, tmp_path):
    """It must not go on with numbers that mean nothing any more: a service manager starts it again."""
    ada = person("Ada", url=pair[0].url)
    ada.say("lost")
    ada.settled()
    redis.kill()
    for file in (tmp_path / "appendonlydir").iterdir():
        file.unlink()
    redis.start()
    assert pair[0].wait() == 1
    assert "has lost the log" in pair[0].log
    pair[0].start()
    ada.online()
    until(lambda: ada.texts == [])
    ada.say("anew")
    ada.sees("anew")


def test_without_redis_the_server_says_so_and_ends(tmp_path):
    with pytest.raises(AssertionError, match="can not be used: Redis"):
        Server(tmp_path / "unused", "--redis", f"redis://127.0.0.1:{free_port()}/0")
