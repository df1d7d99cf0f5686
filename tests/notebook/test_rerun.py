"""Running a cell again: its handlers are replaced, a client of the same name is replaced, nothing adds up."""


def tell(conn, kind="a", number=1):
    conn.send_json({"type": kind, "n": number})


def test_a_rerun_replaces_the_cells_handlers(kernel, opened):
    conn = opened(kernel)
    first = kernel.run("ws.on('a', lambda m: print('first', m['n']));", "A")
    other = kernel.run("ws.on('a', lambda m: print('other', m['n']));", "B")
    second = kernel.run("ws.on('a', lambda m: print('second', m['n']));", "A")
    tell(conn, number=1)
    second.until_text("second 1")
    other.until_text("other 1")
    assert (first.text, second.lines, other.lines) == ("", ["second 1"], ["other 1"])


def test_what_the_rerun_registers_no_more_goes_when_it_has_ended(kernel, opened):
    conn = opened(kernel)
    first = kernel.run("ws.on('a', lambda m: print('a')).on('b', lambda m: print('b'));", "A")
    second = kernel.run("ws.on('b', lambda m: print('b again'));", "A")
    tell(conn, "a")
    tell(conn, "b")
    second.until_text("b again")
    assert first.text == ""
    kernel.run("pass", "A")
    tell(conn, "b")
    third = kernel.run("ws.on('end', lambda m: print('end'));", "C")
    tell(conn, "end")
    third.until_text("end")
    assert second.lines == ["b again"]


def test_a_rerun_that_failed_takes_nothing_away(kernel, opened):
    conn = opened(kernel)
    first = kernel.run("ws.on('a', lambda m: print('a', m['n']));", "A")
    for broken in ("ws.on('b', print); 1 / 0", "this is no Python"):
        assert kernel.end(kernel.begin(broken, "A")).reply["status"] == "error"
        tell(conn, number=broken)
        first.until_text(broken)


def test_without_cell_ids_a_function_replaces_its_older_version(kernel, opened):
    conn = opened(kernel)
    first = kernel.run("@ws.on('a')\ndef show(m): print('first')\nws.on('a', lambda m: print('lambda'));")
    second = kernel.run(
        "@ws.on('a')\ndef show(m): print('second')\nws.on('a', lambda m: print('lambda too'));"
    )
    tell(conn)
    second.until_text("lambda too")
    assert (first.lines, second.lines) == (["lambda"], ["second", "lambda too"])


def test_a_replacement_connect_handler_is_not_called_for_the_present_connection(kernel, opened):
    conn = opened(kernel, "reconnect=fastws.Backoff(base=0.05)")
    first = kernel.run("ws.on('connect', lambda: print('first'));", "A")
    first.until_text("first")
    second = kernel.run("ws.on('connect', lambda: print('second'));", "A")
    other = kernel.run("ws.on('connect', lambda: print('other'));", "B")
    other.until_text("other")  # in order: whatever the second had to be told was told before
    assert second.text == ""
    conn.drop()
    second.until_text("second")
    other.until_text("other\nother")
    assert (first.lines, second.lines) == (["first"], ["second"])


def test_a_client_of_the_same_name_takes_the_place_of_the_first(kernel, server):
    cell = (
        f"ws = WebSocketClient({server.url!r}, name='feed')\n"
        "ws.on('a', lambda m: print('got', m['n'])).on('closed', lambda: print('closed'))"
    )
    first = kernel.run(cell, "A")  # its last expression: Out[] keeps the client
    server.wait_open(1, 20)
    second = kernel.run(cell, "A")
    conn = server.wait_open(2, 20)
    first.until_text("closed")
    tell(conn)
    second.until_text("got 1")
    assert first.lines == ["closed"] and server.most_live == 1
    assert kernel.value("fastws.clients() == [ws]") == "True"


def test_clients_without_a_name_that_out_keeps_are_listed_and_can_be_closed(kernel, server):
    cell = f"WebSocketClient({server.url!r}).on('a', print)"
    kernel.run(cell, "A")
    kernel.run(cell, "A")
    server.wait_open(2, 20)
    assert kernel.value("len(fastws.clients())") == "2"
    kernel.run("min(fastws.clients(), key=lambda ws: ws._dispatcher.thread.name).close()")
    assert kernel.value("len(fastws.clients())") == "1"


def test_a_client_that_nothing_refers_to_ends_with_its_threads(kernel, opened):
    opened(kernel)
    kernel.run("ws.on('a', lambda m: print(m)); ws")  # shown, so that Out[] and the card know it
    before = int(kernel.value("sum(t.name.startswith('fastws') for t in threading.enumerate())"))
    assert before == 2  # its own, and that of the cards
    kernel.run("import warnings\nwarnings.simplefilter('ignore', ResourceWarning)\n%xdel ws\ngc.collect();")
    kernel.until_value("[t.name for t in threading.enumerate() if t.name.startswith('fastws')]", "[]")
    assert kernel.value("fastws.clients()") == "[]"
