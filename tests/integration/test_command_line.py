"""`python -m fastws`: what it writes, and every option."""

import base64
import json
import os
import pty
import signal
import subprocess

import pytest
from command_line import COMMAND, shell

import fastws

BYE = "disconnected by server: code 1000, bye"


def saying(*messages):
    """A script that sends messages and says good-bye."""

    def script(conn):
        for message in messages:
            conn.send(message)
        conn.close(1000, "bye")

    return script


# -- What is on stdout and on stderr


def test_a_message_is_one_line_of_json_in_utf8(serve, command):
    server = serve(
        saying(
            '{\n  "type": "a",\r\n\t"n": [1, 2.50, 1e3, 12345678901234567890]\n}',
            '{"t": "line\\nbreak é€😀 \\u00e9 \u2028"}',
            '{"lone": "\\ud800\\"", "\\udfff": "\\\\ud800"}',
            "[ ]",
            '"text"',
            "null",
            "hello\nworld",
            "",
            bytes(range(256)),
            b"",
        )
    )
    one = command(server, "--no-reconnect")
    assert one.wait() == 0
    assert one.lines == [
        '{"type":"a","n":[1,2.5,1000.0,12345678901234567890]}',
        '{"t":"line\\nbreak é€😀 é \u2028"}',
        '{"lone":"\\ud800\\"","\\udfff":"\\\\ud800"}',
        "[]",
        '"text"',
        "null",
        '"hello\\nworld"',
        '""',
        json.dumps(
            {"kind": "binary", "data": base64.b64encode(bytes(range(256))).decode()}, separators=(",", ":")
        ),
        '{"kind":"binary","data":""}',
    ]


def test_a_line_is_there_as_soon_as_its_message(serve, command, until):
    server = serve()
    one = command(server)
    conn = server.wait_open(1)
    for number in range(3):
        conn.send_json({"n": number})
        assert until(lambda number=number: one.lines[number:] == [f'{{"n":{number}}}'])
    assert one.process.poll() is None


def test_the_status_is_on_stderr(serve, command):
    server = serve(saying("1"))
    one = command(server, "--no-reconnect")
    assert one.wait() == 0
    assert one.status == [f"connecting to {server.url}", f"connected to {server.url}", BYE]
    assert one.lines == ["1"]


def test_a_lost_connection_is_told_and_the_next_one_greeted_again(serve, command, until):
    server = serve([lambda conn: (conn.expect(), conn.expect(), conn.reset()), lambda conn: conn.send("2")])
    one = command(server, "--send", '{"op": "subscribe",\n"id": 1.5}', "--send", '"é"')
    second = server.wait_open(2)
    assert until(lambda: one.lines == ["2"])
    assert until(lambda: len(second.messages) == 2)
    for conn in server.connections:
        assert [json.loads(text) for text in conn.messages] == [{"op": "subscribe", "id": 1.5}, "é"]
    opening = [f"connecting to {server.url}", f"connected to {server.url}"]
    assert until(lambda: len(one.status) == 6)
    assert one.status[:2] == opening
    assert one.status[2].startswith("disconnected by network: code 1006")
    assert one.status[3] in [f"next attempt in {tenths / 10:.1f} s" for tenths in range(5, 11)]
    assert one.status[4:] == opening


def test_equal_texts_are_both_sent(serve, command, until):
    server = serve()
    command(server, "--send", "1", "--send", "1")
    conn = server.wait_open(1)
    assert until(lambda: conn.messages == ["1", "1"])


def test_what_a_server_says_stays_one_harmless_line(serve, command):
    server = serve(lambda conn: conn.close(4000, "a\n\x1b[31mfastws: \x9bé\u202e"))
    one = command(server, "--no-reconnect")
    assert one.wait() == 1
    assert one.status[2:] == [
        "disconnected by server: code 4000, a\\n\\x1b[31mfastws: \\x9bé\\u202e",
        "gave up: the connection ended with code 4000",
    ]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_no_secret_of_the_url_is_shown(serve, command, quiet):
    server = serve(
        [
            lambda conn: conn.refuse(503),
            lambda conn: conn.expect() and conn.reset(),
            lambda conn: conn.refuse(404),
        ]
    )
    url = server.url.replace("ws://", "ws://ada:hush-1@") + "feed?token=hush-2&room=7"
    one = command(url, "--send", '"hush-3"', "--header", "X-Key: hush-4", *quiet)
    server.wait_total(3, 20)
    assert one.signal(signal.SIGINT) == 130
    assert "hush" not in one.err + one.out
    request = server.connections[1].request
    assert request.path == "/feed?token=hush-2&room=7"
    assert request.headers["authorization"].startswith("Basic ")
    assert quiet or "feed?token=***&room=7" in one.status[0]


def test_quiet_leaves_only_errors(serve, command):
    one = command(serve(saying("1")), "--no-reconnect", "--quiet")
    assert (one.wait(), one.lines, one.err) == (0, ["1"], "")
    server = serve([lambda conn: conn.refuse(503), saying("2")])
    one = command(server, "--count", 1, "--quiet")
    assert (one.wait(), one.lines) == (0, ["2"])
    assert len(one.status) == 1
    assert "503" in one.status[0]


# -- Options


def test_only_messages_of_a_type(serve, command):
    server = serve(
        saying('{"type": "a", "x": "\\ud800"}', '{"type": "b"}', "{}", "no JSON", b"a", '{"type": "error", "n":  1}',
               '{"type": "a", "x": "é"}')
    )  # fmt: skip
    one = command(server, "--type", "a", "--type", "error", "--no-reconnect")
    assert one.wait() == 0
    assert one.lines == ['{"type":"a","x":"\\ud800"}', '{"type":"error","n":1}', '{"type":"a","x":"é"}']
    told = [line for line in one.status if "not JSON" in line]
    assert len(told) == 1
    assert "no JSON" in told[0]


def test_what_was_not_asked_for_is_no_loss(serve, command):
    def script(conn):
        for _ in range(5000):
            conn.send('{"type": "b"}')
        conn.stall(2.0)  # losses are told when none has come for a second
        conn.send('{"type": "a"}')

    one = command(serve(script), "--type", "a", "--count", 1, "--quiet")
    assert (one.wait(), one.lines, one.err) == (0, ['{"type":"a"}'], "")


@pytest.mark.parametrize("types", [[], ["--type", "a"]])
def test_json_of_any_depth_is_written_or_told(serve, command, types):
    """Python's parser and writer have each a limit of their own: at none of them the command fails."""
    depths = [*range(900, 1010), 5000, 200_000]
    server = serve(saying(*(f'{{"type":"a","x":{"[" * depth}{"]" * depth}}}' for depth in depths)))
    one = command(server, "--no-reconnect", *types)
    assert one.wait() == 0
    told = [line for line in one.status if "not JSON" in line or "nested too deeply" in line]
    assert len(one.lines) + len(told) == len(depths)
    assert one.lines[0] == f'{{"type":"a","x":{"[" * 900}{"]" * 900}}}'
    assert types or not told


def test_count_ends_it_in_order(serve, command):
    server = serve(lambda conn: [conn.send(str(number)) for number in range(1000)])
    one = command(server, "--count", 5)
    assert (one.wait(), one.lines) == (0, ["0", "1", "2", "3", "4"])
    assert server.connections[0].wait_close() == 1000


def test_a_timeout_ends_what_is_silent(serve, command):
    server = serve()
    one = command(server, "--timeout", 2.5, "--quiet")  # in this time it is connected
    assert (one.wait(), one.lines, one.status) == (1, [], ["no message within 2.5 s"])
    assert server.connections[0].wait_close() == 1000


def test_a_timeout_ends_what_never_connects(serve, command):
    one = command(serve(lambda conn: conn.stall()), "--timeout", 0.3, "--quiet")
    assert (one.wait(), one.status) == (1, ["no message within 0.3 s"])


def test_a_timeout_begins_anew_with_every_message(serve, command):
    def script(conn):
        for number in range(6):
            conn.send(str(number))
            conn.stall(0.6)
        conn.stall()

    one = command(serve(script), "--timeout", 2.5)
    assert (one.wait(), one.lines) == (1, ["0", "1", "2", "3", "4", "5"])


def test_a_reader_that_is_slow_is_no_silence(serve):
    """While the pipe is full nobody asks the server for more."""
    server = serve(lambda conn: [conn.send("x" * 100_000) for _ in range(4)])
    code, out, _, _ = shell(
        '"$@" | (sleep 2; wc -l); exit ${PIPESTATUS[0]}', server.url, "--timeout", 1, "--count", 4
    )
    assert (code, out.split()) == (0, ["4"])


def test_headers_and_subprotocols(serve, command):
    server = serve(lambda conn: (conn.accept(subprotocol="v2"), conn.close(1000, "bye")))
    one = command(server, "--header", "X-One: 1: 2", "--header", "User-Agent:curl", "--subprotocol", "v1",
                  "--subprotocol", "v2", "--no-reconnect")  # fmt: skip
    assert one.wait() == 0
    headers = server.connections[0].request.headers
    assert (headers["x-one"], headers["user-agent"]) == ("1: 2", "curl")
    assert headers["sec-websocket-protocol"].replace(" ", "") == "v1,v2"
    assert one.status[1] == f"connected to {server.url}, subprotocol v2"


def test_a_recording_has_everything(serve, command, tmp_path):
    path = tmp_path / "feed.jsonl"
    one = command(
        serve(saying('{"type":  "a"}', '{"type":"b"}', b"x")),
        "--record",
        path,
        "--type",
        "b",
        "--no-reconnect",
    )
    assert (one.wait(), one.lines) == (0, ['{"type":"b"}'])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["data"] for line in lines if line["kind"] == "text"] == ['{"type":  "a"}', '{"type":"b"}']
    assert [line["data"] for line in lines if line["kind"] == "binary"] == ["eA=="]


def test_a_certificate_is_checked_unless_it_is_not_to_be(serve, command, tls_server):
    server = serve(saying("1"), tls=tls_server)
    one = command(server)
    assert (one.wait(), one.lines) == (1, [])
    assert one.status[-1].startswith("gave up: ")
    assert "certificate" in one.status[-1]
    one = command(server, "--insecure", "--no-reconnect")
    assert (one.wait(), one.lines) == (0, ["1"])


# -- stdin


def test_lines_of_stdin_are_sent_behind_what_every_connection_is_sent(serve, command, until):
    server = serve([lambda conn: conn.refuse(503), lambda conn: None])
    one = command(server, "--stdin", "--send", '"first"')
    one.type('{"a":  1}\n\n\r\nhello\ré\r\n')
    conn = server.wait_open(2)
    one.type("torn")
    assert until(lambda: conn.messages == ['"first"', '{"a":  1}', "hello\ré"])
    one.process.stdin.close()
    assert until(lambda: conn.messages[3:] == ["torn"])
    conn.send("still here")
    assert until(lambda: one.lines == ['"still here"'])


def test_both_ways_are_utf8_whatever_the_environment_says(serve):
    server = serve(lambda conn: conn.send(conn.expect()))
    code, out, err, _ = shell(
        'echo é | PYTHONIOENCODING=latin-1 "$@"', server.url, "--stdin", "--count", 1, "--quiet"
    )
    assert (code, out, err) == (0, '"é"\n', "")


def test_a_line_that_is_not_utf8_is_told_and_not_sent(serve, command, until):
    server = serve()
    one = command(server, "--stdin", "--quiet")
    one.type(b"caf\xe9\nnext\n")
    conn = server.wait_open(1)
    assert until(lambda: conn.messages == ["next"])
    assert until(lambda: len(one.status) == 1)
    assert one.status[0].startswith("a line of stdin is not sent: ")


def test_a_file_of_lines_comes_whole_through_a_slow_server(serve, command, until, tmp_path):
    """More than an outbox holds: the file waits, and nothing is dropped."""
    path = tmp_path / "lines"
    path.write_text("".join(f"{number} {'x' * 1000}\n" for number in range(30_000)))
    server = serve(lambda conn: (conn.pause_reading(), conn.accept(), conn.stall(1.0), conn.resume_reading()))
    with path.open() as lines:
        command(server, "--stdin", stdin=lines)
        conn = server.wait_open(1)
        assert until(lambda: len(conn.messages) == 30_000, 60)
    assert [int(text.split()[0]) for text in conn.messages] == list(range(30_000))


def test_stdin_is_not_read_unasked(serve, command, until):
    """As in `while read line; do python -m fastws ...; done`."""
    server = serve(saying("1"))
    code, out, _, _ = shell(
        'printf "one\ntwo\n" | while read line; do echo $line; "$@"; done', server.url, "--no-reconnect"
    )
    assert (code, out.split()) == (0, ["one", "1", "two", "1"])
    assert [conn.messages for conn in server.connections] == [[], []]


def test_ctrl_d_at_a_terminal_closes(serve, command):
    server = serve()
    ours, theirs = pty.openpty()
    try:
        one = command(server, "--stdin", stdin=theirs)
        conn = server.wait_open(1)
        os.write(ours, b"typed\n")
        assert conn.expect() == "typed"
        os.write(ours, b"\x04")
        assert one.wait() == 0
        assert conn.wait_close() == 1000
    finally:
        os.close(ours)
        os.close(theirs)


# -- Usage


def said(*args):
    done = subprocess.run(
        [*COMMAND, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, done.stderr


def test_without_arguments_it_prints_its_help():
    code, out, err = said()
    assert (code, err) == (2, "")
    assert said("--help") == (0, out, "")
    assert "--send TEXT" in out
    assert "exit codes:" in out


def test_version():
    assert said("--version") == (0, f"fastws {fastws.__version__}\n", "")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["hush://x"], "bad URL"),
        (["ws://ada:hush@"], "bad URL: it has no host"),
        (["ws://x", "ws://ada:hush@x"], "unknown: what follows the URL"),
        (["ws://x", "--token=hush", "--pass", "hush"], "unknown: --token --pass"),
        (["--count", "1"], "URL"),
        (["ws://x", "--send", "hush"], "--send: not JSON"),
        (["ws://x", "--send", '{"hush": 1e999}'], "--send: not JSON"),
        (["ws://x", "--send", '["hush", "\\ud800"]'], "--send: not JSON"),
        (["ws://x", "--send", "[" * 50_000], "--send: not JSON"),
        (["ws://x", "--count", "0"], "--count: must be a whole number"),
        (["ws://x", "--count", "-1"], "--count: must be a whole number"),
        (["ws://x", "--count", "1.5"], "--count: must be a whole number"),
        (["ws://x", "--timeout", "0"], "--timeout: must be a number of seconds"),
        (["ws://x", "--timeout", "inf"], "--timeout: must be a number of seconds"),
        (["ws://x", "--timeout", "nan"], "--timeout: must be a number of seconds"),
        (["ws://x", "--timeout", "soon"], "--timeout: must be a number of seconds"),
        (["ws://x", "--header", "hush"], "--header: a header is written 'Name: value'"),
        (["ws://x", "--header", "a: hush\nb: hush"], "headers['a']"),
        (["ws://x", "--header", "a b: hush"], "headers"),
        (["ws://x", "--type", b"\xff"], "--type: not UTF-8"),
        (["ws://x", "--subprotocol", "a b"], "subprotocols"),
        (["ws://x", "--record", "/nowhere/feed.jsonl"], "/nowhere/feed.jsonl"),
        (["ws://x", "--quie"], "unknown: --quie"),
    ],
)
def test_what_can_not_be_is_a_usage_error_that_shows_no_secret(args, says):
    code, out, err = said(*args)
    assert (code, out) == (2, "")
    assert err.startswith("usage: python -m fastws ")
    assert says in err.splitlines()[-1]
    assert "hush" not in err
