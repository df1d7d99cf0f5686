"""Runs cases one after another in a process that may crash or hang, and goes on with the next case in a new one.

Knows nothing of WebSocket: a program reads a line for each case and answers with a line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any

LAST_WORDS = 5.0  # seconds for writing its stacks, before a program that hangs is killed


class Failed(Exception):
    """The program ended, or did not answer in time; the next case gets a new one."""


class Watched:
    """A program that answers each line with one line of JSON, started again after it failed.

    Args:
        command: what to run. log: takes its stderr; with `-X faulthandler`, Python's stacks when it crashes or hangs.
    """

    def __init__(self, command: Sequence[str], log: IO[str]) -> None:
        self._command, self._log = list(command), log
        self._process: subprocess.Popen[str] | None = None

    def ask(self, line: str, seconds: float) -> Any:
        """The answer to a line. Raises Failed when there is none within this time, or the program ends."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                bufsize=1,
            )
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # then there is nothing to read either
            process.stdin.write(line + "\n")
        if not select.select([process.stdout], [], [], seconds)[0]:
            process.send_signal(signal.SIGABRT)  # faulthandler writes where each thread is
            self.stop(LAST_WORDS)
            raise Failed(f"the client did not end within {seconds:g} s")
        answer = process.stdout.readline()
        if not answer.endswith("\n"):
            code = self.stop(LAST_WORDS)
            raise Failed(f"the client crashed: {_ending(code)}")
        return json.loads(answer)

    def stop(self, seconds: float = 0.0) -> int:
        """End the program, by force after so many seconds; gives its exit code, or minus the signal that ended it."""
        process, self._process = self._process, None
        if process is None:
            return 0
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        return code

    def __enter__(self) -> Watched:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
