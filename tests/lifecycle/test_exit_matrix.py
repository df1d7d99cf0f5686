"""Every way a script can end, in every state a client can be in (T43, T44, R17, R18, R19).

The return code is the script's own, nothing is printed, the process is gone 1.5 s after the end of main, and the server
has its connection back.
"""

import pathlib

import pytest
from exits import judge, server_for

PROGRAM = pathlib.Path(__file__).parent / "program.py"
STATES = [
    "idle",
    "connecting",
    "resolving",
    "open",
    "silent",
    "flood",
    "busy",
    "blocked",
    "backoff",
    "closing",
    "closed",
]
ENDINGS = {"normal": 0, "exit": 3, "exit-in-handler": 3, "exception": 1, "interrupt": None, "del": 0, "fork-exit": 0,
           "fork-new": 0, "os._exit": 5}  # fmt: skip
POINTLESS = {
    ("idle", "exit-in-handler"),  # no handler ever runs
    ("closed", "interrupt"),  # wait() returns at once
    ("silent", "exit-in-handler"),  # the same as open
    ("busy", "exit-in-handler"),
    ("blocked", "exit-in-handler"),
    ("blocked", "del"),  # the sleeping threads hold it
}
LINGER = 1.5 + 0.5  # seconds: the promise, and what Python's own end may take on a loaded machine


def cases():
    for state in STATES:
        for ending in ENDINGS:
            if (state, ending) not in POINTLESS:
                yield pytest.param(state, ending, id=f"{state}-{ending}")


@pytest.mark.parametrize(("state", "ending"), list(cases()))
def test_the_process_ends_as_it_should(execute, repeat, shim, sanitized, state, ending):
    with server_for(state) as server:
        url = f"ws://hang.test:{server.port}/" if state == "resolving" else server.url
        interrupt = 0.1 if ending == "interrupt" else None
        results = repeat(
            lambda: execute(
                PROGRAM, url, state, ending, server.url + "echo", preload=shim, interrupt=interrupt
            )
        )
        judge(results, ending, ENDINGS[ending], 4 * LINGER if sanitized else LINGER)
    if state == "open" and ending in ("normal", "exit", "exit-in-handler", "exception", "interrupt", "del"):
        assert [conn.index for conn in server.connections if conn.close_code is None] == [], "no Close frame"
