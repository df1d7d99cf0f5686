"""keep, tail and to_frame on a connection: what is kept is not dropped, and stays whatever happens to the connection."""

import pytest


def numbers(ws, route="a"):
    return [message["n"] for message in ws.tail(route)]


def test_kept_messages_are_not_dropped_and_others_are(opened, until):
    ws, conn = opened(settle=0.0)
    assert ws.keep("a", 3) is ws
    for n in range(5):
        conn.send_json({"type": "a", "n": n})
        conn.send_json({"type": "b", "n": n})
    assert until(lambda: numbers(ws) == [2, 3, 4])
    assert until(lambda: ws.stats().handled == 5)
    assert until(lambda: sum(ws.stats().dropped.values()) == 5)
    assert ws.tail("a", 1) == [{"type": "a", "n": 4}]


def test_a_keep_that_comes_a_moment_late_is_given_what_it_missed(opened, until):
    ws, conn = opened()
    conn.send_json({"type": "a", "n": 1})
    assert until(lambda: ws.stats().messages_in == 1)
    ws.keep("a", 3)
    assert until(lambda: numbers(ws) == [1])


def test_it_goes_on_beside_handlers_and_after_their_end(opened, until):
    ws, conn = opened()
    seen = []
    ws.on("a", seen.append).keep("a", 3)
    conn.send_json({"type": "a", "n": 1})
    assert until(lambda: numbers(ws) == [1] and len(seen) == 1)
    ws.off("a")
    conn.send_json({"type": "a", "n": 2})
    assert until(lambda: numbers(ws) == [1, 2])
    assert len(seen) == 1


def test_keeping_nothing_more_lets_messages_be_dropped_again(opened, until):
    ws, conn = opened(settle=0.0)
    ws.keep("a", 3).keep("a", 0)
    conn.send_json({"type": "a", "n": 1})
    assert until(lambda: sum(ws.stats().dropped.values()) == 1)
    with pytest.raises(ValueError, match="nothing of 'a' is kept"):
        ws.tail("a")


def test_every_message_and_binary_ones(opened, until):
    ws, conn = opened()
    ws.keep("message", 10).keep("binary", 10)
    conn.send_json({"type": "a"})
    conn.send("[1, 2]")
    conn.send(b"\x00")
    assert until(lambda: ws.tail("binary") == [b"\x00"])
    assert ws.tail("message") == [{"type": "a"}, [1, 2]]
    assert list(ws.to_frame("message", library="polars").columns) == ["type", "message"]


def test_what_is_kept_survives_reconnects_and_a_close(opened, serve, until):
    ws, conn = opened()
    ws.keep("a", 10)
    conn.send_json({"type": "a", "n": 1})
    assert until(lambda: numbers(ws) == [1])
    conn.drop()
    assert until(lambda: ws.stats().connects == 2)
    ws.close()
    assert numbers(ws) == [1]
    ws.connect()
    ws.wait_open(10)
    assert numbers(ws) == [1]


def test_a_frame_of_what_is_kept(opened, until):
    ws, conn = opened()
    ws.keep("trade", 100)
    for n in range(3):
        conn.send_json({"type": "trade", "n": n, "tags": ["x"] * n})
    assert until(lambda: len(ws.tail("trade")) == 3)
    frame = ws.to_frame("trade", library="pandas")
    assert frame["n"].sum() == 3
    assert frame["tags"].tolist() == [[], ["x"], ["x", "x"]]


def test_bad_input_is_refused_at_once(opened):
    ws, conn = opened()
    with pytest.raises(ValueError, match="'closed' is an event"):
        ws.keep("closed", 3)
    with pytest.raises(TypeError, match="n must be an int"):
        ws.keep("a", "3")
    with pytest.raises(ValueError, match="library must be"):
        ws.keep("a", 3).to_frame("a", library="numpy")
