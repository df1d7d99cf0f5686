"""The exception tree: its drawing is the classes, failures map to it in one place, and everything can be pickled."""

import inspect
import pickle
import re

import pytest

from fastws import _errors
from fastws._errors import ConnectFailed, FastwsError, HandshakeRejected, failure_to_error

CLASSES = [kind for _, kind in inspect.getmembers(_errors, inspect.isclass) if issubclass(kind, FastwsError)]


def drawn(docstring):
    """(name, name of the parent, names of the other bases) of every line of the drawing."""
    found, parents = [], {}
    for line in docstring.splitlines():
        match = re.fullmatch(r"    ([│├└─ ]*)(\w+)(?: \((.*)\))?", line)
        if match is None:
            continue
        depth = len(match[1]) // 4
        parents[depth] = match[2]
        others = tuple(match[3].split(", ")) if match[3] else ()
        found.append((match[2], parents.get(depth - 1) if depth else None, others))
    return found


def built(kind):
    """The same of a class; the root's base is no part of the drawing."""
    if kind is FastwsError:
        return (kind.__name__, None, ())
    first, *others = kind.__bases__
    return (kind.__name__, first.__name__, tuple(one.__name__ for one in others))


def test_the_drawing_is_the_classes():
    assert sorted(drawn(_errors.__doc__)) == sorted(built(kind) for kind in CLASSES)


def test_a_wrong_drawing_would_be_noticed():
    wrong = _errors.__doc__.replace("TcpFailed", "TcpFailed (TimeoutError)")
    assert sorted(drawn(wrong)) != sorted(built(kind) for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_exception_survives_pickling(kind):
    error = kind("what, where, what to try", url="ws://h/", host="h", phase="tcp", attempt=2, epoch=5)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == "what, where, what to try"
    assert (again.url, again.host, again.phase, again.attempt, again.epoch) == ("ws://h/", "h", "tcp", 2, 5)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("wss://example.com:8443/ws", "example.com"),
        ("ws://[::1]:80/", "::1"),
        ("ws+unix:///socket:/ws", None),
        (None, None),
    ],
)
def test_every_exception_knows_the_host_of_its_url(kind, url, host):
    assert kind("what", url=url).host == host
    assert kind("what", url=url, host="other").host == "other"


def test_what_belongs_to_one_class_survives_too():
    error = HandshakeRejected("no", status=503, headers=[("A", "b")], body=b"later", retry_after=3.0)
    again = pickle.loads(pickle.dumps(error))
    assert (again.status, again.headers, again.body, again.retry_after) == (
        503,
        [("A", "b")],
        b"later",
        3.0,
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_attributes_are_keyword_only(kind):
    with pytest.raises(TypeError):
        kind("text", "ws://h/")


FAILURE = {"message": "it failed", "http_status": None, "retry_after": None, "headers": [], "body": b""}


@pytest.mark.parametrize(
    ("phase", "name"),
    [
        ("resolve", "ResolveFailed"),
        ("tcp", "TcpFailed"),
        ("proxy", "ProxyFailed"),
        ("tls", "TlsFailed"),
        ("http", "HandshakeRejected"),
        ("timeout", "ConnectTimeout"),
        ("provider", "ConnectFailed"),
        ("protocol", "ConnectFailed"),
    ],
)
def test_a_failure_becomes_the_class_of_its_phase(phase, name):
    error = failure_to_error({**FAILURE, "phase": phase}, url="wss://h.example:1/x", attempt=3, epoch=9)
    assert type(error).__name__ == name
    assert isinstance(error, ConnectFailed)
    assert isinstance(error, ConnectionError)
    assert (str(error), error.phase, error.host) == ("it failed", phase, "h.example")
    assert (error.attempt, error.epoch) == (3, 9)


def test_a_rejection_carries_the_answer():
    error = failure_to_error(
        {
            "phase": "http",
            "message": "503",
            "http_status": 503,
            "retry_after": 7.0,
            "headers": [("A", "b")],
            "body": b"later",
        }
    )
    assert (error.status, error.retry_after, error.headers, error.body) == (503, 7.0, [("A", "b")], b"later")


def test_a_proxys_refusal_carries_its_status():
    assert failure_to_error({**FAILURE, "phase": "proxy", "http_status": 407}).status == 407
    assert failure_to_error({**FAILURE, "phase": "proxy"}).status is None


def test_timeouts_are_timeouts():
    assert isinstance(failure_to_error({**FAILURE, "phase": "timeout"}), TimeoutError)
