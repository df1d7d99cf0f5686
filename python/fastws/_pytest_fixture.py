"""The scripted server as a pytest fixture, which pytest finds by the distribution's entry point.

Knows pytest, which loads it. Promises: nothing else here imports it, so that fastws works without pytest.
"""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from fastws.testing import ScriptedServer


@pytest.fixture
def scripted_server() -> Iterator[Callable[..., ScriptedServer]]:
    """Make scripted servers: scripted_server(script, ...) takes what ScriptedServer does (see fastws.testing).

    They stop with the test, which has an error when a script had one.
    """
    with contextlib.ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(ScriptedServer(*args, **options))
