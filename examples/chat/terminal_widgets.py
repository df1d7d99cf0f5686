"""The parts of the terminal's face: a message, a mark between messages, and the place to write.

Knows Textual and how a row looks; no session. Texts of people are never read as markup.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content, Span
from textual.message import Message as Event
from textual.widgets import Static, TextArea

from . import protocol
from .rows import Row, clock, hue, printable

# One colour for each hue, readable on dark and on light.
ON_DARK = ("#7aa2f7", "#9ece6a", "#e0af68", "#f7768e", "#7dcfff", "#bb9af7", "#ff9e64", "#73daca")
ON_LIGHT = ("#2e5cc5", "#3f7d18", "#8a5a00", "#c4304f", "#00718f", "#7a3fc0", "#b34700", "#0b7a69")


class Piece(Static):
    """A piece of text that is asked to show the same again and again: only what is new costs a layout."""

    _drawn: tuple[str, Sequence[Span]] | None = None

    def show(self, content: Content) -> None:
        """Show this, if it is not what stands here."""
        drawn = (content.plain, content.spans)
        if drawn != self._drawn:
            self._drawn = drawn
            self.update(content)


class Mark(Static):
    """A day, or where the unread begins."""

    def __init__(self, row: Row) -> None:
        super().__init__(Content(f"──── {row.text} ────"), classes=row.kind)
        self.row = row

    def show(self, row: Row, dark: bool) -> None:
        """A mark never changes."""


class Message(Static):
    """One message."""

    def __init__(self, row: Row, dark: bool) -> None:
        super().__init__()
        self._shown: tuple[Row, bool] | None = None
        self.show(row, dark)

    def show(self, row: Row, dark: bool) -> None:
        """Draw this row, if it is not what stands here."""
        if self._shown == (row, dark):
            return
        self._shown = (row, dark)
        self.row = row
        line = row.line
        assert line is not None
        colour = (ON_DARK if dark else ON_LIGHT)[hue(line.name)]
        self.set_class(row.head, "head")
        self.set_class(line.own, "own")
        self.set_class(line.state == "failed", "failed")
        if line.state != "failed":
            self.styles.border_left = ("outer", colour)
        else:
            self.styles.border_left = None
        parts = []
        if row.head:
            parts += [
                Content.styled(printable(line.name), f"bold {colour}"),
                Content.styled(f"  {clock(line.at)}\n", "dim"),
            ]
        parts.append(Content(printable(line.text)))
        if line.state == "sending":
            parts.append(Content.styled("  ◌ sending", "dim italic"))
        elif line.state == "failed":
            trouble = f"\n✗ not sent: {printable(line.trouble)} F5 sends it again, F8 takes it back."
            parts.append(Content.styled(trouble, "$text-error"))
        elif line.own:
            parts.append(Content.styled("  ✓", "dim"))
        self.update(Content.assemble(*parts))


class Composer(TextArea):
    """Where one writes: Enter sends, Ctrl+J makes a new line (Shift+Enter too, in terminals that can tell it)."""

    class Sent(Event):
        """Enter was pressed."""

    class TooLong(Event):
        """Something was pasted that no message can hold; it was not taken."""

        def __init__(self, trouble: str) -> None:
            super().__init__()
            self.trouble = trouble

    def __init__(self) -> None:
        super().__init__(
            id="composer", soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=False
        )
        self.highlight_cursor_line = False

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Sent())
        elif event.key in ("ctrl+j", "shift+enter"):
            event.stop()
            event.prevent_default()
            self.insert("\n")
        else:
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = protocol.clean(event.text) if len(event.text) <= protocol.FRAME_BYTES else event.text
        room = protocol.TEXT_LENGTH - len(self.text) + len(self.selected_text)
        if len(text) > room:
            holds = f"a message holds {protocol.TEXT_LENGTH:,}"
            if len(text) <= protocol.TEXT_LENGTH:
                holds = f"there is room for {max(0, room):,}"
            self.post_message(self.TooLong(f"That paste has {len(event.text):,} characters; {holds}."))
        else:
            self.replace(text, *self.selection)
