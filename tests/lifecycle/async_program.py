"""A program of asyncio or uvloop that brings a client into a state and ends in a certain way: what test_async_ends.py runs.

usage: async_program.py URL STATE ENDING LOOP

It says JSON lines on stdout: ["ready"] when the state is reached and a signal may come, ["end", time.monotonic()] when main
is over.
"""

import asyncio
import contextlib
import gc
import logging
import os
import sys
import threading
import time
import warnings

import uvloop
from telling import finish, leave, say

import fastws
from fastws import AsyncWebSocketClient, Backoff

logging.getLogger("fastws").addHandler(
    logging.NullHandler()
)  # that a loop ends is told there, as it should be

url, state, ending, kind = sys.argv[1:5]
REACHED = {"asking": "connecting", "flood": "open", "slow": "open", "reading": "open", "blocked": "open"}
run = uvloop.run if kind == "uvloop" else asyncio.run
new_loop = uvloop.new_event_loop if kind == "uvloop" else asyncio.new_event_loop


async def until(condition, timeout=15.0):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("a state was not reached")
        await asyncio.sleep(0.005)


async def hang():
    await asyncio.sleep(60)


async def pour(ws):
    while await ws.send_bytes(b"x" * 1_000_000):
        pass


async def make():
    """A client in the state; what waits for it is kept by the loop alone."""
    ws = AsyncWebSocketClient(
        url,
        autoconnect=False,
        close_timeout=0.5,
        connect_timeout=30.0,
        send_timeout=None,
        outbox_bytes=100_000,
        reconnect=Backoff(base=60.0, cap=60.0),
        headers=hang if state == "asking" else None,
    )
    count = []
    if state in ("flood", "open"):
        ws.on("n", count.append)
    if state == "slow":
        ws.on("n", lambda message: (count.append(1), hang())[1])
    if ending == "exit-in-handler":
        ws.on({"open": "connect", "backoff": "reconnecting", "flood": "n"}.get(state, "connecting"), leave)
    if state == "idle":
        return ws
    ws.connect()
    if ending == "exit-in-handler":
        return ws
    if state == "closed":
        await ws.wait_open(15)
        await ws.close()
    await until(lambda: ws.state == REACHED.get(state, state))
    if state in ("flood", "slow"):
        await until(lambda: count)
    if state == "reading":
        ws.tasks = [
            asyncio.create_task(quietly(one)) for one in (ws.recv(), ws.wait(), anext(ws.messages("a")))
        ]
    if state == "blocked":
        ws.tasks = [asyncio.create_task(quietly(pour(ws))) for _ in range(3)]
    await asyncio.sleep(0.05)
    return ws


async def quietly(awaitable):
    try:
        return await awaitable
    except Exception:
        return None


def bells():
    """How many descriptors of this kind are open: a loop and the I/O thread have some, too."""
    links = []
    for one in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            links.append(os.readlink(f"/proc/self/fd/{one}"))
    return links.count("anon_inode:[eventfd]")


async def in_forked_child(ws):
    assert ws.state == "destroyed", ws.state
    assert fastws.clients() == []
    async with AsyncWebSocketClient(url + "echo", connect_timeout=15) as fresh:
        assert await fresh.send({"type": "echo"})
        assert await fresh.recv(15) == {"type": "echo"}


async def fork(ws):
    before, open_bells = ws.state, bells()
    pid = os.fork()
    if pid == 0:
        code = 8
        try:
            assert bells() == open_bells - 1, "the parent's bell stayed open"
            if ending == "fork-new":
                run(in_forked_child(ws))
            else:
                assert ws.state == "destroyed", ws.state
                ws = None
                gc.collect()
            code = 7
        finally:
            os._exit(code)  # the loop above belongs to the parent
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7, status
    assert ws.state == before, (before, ws.state)
    if before == "open" and state != "blocked":
        assert await ws.ping(10) > 0


async def main():
    ws = await make()
    if ending == "interrupt":
        try:
            say("ready")  # in here: the signal may come before wait()
            await ws.wait()
        finally:
            say("end", time.monotonic())
    elif ending == "exit-in-handler":
        await ws.wait(30)
        raise SystemExit("wait() did not raise")
    elif ending.startswith("fork"):
        await fork(ws)
    elif ending == "del":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            ws = None
            gc.collect()
        assert fastws.clients() == []
        await until(lambda: len(asyncio.all_tasks()) == 1)
    finish(ending)
    if ending == "thread":
        await hang()
    return ws


if ending in ("closed loop", "forgotten loop"):
    loop = new_loop()
    client = loop.run_until_complete(main())
    # Tasks that the program leaves behind would be asyncio's own complaint.
    for task in client.__dict__.pop("tasks", []):
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
    if ending == "closed loop":
        loop.close()
        end = time.monotonic() + 10
        while client.state != "closed" and time.monotonic() < end:
            time.sleep(0.005)
        assert client.state == "closed", client.state
        client = None
        gc.collect()
    say("end", time.monotonic())
elif ending == "thread":
    threading.Thread(target=lambda: run(main()), daemon=True).start()
    end = time.monotonic() + 15
    while not [one for one in fastws.clients() if one.state == REACHED.get(state, state)]:
        assert time.monotonic() < end
        time.sleep(0.005)
    time.sleep(0.1)
    say("end", time.monotonic())
else:
    client = run(main())
