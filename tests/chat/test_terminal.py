"""The terminal's face, driven by keys (Textual's pilot) against the real server; what is asserted is what stands on the screen."""

import asyncio
import contextlib
import re

import pytest
from chat.terminal import ChatApp, prefers_dark
from chat.terminal_room import ChatScreen
from chat.terminal_widgets import Message
from terminal_rig import Terminal, run_apart

from chat import protocol


@pytest.fixture
def terminal(server, room):
    """Run a scene: terminal(scene, name, size): scene(terminal) is a coroutine function."""

    def run(scene, name="Ada", size=(100, 30), url=None, dark=True):
        async def play():
            app = ChatApp(url or server.url, room=room, name=name, dark=dark, page="http://here/")
            async with app.run_test(size=size, notifications=True) as pilot:
                one = Terminal(app, pilot)
                if name is not None:
                    await one.until(lambda: isinstance(app.screen, ChatScreen))
                await scene(one)

        run_apart(play())

    return run


def test_what_is_written_is_said_with_sender_time_and_text(terminal, person):
    bob = person("Bob")

    async def scene(ada):
        await ada.sees("● 2 here")
        await ada.say("hello\nyou two")
        await ada.sees("you two  ✓")
        bob.say("hi Ada")
        await ada.sees("hi Ada")
        assert re.search(r"Ada  \d\d:\d\d", ada.screen)
        assert re.search(r"Bob  \d\d:\d\d", ada.screen)
        assert "Ada (you)" in ada.screen

    terminal(scene)
    bob.sees("hello\nyou two", "hi Ada")


def test_typing_is_shown_on_both_sides(terminal, person):
    bob = person("Bob")

    async def scene(ada):
        await ada.sees("2 here")
        bob.session.typing(True)
        await ada.sees("Bob is typing")
        bob.session.typing(False)
        await ada.misses("is typing")
        await ada.write("x")
        await ada.until(lambda: bob.view.typing == ("Ada",))
        await ada.pilot.press("backspace")
        await ada.until(lambda: bob.view.typing == ())
        assert "Ada is typing" not in ada.screen

    terminal(scene)


@pytest.mark.parametrize("size", [(40, 20), (40, 10), (76, 24), (200, 60)], ids=str)
def test_every_size_is_filled_and_nothing_is_cut(terminal, person, size):
    person("A person with a very long name").say(
        "word " * 40 + "x" * 100 + " \U0001f468\u200d\U0001f469\u200d\U0001f467 finis"
    )

    async def scene(ada):
        await ada.sees("finis")
        assert ("(you)" in ada.screen) == (size[0] >= 76)
        for widget in ada.app.screen.walk_children():
            if widget.display and not isinstance(widget, Message) and widget.parent.display:
                region = widget.region
                assert region.right <= size[0], widget
        for message in ada.app.screen.query(Message):
            assert message.virtual_region.width <= size[0]
        assert max(len(line) for line in ada.screen.splitlines()) <= size[0]

    terminal(scene, size=size)


HOSTILE = "[bold]x[/] \u202egnp.exe\u2066 <b>html</b> $error [@click=app.quit]quit[/]"


def test_what_people_say_is_text_and_nothing_else(terminal, talker):
    bob = talker("Bob [red]")
    bob.say(HOSTILE)

    async def scene(ada):
        await ada.sees("[bold]x[/] gnp.exe <b>html</b> $error [@click=app.quit]quit[/]")
        await ada.sees("Bob [red]")
        bob.send({"type": "typing", "on": True})
        await ada.sees("Bob [red] is typing")

    terminal(scene)


def test_a_paste_of_ten_megabytes_is_not_taken_and_what_was_written_stays(terminal, person):
    bob = person("Bob")

    async def scene(ada):
        await ada.sees("2 here")
        await ada.write("mine")
        await ada.paste("x" * 10_000_000)
        await ada.sees("That paste has 10,000,000 characters; a message holds 4,000.")
        await ada.paste("x" * 3_999)
        await ada.sees("That paste has 3,999 characters; there is room for 3,996.")
        await ada.paste(" \x1b[31mred\x1b[0m\r\nline")
        await ada.misses("That paste")
        await ada.pilot.press("enter")
        await ada.until(lambda: bob.texts == ["minered\nline"])

    terminal(scene)


def test_a_text_that_is_too_long_is_kept_where_it_was_written(terminal):
    async def scene(ada):
        await ada.sees("1 here")
        composer = ada.app.screen.query_one("#composer")
        composer.text = "x" * (protocol.TEXT_LENGTH + 1)
        await ada.pilot.press("enter")
        await ada.sees("That is 4,001 characters; a message holds 4,000.")
        assert len(composer.text) == protocol.TEXT_LENGTH + 1
        composer.text = " "
        await ada.pilot.press("enter")
        await ada.misses("4,001")

    terminal(scene)


def test_a_lost_connection_is_shown_with_its_countdown_and_what_was_written_arrives(terminal, serve, person):
    server = serve()
    bob = person("Bob", url=server.url)

    async def scene(ada):
        await ada.sees("2 here")
        await asyncio.to_thread(server.kill)
        await ada.sees("No connection. Next attempt in")
        await ada.sees("● offline")
        await ada.say("later")
        await ada.sees("later  ◌ sending")
        await asyncio.to_thread(server.start)
        await ada.pilot.press("f4")
        await ada.sees("later  ✓")
        await ada.misses("No connection")

    terminal(scene, url=server.url)
    bob.sees("later")


def test_a_message_that_failed_can_be_taken_back_and_sent_again(terminal, full_server):
    async def scene(ada):
        await ada.sees("1 here")
        composer = ada.app.screen.query_one("#composer")
        composer.text = long = "no room " + "x" * 3992
        await ada.pilot.press("enter")
        await ada.sees("✗ not sent: The server can not keep messages now")
        assert composer.text == ""
        await ada.pilot.press("f8")
        await ada.misses("✗ not sent")
        assert composer.text == long
        await ada.pilot.press("enter")
        await ada.sees("✗ not sent")
        await ada.pilot.press("f5")
        await ada.sees("✗ not sent")

    terminal(scene, url=full_server.url)


def test_a_name_is_asked_for(terminal, person):
    person("Ada")

    async def scene(one):
        await one.sees("Your name")
        name = one.app.screen.query_one("#name")
        name.value = ""
        await one.pilot.press("enter")
        await one.sees("A name is needed.")
        name.value = "Ada"
        await one.pilot.press("enter")
        await one.sees("Somebody called Ada is here already.")
        one.app.screen.query_one("#name").value = "Bea"
        await one.pilot.press("enter")
        await one.sees("Bea (you)")

    terminal(scene, name=None)


def test_who_reads_older_messages_is_told_of_new_ones_and_can_go_back(terminal, person):
    people = [person(f"P{number}") for number in range(8)]
    for number in range(15):
        for one in people:
            one.say(f"message {number}")
    for one in people:
        one.settled()

    async def scene(ada):
        await ada.sees("message 14")
        messages = ada.app.screen.query_one("#messages")
        first = ada.app.screen.query(Message).first()
        while messages.scroll_y > 2 and len(ada.app.screen.query(Message)) < 120:
            await ada.pilot.press("pageup")
        await ada.until(lambda: len(ada.app.screen.query(Message)) == 120)

        def in_sight():
            return 0 <= first.region.y - messages.region.y < messages.region.height

        # What one reads stays where it is when older lines come above.
        await ada.until(lambda: messages.scroll_y > 10 and in_sight())
        await ada.pilot.pause(0.1)
        assert in_sight()
        while "message 0" not in ada.screen:
            await ada.pilot.press("pageup")
        await ada.until(lambda: len({message.row.key for message in ada.app.screen.query(Message)}) == 120)
        people[0].say("news")
        await ada.sees("↓ 1 new")
        assert not messages.is_vertical_scroll_end
        await ada.pilot.press("ctrl+end")
        await ada.sees("news")
        await ada.misses("↓ 1 new")
        await ada.sees("──── new ────")

    terminal(scene)


def test_light_and_dark_redraw_everything(terminal, person):
    person("Bob").say("hello")

    async def scene(ada):
        await ada.sees("hello")
        assert "#16181f" in ada.app.export_screenshot()
        await ada.pilot.press("f3")
        await ada.until(lambda: "#fbfbfd" in ada.app.export_screenshot())
        await ada.until(lambda: "#16181f" not in ada.app.export_screenshot())
        assert "#fbfbfd" in ada.app.export_screenshot()

    terminal(scene)


def test_an_empty_room_says_where_others_can_come_from(terminal):
    async def scene(ada):
        await ada.sees("Nobody has said anything here yet.")
        await ada.sees("http://here/")
        await ada.pilot.press("f1")
        await ada.sees("another name")

    terminal(scene)


@pytest.mark.parametrize(
    ("said", "dark"),
    [("", True), ("15;0", True), ("0;15", False), ("0;default;7", False), ("nonsense", True)],
)
def test_the_terminal_says_whether_it_is_dark(said, dark):
    assert prefers_dark({"COLORFGBG": said}) == dark
    with contextlib.suppress(KeyError):
        assert prefers_dark({})
