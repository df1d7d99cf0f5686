"""The clients that are measured, each once: how it receives, echoes, sends and holds many connections.

base.py says what a contender is. Each file knows one library and uses it as its documentation recommends for speed. A
process makes only the contender that it measures, so that nobody carries the others' modules.
"""

from __future__ import annotations

import importlib

import fastws

from .base import Contender

_PLACES = {
    "count": ("floor", "Floor"),
    "fastws": ("fastws_faces", "Handled"),
    "fastws-recv": ("fastws_faces", "Read"),
    "fastws-messages": ("fastws_faces", "Iterated"),
    "fastws-async": ("fastws_async", "HandledAsync"),
    "fastws-async-recv": ("fastws_async", "ReadAsync"),
    "fastws-async-messages": ("fastws_async", "IteratedAsync"),
    "picows": ("picows_peer", "Picows"),
    "aiohttp": ("aiohttp_peer", "Aiohttp"),
    "websockets": ("websockets_peer", "Websockets"),
    "websocket-client": ("websocket_client_peer", "WebsocketClient"),
}


def make(key: str) -> Contender:
    """The contender of that key."""
    module, name = _PLACES[key]
    made: Contender = getattr(importlib.import_module(f"contenders.{module}"), name)()
    return made


def missing(key: str) -> str | None:
    """Why a contender can not take part; None when it can."""
    if key.startswith("fastws-async") and not hasattr(fastws, "AsyncWebSocketClient"):
        return "this fastws has no AsyncWebSocketClient"
    return None


def is_peer(key: str) -> bool:
    """Whether it is a client of another project."""
    return key != "count" and not key.startswith("fastws")
