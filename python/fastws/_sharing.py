"""What clients that are made alike have in common: their options, once in the process.

Knows the core. Promises: clients of equal settings share them while one of those lives; nothing of them, passwords
included, stays behind the last.
"""

from __future__ import annotations

import weakref
from typing import Any

from . import _core


class Shared:
    """Options as the core has them, and the settings that they were made of."""

    __slots__ = ("__weakref__", "core", "settings")

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.core = _core.Options(settings)


_living: weakref.WeakValueDictionary[int, Shared] = weakref.WeakValueDictionary()  # by the hash of their text


def shared(settings: dict[str, Any]) -> Shared:
    """The options of these settings (see _settings.core_config): those of another client, if it has equal ones."""
    key = hash(repr(settings))
    known = _living.get(key)
    if known is None or known.settings != settings:
        known = _living[key] = Shared(settings)
    return known
