"""A real Jupyter kernel in a process of its own, driven cell by cell, with what each cell was given as output.

May know jupyter_client and the kernel's processes; nothing of fastws. Promises: every wait is bounded; output is found by
the cell run it belongs to, whenever it comes.
"""

import contextlib
import os
import queue
import sys
import time
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

OLD_KERNEL = Path(__file__).resolve().parents[2] / "build" / "kernel-6.29"
WAIT = 40.0  # seconds: generous on a loaded machine; nothing that works comes near it


def kernel_spec():
    """How this Python's kernel is started."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return KernelSpec(argv=argv, display_name="tests", language="python")


def environment(folder, *, old, **more):
    """What its process finds: ipykernel as installed or (`old`) 6.29, and nothing of the user's own settings."""
    if old and not OLD_KERNEL.is_dir():
        raise AssertionError(f"{OLD_KERNEL} is missing: scripts/install-old-kernel makes it")
    path = [str(OLD_KERNEL)] if old else []
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*path, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **more,
    }


class Run:
    """One run of one cell: its reply, and the messages that belong to it."""

    def __init__(self, kernel, msg_id):
        self._kernel = kernel
        self.msg_id = msg_id
        self.messages = []
        self.reply = None

    @property
    def text(self):
        """What it printed so far."""
        return "".join(content["text"] for content in self.of("stream") if content["name"] == "stdout")

    @property
    def log(self):
        """What went to its stderr so far."""
        return "".join(content["text"] for content in self.of("stream") if content["name"] == "stderr")

    @property
    def lines(self):
        """What it printed so far, by line."""
        return self.text.splitlines()

    def of(self, kind):
        """The contents of its messages of one type."""
        self._kernel.look()
        return [m["content"] for m in self.messages if m["msg_type"] == kind]

    @property
    def idle(self):
        """Whether the kernel said that it is done with it."""
        return any(content["execution_state"] == "idle" for content in self.of("status"))

    def until_text(self, text):
        """Wait until it printed this."""
        self._kernel.until(lambda: text in self.text, f"no {text!r} in {self.text!r}")


class Kernel:
    """A kernel of this Python, with ipykernel as installed or (`old`) 6.29."""

    def __init__(self, folder, *, old=False):
        self._environment = environment(folder, old=old)
        self._manager = KernelManager(connection_file=str(folder / "kernel.json"))
        self._manager._kernel_spec = kernel_spec()
        self.runs = {}
        self.updates = []  # of displays: a front end finds those by their id, whatever cell they are said to belong to
        self.start()

    def start(self):
        """Start the process and wait until it answers."""
        self._manager.start_kernel(env=self._environment)
        self._connect()

    def _connect(self):
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=WAIT)

    @property
    def pid(self):
        """The process."""
        return self._manager.provisioner.pid

    def begin(self, code, cell=None):
        """Start a cell; `cell` is the front end's name of it."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        content |= {"user_expressions": {}, "stop_on_error": True}
        message = self._client.session.msg("execute_request", content)
        if cell is not None:
            message["metadata"]["cellId"] = cell
        run = self.runs[message["header"]["msg_id"]] = Run(self, message["header"]["msg_id"])
        self._client.shell_channel.send(message)
        return run

    def end(self, run):
        """Wait until a cell has ended; give it."""
        self.until(lambda: run.reply is not None and run.idle, f"the cell did not end: {run.messages}")
        return run

    def run(self, code, cell=None):
        """Run a cell to its end, which must be a good one."""
        run = self.end(self.begin(code, cell))
        assert run.reply["status"] == "ok", "\n".join(run.reply["traceback"])
        return run

    def value(self, expression):
        """What an expression is in the kernel, as its repr."""
        run = self.run(f"__import__('sys').stdout.write(repr({expression}))")
        return run.text

    def look(self):
        """Take what has come, without waiting."""
        for channel in (self._client.iopub_channel, self._client.shell_channel):
            with contextlib.suppress(queue.Empty):
                while True:
                    message = channel.get_msg(timeout=0)
                    if message["msg_type"] == "update_display_data":
                        self.updates.append(message["content"])
                    run = self.runs.get(message["parent_header"].get("msg_id"))
                    if run is None:
                        continue
                    if message["msg_type"] == "execute_reply":
                        run.reply = message["content"]
                    else:
                        run.messages.append(message)

    def until(self, condition, otherwise):
        """Wait until it holds; give what it gave."""
        end = time.monotonic() + WAIT
        while not (result := condition()):
            assert time.monotonic() < end, otherwise
            self.look()
            time.sleep(0.01)
        return result

    def until_value(self, expression, wanted="True"):
        """Wait until an expression in the kernel has this repr."""
        self.until(lambda: self.value(expression) == wanted, f"{expression} is not {wanted}")

    def interrupt(self):
        """What the front end's button does."""
        self._manager.interrupt_kernel()

    def restart(self):
        """What the front end's button does."""
        self._client.stop_channels()
        self._manager.restart_kernel(now=False)
        self._connect()

    def shut_down(self):
        """End the process as a front end does."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=False)

    def kill(self):
        """Whatever the test left behind."""
        with contextlib.suppress(Exception):
            self._client.stop_channels()
        if self._manager.has_kernel and self._manager.is_alive():
            self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
