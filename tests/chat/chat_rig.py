"""What the chat's tests share: real servers as processes of their own, clients that speak the bare protocol, and people.

Knows the example and fastws. Every wait is for a condition and bounded; nothing here waits for a time.
"""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from chat.session import Session

from fastws import Backoff, WebSocketClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WAIT = 20.0  # seconds: generous on a loaded machine; nothing that works comes near it
QUICK = Backoff(base=0.05, cap=0.3, fatal_close_codes=(4001,))
# In a page, with its banner's button: what a person does who would not wait, unless the page came back a moment before.
HURRY = "button => button.hidden || button.click()"


def until(condition, seconds=WAIT):
    """Wait until it is so: what the condition gave; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.005)


def free_port():
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The chat's server, as a process. `restart()` begins again on the same port with the same history."""

    def __init__(self, data, *options):
        self.port = free_port()
        self._command = [
            sys.executable,
            "-m",
            "chat.server",
            "--port",
            str(self.port),
            "--data",
            str(data),
            *options,
        ]
        self._log = Path(data).with_suffix(f".{self.port}.log")
        self.start()

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def page(self):
        return f"http://127.0.0.1:{self.port}/"

    @property
    def log(self):
        return self._log.read_text()

    def start(self):
        with self._log.open("ab") as errors:
            self.process = subprocess.Popen(
                self._command,
                cwd=EXAMPLES,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        if not self.process.stdout.readline().startswith("listening "):
            self.end()
            raise AssertionError(self.log)

    def wait(self):
        """Until it has ended by itself: its exit code."""
        code = self.process.wait(WAIT)
        self.process.stdout.close()
        return code

    def kill(self):
        """As the system does it when memory is short: no handler runs."""
        self.process.send_signal(signal.SIGKILL)
        self.wait()

    def stop(self):
        """As a service manager does it: its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def restart(self):
        self.kill()
        self.start()

    def pause(self):
        """Stop the process without ending it."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT)
        if not self.process.stdout.closed:
            self.process.stdout.close()


class Talker:
    """A client that speaks the bare protocol: what it sends is what the test says, what comes waits in a queue."""

    def __init__(self, url, name, room, **join):
        self.room = room
        self.client = join.get("client", uuid.uuid4().hex)
        self._inbox = queue.Queue()
        self.closed = threading.Event()
        self.code = None
        self.ws = WebSocketClient(url, autoconnect=False, reconnect=False, max_message_bytes=64 * 2**20)
        self.ws.on("message", self._inbox.put)
        self.ws.on("disconnect", self._ended)
        self.ws.connect()
        self.ws.wait_open(WAIT)
        self.welcome = self.join(name, **join) if name else None

    def _ended(self, event):
        self.code = event.code
        self.closed.set()

    def send(self, message):
        if isinstance(message, bytes):
            self.ws.send_bytes(message)
        else:
            self.ws.send_text(message if isinstance(message, str) else json.dumps(message))

    def join(self, name, **changes):
        """Join: the answer."""
        join = {
            "type": "join",
            "version": 1,
            "room": self.room,
            "name": name,
            "client": self.client,
            "since": 0,
            "log": "",
        }
        self.send({**join, **changes})
        return self.next("welcome", "refused")

    def say(self, text, id=None):
        """Say something: the answer."""
        id = id or uuid.uuid4().hex
        self.send({"type": "say", "id": id, "text": text})
        return self.next(lambda message: message.get("id") == id)

    def next(self, *wanted):
        """The next message of these types, or for which this is true; others are passed over."""
        deadline = time.monotonic() + WAIT
        while True:
            message = self._inbox.get(timeout=max(0.01, deadline - time.monotonic()))
            if message["type"] in wanted or any(callable(one) and one(message) for one in wanted):
                return message

    def ask(self, message, *wanted):
        """Send it: the next message of these types, by default the refusal."""
        self.send(message)
        return self.next(*(wanted or ("refused",)))

    def waiting(self):
        """Everything that has come and was not looked at."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._inbox.get_nowait())
        return found

    def close(self):
        self.ws.close()


class Person:
    """A session, and a count of how often its face was told that something changed."""

    def __init__(self, url, name, room, *, online=True, **options):
        self.told = 0
        self.session = Session(url, room=room, name=name, changed=self._changed, reconnect=QUICK, **options)
        if online:
            self.online()

    def _changed(self):
        self.told += 1

    @property
    def view(self):
        return self.session.view()

    @property
    def texts(self):
        return [line.text for line in self.view.lines]

    def online(self):
        until(lambda: self.view.link.state == "online")

    def state(self, state):
        return until(lambda: self.view.link if self.view.link.state == state else None)

    def settled(self):
        """Wait until every own message has its receipt."""
        until(lambda: all(line.state == "sent" for line in self.view.lines))

    def say(self, *texts):
        for text in texts:
            self.session.say(text)

    def sees(self, *texts):
        """Wait until these are all it sees, in this order."""
        try:
            until(lambda: self.texts == list(texts))
        except AssertionError:
            assert self.texts == list(texts)

    def close(self):
        self.session.close()
