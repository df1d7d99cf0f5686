"""WebSocketClient: what users type in scripts and notebooks.

Knows the core, the readers and waiting; what it shares with other clients is in _face. Promises: every call that waits
does so natively, without the GIL, and notices Ctrl-C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from . import _ask, _options, _waiting
from ._dispatch import Dispatcher
from ._face import ClientFace
from ._reading import Messages, Reader, route_names
from ._refusals import REFUSED, no_buffer, tell_accepted


class WebSocketClient(ClientFace):
    """A WebSocket connection that stays: it connects in the background at once, and again whenever it breaks."""

    _dispatcher: Dispatcher
    _asker: _ask.Asker | None
    _reader: Reader | None = None  # of recv() and iteration, once either was used

    def _begin(self, label: str, settle: float) -> None:
        self._dispatcher = Dispatcher(self._core, self, settle, label)
        if self._providers:
            self._asker = _ask.Asker(self._core, self, label)

    def _autoconnect(self) -> None:
        self._core.connect()

    def _at_hand(self, bind: bool = True) -> None:
        pass  # from every thread

    def _await_end(self) -> None:
        if not self._dispatcher.is_current:  # in a handler nothing waits for its own thread
            _waiting.until_handled(self)

    def _threads(self) -> list[threading.Thread]:
        asking = None if self._asker is None else self._asker.thread
        return [thread for thread in (self._dispatcher.thread, asking) if thread is not None]

    # -- Sending -------------------------------------------------------------------------------------------------------

    def send(self, obj: Any, *, default: Callable[[Any], Any] | None = None) -> bool:
        """Send an object as JSON (a str is sent as a JSON string).

        What json.dumps takes is written as json.dumps(obj, ensure_ascii=False, allow_nan=False) writes it; besides, datetime,
        date and time (RFC 3339), UUID, Enum, dataclasses, and NumPy's scalars and arrays. `default`: called for any other
        object, gives one to write in its place.

        A message alone is written to the network by the calling thread. In a burst (from the 17th on of those that follow each
        other within 10 microseconds) many are gathered for one system call of the background thread, which comes for them
        every 0.1 ms where it finds a free core, whatever Python is busy with; flush() waits for that. A program that ends in
        the ordinary way, a process of multiprocessing included, loses none of them; os._exit(), exec and a fatal signal
        lose those that were not gathered yet.

        Returns:
            True = accepted for this connection (or counted in `disconnect.unsent_messages`), or stored in the offline queue;
            False = dropped, and counted as "offline".

        Raises:
            TypeError, ValueError: it is not JSON. MessageTooBig: above max_message_bytes. TimeoutError: the outbox stayed full.
            NotConnected: not open, with offline="raise". OfflineQueueFull: with Queue(on_full="raise").
        """
        try:
            return (
                self._core.send_json(obj, default, self._dispatcher.handler_epoch and self._epoch())
                or self._unsent()
            )
        except REFUSED as error:
            raise self._refusal(error) from None

    def send_text(self, text: str) -> bool:
        """Send a text message as it stands. Returns and raises as `send` does."""
        if not isinstance(text, str):
            raise TypeError(f"send_text takes a str, not {type(text).__name__}")
        try:
            return self._core.send_text(text, self._epoch()) or self._unsent()
        except REFUSED as error:
            raise self._refusal(error) from None

    def send_bytes(self, data: Any) -> bool:
        """Send a binary message: bytes, bytearray, memoryview or another contiguous buffer. As `send`."""
        try:
            return self._core.send_bytes(data, self._epoch()) or self._unsent()
        except TypeError:
            raise no_buffer(data) from None
        except REFUSED as error:
            raise self._refusal(error) from None

    def send_many(self, objs: Iterable[Any], *, default: Callable[[Any], Any] | None = None) -> int:
        """Send many objects, each as `send` would, in order and with as few system calls as possible.

        Returns:
            How many were accepted or stored; the others were dropped and counted.

        Raises:
            What `send` raises, and what the iterable does. All before the object at fault have been sent; the exception's
            attribute `accepted` says how many of them were accepted. With TimeoutError, NotConnected and OfflineQueueFull, up
            to 1024 objects more may have been taken from an iterator, and were not sent.
        """
        accepted = 0
        remaining = iter(objs)
        more = True
        try:
            while more:
                count, more = self._core.send_many(remaining, default, self._epoch())
                accepted += count
        except BaseException as error:
            tell_accepted(error, accepted, self.url)
            raise
        finally:
            if not accepted:
                self._unsent()
        return accepted

    def flush(self, timeout: float | None = 10.0) -> bool:
        """Wait until all that was accepted or stored before is written to the network. `timeout`: seconds; None = no limit.

        In a handler it does not wait for the offline queue, which may itself be waiting for the handler.

        Returns:
            True = it is written; False = its connection was lost (see `disconnect.unsent_messages`), what was stored was
            dropped, or none is open and nothing is stored.

        Raises:
            TimeoutError: not in time; what waits goes on waiting.
        """
        seconds = _options.number("timeout", timeout, none=True)
        return self._core.flush(seconds, not self._dispatcher.is_current)

    def ping(self, timeout: float | None = 10.0) -> float:
        """One round trip to the server and back, in seconds (RFC 6455 section 5.5.2). `timeout`: seconds; None = no limit.

        Raises:
            NotConnected: it is not open, or ended meanwhile. TimeoutError: no answer in time.
        """
        seconds = self._core.ping(_options.number("timeout", timeout, none=True))
        if seconds is None:
            raise _waiting.not_open(self, "ping")
        return seconds

    # -- Reading -------------------------------------------------------------------------------------------------------

    def recv(self, timeout: float | None = None) -> Any:
        """The next message: an object, a str (decode="text") or bytes. `timeout`: seconds; None = no limit.

        Raises:
            TimeoutError: none came in time. ConnectionClosed: closed, and nothing is left; its cause is why it was given up.
            RuntimeError: called in a handler of this client.
        """
        seconds = _options.number("timeout", timeout, none=True)
        _waiting.refuse_in_handler(self, "recv")
        found, message = self._own_reader().next(self, seconds)
        if found:
            return message
        raise _waiting.nothing_read(self, timeout, over=message)

    def recv_many(self, max: int, timeout: float | None = None) -> list[Any]:
        """The next messages: waits for one, then takes with it what is there already, at most `max` in all.

        Raises as `recv` does; besides ValueError: `max` is below 1.
        """
        most = _options.whole("max", max)
        seconds = _options.number("timeout", timeout, none=True)
        _waiting.refuse_in_handler(self, "recv_many")
        reader = self._own_reader()
        found, messages = reader.next(self, seconds, reader.many(most or 1))
        if found:
            return messages  # type: ignore[no-any-return]
        raise _waiting.nothing_read(self, timeout, over=messages)

    def messages(self, *routes: str) -> Messages:
        """An iterator over the messages of these types, or of everything; across reconnects. It has a queue of its own."""
        if not routes:
            return iter(self)
        return Messages(self, Reader(self, route_names(routes)), own=True)

    def __iter__(self) -> Messages:
        """Every message, in order, reconnects in between. What a loop leaves unread is there for the next."""
        return Messages(self, self._own_reader(), own=False)

    def _own_reader(self) -> Reader:
        with self._lock:
            if self._reader is None:
                self._reader = Reader(self, None)
            return self._reader

    # -- Waiting -------------------------------------------------------------------------------------------------------

    def wait_open(self, timeout: float | None = None) -> None:
        """Return when the connection is open. `timeout`: seconds; None = no limit.

        Raises:
            ConnectFailed: given up. ConnectionClosed: closed. ConnectTimeout: not in time; its cause is the last failure.
            RuntimeError: called in a handler of this client.
        """
        _waiting.until_open(self, timeout, self._core.connects)

    def wait(self, timeout: float | None = None) -> bool:
        """Stay here until the client is closed: True; False when the time (seconds; None = no limit) is over.

        Ctrl-C goes through: a script's client is closed first, a notebook's stays open.

        Raises:
            ConnectFailed: given up. RuntimeError: called in a handler of this client.
        """
        return _waiting.until_closed(self, timeout)

    # -- The connection's end -----------------------------------------------------------------------------------------

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection (RFC 6455 section 7.1.2): from now on no attempt is made and no handler starts but those of
        `disconnect` and `closed`. In a handler it returns at once; elsewhere when the `closed` handlers have returned, at
        the latest after close_timeout + 0.5 s.

        Raises:
            ValueError: `code` is neither 1000 nor 3000 to 4999, or `reason` is longer than 123 bytes of UTF-8.
        """
        self._begin_close(code, reason)
        self._await_end()

    def __enter__(self) -> WebSocketClient:
        outcome = self._core.outcome()
        if outcome is None or outcome[0] == "user":  # one that ended by itself still has what it received
            self.connect()
        try:
            _waiting.until_open(self, self._connect_timeout, self._opened_before)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
