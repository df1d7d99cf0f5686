"""What a message that was not taken raises.

Knows the exceptions, and those of the core. Promises: the core's words, in an exception of ours that names the client's
URL and what to try.
"""

from __future__ import annotations

from . import _core
from ._errors import FastwsError, MessageTooBig, NotConnected, OfflineQueueFull

REFUSED = (OverflowError, _core.Refused)


def refusal(error: Exception, url: str) -> FastwsError:
    """The exception that stands for one of REFUSED."""
    made: FastwsError
    if isinstance(error, OverflowError):
        made = MessageTooBig(str(error), url=url)
    elif error.args[0] == "queue_full":
        made = OfflineQueueFull(f"{url}: {error.args[1]}, and its on_full is 'raise'", url=url)
    else:
        made = NotConnected(f"{url}: {error.args[1]}; wait_open() waits for it", url=url)
    keep_count(made, getattr(error, "accepted", 0))
    return made


def keep_count(error: BaseException, accepted: int) -> None:
    """Say in an exception how many messages of send_many had been accepted."""
    error.accepted = accepted  # type: ignore[attr-defined]


def tell_accepted(error: BaseException, before: int, url: str) -> None:
    """Say in what ends send_many, also in its traceback (Python 3.11), how many were accepted: in this batch and `before` it.

    Raises:
        FastwsError: what stands for `error`, when it is one of REFUSED.
    """
    told = refusal(error, url) if isinstance(error, REFUSED) else error
    accepted = before + getattr(told, "accepted", 0)
    keep_count(told, accepted)
    if hasattr(told, "add_note"):
        told.add_note(f"send_many: {accepted} messages had been accepted before")
    if told is not error:
        raise told from None
