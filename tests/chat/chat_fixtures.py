"""The chat's servers and people, as fixtures: they end with the test."""

import contextlib
import uuid

import pytest
from chat_rig import Person, Server, Talker


@pytest.fixture
def stack():
    """What ends with the test, the last first."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(stack, tmp_path):
    """Make servers: serve(*options), each with a history of its own."""
    made = []

    def make(*options):
        server = Server(tmp_path / f"history{len(made)}.sqlite3", *options)
        made.append(server)
        stack.callback(server.end)
        return server

    return make


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server alone, for all tests that do no harm to it."""
    server = Server(tmp_path_factory.mktemp("chat") / "history.sqlite3")
    yield server
    assert server.stop() == 0
    assert server.log == "", server.log


@pytest.fixture
def room():
    """A room of this test's own."""
    return uuid.uuid4().hex


@pytest.fixture
def talker(stack, server, room):
    """Make bare clients of the server: talker(name, ...); without a name it has not joined."""

    def make(name=None, *, url=None, **join):
        one = Talker(url or server.url, name, **{"room": room, **join})
        stack.callback(one.close)
        return one

    return make


@pytest.fixture
def person(stack, server, room):
    """Make people at the server: person(name, ...)."""

    def make(name, *, url=None, **options):
        one = Person(url or server.url, name, **{"room": room, **options})
        stack.callback(one.close)
        return one

    return make


@pytest.fixture
def full_server(serve, talker):
    """A server that can keep no long message any more. Who filled its history has left the room."""
    server = serve("--max-history-mib", "0.01")
    filler = talker("Bob", url=server.url)
    while filler.say("x" * 4000)["type"] != "refused":
        pass
    filler.close()
    return server
