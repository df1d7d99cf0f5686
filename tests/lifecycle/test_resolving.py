"""Names that resolve late, wrongly or differently: nothing waits for a resolver, and its answers are never kept.

The client runs in a process of its own with a resolver that misbehaves by name (getaddrinfo_shim.c).
"""

import itertools
import time

import pytest
from exits import soon

from fastws.testing import ScriptedServer

PROGRAM = """
import os, sys, threading, time
from fastws import Backoff, WebSocketClient
from telling import say
import logging; logging.getLogger("fastws").addHandler(logging.NullHandler())
url, timeout = sys.argv[1], float(sys.argv[2])
ws = WebSocketClient(url, autoconnect=False, connect_timeout=timeout, reconnect=Backoff(base=0.02, cap=0.05))
opened = threading.Event()
ws.on("error", lambda event: say("error", event.phase, event.fatal))
ws.on("connect", lambda event: (say("connect", event.attempt), opened.set()))
"""


@pytest.fixture
def program(tmp_path, shim, execute):
    """Run PROGRAM and some more lines; gives how it ended and the names that were asked for."""
    numbers = itertools.count()

    def run(url, more, timeout=10.0):
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        path, log = folder / "program.py", folder / "shim.log"
        path.write_text(PROGRAM + more)
        ended = execute(path, url, timeout, preload=shim, environment={"SHIM_LOG": str(log)})
        assert ended.code == 0, ended
        assert ended.stderr == "", ended
        return ended, log.read_text().split()

    return run


OPEN_AND_END = "ws.connect()\nassert opened.wait(20)\nws.close()\nsay('end', time.monotonic())\n"


def test_a_failing_resolver_is_asked_again_until_it_answers(program):
    """T26: EAI_AGAIN five times, then an address; phase resolve, never fatal, asked afresh every time."""
    with ScriptedServer() as server:
        ended, asked = program(f"ws://again.test:{server.port}/", OPEN_AND_END)
    assert ended.lines[:5] == [["error", "resolve", False]] * 5
    assert ended.lines[5] == ["connect", 6]
    assert len(asked) == 6


def test_an_address_that_changes_is_used(program):
    """T26: a fresh lookup for every attempt; 127.0.0.2 refuses, 127.0.0.1 is the server."""
    with ScriptedServer() as server:
        ended, asked = program(f"ws://moves.test:{server.port}/", OPEN_AND_END)
    assert ended.lines[:3] == [["error", "tcp", False], ["error", "tcp", False], ["connect", 3]]
    assert len(asked) == 3


def test_a_dead_ipv6_address_does_not_hide_the_ipv4_one(program):
    """T26: all addresses are tried inside the one attempt."""
    with ScriptedServer() as server:
        ended, _ = program(f"ws://dead6.test:{server.port}/", OPEN_AND_END)
    assert ended.lines[0] == ["connect", 1]


def test_close_during_a_hanging_lookup_returns_at_once(program, repeat):
    """T6, R4: the lookup is abandoned; closed, and the process ends without waiting for it."""
    more = """
ws.connect()
while not os.path.exists(os.environ["SHIM_LOG"]): time.sleep(0.01)  # the lookup runs
time.sleep(0.3)
assert ws.state == "connecting"
started = time.monotonic()
ws.close()
say("closed", time.monotonic() - started)
assert ws.state == "closed"
say("end", time.monotonic())
"""
    results = repeat(lambda: program("ws://hang.test:1/", more))
    soon([ended.said("closed") for ended, _ in results], 1.5)
    soon([ended.lingered for ended, _ in results], 2.0)
    assert [asked for _, asked in results] == [["hang.test"]] * len(results)


def test_a_hanging_lookup_fails_at_the_deadline_and_lookups_are_bounded(program, repeat):
    """R18: at most two running lookups per host; later attempts fail at their own deadline with phase resolve."""
    more = """
fourth = threading.Semaphore(0)
ws.on("error", lambda: fourth.release())
ws.connect()
assert all(fourth.acquire(timeout=20) for _ in range(4))
ws.close()
say("end", time.monotonic())
"""
    results = repeat(lambda: program("ws://hang.test:1/", more, timeout=0.3))
    for ended, asked in results:
        errors = {line[1] for line in ended.lines if line[0] == "error"}
        assert errors in ({"resolve"}, {"timeout", "resolve"})
        assert 1 <= len(asked) <= 2
    soon([ended.lingered for ended, _ in results], 2.0)


def test_one_hanging_host_holds_no_other_host_back(program, repeat):
    """R18: not one serial resolver thread for all."""
    more = """
others = [WebSocketClient("ws://hang%d.test:1/" % at, reconnect=Backoff(base=60, cap=60)) for at in range(5)]
time.sleep(0.3)
started = time.monotonic()
ws.connect()
ws.wait_open(15)
say("took", time.monotonic() - started)
say("end", time.monotonic())
"""

    def case():
        started = time.monotonic()
        ended, _ = program(f"ws://dead6.test:{server.port}/", more)
        assert time.monotonic() - started < 25
        assert ended.said("took") < 5.0
        return ended.lingered

    with ScriptedServer() as server:
        soon(repeat(case), 2.0)


def test_many_hanging_hosts_are_bounded_and_end_with_the_process(program, repeat):
    """R18: at most 16 lookups in all; the exit waits for none."""
    more = """
others = [WebSocketClient("ws://hang%d.test:1/" % at, reconnect=Backoff(base=60, cap=60)) for at in range(40)]
time.sleep(1.0)
say("threads", len(os.listdir("/proc/self/task")))
say("end", time.monotonic())
"""
    results = repeat(lambda: program("ws://hang.test:1/", more))
    for ended, asked in results:
        assert len(asked) <= 16
        assert ended.said("threads") <= 16 + 4
    soon([ended.lingered for ended, _ in results], 2.0)
