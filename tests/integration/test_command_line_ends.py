"""How `python -m fastws` ends: its exit codes, with the connection closed in order and nothing said that is not meant."""

import signal
import time

import pytest
from command_line import shell

PIPED = "; exit ${PIPESTATUS[0]}"  # the exit code of what is before the pipe


def flood(count, size=0):
    def script(conn):
        filler = "x" * size
        for number in range(count):
            conn.send(f'{{"type": "tick", "n": {number}, "s": "{filler}"}}')
        conn.close(1000, "bye")

    return script


# -- The server's end


@pytest.mark.parametrize(("code", "status"), [(1000, 0), (1001, 0), (1011, 1), (4000, 1)])
def test_without_reconnecting_the_server_ends_it(serve, command, code, status):
    one = command(serve(lambda conn: (conn.send("1"), conn.close(code))), "--no-reconnect")
    assert (one.wait(), one.lines) == (status, ["1"])
    assert one.status[2:] == [
        f"disconnected by server: code {code}",
        *([f"gave up: the connection ended with code {code}"] if status else []),
    ]


def test_without_reconnecting_a_failure_ends_it(serve, command):
    server = serve()
    server.stop_listening()
    one = command(server, "--no-reconnect")
    assert one.wait() == 1
    assert one.status[0] == f"connecting to {server.url}"
    assert one.status[1].startswith("gave up: 127.0.0.1")
    assert "refused" in one.status[1]
    assert len(one.status) == 2


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_rejection_ends_it_and_is_told_once(serve, command, quiet):
    server = serve(lambda conn: conn.refuse(404))
    one = command(server, *quiet)
    assert (one.wait(), server.total) == (1, 1)
    assert one.status[:-1] == ([] if quiet else [f"connecting to {server.url}"])
    assert one.status[-1].startswith("gave up: ")
    assert "404" in one.status[-1]


def test_a_flood_comes_whole_through_a_pipe(serve):
    server = serve(flood(100_000))
    code, out, err, _ = shell(f'"$@" | wc -l{PIPED}', server.url, "--no-reconnect", timeout=100)
    assert (code, out.split(), "bye" in err) == (0, ["100000"], True)


def test_a_flood_of_one_type_comes_whole_and_in_order(serve, command):
    one = command(serve(flood(20_000)), "--no-reconnect", "--type", "tick")
    assert one.wait(60) == 0
    assert one.lines == [f'{{"type":"tick","n":{number},"s":""}}' for number in range(20_000)]


# -- Nobody reads, nobody can write


def test_head_ends_it_quietly(serve):
    code, out, err, _ = shell(f'"$@" | head -n 1{PIPED}', serve(flood(100_000)).url, "--quiet")
    assert (code, out, err) == (141, '{"type":"tick","n":0,"s":""}\n', "")


def test_head_ends_it_though_nothing_more_comes(serve):
    """The other end of the pipe is watched: no second message is needed to notice."""
    server = serve(lambda conn: conn.send("1"))
    code, out, err, seconds = shell(f'"$@" | head -n 1{PIPED}', server.url, "--quiet")
    assert (code, out, err) == (141, "1\n", "")
    assert seconds < 30
    assert server.connections[0].wait_close() == 1000


def test_head_of_both_outputs_ends_it_quietly(serve):
    code, out, err, _ = shell(f'"$@" 2>&1 | head -n 1{PIPED}', serve(flood(100_000)).url)
    assert (code, out.split(" to ")[0], err) == (141, "fastws: connecting", "")


def test_as_many_lines_as_head_wants_end_in_order(serve):
    for _ in range(5):
        code, out, err, _ = shell(f'"$@" | head -n 3{PIPED}', serve(flood(100)).url, "--count", 3, "--quiet")
        assert (code, len(out.splitlines()), err) == (0, 3, "")


def test_a_full_disk_is_told(serve):
    server = serve(flood(100))
    code, _, err, _ = shell('"$@" >/dev/full', server.url, "--quiet")
    assert (code, err) == (1, "fastws: can not write to stdout: No space left on device\n")
    assert server.connections[0].wait_close() == 1000


def test_outputs_that_are_closed(serve):
    server = serve(flood(3))
    code, _, err, _ = shell('"$@" >&-', server.url)
    assert (code, "stdout" in err.splitlines()[-1], server.total) == (2, True, 0)
    code, _, err, _ = shell('"$@" <&-', server.url, "--stdin")
    assert (code, "stdin" in err.splitlines()[-1], server.total) == (2, True, 0)
    code, out, _, _ = shell('"$@" 2>&- <&-', server.url, "--no-reconnect")
    assert (code, len(out.splitlines())) == (0, 3)
    for place in ("&-", "/dev/full"):
        code, out, _, _ = shell(f'"$@" 2>{place}', serve().url, "--timeout", 0.3, timeout=20)
        assert (code, out) == (1, "")


# -- Signals


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_closes_in_order(serve, command, until, number, status):
    server = serve(lambda conn: conn.send("1"))
    one = command(server, "--stdin")
    assert until(lambda: one.lines == ["1"] and len(one.status) == 2)
    assert one.signal(number) == status
    assert server.connections[0].wait_close() == 1000
    assert one.status[2:] == ["disconnected by user: code 1000"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_what_is_not_open(serve, command, until, number, status):
    hanging = serve(lambda conn: (conn.read_request(), conn.stall()))
    one = command(hanging)
    hanging.wait_total(1)
    assert until(lambda: one.status)
    assert one.signal(number) == status
    assert one.status == [f"connecting to {hanging.url}"]
    refusing = serve(lambda conn: conn.refuse(503))
    one = command(refusing)
    assert until(lambda: "next attempt" in one.err)
    assert one.signal(number) == status
    assert "Traceback" not in one.err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_what_waits_for_its_reader(serve, command, until, number, status):
    server = serve(flood(20_000, 100))
    one = command(server, read=False)
    server.wait_open(1)
    assert until(lambda: "connected to" in one.err)
    assert not until(lambda: one.process.poll() is not None, 0.5)
    assert one.signal(number) == status
    assert "Traceback" not in one.err
    assert server.connections[0].wait_over(5)


def test_what_was_stopped_goes_on_where_it_was(serve, command, until):
    """Ctrl-Z and fg, in the middle of a line that waits for its reader."""
    text = "x" * 1_000_000
    one = command(serve(lambda conn: conn.send(text)), "--count", 1, read=False)
    assert until(lambda: "connected to" in one.err)
    assert not until(lambda: one.process.poll() is not None, 0.5)
    one.process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    one.process.send_signal(signal.SIGCONT)
    assert one.process.stdout.read() == f'"{text}"\n'.encode()
    assert one.wait() == 0


def test_a_second_signal_while_it_closes_is_as_quiet_as_the_first(serve, command, until):
    """The server does not answer the Close."""

    def deaf(conn):
        conn.answer_close = False
        conn.send("1")

    server = serve(deaf)
    one = command(server)
    assert until(lambda: one.lines == ["1"])
    one.process.send_signal(signal.SIGINT)
    assert server.connections[0].wait_close() == 1000
    assert one.signal(signal.SIGINT) == 130
    assert "Traceback" not in one.err
