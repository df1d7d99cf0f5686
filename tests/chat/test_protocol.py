"""The protocol against the real server: every request, every limit, and every way to say nonsense."""

import json
import socket
import struct
import time
import uuid
from urllib.parse import urlsplit

import pytest

BIDI = "\u202egnp.exe"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


def test_a_welcome_says_who_is_here_and_what_was_said(talker):
    ada = talker("Ada")
    ada.say("one")
    bob = talker("Bob")
    assert bob.welcome["people"] == ["Ada", "Bob"]
    assert bob.welcome["limits"] == {"name": 32, "text": 4000, "lines": 100}
    assert bob.welcome["version"] == 1
    (message,) = bob.welcome["messages"]
    assert (message["name"], message["text"]) == ("Ada", "one")
    assert abs(message["at"] / 1000 - time.time()) < 60
    assert ada.next("people")["people"] == ["Ada", "Bob"]


def test_a_message_reaches_everybody_and_is_its_own_receipt(talker):
    ada, bob = talker("Ada"), talker("Bob")
    receipt = ada.say("hello")
    assert receipt["type"] == "said"
    seen = bob.next("said")
    assert "id" not in seen, "an id is told to nobody but its maker, who could be mimicked with it"
    assert {**seen, "id": receipt["id"]} == receipt


def test_rooms_are_apart(talker):
    ada, bob = talker("Ada"), talker("Bob", room="another")
    ada.say("in the first")
    assert bob.welcome["people"] == ["Bob"]
    bob.say("in the other")
    assert [message["text"] for message in bob.waiting() if message["type"] == "said"] == []
    assert talker("Cyd").welcome["messages"][0]["text"] == "in the first"


def test_a_message_sent_again_is_kept_once(talker):
    ada, bob = talker("Ada"), talker("Bob")
    id = uuid.uuid4().hex
    first, again = ada.say("once", id), ada.say("once", id)
    assert first == again
    ada.say("twice")
    assert [bob.next("said")["text"] for _ in range(2)] == ["once", "twice"]


def test_the_same_id_of_another_client_is_another_message(talker):
    id = uuid.uuid4().hex
    assert talker("Ada").say("mine", id)["seq"] != talker("Bob").say("mine", id)["seq"]


def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(talker):
    ada, bob = talker("Ada"), talker("Bob")
    seen = ada.say("one")["seq"]
    bob.say("two")
    bob.say("three")
    back = talker("Cyd", since=seen, log=ada.welcome["log"])
    assert back.welcome["complete"]
    assert [message["text"] for message in back.welcome["messages"]] == ["two", "three"]


def test_who_missed_too_much_is_given_the_newest_and_fetches_the_rest(talker, server):
    ada = talker("Ada")
    first = ada.say("0")["seq"]
    others = [talker(f"B{number}") for number in range(12)]  # the limit is each one's own
    for number in range(1, 241):
        others[number % 12].send({"type": "say", "id": uuid.uuid4().hex, "text": str(number)})
    seen = [ada.next("said")["seq"] for _ in range(240)]
    assert seen == sorted(seen)
    back = talker("Cyd", since=first, log=ada.welcome["log"])
    assert not back.welcome["complete"]
    found = back.welcome["messages"]
    assert len(found) == 100
    more = True
    while more:
        page = back.ask({"type": "older", "before": found[0]["seq"]}, "older")
        more = page["more"]
        found = page["messages"] + found
    assert sorted(int(message["text"]) for message in found) == list(range(241))
    assert [message["seq"] for message in found] == [first, *seen]


def test_numbers_of_another_log_are_not_believed(talker, serve):
    ada = talker("Ada")
    ada.say("one")
    other = serve()
    stranger = talker("Bob", since=10**6, log=ada.welcome["log"], url=other.url)
    assert not stranger.welcome["complete"]
    assert stranger.welcome["messages"] == []


def test_leaving_is_told(talker):
    ada, bob = talker("Ada"), talker("Bob")
    assert ada.next("people")["people"] == ["Ada", "Bob"]
    assert "people" not in {message["type"] for message in bob.waiting()}, "it read that in its welcome"
    bob.close()
    assert ada.next("people")["people"] == ["Ada"]


def test_typing_is_told_and_ends_with_a_message(talker):
    ada, bob = talker("Ada"), talker("Bob")
    ada.send({"type": "typing", "on": True})
    assert bob.next("typing")["names"] == ["Ada"]
    ada.send({"type": "typing", "on": False})
    assert bob.next("typing")["names"] == []
    ada.send({"type": "typing", "on": True})
    assert bob.next("typing")["names"] == ["Ada"]
    ada.say("done")
    assert bob.next("typing", "said") == {"type": "typing", "names": []}


def test_a_typist_who_vanishes_is_forgotten_at_once(talker):
    ada, bob = talker("Ada"), talker("Bob")
    ada.send({"type": "typing", "on": True})
    assert bob.next("typing")["names"] == ["Ada"]
    ada.close()
    assert bob.next("typing")["names"] == []


def test_the_same_client_again_takes_the_place_of_the_first(talker):
    first, other = talker("Ada"), talker("Bob")
    second = talker("Ada", client=first.client)
    assert first.closed.wait(10)
    assert first.code == 4001
    assert second.welcome["people"] == ["Ada", "Bob"]
    second.say("still here")
    assert other.next("said")["text"] == "still here"


@pytest.mark.parametrize("name", ["Ada", "ADA", "a d a", "\uff21\uff44\uff41", "Ad\u200ca", "Àdà", "  Ada  "])
def test_a_name_that_looks_like_one_here_is_refused(talker, name):
    talker("Ada")
    answer = talker().join(name)
    assert answer["code"] == "name-taken"
    assert "Ada is here already" in answer["text"]


def test_a_name_is_free_again_when_its_owner_has_left(talker):
    ada, bob = talker("Ada"), talker("Bob")
    ada.close()
    bob.next(lambda message: message.get("people") == ["Bob"])
    assert talker().join("Ada")["type"] == "welcome"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 33,
        "a\x1b[31mb",
        "tab\x00",
        BIDI,
        "\u2066x\u2069",
        "\ud800",
        "\u200d",
        "\ufeffAda",
        "\ue000",
    ],
)
def test_names_that_people_could_not_read_are_refused(talker, name):
    assert talker().join(name)["code"] == "bad-name"


@pytest.mark.parametrize("name", ["Ada", "Żółć", "李雷", FAMILY, "O'Brien <b>", "x" * 32, "مريم"])
def test_names_that_people_have_are_taken(talker, name):
    assert talker().join(name)["name"] == name


@pytest.mark.parametrize("room", ["", "Lobby", "a b", "../etc", "x" * 33, "-x", "é"])
def test_rooms_are_named_plainly(talker, room):
    assert talker().join("Ada", room=room)["code"] == "bad-room"


def test_after_a_refused_join_another_one_may_be_tried(talker):
    one = talker()
    assert one.join("")["code"] == "bad-name"
    assert one.join("Ada")["type"] == "welcome"
    assert one.ask(
        {"type": "join", "version": 1, "room": "x", "name": "Ada", "client": one.client, "since": 0}
    )["code"] == ("bad-message")


TEXTS = [
    "<script>alert(1)</script>", "[bold]not bold[/]", BIDI, FAMILY * 50, "line\nline\tend", "e" + "\u0301" * 200,
    "שלום", '"; drop table message; --', "x" * 4000, "\n".join("x" * 100), "\U0001f3f4\U000e0067\U000e007f", "null", "\ufffe",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts_arrive_as_they_were_written(talker, text):
    ada, bob = talker("Ada"), talker("Bob")
    assert ada.say(text)["text"] == text
    assert bob.next("said")["text"] == text
    assert talker("Cyd").welcome["messages"][-1]["text"] == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"), (" \n ", "empty"), ("x" * 4001, "too-long"), ("\n".join("x" * 101), "too-long"), ("a\x00b", "bad-text"),
        ("\x1b[2J", "bad-text"), ("\ud83d", "bad-text"), ("a\x85b", "bad-text"), ("a\u2028b", "bad-text"), ("\r\n.", "bad-text"),
    ],
)  # fmt: skip
def test_texts_beyond_the_limits_are_refused_with_their_id(talker, text, code):
    ada = talker("Ada")
    answer = ada.say(text)
    assert (answer["type"], answer["code"]) == ("refused", code)
    assert ada.say("next")["type"] == "said"


GARBAGE = [
    "", "{", "null", "[]", '"say"', "1e999", "NaN", '{"type": NaN}', "[" * 20_000, "9" * 10_000, '{"type":"say"}', "{}",
    '{"type":["say"]}', '{"type":"dance"}', '{"type":"__class__"}', '{"type":"say","id":"short","text":"x"}',
    '{"type":"say","id":12345678,"text":"x"}', '{"type":"typing"}', '{"type":"typing","on":1}', '{"type":"older","before":-1}',
    '{"type":"older","before":true}', '{"type":"older","before":1e3}', '{"type":"older","before":99999999999999999999}',
    '{"type":"say","id":"aaaaaaaa","text":["x"]}', '{"type":"join","version":1}', b"\x00\x01",
]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: str(garbage[:24]))
def test_nonsense_is_refused_and_harms_nobody(talker, garbage):
    ada = talker("Ada")
    answer = ada.ask(garbage)
    assert answer["code"] == "bad-message"
    assert len(answer["text"]) > 10
    assert ada.say("still here")["type"] == "said"


def test_who_says_nothing_but_nonsense_is_shown_out(talker):
    ada, bob = talker("Ada"), talker("Bob")
    for _ in range(30):
        ada.send("nonsense")
    assert ada.closed.wait(10)
    assert ada.code == 1008
    assert bob.say("still here")["type"] == "said"


def asked(server):
    """A bare connection that has asked for a WebSocket."""
    at = urlsplit(server.url)
    raw = socket.create_connection((at.hostname, at.port), timeout=10)
    raw.sendall(
        f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return raw


def test_who_leaves_before_the_answer_is_no_fault(serve):
    """A page that is closed while it connects: the server has nothing to log, and serves the next one."""
    server = serve()
    for _ in range(300):
        raw = asked(server)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()  # with a reset
    with asked(server) as raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 101")
    assert server.stop() == 0
    assert server.log == ""


def test_the_close_code_reaches_who_goes_on_with_nonsense(server):
    """A server that left without reading on would answer with a reset, which takes with it what was sent before."""
    nonsense = b"\x81\x88\0\0\0\0nonsense"
    with asked(server) as raw:
        for _ in range(60):
            raw.sendall(nonsense)
            time.sleep(0.005)
        raw.sendall(b"\x88\x82\0\0\0\0" + (1008).to_bytes(2, "big"))
        received = b"".join(iter(lambda: raw.recv(65536), b""))
    assert b"HTTP/1.1 101" in received
    assert (1008).to_bytes(2, "big") + b"too many requests" in received


def test_a_message_of_ten_megabytes_ends_its_own_connection_only(talker):
    ada, bob = talker("Ada"), talker("Bob")
    ada.send(json.dumps({"type": "say", "id": "a" * 16, "text": "x" * 10_000_000}))
    assert ada.closed.wait(10)
    assert ada.code == 1009
    assert bob.say("still here")["type"] == "said"


def test_nothing_can_be_said_before_joining(talker):
    assert talker().say("hello")["code"] == "not-joined"
    assert talker().ask({"type": "typing", "on": True})["code"] == "not-joined"
    assert talker().ask({"type": "ping"}, "pong") == {"type": "pong"}


def test_another_version_is_refused(talker):
    assert talker().join("Ada", version=2)["code"] == "bad-version"
    assert talker().join("Ada", version="1")["code"] == "bad-version"


def test_too_many_messages_are_refused_with_the_time_to_wait(talker):
    ada = talker("Ada")
    ids = [uuid.uuid4().hex for _ in range(40)]
    began = time.monotonic()
    for id in ids:
        ada.send({"type": "say", "id": id, "text": "again and again"})
    answers = [ada.next(lambda message: "id" in message) for _ in ids]
    allowed = 20 + 5 * (time.monotonic() - began)  # at once, and in the time that it took
    assert [answer["id"] for answer in answers] == ids
    refused = [answer for answer in answers if answer["type"] == "refused"]
    assert 20 <= len(ids) - len(refused) <= allowed + 1
    assert all(answer["code"] == "too-fast" for answer in refused)
    assert all(0 < answer["retry_after"] <= 0.2 for answer in refused)


def test_a_full_room_is_refused(talker):
    for number in range(200):
        talker(f"P{number}")
    assert talker().join("Late")["code"] == "room-full"
    assert talker().join("Early", room="another")["type"] == "welcome"
