"""What the notebook tests share: a kernel of each ipykernel for all tests of a file, and a server each test has to itself.

A test leaves no client behind: the next one finds the kernel as it was.
"""

import pytest
from kernels import Kernel

from fastws.testing import ScriptedServer

FIRST = "import gc, threading, time, fastws\nfrom fastws import WebSocketClient"
HASTE = "import fastws._notebook\nfastws._notebook._EVERY = 0.1  # cards take a look ten times a second: nobody waits here"


def _running(folder, **options):
    kernel = Kernel(folder, **options)
    try:
        kernel.run(FIRST)
        kernel.run(HASTE)
        yield kernel
    finally:
        kernel.kill()


@pytest.fixture(scope="module")
def _new_kernel(tmp_path_factory):
    yield from _running(tmp_path_factory.mktemp("kernel"))


@pytest.fixture(scope="module")
def _old_kernel(tmp_path_factory):
    yield from _running(tmp_path_factory.mktemp("old-kernel"), old=True)


@pytest.fixture(params=["7", "6.29"])
def kernel(request):
    """A kernel of either ipykernel; whatever a test made is closed and forgotten with it."""
    made = request.getfixturevalue("_new_kernel" if request.param == "7" else "_old_kernel")
    yield made
    made.run("fastws.close_all()")
    made.run("%reset -f\n" + FIRST)


@pytest.fixture
def kernel_7(_new_kernel):
    """A kernel of the newer ipykernel only, where both do the same."""
    yield _new_kernel
    _new_kernel.run("fastws.close_all()")
    _new_kernel.run("%reset -f\n" + FIRST)


@pytest.fixture
def own_kernel(tmp_path):
    """A kernel that the test may end."""
    yield from _running(tmp_path)


@pytest.fixture
def server():
    """A server that says nothing by itself."""
    with ScriptedServer() as made:
        yield made


@pytest.fixture
def opened(server):
    """Make the client `ws` in a kernel, open: conn = opened(kernel, "keywords")."""

    def make(kernel, keywords="", cell=None):
        kernel.run(f"ws = WebSocketClient({server.url!r}, {keywords}); ws.wait_open(20)", cell)
        return server.wait_open(len(server.connections), 20)

    return make
