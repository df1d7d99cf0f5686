"""What a client sends by itself, natively: its application's heartbeat, and replies to messages that match.

Knows the argument checks alone. Promises: bad input raises at once and names the argument; what is to be sent is JSON
text from here on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._options import number

_Dumps = Callable[[Any], str]
_SCALARS = (str, int, float, bool, type(None))


def _text(name: str, value: Any, dumps: _Dumps) -> str:
    try:
        return dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} can not be sent: {error}") from None


def heartbeat(value: Any, dumps: _Dumps) -> tuple[str, float] | None:
    """`heartbeat` as (text, seconds). Raises TypeError or ValueError."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(
            f'heartbeat must be {{"send": obj, "every": seconds}} or None, not {type(value).__name__}'
        )
    if set(value) != {"send", "every"}:
        raise ValueError(f'heartbeat must have the keys "send" and "every" alone, not {list(value)!r}')
    every = number('heartbeat["every"]', value["every"], above=True)
    assert every is not None
    return _text('heartbeat["send"]', value["send"], dumps), every


def _match(name: str, match: Any, dumps: _Dumps) -> list[tuple[str, str]]:
    if not isinstance(match, Mapping):
        raise TypeError(f"{name}: a match must be a mapping of keys to values, not {type(match).__name__}")
    if not match:
        raise ValueError(f"{name}: a match without keys would reply to everything")
    members = []
    for key, value in match.items():
        if not isinstance(key, str):
            raise TypeError(f"{name}: a key to match must be a str, not {type(key).__name__}")
        if not isinstance(value, _SCALARS):
            raise TypeError(
                f"{name}[{key!r}]: only str, numbers, True, False and None can be matched, not {type(value).__name__}"
            )
        _text(f"{name}: a key", key, dumps)
        members.append((key, _text(f"{name}[{key!r}]", value, dumps)))
    return members


def auto_reply(value: Any, dumps: _Dumps) -> list[tuple[list[tuple[str, str]], str]]:
    """`auto_reply` as [(keys with the JSON text of their values, the reply's text)]. Raises TypeError or ValueError."""
    if value is None:
        return []
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"auto_reply must be a list of (match, reply) or None, not {type(value).__name__}")
    rules = []
    for index, rule in enumerate(value):
        name = f"auto_reply[{index}]"
        if not isinstance(rule, (tuple, list)) or len(rule) != 2:
            raise TypeError(f"{name} must be a pair (match, reply), not {rule!r}")
        rules.append((_match(f"{name}[0]", rule[0], dumps), _text(f"{name}[1]", rule[1], dumps)))
    return rules
