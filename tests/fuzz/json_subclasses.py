"""Subclasses of what JSON has, each with a method of its own that json.dumps asks, or does not ask."""

import enum
from typing import NamedTuple


class Point(NamedTuple):
    x: object
    y: object


class Number(int):
    def __repr__(self) -> str:
        return "not a number"


class Real(float):
    def __repr__(self) -> str:
        return "not a real"


class Word(str):
    def __str__(self) -> str:
        return "another word"


class Reversed(dict):
    def items(self):
        return reversed(list(super().items()))


class Colour(enum.IntEnum):
    RED = 1
