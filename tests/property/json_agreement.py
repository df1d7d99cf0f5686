"""What it means that two readers agree about a text: the same object to the last bit, or the same exception. And what a
writer must write."""

import json

from fastws import _core


def reference(obj):
    """The text of an object, without the spaces that json.dumps may leave out."""
    return json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def outcome(loads, text):
    """What a reader makes of a text: the object, or the exception with everything that it says."""
    try:
        return typed(loads(text))
    except (RecursionError, ValueError) as error:
        return refusal(error)


def refusal(error):
    """An exception of json.loads in a form that can be compared: class, message, text and position."""
    if isinstance(error, json.JSONDecodeError):
        return type(error), str(error), error.msg, error.doc, error.pos, error.lineno, error.colno
    if isinstance(error, RecursionError):  # says "array" or "object" by what was open when the limit was met
        return (RecursionError,)
    return type(error), str(error)


def typed(value):
    """The value as a list whose equality is exact: types, signs of zero, order of keys. Takes any depth."""
    flat, left = [], [value]
    while left:
        one = left.pop()
        if type(one) is dict:
            flat.append((dict, [(type(key), key) for key in one]))
            left += one.values()
        elif type(one) is list:
            flat.append((list, len(one)))
            left += one
        else:
            flat.append((type(one), repr(one) if isinstance(one, float) else one))
    return flat


def agree(text):
    """Assert that the core reads a text as json.loads does."""
    assert outcome(_core.loads, text) == outcome(json.loads, text)
