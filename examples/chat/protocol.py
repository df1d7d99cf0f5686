"""The chat's protocol, version 1: what a client may say, its limits, and the words of every refusal. PROTOCOL.md has the whole.

Pure: knows no socket, clock, room or storage. Promises that `read` gives a request that keeps every limit or raises Refused,
for any text whatever.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

VERSION = 1
DEFAULT_PORT = 8765

NAME_LENGTH = 32  # code points, as all lengths here
TEXT_LENGTH = 4000
TEXT_LINES = 100
FRAME_BYTES = 64 * 1024  # what a client may send in one message; a longer one ends the connection (1009)
PAGE = 100  # messages that one answer holds at most

LIMITS = {"name": NAME_LENGTH, "text": TEXT_LENGTH, "lines": TEXT_LINES}

REPLACED = 4001  # close code: the same client has come by another connection
TOO_MUCH_GARBAGE = 1008
TOO_SLOW = 1013

ID = re.compile(r"[A-Za-z0-9_-]{8,64}")  # of a message, or of a client
_ROOM = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_JOINERS = "\u200c\u200d"  # parts of emoji and of some scripts; of no weight in telling names apart


class Refused(Exception):
    """A request that is not carried out. `code` is for programs, the text for people; `retry_after`: seconds, or None."""

    def __init__(self, code: str, text: str, *, about: str | None = None, retry_after: float | None = None):
        super().__init__(text)
        self.code = code
        self.about = about
        self.retry_after = retry_after

    def reply(self) -> dict[str, Any]:
        """What the client is told."""
        reply: dict[str, Any] = {"type": "refused", "code": self.code, "text": str(self)}
        if self.about is not None:
            reply["id"] = self.about
        if self.retry_after is not None:
            reply["retry_after"] = round(self.retry_after, 3)
        return reply


@dataclass(frozen=True, slots=True)
class Join:
    """The first request: who comes, where to, and the last message seen before (0 = none) of which log."""

    room: str
    name: str
    client: str
    since: int
    log: str


@dataclass(frozen=True, slots=True)
class Say:
    """A message for the room. `id` is the client's own: sending it again is harmless."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Typing:
    """The client's person has begun to type, or has stopped."""

    on: bool


@dataclass(frozen=True, slots=True)
class Older:
    """The messages before this one."""

    before: int


@dataclass(frozen=True, slots=True)
class Ping:
    """Is anybody there? For browsers, which can not send the Ping of RFC 6455."""


Request = Join | Say | Typing | Older | Ping


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it is kept. `seq` grows within a room; `at`: milliseconds since 1970, UTC; `client` is told to nobody."""

    seq: int
    client: str
    id: str
    name: str
    text: str
    at: int

    def told_to(self, client: str) -> dict[str, Any]:
        """What a client is told of it: the id too, if it was its own, so that nobody can borrow another's."""
        told = {"seq": self.seq, "name": self.name, "text": self.text, "at": self.at}
        return {**told, "id": self.id} if client == self.client else told


def read(text: str) -> Request:
    """The request that a client sent. Raises Refused."""
    try:
        message = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refused("bad-message", "That is not JSON.") from None
    if not isinstance(message, dict):
        raise Refused("bad-message", "A message is a JSON object.")
    kind = message.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise Refused("bad-message", f"There is no message of this type; there are {', '.join(_READERS)}.")
    return reader(message)


def clean(text: str) -> str:
    """A text as a person meant it: line ends are \\n, no terminal codes, no control characters, no blank rim."""
    text = _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(one for one in text if not _is_control(one)).strip()


def check_text(text: str, about: str | None = None) -> None:
    """Raise Refused for a text that the room would not take."""
    if len(text) > TEXT_LENGTH:
        said = f"That is {len(text):,} characters; a message holds {TEXT_LENGTH:,}."
        raise Refused("too-long", said, about=about)
    if text.count("\n") >= TEXT_LINES:
        said = f"That is {text.count(chr(10)) + 1:,} lines; a message holds {TEXT_LINES}."
        raise Refused("too-long", said, about=about)
    if not text.strip():
        raise Refused("empty", "That message is empty.", about=about)
    if any(_is_control(one) for one in text):
        raise Refused("bad-text", "A message holds no control characters.", about=about)


def check_name(name: str) -> str:
    """The name in its normal form. Raises Refused for one that people could not read or tell from another."""
    name = " ".join(unicodedata.normalize("NFKC", name).split())
    if not name:
        raise Refused("bad-name", "A name is needed.")
    if len(name) > NAME_LENGTH:
        raise Refused(
            "bad-name", f"That name has {len(name)} characters; at most {NAME_LENGTH} are possible."
        )
    categories = [unicodedata.category(one) for one in name if one not in _JOINERS]
    if any(category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for category in categories):
        raise Refused("bad-name", "A name holds visible characters only.")
    if not any(category[0] in "LNPS" for category in categories):
        raise Refused("bad-name", "A name needs a letter, a digit or a sign.")
    return name


def name_key(name: str) -> str:
    """What two names that look the same have in common."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Mn") and one != " ")


def check_room(room: str) -> str:
    """The room. Raises Refused."""
    if not _ROOM.fullmatch(room):
        raise Refused("bad-room", "A room's name has 1 to 32 of a-z, 0-9, - and _.")
    return room


def _is_control(one: str) -> bool:
    return one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _take(message: dict[str, Any], key: str, kind: type, about: str | None = None) -> Any:
    value = message.get(key)
    if type(value) is not kind:
        kinds = {str: "a string", int: "a whole number", bool: "true or false"}
        raise Refused("bad-message", f"{key!r} must be {kinds[kind]}.", about=about)
    return value


def _number(message: dict[str, Any], key: str) -> int:
    value = int(_take(message, key, int))
    if not 0 <= value < 2**53:
        raise Refused("bad-message", f"{key!r} must be a message's number.")
    return value


def _id(message: dict[str, Any], key: str) -> str:
    value = str(_take(message, key, str))
    if not ID.fullmatch(value):
        raise Refused("bad-message", f"{key!r} must be 8 to 64 of A-Z, a-z, 0-9, - and _.")
    return value


def _read_join(message: dict[str, Any]) -> Join:
    if message.get("version") != VERSION:
        raise Refused("bad-version", f"This server speaks version {VERSION} of the chat's protocol.")
    room = check_room(_take(message, "room", str))
    name = check_name(_take(message, "name", str))
    log = _take(message, "log", str) if "log" in message else ""
    return Join(room, name, _id(message, "client"), _number(message, "since"), log)


def _read_say(message: dict[str, Any]) -> Say:
    about = _id(message, "id")
    text = _take(message, "text", str, about)
    check_text(text, about)
    return Say(about, text)


_READERS: dict[str, Callable[[dict[str, Any]], Request]] = {
    "join": _read_join,
    "say": _read_say,
    "typing": lambda message: Typing(_take(message, "on", bool)),
    "older": lambda message: Older(_number(message, "before")),
    "ping": lambda message: Ping(),
}
