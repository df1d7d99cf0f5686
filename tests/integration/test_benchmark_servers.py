"""The benchmarks' servers send what their clients expect, and notice what does not arrive: with real sockets and clients."""

import dataclasses
import json
import subprocess
import sys
import threading
from pathlib import Path

import contenders
import frames
import pytest
import rows
import server
import suite
from tally import Arrivals, Tally

import fastws

BENCHMARKS = Path(suite.__file__).parent


@pytest.fixture(params=["ws", "wss"])
def tls(request, tmp_path):
    return suite.certificates(tmp_path) if request.param == "wss" else None


@pytest.fixture
def make():
    """contenders.make, whose clients are closed when the test and its servers have ended."""
    kept = []

    def made(key):
        kept.append(contenders.make(key))
        return kept[-1]

    yield made
    fastws.close_all()


def test_texts_have_the_sizes_that_the_tables_name():
    def size(thing):
        return len(json.dumps(thing, separators=(",", ":")))

    assert {len(text) for text in frames.small_texts(100)} == {frames.SMALL}
    assert {len(text) for text in frames.large_texts()} == {frames.LARGE}
    assert size(frames.echo_object(0)) == size(frames.echo_object(99_999)) == frames.ECHO
    assert size(frames.order_object(0)) == size(frames.order_object(999_999)) == frames.SMALL
    assert (
        sum(json.loads(text)["type"] == frames.ROUTE for text in frames.small_texts(10)) == frames.BLOCK // 10
    )


@pytest.mark.parametrize("size", [5, 125, 126, 65535, 65536])
def test_heads_are_read_as_they_are_written(size):
    payload = b"x" * size
    assert sum(frames.head_of(frames.frame(payload))) == len(frames.frame(payload))
    assert frames.unmasked(b"before" + frames.masked_frame(payload), 6) == payload


@pytest.mark.parametrize(
    ("kind", "types", "block"), [(1, 1, 1000), (10, 10, 1000), ("large", 1, frames.TEXTS)]
)
def test_a_flood_arrives_whole(kind, types, block, tls, make):
    messages = 10 if kind == "large" else 2500
    for key in ("count", "fastws") if types == 1 else ("fastws",):
        tally = Tally(messages // types, types=types, block=block)
        with server.Server("feed.py", "flood", kind, messages, tls=tls) as feed:
            make(key).stream(feed.where, tally, types > 1)
            tally.check(key)
            assert 0 < feed.report()["began"] < tally.ended


def test_echoes_come_back(tls, make):
    objects = [frames.echo_object(number) for number in range(50)]
    for key in ("count", "fastws", "fastws-recv"):
        with server.Server("feed.py", "echo", tls=tls) as feed:
            assert len(make(key).echo(feed.where, objects)) == 50


def test_a_drain_compares_every_object(tls, make):
    seen = {}
    with server.Server("feed.py", "drain", 500, tls=tls) as feed:
        make("fastws").burst(feed.where, 500, lambda: seen.update(feed.report()))
    assert seen["wrong"] == 0


def test_a_drain_notices_an_object_out_of_order(make):
    with server.Server("feed.py", "drain", 3) as feed:
        with fastws.WebSocketClient(feed.where.url, reconnect=False) as client:
            for number in (0, 2, 1):
                client.send(frames.order_object(number))
            assert feed.report()["wrong"] == 2
            feed.stop()


def test_windows_go_on_where_the_last_one_ended(make):
    tally = Tally(1500)
    with server.Server("feed.py", "windows", 1, 10_000) as feed:
        make("fastws").background(feed.where, tally, False)
        for _ in range(3):
            feed.command(0.05)
            assert feed.report()["sent"] == 500
        assert tally.done.wait(20)
    tally.check("fastws")


def test_a_watching_server_keeps_who_answers(make):
    tally = Tally(1000)
    with server.Server("feed.py", "watch", 1000, 1.0, 0.05, 30.0) as feed:
        make("fastws").background(feed.where, tally, False)
        assert feed.report()["began"]
        assert feed.report()["kept"] is True
        assert tally.done.wait(20)
    tally.check("fastws")


def test_a_watching_server_gives_up_who_does_not_answer(make):
    with server.Server("feed.py", "watch", 10, 30.0, 0.05, 0.3) as feed:
        deaf = threading.Thread(target=make("count").stream, args=(feed.where, Tally(10_000), False))
        deaf.start()
        assert feed.report()["began"]
        assert feed.report()["kept"] is False
        deaf.join(20)
        assert not deaf.is_alive()


def test_a_crowd_gets_bursts_and_trickles(tls, make):
    texts, arrivals = [], Arrivals(3, 2)

    def handle(message):
        if "trades" in message:
            texts.append(message["id"])
        else:
            arrivals.handle(message)

    def steps():
        crowd.command("burst", 2, 4096)
        yield lambda: len(texts) == 6
        crowd.command("trickle", 10, 0.2)
        yield lambda: arrivals.count == 6

    for key in ("fastws", "fastws-recv"):
        texts, arrivals = [], Arrivals(3, 2)
        with server.Server("crowd.py", 3, tls=tls) as crowd:
            make(key).hold(crowd.where, 3, handle, steps())
            assert crowd.report()["sent"] == 6
        arrivals.check(key)
        assert sorted(texts) == sorted([frames.FIRST_ID, frames.FIRST_ID + 1] * 3)


def test_every_row_names_contenders_that_exist():
    for row in rows.ALL:
        assert set(row.judged) <= set(row.contenders)
        assert set(row.contenders) <= set(contenders._PLACES)
    assert len({row.key for row in rows.ALL}) == len(rows.ALL)


def test_the_suite_lists_its_rows():
    listed = subprocess.run(
        [sys.executable, str(BENCHMARKS / "suite.py"), "--list"], capture_output=True, text=True, check=True
    )
    assert "roundtrip-tls" in listed.stdout


def test_a_contender_that_fails_leaves_its_row_and_the_others_stay(tmp_path, monkeypatch):
    def one_round(row, key, scale):
        if key == "fastws":
            raise suite.Failed("first word\nlast word")
        return {"rate": 1.0}

    monkeypatch.setattr(suite, "one_round", one_round)
    chosen = dataclasses.replace(rows.ALL[0], contenders=("fastws", "count"))
    found = suite.run_row(chosen, 2, suite.Scale(suite.certificates(tmp_path), True, 1.0))
    assert found.failed == {"fastws"}
    assert found.left_out == {"fastws": "it failed: last word"}
    assert found.rounds == {"count": [{"rate": 1.0}] * 2}
