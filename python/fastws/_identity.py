"""Who a client is: its name and URL as messages show them, and that there is no second of it.

Knows the core's URL and state. Promises: never an empty place in a message, and nothing secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

if TYPE_CHECKING:
    from . import _core

PROVIDED = "(url from a provider)"  # as long as it was not asked


class Identity:
    """What a client has of it."""

    _core: _core.Core
    _name: str | None
    _first_url = ""  # where the core is lost, it can not be asked any more
    _inherited = False  # by a fork's child, from the process it belongs to

    @property
    def url(self) -> str:
        """The URL of the last attempt, without user and password."""
        return self._core.url or self._first_url

    @property
    def name(self) -> str | None:
        """The name given to the constructor."""
        return self._name

    @property
    def _place(self) -> str:
        """What messages of exceptions begin with."""
        return self.url or PROVIDED

    @property
    def _who(self) -> str:
        """What lines of the log begin with."""
        return self._place if self._name is None else f"{self._name!r} {self._place}"

    def __repr__(self: Any) -> str:
        inherited = " (it belongs to the parent process)" if self._inherited else ""
        return f"<{type(self).__name__} {self._who} {self.state}{inherited}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Behind copy and pickle. A second object of the same core would end the connection when it is collected."""
        raise TypeError(f"{type(self).__name__} can not be copied or pickled: make one where it is needed")

    @property
    def _remedy(self) -> str:
        """What to try when it is not open."""
        if self._inherited:
            return "the client belongs to the parent process: make a new one in this process"
        remedies = {
            "idle": "connect() starts it",
            "closed": "connect() starts it again",
            "destroyed": "the client ended with the interpreter",
        }
        return remedies.get(self._core.state, "wait_open() waits for it")
