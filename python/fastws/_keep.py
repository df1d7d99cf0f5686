"""The last messages of a route: kept in the background, looked at whenever it suits, as a list or as a table.

Knows the handler table. pandas and polars are used if they are there, and imported only when a table is asked for.
Promises: bounded; a look copies, so that what arrives meanwhile changes nothing that was given.
"""

from __future__ import annotations

import importlib
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from ._handlers import LIFECYCLE, RESERVED, HandlerTable
from ._options import encodable, whole

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._delivery import Delivery

_LIBRARIES = ["pandas", "polars"]  # the first is preferred


class Tail:
    """The last `limit` messages of one route."""

    __slots__ = ("limit", "messages")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.messages: deque[Any] = deque()

    def add(self, message: Any) -> None:
        """The handler: one more, and the oldest goes. No deque of fixed length: another `limit` must lose nothing."""
        self.messages.append(message)
        while len(self.messages) > self.limit:
            self.messages.popleft()

    def shrink(self, limit: int) -> None:
        """Keep another number from now on. The handler may be running: whoever comes too late finds nothing to take."""
        self.limit = limit
        try:
            while len(self.messages) > limit:
                self.messages.popleft()
        except IndexError:
            pass

    def last(self, n: int | None) -> list[Any]:
        """The newest `n`, oldest first; None = all."""
        messages = list(self.messages.copy())  # one step for whoever appends; iterating it would not be
        return messages if n is None else messages[max(0, len(messages) - n) :]


class Keeper:
    """The tails of one client, by route."""

    def __init__(self) -> None:
        self._tails: dict[str, Tail] = {}

    def keep(self, handlers: HandlerTable, route: str, n: int) -> None:
        """Keep the last `n` messages of a route, 0 = no more. Raises TypeError, ValueError."""
        name = _name(route)
        whole("n", n, least=0)
        tail = self._tails.get(name)
        if n == 0:
            if tail is not None:
                handlers.remove(name, tail.add)
                del self._tails[name]
        else:
            made = Tail(n)
            tail = self._tails.setdefault(name, made)
            if tail is made:
                handlers.add_own(name, tail.add)
            else:
                tail.shrink(n)

    def tail(self, route: str, n: int | None) -> list[Any]:
        """What is kept of a route, oldest first. Raises TypeError, ValueError."""
        if n is not None:
            whole("n", n, least=0)
        tail = self._tails.get(_name(route))
        if tail is None:
            raise ValueError(f"nothing of {route!r} is kept: keep({route!r}, n) begins it")
        return tail.last(n)


class Keeping(ABC):
    """What a client has of it."""

    _dispatcher: Delivery
    _lock: threading.Lock
    _keeper: Keeper | None = None  # once something was kept

    @abstractmethod
    def _at_hand(self) -> None:
        """Raise RuntimeError when the client can not be used from here."""

    @abstractmethod
    def _heed_handlers(self) -> None:
        """Tell the core who handles what now."""

    def keep(self, route: str, n: int = 1000) -> Self:
        """Keep the last `n` messages of a type (or of `message`, `binary`) for `tail` and `to_frame`; 0 = no more.

        Counts as a handler, so those messages are not dropped. Another `n` for the same route keeps what is kept; closing
        and connecting anew do, too.

        Raises:
            TypeError, ValueError: `route` is no message's, or `n` is no number of messages.
            RuntimeError: the system gives no thread for handlers.
        """
        self._at_hand()
        with self._lock:
            if self._keeper is None:
                self._keeper = Keeper()
        self._keeper.keep(self._dispatcher.handlers, route, n)
        try:
            self._dispatcher.start()  # first, so that what is claimed has somebody who takes it
        except RuntimeError:
            self._keeper.keep(self._dispatcher.handlers, route, 0)
            raise
        self._heed_handlers()
        return self

    def tail(self, route: str, n: int | None = None) -> list[Any]:
        """The newest `n` of what `keep` keeps of a route, oldest first; None = all.

        Raises:
            ValueError: nothing of this route is kept.
        """
        return self._tail(route, n)

    def to_frame(self, route: str, *, library: Literal["pandas", "polars"] | None = None) -> Any:
        """What `keep` keeps of a route as a DataFrame, a row for each message and a column for each key (`message` for
        those that are no objects). A missing key is None or NaN; nested values stay the objects they are.

        `library`: None = of pandas and polars the one that was imported, else the one that is installed; pandas if both.

        Raises:
            ImportError: neither is installed. ValueError: nothing of this route is kept.
        """
        return to_frame(self._tail(route, None), library)

    def _tail(self, route: str, n: int | None) -> list[Any]:
        return (self._keeper or Keeper()).tail(route, n)


def to_frame(messages: list[Any], library: str | None) -> Any:
    """A table with a row for each message. Raises ImportError, ValueError."""
    if library is not None and library not in _LIBRARIES:
        raise ValueError(f"library must be 'pandas', 'polars' or None, not {library!r}")
    rows = [one if isinstance(one, dict) else {"message": one} for one in messages]
    columns = dict.fromkeys(
        name for row in rows for name in row
    )  # in the order in which they were first seen
    module = _library(library)
    if module.__name__ == "pandas":
        return module.DataFrame(rows, columns=list(columns) or None)
    return module.DataFrame(
        [_polars_column(module, name, [row.get(name) for row in rows]) for name in columns]
    )


def _library(chosen: str | None) -> Any:
    wanted = _LIBRARIES if chosen is None else [chosen]
    for name in sorted(wanted, key=lambda name: name not in sys.modules):  # what is in use comes first
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # it is there, and lacks something itself
                raise
    made_of = " or ".join(wanted)
    raise ImportError(f"to_frame() needs {made_of}, which is not installed: pip install {wanted[0]}")


def _polars_column(polars: Any, name: str, values: list[Any]) -> Any:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int, float}:
        return polars.Series(name, values, dtype=polars.Float64, strict=False)
    if len(kinds) <= 1 and not kinds & {dict, list}:
        try:
            return polars.Series(name, values)
        except (TypeError, OverflowError, polars.exceptions.PolarsError):
            pass  # an int beyond 64 bits, say
    return polars.Series(name, values, dtype=polars.Object)


def _name(route: str) -> str:
    if not isinstance(route, str):
        raise TypeError(f"route must be a str, not {type(route).__name__}")
    if route in LIFECYCLE or route == "*":
        raise ValueError(f"messages can be kept, and {route!r} is an event of this client")
    plain = encodable("route", route).removeprefix("type:")
    return route if plain in RESERVED else plain
