"""What a run found, as Markdown: a table of verdicts, a table for each row, and where fastws loses.

Knows rows and figures, no client and no process. Medians over the rounds, with least and most.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import contenders
from row import Column, Figures, Row

NEAR = 0.7  # of what a raw socket receives: a client above it may have been held back by the server


@dataclass(frozen=True)
class Result:
    """What one row found: the rounds of each contender, its label, and who was left out and why (`failed`: those that
    took part and gave no figures)."""

    row: Row
    rounds: Mapping[str, Sequence[Figures]]
    labels: Mapping[str, str]
    left_out: Mapping[str, str]
    failed: frozenset[str] = frozenset()

    def median(self, key: str, column: Column) -> float | None:
        """A contender's figure in a column; None where it has none."""
        values = self._values(key, column)
        return statistics.median(values) if values else None

    def best(self, column: Column) -> tuple[str, float] | None:
        """The best peer in a column and its median."""
        found = [
            (key, value)
            for key in self.rounds
            if contenders.is_peer(key) and (value := self.median(key, column)) is not None
        ]
        if not found or column.more is None:
            return None
        return (max if column.more else min)(found, key=lambda one: one[1])

    def cell(self, key: str, column: Column) -> str:
        """What a table shows."""
        values = self._values(key, column)
        if not values:
            words = {str(one[column.key]) for one in self.rounds[key] if column.key in one}
            return ", ".join(sorted(words)) or "-"
        shown = column.form.format(statistics.median(values))
        if column.ranged and len(values) > 1:
            shown += f" ({column.form.format(min(values))} - {column.form.format(max(values))})"
        return shown

    def _values(self, key: str, column: Column) -> list[float]:
        found = (one.get(column.key) for one in self.rounds[key])
        return [value for value in found if isinstance(value, (int, float))]


def _ratio(ours: float, best: float) -> str:
    return f"{ours / best:.2f}" if best > 0 else "-"


def row_lines(result: Result) -> Iterator[str]:
    """One row's table."""
    row = result.row
    rounds = max((len(found) for found in result.rounds.values()), default=0)
    yield f"### {row.question}"
    yield ""
    yield f"{row.setting}; {rounds} round{'s' if rounds > 1 else ''}. `--rows {row.key}`"
    yield ""
    judged = row.columns[: row.goals]
    headings = [column.heading + (" (median, range)" if column.ranged else "") for column in row.columns]
    ratios = [
        "ratio to the best peer" + (f", {column.heading}" if row.goals > 1 else "")
        for column in judged
        if result.best(column)
    ]
    yield "| " + " | ".join(["client", *headings, *ratios]) + " |"
    yield "|---" * (1 + len(headings) + len(ratios)) + "|"
    for key in result.rounds:
        cells = [result.labels[key], *(result.cell(key, column) for column in row.columns)]
        for column in judged:
            best, ours = result.best(column), result.median(key, column)
            if best:
                cells.append(_ratio(ours, best[1]) if ours is not None else "-")
        yield "| " + " | ".join(cells) + " |"
    if limit := _near_the_ceiling(result):
        yield ""
        yield limit
    for key, why in result.left_out.items():
        yield ""
        yield f"Left out: {key}, because {why}."
    yield ""


def _near_the_ceiling(result: Result) -> str | None:
    """A warning when a client came so near to what the server can do that the server was measured too."""
    column = result.row.columns[0]
    ceiling = result.median("count", column) if column.more and "count" in result.rounds else None
    if ceiling is None:
        return None
    fastest = max((result.median(key, column) or 0.0 for key in result.rounds if key != "count"), default=0.0)
    if fastest < NEAR * ceiling:
        return None
    return (
        f"The server limits this row: the fastest client reached {fastest / ceiling:.0%} of what it can send."
    )


def verdict_lines(results: Sequence[Result]) -> Iterator[str]:
    """The table of all questions."""
    yield "| question | goal | fastws | best peer | ratio | met |"
    yield "|---|---|---|---|---|---|"
    for result in results:
        row = result.row
        for column in row.columns[: row.goals]:
            best = result.best(column)
            for key in row.judged:
                ours = result.median(key, column) if key in result.rounds else None
                if ours is None:
                    shown = ["not measured", "-", "-", "no"]
                else:
                    met = row.goal.met(ours, best[1] if best else None, bool(column.more))
                    shown = [f"{column.form.format(ours)} {column.heading} ({result.labels[key]})"]
                    shown += [f"{column.form.format(best[1])} ({result.labels[best[0]]})"] if best else ["-"]
                    shown += [_ratio(ours, best[1]) if best else "-", "yes" if met else "**no**"]
                yield "| " + " | ".join([row.question, row.goal.words, *shown]) + " |"


def loss_lines(results: Sequence[Result]) -> Iterator[str]:
    """Each figure in which a face of fastws is worse than the best peer, whether a goal asks for it or not."""
    for result in results:
        for column in result.row.columns:
            best = result.best(column)
            for key in result.row.judged:
                ours = result.median(key, column) if key in result.rounds else None
                if ours is None or best is None or (ours >= best[1] if column.more else ours <= best[1]):
                    continue
                yield (
                    f"- {result.row.question}: {column.heading} {column.form.format(ours)} ({result.labels[key]}), "
                    f"{column.form.format(best[1])} ({result.labels[best[0]]})"
                )
