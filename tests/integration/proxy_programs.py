"""Proxies of other projects, started on loopback for a test: tinyproxy, microsocks, and TLS in front of either.

Every program has a configuration of its own and ends with its test. One that is missing fails the test that needs it.
"""

import contextlib
import os
import random
import selectors
import shutil
import socket
import subprocess
import threading
import time


def free_port():
    """A port of 127.0.0.1 where nobody listens, and that the system lends to no one meanwhile: below its own range."""
    while True:
        port = random.randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            return port


class Program:
    """A proxy in a process. `scheme` and `port`: how it is reached; `log()`: what it wrote."""

    scheme = "http"

    def __init__(self, folder, *, port=None, preload=None):
        self.port = port or free_port()
        self.folder = folder
        self._preload = preload
        self._log = folder / f"{type(self).__name__}-{self.port}.log"
        self._process = None

    def command(self):
        """What starts it."""
        raise NotImplementedError

    def url(self, userinfo="", scheme=None):
        """The URL for `proxy=`."""
        return f"{scheme or self.scheme}://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}"

    def log(self):
        """Everything it has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def __enter__(self):
        name, *arguments = self.command()
        program = shutil.which(name)
        assert program, f"{name} is not installed: make test installs it (scripts/install-native tests)"
        # Not ours: what is preloaded into Python, such as a sanitizer, has no business there.
        environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
        if self._preload:
            environment["LD_PRELOAD"] = str(self._preload)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
            )
        end = time.monotonic() + 15
        while True:
            assert self._process.poll() is None, f"{name} ended at once: {self.log()}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            assert time.monotonic() < end, f"{name} does not listen: {self.log()}"
            time.sleep(0.01)

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait(10)


class Tinyproxy(Program):
    """An HTTP proxy. `lines`: more of its configuration."""

    def __init__(self, folder, *lines, **options):
        super().__init__(folder, **options)
        self._lines = lines

    def command(self):
        """With a configuration file of its own."""
        path = self.folder / f"tinyproxy-{self.port}.conf"
        own = [f"Port {self.port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "LogLevel Connect", "Timeout 60"]
        path.write_text("\n".join([*own, *self._lines]) + "\n")
        return ["tinyproxy", "-d", "-c", str(path)]


class Microsocks(Program):
    """A SOCKS5 proxy, with a user and password or without."""

    scheme = "socks5h"

    def __init__(self, folder, user=None, password=None, **options):
        super().__init__(folder, **options)
        self._credentials = [] if user is None else ["-u", user, "-P", password]

    def command(self):
        """All its settings are arguments."""
        return ["microsocks", "-i", "127.0.0.1", "-p", str(self.port), *self._credentials]


class TlsFront:
    """Takes TLS on a port of its own and hands the bytes on to a proxy behind it. `names`: the SNI of each client."""

    def __init__(self, behind, context):
        self.names = []
        self._behind, self._context = behind, context
        context.sni_callback = lambda session, name, _: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = set()
        self._threads = [threading.Thread(target=self._accept)]

    def url(self, userinfo=""):
        """The URL for `proxy=`, by name: certificates have names."""
        return f"https://{userinfo}{'@' if userinfo else ''}localhost:{self.port}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self._listener.accept()
                one.settimeout(20)
                self._open.add(one)
                self._threads.append(threading.Thread(target=self._serve, args=(one,)))
                self._threads[-1].start()

    def _serve(self, one):
        # OSError holds what TLS and sockets raise; ValueError is a socket that __exit__ closed meanwhile.
        with contextlib.suppress(OSError, ValueError), one:
            with self._context.wrap_socket(one, server_side=True) as session:
                with socket.create_connection(("127.0.0.1", self._behind.port), 10) as onward:
                    self._open |= {session, onward}
                    self._relay(session, onward)

    @staticmethod
    def _relay(session, onward):
        with selectors.DefaultSelector() as selector:
            selector.register(session, selectors.EVENT_READ, onward)
            selector.register(onward, selectors.EVENT_READ, session)
            while True:
                for key, _ in selector.select():
                    while data := key.fileobj.recv(65536):
                        key.data.sendall(data)
                        if key.fileobj is onward or not session.pending():
                            break
                    if not data:
                        return

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
