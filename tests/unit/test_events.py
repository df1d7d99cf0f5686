"""The event objects: frozen, slotted, without credentials in their repr, and without a hold on their client."""

import dataclasses
import weakref

import pytest

from fastws import _events
from fastws._events import KINDS, make_event


class Somebody:
    """Stands for a client."""


NOBODY = weakref.ref(Somebody())

# What the core gives, by event: the fields of the event and what only the dispatcher uses.
GIVEN = {
    "connecting": {"epoch": 1, "attempt": 1, "url": "ws://h/"},
    "connect": {
        "epoch": 1,
        "attempt": 1,
        "is_reconnect": False,
        "downtime": 0.0,
        "url": "ws://h/",
        "subprotocol": None,
        "headers": [("Set-Cookie", "session=hush")],
    },
    "disconnect": {
        "epoch": 1,
        "code": 1006,
        "reason": "",
        "clean": False,
        "initiator": "network",
        "uptime": 1.5,
        "unsent_messages": 0,
        "unsent_bytes": 0,
        "will_reconnect": True,
    },
    "reconnecting": {"attempt": 1, "delay": 0.5, "at": 10.0, "cause": None},
    "error": {
        "phase": "tcp",
        "message": "refused",
        "http_status": None,
        "retry_after": None,
        "attempt": 1,
        "fatal": False,
        "exception": None,
    },
    "dropped": {"cause": "unread", "route": "a", "count": 2, "first_at": 1.0, "last_at": 2.0},
    "closed": {"reason": "user", "code": None, "last_error": None},
}


@pytest.mark.parametrize("name", KINDS)
def test_an_event_has_exactly_its_fields(name):
    event = make_event(name, {**GIVEN[name], "life": 0, "age": 0.1}, NOBODY)
    public = {one.name for one in dataclasses.fields(event) if not one.name.startswith("_")}
    assert public == set(GIVEN[name])
    assert {key: getattr(event, key) for key in public} == GIVEN[name]


@pytest.mark.parametrize("name", KINDS)
def test_an_event_is_frozen_and_slotted(name):
    event = make_event(name, GIVEN[name], NOBODY)
    field = next(iter(GIVEN[name]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(event, field, None)
    assert not hasattr(event, "__dict__")


@pytest.mark.parametrize("name", KINDS)
def test_the_repr_names_the_fields(name):
    text = repr(make_event(name, GIVEN[name], NOBODY))
    assert text.startswith(KINDS[name].__name__ + "(")
    assert "_client" not in text
    for key in set(GIVEN[name]) - {"headers"}:
        assert f"{key}=" in text


def test_the_repr_shows_no_cookie():
    assert "hush" not in repr(make_event("connect", GIVEN["connect"], NOBODY))


def test_a_kept_event_does_not_keep_its_client():
    somebody = Somebody()
    event = make_event("closed", GIVEN["closed"], weakref.ref(somebody))
    assert event.client is somebody
    del somebody
    assert event.client is None


def test_every_event_class_has_a_name():
    classes = {
        one for one in vars(_events).values() if isinstance(one, type) and issubclass(one, _events.Event)
    }
    assert classes - {_events.Event} == set(KINDS.values())
