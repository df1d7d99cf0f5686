"""A client's settings: every keyword of the constructor checked, and turned into plain values for the core.

Knows the option values and nothing of the core. Promises: bad input raises at once and names the argument; nothing that
it lets through can break out of a header line.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ._options import Backoff, Deflate, Queue, Tls, encodable, number, text, truth, whole
from ._overflow import overflow_setting

try:
    __version__ = version("fastws")
except PackageNotFoundError:  # imported from a tree that is not installed
    __version__ = "0"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
_OURS = {
    "upgrade": "",
    "connection": "",
    "sec-websocket-key": "",
    "sec-websocket-version": "",
    "sec-websocket-accept": "",
    "sec-websocket-extensions": "",
    "sec-websocket-protocol": "; subprotocols= names them",
}


def header_pairs(name: str, headers: Any) -> list[tuple[str, str]]:
    """Headers from a mapping or from pairs, checked (RFC 9110 section 5). Raises TypeError or ValueError."""
    if headers is None:
        return []
    items = headers.items() if isinstance(headers, Mapping) else headers
    if isinstance(items, (str, bytes)) or not isinstance(items, Iterable):
        raise TypeError(f"{name} must be a mapping, an iterable of pairs, a callable or None")
    pairs = []
    for item in items:
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise TypeError(f"{name} must hold pairs of (name, value), not {item!r}")
        key, value = text(f"{name}: a header's name", item[0]), text(f"{name}[{item[0]!r}]", item[1])
        assert key is not None and value is not None
        if not _TOKEN.fullmatch(key):
            raise ValueError(f"{name}: {key!r} can not be a header's name")
        if key.lower() in _OURS:
            raise ValueError(f"{name}: {key} belongs to the WebSocket handshake{_OURS[key.lower()]}")
        pairs.append((key, value.strip(" \t")))
    return pairs


def cookie_header(cookies: Any) -> list[tuple[str, str]]:
    """The Cookie header (RFC 6265 section 4.2) of a mapping. Raises TypeError or ValueError."""
    if cookies is None:
        return []
    if not isinstance(cookies, Mapping):
        raise TypeError(f"cookies must be a mapping or None, not {type(cookies).__name__}")
    parts = []
    for key, value in cookies.items():
        text("cookies: a name", key)
        text(f"cookies[{key!r}]", value)
        if not _TOKEN.fullmatch(key) or any(c in value for c in ';, "\\'):
            raise ValueError(f"cookies: {key!r} can not be sent as it stands; quote or encode it")
        parts.append(f"{key}={value}")
    return [("Cookie", "; ".join(parts))] if parts else []


def basic_auth(user: str, password: str) -> tuple[str, str]:
    """The header of HTTP Basic authentication (RFC 7617)."""
    return "Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def auth_header(auth: Any) -> list[tuple[str, str]]:
    """The header of `auth=(user, password)`. Raises TypeError or ValueError."""
    if auth is None:
        return []
    if not isinstance(auth, tuple) or len(auth) != 2 or not all(isinstance(part, str) for part in auth):
        raise TypeError("auth must be a pair (user, password) of str, or None")
    if ":" in auth[0]:
        raise ValueError("auth: a user with a colon can not be sent (RFC 7617)")
    return [basic_auth(*auth)]


def proxy_setting(proxy: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """`proxy` as the core takes it: empty = none; else `url`, or the environment's four variables ("" = not set).

    The names in lower case go first, as everywhere; an empty one hides the other. Under a web server's CGI, HTTP_PROXY is
    what a client of it sent as its header `Proxy`, so it is ignored there. Raises TypeError or ValueError.
    """
    if proxy is None:
        return {}
    if not isinstance(proxy, str):
        raise TypeError(f'proxy must be "env", a URL or None, not {type(proxy).__name__}')
    if proxy != "env":
        return {"url": encodable("proxy", proxy)}
    found = {}
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        upper = "" if name == "http_proxy" and "REQUEST_METHOD" in environ else environ.get(name.upper(), "")
        # Bytes that are no UTF-8 stand as lone surrogates in what the system gave us.
        found[name] = environ.get(name, upper).strip().encode(errors="replace").decode()
    return found


def local_address(value: Any) -> tuple[str, int] | None:
    """`local_address` as (host, port), port 0 = any. Raises TypeError or ValueError."""
    if value is None:
        return None
    host, port = value if isinstance(value, tuple) and len(value) == 2 else (value, 0)
    if not isinstance(host, str):
        raise TypeError("local_address must be an IP address, (IP address, port) or None")
    checked = whole("local_address's port", port, least=0, most=65535)
    assert checked is not None
    return encodable("local_address", host), checked


def record_path(record: Any) -> bytes:
    """The path of `record` as the system takes it; empty = None. Raises TypeError or ValueError."""
    if record is None:
        return b""
    if not isinstance(record, (str, os.PathLike)):
        raise TypeError(f"record must be a path or None, not {type(record).__name__}")
    path = os.fsencode(record)
    if not path or b"\0" in path:
        raise ValueError("record must name a file")
    return path


def route_keys(route_by: Any) -> list[str]:
    """The keys of `route_by`. Raises TypeError or ValueError."""
    if route_by is None:
        return []
    keys = [route_by] if isinstance(route_by, str) else route_by
    if not isinstance(keys, (list, tuple)) or not all(isinstance(key, str) for key in keys):
        raise TypeError("route_by must be a str, a tuple of str, or None")
    for key in keys:
        encodable("route_by", key)
    if not keys:
        raise ValueError("route_by must name at least one key; None turns routing off")
    return list(keys)


def subprotocol_names(subprotocols: Any) -> list[str]:
    """The names of `subprotocols`, each a token (RFC 6455 section 4.1). Raises TypeError or ValueError."""
    if subprotocols is None:
        return []
    if isinstance(subprotocols, (str, bytes)) or not isinstance(subprotocols, Iterable):
        raise TypeError("subprotocols must be an iterable of str, or None")
    names = list(subprotocols)
    for one in names:
        if not isinstance(one, str):
            raise TypeError(f"subprotocols must hold str, not {type(one).__name__}")
        if not _TOKEN.fullmatch(one):
            raise ValueError(f"subprotocols: {one!r} can not be a subprotocol's name")
    if len(set(names)) != len(names):
        raise ValueError("subprotocols names one twice")
    return names


def _fixed_headers(
    headers: Any, cookies: Any, auth: Any, userinfo: Any, origin: Any, user_agent: Any
) -> list[tuple[str, str]]:
    """What every attempt sends. Two sources for one header are refused."""
    if auth is not None and userinfo is not None:
        raise ValueError("auth and the url's own user and password exclude each other")
    own = [] if callable(headers) else header_pairs("headers", headers)
    given = {key.lower() for key, _ in own}
    sources = {
        "authorization": {"auth": auth, "the url's user and password": userinfo},
        "cookie": {"cookies": cookies},
        "origin": {"origin": origin},
        "user-agent": {"user_agent": user_agent},
    }
    for key, others in sources.items():
        for other, value in others.items():
            if value is not None and key in given:
                raise ValueError(f"headers and {other} both set {key}: one of them must go")
    basic = [basic_auth(*userinfo)] if userinfo is not None else auth_header(auth)
    return cookie_header(cookies) + basic + own


def offline_setting(offline: Any) -> dict[str, Any]:
    """`offline` as the core takes it. Raises TypeError or ValueError."""
    if isinstance(offline, Queue):
        return offline.core()
    if not isinstance(offline, str):
        raise TypeError(f'offline must be "drop", "raise" or a Queue, not {type(offline).__name__}')
    if offline not in ("drop", "raise"):
        raise ValueError(f'offline must be "drop", "raise" or a Queue, not {offline!r}')
    return {"policy": offline}


def core_config(
    *,
    url: Any,
    userinfo: tuple[str, str] | None,
    reconnect: Any,
    should_reconnect: Any,
    ping_interval: Any,
    pong_timeout: Any,
    decode: Any,
    tls: Any,
    compress: Any,
    headers: Any,
    cookies: Any,
    auth: Any,
    **given: Any,
) -> dict[str, Any]:
    """A client's settings as plain values for the core, every keyword of its constructor checked.

    `userinfo`: the user and password of `url`. Raises TypeError or ValueError that names the argument.
    """
    if not isinstance(url, str) and not callable(url):
        raise TypeError(f"url must be a str or a callable, not {type(url).__name__}")
    if reconnect is None or reconnect is True:
        reconnect = Backoff()
    if reconnect is not False and not isinstance(reconnect, Backoff):
        raise TypeError(f"reconnect must be a Backoff or False, not {type(reconnect).__name__}")
    tls = Tls() if tls is None else tls
    if not isinstance(tls, Tls):
        raise TypeError(f"tls must be a Tls, not {type(tls).__name__}")
    if compress == "auto" or compress is True:
        compress = Deflate()
    if compress is not False and not isinstance(compress, Deflate):
        raise TypeError(f'compress must be "auto", False or a Deflate, not {compress!r}')
    if decode not in ("json", "text"):
        raise ValueError(f'decode must be "json" or "text", not {decode!r}')
    if ping_interval is None and pong_timeout not in (None, 10.0):
        raise ValueError("pong_timeout has no meaning with ping_interval=None: nothing is pinged")
    if should_reconnect is not None and not callable(should_reconnect):
        raise TypeError(f"should_reconnect must be callable or None, not {type(should_reconnect).__name__}")
    if should_reconnect is not None and reconnect is False:
        raise ValueError("should_reconnect is never asked with reconnect=False")
    origin, agent = given["origin"], given["user_agent"]
    config = {
        "url": url if isinstance(url, str) else None,
        "url_provider": callable(url),
        "headers_provider": callable(headers),
        "asks": should_reconnect is not None,
        "headers": _fixed_headers(headers, cookies, auth, userinfo, origin, agent),
        "subprotocols": subprotocol_names(given["subprotocols"]),
        "origin": text("origin", origin, none=True),
        "user_agent": f"fastws/{__version__}" if agent is None else text("user_agent", agent),
        "route_by": route_keys(given["route_by"]),
        "decode": decode,
        "settle": number("settle", given["settle"]),
        "ping_interval": number("ping_interval", ping_interval, above=True, none=True),
        "pong_timeout": number("pong_timeout", pong_timeout, above=True, none=True),
        "send_timeout": number("send_timeout", given["send_timeout"], none=True),
        "reconnect": reconnect is not False,
        "backoff": (reconnect or Backoff()).core(),
        "tls": tls.core(),
        "compress": compress.core() if compress else None,
        "proxy": proxy_setting(given["proxy"], os.environ),
        "offline": offline_setting(given["offline"]),
        "local_address": local_address(given["local_address"]),
    }
    config["record"] = record_path(given["record"])
    config["overflow"] = overflow_setting(given["overflow"], decode=decode, routed=bool(config["route_by"]))
    config["keep_cookies"] = truth("keep_cookies", given["keep_cookies"])
    config["max_redirects"] = whole("max_redirects", given["max_redirects"], least=0, most=1000)
    for name in ("connect_timeout", "close_timeout"):
        config[name] = number(name, given[name], above=True)
    config["max_message_bytes"] = whole("max_message_bytes", given["max_message_bytes"], most=2**31)
    for name in ("outbox_bytes", "inbox_messages", "inbox_bytes"):
        config[name] = whole(name, given[name])
    return config


def close_frame(code: Any, reason: Any) -> None:
    """Check what close() writes (RFC 6455 sections 5.5 and 7.4). Raises TypeError or ValueError that names the argument."""
    if isinstance(code, bool) or not isinstance(code, int):
        raise TypeError(f"code must be an int, not {type(code).__name__}")
    if code != 1000 and not 3000 <= code <= 4999:
        raise ValueError(f"code must be 1000 or 3000 to 4999 (RFC 6455 section 7.4), not {code}")
    if not isinstance(reason, str):
        raise TypeError(f"reason must be a str, not {type(reason).__name__}")
    if len(encodable("reason", reason).encode()) > 123:
        raise ValueError("reason must be at most 123 bytes of UTF-8 (RFC 6455 section 5.5)")
