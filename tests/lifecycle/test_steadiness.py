"""Small-scale soak: after a thousand of anything there are as many descriptors, threads and bytes as before."""

import json

import pytest

from fastws.testing import ScriptedServer

HEAD = """
import gc, os, random, sys, threading, time
import logging; logging.getLogger("fastws").addHandler(logging.NullHandler())
import fastws
from fastws import Backoff, Tls, WebSocketClient
from telling import say
def until(condition, timeout=60.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.002)
def measure():
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), pages * 4096
url = sys.argv[1]
"""

RECONNECTS = """
count, wanted = int(sys.argv[2]), threading.Event()
seen, marks, depth = [0], {}, []
tls = Tls(ca_data=open(sys.argv[3]).read()) if len(sys.argv) > 3 else Tls()
ws = WebSocketClient(url, autoconnect=False, tls=tls, reconnect=Backoff(base=0.0005, cap=0.001, jitter=0, min_uptime=0))
def opened(event):
    event.client.send({"hello": event.epoch})
    seen[0] += 1
    if seen[0] in (count // 5, count):
        marks[seen[0]] = measure()
        depth.append(len(sys._current_frames()) and sum(1 for _ in iterate(sys._getframe())))
    if seen[0] == count:
        wanted.set()
def iterate(frame):
    while frame is not None:
        yield frame
        frame = frame.f_back
ws.on("connect", opened).on("hi", lambda message: None).on("disconnect", lambda: None)
ws.connect()
assert wanted.wait(100), seen
ws.close()
say("marks", *marks.values(), depth)
"""


@pytest.mark.parametrize(("secure", "count"), [(False, 1000), (True, 300)], ids=["ws", "wss"])
def test_reconnects_leave_nothing_behind(execute, tmp_path, server_tls, sanitized, secure, count):
    """P17, T17, T45: descriptors, threads, stack and memory between the fifth part and the whole."""
    path = tmp_path / "program.py"
    path.write_text(HEAD + RECONNECTS)
    context, more = server_tls(secure)
    ends = [
        lambda conn: (conn.send_json({"type": "hi"}), conn.close(1001)),
        lambda conn: (conn.accept(), conn.drop()),
        lambda conn: (conn.accept(), conn.reset()),
        lambda conn: conn.refuse(503),
    ]
    with ScriptedServer(lambda conn: ends[conn.index % 4](conn), tls=context) as server:
        ended = execute(path, server.url, count, *more, timeout=120)
        assert (ended.code, ended.stderr) == (0, ""), ended
        assert server.most_live == 1
    early, late, depth = ended.lines[-1][1:]
    assert abs(late[0] - early[0]) <= 3, f"descriptors: {early[0]} -> {late[0]}"
    assert abs(late[1] - early[1]) <= 2, f"threads: {early[1]} -> {late[1]}"
    assert sanitized or late[2] - early[2] < 4_000_000, f"memory: {early[2]} -> {late[2]}"
    assert depth[0] == depth[1]


LIVES = """
def life(number):
    ws = WebSocketClient(url, close_timeout=1.0, reconnect=Backoff(base=0.001, cap=0.01))
    if number % 2:
        ws.on("connect", lambda event: event.client.send(1)).on("n", lambda message: None)
    time.sleep(random.random() ** 3 * 0.02)
    started = time.monotonic()
    END
    return time.monotonic() - started
for number in range(30):
    life(number)
before = measure()
worst = sorted(life(number) for number in range(300))[-3:]
gc.collect()
say("before and after", before, measure())
until(lambda: measure()[1] <= before[1] and measure()[0] <= before[0] + 2, 10)
say("result", worst, before, measure(), len(list(fastws.clients())))
"""


@pytest.mark.parametrize(
    "end", ["ws.close()", "del ws", "ws.reconnect(); ws.close()", "ws.close(); ws.connect(); ws.close()"]
)
def test_three_hundred_short_lives(execute, tmp_path, sanitized, end):
    """T7, T18, P16: construct, wait a random moment, end; against a server that does something else each time."""

    def script(conn):
        deeds = [
            lambda: conn.accept(),
            lambda: conn.refuse(503),
            lambda: conn.reset(),
            lambda: conn.stall(),
            lambda: [conn.send_json({"type": "n"}) for _ in range(50)],
            lambda: conn.close(1001),
        ]
        deeds[conn.index % 6]()

    path = tmp_path / "program.py"
    path.write_text(HEAD + LIVES.replace("END", end))
    with ScriptedServer(script) as server:
        ended = execute(path, server.url, timeout=120)
    assert (ended.code, ended.stderr) == (0, ""), ended
    worst, before, after, left = ended.lines[-1][1:]
    # A loaded machine may hold up one or two.
    assert worst[0] < (6.0 if sanitized else 2.0), "close() took longer than close_timeout + 0.5 s"
    assert worst[-1] < (30.0 if sanitized else 10.0), worst
    assert left == 0
    assert sanitized or after[2] - before[2] < 6_000_000, f"memory: {json.dumps([before, after])}"
