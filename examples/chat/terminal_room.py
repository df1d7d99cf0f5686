"""The room, as the terminal shows it: draws `session.view()` whenever the session says that it changed.

Knows the session, Textual and the parts; keeps nothing of its own but what is being written. Works from 40 columns up; people are
listed beside the messages from 76.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message as Event
from textual.screen import Screen
from textual.widgets import Static

from . import protocol
from .protocol import Refused
from .rows import hue, printable, rows
from .session import Session
from .terminal_join import JoinScreen
from .terminal_widgets import ON_DARK, ON_LIGHT, Composer, Mark, Message, Piece
from .view import Line, Link, View, typing_sentence

WIDE = 76  # columns from which on people are listed
DRAWN = 150  # lines that are drawn: the time to draw one more grows with their number
MORE = 100  # lines that are drawn in addition when one scrolls up to the first


class SessionChanged(Event):
    """The session has something new to show."""


class ChatScreen(Screen[None]):
    """The room."""

    BINDINGS: ClassVar = [
        Binding("pageup", "page(-1)", "Up", priority=True),  # not the composer's
        Binding("pagedown", "page(1)", "Down", priority=True),
        Binding("ctrl+end", "newest", "Newest", priority=True),
        ("f2", "rename", "Name"),
        ("f4", "hurry", "Connect now"),
        ("f5", "retry", "Send again"),
        ("f8", "take_back", "Take back"),
    ]

    def __init__(self, make_session: Callable[[Callable[[], None]], Session], page: str = "") -> None:
        super().__init__()
        self._page = page
        self._make_session = make_session
        self._view: View | None = None
        self._widgets: dict[str, Message | Mark] = {}
        self._first: str | None = None  # key of the first line that is drawn
        self._reaching_back = False  # for lines before it
        self._came_above = False  # they are drawn, and not laid out yet
        self._trouble = ""
        self._posted = False
        self._dots = 0
        self._asking = False

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Piece(id="room")
            yield Piece(id="link")
        yield Piece(id="banner")
        with Horizontal(id="middle"):
            invitation = f"\n\nOr let others come, by a browser:\n{self._page}" if self._page else ""
            yield Static(Content(f"Nobody has said anything here yet.{invitation}"), id="nobody")
            yield VerticalScroll(id="messages", can_focus=False)
            yield Piece(id="people")
        with Horizontal(id="below"):
            yield Piece(id="typing")
            yield Piece(id="news")
        yield Composer()

    def on_mount(self) -> None:
        self._messages = self.query_one("#messages", VerticalScroll)
        self._composer = self.query_one(Composer)
        self._messages.anchor()
        self._composer.focus()
        self.session = self._make_session(self._session_changed)
        self.set_interval(0.25, self._tick)
        self.watch(self._messages, "scroll_y", self._scrolled, init=False)
        self.watch(self._messages, "virtual_size", self._laid_out, init=False)
        self.draw()

    def on_unmount(self) -> None:
        self.session.close()

    # -- What the session says -----------------------------------------------------------------------------------------

    def _session_changed(self) -> None:
        """Called on the client's thread: the drawing is this one's."""
        if not self._posted:  # many changes, one drawing
            self._posted = True
            self.post_message(SessionChanged())

    @on(SessionChanged)
    def _session_has_changed(self) -> None:
        self._posted = False
        self.draw()

    def draw(self) -> None:
        """Draw all that there is to see now."""
        view = self._view = self.session.view()
        self._draw_top(view)
        self._draw_rows(view)
        self._draw_below(view)
        if view.link.state == "refused" and not self._asking:
            self._ask_name(view.link.trouble)

    def _tick(self) -> None:
        if self._view is None:
            return
        self._dots += 1
        if self._view.link.state != "online":
            self._draw_top(self._view)
        if self._view.typing:
            self._draw_below(self._view)

    # -- Drawing -------------------------------------------------------------------------------------------------------

    def _draw_top(self, view: View) -> None:
        dot, word = {
            "online": ("$success", f"{len(view.people)} here"),
            "refused": ("$error", "not in"),
            "closed": ("$error", "closed"),
            "replaced": ("$error", "elsewhere"),
        }.get(view.link.state, ("$warning", "offline" if view.link.was_online else "connecting"))
        self.query_one("#room", Piece).show(Content(f"#{view.room}"))
        link = Content.assemble(Content.styled("● ", dot), Content(word))
        self.query_one("#link", Piece).show(link)
        banner = self.query_one("#banner", Piece)
        text, reason = banner_text(view.link, time.monotonic())
        banner.set_class(bool(text), "shown")
        banner.set_class(view.link.state in ("refused", "closed", "replaced"), "bad")
        wide = not self.has_class("narrow") or view.link.state == "refused"
        banner.show(
            Content.assemble(Content(text), Content.styled(f"  {reason}", "dim") if reason and wide else "")
        )
        colours = ON_DARK if self.app.current_theme.dark else ON_LIGHT
        people: list[Content] = [Content.styled(f"{len(view.people)} here\n", "bold")]
        for name in view.people:
            mine = " (you)" if name == view.name else ""
            people += [
                Content.styled("\n● ", colours[hue(name)]),
                Content(printable(name)),
                Content.styled(mine, "dim"),
            ]
        self.query_one("#people", Piece).show(Content.assemble(*people))

    def _draw_rows(self, view: View) -> None:
        dark = self.app.current_theme.dark
        before, lines = self._first, self._lines_to_draw(view)
        wanted = list(rows(replace(view, lines=lines)))
        self.query_one("#nobody").set_class(not wanted, "shown")
        self._messages.set_class(not wanted, "empty")
        keys = {row.key for row in wanted}
        for key in [key for key in self._widgets if key not in keys]:
            self._widgets.pop(key).remove()
        living = set(self._widgets.values())  # one that was removed is still there for a moment
        order = [widget for widget in self._messages.children if widget in living]
        anchor: Message | Mark | None = None
        for place, row in enumerate(wanted):
            widget = self._widgets.get(row.key)
            if widget is None:
                widget = self._widgets[row.key] = Message(row, dark) if row.kind == "line" else Mark(row)
                self._messages.mount(
                    widget, **({"after": anchor} if anchor else {"before": 0} if order else {})
                )
                order.insert(place, widget)
            else:
                widget.show(row, dark)
                if order[place] is not widget:
                    order.remove(widget)
                    order.insert(place, widget)
                    self._messages.move_child(widget, **({"after": anchor} if anchor else {"before": 0}))
            anchor = widget
        if before != self._first and before in keys:
            self._came_above = True

    def _lines_to_draw(self, view: View) -> tuple[Line, ...]:
        """The newest ones; for who reads above, all from where they began to be drawn, or from MORE before that."""
        lines = view.lines
        start = max(0, len(lines) - DRAWN)
        if not self._at_end:
            start = next((place for place, line in enumerate(lines) if line.key == self._first), start)
            if self._reaching_back and start > 0:
                start, self._reaching_back = max(0, start - MORE), False
        self._first = lines[start].key if lines else None
        return lines[start:]

    def _laid_out(self, before: Size, now: Size) -> None:
        """Lines came above: what one reads stays where it is."""
        if self._came_above:
            self._came_above = False
            self._messages.scroll_to(y=self._messages.scroll_y + now.height - before.height, animate=False)

    @property
    def _at_end(self) -> bool:
        return self._messages.is_vertical_scroll_end

    def _draw_below(self, view: View) -> None:
        typing = self.query_one("#typing", Piece)
        sentence = typing_sentence(tuple(printable(name) for name in view.typing))
        text = Content.styled(self._trouble, "$text-error not italic") if self._trouble else Content(sentence)
        if sentence and not self._trouble:
            text += Content(" " + "".join("●" if self._dots % 3 == dot else "·" for dot in range(3)))
        typing.show(text)
        news = self.query_one("#news", Piece)
        news.set_class(view.unread > 0, "shown")
        news.show(Content(f"↓ {view.unread} new"))
        self._composer.border_title = self._room_left()
        narrow = self.has_class("narrow")
        self._composer.border_subtitle = (
            "Enter sends" if narrow else "Enter sends · Ctrl+J new line · F1 keys"
        )
        self._composer.set_class(bool(self._trouble), "wrong")

    def _room_left(self) -> str:
        length = len(self._composer.text)
        return f"{length:,} of {protocol.TEXT_LENGTH:,}" if length > 0.9 * protocol.TEXT_LENGTH else ""

    # -- What the person does ------------------------------------------------------------------------------------------

    @on(Composer.Sent)
    def _send(self) -> None:
        try:
            self.session.say(self._composer.text)
        except Refused as refused:
            self._complain(str(refused) if refused.code != "empty" else "")
        else:
            self._composer.clear()
            self._messages.anchor()
            self._complain("")

    @on(Composer.TooLong)
    def _paste_refused(self, event: Composer.TooLong) -> None:
        self._complain(event.trouble)

    @on(Composer.Changed)
    def _written(self) -> None:
        self._complain("")
        self.session.typing(bool(self._composer.text.strip()))

    def _complain(self, trouble: str) -> None:
        self._trouble = trouble
        if self._view is not None:
            self._draw_below(self._view)

    def _scrolled(self) -> None:
        self._look()
        if self._messages.scroll_y <= 2 and not self._at_end and not self._reaching_back:
            self._reach_back()

    def _reach_back(self) -> None:
        """Draw what was said before the first line that is drawn; ask for it, if it is not here."""
        if self._view is None or not (self._view.more or self._first != self._view.lines[0].key):
            return
        self._reaching_back = True
        if self._first == self._view.lines[0].key:
            self.session.older()
        else:
            self.draw()

    def _look(self) -> None:
        self.session.looking(self._at_end and self.app.app_focus)

    @on(events.AppFocus)
    @on(events.AppBlur)
    def _focused(self) -> None:
        self._look()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < WIDE, "narrow")
        if self._view is not None:
            self._draw_below(self._view)

    @on(events.Click, "#news")
    def action_newest(self) -> None:
        """Go to the newest message."""
        self._messages.anchor()
        self._messages.scroll_end(animate=False)

    def action_page(self, way: int) -> None:
        """Scroll the messages by a page."""
        self._messages.release_anchor() if way < 0 else None
        (self._messages.scroll_page_up if way < 0 else self._messages.scroll_page_down)(animate=False)

    def action_hurry(self) -> None:
        """Connect now."""
        self.session.hurry()

    def action_retry(self) -> None:
        """Send every failed message again."""
        for line in self.session.view().lines:
            if line.state == "failed":
                self.session.retry(line.key)

    def action_take_back(self) -> None:
        """Bring the last failed message back to where one writes."""
        failed = [line for line in self.session.view().lines if line.state == "failed"]
        if failed and not self._composer.text:
            self._composer.text = self.session.discard(failed[-1].key)

    def action_rename(self) -> None:
        """Ask for another name."""
        self._ask_name("")

    def _ask_name(self, trouble: str) -> None:
        self._asking = True

        def chosen(choice: tuple[str, str] | None) -> None:
            self._asking = False
            if choice is not None:
                self.session.rename(choice[0])

        self.app.push_screen(JoinScreen(self.session.name, self.session.room, trouble), chosen)


def banner_text(link: Link, now: float) -> tuple[str, str]:
    """What stands above the messages while we are not in the room, and the reason for it; "" = nothing."""
    reason = printable(link.trouble)
    if link.state == "online" or (link.state == "connecting" and not link.was_online and not reason):
        return "", ""
    if link.state == "waiting" and link.retry_at is not None:
        return f"No connection. Next attempt in {max(0, link.retry_at - now):.0f} s (F4: now)", reason
    if link.state == "replaced":
        return "You are in this room from elsewhere now (F4: come back here)", ""
    if link.state == "refused":
        return "Not in the room. F2 chooses another name", reason
    if link.state == "closed":
        return "The chat has ended (F4: connect again)", reason
    return "No connection. Connecting ...", reason
