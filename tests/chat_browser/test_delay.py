"""`python -m chat.delay` with faces in a browser, as the program that people run."""

import re
import subprocess
import sys

from chat_rig import EXAMPLES


def test_the_delay_is_measured_between_real_faces_of_every_kind():
    command = [sys.executable, "-m", "chat.delay", "browser-terminal", "notebook-browser", "--messages", "3"]
    ended = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stderr
    line = r"{} +{} +p50 +[\d.]+ ms +p99 +[\d.]+ ms +largest +[\d.]+ ms +\(3\)\n"
    pairs = ("browser to terminal", "notebook to browser")
    assert re.fullmatch(
        "".join(line.format(pair, what) for pair in pairs for what in ("is typing", "message")), ended.stdout
    )


def test_faces_that_there_are_not_are_refused():
    command = [sys.executable, "-m", "chat.delay", "terminal-telephone"]
    ended = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "'terminal-telephone' is not two of terminal, browser, notebook" in ended.stderr
