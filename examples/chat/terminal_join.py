"""The form that asks for a name and a room, in the terminal."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Label, Static

from . import protocol
from .protocol import Refused


class JoinScreen(Screen[tuple[str, str]]):
    """Asks for a name, and a room."""

    BINDINGS: ClassVar = [("escape", "app.quit", "Leave")]

    def __init__(self, name: str, room: str, trouble: str = "") -> None:
        super().__init__()
        self._name_given, self._room, self._trouble = name, room, trouble

    def compose(self) -> ComposeResult:
        with Vertical(id="card"):
            yield Static("Join the chat", id="title")
            yield Label("Your name")
            yield Input(self._name_given, id="name", max_length=protocol.NAME_LENGTH)
            yield Label("Room")
            yield Input(self._room, id="room-name", max_length=32)
            yield Static(Content(self._trouble), id="wrong", classes="shown" if self._trouble else "")
            yield Label("Enter joins, Esc leaves", id="hint")

    @on(Input.Submitted)
    def _join(self) -> None:
        wrong = self.query_one("#wrong", Static)
        try:
            name = protocol.check_name(self.query_one("#name", Input).value)
            room = protocol.check_room(self.query_one("#room-name", Input).value.strip().lstrip("#").lower())
        except Refused as refused:
            wrong.update(Content(str(refused)))
            wrong.add_class("shown")
        else:
            self.dismiss((name, room))
