"""Who a client is: its name and URL as messages show them, and that there is no second of it.

Knows the core's URL and state. Promises: nothing secret.
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

    @property
    def url(self) -> str:
        """The URL of the last attempt, without user and password."""
        return self._core.url

    @property
    def name(self) -> str | None:
        """The name given to the constructor."""
        return self._name

    def __repr__(self: Any) -> str:
        name = "" if self._name is None else f" {self._name!r}"
        return f"<{type(self).__name__}{name} {self.url or PROVIDED} {self.state}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Behind copy and pickle. A second object of the same core would end the connection when it is collected."""
        raise TypeError(f"{type(self).__name__} can not be copied or pickled: make one where it is needed")
