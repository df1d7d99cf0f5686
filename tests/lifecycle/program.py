"""A script that uses a client, brings it into a state and ends in a certain way: what the exit tests run.

usage: program.py URL STATE ENDING ECHO_URL

It says JSON lines on stdout: ["ready"] when the state is reached and a signal may come, ["end", time.monotonic()] when main
is over.
"""

import contextlib
import gc
import itertools
import logging
import os
import sys
import threading
import time

from telling import finish, leave, say

import fastws
from fastws import Backoff, WebSocketClient

logging.getLogger("fastws").addHandler(logging.NullHandler())  # warnings of reconnects are not what is tested

REACHED = {"resolving": "connecting", "flood": "open", "busy": "open", "blocked": "open", "silent": "open"}
crowd = []  # beside the client, in the state `silent`: others whose handlers were told nothing yet
told = []


def until(condition, timeout=15.0):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("a state was not reached")
        time.sleep(0.005)


def exit_by(state):
    """The event whose handler calls sys.exit."""
    return {"open": "connect", "busy": "connect", "blocked": "connect", "flood": "n",
            "backoff": "reconnecting", "closed": "closed"}.get(state, "connecting")  # fmt: skip


def make(url, state, ending):
    """A client in the state; nothing here keeps it alive but the caller."""
    ws = WebSocketClient(
        url,
        autoconnect=False,
        close_timeout=0.5
        if ending in ("exit-in-handler", "interrupt")
        else 30.0,  # these close before they end
        connect_timeout=30.0,
        send_timeout=None,
        outbox_bytes=100_000,
        reconnect=Backoff(base=60.0, cap=60.0),
    )
    count = []
    if state == "silent":
        ws.on("n", told.append)
        crowd.extend(WebSocketClient(url).on("n", told.append) for _ in range(11))
        until(lambda: all(one.state == "open" for one in crowd))
    if state == "flood":
        ws.on("n", count.append)
    if state == "busy":
        ws.on("n", lambda message: (count.append(1), time.sleep(60)))
    leaves = ending == "exit-in-handler"
    if state == "closing":  # in one handler: behind close() no other one starts
        ws.on("connect", lambda event: (event.client.close(), leaves and leave()))
    elif leaves:
        ws.on(exit_by(state), leave)
    if state != "idle":
        ws.connect()
    if state == "closed":
        ws.wait_open(15)
        ws.close()
    if ending == "exit-in-handler":
        return ws
    until(lambda: ws.state == REACHED.get(state, state))
    if state in ("flood", "busy"):
        until(lambda: count)
    if state == "blocked":
        block(ws)
    return ws


def block(ws):
    """Daemon threads asleep inside the client: reading, waiting, sending into a full outbox, and until it is written."""

    def pour():
        while ws.send_bytes(b"x" * 1_000_000):
            pass

    def pour_many():
        ws.send_many("x" * 100_000 for _ in itertools.repeat(None))

    def flush():
        until(lambda: ws.stats().outbox_messages)
        ws.flush(60)

    def quietly(action):
        with contextlib.suppress(Exception):
            action()

    for action in (lambda: ws.recv(60), lambda: ws.wait(60), lambda: next(iter(ws)), pour, pour_many, flush):
        threading.Thread(target=quietly, args=(action,), daemon=True).start()
    time.sleep(0.4)


def in_forked_child(ws, ending):
    assert int(ws.ready_state) == 3, ws.state
    assert ws.send({"from": "child"}) is False
    try:
        ws.recv(10)  # also where a thread of the parent was reading
    except fastws.ConnectionClosed:
        pass
    else:
        raise AssertionError("recv() gave something")
    ws.close()
    assert list(fastws.clients()) == []
    if ending == "fork-new":
        with WebSocketClient(echo_url, connect_timeout=15) as fresh:
            assert fresh.send({"type": "echo"})
            assert fresh.recv(15) == {"type": "echo"}
        with WebSocketClient(echo_url, connect_timeout=15).on("echo", told.append) as handled:
            assert handled.send({"type": "echo"})
            until(lambda: {"type": "echo"} in told)
    sys.exit(7)


def fork(ws, ending):
    before = ws.state
    pid = os.fork()
    if pid == 0:
        in_forked_child(ws, ending)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7, status
    assert ws.state == before, (before, ws.state)
    if before == "open" and state not in ("busy", "blocked"):
        assert ws.ping(10) > 0
    if state == "silent":
        for one in [ws, *crowd]:
            one.send("go")
        until(lambda: len(told) == 12)


url, state, ending, echo_url = sys.argv[1:5]
ws = make(url, state, ending)
if ending == "interrupt":
    try:
        say("ready")  # in here: the signal may come before wait()
        ws.wait(60)
    finally:
        say("end", time.monotonic())
elif ending == "exit-in-handler":
    ws.wait(30)
    raise SystemExit("wait() did not raise")
elif ending == "del":
    del ws
    crowd.clear()
    gc.collect()
    if state == "closing":
        until(lambda: not fastws.clients())  # the handler that closes it has it in hand until it returns
    assert list(fastws.clients()) == []
    if state not in ("busy", "blocked"):
        until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("fastws-")])
elif ending in ("fork-exit", "fork-new"):
    fork(ws, ending)
finish(ending)
