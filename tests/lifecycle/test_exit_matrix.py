"""Every way a script can end, in every state a client can be in (T43, T44, R17, R18, R19).

The return code is the script's own, nothing is printed, the process is gone 1.5 s after the end of main, and the server
has its connection back.
"""

import pathlib
import time

import pytest

from fastws.testing import ScriptedServer

PROGRAM = pathlib.Path(__file__).parent / "program.py"
STATES = [
    "idle",
    "connecting",
    "resolving",
    "open",
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
    ("busy", "exit-in-handler"),  # the same as open
    ("blocked", "exit-in-handler"),
    ("blocked", "del"),  # the sleeping threads hold it
}
LINGER = 1.5 + 0.5  # seconds: the promise, and what Python's own end may take on a loaded machine


def frames_of_numbers():
    texts = [b'{"type":"n","n":%d}' % number for number in range(50)]
    return b"".join(bytes([0x81, len(text)]) + text for text in texts)


def script_for(state):
    def script(conn):
        if conn.read_request().path == "/echo":
            conn.send(conn.expect())
            return
        if state in ("connecting", "resolving"):
            conn.stall()
        elif state == "backoff":
            conn.refuse(503)
        else:
            conn.answer_close = state != "closing"
            conn.accept()
            if state == "flood":
                while not conn.stall(0.001):
                    conn.send_raw(frames_of_numbers())
            elif state == "busy":
                conn.send_json({"type": "n"})
            elif state == "blocked":
                conn.pause_reading()

    return script


def cases():
    for state in STATES:
        for ending in ENDINGS:
            if (state, ending) not in POINTLESS:
                yield pytest.param(state, ending, id=f"{state}-{ending}")


@pytest.mark.parametrize(("state", "ending"), list(cases()))
def test_the_process_ends_as_it_should(execute, repeat, shim, sanitized, state, ending):
    with ScriptedServer(script_for(state), receive_buffer=4096 if state == "blocked" else None) as server:
        url = f"ws://hang.test:{server.port}/" if state == "resolving" else server.url
        interrupt = 0.1 if ending == "interrupt" else None
        results = repeat(
            lambda: execute(
                PROGRAM, url, state, ending, server.url + "echo", preload=shim, interrupt=interrupt
            )
        )
        for result in results:
            judge(result, ending, 4 * LINGER if sanitized else LINGER)
        for conn in server.connections:
            conn.resume_reading()  # what the program had written comes first, then its FIN
        end = time.monotonic() + 5
        while server.live and time.monotonic() < end:
            time.sleep(0.01)
        assert server.live == 0, "a connection outlived its process"
        if state == "open" and ending in (
            "normal",
            "exit",
            "exit-in-handler",
            "exception",
            "interrupt",
            "del",
        ):
            assert [conn.close_code for conn in server.connections if conn.close_code is None] == [], (
                "no Close frame"
            )


def judge(result, ending, linger):
    if ending == "interrupt":
        # Ctrl-C goes through wait(): the shell's 130, or Python's own way of saying it.
        assert result.code in (130, -2), result
        assert not result.stderr or result.stderr.rstrip().endswith("KeyboardInterrupt"), result
        signalled = next(line[1] for line in result.lines if line[0] == "signalled")
        ended = next(line[1] for line in result.lines if line[0] == "end")
        assert ended - signalled < linger, result
    else:
        assert result.code == ENDINGS[ending], result
    if ending == "exception":
        assert result.stderr.startswith("Traceback"), result
        assert result.stderr.rstrip().endswith("LookupError: of the script"), result
        assert result.stderr.count("Traceback") == 1, result
    elif ending != "interrupt":
        assert result.stderr == "", result
    assert result.lingered is not None and result.lingered < linger, result
