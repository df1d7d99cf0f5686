"""Ctrl-C while messages are read: what comes at that moment is there for whoever reads next."""

import time

import pytest
from child_process import Child

LAST = 250
PROGRAM = """
import os, signal
way, url, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
ws = WebSocketClient(url)
ws.wait_open(15)
messages = ws.messages("n") if way == "messages" else ws
got, interrupts, over = [], 0, threading.Event()

def interrupt():
    while not over.wait(0.01):
        os.kill(os.getpid(), signal.SIGINT)

def read():
    # A line calls nothing between having a message and noting it, so that it is not this program that loses it.
    if way == "recv":
        got.append(ws.recv(30))
    elif way == "recv_many":
        got.extend(ws.recv_many(50, 30))
    else:
        for message in messages:
            got.append(message)
            if message["n"] == last:
                break

interrupter = threading.Thread(target=interrupt)
ws.send("go")
interrupter.start()
while not over.is_set():
    try:
        read()
        if got[-1]["n"] == last:
            over.set()
    except KeyboardInterrupt:
        interrupts += 1
signal.signal(signal.SIGINT, signal.SIG_IGN)
interrupter.join()
say(interrupts, [message["n"] for message in got])
ws.close()
"""


def numbers(conn):
    conn.accept()
    conn.expect()
    for n in range(LAST + 1):
        conn.send_json({"type": "n", "n": n})
        time.sleep(0.002)
    conn.stall()


def judge(child):
    try:
        interrupts, got = child.hear(60)
    finally:
        child.end()
    assert interrupts > 10
    assert got == list(range(LAST + 1)), "all of them, in order, none twice"


@pytest.mark.parametrize("way", ["recv", "recv_many", "iteration", "messages"])
def test_an_interrupted_reader_loses_no_message(serve, way):
    judge(Child(PROGRAM, way, serve(numbers).url, LAST))


def test_an_interrupted_loop_leaves_what_came_to_the_next_one(serve):
    """The iterator goes with the loop that Ctrl-C ends; what it had in hand goes to the next."""

    anew = PROGRAM.replace("for message in messages:", 'for message in ws.messages("n"):')
    judge(Child(anew, "iteration", serve(numbers).url, LAST))
