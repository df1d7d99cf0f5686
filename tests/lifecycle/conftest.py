"""What the lifecycle tests share: how often a case runs, a way to run programs, and the preloaded resolver."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import threading
import time

import pytest
import trustme
from preloaded import compiled

HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    """These cases start processes, many of them when asked to: they get more time than other tests."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def sanitized():
    """Whether this is a build with sanitizers: slower by a multiple, and freed memory stays in quarantine."""
    return "FASTWS_SANITIZED" in os.environ


@pytest.fixture(scope="session")
def runs():
    """How often each case runs: FASTWS_LIFECYCLE_RUNS, by default 3."""
    return int(os.environ.get("FASTWS_LIFECYCLE_RUNS", "3"))


@pytest.fixture
def repeat(runs):
    """repeat(case): run it `runs` times, a few at once; the results, or the first exception."""

    def run(case):
        with concurrent.futures.ThreadPoolExecutor(min(runs, 3)) as pool:
            return [future.result() for future in [pool.submit(case) for _ in range(runs)]]

    return run


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The misbehaving resolver."""
    return compiled(tmp_path_factory.mktemp("shim"), "getaddrinfo_shim", "-ldl")


@pytest.fixture
def server_tls(tmp_path):
    """server_tls(secure): a server's TLS context, and the argument that lets a program trust it; neither when not secure."""

    def make(secure):
        if not secure:
            return None, []
        authority, file = trustme.CA(), tmp_path / "ca.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        authority.cert_pem.write_to_path(str(file))
        return context, [file]

    return make


class Ended:
    """How a program ended: its code, what it said, its stderr, and how long it took from the end of main."""

    def __init__(self, code, lines, stderr, ended_at):
        self.code, self.lines, self.stderr = code, lines, stderr
        self.lingered = ended_at - self.said("end") if ["end"] in [line[:1] for line in lines] else None

    def said(self, word):
        """What came with the first line of this word."""
        return next(line[1] for line in self.lines if line[0] == word)

    def __repr__(self):
        return f"code {self.code}, lingered {self.lingered}, said {self.lines}, stderr:\n{self.stderr}"


def kill_group(process):
    """End a program and what it forked."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def execute():
    """execute(arguments..., preload=, interrupt=): run a Python program to its end, at most `timeout` seconds.

    It finds telling.py, which has what this hears. `interrupt`: send SIGINT this long after it said ["ready"].
    """

    def run(*arguments, preload=None, interrupt=None, timeout=40, environment=None):
        paths = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "PYTHONPATH": paths, **(environment or {})}
        if preload is not None:
            env["LD_PRELOAD"] = " ".join(filter(None, [env.get("LD_PRELOAD"), str(preload)]))
        command = [sys.executable, "-W", "ignore::DeprecationWarning", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=env, text=True, start_new_session=True, **pipes) as process:
            errors = []
            drain = threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True)
            drain.start()
            killer = threading.Timer(timeout, kill_group, [process])
            killer.start()
            lines = []
            try:
                for line in process.stdout:
                    lines.append(json.loads(line))
                    if interrupt is not None and lines[-1][0] == "ready":
                        time.sleep(interrupt)
                        lines.append(["signalled", time.monotonic()])
                        process.send_signal(signal.SIGINT)
                code = process.wait()
                ended_at = time.monotonic()
            finally:
                killer.cancel()
                kill_group(process)
            drain.join(10)
        return Ended(code, lines, "".join(errors), ended_at)

    return run
