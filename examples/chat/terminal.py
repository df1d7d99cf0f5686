"""The terminal's face, with Textual: `python -m chat.terminal ws://127.0.0.1:8765/ws --name Ada --room lobby`.

The program around the two screens: the form (`terminal_join`) and the room (`terminal_room`).
"""

from __future__ import annotations

import argparse
import getpass
import logging
import os
from collections.abc import Mapping
from typing import ClassVar

from textual.app import App
from textual.theme import Theme

from . import protocol
from .protocol import Refused
from .session import Session
from .terminal_join import JoinScreen
from .terminal_room import ChatScreen

DARK = Theme(
    "chat-dark", dark=True, primary="#7aa2f7", background="#16181f", surface="#16181f", panel="#222530",
    foreground="#d5d9e8", warning="#e0af68", error="#f7768e", success="#9ece6a",
)  # fmt: skip
LIGHT = Theme(
    "chat-light", dark=False, primary="#2e5cc5", background="#fbfbfd", surface="#fbfbfd", panel="#eceef4",
    foreground="#23262f", warning="#b97700", error="#c4304f", success="#3f7d18",
)  # fmt: skip


class ChatApp(App[None]):
    """The program. `name` None = ask for it. `page`: where a browser finds the same room; "" = not told."""

    CSS_PATH = "terminal.tcss"
    TITLE = "chat"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        ("f1", "keys", "Keys"),
        ("f3", "theme", "Light or dark"),
        ("ctrl+q", "quit", "Leave"),
    ]

    def __init__(self, url: str, *, room: str, name: str | None, dark: bool = True, page: str = "") -> None:
        super().__init__()
        self._page = page
        self._url, self._room, self._person = url, room, name
        self._dark = dark

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = "chat-dark" if self._dark else "chat-light"
        if self._person is None:
            self.push_screen(JoinScreen(suggested_name(), self._room), self._chosen)
        else:
            self._enter(self._person, self._room)

    def _chosen(self, choice: tuple[str, str] | None) -> None:
        if choice is not None:
            self._enter(*choice)

    def _enter(self, name: str, room: str) -> None:
        self.push_screen(
            ChatScreen(lambda changed: Session(self._url, room=room, name=name, changed=changed), self._page)
        )

    def action_theme(self) -> None:
        """Light or dark."""
        self.theme = "chat-light" if self.theme == "chat-dark" else "chat-dark"
        if isinstance(self.screen, ChatScreen):
            self.screen.draw()

    def action_keys(self) -> None:
        """Say what the keys do."""
        self.notify(
            "Enter  send\nCtrl+J  new line\nPage up/down  scroll\nCtrl+End  newest\nF2  another name\nF3  light or dark\n"
            "F4  connect now\nF5  send failed ones again\nF8  take a failed one back\nCtrl+Q  leave",
            title="Keys",
            timeout=12,
        )


def suggested_name() -> str:
    """The person's name on this machine, if it can be one here."""
    try:
        return protocol.check_name(getpass.getuser().capitalize())
    except (Refused, OSError, KeyError):
        return ""


def prefers_dark(environment: Mapping[str, str]) -> bool:
    """What the terminal says of its background (COLORFGBG, "foreground;background"); dark when it says nothing."""
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return background not in ("7", "15")


def main() -> None:
    """Read the command line and chat."""
    parser = argparse.ArgumentParser(prog="chat.terminal", description=__doc__.splitlines()[0])
    parser.add_argument("url", help="the chat's address, ws://host:port/ws")
    parser.add_argument("--name", help="your name (default: asked for)")
    parser.add_argument("--room", default="lobby")
    options = parser.parse_args()
    logging.getLogger("fastws").setLevel(logging.CRITICAL)  # the face shows it
    ChatApp(options.url, room=options.room, name=options.name, dark=prefers_dark(os.environ)).run()


if __name__ == "__main__":
    main()
