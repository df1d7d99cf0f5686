"""JSON in a program whose locale writes numbers with a comma: nothing is read or written another way."""

import subprocess

import pytest

from fastws.testing import ScriptedServer

NUMBERS = """
LC_NUMERIC
decimal_point ","
thousands_sep "."
grouping 3;3
END LC_NUMERIC
"""

PROGRAM = """
import ctypes, json, locale, sys
from fastws import WebSocketClient, _core
from telling import say
texts = ["1.5", "-0.25e-3", "1e22", "123456789.125", "1234567", "[0.1,2,3.75]", '{"a":1.5}', "1,5", "1.234,5", "0,1", "[1,5]",
         "1" * 40 + ".5", "0." + "3" * 40, "5e-324", "1.7976931348623157e308", "[NaN,1.5]", "1e400"]
values = [1.5, -0.25e-3, 1e22, 1e16, 123456789.125, 1234567, [0.1, 2, 3.75], {"a": 1.5}, {1.5: 1}, 5e-324, 1/3, 10**30]
def read(text):
    try:
        return repr(_core.loads(text))
    except ValueError as error:
        return str(error)
def through_a_client():
    with WebSocketClient(sys.argv[1]) as ws:
        got = []
        for value in values:
            assert ws.send(value)
            got.append(repr(ws.recv(15)))
        return got
before = [read(text) for text in texts], [_core.dumps(value) for value in values], through_a_client()
locale.setlocale(locale.LC_ALL, "")
libc = ctypes.create_string_buffer(20)
ctypes.CDLL(None).snprintf(libc, 20, b"%.1f", ctypes.c_double(1.5))
after = [read(text) for text in texts], [_core.dumps(value) for value in values], through_a_client()
say("locale", locale.localeconv()["decimal_point"], libc.value.decode())
say("same", after == before, before[1] == [json.dumps(value, separators=(",", ":")) for value in values])
"""


@pytest.fixture
def comma_locale(tmp_path):
    """The environment in which C's numbers have a comma: a locale made on the spot, of which only that category is of interest."""
    source = tmp_path / "comma"
    source.write_text(NUMBERS)
    # It ends with 1, for the categories that are not there; what counts is what the program says of its locale.
    subprocess.run(
        ["localedef", "--force", "-i", source, tmp_path / "comma_XX"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return {"LOCPATH": str(tmp_path), "LC_NUMERIC": "comma_XX", "LC_ALL": ""}


def test_the_locale_changes_nothing(execute, tmp_path, comma_locale):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)

    def echo(conn):
        while not conn.stall(0):
            conn.send(conn.expect(30))

    with ScriptedServer(echo) as server:
        ended = execute(path, server.url, environment=comma_locale)
    assert ended.code == 0, ended
    locale, same = ended.lines
    assert locale == ["locale", ",", "1,5"]
    assert same == ["same", True, True]
