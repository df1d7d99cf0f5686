"""Deeply nested JSON on every thread: RecursionError where Python's json ends in one, and never an overflow of the stack."""

import pathlib
import sys

import deep_json_texts
import pytest

from fastws.testing import ScriptedServer

PROGRAM = pathlib.Path(__file__).parent / "deep_json.py"
LARGE = 8192  # KiB: what threads usually have


@pytest.fixture
def became(execute):
    """became(deed, stack, ...): what the program says about each text or object."""

    def run(deed, stack, *more):
        ended = execute("-X", "faulthandler", PROGRAM, stack, deed, *more, timeout=120)
        assert (ended.code, ended.stderr) == (0, ""), ended
        return ended.lines[-1][1]

    return run


def check_reading(small, large):
    """On a small stack a text may be too deep, but nothing else may be different; what is not deep is the same."""
    assert small.keys() == large.keys()
    for name, one in small.items():
        levels = int(name.split()[0]) if name[0].isdigit() else 1
        assert one == large[name] or (one == "RecursionError" and levels >= 50), (name, one, large[name])
        if name.endswith("unclosed") and levels < 40:
            assert one == "JSONDecodeError"
    assert small["500 arrays"] == 499  # the innermost is empty
    assert small["500 objects"] == small["500 mixed"] == 500
    assert small["100000 arrays"] == small["100000 objects unclosed"] == "RecursionError"
    assert (small["brackets in strings"], small["wide"]) == (1, 1)


@pytest.mark.parametrize("stack", [128, 256, 512])
def test_reading_on_a_small_stack(became, stack):
    check_reading(became("reading", stack), became("reading", LARGE))


@pytest.mark.parametrize("stack", [64, 256])
def test_reading_through_a_client_on_a_small_stack(became, stack):
    """The dispatcher's thread has the small stack; the I/O thread, which is not Python's, has its own."""
    texts = [text for _, text in deep_json_texts.texts()]
    with ScriptedServer(lambda conn: [conn.send(text) for text in texts]) as server:
        check_reading(became("client", stack, server.url), became("reading", LARGE))


@pytest.mark.parametrize("stack", [64, LARGE])
def test_writing_goes_as_deep_on_any_stack(became, stack):
    """Writing needs no native stack: the limit is Python's count of levels, wherever it runs."""
    written = became("writing", stack)
    assert written == became("writing", 512)
    assert written["1000 lists"] == 2001
    assert written["1001 lists"] == ("RecursionError" if sys.version_info < (3, 12) else 2003)
    assert written["100000 lists"] == written["100000 dicts"] == written["100000 mixed"] == "RecursionError"
    assert written["hooked"] == 1202
