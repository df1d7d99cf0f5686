"""Numbered messages, and handlers that come, go, raise and return things while those run: a story to be told in two ways.

Knows nothing of fastws but the names of a client's methods. Promises: the same seed is the same story.
"""

import random


def numbered(seed, types):
    """400 messages of these types, some of none, and the end."""
    dice = random.Random(seed)
    messages = [{"type": dice.choice(types), "n": n} for n in range(400)]
    messages[::37] = [{"n": n} for n in range(0, 400, 37)]  # without a route
    return [*messages, {"type": "end", "n": 400}]


def deeds(seed, ws, calls, *late):
    """What a handler does with its message besides, as the dice say: deed(message). `late`: the handlers that come and go."""
    dice = random.Random(seed)

    def deed(message):
        what = dice.randrange(12)
        if what == 0:
            ws.on(dice.choice(["a", "b", "c"]), dice.choice(late))
        elif what == 1:
            ws.off("b", late[0])
            ws.off("a", late[-1])
        elif what == 2:
            raise LookupError(message["n"])
        elif what == 3:
            ws.on("c", lambda _: calls.append(("once", None)), once=True)
        return what or None

    return deed
