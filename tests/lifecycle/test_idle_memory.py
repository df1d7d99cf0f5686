"""What a process that holds many idle connections takes for each of them, and what a burst leaves behind."""

import pytest
from preloaded import compiled

from fastws.testing import ScriptedServer

COUNT, TEXTS, SIZE = 200, 6, 150_000  # connections; what the burst sends to each

PROGRAM = (
    f"COUNT, BURST = {COUNT}, {COUNT * TEXTS}"
    + """
import asyncio, gc, json, os, sys, time
from fastws import AsyncWebSocketClient, Tls, WebSocketClient
kind, url, most_fresh, most_after, authority = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), sys.argv[5:]
options = {"settle": 0.0, "tls": Tls(ca_file=authority[0]) if authority else None}
clients, seen, large = [], [], "go" * 100_000
def own():
    gc.collect()
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))
async def cost(most):
    # Quiet means that nothing came for a moment, which takes longer on a busy machine.
    end = time.monotonic() + 15
    while (each := (own() - before) / COUNT) > most and time.monotonic() < end:
        await asyncio.sleep(0.05)
    return each
async def make(count):
    for _ in range(count):
        ws = (AsyncWebSocketClient if kind == "async" else WebSocketClient)(url, autoconnect=False, **options)
        if kind != "recv":
            ws.on("big", lambda message: seen.append(None))
        ws.connect()
        clients.append(ws)
    for ws in clients:
        await ws.wait_open(30) if kind == "async" else ws.wait_open(30)
async def main():
    global before
    await make(1)  # what the process has once
    await asyncio.sleep(0.5)
    before = own()
    await make(COUNT)
    fresh = await cost(most_fresh)
    for ws in clients[1:]:
        await ws.send(large) if kind == "async" else ws.send(large)
    if kind == "recv":
        for ws in clients[1:]:
            for _ in range(BURST // COUNT):
                assert ws.recv(30)["type"] == "big"
                seen.append(None)
            try:
                ws.recv(0)  # and gives the last one back
            except TimeoutError:
                pass
    end = time.monotonic() + 60
    while len(seen) < BURST:
        assert time.monotonic() < end, len(seen)
        await asyncio.sleep(0.01)
    after = await cost(most_after)
    os.write(1, (json.dumps(["result", fresh, after]) + "\\n").encode())
    os._exit(0)
asyncio.run(main())
"""
)


def script(conn):
    conn.accept()
    if conn.index:
        conn.expect(60)
        for _ in range(TEXTS):
            conn.send_json({"type": "big", "pad": "x" * SIZE})
    conn.stall()


@pytest.mark.parametrize(
    ("kind", "secure", "most_fresh", "most_after"),
    [
        ("handlers", False, 36, 64),
        ("recv", False, 16, 42),
        ("async", False, 19, 28),
        ("recv", True, 44, 72),
    ],
    ids=["handlers", "recv", "async", "recv-tls"],
)
def test_an_idle_connection_takes_few_kib(
    execute, tmp_path, server_tls, sanitized, kind, secure, most_fresh, most_after
):
    """KiB each of what the process has for itself: at most two thirds more than was measured. What they sent and what came for
    them was large, and nothing of it stays.

    With so few connections up to 10 KiB of it are what the process has once, its pools among it.
    """
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    context, more = server_tls(secure)
    with ScriptedServer(script, tls=context) as server:
        ended = execute(path, kind, server.url, most_fresh, most_after, *more, timeout=150)
    assert ended.code == 0, ended
    _, fresh, after = ended.lines[-1]
    assert sanitized or fresh <= most_fresh
    assert sanitized or after <= most_after


TRIMS = """
import ctypes, json, os, sys, time
from fastws import WebSocketClient
url = sys.argv[1]
trims = ctypes.CDLL(None).malloc_trim_calls
def settled(count):
    clients.extend(WebSocketClient(url) for _ in range(count))
    for ws in clients: ws.wait_open(30)
    time.sleep(1.5)  # much longer than a connection takes to be quiet, and the heap to be trimmed
    return trims()
clients = []
few = settled(20)
many = settled(20)
end = time.monotonic() + 30
while not many and time.monotonic() < end:
    time.sleep(0.1)
    many = trims()
for ws in clients: ws.send("go")  # what it gets is little
time.sleep(1.0)
os.write(1, (json.dumps(["result", few, many, trims()]) + "\\n").encode())
os._exit(0)
"""


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    """A library that counts what is asked of malloc_trim."""
    return compiled(tmp_path_factory.mktemp("shim"), "malloc_trim_shim")


def test_the_heap_is_trimmed_for_many_that_opened_and_not_for_few_or_for_little(execute, tmp_path, counter):
    """Once: for what 32 handshakes left behind."""
    path = tmp_path / "program.py"
    path.write_text(TRIMS)

    def little(conn):
        conn.accept()
        conn.expect(60)
        conn.send_json({"type": "hi"})
        conn.stall()

    with ScriptedServer(little) as server:
        ended = execute(path, server.url, preload=counter, timeout=90)
    assert ended.code == 0, ended
    few, many, later = ended.lines[-1][1:]
    assert few == 0
    assert many == 1
    assert later == many
