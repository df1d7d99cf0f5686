"""A WebSocket client that stays connected: native, off the GIL, and simple.

from fastws import WebSocketClient

ws = WebSocketClient("wss://api.example.com/ws")
ws.on("update", lambda data: print(data))
ws.wait()
"""

from ._ask import Attempt
from ._async_client import AsyncWebSocketClient
from ._client import WebSocketClient
from ._errors import (
    ConnectFailed,
    ConnectionClosed,
    ConnectTimeout,
    FastwsError,
    HandshakeRejected,
    MessageTooBig,
    NotConnected,
    OfflineQueueFull,
    ProxyFailed,
    ResolveFailed,
    TcpFailed,
    TlsFailed,
)
from ._events import Closed, Connect, Connecting, Disconnect, Dropped, ErrorEvent, Event, Reconnecting
from ._options import Backoff, Deflate, Queue, Tls
from ._overflow import Latest
from ._registry import clients, close_all
from ._settings import __version__
from ._stats import ReadyState, Stats

__all__ = [
    "AsyncWebSocketClient",
    "Attempt",
    "Backoff",
    "Closed",
    "Connect",
    "ConnectFailed",
    "ConnectTimeout",
    "Connecting",
    "ConnectionClosed",
    "Deflate",
    "Disconnect",
    "Dropped",
    "ErrorEvent",
    "Event",
    "FastwsError",
    "HandshakeRejected",
    "Latest",
    "MessageTooBig",
    "NotConnected",
    "OfflineQueueFull",
    "ProxyFailed",
    "Queue",
    "ReadyState",
    "Reconnecting",
    "ResolveFailed",
    "Stats",
    "TcpFailed",
    "Tls",
    "TlsFailed",
    "WebSocketClient",
    "__version__",
    "clients",
    "close_all",
]

for _name in __all__:
    if hasattr(globals()[_name], "__module__"):
        globals()[_name].__module__ = __name__  # what tracebacks and documentation show
del _name
