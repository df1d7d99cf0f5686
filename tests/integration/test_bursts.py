"""Bursts: their messages are gathered, and written by another thread; nothing of what a send() promised may change by that."""

import json
import threading
import time

import pytest

BURST = 3000


def texts(count, name="main"):
    return [{"from": name, "n": number} for number in range(count)]


def read_as(conn, name="main"):
    """The numbers of one sender's messages, as they came."""
    return [message["n"] for message in map(json.loads, conn.messages) if message["from"] == name]


@pytest.mark.parametrize("options", [{}, {"compress": False}, {"offline": "raise"}], ids=str)
def test_a_burst_arrives_whole_and_in_order(opened, until, options):
    ws, conn = opened(**options)
    for one in texts(BURST):
        assert ws.send(one) is True
    assert ws.stats().messages_out == BURST
    assert until(lambda: len(conn.messages) == BURST)
    assert read_as(conn) == list(range(BURST))
    assert until(lambda: ws.stats().outbox_messages == 0)
    assert ws.stats().outbox_bytes == 0


def test_a_burst_arrives_over_tls(serve, client, tls_server, trusted, until):
    server = serve(tls=tls_server, host="localhost")
    ws = client(server, tls=trusted)
    ws.wait_open(10)
    conn = server.wait_open(1)
    for one in texts(BURST):
        assert ws.send(one)
    assert until(lambda: len(conn.messages) == BURST)
    assert read_as(conn) == list(range(BURST))


def test_what_is_sent_alone_and_in_bursts_keeps_its_order(opened):
    """The server answers every hundredth: then the next is sent alone, after a pause."""

    def script(conn):
        while True:
            message = conn.expect_json()
            if message["n"] % 100 == 99:
                conn.send_json({"type": "go", "n": message["n"]})
            if message["n"] == BURST - 1:
                return

    ws, conn = opened(script)
    for one in texts(BURST):
        assert ws.send(one)
        if one["n"] % 100 == 99:
            assert ws.recv(20)["n"] == one["n"]
    assert read_as(conn) == list(range(BURST))


def test_texts_bytes_and_objects_of_one_burst_keep_their_order(opened, until):
    ws, conn = opened()
    expected = []
    for number in range(BURST):
        size = 20_000 if number % 500 == 0 else number % 50  # among them such as are not worth gathering
        if number % 3 == 0:
            ws.send_bytes(b"%d" % number + b"x" * size)
            expected.append(b"%d" % number + b"x" * size)
        elif number % 3 == 1:
            ws.send_text(f"{number}" + "x" * size)
            expected.append(f"{number}" + "x" * size)
        else:
            ws.send(number)
            expected.append(str(number))
    assert until(lambda: len(conn.messages) == BURST)
    assert conn.messages == expected


def test_four_threads_burst_at_once(opened, until):
    ws, conn = opened()
    start = threading.Barrier(4)

    def pour(name):
        start.wait(10)
        for one in texts(BURST, name):
            assert ws.send(one)

    names = ["a", "b", "c", "d"]
    threads = [threading.Thread(target=pour, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert until(lambda: len(conn.messages) == 4 * BURST, 30)
    for name in names:
        assert read_as(conn, name) == list(range(BURST))


def test_an_event_loop_bursts_too(run, serve, aclient, eventually):
    async def main():
        server = serve()
        async with aclient(server) as ws:
            for one in texts(BURST):
                assert await ws.send(one) is True
            assert await ws.flush()
            conn = server.wait_open(1)
            assert await eventually(lambda: len(conn.messages) == BURST)
            assert read_as(conn) == list(range(BURST))

    run(main())


def test_close_writes_a_burst_first(opened):
    """api.md 5: what was accepted before it, then the Close frame."""
    ws, conn = opened()
    for one in texts(BURST):
        assert ws.send(one)
    ws.close()
    assert conn.wait_close() == 1000
    assert read_as(conn) == list(range(BURST))


def test_reconnecting_in_a_burst_loses_nothing_uncounted(serve, recorded, until):
    """R8: what was accepted is written on its own connection, in order, or counted when that is lost."""
    server = serve()
    ws, log = recorded(server)
    ws.wait_open(10)
    accepted = 0
    for number in range(BURST):
        accepted += ws.send({"from": "main", "n": number})
        if number == BURST // 2:
            ws.reconnect()
    log.wait("connect", 2)
    assert ws.send({"from": "main", "n": BURST})
    ws.close()
    unsent = sum(event.unsent_messages for event in log.all("disconnect"))
    assert until(lambda: sum(len(conn.messages) for conn in server.connections) + unsent == accepted + 1)
    numbers = [number for conn in server.connections for number in read_as(conn)]
    assert numbers == sorted(set(numbers))


def test_a_burst_to_a_server_that_dies_is_written_or_counted(serve, recorded, until):
    def script(conn):
        conn.expect()
        conn.reset()

    server = serve(script)
    ws, log = recorded(server, reconnect=False)
    ws.wait_open(10)
    accepted = 0
    deadline = time.monotonic() + 20  # the server's thread needs its turn of the GIL before it can die
    while ws.send({"from": "main", "n": accepted}):
        accepted += 1
        assert time.monotonic() < deadline
    unsent = log.wait("disconnect").unsent_messages
    assert 0 <= unsent <= accepted
    assert ws.stats().messages_out == accepted
    assert ws.stats().outbox_messages == 0


def test_a_burst_does_not_wait_for_the_gil(serve, child, until):
    """It is written by a thread that never takes it."""
    server = serve()
    source = """
        def hold(size):                                # the GIL, in one C call
            began = time.monotonic()
            sum(range(size))
            return began, time.monotonic() - began

        _, took = hold(10_000_000)
        with WebSocketClient(sys.argv[1]) as ws:
            ws.wait_open(10)
            for number in range(500):
                ws.send({"from": "main", "n": number})
            say(*hold(int(10_000_000 * 2.5 / took)))
            sys.stdin.readline()
    """
    began, took = child(source, server.url).hear()
    conn = server.wait_open(1)
    assert until(lambda: len(conn.messages) == 500)
    assert conn.arrivals[-1] < began + 0.8 * took


@pytest.mark.parametrize(
    "ending",
    ["", "sys.exit(0)", "raise ValueError", "del ws", "ws.flush(); os._exit(0)", "os.fork() or os._exit(0)"],
)
def test_a_program_that_ends_after_a_burst_has_sent_it(serve, child, ending):
    """However it ends, but for os._exit() without flush(): that asks nobody."""
    server = serve()
    source = f"""
        import logging, os, warnings
        warnings.simplefilter("ignore")
        logging.disable()
        sys.stderr = open(os.devnull, "w")
        ws = WebSocketClient(sys.argv[1])
        ws.wait_open(10)
        for number in range({BURST}):
            assert ws.send({{"from": "main", "n": number}})
        {ending}
    """
    child(source, server.url)
    conn = server.wait_open(1)
    assert conn.wait_over(20)
    assert read_as(conn) == list(range(BURST))


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_a_process_of_multiprocessing_that_ends_after_a_burst_has_sent_it(serve, child, tmp_path, start):
    """Forked, it ends in os._exit() without atexit."""
    server = serve()
    module = tmp_path / "bursting.py"
    module.write_text(
        "from fastws import WebSocketClient\n\n\n"
        "def work(url):\n"
        "    ws = WebSocketClient(url)\n"
        "    ws.wait_open(10)\n"
        f"    for number in range({BURST}):\n"
        "        assert ws.send({'from': 'main', 'n': number})\n"
    )
    source = f"""
        import multiprocessing
        sys.path.insert(0, {str(tmp_path)!r})
        import bursting
        if __name__ == "__main__":
            process = multiprocessing.get_context({start!r}).Process(target=bursting.work, args=(sys.argv[1],))
            process.start()
            process.join()
            say(process.exitcode)
    """
    assert child(source, server.url).hear() == [0]
    conn = server.wait_open(1)
    assert conn.wait_over(20)
    assert read_as(conn) == list(range(BURST))


def test_a_full_outbox_holds_a_burst_back(opened, until, io_turn):
    """The limit counts what is gathered."""

    def clogged(conn):
        conn.pause_reading()  # first: what it reads after accept() would go on draining the outbox
        conn.accept()

    ws, conn = opened(clogged, receive_buffer=4096, outbox_bytes=100_000, send_timeout=0)
    accepted = 0
    while ws.stats().outbox_bytes < 100_000:
        with pytest.raises(TimeoutError):
            while True:
                assert ws.send({"from": "main", "n": accepted})
                accepted += 1
        io_turn(ws, conn)  # it may be full because nobody wrote yet, and not because the kernel takes no more
        time.sleep(0.1)
    assert ws.stats().outbox_bytes < 101_000
    conn.resume_reading()
    assert ws.flush(20)
    assert until(lambda: len(conn.messages) == accepted)
    assert read_as(conn) == list(range(accepted))
