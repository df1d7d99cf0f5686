"""The notebook's face, with anywidget: `Chat("ws://127.0.0.1:8765/ws", name="Ada")` as the last line of a cell.

Knows the session, its view and anywidget. The connection is Python's own WebSocketClient, on its native thread: it stays, and
messages appear, while a cell computes. What one writes meanwhile is shown as "sending" and sent when the cell is done, because
notebooks hand it over only then. Draws with the page's code (page/face.js).
"""

from __future__ import annotations

import secrets
import threading
import time
import weakref
from pathlib import Path
from typing import Any, ClassVar

from . import protocol
from .protocol import Refused
from .session import Session

try:
    import anywidget
    import traitlets
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"the chat in a notebook needs {error.name}, which is not installed: pip install anywidget",
        name=error.name,
    ) from None

PAGE = Path(__file__).parent / "page"
DRAWN = 300  # lines that are sent to the notebook; older ones stay in the session
GATHERING = 0.03  # seconds: what changes within them is drawn at once

_Place = tuple[str, str, str]  # server, room, name
_clients: dict[_Place, str] = {}  # who we are there, so that the server knows us again
_chats: weakref.WeakValueDictionary[_Place, Chat] = weakref.WeakValueDictionary()


def _module() -> str:
    """One module of three files: notebooks load no second one."""
    message, face, notebook = (
        (PAGE / name).read_text("utf-8") for name in ("message.js", "face.js", "notebook.js")
    )
    return (message + face).replace("export function", "function") + notebook


class Chat(anywidget.AnyWidget):
    """A room in a notebook. `close()` leaves it; so does the end of the kernel. Made again under the same name, as when its cell
    is run again, it takes the place of the one before.

    Args:
        url: the chat's address, ws://host:port/ws.

    Raises:
        Refused: the room or the name can not be one. ValueError: the URL is none.
    """

    _esm = _module()
    _css = (PAGE / "chat.css").read_text("utf-8")
    view = traitlets.Dict({}).tag(sync=True)

    _living = False  # from the first drawing, which has all that changed before it, to the end
    _deeds: ClassVar[dict[str, tuple[str, type]]] = {
        "typing": ("on", bool),
        "looking": ("on", bool),
        "retry": ("key", str),
        "discard": ("key", str),
    }

    def __init__(self, url: str, *, name: str, room: str = "lobby", **session: Any) -> None:
        self._gathering: threading.Timer | None = None
        self._drawing = threading.Lock()
        place = (url, room, protocol.name_key(name))
        if (before := _chats.pop(place, None)) is not None:
            before.close()
        me = _clients.setdefault(place, secrets.token_hex(16))
        self.session = Session(url, room=room, name=name, changed=self._changed, **{"client": me, **session})
        super().__init__()  # after the session, which refuses what can not be
        _chats[place] = self
        self.on_msg(self._told)
        self._living = True
        self._draw()

    def _changed(self) -> None:
        with self._drawing:
            if self._gathering is not None or not self._living:
                return
            self._gathering = threading.Timer(GATHERING, self._draw)
            self._gathering.daemon = True
            self._gathering.start()

    def _draw(self) -> None:
        with self._drawing:
            self._gathering = None
            if not self._living:
                return
            view = self.session.view().plain(time.monotonic())
            view["lines"] = view["lines"][-DRAWN:]
            view["limits"] = protocol.LIMITS
            self.view = view

    def _told(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """The person has done something. What does not make sense is passed over: it came out of a browser."""
        what = content.get("do") if isinstance(content, dict) else None
        if what == "say":
            self._say(content.get("key"), content.get("text"))
        elif what in ("older", "hurry"):
            getattr(self.session, what)()
        elif what in self._deeds:
            key, kind = self._deeds[what]
            if isinstance(content.get(key), kind):
                getattr(self.session, what)(content[key])

    def _say(self, key: Any, text: Any) -> None:
        if isinstance(key, str) and protocol.ID.fullmatch(key) and isinstance(text, str):
            try:
                self.session.say(text, key=key)
            except Refused as refused:  # its face keeps the same rules; it shows the text until it is heard
                self.send({"refused": key, "why": str(refused)})

    def close(self) -> None:
        """Leave the room and remove the widget."""
        if self._living:  # else it was closed before, or never came to be: ipywidgets closes that, too
            with self._drawing:
                self._living = False
            self.session.close()
            self.layout.close()  # a model of its own, which the widget's end does not end
        super().close()
