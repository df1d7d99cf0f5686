"""`python -m fastws` in a process of its own, watched by a test.

Knows the standard library. Promises: what it writes is read at once, unless it is not to be; every wait is bounded; the
process ends with the test.
"""

import os
import subprocess
import sys
import threading
import time

COMMAND = [sys.executable, "-m", "fastws"]

# As at a shell, where nobody switched Python's buffers off.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


class CommandLine:
    """One running command. `out` and `err` are what it wrote so far; with read=False nobody reads its stdout."""

    def __init__(self, *args, stdin=subprocess.PIPE, read=True):
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, args)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._chunks = {"out": [], "err": []}
        streams = {"out": self.process.stdout, "err": self.process.stderr}
        self._threads = [
            threading.Thread(target=self._read, args=(name, streams[name].fileno()), daemon=True)
            for name in streams
            if read or name == "err"
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, name, descriptor):
        while data := os.read(descriptor, 65536):
            self._chunks[name].append(data)

    @property
    def out(self):
        """stdout, as text."""
        return b"".join(self._chunks["out"]).decode()

    @property
    def err(self):
        """stderr, as text."""
        return b"".join(self._chunks["err"]).decode()

    @property
    def lines(self):
        """The whole lines of stdout."""
        return self.out.split("\n")[:-1]

    @property
    def status(self):
        """The lines of stderr, without their beginning."""
        lines = self.err.splitlines()
        assert all(line.startswith("fastws: ") for line in lines), lines
        return [line.removeprefix("fastws: ") for line in lines]

    def type(self, text):
        """Write to its stdin."""
        self.process.stdin.write(text if isinstance(text, bytes) else text.encode())

    def wait(self, timeout=20.0):
        """Its exit code, once all that it wrote is read."""
        code = self.process.wait(timeout)
        for thread in self._threads:
            thread.join(timeout)
        return code

    def signal(self, number):
        """Send a signal and give the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def end(self):
        """End it, if it did not end by itself."""
        self.process.kill()
        self.process.wait(10)
        for thread in self._threads:
            thread.join(10)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def shell(script, *args, timeout=60.0):
    """Run a script of bash in which $@ is the command; give (exit code, stdout, stderr, seconds)."""
    began = time.monotonic()
    whole = ["bash", "-c", script, "bash", *COMMAND, *map(str, args)]
    done = subprocess.run(
        whole, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, env=ENVIRONMENT
    )
    return done.returncode, done.stdout, done.stderr, time.monotonic() - began
