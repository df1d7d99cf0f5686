"""The texts that the JSON benchmark reads and writes: five shapes of what servers send, made from a seed.

Every shape gives as many different texts as asked for, so that no parser learns one text by heart.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "market",
    "order",
    "price",
    "spread",
    "volume",
    "desk",
    "trader",
    "bot",
    "signal",
    "limit",
    "stop",
    "fill",
    "latency",
]
JAPANESE = "ウェブソケットの速い接続今日は良い天気ですね東京駅から新幹線で行きましたデータを読む時間がない"
SYMBOLS = ["BTC-USD", "ETH-USD", "SOL-EUR", "XRP-USDT", "ADA-BTC"]


def tick(dice: random.Random) -> dict[str, Any]:
    """A trade, about 200 bytes."""
    return {
        "type": "trade",
        "symbol": dice.choice(SYMBOLS),
        "price": round(dice.uniform(1, 70000), 2),
        "size": round(dice.uniform(0, 3), 6),
        "side": dice.choice(["buy", "sell"]),
        "trade_id": dice.randrange(10**9),
        "sequence": dice.randrange(10**11),
        "timestamp": 1764000000000 + dice.randrange(10**9),
        "maker": dice.random() < 0.5,
        "venue": dice.choice(["XNAS", "XLON", "BINA"]),
    }


def book(dice: random.Random) -> dict[str, Any]:
    """An order book, about 1 KiB: pairs of strings, as exchanges send them."""

    def levels() -> list[list[str]]:
        return [[f"{dice.uniform(60000, 64000):.2f}", f"{dice.uniform(0, 9):.5f}"] for _ in range(21)]

    return {
        "type": "book",
        "symbol": dice.choice(SYMBOLS),
        "update": dice.randrange(10**11),
        "bids": levels(),
        "asks": levels(),
    }


def nested(dice: random.Random) -> dict[str, Any]:
    """A nested document, about 20 KiB: objects of objects, short strings, numbers of every kind."""

    def person(depth: int) -> dict[str, Any]:
        return {
            "id": dice.randrange(10**7),
            "name": " ".join(dice.choices(WORDS, k=2)).title(),
            "active": dice.random() < 0.7,
            "score": dice.uniform(0, 1),
            "balance": round(dice.uniform(-5000, 5000), 2),
            "tags": dice.choices(WORDS, k=dice.randrange(5)),
            "address": {
                "street": f"{dice.randrange(900)} {dice.choice(WORDS)} road",
                "zip": f"{dice.randrange(10**5):05}",
            },
            "manager": None,
            "reports": [person(depth - 1) for _ in range(3)] if depth else [],
        }

    return {"type": "org", "company": {"name": "Example", "people": [person(3), person(3), person(2)]}}


def table(dice: random.Random) -> dict[str, Any]:
    """An array of small objects, about 1 MiB."""
    return {"type": "snapshot", "rows": [tick(dice) for _ in range(5200)]}


def tweets(dice: random.Random) -> dict[str, Any]:
    """Posts with their users, about 100 KiB, half of the text outside ASCII."""

    def words(count: int) -> str:
        start = dice.randrange(len(JAPANESE))
        return (
            " ".join(dice.choices(WORDS, k=count // 3))
            + (JAPANESE + JAPANESE)[start : start + count]
            + "\n😀 https://example.com/"
        )

    def user() -> dict[str, Any]:
        number = dice.randrange(10**9)
        return {
            "id": number,
            "id_str": str(number),
            "name": words(9),
            "screen_name": dice.choice(WORDS) + str(number),
            "location": dice.choice(["東京", "大阪", "", "Zürich"]),
            "description": words(60),
            "url": None,
            "followers_count": dice.randrange(10**5),
            "friends_count": dice.randrange(5000),
            "created_at": "Sun Nov 23 05:40:54 +0000 2025",
            "verified": False,
            "lang": "ja",
            "profile_image_url": f"http://example.com/profile_images/{number}/normal.jpeg",
        }

    def status() -> dict[str, Any]:
        number = 505874900000000000 + dice.randrange(10**12)
        return {
            "metadata": {"result_type": "recent", "iso_language_code": "ja"},
            "created_at": "Sun Nov 23 00:29:15 +0000 2025",
            "id": number,
            "id_str": str(number),
            "text": words(100),
            "source": '<a href="https://example.com/download" rel="nofollow">Example for phones</a>',
            "truncated": False,
            "in_reply_to_status_id": None,
            "user": user(),
            "geo": None,
            "coordinates": None,
            "retweet_count": dice.randrange(500),
            "entities": {"hashtags": [], "symbols": [], "urls": [], "user_mentions": [{"indices": [3, 17]}]},
            "favorited": False,
            "lang": "ja",
        }

    return {"type": "posts", "statuses": [status() for _ in range(55)]}


SHAPES: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "trade tick": tick,
    "order book": book,
    "nested document": nested,
    "array of objects": table,
    "posts, non-ASCII": tweets,
}


def make(shape: str, count: int, seed: int = 20251123) -> list[dict[str, Any]]:
    """`count` objects of a shape, the same for the same seed."""
    dice = random.Random(seed)
    return [SHAPES[shape](dice) for _ in range(count)]


def text_of(value: Any) -> bytes:
    """The UTF-8 text of an object, compact."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
