"""What a full inbox does: the value object Latest, and the check of `overflow`.

Knows the checks of arguments and the names of events, and nothing of the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ._handlers import RESERVED
from ._options import encodable

_NAMES = ("pause", "drop_oldest", "drop_newest")
_PAUSE = ("pause", "")


@dataclass(frozen=True, slots=True)
class Latest:
    """Keep only the latest unread message for each value of a key: `overflow=Latest("symbol")`.

    key: a top-level key of the messages. An arriving message takes the place of the unread one of its route (`route_by`)
    and value of this key, whether the inbox is full or not; what went is counted as "conflated", and no event tells it. A
    message in which the key is missing, or holds anything but a string or an integer, is treated as "pause".

    Raises:
        TypeError, ValueError: the key is no str that has a UTF-8 form.
    """

    key: str

    def __post_init__(self) -> None:
        if not isinstance(self.key, str):
            raise TypeError(f"Latest(key=) must be a str, not {type(self.key).__name__}")
        encodable("Latest(key=)", self.key)


Policy: TypeAlias = Literal["pause", "drop_oldest", "drop_newest"] | Latest
Overflow: TypeAlias = Policy | Mapping[str, Policy]


def overflow_setting(overflow: Any, *, decode: str, routed: bool) -> dict[str, Any]:
    """`overflow` as the core takes it: a policy is (name, key), for `others`, `unrouted`, `binary` and `by_route`.

    Raises TypeError or ValueError.
    """
    if not isinstance(overflow, Mapping):
        policy = _policy("overflow", overflow, decode)
        return {"others": policy, "unrouted": policy, "binary": _without_key(policy), "by_route": {}}
    routes = {}
    for route, value in overflow.items():
        if not isinstance(route, str):
            raise TypeError(f"overflow: a route must be a str, not {type(route).__name__}")
        routes[encodable("overflow: a route", route)] = _policy(f"overflow[{route!r}]", value, decode)
    others = routes.pop("*", _PAUSE)
    unrouted = routes.pop("message", others)
    binary = _without_key(routes.pop("binary", others))
    for route in routes:
        if route in RESERVED:
            raise ValueError(
                f"overflow: {route!r} is an event that nothing drops; the type is 'type:{route}'"
            )
        if not routed:
            raise ValueError(f"overflow[{route!r}] is never used: without route_by no message has a route")
        if decode != "json":
            raise ValueError(
                f"overflow[{route!r}] is never used: with decode={decode!r} no message has a route"
            )
    by_route: dict[str, tuple[str, str]] = {}
    for route, policy in routes.items():
        name = route.removeprefix("type:")
        if by_route.setdefault(name, policy) != policy:
            raise ValueError(f"overflow: {name!r} and 'type:{name}' are one route and have two policies")
    return {"others": others, "unrouted": unrouted, "binary": binary, "by_route": by_route}


def _policy(name: str, value: Any, decode: str) -> tuple[str, str]:
    if isinstance(value, Latest):
        if decode != "json":
            raise ValueError(f"{name}: Latest needs objects with keys, so decode must be 'json'")
        return "latest", value.key
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a policy's name or a Latest, not {type(value).__name__}")
    if value not in _NAMES:
        known = ", ".join(f'"{one}"' for one in _NAMES)
        raise ValueError(f"{name} must be one of {known}, or a Latest, not {value!r}")
    return value, ""


def _without_key(policy: tuple[str, str]) -> tuple[str, str]:
    return _PAUSE if policy[0] == "latest" else policy  # bytes have no keys
