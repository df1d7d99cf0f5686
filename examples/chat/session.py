"""A person in a room, without a face: a WebSocketClient and what a chat adds to it.

Knows fastws' public API, the protocol and the view. Handlers run on the client's thread, a face calls from its own: everything
here is behind one lock, which is never held while something is sent or a face is told. Promises:

* each message of ours is delivered once and in order, whatever becomes of the connection: the oldest that has no receipt is
  sent, again after every reconnect, under the id it was born with; the next one follows its receipt;
* each message of the room is seen once and in order: on joining we say the last one we have;
* a face is told (`changed`) after every change, on any thread, and asks `view()` for all of it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from fastws import Backoff, Closed, Connecting, Disconnect, ErrorEvent, Reconnecting, WebSocketClient

from . import protocol
from .lines import Lines
from .protocol import Refused
from .view import Link, View

TYPING_STOPS = 3.0  # seconds without a key
TYPING_AGAIN = 2.0  # seconds after which the server is told once more that we still type; it forgets after 5
HOLD_BACK = 1.0  # seconds before the next try where the connection takes nothing just now


class Session:
    """One person in one room. It connects at once; `close()` ends it.

    Args:
        url: the chat's address, ws://host:port/ws.
        changed: called after every change, on any thread; it must not block. What it draws it asks `view()` for.
        client: the secret by which the server knows us again (8 to 64 of A-Z, a-z, 0-9, - and _); None = a new one.
        reconnect: how to come back.

    Raises:
        Refused: the room or the name can not be one. ValueError: the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        room: str,
        name: str,
        changed: Callable[[], None] = lambda: None,
        client: str | None = None,
        reconnect: Backoff | None = None,
    ) -> None:
        self.room = protocol.check_room(room)
        self.name = protocol.check_name(name)
        self._changed = changed
        self._lock = threading.RLock()
        self._client = client or secrets.token_hex(16)
        self._log = ""
        self._lines = Lines()
        self._link = Link("connecting")
        self._joined = False
        self._in_flight: str | None = None  # id of the message that waits for its receipt
        self._people: tuple[str, ...] = ()
        self._typists: tuple[str, ...] = ()
        self._asked_older = False
        self._looking = True
        self._typing_told: float | None = None  # when the server was last told that we type
        self._timers: dict[str, threading.Timer] = {}
        self._ws = WebSocketClient(
            url,
            autoconnect=False,
            reconnect=reconnect or Backoff(fatal_close_codes=(protocol.REPLACED,)),
            send_timeout=0,  # a face waits for nobody; what is not taken now is sent later
            max_message_bytes=16 * 2**20,
        )
        handlers: dict[str, Callable[..., None]] = {
            "connecting": self._on_connecting,
            "connect": self._join,
            "disconnect": self._on_disconnect,
            "reconnecting": self._on_reconnecting,
            "error": self._on_error,
            "closed": self._on_closed,
            "welcome": self._on_welcome,
            "said": self._on_said,
            "older": self._on_older,
            "people": self._on_people,
            "typing": self._on_typing,
            "refused": self._on_refused,
        }
        for event, handler in handlers.items():
            self._ws.on(event, handler)
        self._ws.connect()

    # -- What a face asks and says -------------------------------------------------------------------------------------

    def view(self) -> View:
        """What there is to see now."""
        with self._lock:
            return View(
                room=self.room,
                name=self.name,
                link=self._link,
                lines=self._lines.seen(),
                more=self._lines.more,
                people=self._people,
                typing=tuple(name for name in self._typists if name != self.name),
                unread_from=self._lines.unread_from,
                unread=self._lines.unread,
            )

    def say(self, text: str, *, key: str | None = None) -> None:
        """Send a message, now or when the connection is back. `key`: its id (see `client`); None = a new one.

        Raises:
            Refused: it is too long, or empty.
        """
        if (
            len(text) <= protocol.FRAME_BYTES
        ):  # cleaning something huge takes seconds, and makes no message of it
            text = protocol.clean(text)
        protocol.check_text(text)
        with self._lock:
            self._lines.write(key or secrets.token_hex(12), self.name, text, time.time_ns() // 1_000_000)
            self._typing_told = None  # the server knows: who has sent types no more
            self._cancel("typing")
        self._pump()
        self._changed()

    def retry(self, key: str) -> None:
        """Send a failed message once more: it goes to the end of what waits."""
        with self._lock:
            self._lines.retry(key)
        self._pump()
        self._changed()

    def discard(self, key: str) -> str:
        """Take a failed message back: its text, or "" when there is none."""
        with self._lock:
            text = self._lines.discard(key)
        self._changed()
        return text

    def typing(self, on: bool) -> None:
        """A key was pressed (True), or the text is empty again (False)."""
        now = time.monotonic()
        with self._lock:
            if on:
                self._later("typing", TYPING_STOPS, lambda: self.typing(False))
                if self._typing_told is not None and now - self._typing_told < TYPING_AGAIN:
                    return
            else:
                self._cancel("typing")
                if self._typing_told is None:
                    return
            if not self._joined:
                return
            self._typing_told = now if on else None
        self._send({"type": "typing", "on": on})

    def looking(self, on: bool) -> None:
        """Whether somebody looks at the newest messages; what comes meanwhile is unread."""
        with self._lock:
            changed = self._looking != on
            self._looking = on
            if on and self._lines.unread:
                self._lines.unread = 0
                changed = True
        if changed:
            self._changed()

    def older(self) -> None:
        """Fetch the messages before the first one, if there are any."""
        with self._lock:
            first = self._lines.first_seq
            if first is None or not self._lines.more or self._asked_older or not self._joined:
                return
            self._asked_older = True
        self._send({"type": "older", "before": first})

    def rename(self, name: str) -> None:
        """Come again under another name. Raises Refused."""
        name = protocol.check_name(name)
        with self._lock:
            self.name = name
            self._joined = False
            self._link = Link("connecting", was_online=self._link.was_online)
        self._ws.reconnect()
        self._changed()

    def hurry(self) -> None:
        """Connect now, whatever the backoff says."""
        self._ws.reconnect()

    def close(self) -> None:
        """Leave."""
        with self._lock:
            for what in list(self._timers):
                self._cancel(what)
        self._ws.close()

    # -- The connection's life -----------------------------------------------------------------------------------------

    def _on_connecting(self, event: Connecting) -> None:
        with self._lock:
            self._link = Link(
                "connecting", self._link.trouble, attempt=event.attempt, was_online=self._link.was_online
            )
        self._changed()

    def _join(self) -> None:
        with self._lock:
            join = {
                "type": "join",
                "version": protocol.VERSION,
                "room": self.room,
                "name": self.name,
                "client": self._client,
                "since": self._lines.last_seq,
                "log": self._log,
            }
        self._send(join)

    def _on_disconnect(self, event: Disconnect) -> None:
        with self._lock:
            self._joined = False
            self._in_flight = None
            self._asked_older = False
            self._typists = ()
            self._typing_told = None
            self._cancel("pump")
            if self._link.state not in ("refused", "replaced"):
                trouble = event.reason or (
                    "The connection was lost" if event.code == 1006 else "The server went away"
                )
                replaced = event.code == protocol.REPLACED
                self._link = Link("replaced" if replaced else "connecting", trouble, was_online=True)
        self._changed()

    def _on_reconnecting(self, event: Reconnecting) -> None:
        with self._lock:
            self._link = Link(
                "waiting", self._link.trouble, "", event.attempt, event.at, self._link.was_online
            )
        self._changed()

    def _on_error(self, event: ErrorEvent) -> None:
        if event.attempt is None:
            return  # a text that could not be read, or a face's exception: no trouble of the connection
        with self._lock:
            self._link = Link(
                "connecting", event.message, attempt=event.attempt, was_online=self._link.was_online
            )
        self._changed()

    def _on_closed(self, event: Closed) -> None:
        with self._lock:
            if self._link.state not in ("refused", "replaced"):
                self._link = Link("closed", self._link.trouble, was_online=self._link.was_online)
        self._changed()

    # -- What the server says ------------------------------------------------------------------------------------------

    def _on_welcome(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._joined = True
            self._in_flight = None
            self._log = message["log"]
            self.name = message["name"]
            self._link = Link("online", was_online=True)
            self._people = tuple(message["people"])
            self._typists = tuple(message["typing"])
            self._lines.catch_up(message["messages"], complete=message["complete"], looking=self._looking)
        self._pump()
        self._changed()

    def _on_said(self, message: dict[str, Any]) -> None:
        with self._lock:
            if message.get("id") == self._in_flight:
                self._in_flight = None
            self._lines.said(message, looking=self._looking)
        self._pump()
        self._changed()

    def _on_older(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._asked_older = False
            self._lines.prepend(message["messages"], more=message["more"])
        self._changed()

    def _on_people(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._people = tuple(message["people"])
        self._changed()

    def _on_typing(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._typists = tuple(message["names"])
        self._changed()

    def _on_refused(self, message: dict[str, Any]) -> None:
        about, code = message.get("id"), message["code"]
        if about is not None:
            self._refused_message(about, code, message)
        elif not self._joined:
            self._refused_join(code, message)
        else:
            with self._lock:
                self._asked_older = False
        self._changed()

    def _refused_message(self, about: str, code: str, message: dict[str, Any]) -> None:
        with self._lock:
            if about != self._in_flight:
                return
            self._in_flight = None
            if code == "not-joined":
                return  # said in the moment of a reconnect: the welcome starts it again
            if "retry_after" in message:
                self._later("pump", message["retry_after"], self._pump)
                return
            self._lines.fail(about, message["text"])
        self._pump()

    def _refused_join(self, code: str, message: dict[str, Any]) -> None:
        if "retry_after" in message or code == "not-stored":  # the server's trouble, not ours: it may pass
            with self._lock:
                self._later("join", message.get("retry_after", HOLD_BACK), self._join)
                self._link = Link("connecting", message["text"], code, was_online=self._link.was_online)
            return
        with self._lock:
            self._link = Link("refused", message["text"], code, was_online=self._link.was_online)
        self._ws.close()

    # -- Sending -------------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Send the oldest message that has no receipt, unless one is on its way."""
        with self._lock:
            line = self._lines.next_to_send()
            if line is None or self._in_flight is not None or not self._joined or "pump" in self._timers:
                return
            self._in_flight = line.key
        if not self._send({"type": "say", "id": line.key, "text": line.text}):
            with self._lock:
                if self._in_flight == line.key:
                    self._in_flight = None
                    if self._joined:
                        self._later("pump", HOLD_BACK, self._pump)

    def _send(self, message: dict[str, Any]) -> bool:
        try:
            return self._ws.send(message)
        except TimeoutError:  # the outbox is full: the connection takes nothing now
            return False

    def _later(self, what: str, seconds: float, call: Callable[[], None]) -> None:
        self._cancel(what)

        def ring() -> None:
            with self._lock:
                if self._timers.get(what) is not timer:
                    return
                del self._timers[what]
            call()

        timer = self._timers[what] = threading.Timer(seconds, ring)
        timer.daemon = True
        timer.start()

    def _cancel(self, what: str) -> None:
        timer = self._timers.pop(what, None)
        if timer is not None:
            timer.cancel()


__all__ = ["Refused", "Session"]
