"""The thread that asks a client's callables (`url`, `headers`, `should_reconnect`), so that a slow handler fails no attempt.

Knows the core's questions and the option checks. Promises: each callable is asked once per attempt; what it raises is a
failed attempt, or the default; while it sleeps the thread keeps the client from nothing.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _core
from ._errors import ConnectFailed, failure_to_error
from ._handlers import log, wants_argument
from ._options import basic_auth, header_pairs, number

if TYPE_CHECKING:
    from ._client import WebSocketClient


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


def start(core: _core.Core, client: WebSocketClient, name: str) -> threading.Thread:
    """Start the asking thread."""
    thread = threading.Thread(target=_run, args=(core, weakref.ref(client)), name=f"{name}-ask", daemon=True)
    thread.start()
    return thread


def _run(core: _core.Core, ref: weakref.ref[WebSocketClient]) -> None:
    while True:
        question = core.next_ask(None)
        if question is None:
            return
        if not question:
            continue
        client = ref()
        if client is None:
            return
        providers = client._providers
        del client  # a callable may take its time; the client may go meanwhile
        if question["kind"] == "provide":
            _provide(core, providers, question)
        else:
            _answer(core, providers, question)


def _ask(fn: Callable[..., Any], question: dict[str, Any]) -> Any:
    error = question["last_error"]
    attempt = Attempt(
        epoch=question["epoch"],
        attempt=question["attempt"],
        is_reconnect=question["is_reconnect"],
        last_close=question["last_close"],
        last_error=None if error is None else failure_to_error(error),
    )
    answer = fn(attempt) if wants_argument(fn) else fn()
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("it is a coroutine function; AsyncWebSocketClient is the client that can await it")
    return answer


def _provide(core: _core.Core, providers: Providers, question: dict[str, Any]) -> None:
    asked = "url"
    try:
        url: str | None = None
        headers: list[tuple[str, str]] | None = None
        if providers.url is not None:
            url = _ask(providers.url, question)
            if not isinstance(url, str):
                raise TypeError(f"it returned {type(url).__name__}, not a str")
            parts = _core.parse_url(url)
            if parts["user"] is not None:
                headers = [basic_auth(parts["user"], parts["password"] or "")]
        asked = "headers"
        if providers.headers is not None:
            headers = (headers or []) + header_pairs("headers", _ask(providers.headers, question))
        core.provide(question["epoch"], url, headers)
    except Exception as error:  # noqa: BLE001  whatever a callable raises is a failed attempt
        message = f"the {asked} provider failed: {type(error).__name__}: {error}"
        core.provide_failed(question["epoch"], message)


def _answer(core: _core.Core, providers: Providers, question: dict[str, Any]) -> None:
    assert providers.should_reconnect is not None
    stop, delay = False, None
    try:
        answer = _ask(providers.should_reconnect, question)
        if answer is False:
            stop = True
        elif answer is not None and answer is not True:
            delay = number("should_reconnect's answer", answer)
    except Exception:
        log.exception("should_reconnect failed; the default delay holds")
    core.answer(question["epoch"], stop, delay)
