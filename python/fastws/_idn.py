"""Host names beyond ASCII, in the form that name servers, certificates and servers know (IDNA 2008, UTS 46).

Knows the package idna, which is imported only for such a name. Everything else about a URL is the core's to judge.
"""

from __future__ import annotations

import re

_HOST = re.compile(r"(?P<before>[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#\\]*@)?)(?P<host>[^\[\]/?#\\@:]+)")


def ascii_host(url: str) -> str:
    """The same URL with its host in ASCII: `wss://bücher.example/` becomes `wss://xn--bcher-kva.example/`.

    Raises:
        ValueError: the host can not be a name, with the reason.
    """
    found = _HOST.match(url)
    if found is None or found["host"].isascii():
        return url
    import idna  # as rare as such names are

    try:
        host = idna.encode(found["host"], uts46=True, std3_rules=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"url: {found['host']!r} can not be a host name: {error}") from None
    return found["before"] + host + url[found.end() :]
