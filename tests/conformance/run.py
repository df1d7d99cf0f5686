"""The Autobahn test suite against fastws: runs its cases, judges the reports, prints a table.

    python tests/conformance/run.py [CASE...] [--without SECTION...]

CASE: a section (9), a group of cases (9.7) or one case (9.7.1); all by default. Exit code 1 when a case breaks the rule of
`judging.py`, 2 when the suite can not run. Needs build/autobahn/venv (scripts/make-autobahn); reports, logs and the suite's
own HTML pages go to build/autobahn/reports.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import logging
import platform
import select
import shutil
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from judging import SECTIONS, Verdict, judge, remarks, table
from watching import Failed, Watched

import fastws
from fastws import WebSocketClient

HERE = Path(__file__).resolve().parent
SUITE = HERE.parents[1] / "build" / "autobahn"
AGENT = f"fastws/{fastws.__version__}"

# Seconds for one case. The suite ends most after 1 s and the long ones after 10 to 1,000; none is expected to need these.
CASE_TIMEOUT = 30.0
LONG_CASE_TIMEOUT = 300.0
LONG_SECTIONS = ("9", "12", "13")
# Seconds for an answer of the server, which may be busy with a case, or with writing a thousand reports.
SERVER_TIMEOUT = 120.0


class Server:
    """A running fuzzing server. `cases`: the numbers it runs, in order; `version`: the suite's."""

    def __init__(self, told: dict[str, Any], folder: Path) -> None:
        self.url, self.cases, self.version = f"ws://127.0.0.1:{told['port']}", told["cases"], told["version"]
        self._folder = folder

    def ask(self, path: str) -> str | None:
        """What the server says on one of its own pages; None = it only closes."""
        ws = WebSocketClient(f"{self.url}/{path}", decode="text", reconnect=False, connect_timeout=30.0)
        try:
            return ws.recv(SERVER_TIMEOUT)
        except fastws.ConnectionClosed:
            return None
        finally:
            ws.close()

    def reports(self, last: int | None) -> dict[str, dict[str, Any]]:
        """The suite's reports by case. `last`: the number, from 1, of the last case that ended well; None = none did."""
        agent = urllib.parse.quote(AGENT, safe="")
        if last is not None:  # answered when that case is over for the server, too
            self.ask(f"getCaseStatus?case={last}&agent={agent}")
        self.ask(f"updateReports?agent={agent}")
        index = json.loads((self._folder / "index.json").read_text())
        return {
            case: json.loads((self._folder / entry["reportfile"]).read_text())
            for case, entry in index.get(AGENT, {}).items()
        }


@contextlib.contextmanager
def serving(folder: Path, cases: Sequence[str], log: IO[str]) -> Iterator[Server]:
    """A fuzzing server with these cases. It ends with the block, or with this process."""
    python = SUITE / "venv" / "bin" / "python"
    if not python.exists():
        print(f"fastws: there is no {python}: run scripts/make-autobahn", file=sys.stderr)
        raise SystemExit(2)
    process = subprocess.Popen(
        [str(python), str(HERE / "fuzzing_server.py"), str(folder), *cases],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        ready = select.select([process.stdout], [], [], SERVER_TIMEOUT)[0]
        line = process.stdout.readline() if ready else ""
        if not line:
            print(f"fastws: the fuzzing server did not start: {Path(log.name).read_text()}", file=sys.stderr)
            raise SystemExit(2)
        yield Server(json.loads(line), folder)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def run_cases(server: Server, log: IO[str]) -> list[Verdict]:
    """Run every case of the server, and judge it."""
    options = ["-X", "faulthandler", "-W", "error"]
    command = [sys.executable, *options, str(HERE / "echo_client.py"), server.url, AGENT]
    failures: dict[str, str] = {}
    last: int | None = None
    section, began = server.cases[0].split(".")[0], time.monotonic()
    with Watched(command, log) as client:
        for number, case in enumerate(server.cases, 1):
            here = case.split(".")[0]
            print(f"-- {case}", file=log, flush=True)
            if here != section:
                tell(section, began)
                section, began = here, time.monotonic()
            seconds = LONG_CASE_TIMEOUT if here in LONG_SECTIONS else CASE_TIMEOUT
            try:
                said = client.ask(str(number), seconds)
            except Failed as failure:
                failures[case] = str(failure)
            else:
                if said["complaints"]:
                    failures[case] = "; ".join(said["complaints"])
                else:
                    last = number
    tell(section, began)
    reports = server.reports(last)
    return [judge(case, reports.get(case), failures.get(case)) for case in server.cases]


def tell(section: str, began: float) -> None:
    """Say how far it is."""
    name = f"{section} {SECTIONS.get(section, '')}".strip()
    print(f"  {name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def main() -> int:
    """Run it; gives the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="a section, a group or a case; all by default"
    )
    parser.add_argument("--without", nargs="+", default=[], metavar="SECTION", help="sections not to run")
    arguments = parser.parse_args()
    if arguments.cases and arguments.without:
        parser.error("CASE and --without exclude each other")
    wanted = arguments.cases
    if arguments.without:
        wanted = [section for section in SECTIONS if section not in arguments.without]

    logging.getLogger("fastws").addHandler(
        logging.NullHandler()
    )  # every page of the server ends with its Close
    folder = SUITE / "reports"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    with (folder / "server.log").open("w") as server_log, (folder / "client.log").open("w") as client_log:
        with serving(folder, wanted, server_log) as server:
            count = int(server.ask("getCaseCount") or 0)
            if count != len(server.cases):
                print(f"fastws: the server counts {count} cases, not {len(server.cases)}", file=sys.stderr)
                return 2
            verdicts = run_cases(server, client_log)
    bad = sum(not verdict.allowed for verdict in verdicts)
    print(
        f"AutobahnTestSuite {server.version}, fastws {fastws.__version__}, {platform.python_implementation()} "
        f"{platform.python_version()}, {datetime.date.today()}: {count} cases in {time.monotonic() - began:.0f} s\n"
    )
    print(table(verdicts), *remarks(verdicts), sep="\n")
    print(f"\nThe suite's own pages: {folder / 'index.html'}\n{count - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
