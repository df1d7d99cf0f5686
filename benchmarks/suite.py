"""The suite: fastws beside its peers, a question at a time, everything in one run.

    python benchmarks/suite.py [--rows stream,roundtrip] [--rounds 5] [--quick] [--held 60] [--list]

Contenders take turns, each measurement is a fresh process, and a server of its own on another core gives everybody the same
bytes. What is printed on standard output is Markdown; progress goes to standard error, and each row's table as soon as the
row is done, so that a run that is cut short shows what it found. A message that is missing, doubled or out of order fails
the measurement and the run (where the GIL is held, a connection may be lost: that is the question).
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import contenders
import rows
import server
import table
import trustme
from row import Figures, Row, Scale

PATIENCE = 400  # seconds for one measurement
SHOWN = 2000  # characters of what a failed process said
OPEN_FILES = 8192  # of the process that holds a thousand connections, and of its server


class Failed(Exception):
    """A measurement that ended without figures; what its process said last."""


def certificates(folder: Path) -> server.Certificates:
    """Make an authority and a certificate for 127.0.0.1."""
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    own.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    return server.Certificates(str(folder / "authority.pem"), str(folder / "server.pem"))


def measure(key: str, contender: str, scale: Scale) -> None:
    """In a process of its own: one contender in one row; prints its figures and ends without goodbyes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES if hard < 0 else min(OPEN_FILES, hard), hard))
    row = next(row for row in rows.ALL if row.key == key)
    os.sched_setaffinity(0, server.client_cores(row.pinned))
    print(json.dumps(row.measure(contender, scale)), flush=True)
    os._exit(0)


def one_round(row: Row, contender: str, scale: Scale) -> Figures:
    """Start that process; gives its figures. Says on standard error how long it took. Raises Failed."""
    began = time.monotonic()
    asked = json.dumps(dataclasses.asdict(scale))
    command = [sys.executable, __file__, "--measure", row.key, contender, asked]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"no figures within {PATIENCE} s") from None
    if result.returncode:
        raise Failed(result.stderr[-SHOWN:].strip())
    print(f"{row.key} {contender}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    figures: Figures = json.loads(result.stdout)
    return figures


def run_row(row: Row, rounds: int, scale: Scale) -> table.Result:
    """All rounds of a row, contenders in turns; who begins changes with the round. One that fails leaves the row, which
    says so, and the others go on."""
    left_out = {key: why for key in row.contenders if (why := contenders.missing(key))}
    keys = [key for key in row.contenders if key not in left_out]
    found: dict[str, list[Figures]] = {key: [] for key in keys}
    failed: dict[str, str] = {}

    def one(key: str) -> None:
        try:
            found[key].append(one_round(row, key, scale))
        except Failed as error:
            failed[key] = str(error)
            print(f"{row.key} {key} FAILED: {error}", file=sys.stderr, flush=True)

    for number in range(min(rounds, row.rounds or rounds)):
        turn = [
            key for key in (*keys[number % len(keys) :], *keys[: number % len(keys)]) if key not in failed
        ]
        if row.together:
            with ThreadPoolExecutor(len(keys)) as pool:
                list(pool.map(one, turn))
        else:
            for key in turn:
                one(key)
    left_out |= {
        key: f"it failed: {(words.splitlines() or ['no word'])[-1]}" for key, words in failed.items()
    }
    whole = {key: figures for key, figures in found.items() if key not in failed}
    labels = {key: contenders.make(key).label for key in keys}
    return table.Result(row, whole, labels, left_out, frozenset(failed))


def heading(keys: set[str], quick: bool) -> Iterator[str]:
    """What was measured on what."""
    packages = sorted({package for key in keys for package in contenders.make(key).packages})
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    yield f"Python {platform.python_version()}; {versions}."
    yield (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}; loopback; "
        f"no compression; TLS by {ssl.OPENSSL_VERSION} (Python's), certificates verified by everybody."
    )
    yield (
        f"The server is pinned to core {server.server_core()}. Clients may run on {_cores(False)}; where the setting says "
        f"a core of their own or one core, on {_cores(True)}. Figures are medians of the rounds, with least and most."
    )
    if quick:
        yield "A quick run, to see that all of it works: its figures say nothing."
    yield ""


def _cores(pinned: bool) -> str:
    cores = sorted(server.client_cores(pinned))
    return f"core{'s' if len(cores) > 1 else ''} {', '.join(map(str, cores))}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def chosen_rows(names: str | None) -> list[Row]:
    """The rows whose keys begin with one of the names; all without names."""
    if names is None:
        return list(rows.ALL)
    wanted = names.split(",")
    for name in wanted:
        if not any(row.key.startswith(name) for row in rows.ALL):
            raise SystemExit(
                f"no row begins with {name!r}; there are {', '.join(row.key for row in rows.ALL)}"
            )
    return [row for row in rows.ALL if row.key.startswith(tuple(wanted))]


def main() -> None:
    """Run the chosen rows and print what they found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", help="beginnings of the rows' keys, with commas; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything, one round")
    parser.add_argument("--held", type=float, default=60.0, help="seconds that a C call holds the GIL")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{row.key:16} {row.question}" for row in rows.ALL))
        return
    if options.measure:
        key, contender, asked = options.measure
        values = json.loads(asked)
        measure(key, contender, Scale(**{**values, "tls": server.Certificates(**values["tls"])}))
        return
    if options.rounds < 1:
        raise SystemExit("--rounds must be at least 1")
    chosen = chosen_rows(options.rows)
    rounds = 1 if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as folder:
        held = min(options.held, 7.0) if options.quick else options.held
        scale = Scale(certificates(Path(folder)), options.quick, held)
        results = []
        for row in chosen:
            results.append(run_row(row, rounds, scale))
            print("\n".join(table.row_lines(results[-1])), file=sys.stderr, flush=True)
    keys = {key for result in results for key in result.rounds}
    failed = any(result.failed for result in results)
    lines = [*heading(keys, options.quick), *table.verdict_lines(results), ""]
    losses = list(table.loss_lines(results))
    lines += ["Where fastws is behind the best peer, asked for or not:", "", *losses] if losses else []
    lines += ["", *(line for result in results for line in table.row_lines(result))]
    print("\n".join(lines))
    if failed:
        raise SystemExit("a measurement failed; its row says which")


if __name__ == "__main__":
    main()
