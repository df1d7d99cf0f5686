"""Type-checked, never run: what users write must pass mypy --strict, with the types that this file says."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

from fastws import (
    AsyncWebSocketClient,
    Attempt,
    Backoff,
    Connect,
    Deflate,
    Disconnect,
    ErrorEvent,
    HandshakeRejected,
    Queue,
    ReadyState,
    Reconnecting,
    Stats,
    Tls,
    WebSocketClient,
    clients,
    close_all,
)

ws = WebSocketClient("wss://api.example.com/ws")
ws.on("connect", lambda: ws.send({"type": "subscribe"})).on("update", print).off("update")


@ws.on("trade")
def trade(message: dict[str, Any]) -> None:
    """The decorator gives the function back as it was."""


@ws.on("connect", once=True)
def connected(event: Connect) -> None:
    """An event's fields have types."""
    assert_type(event.epoch, int)
    assert_type(event.downtime, float)
    assert_type(event.subprotocol, str | None)


def lost(event: Disconnect) -> None:
    """So have those of an end."""
    assert_type(event.code, int)
    assert_type(event.will_reconnect, bool)


def waiting(event: Reconnecting) -> None:
    """A cause is what was told before."""
    assert_type(event.cause, Disconnect | ErrorEvent | None)


trade({"price": 1})
ws.on("trade", lambda messages: print(len(messages)), batch=True)
ws.on("disconnect", lost).on("reconnecting", waiting)

assert_type(ws.send({"a": [1, 2.5, None]}, default=str), bool)
assert_type(ws.send_text("a"), bool)
assert_type(ws.send_bytes(bytearray(b"a")), bool)
assert_type(ws.send_many(({"n": number} for number in range(3)), default=str), int)
assert_type(ws.flush(5), bool)
assert_type(ws.sticky("sub", {"type": "subscribe"}, after_connect=True), bool)
assert_type(ws.unsticky("sub"), bool)
WebSocketClient("ws://host", offline="raise", heartbeat={"send": {"op": "hb"}, "every": 15})
WebSocketClient(
    "ws://host", offline=Queue(messages=10, on_full="raise"), auto_reply=[({"op": "ping"}, {"op": "pong"})]
)
assert_type(ws.ping(), float)
assert_type(ws.recv_many(10, 1.0), list[Any])
assert_type(ws.wait(1.0), bool)
assert_type(ws.state, str)
assert_type(ws.ready_state, ReadyState)
assert_type(ws.subprotocol, str | None)
assert_type(ws.latency, float | None)
assert_type(ws.stats(), Stats)
assert_type(ws.stats().messages_in, int)
assert_type(clients(), list[WebSocketClient | AsyncWebSocketClient])
assert_type(ws.keep("trade", 500).keep("message"), WebSocketClient)
assert_type(ws.tail("trade"), list[Any])
assert_type(ws.tail("trade", 10), list[Any])
assert_type(ws.to_frame("trade", library="polars"), Any)
ws.to_frame("trade", library="numpy")  # type: ignore[arg-type]

with WebSocketClient("ws://localhost", reconnect=False, name="chat") as one:
    for message in one:
        assert_type(message, Any)
    for trade_or_quote in one.messages("trade", "quote"):
        assert_type(trade_or_quote, Any)


async def asynchronous() -> None:
    """The same client where an event loop runs: what waits is awaited."""
    async with AsyncWebSocketClient("wss://api.example.com/ws", headers=new_token) as there:
        assert_type(there, AsyncWebSocketClient)
        assert_type(there.on("connect", lambda: there.send({"type": "subscribe"})), AsyncWebSocketClient)

        @there.on("trade", batch=True)
        async def trades(messages: list[dict[str, Any]]) -> None:
            """A handler may be a coroutine function."""

        await trades([])
        assert_type(await there.send({"a": 1}, default=str), bool)
        assert_type(await there.send_text("a"), bool)
        assert_type(await there.send_bytes(b"a"), bool)
        assert_type(await there.recv(1.0), Any)
        assert_type(await there.recv_many(10), list[Any])
        assert_type(await there.ping(), float)
        assert_type(await there.wait(1.0), bool)
        await there.wait_open(10)
        async for message in there:
            assert_type(message, Any)
        async for trade_or_quote in there.messages("trade", "quote"):
            assert_type(trade_or_quote, Any)
        there.connect()
        there.reconnect()
        assert_type(there.stats(), Stats)
        await there.close(4000, "enough")
        there.send("not awaited")  # type: ignore[unused-coroutine]
        with there:  # type: ignore[attr-defined]
            pass


async def new_token(attempt: Attempt) -> dict[str, str]:
    """So may a provider."""
    return {"Authorization": "Bearer new"}


def token(attempt: Attempt) -> dict[str, str]:
    """A provider may look at the attempt."""
    if isinstance(attempt.last_error, HandshakeRejected) and attempt.last_error.status == 401:
        return {"Authorization": "Bearer new"}
    return {"Authorization": "Bearer old"}


WebSocketClient(
    lambda: "wss://api.example.com/ws",
    headers=token,
    cookies={"a": "b"},
    subprotocols=["v1"],
    auth=None,
    tls=Tls(ca_file="ca.pem", min_version="1.3", alpn=["http/1.1"], keylog_file="keys.log"),
    reconnect=Backoff(base=0.5, close_code_delay={1012: (0.5, 5)}, fatal_close_codes=[4001]),
    should_reconnect=lambda: None,
    ping_interval=None,
    pong_timeout=None,
    route_by=("type", "event"),
    send_timeout=None,
)
WebSocketClient("ws://localhost", headers=[("A", "b")], reconnect=Backoff.classic())

# Mistakes that the checker finds; without an error here, the unused comment is one.
WebSocketClient()  # type: ignore[call-arg]
WebSocketClient("ws://localhost", retries=3)  # type: ignore[call-arg]
WebSocketClient("ws://localhost", connect_timeout="10")  # type: ignore[arg-type]
ws.send_text(b"a")  # type: ignore[arg-type]
ws.wait("1")  # type: ignore[arg-type]
close_all()

WebSocketClient("wss://api.example.com/ws", compress=False)
WebSocketClient("wss://api.example.com/ws", compress="auto")
WebSocketClient("wss://api.example.com/ws", compress=Deflate(level=1, window_bits=12, context_takeover=False))
WebSocketClient("wss://api.example.com/ws", compress="yes")  # type: ignore[arg-type]
