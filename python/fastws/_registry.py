"""The clients that live in this process: by name, for closing all, for the interpreter's exit and for forks.

Knows the core's process functions. Promises: clients are held weakly; after exit began no native thread of ours touches
Python; in a fork's child every client is `destroyed`, and the parent's is untouched.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, cast

from . import _core

if TYPE_CHECKING:
    from ._async_client import AsyncWebSocketClient
    from ._client import WebSocketClient
    from ._face import ClientFace

_lock = threading.Lock()
_clients: weakref.WeakSet[ClientFace] = weakref.WeakSet()
_by_name: weakref.WeakValueDictionary[str, ClientFace] = weakref.WeakValueDictionary()
_exiting = False
_finalized = 0  # the process that multiprocessing finalizes with us


def add(client: ClientFace, name: str | None) -> ClientFace | None:
    """Remember a client; from now on it is the one of this name. Gives the one that was."""
    _end_with_multiprocessing()
    with _lock:
        _clients.add(client)
        if name is None:
            return None
        older = _by_name.get(name)
        _by_name[name] = client
        return older


def named(name: str | None) -> ClientFace | None:
    """The client that has this name now."""
    with _lock:
        return None if name is None else _by_name.get(name)


def clients() -> list[WebSocketClient | AsyncWebSocketClient]:
    """The clients of this process that are not closed, of both kinds."""
    with _lock:
        known = list(_clients)
    return [
        cast("WebSocketClient | AsyncWebSocketClient", client)
        for client in known
        if client.state not in ("closed", "destroyed")
    ]


def close_all(code: int = 1000, reason: str = "") -> None:
    """Close every client of this process, all at once; returns when they are closed (see WebSocketClient.close).

    Each AsyncWebSocketClient is told to close as well. Where an event loop runs, that is all: its own loop does the rest, and
    `await client.wait()` tells when it is done. Elsewhere this returns when their connections are closed; their `disconnect`
    and `closed` handlers run when their loops do.
    """
    living = clients()
    for client in living:
        client._begin_close(code, reason)
    for client in living:
        client._await_end()


def exiting() -> bool:
    """Whether the interpreter's exit has begun."""
    return _exiting


def _at_exit() -> None:
    global _exiting
    if _exiting:
        return
    _exiting = True
    with _lock:
        threads = [thread for client in _clients for thread in client._threads()]
    _core.shutdown(0.3, 1.0)
    until = time.monotonic() + 1.0
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join(max(0.0, until - time.monotonic()))


def _end_with_multiprocessing() -> None:
    """A process that multiprocessing forked ends in os._exit(), which asks no atexit, but after its own finalizers."""
    global _finalized
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None or _finalized == os.getpid():
        return
    _finalized = os.getpid()
    from multiprocessing import util

    util.Finalize(None, _at_exit, exitpriority=-100)  # after those of what may still send


def _before_fork() -> None:
    _lock.acquire()
    _core.before_fork()


def _after_fork_in_parent() -> None:
    _core.after_fork_in_parent()
    _lock.release()


def _after_fork_in_child() -> None:
    global _lock
    _core.after_fork_in_child()
    _lock = threading.Lock()
    for client in list(_clients):
        client._forked()
    _clients.clear()
    _by_name.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
