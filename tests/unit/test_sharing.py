"""What clients that are made alike share, and what they never do."""

import gc
import weakref

import pytest

from fastws import Backoff, Queue, Tls, WebSocketClient, _sharing

URL = "ws://127.0.0.1:1/"


@pytest.fixture
def client():
    """Makes clients that are closed afterwards; `client.made` refers to them until then."""
    made = []

    def make(url=URL, **settings):
        made.append(WebSocketClient(url, autoconnect=False, **settings))
        return made[-1]

    make.made = made
    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tls": Tls(verify=False, server_name="a"), "reconnect": Backoff(cap=5.0), "offline": Queue(ttl=1.0)},
        {"heartbeat": {"send": {"a": 1}, "every": 1.0}, "auto_reply": [({"a": 1}, {"b": 2})]},
    ],
    ids=["plain", "values", "automatic"],
)
def test_clients_of_equal_settings_share_their_options(client, settings):
    one, other = client(**settings), client(**settings)
    assert one._shared is other._shared


def test_where_one_connects_and_what_it_says_there_is_its_own(client):
    one = client("ws://127.0.0.1:1/a", headers={"X-Token": "first-token"})
    other = client("ws://127.0.0.1:2/b", headers={"X-Token": "second-token"}, auth=("user", "secret"))
    assert one._shared is other._shared
    assert (one.url, other.url) == ("ws://127.0.0.1:1/a", "ws://127.0.0.1:2/b")
    for own in ("127.0.0.1", "token", "secret"):
        assert own not in repr(one._shared.settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"tls": Tls(verify=False)},
        {"tls": Tls(server_name="x")},
        {"tls": Tls(key_password="x")},
        {"proxy": None},
        {"reconnect": False},
        {"reconnect": Backoff(fatal_close_codes=[4000])},
        {"offline": "raise"},
        {"overflow": "drop_oldest"},
        {"max_message_bytes": 1},
        {"decode": "text"},
        {"subprotocols": ["a"]},
        {"ping_interval": 1.0},
        {"compress": False},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_whoever_is_told_something_else_shares_nothing(client, settings):
    assert client()._shared is not client(**settings)._shared


def test_nothing_stays_behind_the_last_client(client):
    client(origin="https://a")
    client(origin="https://a")
    shared = weakref.ref(client.made[0]._shared)
    gc.collect()
    known = len(_sharing._living)
    for left in (1, 0):
        assert shared() is client.made[-1]._shared
        client.made.pop().close()
        gc.collect()
        assert len(client.made) == left
    assert shared() is None
    assert len(_sharing._living) == known - 1


def test_settings_whose_texts_have_one_hash_are_told_apart(client, monkeypatch):
    monkeypatch.setattr(_sharing, "hash", lambda text: 1, raising=False)
    one, other = client(settle=0.25), client(settle=0.75)
    assert one._shared is not other._shared
    assert one._shared.settings["settle"] == 0.25 and other._shared.settings["settle"] == 0.75
