"""The option values, and the checks that every argument goes through: bad input raises at once and names it.

Knows nothing of the core. Numbers are seconds or bytes, as each docstring says; None = off.
"""

from __future__ import annotations

import functools
import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, TypeVar

_Init = TypeVar("_Init", bound=Callable[..., None])
LONGEST = 1e9  # seconds: 30 years, which every clock can count; what is longer is shortened to it
_LARGEST = 2**63 - 1


def refused_by_class(init: _Init) -> _Init:
    """Decorate a constructor that subclasses share: what it can not be called with is refused in the name of the class that
    was called, with the keyword that was probably meant."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **keywords: Any) -> None:
        try:
            init(self, *args, **keywords)
        except TypeError:
            try:
                signature.bind(self, *args, **keywords)
            except TypeError as error:
                import difflib  # only here

                unknown = next((name for name in keywords if name not in signature.parameters), "")
                meant = difflib.get_close_matches(unknown, signature.parameters, 1)
                hint = f"; did you mean {meant[0]!r}?" if meant else ""
                raise TypeError(f"{type(self).__name__}() {error}{hint}") from None
            raise

    return checked  # type: ignore[return-value]


def number(
    name: str, value: Any, *, least: float = 0.0, above: bool = False, none: bool = False
) -> float | None:
    """A finite float of at least `least` (or above it). Raises TypeError or ValueError that names the argument."""
    if value is None and none:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number{' or None' if none else ''}, not {type(value).__name__}")
    try:
        result = float(value)
    except OverflowError:  # an int with more than 308 digits
        raise ValueError(f"{name} is too large") from None
    if not math.isfinite(result) or result < least or (above and result == least):
        raise ValueError(f"{name} must be {'above' if above else 'at least'} {least:g}, not {value!r}")
    return min(result, LONGEST)


def whole(name: str, value: Any, *, least: int = 1, most: int = _LARGEST, none: bool = False) -> int | None:
    """An int of at least `least` and at most `most`. Raises TypeError or ValueError that names the argument."""
    if value is None and none:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int{' or None' if none else ''}, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}")
    return value


def truth(name: str, value: Any) -> bool:
    """A bool. Raises TypeError that names the argument."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
    return value


def text(name: str, value: Any, *, none: bool = False) -> str | None:
    """A str that is safe in a header: no CR, LF, NUL. Raises TypeError or ValueError that names the argument."""
    if value is None and none:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str{' or None' if none else ''}, not {type(value).__name__}")
    if any(c in value for c in "\r\n\0"):
        raise ValueError(f"{name} holds a line break or NUL")
    return encodable(name, value)


def encodable(name: str, value: str) -> str:
    """A str that has a UTF-8 form. Raises ValueError that names the argument."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} holds a lone surrogate") from None
    return value


def _close_code(name: str, value: Any) -> int:
    code = whole(name, value, least=1000, most=4999)
    assert code is not None
    return code


@dataclass(frozen=True, slots=True)
class Backoff:
    """When to try again: `min(cap, base * factor**n)` seconds, less up to `jitter` of it, after n failures in a row.

    base, cap: seconds. factor: at least 1. jitter: 0 to 1. min_uptime: seconds a connection must last to start over.
    max_retries, max_elapsed (seconds): give up after so many or so long; None = never. close_code_delay: close code ->
    (least, most) seconds. fatal_close_codes: close codes after which no attempt follows. retry_after_cap: a server's
    Retry-After is honoured up to so many seconds, plus up to 10 % of them, so that not all clients come at once.

    Raises:
        TypeError, ValueError: a value is not what its name needs.
    """

    base: float = 1.0
    factor: float = 2.0
    cap: float = 30.0
    jitter: float = 0.5
    min_uptime: float = 5.0
    max_retries: int | None = None
    max_elapsed: float | None = None
    close_code_delay: Mapping[int, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType({1012: (5.0, 30.0)}), hash=False
    )
    fatal_close_codes: Iterable[int] = ()
    retry_after_cap: float = 300.0

    def __post_init__(self) -> None:
        number("Backoff(base=)", self.base, above=True)
        number("Backoff(factor=)", self.factor, least=1.0)
        number("Backoff(cap=)", self.cap, above=True)
        if self.cap < self.base:
            raise ValueError(f"Backoff(cap=) must be at least base ({self.base:g}), not {self.cap!r}")
        jitter = number("Backoff(jitter=)", self.jitter)
        assert jitter is not None
        if jitter > 1.0:
            raise ValueError(f"Backoff(jitter=) must be at most 1, not {self.jitter!r}")
        number("Backoff(min_uptime=)", self.min_uptime)
        whole("Backoff(max_retries=)", self.max_retries, least=0, most=2**32 - 1, none=True)
        number("Backoff(max_elapsed=)", self.max_elapsed, none=True)
        number("Backoff(retry_after_cap=)", self.retry_after_cap)
        delays = {}
        if not isinstance(self.close_code_delay, Mapping):
            raise TypeError(
                "Backoff(close_code_delay=) must be a mapping of close code to (least, most) seconds"
            )
        for code, span in self.close_code_delay.items():
            where = f"Backoff(close_code_delay=)[{code}]"
            if not isinstance(span, (tuple, list)) or len(span) != 2:
                raise TypeError(f"{where} must be a pair (least, most) of seconds")
            least, most = number(where, span[0]), number(where, span[1])
            assert least is not None and most is not None
            if least > most:
                raise ValueError(f"{where}: {least:g} is above {most:g}")
            delays[_close_code("Backoff(close_code_delay=)", code)] = (least, most)
        object.__setattr__(self, "close_code_delay", MappingProxyType(delays))
        if isinstance(self.fatal_close_codes, (str, bytes)) or not isinstance(
            self.fatal_close_codes, Iterable
        ):
            raise TypeError("Backoff(fatal_close_codes=) must be an iterable of close codes")
        codes = frozenset(_close_code("Backoff(fatal_close_codes=)", code) for code in self.fatal_close_codes)
        object.__setattr__(self, "fatal_close_codes", codes)

    def __reduce__(self) -> tuple[Any, ...]:
        return _backoff_from, (self.core(),)  # a mapping proxy can not be pickled

    @classmethod
    def classic(cls) -> Backoff:
        """1, 2, 4 ... 30 seconds exactly, started over by every connection that opens: no jitter, no stable time."""
        return cls(jitter=0.0, min_uptime=0.0)

    def core(self) -> dict[str, Any]:
        """The same as plain values, for the core."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("base", "cap", "min_uptime", "max_elapsed", "retry_after_cap"):
            values[name] = number(name, values[name], none=True)
        values["close_code_delay"] = dict(self.close_code_delay)
        values["fatal_close_codes"] = sorted(self.fatal_close_codes)
        return values


def _backoff_from(values: dict[str, Any]) -> Backoff:
    return Backoff(**values)


@dataclass(frozen=True, slots=True)
class Deflate:
    """How messages are compressed: permessage-deflate (RFC 7692), offered to the server, which may decline it.

    level: 1 (fast) to 9 (small). window_bits: 9 to 15, both ways: what compression may refer back to is 2**window_bits
    bytes. context_takeover: messages may refer to earlier ones; False = each stands for itself, which compresses worse and
    lets the server keep nothing. threshold_bytes: smaller messages are sent as they are.

    Memory per connection, from the first compressed message of that direction on: sending 256 KiB at 15 bits, 4 KiB at 9;
    receiving 40 KiB.

    Raises:
        TypeError, ValueError: a value is not what its name needs.
    """

    level: int = 6
    window_bits: int = 15
    context_takeover: bool = True
    threshold_bytes: int = 1024

    def __post_init__(self) -> None:
        whole("Deflate(level=)", self.level, least=1, most=9)
        whole("Deflate(window_bits=)", self.window_bits, least=9, most=15)
        truth("Deflate(context_takeover=)", self.context_takeover)
        whole("Deflate(threshold_bytes=)", self.threshold_bytes, least=0)

    def core(self) -> dict[str, Any]:
        """The same as plain values, for the core."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Queue:
    """Messages that are sent while not open wait here, and go out in order when the next connection's `connect` handlers
    have returned. `close()` and giving up clear it.

    messages, bytes: the most that waits (bytes of JSON, text or binary); one message of any size passes an empty queue.
    ttl: seconds after which a message is dropped; None = never. on_full: "drop_oldest", "drop_newest" (`send` returns False)
    or "raise" (OfflineQueueFull). What is dropped is counted as "offline" and told by a `dropped` event.

    Raises:
        TypeError, ValueError: a value is not what its name needs.
    """

    messages: int = 1000
    bytes: int = 16 * 2**20
    ttl: float | None = None
    on_full: Literal["drop_oldest", "drop_newest", "raise"] = "drop_oldest"

    def __post_init__(self) -> None:
        whole("Queue(messages=)", self.messages)
        whole("Queue(bytes=)", self.bytes)
        number("Queue(ttl=)", self.ttl, above=True, none=True)
        if self.on_full not in ("drop_oldest", "drop_newest", "raise"):
            raise ValueError(
                f'Queue(on_full=) must be "drop_oldest", "drop_newest" or "raise", not {self.on_full!r}'
            )

    def core(self) -> dict[str, Any]:
        """The same as plain values, for the core."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return values | {"policy": "queue", "ttl": number("Queue(ttl=)", self.ttl, none=True)}


@dataclass(frozen=True, slots=True)
class Tls:
    """How wss connections are made. By default the system's authorities are trusted and the host's name is checked.

    ca_file, ca_path: PEM file, hashed folder; ca_data: PEM text. cert_file, key_file, key_password: our own certificate.
    verify: False checks nothing (a warning is logged). server_name: the name to check and send instead of the URL's host.
    min_version: "1.2" (default) or "1.3". alpn: the protocols offered to the server (RFC 7301); by default "http/1.1", as
    browsers offer it for WebSockets; None = none. keylog_file: a file to which the connections' secrets are appended in
    the SSLKEYLOGFILE format, for Wireshark: whoever reads it reads the traffic. The environment variable of that name is
    not looked at; to honour it, pass `keylog_file=os.environ.get("SSLKEYLOGFILE")`. None = not set.

    Without ca_*, the authorities are those of SSL_CERT_FILE and SSL_CERT_DIR if set, else the system's, else those of the
    package certifi if it is installed. Sessions are resumed on reconnect, under equal settings and to the same host only.

    Raises:
        TypeError, ValueError: a value is not what its name needs.
    """

    ca_file: str | os.PathLike[str] | None = None
    ca_path: str | os.PathLike[str] | None = None
    ca_data: str | None = field(default=None, repr=False)
    cert_file: str | os.PathLike[str] | None = None
    key_file: str | os.PathLike[str] | None = None
    key_password: str | None = field(default=None, repr=False)
    verify: bool = True
    server_name: str | None = None
    min_version: str | None = None
    alpn: Iterable[str] | None = ("http/1.1",)
    keylog_file: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        for name in ("ca_file", "ca_path", "cert_file", "key_file", "keylog_file"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, (str, os.PathLike)):
                raise TypeError(f"Tls({name}=) must be a path or None, not {type(value).__name__}")
            if value is not None:
                object.__setattr__(self, name, os.fspath(value))
        for name in ("ca_data", "key_password"):
            if not isinstance(getattr(self, name), (str, type(None))):
                raise TypeError(
                    f"Tls({name}=) must be a str or None, not {type(getattr(self, name)).__name__}"
                )
        truth("Tls(verify=)", self.verify)
        text("Tls(server_name=)", self.server_name, none=True)
        if self.min_version not in (None, "1.2", "1.3"):
            raise ValueError(f'Tls(min_version=) must be "1.2" or "1.3", not {self.min_version!r}')
        object.__setattr__(self, "alpn", _protocols(self.alpn))

    def core(self) -> dict[str, Any]:
        """The same as plain values, for the core."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        plain = {name: "" if value is None else value for name, value in values.items()}
        return plain | {"alpn": list(self.alpn or ()), "trust": None}


def _protocols(alpn: Any) -> tuple[str, ...] | None:
    if alpn is None:
        return None
    if isinstance(alpn, (str, bytes)) or not isinstance(alpn, Iterable):
        raise TypeError(f"Tls(alpn=) must be an iterable of str or None, not {type(alpn).__name__}")
    names = tuple(alpn)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"Tls(alpn=) must hold str, not {type(name).__name__}")
        if not 1 <= len(encodable("Tls(alpn=)", name).encode()) <= 255:
            raise ValueError(f"Tls(alpn=): {name!r} must have 1 to 255 bytes of UTF-8")
        if name in ("h2", "h3"):
            raise ValueError(f"Tls(alpn=): {name!r} can not be offered, this client speaks HTTP/1.1 alone")
    return names or None
