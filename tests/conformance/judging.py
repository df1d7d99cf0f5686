"""Which results of the Autobahn test suite are good enough, and the table of them.

Knows the suite's reports and no file, process or client. The rule: every case is OK or INFORMATIONAL, and closes as it
should; NON-STRICT where NON_STRICT_IS_RIGHT says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# These send a message and, in the same breath (octet by octet in 3.4, 4.1.5 and 4.2.5), a frame that breaks the protocol, and
# want the echo of the first before the connection fails. A client that reads ahead, off its handlers' thread, may have
# answered the fault with a Close frame before the handler ran, and no message follows that (RFC 6455 section 5.5.1).
# They are all cases of the suite in which nothing but that echo may be missing.
NON_STRICT_IS_RIGHT = frozenset(
    {"3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "4.2.3", "4.2.4", "4.2.5", "5.15"},
)
ECHO_AFTER_FAULT = "it wants the echo of an earlier message after a protocol error was already read"

OUTCOMES = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED", "UNCLEAN")

SECTIONS = {
    "1": "Framing",
    "2": "Pings and pongs",
    "3": "Reserved bits",
    "4": "Opcodes",
    "5": "Fragmentation",
    "6": "UTF-8",
    "7": "Closing",
    "9": "Limits and performance",
    "10": "Automatic fragmentation",
    "12": "permessage-deflate, payloads",
    "13": "permessage-deflate, parameters",
}


@dataclass(frozen=True)
class Verdict:
    """One case: what came out, why, and whether the rule allows it."""

    case: str
    outcome: str
    reason: str
    allowed: bool

    @property
    def section(self) -> str:
        """The first part of the case's number."""
        return self.case.split(".")[0]


def judge(case: str, report: Mapping[str, Any] | None, failure: str | None = None) -> Verdict:
    """The verdict on a case, from the suite's report on it (None = there is none) and what befell the client, if anything."""
    if failure is not None:
        return Verdict(case, "FAILED", failure, False)
    if report is None:
        return Verdict(case, "FAILED", "the suite has no report of it", False)
    outcome, reason = _outcome(report)
    if outcome in ("OK", "INFORMATIONAL"):
        return Verdict(case, outcome, reason, True)
    if outcome == "NON-STRICT" and case in NON_STRICT_IS_RIGHT:
        return Verdict(case, outcome, ECHO_AFTER_FAULT, True)
    return Verdict(case, outcome, reason, False)


def _outcome(report: Mapping[str, Any]) -> tuple[str, str]:
    behavior, closing = report["behavior"], report["behaviorClose"]
    if behavior not in OUTCOMES:
        return "FAILED", f"{behavior}: {report['result']}"
    # How a connection closes that was given up for a missing extension, or failed already, says nothing more.
    if behavior in ("UNIMPLEMENTED", "FAILED") or closing in ("OK", "INFORMATIONAL"):
        return behavior, report["result"]
    how = f"closing {closing} (our code {report['remoteCloseCode']}): {report['resultClose']}"
    return ("UNCLEAN" if closing == "UNCLEAN" else "FAILED"), how


def table(verdicts: Iterable[Verdict]) -> str:
    """How many cases of each section came out how, as a Markdown table."""
    counts: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    for verdict in verdicts:
        counts.setdefault(verdict.section, Counter())[verdict.outcome] += 1
        total[verdict.outcome] += 1
    rows = [("section", "cases", *OUTCOMES)]
    for section, count in sorted(counts.items(), key=lambda item: int(item[0])):
        rows.append((f"{section} {SECTIONS.get(section, '')}".strip(), *_figures(count)))
    rows.append(("all", *_figures(total)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_row(row, widths) for row in rows]
    lines.insert(
        1, "|".join(["", "-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:]), ""])
    )
    return "\n".join(lines)


def _figures(count: Counter[str]) -> list[str]:
    return [str(count.total()), *(str(count[outcome]) for outcome in OUTCOMES)]


def _row(cells: Iterable[str], widths: list[int]) -> str:
    first, *rest = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {first.strip().ljust(widths[0])} | " + " | ".join(rest) + " |"


def remarks(verdicts: Iterable[Verdict]) -> list[str]:
    """Every case that is not OK, with the reason, what breaks the rule first; cases of one reason share a line."""
    sizes: Counter[str] = Counter()
    shared: dict[tuple[bool, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        sizes[verdict.section] += 1
        if verdict.outcome != "OK" or not verdict.allowed:
            shared.setdefault((verdict.allowed, verdict.outcome, verdict.reason), []).append(verdict)
    return [
        f"{'allowed' if allowed else 'NOT ALLOWED'}: {outcome} in {_names(alike, sizes)}: {reason}"
        for (allowed, outcome, reason), alike in sorted(shared.items(), key=lambda item: item[0][0])
    ]


def _names(alike: list[Verdict], sizes: Counter[str]) -> str:
    """The cases, a whole section of many as one."""
    names = []
    for section, count in Counter(verdict.section for verdict in alike).items():
        if count == sizes[section] > 1:
            names.append(f"{section}.* ({count})")
        else:
            names.extend(verdict.case for verdict in alike if verdict.section == section)
    return ", ".join(names)
