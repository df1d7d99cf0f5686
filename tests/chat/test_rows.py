"""What stands in the list, row by row; what a terminal is given of a text; and the lines behind it. Pure."""

from datetime import datetime, timedelta

import pytest
from chat.lines import KEPT, Lines
from chat.rows import clock, printable, rows
from chat.view import Line, Link, View, typing_sentence

NOON = datetime(2026, 3, 1, 12, 0)


def ms(moment):
    return round(moment.timestamp() * 1000)


def line(key, seconds=0, name="Ada", own=False, moment=NOON):
    return Line(key, int(key), name, f"text {key}", ms(moment + timedelta(seconds=seconds)), own, "sent")


def view(*lines, unread_from=None):
    return View("lobby", "Me", Link("online"), lines, False, (), (), unread_from, 0)


def shape(shown):
    """The rows in short: day, unread, HEAD or line."""
    return [row.kind if row.kind != "line" else "HEAD" if row.head else "line" for row in rows(shown)]


def test_lines_of_one_person_within_a_minute_share_a_head():
    assert shape(view(line("1"), line("2", 30), line("3", 59))) == ["day", "HEAD", "line", "line"]
    assert shape(view(line("1"), line("2", 60))) == ["day", "HEAD", "HEAD"]
    assert shape(view(line("1"), line("2", 40), line("3", 80))) == ["day", "HEAD", "line", "HEAD"]


def test_another_person_has_a_head_of_its_own_even_with_the_same_name():
    assert shape(view(line("1"), line("2", 1, "Bob"), line("3", 2))) == ["day", "HEAD", "HEAD", "HEAD"]
    assert shape(view(line("1"), line("2", 1, own=True))) == ["day", "HEAD", "HEAD"]


def test_a_clock_that_went_back_begins_a_head():
    assert shape(view(line("1"), line("2", -10))) == ["day", "HEAD", "HEAD"]


def test_a_day_and_the_mark_of_the_unread_stand_before_their_line():
    midnight = line("2", moment=NOON + timedelta(days=1))
    assert shape(view(line("1"), midnight)) == ["day", "HEAD", "day", "HEAD"]
    assert shape(view(line("1"), line("2", 1), unread_from="2")) == ["day", "HEAD", "unread", "HEAD"]
    assert next(row.text for row in rows(view(line("1")))) == "Sunday 1 March"
    keys = [row.key for row in rows(view(line("1"), midnight, unread_from="2"))]
    assert len(set(keys)) == len(keys)


def test_the_time_is_the_readers_own():
    assert clock(ms(NOON)) == "12:00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "[31mred"),
        ("a\tb", "a    b"),
        ("\u202eevil\u2066\u200f", "evil"),
        ("bell\x07", "bell"),
        ("\ud800", "\ufffd"),
        ("zero\u200bwidth", "zerowidth"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("two\nlines", "two\nlines"),
        ("[bold]", "[bold]"),
    ],
)
def test_a_terminal_is_given_nothing_that_steers_it(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), ""),
        (("Ada",), "Ada is typing"),
        (("Ada", "Bob"), "Ada and Bob are typing"),
        (("Ada", "Bob", "Cyd"), "Ada, Bob and Cyd are typing"),
        (("Ada", "Bob", "Cyd", "Dan", "Eve"), "Ada, Bob and 3 others are typing"),
    ],
)
def test_who_types_is_a_sentence(names, sentence):
    assert typing_sentence(names) == sentence


def told(seq, id=None):
    return {"seq": seq, "name": "Ada", "text": f"{seq}", "at": 0, **({"id": id} if id else {})}


def test_what_is_told_twice_stands_there_once():
    lines = Lines()
    for message in (told(1), told(2), told(1), told(2), told(5), told(4)):
        lines.said(message, looking=True)
    assert [one.seq for one in lines.seen()] == [1, 2, 5]


def test_an_own_message_keeps_its_key_and_loses_its_waiting():
    lines = Lines()
    lines.write("k" * 8, "Ada", "mine", 0)
    lines.said(told(1), looking=True)
    assert [one.key for one in lines.seen()] == ["#1", "k" * 8]
    lines.said(told(2, "k" * 8), looking=True)
    assert [(one.key, one.state) for one in lines.seen()] == [("#1", "sent"), ("k" * 8, "sent")]
    lines.said(told(2, "k" * 8), looking=True)
    assert len(lines.seen()) == 2


def test_a_gap_replaces_what_was_there_but_not_what_waits():
    lines = Lines()
    lines.catch_up([told(1), told(2)], complete=False, looking=True)
    lines.write("k" * 8, "Ada", "mine", 0)
    lines.catch_up([told(500), told(501)], complete=False, looking=True)
    assert [one.seq for one in lines.seen()] == [500, 501, None]
    assert lines.more
    lines.prepend([told(1), told(2), told(500)], more=False)
    assert [one.seq for one in lines.seen()] == [1, 2, 500, 501, None]
    assert not lines.more


def test_failed_ones_stand_where_they_were_until_they_are_retried_or_dropped():
    lines = Lines()
    for key in ("a" * 8, "b" * 8, "c" * 8):
        lines.write(key, "Ada", key, 0)
    lines.fail("a" * 8, "no room")
    assert lines.next_to_send().key == "b" * 8
    lines.retry("a" * 8)
    assert [one.key[0] for one in lines.seen()] == ["b", "c", "a"]
    lines.retry("b" * 8)  # it has not failed
    lines.fail("c" * 8, "no room")
    assert lines.discard("c" * 8) == "c" * 8
    assert lines.discard("c" * 8) == ""
    assert [one.key[0] for one in lines.seen()] == ["b", "a"]


def test_only_so_many_lines_are_kept_while_somebody_looks():
    lines = Lines()
    for seq in range(1, KEPT + 11):
        lines.said(told(seq), looking=True)
    assert len(lines.seen()) == KEPT
    assert lines.first_seq == 11
    assert lines.more
