"""A little machine that makes Python objects of any bytes, and what json makes of them: for fuzz_writer.cpp.

The machine has a stack. A byte of the program chooses an operation, which pushes an object or makes one of those on top;
what is left at the end is the object to be written. So a small change of the program is a small change of the object.
"""

import collections
import dataclasses
import datetime
import enum
import json
import math
import struct
import uuid
from collections.abc import Callable
from typing import Any

from json_subclasses import Colour, Number, Point, Real, Reversed, Word

MOST_LEVELS = 900  # json writes as deep on every version of Python


class Plain(enum.Enum):
    LIST = ("a", 1)


@dataclasses.dataclass
class Order:
    symbol: object
    _hidden: int = 0


@dataclasses.dataclass
class Fresh:
    """Its field lives nowhere: it is made whenever it is asked for."""

    inner: object

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return {"made": [value]} if name == "inner" else value


def hook(obj: object) -> object:
    """A user's `default=`: it takes sets and complex numbers, and gives what itself needs a hook now and then."""
    if isinstance(obj, set):
        return sorted(obj)
    if isinstance(obj, complex):
        return {obj.imag} if obj.real else obj.imag
    raise TypeError("the hook takes no such thing")


def _stand_in(obj: object) -> object:
    """What fastws writes for types that json lacks; KeyError for a type that it lacks, too."""
    if isinstance(obj, enum.Enum):
        return obj.value
    if isinstance(obj, Order):
        return {"symbol": obj.symbol}
    if isinstance(obj, Fresh):
        return {"inner": obj.inner}
    text = {
        datetime.datetime: datetime.datetime.isoformat,
        datetime.date: str,
        datetime.time: str,
        uuid.UUID: str,
    }
    return text[type(obj)](obj)


def _expected(obj: object, hooked: bool) -> bytes | Exception:
    def default(one: object) -> object:
        try:
            return _stand_in(one)
        except KeyError:
            pass
        if hooked:
            return hook(one)
        raise TypeError(f"Object of type {type(one).__name__} is not JSON serializable")

    try:
        text = json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default)
        return text.encode()
    except Exception as error:  # also what the hook raises
        return error.with_traceback(None)


class Machine:
    def __init__(self, program: bytes) -> None:
        self.program = program
        self.at = 0
        self.stack: list[Any] = []
        self.levels = 0  # no object on the stack has more
        self.has_surrogate = False
        self.copies = (
            6  # an object with another place in the tree, too, may double the text: so often at the most
        )
        self.long_texts = 3

    def run(self) -> object:
        while self.at < len(self.program):
            operation = self.byte()
            OPERATIONS[operation % len(OPERATIONS)](self)
        return self.stack[0] if len(self.stack) == 1 else self.stack

    def byte(self) -> int:
        self.at += 1
        return self.program[self.at - 1] if self.at <= len(self.program) else 0

    def take(self, most: int = 255) -> bytes:
        size = min(self.byte(), most)
        self.at += size
        return self.program[self.at - size : self.at]

    def push(self, obj: object) -> None:
        self.stack.append(obj)

    def pop(self) -> Any:
        return self.stack.pop() if self.stack else None

    def members(self, most: int = 15) -> list[Any]:
        count = min(self.byte() % (most + 1), len(self.stack))
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def text(self, text: str) -> str:
        self.has_surrogate |= any("\ud800" <= character <= "\udfff" for character in text)
        return text

    def deeper(self) -> bool:
        """Whether what is on the stack may get another level around it."""
        self.levels += 1
        return self.levels <= MOST_LEVELS

    # -- Scalars --

    def constant(self) -> None:
        choices = (None, True, False, 0, -1, "", 0.0, -0.0, "type", 1.5, [], {}, ())
        self.push(choices[self.byte() % len(choices)])

    def small(self) -> None:
        self.push(self.byte() - 128)

    def integer(self) -> None:
        self.push(int.from_bytes(self.take(), "little", signed=True))

    def near_a_power(self) -> None:
        self.push((1 << self.byte()) + self.byte() - 128)

    def real(self) -> None:
        self.push(struct.unpack("<d", self.take(8).ljust(8, b"\0"))[0])

    def decimal(self) -> None:
        mantissa = int.from_bytes(self.take(7), "little", signed=True)
        self.push(float(f"{mantissa}e{self.byte() - 128}"))

    def near_a_power_of_ten(self) -> None:
        value = 10.0 ** (self.byte() % 50 - 20)
        self.push(math.nextafter(value, (value, 0.0, math.inf)[self.byte() % 3]))

    def latin(self) -> None:
        self.push(self.take().decode("latin-1"))

    def utf8(self) -> None:
        self.push(self.take().decode("utf-8", "replace"))

    def utf16(self) -> None:
        units = self.take()
        units = units[: len(units) // 2 * 2]
        self.push(self.text(units.decode("utf-16-le", "surrogatepass" if self.byte() % 2 else "replace")))

    def point(self) -> None:
        code = self.byte() << 16 | self.byte() << 8 | self.byte()
        self.push(self.text(chr(code % 0x110000)))

    def longer(self) -> None:
        text = self.pop()
        times = self.byte() * 4
        if isinstance(text, str) and len(text) < 300 and self.long_texts:
            self.long_texts -= 1
            text *= times
        self.push(text)

    def joined(self) -> None:
        self.push("".join(one for one in self.members() if isinstance(one, str)))

    # -- Containers --

    def a_list(self) -> None:
        self.push(self.members() if self.deeper() else None)

    def a_tuple(self) -> None:
        self.push(tuple(self.members()) if self.deeper() else None)

    def a_dict(self) -> None:
        made: dict[Any, Any] = (dict, dict, dict, collections.OrderedDict, Reversed)[self.byte() % 5]()
        members = self.members(30)
        for key, value in zip(members[::2], members[1::2], strict=False):
            try:
                made[key] = value
            except TypeError:  # no key
                made[str(len(made))] = value
        self.push(made if self.deeper() else None)

    def records(self) -> None:
        names = [one for one in self.members() if isinstance(one, str)]
        self.push(
            [dict.fromkeys(names, index) for index in range(self.byte() % 8)] if self.deeper() else None
        )
        self.levels += 1

    def nested(self) -> None:
        inner = self.pop()
        for level in range(self.byte()):
            if not self.deeper():
                break
            inner = ([inner], {"a": inner}, (inner,))[level % 3]
        self.push(inner)

    def any_once_more(self) -> Any:
        self.copies -= 1
        return self.stack[-1 - self.byte() % len(self.stack)] if self.stack and self.copies >= 0 else None

    def again(self) -> None:
        self.push(self.any_once_more())

    def a_cycle(self) -> None:
        loop = self.stack[-1] if self.stack else None
        inner = self.any_once_more()
        if isinstance(loop, list):
            loop.append(inner)
        elif isinstance(loop, dict):
            loop["loop"] = inner
        if not self.deeper() or isinstance(inner, list | dict):
            self.levels *= 2  # the inner one may be as deep as any

    # -- Other classes --

    def a_subclass(self) -> None:
        under = self.pop()
        made: object = Colour.RED
        if isinstance(under, int):
            made = Number(under)
        elif isinstance(under, float):
            made = Real(under)
        elif isinstance(under, str):
            made = Word(under)
        elif isinstance(under, list | dict | tuple) and self.deeper():
            made = Point(under, 1)
        self.push(made)

    def of_the_library(self) -> None:
        number = int.from_bytes(self.take(16), "little")
        moment = datetime.datetime(
            1 + number % 9999, 1 + number % 12, 1 + number % 28, number % 24, number % 60
        )
        moment = moment.replace(second=number % 59, microsecond=number % 7 and number % 1_000_000)
        zone = datetime.timezone(datetime.timedelta(minutes=number % 2879 - 1439))
        choices = (moment, moment.replace(tzinfo=zone), moment.replace(tzinfo=datetime.timezone.utc),
                   moment.date(), moment.time(), uuid.UUID(int=number), Plain.LIST, Colour.RED)  # fmt: skip
        self.push(choices[self.byte() % len(choices)])
        self.levels += 1

    def a_dataclass(self) -> None:
        kind = (Order, Fresh)[self.byte() % 2]
        self.push(kind(self.pop()) if self.deeper() else None)
        self.levels += 4

    def foreign(self) -> None:
        choices = (
            object,
            set,
            bytes,
            bytearray,
            complex,
            lambda: {1, 2},
            lambda: 1j,
            lambda: 1 + 2j,
            lambda: range(3),
        )
        self.push(choices[self.byte() % len(choices)]())

    def parsed(self) -> None:
        try:
            self.push(json.loads(self.take().decode("utf-8", "replace")))
        except ValueError:
            self.push(None)
        self.levels += 255
        self.has_surrogate = True  # an escape may have been one

    def parsed_rest(self) -> None:
        text = self.program[self.at :].decode("utf-8", "replace")
        self.at = len(self.program)
        try:
            self.push(json.loads(text))
        except (ValueError, RecursionError):
            self.push(text)
        self.has_surrogate = True


OPERATIONS: list[Callable[[Machine], None]] = [
    Machine.constant, Machine.small, Machine.integer, Machine.near_a_power, Machine.real, Machine.decimal,
    Machine.near_a_power_of_ten, Machine.latin, Machine.utf8, Machine.utf16, Machine.point, Machine.longer,
    Machine.joined, Machine.a_list, Machine.a_tuple, Machine.a_dict, Machine.records, Machine.nested,
    Machine.again, Machine.a_cycle, Machine.a_subclass, Machine.of_the_library, Machine.a_dataclass, Machine.foreign, Machine.parsed,
    Machine.parsed_rest,
]  # fmt: skip


def case(data: bytes) -> tuple[object, Callable[[object], object] | None, bytes | Exception, bool]:
    """The object, the hook it is written with, json's bytes or exception, and whether it may hold a surrogate."""
    machine = Machine(data[1:])
    hooked = bool(data[:1]) and data[0] % 2 == 1
    obj = machine.run()
    return obj, hook if hooked else None, _expected(obj, hooked), machine.has_surrogate
