"""A person in a room, by the session class against the real server: receipts, coming back, typing, unread, refusals."""

import time

import pytest
from chat.protocol import Refused
from chat_rig import WAIT, until

import fastws


def test_a_message_is_seen_at_once_and_has_its_receipt_later(person):
    ada, bob = person("Ada"), person("Bob")
    ada.session.say("hello")
    (line,) = ada.view.lines
    assert (line.name, line.text, line.own) == ("Ada", "hello", True)
    assert line.state in ("sending", "sent")
    ada.settled()
    bob.sees("hello")
    (seen,) = bob.view.lines
    assert (seen.name, seen.own, seen.state) == ("Ada", False, "sent")
    assert ada.view.lines[0].seq == seen.seq
    assert ada.view.lines[0].key == line.key, "a line keeps its key, so a face need not draw it anew"
    assert abs(seen.at / 1000 - time.time()) < 60


def test_many_at_once_are_all_delivered_in_order(person):
    """More than the server takes at once: the session waits as long as the server says."""
    ada, bob = person("Ada"), person("Bob")
    texts = [str(number) for number in range(30)]
    ada.say(*texts)
    bob.sees(*texts)
    ada.settled()


def test_people_come_and_go(person):
    ada, bob = person("Ada"), person("Bob")
    until(lambda: ada.view.people == ("Ada", "Bob"))
    bob.close()
    until(lambda: ada.view.people == ("Ada",))
    assert bob.view.link.state == "closed"


def test_typing_goes_away_when_the_text_is_emptied_or_sent(person):
    ada, bob = person("Ada"), person("Bob")
    ada.session.typing(True)
    until(lambda: bob.view.typing == ("Ada",))
    ada.session.typing(False)
    until(lambda: bob.view.typing == ())
    ada.session.typing(True)
    until(lambda: bob.view.typing == ("Ada",))
    ada.say("done")
    bob.sees("done")
    assert bob.view.typing == ()


def test_three_typists_one_goes_on_one_stops_one_hangs(person, talker):
    """Ada presses keys for longer than the server believes one word of it (5 s); Bob stops; Cyd's program says nothing more."""
    ada, bob, cyd, watching = person("Ada"), person("Bob"), talker("Cyd"), person("Dan")
    began = time.monotonic()
    for one in (ada, bob):
        one.session.typing(True)
    cyd.send({"type": "typing", "on": True})
    until(lambda: watching.view.typing == ("Ada", "Bob", "Cyd"))
    until(lambda: ada.view.typing == ("Bob", "Cyd"))  # of oneself nobody needs to be told
    gone = {}
    while len(gone) < 2 or time.monotonic() < began + 6:
        ada.session.typing(True)
        time.sleep(0.05)
        typing = watching.view.typing
        assert "Ada" in typing
        for name in {"Bob", "Cyd"} - set(typing) - set(gone):
            gone[name] = time.monotonic() - began
        assert time.monotonic() < began + WAIT
    assert gone["Bob"] > 2.9
    assert gone["Cyd"] > 4.9


def test_a_typist_who_vanishes_types_no_more(person):
    ada, bob = person("Ada"), person("Bob")
    ada.session.typing(True)
    until(lambda: bob.view.typing == ("Ada",))
    ada.close()
    until(lambda: bob.view.typing == ())


def test_what_comes_while_nobody_looks_is_unread(person):
    ada, bob = person("Ada"), person("Bob")
    ada.say("seen")
    bob.sees("seen")
    assert (bob.view.unread, bob.view.unread_from) == (0, None)
    bob.session.looking(False)
    ada.say("one", "two")
    bob.sees("seen", "one", "two")
    assert bob.view.unread == 2
    assert bob.view.unread_from == bob.view.lines[1].key
    bob.session.looking(True)
    assert bob.view.unread == 0
    assert bob.view.unread_from == bob.view.lines[1].key, (
        "the mark stays where it was: one has just begun to read"
    )
    bob.say("answer")
    assert bob.view.unread_from is None


def test_own_messages_are_never_unread(person):
    ada = person("Ada")
    ada.session.looking(False)
    ada.say("mine")
    ada.settled()
    assert ada.view.unread == 0


def test_a_name_that_is_taken_is_told_and_another_one_chosen(person):
    person("Ada")
    second = person("ADA", online=False)
    link = second.state("refused")
    assert link.code == "name-taken"
    assert "Ada" in link.trouble
    second.say("kept until then")
    second.session.rename("Bea")
    second.online()
    second.sees("kept until then")
    second.settled()
    assert second.view.name == "Bea"
    assert second.view.people == ("Ada", "Bea")


def test_the_same_person_from_elsewhere_takes_over_and_can_be_taken_back(person):
    first = person("Ada", client="f" * 32)
    second = person("Ada", client="f" * 32)
    first.state("replaced")
    second.say("from the second")
    first.session.hurry()
    first.online()
    second.state("replaced")
    first.sees("from the second")
    assert first.view.lines[0].own, "it is the same client that said it"


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), (" \n\x00", "empty"), ("x" * 4001, "too-long"), ("x" * 10_000_000, "too-long")],
)
def test_what_can_not_be_said_is_refused_at_once_and_changes_nothing(person, text, code):
    ada = person("Ada")
    with pytest.raises(Refused) as refused:
        ada.session.say(text)
    assert refused.value.code == code
    assert ada.view.lines == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07shell", "shell"),
        ("a\x00b\x08c", "abc"),
        ("  padded \n", "padded"),
        ("half \ud83d pair", "half  pair"),
        ("<b>&amp;</b> [red]x[/]", "<b>&amp;</b> [red]x[/]"),
    ],
)
def test_a_paste_is_taken_as_it_was_meant(person, written, meant):
    ada, bob = person("Ada"), person("Bob")
    ada.say(written)
    bob.sees(meant)


def test_older_messages_are_fetched_page_by_page(person):
    ada = person("Ada")
    people = [person(f"P{number}") for number in range(8)]
    for round in range(15):
        for one in people:
            one.say(f"{round}")
    until(lambda: len(ada.view.lines) == 120)
    late = person("Late")
    until(lambda: len(late.view.lines) == 100)
    assert late.view.more
    late.session.older()
    until(lambda: len(late.view.lines) == 120)
    assert not late.view.more
    assert [line.seq for line in late.view.lines] == [line.seq for line in ada.view.lines]
    late.session.older()  # there are none: nothing is asked
    late.say("end")
    until(lambda: late.texts[-1] == "end")


def test_the_backoff_can_be_counted_down(serve, person):
    server = serve()
    ada = person("Ada", url=server.url)
    before = time.monotonic()
    server.kill()
    view = until(lambda: (view := ada.view).link.state == "waiting" and view)
    assert view.link.was_online
    assert before < view.link.retry_at < time.monotonic() + 1
    assert view.link.attempt >= 1
    assert 0 <= view.plain(time.monotonic())["link"]["retry_in"] < 1
    until(lambda: ada.view.link.attempt >= 3 and "can not connect" in ada.view.link.trouble)
    server.start()
    ada.online()
    assert ada.view.link.trouble == ""


def test_leaving_ends_everything(person):
    ada = person("Ada")
    ada.session.typing(True)
    ada.close()
    assert ada.view.link.state == "closed"
    assert ada.session not in [client for client in fastws.clients()]
    told = ada.told
    ada.session.typing(False)
    assert ada.told == told
