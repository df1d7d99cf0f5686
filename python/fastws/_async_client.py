"""AsyncWebSocketClient: what users type where an event loop runs.

Knows the core, the readers and waiting; what it shares with other clients is in _face. Promises: nothing here blocks the
loop; whatever is awaited can be cancelled, and is then done whole or not at all.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterable
from threading import get_ident
from types import TracebackType
from typing import Any

from . import _async_sending, _async_waiting, _core, _options, _registry, _waiting
from ._async_ask import LoopAsker
from ._async_dispatch import LoopDispatcher
from ._async_reading import AsyncMessages, LoopReader
from ._face import ClientFace
from ._handlers import log
from ._loop import Bell
from ._reading import route_names
from ._refusals import REFUSED, no_buffer


class AsyncWebSocketClient(ClientFace):
    """A WebSocket connection that stays, for asyncio and uvloop: it connects in the background at once, and again whenever
    it breaks.

    Takes what WebSocketClient takes; `url`, `headers` and `should_reconnect` may be coroutine functions as well. Handlers run
    in one task, in order, and what they return is awaited. It belongs to the event loop that runs when it is made; made where
    none runs, to that of the first `on()`, `connect()` or await in one, and starts connecting then. When that loop ends, the
    client is closed; afterwards `connect()` or a wait in another loop makes it belong to that.
    """

    _dispatcher: LoopDispatcher
    _asker: LoopAsker | None
    _reader: LoopReader | None = None  # of recv() and iteration, once either was used
    _bell: Bell | None = None  # of the loop it belongs to
    _due = False  # whether to connect as soon as there is a loop
    _ends = "await close() or async with"

    def _begin(self, label: str, settle: float) -> None:
        patience = self._close_timeout + _waiting.GRACE
        self._dispatcher = LoopDispatcher(self._core, self, settle, label, patience)
        self._turn = _async_sending.Turn()
        if self._providers:
            self._asker = LoopAsker(self._core, self, label)
        self._at_hand()

    # -- The loop it belongs to ----------------------------------------------------------------------------------------

    def _at_hand(self, bind: bool = True) -> None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        bell = self._bell
        if bell is not None and not bell.loop.is_closed():
            if running is not bell.loop and (running is not None or threading.get_ident() != bell.thread):
                raise RuntimeError(f"{self!r} belongs to another event loop, which is not closed")
        elif bind and running is not None:
            self._belong(running)

    def _here(self) -> Bell:
        """The bell, from a coroutine."""
        bell = self._bell
        # Whether its loop runs in this thread: what asyncio.get_running_loop() would say, which is a system call.
        if bell is not None and get_ident() == bell.thread and bell.loop.is_running():
            return bell
        self._at_hand()
        assert self._bell is not None
        return self._bell

    def _belong(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._bell is not None:  # of a loop that was closed
            self._bell.loop_gone()
            self._turn = _async_sending.Turn()
        self._bell = Bell(self._core, loop, weakref.ref(self))
        self._dispatcher.bind(self._bell)
        if self._due:
            self._due = False
            self._core.connect()
        self._resume()

    def _loop_ends(self) -> None:
        if self._core.state not in ("idle", *_waiting.OVER) and not _registry.exiting():
            who = repr(self)  # as text, so that whoever keeps the record keeps no client
            log.warning("%s: its event loop ends, so it is closed", who)
        self._begin_close(1000, "")

    def _resume(self) -> None:
        self._dispatcher.resume()
        if self._asker is not None and self._bell is not None:
            self._asker.resume(self._bell)

    def _autoconnect(self) -> None:
        if self._bell is None:
            self._due = True
        else:
            self._core.connect()
            self._resume()

    def connect(self) -> None:
        """Start connecting; does nothing unless idle or closed. Where no loop runs yet, it starts with that. Does not wait.

        Raises:
            RuntimeError: it belongs to another event loop.
        """
        self._restart(super().connect)

    def reconnect(self) -> None:
        """Connect anew now: closes an open connection first, cuts a wait short, starts a closed client. Does not wait.

        Raises:
            RuntimeError: it belongs to another event loop.
        """
        self._restart(super().reconnect)

    def _restart(self, command: Callable[[], None]) -> None:
        self._at_hand()
        if self._bell is None or self._bell.loop.is_closed():
            self._due = True
            self._begin_life()
            return
        command()
        self._resume()

    def _begin_close(self, code: int, reason: str) -> None:
        super()._begin_close(code, reason)
        self._due = False

    # -- Sending -------------------------------------------------------------------------------------------------------

    async def send(self, obj: Any, *, default: Callable[[Any], Any] | None = None) -> bool:
        """Send an object as JSON (a str is sent as a JSON string). See WebSocketClient.send for what is written how.

        It is written when this returns, or waits in the outbox (in a burst, some 0.1 ms); only a full outbox makes it wait, at
        most `send_timeout` seconds. Cancelled meanwhile, it is not sent.

        Returns:
            True = accepted for this connection (or counted in `disconnect.unsent_messages`), or stored in the offline queue;
            False = dropped, and counted as "offline".

        Raises:
            TypeError, ValueError: it is not JSON. MessageTooBig: above max_message_bytes. TimeoutError: the outbox stayed full.
            NotConnected: not open, with offline="raise". OfflineQueueFull: with Queue(on_full="raise").
            RuntimeError: the client belongs to another event loop.
        """
        bell = self._here()
        core = self._core
        try:
            if self._turn.waiting:
                of = core.epoch
            else:
                sent = core.send_json(obj, default, self._dispatcher.handler_epoch and self._epoch(), False)
                if sent is not None:
                    return sent or self._unsent()
                of = core.tried_epoch
            text = _core.dumps(obj, default)  # as it is now, whatever becomes of the object
            return await _async_sending.when_room(self, bell, _async_sending.text_of(self, text, of))
        except REFUSED as error:
            raise self._refusal(error) from None

    async def send_text(self, text: str) -> bool:
        """Send a text message as it stands. Waits, returns and raises as `send` does."""
        bell = self._here()
        if not isinstance(text, str):
            raise TypeError(f"send_text takes a str, not {type(text).__name__}")
        of = self._core.epoch
        try:
            sent = None if self._turn.waiting else self._core.send_text(text, self._epoch(), False)
            if sent is not None:
                return sent or self._unsent()
            return await _async_sending.when_room(self, bell, _async_sending.text_of(self, text, of))
        except REFUSED as error:
            raise self._refusal(error) from None

    async def send_bytes(self, data: Any) -> bool:
        """Send a binary message: bytes, bytearray, memoryview or another contiguous buffer. As `send`."""
        bell = self._here()
        of = self._core.epoch
        try:
            sent = None if self._turn.waiting else self._core.send_bytes(data, self._epoch(), False)
            if sent is not None:
                return sent or self._unsent()
            with memoryview(data) as view:
                if not view.c_contiguous:
                    raise BufferError("send_bytes takes a contiguous buffer")
                kept = data if isinstance(data, bytes) else bytes(view)  # as it is now
            return await _async_sending.when_room(
                self, bell, lambda epoch: self._core.send_bytes(kept, epoch, False, of)
            )
        except TypeError:
            raise no_buffer(data) from None
        except REFUSED as error:
            raise self._refusal(error) from None

    async def send_many(self, objs: Iterable[Any], *, default: Callable[[Any], Any] | None = None) -> int:
        """Send many objects, each as `send` would, in order and with as few system calls as possible. Cancelled, it has sent
        those before the one it waited with.

        Returns:
            How many were accepted or stored; the others were dropped and counted.

        Raises:
            What `send` raises, and what the iterable does. All before the object at fault have been sent; the exception's
            attribute `accepted` says how many of them were accepted. Up to 1024 objects more may have been taken from an
            iterator, and were not sent, when it is another exception than that of the object or the iterable.
        """
        return await _async_sending.many(self, self._here(), objs, default)

    async def flush(self, timeout: float | None = 10.0) -> bool:
        """Wait until all that was accepted or stored before is written to the network. `timeout`: seconds; None = no limit.

        In a handler it does not wait for the offline queue, which may itself be waiting for the handler.

        Returns:
            True = it is written; False = its connection was lost (see `disconnect.unsent_messages`), what was stored was
            dropped, or none is open and nothing is stored.

        Raises:
            TimeoutError: not in time; what waits goes on waiting. RuntimeError: the client belongs to another event loop.
        """
        return await _async_sending.until_written(self, self._here(), timeout)

    async def ping(self, timeout: float | None = 10.0) -> float:
        """One round trip to the server and back, in seconds (RFC 6455 section 5.5.2). `timeout`: seconds; None = no limit.

        Raises:
            NotConnected: it is not open, or ended meanwhile. TimeoutError: no answer in time.
        """
        bell = self._here()
        seconds = _options.number("timeout", timeout, none=True)
        until = None if seconds is None else bell.loop.time() + seconds
        pinged = self._core.begin_ping()
        while pinged is not None:
            answer = self._core.pong(*pinged)
            if answer is False:
                break
            if answer is not None:
                return answer
            left = None if until is None else until - bell.loop.time()
            if left is not None and left <= 0:
                raise TimeoutError("no Pong arrived in time")
            await bell.rung(left)
        raise _waiting.not_open(self, "ping")

    # -- Reading -------------------------------------------------------------------------------------------------------

    async def recv(self, timeout: float | None = None) -> Any:
        """The next message: an object, a str (decode="text") or bytes. `timeout`: seconds; None = no limit.

        Raises:
            TimeoutError: none came in time. ConnectionClosed: closed, and nothing is left; its cause is why it was given up.
            RuntimeError: called in a handler of this client, or in another event loop than its own.
        """
        bell = self._here()
        seconds = _options.number("timeout", timeout, none=True)
        _waiting.refuse_in_handler(self, "recv")
        found, message = await self._own_reader().arrived(self, bell, seconds)
        if found:
            return message
        raise _waiting.nothing_read(self, timeout, over=message)

    async def recv_many(self, max: int, timeout: float | None = None) -> list[Any]:
        """The next messages: waits for one, then takes with it what is there already, at most `max` in all.

        Raises as `recv` does; besides ValueError: `max` is below 1.
        """
        bell = self._here()
        most = _options.whole("max", max)
        seconds = _options.number("timeout", timeout, none=True)
        _waiting.refuse_in_handler(self, "recv_many")
        reader = self._own_reader()
        found, messages = await reader.arrived(self, bell, seconds, reader.many(most or 1))
        if found:
            return messages  # type: ignore[no-any-return]
        raise _waiting.nothing_read(self, timeout, over=messages)

    def messages(self, *routes: str) -> AsyncMessages:
        """An iterator over the messages of these types, or of everything; across reconnects. It has a queue of its own."""
        if not routes:
            return self.__aiter__()
        return AsyncMessages(self, LoopReader(self, route_names(routes)), own=True)

    def __aiter__(self) -> AsyncMessages:
        """Every message, in order, reconnects in between. What a loop leaves unread is there for the next."""
        return AsyncMessages(self, self._own_reader(), own=False)

    def _own_reader(self) -> LoopReader:
        if self._reader is None:
            self._reader = LoopReader(self, None)
        return self._reader

    # -- Waiting -------------------------------------------------------------------------------------------------------

    async def wait_open(self, timeout: float | None = None) -> None:
        """Return when the connection is open. `timeout`: seconds; None = no limit.

        Raises:
            ConnectFailed: given up. ConnectionClosed: closed. ConnectTimeout: not in time; its cause is the last failure.
            RuntimeError: called in a handler of this client, or in another event loop than its own.
        """
        await _async_waiting.until_open(self, self._here(), timeout, self._core.connects)

    async def wait(self, timeout: float | None = None) -> bool:
        """Stay here until the client is closed: True; False when the time (seconds; None = no limit) is over.

        Raises:
            ConnectFailed: given up. RuntimeError: called in a handler of this client, or in another event loop than its own.
            SystemExit, KeyboardInterrupt: what a handler raised.
        """
        return await _async_waiting.until_closed(self, self._here(), timeout)

    # -- The connection's end -----------------------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection (RFC 6455 section 7.1.2): from now on no attempt is made and no handler starts but those of
        `disconnect` and `closed`. In a handler it returns at once; elsewhere when the `closed` handlers have returned, at
        the latest after close_timeout + 0.5 s. Cancelled, it has begun nevertheless.

        Raises:
            ValueError: `code` is neither 1000 nor 3000 to 4999, or `reason` is longer than 123 bytes of UTF-8.
            RuntimeError: the client belongs to another event loop.
        """
        self._due = False
        bell = self._here()
        self._begin_close(code, reason)
        if self._asker is not None:
            self._asker.stop()
        if not self._dispatcher.is_current:
            await _async_waiting.until_handled(self, bell)

    def _await_end(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            over = self._close_timeout + _waiting.GRACE
            _waiting.reach(self, lambda state: state != "closing", over)

    async def __aenter__(self) -> AsyncWebSocketClient:
        bell = self._here()
        outcome = self._core.outcome()
        if outcome is None or outcome[0] == "user":  # one that ended by itself still has what it received
            self.connect()
        try:
            await _async_waiting.until_open(self, bell, self._connect_timeout, self._opened_before)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _forked(self) -> None:
        super()._forked()
        if self._bell is not None:
            self._bell.forked()
        self._bell = None
        self._due = False

    def __del__(self) -> None:
        if self._bell is not None:
            self._bell.close()
        super().__del__()
