"""url, headers and should_reconnect as callables: when they are asked, what they get, what happens when they fail."""

import threading
import time

import pytest

from fastws import Backoff

OPEN = lambda conn: conn.accept()
DROP = lambda conn: (conn.accept(), conn.drop())
REFUSE = lambda conn: conn.refuse(503)


def test_url_and_headers_are_asked_once_per_attempt(serve, recorded):
    """R16, T30: fresh values for every attempt."""
    server = serve([REFUSE, DROP, OPEN])
    asked = {"url": 0, "headers": 0}

    def url():
        asked["url"] += 1
        return f"{server.url}{asked['url']}"

    def headers():
        asked["headers"] += 1
        return {"Authorization": f"Bearer {asked['headers']}"}

    _, log = recorded(url, headers=headers)
    log.wait("connect", 2)
    seen = [(conn.request.path, conn.request.headers["authorization"]) for conn in server.connections]
    assert seen == [("/1", "Bearer 1"), ("/2", "Bearer 2"), ("/3", "Bearer 3")]
    assert asked == {"url": 3, "headers": 3}


def test_a_provider_gets_the_attempt_if_it_takes_an_argument(serve, recorded):
    """R16: Attempt(epoch, attempt, is_reconnect, last_close, last_error)."""
    server = serve([REFUSE, lambda conn: conn.close(4001), OPEN])
    got = []

    def url(attempt):
        got.append(attempt)
        return server.url

    _, log = recorded(url)
    log.wait("connect", 2)
    assert [attempt.epoch for attempt in got] == [event.epoch for event in log.all("connecting")]
    assert [attempt.attempt for attempt in got] == [1, 2, 3]
    assert [attempt.is_reconnect for attempt in got] == [False, False, True]
    assert got[0].last_close is None and got[0].last_error is None
    assert "503" in str(got[1].last_error)
    assert (got[1].last_error.url, got[1].last_error.host) == (server.url, "127.0.0.1")
    assert "4001" in str(got[2].last_close)


def test_providers_run_on_the_asking_thread(serve, recorded):
    """R16: `fastws-<name>-ask`, never the dispatcher, never the caller."""
    server = serve()
    threads, handlers = [], []

    def url():
        threads.append(threading.current_thread())
        return server.url

    ws, log = recorded(
        url, name="feed", on={"connect": lambda _: handlers.append(threading.current_thread())}
    )
    log.wait("connect")
    assert threads[0].name == "fastws-feed-ask"
    assert threads[0] is not handlers[0]
    assert handlers[0].name == "fastws-feed"


def test_a_slow_handler_fails_no_attempt(serve, recorded):
    """R16: providers do not wait behind handlers."""
    server = serve([REFUSE, OPEN])
    hold = threading.Event()
    _, log = recorded(lambda: server.url, connect_timeout=5.0, on={"error": lambda _: hold.wait(30)})
    server.wait_open(2)
    hold.set()
    log.wait("connect")
    assert len(log.all("error")) == 1


@pytest.mark.parametrize("which", ["url", "headers"])
def test_a_provider_that_raises_is_a_failed_attempt(serve, recorded, which):
    """Section 5, T30: error(provider) with the exception's words, then a retry."""
    server = serve()
    calls = []

    def provider():
        calls.append(1)
        if len(calls) < 3:
            raise LookupError("no token today")
        return server.url if which == "url" else {"X-Ok": "1"}

    _, log = recorded(provider) if which == "url" else recorded(server, headers=provider)
    log.wait("connect")
    errors = log.all("error")
    assert [error.phase for error in errors] == ["provider"] * 2
    assert "no token today" in errors[0].message
    assert not errors[0].fatal
    assert server.total == 1
    assert log.in_language()


@pytest.mark.parametrize("garbage", ["", "nonsense", "ftp://x/", None, 5, b"ws://x/", "ws://x y/"], ids=repr)
def test_a_provider_that_gives_no_url_is_a_failed_attempt(serve, recorded, garbage):
    """T30."""
    server = serve()
    answers = [garbage, server.url]
    _, log = recorded(lambda: answers.pop(0))
    log.wait("connect")
    assert [error.phase for error in log.all("error")] == ["provider"]


@pytest.mark.parametrize(
    "garbage", [5, "X: y", {"Bad Name": "x"}, {"X": "a\r\nb"}, {"X": 5}, [("X",)]], ids=repr
)
def test_a_provider_that_gives_no_headers_is_a_failed_attempt(serve, recorded, garbage):
    server = serve()
    answers = [garbage, {}]
    _, log = recorded(server, headers=lambda: answers.pop(0))
    log.wait("connect")
    assert [error.phase for error in log.all("error")] == ["provider"]
    assert server.total == 1


def test_a_provider_that_hangs_fails_attempts_at_their_deadline(serve, recorded, caplog):
    """R16, T30: phase provider, one WARNING that names the callable; well again when it returns."""
    server = serve()
    hold = threading.Event()
    calls = []

    def slow_token():
        calls.append(time.monotonic())
        if len(calls) == 1:
            hold.wait(20)
        return {}

    began = time.monotonic()  # `connecting` may be told late
    ws, log = recorded(server, headers=slow_token, connect_timeout=0.3)
    log.wait("error", 3)
    assert {error.phase for error in log.all("error")} == {"provider"}
    assert len(calls) == 1, "it is not asked again while an earlier call has not returned"
    assert log.times[1] - began >= 0.25
    hold.set()
    log.wait("connect")
    assert len([record for record in caplog.records if "slow_token" in record.getMessage()]) == 1
    assert ws.state == "open"
    assert log.in_language()


def test_close_while_a_provider_hangs(serve, client):
    """R2, R4: immediate; the late answer is nothing."""
    server = serve()
    hold, asked = threading.Event(), threading.Event()

    def url():
        asked.set()
        hold.wait(30)
        return server.url

    ws = client(url, close_timeout=20)
    assert asked.wait(10)
    started = time.monotonic()
    ws.close()
    assert time.monotonic() - started < 10
    hold.set()
    time.sleep(0.3)
    assert (ws.state, server.total) == ("closed", 0)


def test_reconnect_while_a_provider_is_asked_uses_a_new_answer(serve, recorded, until):
    """Section 3: the next open is guaranteed to use configuration as of the call."""
    server = serve()
    token = ["old"]
    first, hold = threading.Event(), threading.Event()

    def headers():
        mine = token[0]
        if not first.is_set():
            first.set()
            hold.wait(10)
        return {"X-Token": mine}

    ws, log = recorded(server, headers=headers)
    assert first.wait(10)
    token[0] = "new"
    ws.reconnect()
    hold.set()
    log.wait("connect")
    # The server's end knows of the opening a moment later than ours.
    assert until(lambda: any(conn.opened for conn in server.connections))
    assert [conn.request.headers["x-token"] for conn in server.connections if conn.opened] == ["new"]


def test_should_reconnect_false_is_fatal(serve, recorded):
    """Section 5: closed(fatal); disconnect.will_reconnect is the verdict before it was asked."""
    server = serve(DROP)
    _, log = recorded(server, should_reconnect=lambda: False, reconnect=Backoff(base=5))
    assert log.wait("closed").reason == "fatal"
    assert log.names == ["connecting", "connect", "disconnect", "closed"]
    assert log.all("disconnect")[0].will_reconnect
    assert server.total == 1


def test_should_reconnect_with_a_delay(serve, recorded):
    """Section 5: a float is that delay; reconnecting is emitted when the answer is in."""
    server = serve([DROP, OPEN])
    _, log = recorded(server, should_reconnect=lambda attempt: 0.25, reconnect=Backoff(base=60, cap=60))
    log.wait("connect", 2)
    assert log.all("reconnecting")[0].delay == pytest.approx(0.25)
    assert server.connections[1].began_at - server.connections[0].over_at >= 0.2


@pytest.mark.parametrize("answer", [None, True])
def test_should_reconnect_with_nothing_to_say_is_the_default(serve, recorded, answer):
    server = serve([DROP, OPEN])
    _, log = recorded(server, should_reconnect=lambda: answer, reconnect=Backoff(base=0.2, jitter=0))
    log.wait("connect", 2)
    assert log.all("reconnecting")[0].delay == pytest.approx(0.2)


def test_should_reconnect_too_late_is_the_default(serve, recorded):
    """Section 5: the default delay has passed: reconnecting, then the attempt; the late answer is nothing."""
    server = serve([DROP, OPEN])
    hold = threading.Event()
    _, log = recorded(
        server, should_reconnect=lambda: hold.wait(10) and False, reconnect=Backoff(base=0.2, jitter=0)
    )
    log.wait("connect", 2)
    hold.set()
    time.sleep(0.3)
    assert log.names == ["connecting", "connect", "disconnect", "reconnecting", "connecting", "connect"]


@pytest.mark.parametrize("answer", ["soon", -1.0, float("nan"), LookupError("x")], ids=repr)
def test_should_reconnect_that_fails_is_the_default(serve, recorded, answer):
    """A callable that raises or talks nonsense must not stop the client."""

    def ask():
        if isinstance(answer, Exception):
            raise answer
        return answer

    server = serve([DROP, OPEN])
    _, log = recorded(server, should_reconnect=ask, reconnect=Backoff(base=0.1, jitter=0))
    log.wait("connect", 2)
    assert log.in_language()


def test_should_reconnect_knows_what_happened(serve, recorded):
    server = serve([lambda conn: conn.close(4009), REFUSE, OPEN])
    got = []
    _, log = recorded(server, should_reconnect=lambda attempt: got.append(attempt) or 0.02)
    log.wait("connect", 2)
    assert "4009" in str(got[0].last_close)
    assert "503" in str(got[1].last_error)


@pytest.mark.parametrize("source", ["auth", "userinfo", "asked url"])
def test_an_authorization_that_was_asked_for_goes_before_every_other(serve, client, source):
    """Never two of them (RFC 9110 section 5.3): the callable knows the newest."""
    server = serve()
    with_user = server.url.replace("//", "//me:old@")
    url = {"auth": server.url, "userinfo": with_user, "asked url": lambda attempt: with_user}[source]
    options = {"auth": ("me", "old")} if source == "auth" else {}
    given = {"authorization": "Bearer new", "Cookie": "b=2"}
    cookies = {"cookies": {"a": "1"}}
    client(url, headers=lambda attempt: given, **options, **cookies).wait_open(10)
    raw = server.connections[0].request
    sent = [pair for pair in raw.pairs if pair[0].lower() in ("authorization", "cookie")]
    assert sorted(value for _, value in sent) == ["Bearer new", "b=2"]


def test_without_one_the_other_stands(serve, client):
    server = serve()
    client(server, auth=("me", "pw"), headers=lambda attempt: {"X-A": "1"}).wait_open(10)
    assert server.connections[0].request.headers["authorization"].startswith("Basic ")
    assert server.connections[0].request.headers["x-a"] == "1"


def test_connecting_does_not_know_yet_what_url_will_say(serve, recorded):
    """The one of the attempt before would be wrong."""
    server = serve([DROP, OPEN])
    urls = [server.url + "1", server.url + "2"]
    ws, log = recorded(iter(urls).__next__)
    log.wait("connect", 2)
    assert [event.url for event in log.all("connecting")] == ["", ""]
    assert [event.url for event in log.all("connect")] == urls
    assert ws.url == urls[1]
