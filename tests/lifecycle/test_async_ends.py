"""Every way a program of asyncio or uvloop can end, in every state a client of it can be in (R17, R18, R19).

The return code is the program's own, nothing is printed, the process is gone soon after the end of main, and the server has
its connection back.
"""

import itertools
import pathlib

import pytest
from exits import judge, server_for

PROGRAM = pathlib.Path(__file__).parent / "async_program.py"
LOOPS = ("asyncio", "uvloop")  # in turn
STATES = ["idle", "connecting", "asking", "open", "reading", "flood", "slow", "blocked", "backoff", "closed"]
# How it ends, with which code, and in which states that may make a difference.
ENDINGS = {
    "normal": (0, STATES),
    "exit": (3, ["connecting", "open", "flood", "slow"]),
    "exit-in-handler": (3, ["connecting", "open", "flood", "backoff"]),
    "exception": (1, ["open", "reading"]),
    "interrupt": (None, ["connecting", "asking", "open", "reading", "slow", "blocked", "backoff"]),
    "del": (0, ["idle", "connecting", "asking", "open", "flood", "backoff", "closed"]),
    "os._exit": (5, ["open", "blocked"]),
    "fork": (0, ["connecting", "asking", "open", "reading", "blocked", "backoff", "closed"]),
    "fork-new": (0, ["open", "closed"]),
    "closed loop": (0, STATES),
    "forgotten loop": (0, ["connecting", "asking", "open", "reading", "slow", "closed"]),
    "thread": (0, ["asking", "open", "reading", "flood", "blocked"]),
}
LINGER = (
    1.5 + 0.5 + 0.5
)  # seconds: at exit, Python's own end on a loaded machine, and the program's close_timeout


CASES = [
    pytest.param(state, ending, id=f"{state}-{ending}")
    for ending, (_, states) in ENDINGS.items()
    for state in states
]


@pytest.mark.parametrize(("state", "ending"), CASES)
def test_the_process_ends_as_it_should(execute, repeat, sanitized, state, ending):
    with server_for(state) as server:
        interrupt = 0.1 if ending == "interrupt" else None
        loop = itertools.cycle(LOOPS)
        results = repeat(lambda: execute(PROGRAM, server.url, state, ending, next(loop), interrupt=interrupt))
        judge(results, ending, ENDINGS[ending][0], 4 * LINGER if sanitized else LINGER)
    if state == "open" and ending not in ("os._exit", "fork-new"):
        assert [conn.index for conn in server.connections if conn.close_code is None] == [], "no Close frame"
