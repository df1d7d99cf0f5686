"""`python -m chat`, what `make chat` runs: as a program, in a real pseudo-terminal where it needs one."""

import ast
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from chat.__main__ import who_listens
from chat.delay.__main__ import measure
from chat.delay.terminal import Terminal
from chat_rig import EXAMPLES, WAIT, Person, free_port, until

import fastws

ROOT = EXAMPLES.parent


def run(*options):
    """Run it to its end: (exit code, all it said)."""
    command = [sys.executable, "-m", "chat", *map(str, options)]
    ended = subprocess.run(
        command,
        cwd=EXAMPLES,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return ended.returncode, ended.stdout


@pytest.fixture
def place(tmp_path):
    """A port and a file for a server that the program starts; the server ends with the test."""
    port = free_port()
    yield port, tmp_path / "history.sqlite3"
    for line in subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        if "chat.server" in command and f"--port {port}" in command:
            os.kill(int(pid), signal.SIGTERM)
    until(lambda: who_listens(port) == "nobody")


def test_it_starts_a_server_once_and_says_where_the_page_is(place):
    port, data = place
    code, said = run("--port", port, "--data", data, "--room", "tea")
    assert (code, f"http://127.0.0.1:{port}/?room=tea" in said) == (0, True), said
    assert who_listens(port) == "chat"
    assert run("--port", port, "--data", data)[0] == 0, "the second finds the first one's server"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
        assert b"Join the chat" in page.read()


def test_the_first_message_from_a_terminal_of_forty_columns(place, stack):
    port, data = place
    terminal = Terminal(sys.executable, "-m", "chat", "--port", str(port), "--data", str(data), size=(20, 40))
    stack.callback(terminal.end)
    terminal.wait_for(b"Your name")
    terminal.write(b"Ada")  # instead of the name that was proposed
    terminal.wait_for(b"Ada")
    terminal.write(b"\r")
    terminal.wait_for(b"1 here")
    bob = Person(f"ws://127.0.0.1:{port}/ws", "Bob", "lobby")
    stack.callback(bob.close)
    terminal.write(b"hello\r")
    bob.sees("hello")
    assert bob.view.lines[0].name == "Ada"
    bob.say("<b>hi</b>")
    terminal.wait_for(b"<b>hi</b>")


def test_two_commands_from_a_clone_to_the_first_message(place, stack):
    """`git clone` and `make chat`: what make runs when it has installed what it needs, as make itself says it."""
    port, data = place
    made = [option for stamp in ("dev", "chat-tools") for option in ("--assume-old", f"build/stamps/{stamp}")]
    python = os.path.relpath(sys.executable, ROOT)
    recipe = subprocess.run(["make", "--no-print-directory", "-n", *made, "chat", f"PY={python}", f"PORT={port}"],
                            cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
    terminal = Terminal("bash", "-c", f"cd {ROOT} && {recipe.stdout.strip()} --data {data}")
    stack.callback(terminal.end)
    terminal.wait_for(b"Your name")
    terminal.write(b"Ada")
    terminal.wait_for(b"Ada")
    terminal.write(b"\r")
    terminal.wait_for(b"1 here")
    terminal.write(b"hello\r")
    terminal.wait_for("✓".encode())
    bob = Person(f"ws://127.0.0.1:{port}/ws", "Bob", "lobby")
    stack.callback(bob.close)
    bob.sees("hello")


def test_a_port_of_another_program_is_left_alone(place):
    port, data = place
    with socket.create_server(("127.0.0.1", port)) as other:
        other.settimeout(WAIT)
        code, said = run("--port", port, "--data", data)
        assert code == 1
        assert f"port {port} is used by another program" in said
    assert not data.exists()


def test_a_server_that_can_not_start_is_told_with_its_reason_at_hand(place):
    port, data = place
    data.write_bytes(b"no database" * 1000)
    code, said = run("--port", port, "--data", data)
    assert code == 1
    assert str(data.with_suffix(".log")) in said
    assert "file is not a database" in data.with_suffix(".log").read_text()


def test_a_server_nobody_needs_any_more_ends_by_itself(serve, person):
    server = serve("--linger", "2")  # counted from its start on: Ada has to come in this time
    ada = person("Ada", url=server.url)
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(3.0)
    ada.close()
    assert server.wait() == 0


def test_the_delay_between_two_terminals_is_measured(tmp_path):
    for delays in measure(("terminal", "terminal"), 3, tmp_path / "history.sqlite3"):
        assert len(delays) == 3
        assert all(0 < delay < 1000 * WAIT for delay in delays)


def test_the_example_uses_the_public_api_alone():
    used = set()
    for file in (EXAMPLES / "chat").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fastws":
                assert node.module == "fastws", file
                used |= {name.name for name in node.names}
            elif isinstance(node, ast.Import):
                assert not any(name.name.split(".")[0] == "fastws" for name in node.names), file
            elif (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "_ws"
            ):
                assert not node.attr.startswith("_"), file
    assert "WebSocketClient" in used
    assert used <= set(fastws.__all__)
