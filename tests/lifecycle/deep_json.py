"""A program that reads and writes deeply nested JSON on a thread with a small native stack: what the depth tests run.

usage: deep_json.py STACK_KIB DEED [URL]. It says one JSON line: what became of each, by name.
"""

import contextlib
import json
import sys
import threading

from deep_json_texts import LEVELS, texts

from fastws import WebSocketClient, _core


def objects():
    for levels in LEVELS:
        lists = dicts = mixed = 1
        for _ in range(levels):
            lists, dicts = [lists], {"a": dicts}
        for _ in range(levels // 2):
            mixed = ({"a": mixed},)
        yield from ((f"{levels} lists", lists), (f"{levels} dicts", dicts), (f"{levels} mixed", mixed))
    hooked = object()
    yield "hooked", hooked


def depth_of(value):
    depth = 0
    while value and isinstance(value, (list, dict)):
        value = value["a"] if isinstance(value, dict) else value[0]
        depth += 1
    return depth


def what(function, value):
    try:
        result = function(value)
    except (RecursionError, json.JSONDecodeError) as error:
        return type(error).__name__
    return len(result) if isinstance(result, str) else depth_of(result)


def reading():
    return {name: what(_core.loads, text) for name, text in texts()}


def objects_in(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


# Made and freed on the main thread: Python 3.13 needs stack to free them.
OBJECTS = list(objects()) if sys.argv[2] == "writing" else []
FROM_HOOK = objects_in(600)


def writing():
    return {name: what(lambda one: _core.dumps(one, lambda _: FROM_HOOK), one) for name, one in OBJECTS}


def client():
    """The dispatcher's thread is made by `threading`, too, and has the small stack."""
    names, seen, done = [name for name, _ in texts()], [], threading.Event()

    def note(one):
        seen.append(one)
        if len(seen) == len(names):
            done.set()

    with contextlib.closing(WebSocketClient(sys.argv[3], autoconnect=False)) as ws:
        ws.on("message", lambda message: note(depth_of(message)))
        ws.on("error", lambda event: note(type(event.exception).__name__))
        ws.connect()
        assert done.wait(60), seen
        ws.send({"sent": [len(names)]})
    return dict(zip(names, seen, strict=True))


result = []
deed = {"reading": reading, "writing": writing, "client": client}[sys.argv[2]]
threading.stack_size(int(sys.argv[1]) * 1024)
thread = threading.Thread(target=lambda: result.append(deed()))
thread.start()
thread.join()
print(json.dumps(["became", *result]), flush=True)
