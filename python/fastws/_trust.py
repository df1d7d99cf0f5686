"""Which certificate authorities a client trusts when its settings name none, and what is said when it checks nothing.

Knows the core's search of the system and the package certifi, which is imported only when that search finds nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import _core
from ._handlers import log

ROOT = ""  # of the file system that is searched: tests make one up


def complete(tls: dict[str, Any], secure: bool) -> None:
    """Fill in where the authorities are, if they are needed. Raises ValueError when the environment names unusable ones."""
    if not secure or not tls["verify"] or tls["ca_file"] or tls["ca_path"] or tls["ca_data"]:
        return
    file, folder = _core.find_trust(ROOT)
    if not file and not folder:
        file = _bundle_of_certifi()
    tls["trust"] = (file, folder)


def warn_unverified(tls: dict[str, Any], secure: bool, url: str) -> None:
    """Say that nobody checks who answers, if that is so."""
    if secure and not tls["verify"]:
        where = url or "url callable"
        log.warning("%s: the server's certificate is not checked (Tls(verify=False))", where)


def _bundle_of_certifi() -> str:
    try:
        return str(importlib.import_module("certifi").where())
    except ImportError:
        return ""
