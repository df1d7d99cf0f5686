"""What a message that was not taken raises.

Knows the exceptions, and those of the core. Promises: the core's words, in an exception of ours that names the client's
URL and what to try.
"""

from __future__ import annotations

from . import _core
from ._errors import FastwsError, MessageTooBig, NotConnected, OfflineQueueFull

REFUSED = _core.Refused


def refusal(error: _core.Refused, url: str) -> FastwsError:
    """The exception that stands for a REFUSED."""
    why, text = error.args
    made: FastwsError
    if why == "too_big":
        made = MessageTooBig(text, url=url)
    elif why == "queue_full":
        made = OfflineQueueFull(f"{url}: {text}, and its on_full is 'raise'", url=url)
    else:
        made = NotConnected(f"{url}: {text}; wait_open() waits for it", url=url)
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
