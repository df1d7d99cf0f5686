"""The notebook's face, with anywidget: `Chat("ws://127.0.0.1:8765/ws", name="Ada")` as the last line of a cell.

Knows the session, its view and anywidget. The connection is Python's own WebSocketClient, on its native thread: it stays, and
messages appear, while a cell computes. What one writes meanwhile is sent when the cell is done, because notebooks hand it over
only then. Draws with the page's code (page/face.js).
"""

from __future__ import annotations

import contextlib
import threading
import time
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


def _module() -> str:
    """One module of two files: notebooks load no second one."""
    return (PAGE / "face.js").read_text("utf-8").replace("export function", "function") + (
        PAGE / "notebook.js"
    ).read_text("utf-8")


class Chat(anywidget.AnyWidget):
    """A room in a notebook. `close()` leaves it; so does the end of the kernel.

    Args:
        url: the chat's address, ws://host:port/ws.

    Raises:
        Refused: the room or the name can not be one. ValueError: the URL is none.
    """

    _esm = _module()
    _css = (PAGE / "chat.css").read_text("utf-8")
    view = traitlets.Dict({}).tag(sync=True)

    _deeds: ClassVar[dict[str, tuple[str, type]]] = {
        "say": ("text", str),
        "typing": ("on", bool),
        "looking": ("on", bool),
        "retry": ("key", str),
        "discard": ("key", str),
    }

    def __init__(self, url: str, *, name: str, room: str = "lobby", **session: Any) -> None:
        super().__init__()
        self._gathering: threading.Timer | None = None
        self._drawing = threading.Lock()
        self._closed = False
        self.session = Session(url, room=room, name=name, changed=self._changed, **session)
        self.on_msg(self._told)
        self._draw()

    def _changed(self) -> None:
        with self._drawing:
            if self._gathering is not None or self._closed:
                return
            self._gathering = threading.Timer(GATHERING, self._draw)
            self._gathering.daemon = True
            self._gathering.start()

    def _draw(self) -> None:
        with self._drawing:
            self._gathering = None
            if self._closed:
                return
            view = self.session.view().plain(time.monotonic())
            view["lines"] = view["lines"][-DRAWN:]
            view["limits"] = protocol.LIMITS
            self.view = view

    def _told(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """The person has done something. What does not make sense is passed over: it came out of a browser."""
        what = content.get("do") if isinstance(content, dict) else None
        if what in ("older", "hurry"):
            getattr(self.session, what)()
        elif what in self._deeds:
            key, kind = self._deeds[what]
            if isinstance(content.get(key), kind):
                with contextlib.suppress(Refused):  # its face has said so, before it sent it
                    getattr(self.session, what)(content[key])

    def close(self) -> None:
        """Leave the room and remove the widget."""
        with self._drawing:
            self._closed = True
        self.session.close()
        super().close()
