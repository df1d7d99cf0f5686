"""A server that brings clients into each state, and what the end of a program that used one must be like.

Knows fastws.testing. Promises: every wait is bounded.
"""

import contextlib
import time

from fastws.testing import ScriptedServer


def frames_of_numbers():
    texts = [b'{"type":"n","n":%d}' % number for number in range(50)]
    return b"".join(bytes([0x81, len(text)]) + text for text in texts)


def script_for(state):
    """The script that brings a client into the state, or up to where the client itself goes on; /echo gives a message back."""

    def script(conn):
        if conn.read_request().path == "/echo":
            conn.send(conn.expect())
        elif state in ("connecting", "resolving", "asking"):
            conn.stall()
        elif state == "backoff":
            conn.refuse(503)
        else:
            conn.answer_close = state != "closing"
            conn.accept()
            if state == "flood":
                while not conn.stall(0.001):
                    conn.send_raw(frames_of_numbers())
            elif state in ("busy", "slow"):
                conn.send_json({"type": "n"})
            elif state == "silent":
                conn.expect(60)
                conn.send_json({"type": "n"})
            elif state == "blocked":
                conn.pause_reading()

    return script


@contextlib.contextmanager
def server_for(state):
    """A server for programs in the state, which must all give their connections back."""
    with ScriptedServer(script_for(state), receive_buffer=4096 if state == "blocked" else None) as server:
        yield server
        for conn in server.connections:
            conn.resume_reading()  # what the program had written comes first, then its FIN
        end = time.monotonic() + 5
        while server.live and time.monotonic() < end:
            time.sleep(0.01)
        assert server.live == 0, "a connection outlived its process"
        for conn in server.connections:
            assert conn.wait_over(5)  # all that came before the FIN is read, too


def soon(seconds, promise):
    """A loaded machine may hold up any run: the least of them keeps the promise, and none takes four times as long."""
    assert min(seconds) < promise and max(seconds) < 4 * promise, seconds


def judge(results, ending, code, linger):
    """The code is the program's own, nothing is printed but what Python prints of an exception, and it is soon gone.

    `linger`: seconds that it may take from the end of main, and that an interrupted main may take.
    """
    for result in results:
        judge_words(result, ending, code)
    soon([result.lingered for result in results], linger)
    if ending == "interrupt":
        soon([result.said("end") - result.said("signalled") for result in results], linger)


def judge_words(result, ending, code):
    """What a program's end looks like, however long it took."""
    if ending == "interrupt":
        # Ctrl-C goes through wait(): the shell's 130, or Python's own way of saying it.
        assert result.code in (130, -2), result
        assert not result.stderr or result.stderr.rstrip().endswith("KeyboardInterrupt"), result
    else:
        assert result.code == code, result
        if ending == "exception":
            assert result.stderr.startswith("Traceback"), result
            assert result.stderr.rstrip().endswith("LookupError: of the script"), result
            assert result.stderr.count("Traceback") == 1, result
        else:
            assert result.stderr == "", result
    assert result.lingered is not None, result
