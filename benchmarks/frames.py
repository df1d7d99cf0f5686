"""The texts that the benchmarks send, as frames made beforehand. Server and clients both read it, so each knows what comes.

Knows JSON and the frame's head (RFC 6455 section 5.2), no library. Promises: the same bytes in every process.

The feeds repeat one block of messages; the ids count through the block and begin again with it, so a client that expects
them in turn notices what is missing, doubled or out of order.
"""

from __future__ import annotations

import json
import random
import struct

FIRST_ID = 10_000_000
BLOCK = 1000  # small messages that are repeated
TEXTS = 4  # large ones that are repeated
ROUTE = "trade"  # the type that is handled
SMALL, LARGE, ECHO = 200, 1 << 20, 256  # bytes of a message


def _compact(values: dict[str, object]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def _padded(values: dict[str, object], size: int) -> dict[str, object]:
    """The values and a pad, whose compact JSON has `size` bytes."""
    missing = size - len(_compact({**values, "pad": ""}))
    if missing < 0:
        raise ValueError(f"{size - missing} bytes do not fit into {size}")
    return {**values, "pad": "x" * missing}


def _trade(kind: str, number: int, generator: random.Random) -> dict[str, object]:
    return {
        "type": kind,
        "symbol": generator.choice(["BTC-USD", "ETH-USD", "SOL-USD", "EUR-USD"]),
        "id": FIRST_ID + number,
        "price": round(generator.uniform(10, 70_000), 2),
        "size": round(generator.uniform(0.0001, 9), 6),
        "side": generator.choice(["buy", "sell"]),
        "time": 1_764_000_000_000 + number,
        "venue": "loopback",
        "maker": generator.random() < 0.5,
        "flags": [],
    }


def small_texts(types: int = 1) -> list[bytes]:
    """A block of trades of 200 bytes. Their types take turns: one in `types` is ROUTE, the others nobody handles."""
    generator = random.Random(7)
    names = [ROUTE, *(f"other{number:02}" for number in range(1, types))]
    return [_compact(_padded(_trade(names[n % types], n, generator), SMALL)) for n in range(BLOCK)]


def large_texts(size: int = LARGE, count: int = TEXTS) -> list[bytes]:
    """Texts of `size` bytes, each a list of trades like the small ones."""
    generator = random.Random(7)
    texts = []
    for number in range(count):
        trades = [_trade("item", item, generator) for item in range((size - 512) // (SMALL - 10))]
        texts.append(_compact(_padded({"type": ROUTE, "id": FIRST_ID + number, "trades": trades}, size)))
    return texts


def echo_object(number: int) -> dict[str, object]:
    """An object whose compact JSON has 256 bytes."""
    values = {"type": ROUTE, "id": FIRST_ID + number, "price": 61_234.5, "tags": ["a", "b"], "live": True}
    return _padded(values, ECHO)


def order_object(number: int) -> dict[str, object]:
    """An object whose compact JSON has 200 bytes, as a program would send it."""
    return {
        "type": "order",
        "id": FIRST_ID + number,
        "symbol": "BTC-USD",
        "side": "buy",
        "price": 61_234.25,
        "size": 0.125,
        "post_only": True,
        "note": None,
        "pad": "x" * 70,
    }


def frame(payload: bytes, head: int = 0x81) -> bytes:
    """One unmasked, final frame: a text, unless `head` says otherwise."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", head, size) + payload
    if size < 65536:
        return struct.pack("!BBH", head, 126, size) + payload
    return struct.pack("!BBQ", head, 127, size) + payload


def masked_frame(payload: bytes) -> bytes:
    """The same from a client, with a key of zeros."""
    plain = frame(payload)
    head = len(plain) - len(payload)
    return plain[:1] + bytes([plain[1] | 0x80]) + plain[2:head] + bytes(4) + payload


def head_of(data: bytes | memoryview, at: int = 0) -> tuple[int, int]:
    """(bytes of the head, bytes of the payload) of the frame that begins there; the mask is counted with the head."""
    masked, short = data[at + 1] & 0x80, data[at + 1] & 0x7F
    extra = {126: 2, 127: 8}.get(short, 0)
    size = int.from_bytes(data[at + 2 : at + 2 + extra], "big") if extra else short
    return 2 + extra + (4 if masked else 0), size


def unmasked(data: bytes | memoryview, at: int) -> bytes:
    """The payload of the masked frame that begins there."""
    head, size = head_of(data, at)
    key = bytes(data[at + head - 4 : at + head]) * (size // 4 + 1)
    body = int.from_bytes(data[at + head : at + head + size], "big") ^ int.from_bytes(key[:size], "big")
    return body.to_bytes(size, "big")
