"""A recording at every end of its process: whole after an ordinary one, at most one torn line after a kill, and a fork's
child writes nothing."""

import json
import subprocess
import sys

import pytest
from exits import soon

from fastws.testing import ScriptedServer, replay

MESSAGES = 3000
PROGRAM = """
import os, sys, threading, time
from fastws import WebSocketClient
from telling import say
url, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ws = WebSocketClient(url, record=path, decode="text")
ws.wait_open(20)
ws.send_text("go")
while ws.stats().messages_in < count: time.sleep(0.001)
"""
ENDS = {
    "close": "ws.close()\nos._exit(0)\n",
    "exit": "say('end', time.monotonic())\n",
    "collected": "import warnings; warnings.simplefilter('ignore', ResourceWarning)\n"
    "import logging; logging.disable()\ndel ws\nsay('end', time.monotonic())\n",
    "fork": "if os.fork() == 0: ws.close(); os._exit(0)\nos.wait()\nws.close()\nos._exit(0)\n",
    "kill": "os.kill(os.getpid(), 9)\n",
}


def script(conn):
    conn.expect()
    for number in range(MESSAGES):
        conn.send(f"{number} " + "x" * 1000)
    conn.stall()


@pytest.fixture
def program(tmp_path, execute):
    """Run a client that records MESSAGES messages and ends as told; gives how it ended and its file."""

    def run(end, number):
        code, path = tmp_path / f"program{number}.py", tmp_path / f"feed{number}.jsonl"
        code.write_text(PROGRAM + ENDS[end])
        with ScriptedServer(script) as server:
            ended = execute(code, server.url, path, MESSAGES)
        assert ended.code == (-9 if end == "kill" else 0), ended
        assert ended.stderr == "", ended
        return ended, path

    return run


@pytest.mark.parametrize("end", ["close", "exit", "collected", "fork"])
def test_nothing_is_missing_after_an_ordinary_end(program, repeat, end):
    numbers = iter(range(1000))

    def case():
        ended, path = program(end, next(numbers))
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["kind"] for line in lines] == ["start", "connect", *["text"] * MESSAGES, "disconnect"]
        assert [line["data"].split()[0] for line in lines[2:-1]] == [
            str(number) for number in range(MESSAGES)
        ]
        return ended.lingered

    lingered = repeat(case)
    if end in ("exit", "collected"):
        soon(lingered, 2.0)


def test_a_killed_process_leaves_at_most_one_torn_line(program, repeat):
    numbers = iter(range(1000))

    def case():
        _, path = program("kill", next(numbers))
        whole = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        texts = [line["data"].split()[0] for line in whole if line["kind"] == "text"]
        assert texts == [str(number) for number in range(len(texts))]
        if texts:
            with replay(path, speed=None):
                pass

    repeat(case)


def test_no_descriptor_is_left_open(tmp_path):
    """The file is closed with its client, and a new program does not inherit it."""
    code = (
        "import os, subprocess, sys, time, gc\nfrom fastws import WebSocketClient\n"
        "ws = WebSocketClient('ws://127.0.0.1:1/', autoconnect=False, record=sys.argv[1])\n"
        "links = lambda: [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd')\n"
        "                 if os.path.exists(f'/proc/self/fd/{fd}')]\n"
        "assert sys.argv[1] in links()\n"
        "inherited = subprocess.run(['ls', '-l', '/proc/self/fd'], capture_output=True, text=True, close_fds=False)\n"
        "assert sys.argv[1] not in inherited.stdout\n"
        "ws.close(); del ws; gc.collect()\n"
        "until = time.monotonic() + 10\n"
        "while sys.argv[1] in links() and time.monotonic() < until: time.sleep(0.01)\n"
        "assert sys.argv[1] not in links()\n"
    )
    path = tmp_path / "program.py"
    path.write_text(code)
    assert subprocess.run([sys.executable, path, tmp_path / "feed"], check=False).returncode == 0
