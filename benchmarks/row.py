"""What a row of the suite is: a question, the goal, who takes part, how one of them is measured, and how it is shown.

Knows no client and no server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server import Certificates

Figures = dict[str, float | str]


@dataclass(frozen=True)
class Scale:
    """How much a run does. `quick`: a twentieth, to see that all of it works. `held`: seconds that the GIL is held."""

    tls: Certificates
    quick: bool
    held: float

    def count(self, number: int) -> int:
        """So many, or a twentieth of them."""
        return max(1, number // 20) if self.quick else number

    def seconds(self, number: float) -> float:
        """So long, or a third of it."""
        return number / 3 if self.quick else number


@dataclass(frozen=True)
class Column:
    """A figure of each contender. `more`: whether more is better; None = neither. `ranged`: shown with its range."""

    key: str
    heading: str
    form: str = "{:,.0f}"
    more: bool | None = False
    ranged: bool = False


@dataclass(frozen=True)
class Goal:
    """What a column must reach: `factor` times the best peer's, or the `limit` whatever the peers do."""

    words: str
    factor: float = 1.0
    limit: float | None = None

    def met(self, ours: float, best: float | None, more: bool) -> bool:
        """Whether it is reached. `best`: the best peer's, None where none took part. A factor of what is not above zero says
        nothing (a loss that drowned in noise), so that is not met."""
        if self.limit is not None:
            least = self.limit
        elif best is not None and best > 0:
            least = self.factor * best
        else:
            return False
        return ours >= least if more else ours <= least


@dataclass(frozen=True)
class Row:
    """`measure(contender, scale)` runs in a fresh process. The goal is for the first `goals` columns of the contenders
    `judged`. `rounds`: the most rounds that tell something new; None = as many as asked for. `together`: the contenders
    are measured at one time, because they mostly wait."""

    key: str
    question: str
    goal: Goal
    setting: str
    contenders: tuple[str, ...]
    judged: tuple[str, ...]
    columns: tuple[Column, ...]
    measure: Callable[[str, Scale], Figures]
    goals: int = 1
    pinned: bool = False  # the client to one core
    rounds: int | None = None
    together: bool = False
