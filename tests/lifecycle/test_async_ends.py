"""Every way a program of asyncio or uvloop can end, in every state a client of it can be in (R17, R18, R19).

The return code is the program's own, nothing is printed, the process is gone soon after the end of main, and the server has
its connection back.
"""

import itertools
import pathlib
import time

import pytest

from fastws.testing import ScriptedServer

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
ECHOING = ("open", "closed")  # what a new client of a forked child meets, too
LINGER = (
    1.5 + 0.5 + 0.5
)  # seconds: at exit, Python's own end on a loaded machine, and the program's close_timeout


def script_for(state):
    def script(conn):
        if state in ("connecting", "asking"):
            conn.stall()
        elif state == "backoff":
            conn.refuse(503)
        else:
            conn.accept()
            if state == "flood":
                while not conn.stall(0.001):
                    conn.send_json({"type": "n"})
            elif state == "slow":
                conn.send_json({"type": "n"})
            elif state == "blocked":
                conn.pause_reading()
            elif state in ECHOING:
                while not conn.stall(0.005):
                    if conn.messages:
                        conn.send(conn.expect())

    return script


CASES = [
    pytest.param(state, ending, id=f"{state}-{ending}")
    for ending, (_, states) in ENDINGS.items()
    for state in states
]


@pytest.mark.parametrize(("state", "ending"), CASES)
def test_the_process_ends_as_it_should(execute, repeat, sanitized, state, ending):
    with ScriptedServer(script_for(state), receive_buffer=4096 if state == "blocked" else None) as server:
        interrupt = 0.1 if ending == "interrupt" else None
        loop = itertools.cycle(LOOPS)
        results = repeat(lambda: execute(PROGRAM, server.url, state, ending, next(loop), interrupt=interrupt))
        for result in results:
            judge(result, ending, 4 * LINGER if sanitized else LINGER)
        for conn in server.connections:
            conn.resume_reading()  # what the program had written comes first, then its FIN
        end = time.monotonic() + 5
        while server.live and time.monotonic() < end:
            time.sleep(0.01)
        assert server.live == 0, "a connection outlived its process"
        if state == "open" and ending not in ("os._exit", "fork-new"):
            assert [conn.index for conn in server.connections if conn.close_code is None] == [], (
                "no Close frame"
            )


def judge(result, ending, linger):
    if ending == "interrupt":
        assert result.code in (130, -2), result
        assert not result.stderr or result.stderr.rstrip().endswith("KeyboardInterrupt"), result
    else:
        assert result.code == ENDINGS[ending][0], result
        if ending == "exception":
            assert result.stderr.startswith("Traceback"), result
            assert result.stderr.rstrip().endswith("LookupError: of the script"), result
            assert result.stderr.count("Traceback") == 1, result
        else:
            assert result.stderr == "", result
    if ending != "del":
        assert result.lingered is not None and result.lingered < linger, result
