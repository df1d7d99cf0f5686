"""record= and replay(): what a file holds, what a slow or full disk does, and a recording served again."""

import base64
import json
import os
import threading
import time

import pytest

from fastws.testing import replay


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def of_kind(path, *kinds):
    return [line for line in lines_of(path) if line["kind"] in kinds]


def every_kind(conn):
    conn.send('{"type": "a",  "n": 1e0}')
    conn.send('\x7f"\\ \u00e9\u20ac\U0001f600')
    conn.send(bytes(range(256)))
    conn.send("")
    conn.send(b"")
    conn.close(4001, "enough \u00e9")


def test_every_message_is_written_verbatim_with_its_time(serve, recorded, tmp_path):
    """Wanted or not, JSON or not, before and after handlers came."""
    path = tmp_path / "feed.jsonl"
    before, mono_before = time.time(), time.monotonic()
    ws, log = recorded(serve([every_kind, lambda conn: conn.accept()]), record=path)
    log.wait("connect", 2)
    ws.close()
    start, connect, *messages, disconnect, second, end = lines_of(path)
    assert (start["kind"], start["version"]) == ("start", 1)
    assert (connect["kind"], connect["epoch"], connect["url"]) == ("connect", 1, ws.url)
    assert [line["data"] for line in messages if line["kind"] == "text"] == [
        '{"type": "a",  "n": 1e0}',
        '\x7f"\\ \u00e9\u20ac\U0001f600',
        "",
    ]
    assert [base64.b64decode(line["data"]) for line in messages if line["kind"] == "binary"] == [
        bytes(range(256)),
        b"",
    ]
    assert (disconnect["code"], disconnect["reason"], disconnect["initiator"]) == (
        4001,
        "enough \u00e9",
        "server",
    )
    assert (second["kind"], second["epoch"]) == ("connect", 2)
    assert (end["kind"], end["epoch"], end["code"], end["initiator"]) == ("disconnect", 2, 1000, "user")
    times = [line["at"] for line in lines_of(path)]
    assert before - 1 <= min(times) <= max(times) <= time.time() + 1
    monotonic = [line["mono"] for line in lines_of(path)]
    assert mono_before <= monotonic[0]
    assert monotonic == sorted(monotonic)
    assert ws.stats().recorded == 5


def test_what_comes_with_the_handshake_stands_behind_the_connect(serve, client, tmp_path):
    path = tmp_path / "feed.jsonl"
    server = serve(lambda conn: (conn.accept(then=b"\x81\x02hi"), conn.stall()))
    with client(server, record=str(path), decode="text") as ws:
        assert ws.recv(10) == "hi"
    lines = lines_of(path)
    assert [line["kind"] for line in lines] == ["start", "connect", "text", "disconnect"]
    times = [line["mono"] for line in lines]
    assert times == sorted(times), "the connection is not younger than its first message"


def test_a_second_session_continues_the_file_behind_a_torn_line(serve, client, tmp_path):
    path = tmp_path / "feed.jsonl"
    path.write_text('{"at":1.0,"mono":1.0,"kind":"start","version":1}\n{"at":1.0,"mo')
    server = serve(lambda conn: conn.send("x"))
    with client(server, record=path, decode="text") as ws:
        assert ws.recv(10) == "x"
    lines = path.read_text().split("\n")
    assert lines[1] == '{"at":1.0,"mo'
    assert [json.loads(line)["kind"] for line in lines[2:-1]] == ["start", "connect", "text", "disconnect"]
    with replay(path, speed=None) as again, client(again, decode="text") as ws:
        assert ws.recv(10) == "x"


@pytest.mark.parametrize(
    ("record", "error"),
    [(5, TypeError), (b"x", TypeError), ("", ValueError), ("a\0b", ValueError), ("/nowhere/x", FileNotFoundError),
     ("/", IsADirectoryError)],
)  # fmt: skip
def test_a_path_that_can_not_be_is_refused_at_once(client, record, error):
    with pytest.raises(error, match=r"record|/nowhere/x|'/'"):
        client("ws://127.0.0.1:1/", record=record)


def test_a_pipe_that_nobody_reads_is_refused_at_once(client, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe"):
        client("ws://127.0.0.1:1/", record=tmp_path / "pipe")


def burst(count, size):
    text = "x" * size

    def script(conn):
        conn.expect()
        for _ in range(count):
            conn.send(text)
        conn.stall()

    return script


def test_a_stuck_disk_never_blocks_the_connection(serve, recorded, until, tmp_path):
    """A pipe whose reader sleeps is a disk that hangs: messages go on, what finds no room is counted, told and marked."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        server = serve(burst(120, 2**20))
        seen = []
        ws, log = recorded(
            server, record=path, decode="text", on={"message": lambda text: seen.append(len(text))}
        )
        log.wait("connect")
        ws.send_text("go")
        assert until(lambda: len(seen) == 120, 60)
        stats = ws.stats()
        assert 120 - 66 <= stats.unrecorded < 120 - 30  # 32 MiB wait, at most as many are being written
        # Told once per burst: one, unless the flood stood still for a second.
        assert until(lambda: sum(event.count for event in log.all("dropped")) == stats.unrecorded)
        assert {event.cause for event in log.all("dropped")} == {"unrecorded"}
        os.set_blocking(reader, True)
        chunks = []

        def drain():
            tail = b""
            while b'"kind":"disconnect"' not in tail:
                chunks.append(os.read(reader, 2**20))
                tail = tail[-100:] + chunks[-1]

        draining = threading.Thread(target=drain)
        draining.start()
        assert until(lambda: ws.stats().recorded == 120 - stats.unrecorded)
        ws.close()
        draining.join(30)
        text = b"".join(chunks)
        assert text.count(b'"kind":"text"') == 120 - stats.unrecorded
        gaps = [json.loads(line) for line in text.splitlines() if b'"kind":"gap"' in line]
        assert sum(gap["count"] for gap in gaps) == stats.unrecorded
    finally:
        os.close(reader)


def test_a_full_disk_is_told_once_and_tried_again(serve, recorded, until, tmp_path):
    """A disk without room: an error(record), and nothing is lost when there is room again."""
    full = "/dev/full"
    server = serve(lambda conn: conn.send("x"))
    ws, log = recorded(server, record=full, decode="text", close_timeout=0.1)
    error = log.wait("error")
    assert error.phase == "record"
    assert full in error.message
    assert "No space left on device" in error.message
    assert ws.state == "open"
    time.sleep(1.2)  # it was tried again meanwhile
    assert len(log.all("error")) == 1
    ws.close()
    assert ws.stats().recorded == 0


# -- Replaying


def test_a_recording_is_served_again_message_by_message(serve, client, recorded, until, tmp_path):
    path = tmp_path / "feed.jsonl"
    ws, log = recorded(serve([every_kind, lambda conn: (conn.send("second"), conn.stall())]), record=path)
    assert until(lambda: ws.stats().messages_in == 6)
    ws.close()
    with replay(path, speed=None) as server:
        events = []
        again = client(server, autoconnect=False, decode="text")
        for name in ("connect", "disconnect", "message", "binary"):
            again.on(name, lambda payload, name=name: events.append((name, payload)))
        again.connect()
        assert until(lambda: len(events) == 9)
        names = [name for name, _ in events]
        assert names == [
            "connect",
            "message",
            "message",
            "binary",
            "message",
            "binary",
            "disconnect",
            "connect",
            "message",
        ]
        assert events[3][1] == bytes(range(256))
        assert (events[6][1].code, events[6][1].initiator) == (4001, "server")
        assert events[8][1] == "second"
        assert again.state == "open"  # the client had ended this one


def test_time_is_kept_and_scaled(client, tmp_path):
    path = tmp_path / "feed.jsonl"

    def played(speed, last):
        """Seconds from before the replay to the last of four messages, which is recorded `last` seconds in."""
        texts = [(0.0, "a"), (last / 2, "b"), (last / 2, "c"), (last, "d")]
        lines = [
            {"at": 1.0, "mono": 50.0, "kind": "start", "version": 1},
            {"at": 1.0, "mono": 50.0, "epoch": 1, "kind": "connect"},
        ]
        lines += [
            {"at": 1.0, "mono": 50.0 + at, "epoch": 1, "kind": "text", "data": text} for at, text in texts
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        began = time.monotonic()
        with replay(path, speed) as server, client(server, decode="text") as ws:
            for _, text in texts:
                assert ws.recv(100) == text
            return time.monotonic() - began

    assert played(1.0, 1.2) >= 1.2
    assert played(2.0, 1.2) >= 0.6
    assert played(None, 120.0) < 60
    assert played(float("inf"), 120.0) < 60


def test_a_torn_last_line_is_passed_over(client, tmp_path):
    path = tmp_path / "feed.jsonl"
    path.write_text(
        '{"mono":1,"kind":"connect","epoch":1}\n{"mono":1,"kind":"text","data":"x"}\n{"mono":1,"kind":"te'
    )
    with replay(path) as server, client(server, decode="text") as ws:
        assert ws.recv(10) == "x"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no connection"),
        ('{"mono":1,"kind":"start","version":1}\n', "no connection"),
        ('{"mono":1,"kind":"connect"}\nnonsense\n{"mono":1,"kind":"text","data":"x"}\n', "line 2"),
        (
            '{"mono":1,"kind":"connect"}\n{"mono":1,"kind":"text"}\n{"mono":1,"kind":"text","data":"x"}\n',
            "line 2",
        ),
        ('{"type":"tick"}\n{"type":"tick"}\n', "line 1"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, text, says):
    path = tmp_path / "feed.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=says):
        replay(path)


def test_a_missing_recording_and_a_bad_speed_are_refused(tmp_path):
    path = tmp_path / "feed.jsonl"
    with pytest.raises(FileNotFoundError):
        replay(path)
    path.write_text('{"mono":1,"kind":"connect"}\n')
    for speed, error in [
        (0, ValueError),
        (-1, ValueError),
        (float("nan"), ValueError),
        ("1", TypeError),
        (True, TypeError),
    ]:
        with pytest.raises(error, match="speed"):
            replay(path, speed)


def test_a_recording_of_a_replay_is_the_same_recording(serve, client, recorded, until, tmp_path):
    """Round trip: 20,000 messages through record, replay and record."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    ws, _ = recorded(
        serve(lambda conn: [conn.send(f'{{"n":{n},"t":"\u00e9"}}') for n in range(20_000)]), record=first
    )
    assert until(lambda: ws.stats().messages_in == 20_000, 60)
    ws.close()
    assert ws.stats().recorded == 20_000
    with replay(first, speed=None) as server:
        again, _ = recorded(server, record=second)
        assert until(lambda: again.stats().messages_in == 20_000, 60)
        again.close()
    assert [line["data"] for line in of_kind(first, "text")] == [
        line["data"] for line in of_kind(second, "text")
    ]
