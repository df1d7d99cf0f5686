"""The live card: shows a client as a cell's result, and keeps what is shown up to date.

Knows the client's face, the cell that runs, and the kernel's shell it is handed; imports nothing of IPython. Promises: one
thread for all cards, there only while a shown client lives; at most one update a second for each client, however often it
is shown, and none while nothing changes; a card ends with its client, and when the cell that showed it shows it no more.
"""

from __future__ import annotations

import atexit
import contextvars
import dataclasses
import os
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from . import _card, _cells
from ._events import Disconnect, ErrorEvent
from ._handlers import log

if TYPE_CHECKING:
    from ._face import ClientFace

_EVERY = 1.0  # seconds between two updates
_OVER = ("idle", "closed", "destroyed")


class Shown:
    """What a client has of it."""

    _card: Card | None = None  # once it is shown

    def _repr_html_(self: Any) -> str:
        """What tools that show HTML show: the card as it is now. Only one that is shown live knows rates."""
        return _card.html(_look(self) if self._card is None else self._card.look())

    def _ipython_display_(self: Any) -> None:
        """In a notebook: the card, kept up to date until the client is closed. Elsewhere IPython shows the repr."""
        shell = _cells.in_kernel()
        if shell is None:
            raise NotImplementedError
        if self._card is None:
            self._card = Card(self, shell)
        self._card.show(_cells.origin(_board))

    def _show_again(self) -> None:
        if self._card is not None:
            self._card.resume()


def _look(client: ClientFace) -> _card.Look:
    core = client._core  # asked itself: client.state may log what happened, again and again beside the card
    stats = client.stats()
    outcome = core.outcome()
    return _card.Look(
        kind=type(client).__name__,
        name=client.name,
        url=client._place,
        state=core.state,
        ended=None if outcome is None else outcome[0],
        messages_in=stats.messages_in,
        messages_out=stats.messages_out,
        reconnects=max(0, stats.connects - 1),
        failures=stats.failures,
        dropped=sum(stats.dropped.values()),
        latency=client.latency,
        error=_last_error(client),
    )


def _last_error(client: ClientFace) -> str | None:
    cause = client._dispatcher.cause
    if isinstance(cause, ErrorEvent):
        return cause.message
    if isinstance(cause, Disconnect) and cause.initiator != "user":
        return f"connection lost ({cause.code})" + (f": {cause.reason}" if cause.reason else "")
    failure = client._core.last_failure()
    return None if failure is None or cause is not None else str(failure["message"])


class Card:
    """What is shown of one client, in any number of places: they share one display id. Refers to the client weakly."""

    def __init__(self, client: ClientFace, shell: Any) -> None:
        self._client = weakref.ref(client)
        self._shell = shell
        self._display_id = f"fastws-{os.urandom(16).hex()}"
        self._context = contextvars.copy_context()
        self._runs: dict[str | None, object] = {}  # where it is shown: each cell's latest run that did
        self._last = _look(client)
        self._sampled_at = time.monotonic()
        self._rates_in: deque[float] = deque(maxlen=_card.HISTORY)
        self._rates_out: deque[float] = deque(maxlen=_card.HISTORY)
        self._published = ""

    def show(self, origin: _cells.Origin | None) -> None:
        """Show it where the caller's output goes."""
        cell = None if origin is None else origin.cell
        self._runs[None if cell is None else cell.id] = None if cell is None else cell.run
        if origin is not None and origin.context is not None:
            self._context = origin.context
        self._publish(self.look(), update=False)
        self.resume()

    def resume(self) -> None:
        """Keep it up to date from now on, if it is to be."""
        if self._runs and not self.over:
            _board.add(self)

    def forget_older(self, cell: _cells.Cell) -> bool:
        """The cell has ended: if it showed the card in an earlier run and not in this one, that output is gone. Whether
        the card is still shown anywhere."""
        if cell.id is not None and self._runs.get(cell.id, cell.run) != cell.run:
            del self._runs[cell.id]
        return bool(self._runs)

    @property
    def over(self) -> bool:
        """Whether nothing will change any more, unless somebody connects."""
        client = self._client()
        return client is None or client._core.state in _OVER

    def look(self) -> _card.Look:
        """The client as it is now, or as it was last."""
        client = self._client()
        if client is None:
            return dataclasses.replace(self._last, state="destroyed", ended=None)
        look = _look(client)
        return dataclasses.replace(look, rates_in=list(self._rates_in), rates_out=list(self._rates_out))

    def update(self) -> bool:
        """Take a sample of the rates, and publish what changed. Whether there will be more to show."""
        now, before = time.monotonic(), self._last
        look = self.look()
        seconds = now - self._sampled_at
        if look.state != "destroyed" and seconds > 0:
            self._rates_in.append(max(0, look.messages_in - before.messages_in) / seconds)
            self._rates_out.append(max(0, look.messages_out - before.messages_out) / seconds)
            if look.state in _OVER:  # this was the last sample: from now on nothing moves
                self._rates_in.append(0.0)
                self._rates_out.append(0.0)
            look = dataclasses.replace(look, rates_in=list(self._rates_in), rates_out=list(self._rates_out))
        self._last, self._sampled_at = look, now
        self._context.run(self._publish, look, update=True)
        return look.state not in _OVER

    def _publish(self, look: _card.Look, *, update: bool) -> None:
        html = _card.html(look)
        if update and html == self._published:
            return
        self._published = html
        self._shell.display_pub.publish(
            {"text/plain": _card.text(look), "text/html": html},
            {},
            transient={"display_id": self._display_id},
            update=update,
        )


class _Board:
    """The cards that are kept up to date, and the thread that does it."""

    def __init__(self) -> None:
        self._cards: set[Card] = set()
        self._began = False
        self.forked()

    def forked(self) -> None:
        """In a fork's child: the thread is gone, and what was shown is the parent's; as it is at the beginning."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._cards.clear()

    def add(self, card: Card) -> None:
        """Keep one more up to date."""
        with self._lock:
            self._cards.add(card)
            if not self._began:
                self._began = True
                atexit.register(self.end)
                if hasattr(os, "register_at_fork"):
                    os.register_at_fork(after_in_child=self.forked)
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="fastws-cards", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """At exit: no update any more."""
        self._stop.set()
        thread = self._thread
        if thread is not None:
            thread.join(1.0)

    def _cell_ended(self, cell: _cells.Cell) -> None:
        with self._lock:
            self._cards = {card for card in self._cards if card.forget_older(cell)}

    def _run(self) -> None:
        while not self._stop.wait(_EVERY):
            with self._lock:
                cards = list(self._cards)
            done = [card for card in cards if not _updated(card)]
            with self._lock:
                self._cards.difference_update(card for card in done if card.over)
                if not self._cards:
                    self._thread = None
                    return
            del cards, done


def _updated(card: Card) -> bool:
    try:
        return card.update()
    except Exception:
        # The kernel's sockets are closed, say: what can not be shown must not end the other cards.
        log.debug("a card can not be shown", exc_info=True)
        return True


_board = _Board()
