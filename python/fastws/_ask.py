"""Asking a client's callables (`url`, `headers`, `should_reconnect`), and the thread that does it for WebSocketClient, so
that a slow handler fails no attempt.

Knows the core's questions, the option checks and cells. Promises: each callable is asked once per attempt; what it raises is a
failed attempt, or the default; while it sleeps the thread keeps the client from nothing; in a notebook its output goes where
the client was made.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _cells, _core, _idn
from ._errors import ConnectFailed, failure_to_error
from ._handlers import log, wants_argument
from ._options import number
from ._settings import basic_auth, header_pairs

if TYPE_CHECKING:
    from ._face import ClientFace


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a provider may want to know. `attempt`: 1-based; `last_close`: the last close code, or None."""

    epoch: int
    attempt: int
    is_reconnect: bool
    last_close: int | None
    last_error: ConnectFailed | None


@dataclass(frozen=True, slots=True)
class Providers:
    """The callables of one client; None = a fixed value, or not asked."""

    url: Callable[..., Any] | None
    headers: Callable[..., Any] | None
    should_reconnect: Callable[..., Any] | None

    def __bool__(self) -> bool:
        return any((self.url, self.headers, self.should_reconnect))


NO_PROVIDERS = Providers(None, None, None)  # most clients' own

# What asks nobody itself: it yields the callable to be asked, and is sent its answer or thrown what it raised.
Questioning: TypeAlias = Generator[Callable[..., Any], Any, None]


class Asking:
    """What is being asked now. Refers to no callable and to no client."""

    def __init__(self, core: _core.Core) -> None:
        self._core = core
        self._running: tuple[int, str] | None = None  # the epoch that was asked for, and whom

    def call(self, fn: Callable[..., Any], question: dict[str, Any]) -> Any:
        """What the callable gives, an awaitable perhaps; until done() it counts as not having answered."""
        error = question["last_error"]
        attempt = Attempt(
            epoch=question["epoch"],
            attempt=question["attempt"],
            is_reconnect=question["is_reconnect"],
            last_close=question["last_close"],
            last_error=None if error is None else failure_to_error(error, url=self._core.url),
        )
        self._running = question["epoch"], getattr(fn, "__qualname__", repr(fn))
        return fn(attempt) if wants_argument(fn) else fn()

    def done(self) -> None:
        """The callable has answered, or raised."""
        self._running = None

    def attempt_failed(self, epoch: int) -> None:
        """Say once which callable holds the attempts back, if it is that of this epoch that has not returned."""
        running = self._running
        if running is not None and running[0] == epoch:
            log.warning(
                "%s has not returned: until it does, every attempt fails at connect_timeout", running[1]
            )


class Asker(Asking):
    """The asking thread."""

    def __init__(self, core: _core.Core, client: ClientFace, name: str) -> None:
        super().__init__(core)
        work = functools.partial(_run, core, weakref.ref(client), self)
        self.thread = threading.Thread(target=_cells.shown_here(work), name=f"{name}-ask", daemon=True)
        self.thread.start()

    def ask(self, fn: Callable[..., Any], question: dict[str, Any]) -> Any:
        """What the callable says. Raises what it raises."""
        try:
            answer = self.call(fn, question)
        finally:
            self.done()
        if inspect.iscoroutine(answer):
            answer.close()
            raise TypeError(
                "it is a coroutine function; AsyncWebSocketClient is the client that can await it"
            )
        return answer


def _run(core: _core.Core, ref: weakref.ref[ClientFace], asker: Asker) -> None:
    while True:
        question = core.next_ask(None)
        if question is None:
            return
        if not question:
            continue
        client = ref()
        if client is None:
            return
        work = questioning(core, client._providers, question)
        del client  # a callable may take its time; the client may go meanwhile
        _carry_out(asker, work, question)
        # Callables often refer to their client: while the thread sleeps, nothing here may keep it alive.
        del work, question


def _carry_out(asker: Asker, work: Questioning, question: dict[str, Any]) -> None:
    with contextlib.suppress(StopIteration):
        fn = next(work)
        while True:
            try:
                answer = asker.ask(fn, question)
            except BaseException as error:  # whatever a callable raises; the thread goes on
                fn = work.throw(error)
            else:
                fn = work.send(answer)


def questioning(core: _core.Core, providers: Providers, question: dict[str, Any]) -> Questioning:
    """Have a question answered: what is yielded is to be asked."""
    if question["kind"] == "provide":
        return _provide(core, providers, question["epoch"])
    return _answer(core, providers, question["epoch"])


def _provide(core: _core.Core, providers: Providers, epoch: int) -> Questioning:
    asked = "url"
    try:
        url: str | None = None
        headers: list[tuple[str, str]] | None = None
        if providers.url is not None:
            url = yield providers.url
            if not isinstance(url, str):
                raise TypeError(f"it returned {type(url).__name__}, not a str")
            url = _idn.ascii_host(url)
            parts = _core.parse_url(url)
            if parts["user"] is not None:
                headers = [basic_auth(parts["user"], parts["password"] or "")]
        asked = "headers"
        if providers.headers is not None:
            given = header_pairs("headers", (yield providers.headers))
            if any(name.lower() == "authorization" for name, _ in given):
                headers = None  # what was asked for this attempt goes before the url's user and password
            headers = (headers or []) + given
        core.provide(epoch, url, headers)
    except GeneratorExit:  # nobody asks any more
        raise
    except BaseException as error:  # whatever a callable raises is a failed attempt
        message = f"the {asked} provider failed: {type(error).__name__}: {error}"
        core.provide_failed(epoch, message)


def _answer(core: _core.Core, providers: Providers, epoch: int) -> Questioning:
    assert providers.should_reconnect is not None
    stop, delay = False, None
    try:
        answer = yield providers.should_reconnect
        if answer is False:
            stop = True
        elif answer is not None and answer is not True:
            delay = number("should_reconnect's answer", answer)
    except GeneratorExit:
        raise
    except BaseException:
        log.exception("should_reconnect failed; the default delay holds")
    core.answer(epoch, stop, delay)
