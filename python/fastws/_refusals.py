"""What a message that was not taken raises.

Knows the exceptions, those of the core, and the delivery. Promises: the core's words, in an exception of ours that names
the client's URL and what to try; what became of the connection is in the log before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from . import _core
from ._delivery import Delivery
from ._errors import FastwsError, MessageTooBig, NotConnected, OfflineQueueFull
from ._identity import PROVIDED

REFUSED = _core.Refused


def refusal(error: _core.Refused, url: str) -> FastwsError:
    """The exception that stands for a REFUSED."""
    why, text = error.args
    place = url or PROVIDED
    made: FastwsError
    if why == "too_big":
        made = MessageTooBig(f"{place}: {text}", url=url)
    elif why == "queue_full":
        made = OfflineQueueFull(f"{place}: {text}, and its on_full is 'raise'", url=url)
    else:
        made = NotConnected(f"{place}: {text}; wait_open() waits for it", url=url)
    keep_count(made, getattr(error, "accepted", 0))
    return made


def keep_count(error: BaseException, accepted: int) -> None:
    """Say in an exception how many messages of send_many had been accepted."""
    error.accepted = accepted  # type: ignore[attr-defined]


def tell_accepted(error: BaseException, before: int, url: str) -> None:
    """Say in what ends send_many, also in its traceback (Python 3.11), how many were accepted: in this batch and `before` it.

    Raises:
        FastwsError: what stands for `error`, when that is a REFUSED.
    """
    told = refusal(error, url) if isinstance(error, REFUSED) else error
    accepted = before + getattr(told, "accepted", 0)
    keep_count(told, accepted)
    if hasattr(told, "add_note"):
        told.add_note(f"send_many: {accepted} messages had been accepted before")
    if told is not error:
        raise told from None


def no_buffer(data: object) -> TypeError:
    """What send_bytes raises for what is none; its value is not shown, it may be anything."""
    instead = "; send_text() sends text" if isinstance(data, str) else ""
    return TypeError(f"send_bytes takes bytes or another buffer, not {type(data).__name__}{instead}")


class Refusing(ABC):
    """What a client has of it."""

    _dispatcher: Delivery

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL of the last attempt, without user and password."""

    def _unsent(self) -> bool:
        """Behind a message that was dropped: False. Who only sends, and has no handlers, is to find in the log why."""
        self._dispatcher.drain()
        return False

    def _refusal(self, error: _core.Refused) -> FastwsError:
        """What a refused message raises. Logged is the same as behind a dropped one."""
        self._dispatcher.drain()
        return refusal(error, self.url)
