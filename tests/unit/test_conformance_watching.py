"""A client that crashes, hangs or says nonsense costs the case it ran, and no other: with programs that do so."""

import sys

import pytest
from watching import Failed, Watched

# Answers a line with itself and the number of lines so far; "crash" and "leave" end it, "hang" and "deaf" stay silent.
PROGRAM = """
import json, os, signal, sys, time
for count, line in enumerate(sys.stdin, 1):
    line = line.strip()
    if line == "crash":
        os.abort()  # a sanitizer takes SIGSEGV for itself
    if line == "leave":
        sys.exit(3)
    if line == "deaf":
        signal.signal(signal.SIGABRT, signal.SIG_IGN)
    if line in ("hang", "deaf"):
        time.sleep(1000)
    print(json.dumps([line, count]), flush=True)
"""


@pytest.fixture
def log(tmp_path):
    with (tmp_path / "log").open("w+") as file:
        yield file


@pytest.fixture
def watched(log):
    with Watched([sys.executable, "-X", "faulthandler", "-c", PROGRAM], log) as program:
        yield program


def test_one_process_answers_as_long_as_it_lives(watched):
    assert [watched.ask("a", 30), watched.ask("b", 30)] == [["a", 1], ["b", 2]]


def test_a_crash_is_told_and_the_next_case_runs_in_a_new_process(watched, log):
    assert watched.ask("a", 30) == ["a", 1]
    with pytest.raises(Failed, match="crashed: SIGABRT"):
        watched.ask("crash", 30)
    assert watched.ask("b", 30) == ["b", 1]
    log.seek(0)
    assert "Aborted" in log.read()


def test_an_exit_is_told_too(watched):
    with pytest.raises(Failed, match="crashed: exit code 3"):
        watched.ask("leave", 30)
    assert watched.ask("b", 30) == ["b", 1]


def test_a_hang_ends_in_time_and_leaves_its_stack(watched, log):
    assert watched.ask("a", 30) == ["a", 1]
    with pytest.raises(Failed, match=r"did not end within 0\.5 s"):
        watched.ask("hang", 0.5)
    assert watched.ask("b", 30) == ["b", 1]
    log.seek(0)
    assert "in <module>" in log.read()


def test_a_hang_that_takes_no_signal_is_killed(watched, monkeypatch):
    monkeypatch.setattr("watching.LAST_WORDS", 0.2)
    assert watched.ask("a", 30) == ["a", 1]
    with pytest.raises(Failed, match="did not end"):
        watched.ask("deaf", 0.5)
    assert watched.ask("b", 30) == ["b", 1]


def test_nothing_is_left_running(log):
    with Watched([sys.executable, "-c", PROGRAM], log) as program:
        program.ask("a", 30)
        process = program._process
    assert process.poll() is not None
