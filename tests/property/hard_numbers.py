"""Number texts that number readers and writers get wrong, class by class, and how the core is compared with Python on them.

The everyday tests take a few hundred of each class, `make numbers` (run_numbers.py) ten million in all.
"""

import math
import random
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fastws import _core


def double_of(bits: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def bits_of(value: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", value))[0]


LARGEST = bits_of(sys.float_info.max)
SMALLEST_NORMAL = bits_of(sys.float_info.min)


def exact(numerator: int, power: int) -> str:
    """numerator * 2**-power in decimal digits, all of them."""
    if power <= 0:
        return f"{numerator << -power}.0"
    digits = str(numerator * 5**power).rjust(power + 1, "0")
    return f"{digits[:-power]}.{digits[-power:]}"


def halfway(bits: int) -> str:
    """The number in the middle between the positive double of these bits and the next one: ties go to the even one."""
    mantissa, exponent = bits & (1 << 52) - 1, bits >> 52
    if exponent:
        mantissa += 1 << 52
    return exact(2 * mantissa + 1, 1076 - max(exponent, 1))


def above(text: str, zeros: int) -> str:
    return text + "0" * zeros + "1"


def below(text: str, nines: int) -> str:
    """Less than an exact() number by less than its last digit."""
    if text.endswith(".0"):
        return f"{int(text[:-2]) - 1}.{'9' * nines}"
    return f"{text[:-1]}4{'9' * nines}"  # its last digit is a 5


def shifted(text: str, by: int) -> str:
    """The same number with its point elsewhere and an exponent that says so."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    point = max(1, min(len(digits) - 1, len(whole) + by))
    return f"{digits[:point].lstrip('0') or '0'}.{digits[point:]}e{len(whole) - point}"


# -- The classes: each gives texts without end ------------------------------------------------------------------------

Texts = Iterator[str]


def signed(dice: random.Random, text: str) -> str:
    return "-" + text if dice.getrandbits(1) else text


def shortest(dice: random.Random) -> Texts:
    while True:
        yield signed(dice, repr(double_of(dice.randrange(LARGEST + 1))))


def seventeen_digits(dice: random.Random) -> Texts:
    while True:
        text = f"{double_of(dice.randrange(LARGEST + 1)):.17g}"
        yield signed(dice, text if "e" in text or "." in text else text + ".0")


def some_digits(dice: random.Random) -> Texts:
    while True:
        yield signed(dice, f"{double_of(dice.randrange(bits_of(1.7e308))):.{dice.randint(1, 40)}e}")


def as_servers_send(dice: random.Random) -> Texts:
    while True:
        yield f"{dice.uniform(-1, 1) * 10 ** dice.randint(0, 8):.{dice.randint(1, 9)}f}"


def ties(dice: random.Random) -> Texts:
    while True:
        yield signed(dice, halfway(dice.randrange(LARGEST)))


def near_ties(dice: random.Random) -> Texts:
    """A hair above or below the middle, or cut off after some digits."""
    while True:
        text = halfway(dice.randrange(LARGEST))
        way = dice.randrange(4)
        if way == 0:
            text = above(text, dice.randrange(30))
        elif way == 1:
            text = below(text, dice.randint(1, 30))
        elif way == 2:
            text = text[: text.index(".") + 1 + dice.randint(1, len(text) - text.index(".") - 1)]
        else:
            text = shifted(text, dice.randint(-400, 400))
        yield signed(dice, text)


def subnormals(dice: random.Random) -> Texts:
    while True:
        bits = dice.randrange(1, SMALLEST_NORMAL >> dice.randrange(52))
        value = double_of(bits)
        yield signed(dice, dice.choice((repr(value), f"{value:.17g}", f"{value:.{dice.randint(17, 50)}e}")))


def subnormal_ties(dice: random.Random) -> Texts:
    while True:
        text = halfway(dice.randrange(1, SMALLEST_NORMAL >> dice.randrange(52)))
        yield signed(dice, dice.choice((text, above(text, 0), below(text, 1))))


def many_digits(dice: random.Random) -> Texts:
    """17 to 800 digits with a point among them, some with an exponent that leads back to a double's range."""
    while True:
        count = dice.randint(17, 800)
        digits = str(dice.randrange(10 ** (count - 1), 10**count))
        point = dice.randint(1, min(count - 1, 300))
        text = f"{digits[:point]}.{digits[point:]}"
        if dice.getrandbits(1):
            text += f"e{dice.randint(-300 - point, 300 - point)}"
        yield signed(dice, text)


def zeros_in_front(dice: random.Random) -> Texts:
    """Zeros that the exponent takes back."""
    while True:
        zeros = dice.randint(20, 700)
        digits = dice.randrange(1, 10 ** dice.randint(1, 25))
        exponent = zeros + dice.randint(-250, 250)
        yield signed(dice, f"0.{'0' * zeros}{digits}e{dice.choice((str(exponent), f'{exponent:+04}'))}")


def zeros_behind(dice: random.Random) -> Texts:
    while True:
        zeros = dice.randint(20, 700)
        digits = dice.randrange(1, 10 ** dice.randint(1, 25))
        yield signed(
            dice, f"{digits}{'0' * zeros}{dice.choice(('', '.0'))}E{dice.randint(-250, 250) - zeros}"
        )


def exact_range(dice: random.Random) -> Texts:
    """Around what one exact multiplication or division can do: up to 2**53 and 10**22."""
    while True:
        mantissa = dice.choice((1 << 53, 10**15, 1 << dice.randrange(54), 10 ** dice.randrange(16)))
        yield signed(dice, f"{max(mantissa + dice.randint(-9, 9), 0)}e{dice.randint(-24, 24)}")


def integers(dice: random.Random) -> Texts:
    while True:
        near = dice.choice((0, 1 << 53, 1 << 55, 1 << 63, 1 << 64, 10**18, 10**19, 10 ** dice.randrange(40)))
        yield signed(dice, str(abs(near + dice.randint(-1000, 1000) * dice.choice((1, 1, 10**6)))))


def long_integers(dice: random.Random) -> Texts:
    """As many digits as the core keeps as digits."""
    while True:
        count = dice.randint(19, 300)
        yield signed(dice, str(dice.randrange(10 ** (count - 1), 10**count)))


def longest_integers(dice: random.Random) -> Texts:
    """More digits than the core reads, up to more than Python does (sys.get_int_max_str_digits())."""
    while True:
        count = dice.choice((dice.randint(301, 1000), dice.randint(301, 4310)))
        yield signed(dice, dice.choice("123456789") + "".join(dice.choices("0123456789", k=count - 1)))


def beyond_a_double(dice: random.Random) -> Texts:
    """Too large or too small to be anything but inf or zero, or just at the border of it."""
    borders = [exact(2 * (1 << 53) - 1, -970), halfway(0)]
    while True:
        digits = f"{dice.randint(1, 9)}.{dice.randrange(10**17):017}"
        away = dice.choice((307, 308, 309, 323, 324, 325, 326, 400, 999, 1000, 99999, 2**31, 2**63, 10**30))
        text = f"{digits}e{dice.choice('+-')}{away}"
        border = dice.choice(borders)
        others = (
            border,
            above(border, dice.randrange(9)),
            below(border, dice.randint(1, 9)),
            f"{'9' * dice.randint(300, 330)}.5",
            f"0.{'0' * min(away, 1000)}1",
        )
        yield signed(dice, dice.choice((text, dice.choice(others))))


def zeros(dice: random.Random) -> Texts:
    while True:
        more = "0" * dice.randint(1, 400)
        exponent = dice.randint(-99999, 99999)
        yield signed(dice, dice.choice(("0", "0.0", f"0.{more}", f"0e{exponent}", f"0.{more}E{exponent:+}")))


# -- The comparison ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NumberClass:
    texts: Callable[[random.Random], Texts]
    share: int  # of a thousand
    natively: bool = True  # the core must read them itself; of the others json.loads may be asked

    @property
    def name(self) -> str:
        return self.texts.__name__.replace("_", " ")


CLASSES = (
    NumberClass(shortest, 180),
    NumberClass(seventeen_digits, 180),
    NumberClass(some_digits, 100),
    NumberClass(as_servers_send, 100),
    NumberClass(ties, 50),
    NumberClass(near_ties, 100),
    NumberClass(subnormals, 50),
    NumberClass(subnormal_ties, 20),
    NumberClass(many_digits, 60),
    NumberClass(zeros_in_front, 20),
    NumberClass(
        zeros_behind, 20, natively=False
    ),  # std::from_chars refuses some with more than 308 digits before the point
    NumberClass(exact_range, 40),
    NumberClass(integers, 50),
    NumberClass(long_integers, 10),
    NumberClass(longest_integers, 5, natively=False),
    NumberClass(beyond_a_double, 10, natively=False),
    NumberClass(zeros, 5, natively=False),
)


def value_of(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def in_full(value: object) -> tuple[type, object]:
    """A form whose equality is exact, and knows the sign of zero."""
    return type(value), bits_of(value) if isinstance(value, float) else value


def outcome(read: Callable[[str], object], text: str) -> tuple[type, object]:
    try:
        return in_full(read(text))
    except ValueError as error:
        return type(error), str(error)


def written_alike(text: str) -> bool:
    try:
        value = value_of(text)
    except ValueError:  # more digits than Python reads
        return True
    beyond = isinstance(value, float) and math.isinf(value)
    return beyond or _core.dumps(value) == repr(value)


def mismatches(kind: NumberClass, texts: list[str]) -> list[str]:
    """The texts that the core does not read as Python does, or whose values it does not write as Python does."""
    if not kind.natively:
        wrong = [text for text in texts if outcome(_core.loads, text) != outcome(value_of, text)]
        return wrong + [text for text in texts if not written_alike(text)]
    whole = f"[{','.join(texts)}]"
    if not _core.parsed_natively(whole):
        return [text for text in texts if not _core.parsed_natively(text)]
    values = [value_of(text) for text in texts]
    read = _core.loads(whole)
    wrong = [
        text for text, value, got in zip(texts, values, read, strict=True) if in_full(value) != in_full(got)
    ]
    if _core.dumps(values) != f"[{','.join(map(repr, values))}]":
        wrong += [
            text for text, value in zip(texts, values, strict=True) if _core.dumps(value) != repr(value)
        ]
    return wrong
