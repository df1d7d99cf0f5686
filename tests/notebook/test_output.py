"""Where a handler's output lands: in the cell that registered it."""


def tell(conn, kind, number):
    conn.send_json({"type": kind, "n": number})


def test_the_installed_kernels_are_the_ones_meant(kernel, request):
    version = kernel.value("__import__('ipykernel').__version__")
    assert version.startswith("'7." if "[7]" in request.node.name else "'6.29.")


def test_prints_land_in_the_cell_that_registered_the_handler(kernel, opened):
    conn = opened(kernel, cell="make")
    a = kernel.run("@ws.on('a')\ndef show(m): print('a', m['n'])", "A")
    b = kernel.run("ws.on('b', lambda m: print('b', m['n']));", "B")
    latest = kernel.run("print('latest')", "C")
    for number in range(3):
        tell(conn, "a", number)
        tell(conn, "b", number)
    b.until_text("b 2")
    a.until_text("a 2")
    assert (a.lines, b.lines, latest.lines) == (["a 0", "a 1", "a 2"], ["b 0", "b 1", "b 2"], ["latest"])


def test_the_error_of_a_handler_is_shown_where_its_prints_go(kernel, opened):
    conn = opened(kernel)
    a = kernel.run("ws.on('a', lambda m: 1 / 0);", "A")
    latest = kernel.run("print('latest')", "B")
    tell(conn, "a", 1)
    kernel.until(lambda: "ZeroDivisionError" in a.log, f"no traceback in {a.log!r}")
    assert latest.log == ""


def test_what_a_client_logs_is_shown_where_its_first_handler_was_registered(kernel, server):
    clients = {}
    for cell in "ABC":
        making = f"WebSocketClient({server.url!r} + {cell!r}, reconnect=fastws.Backoff(base=0.05))"
        clients[cell] = kernel.run(f"{cell} = {making}.on('a', print); {cell}.wait_open(20)", cell)
    latest = kernel.run("print('latest')", "D")
    for cell in "BCA":
        next(conn for conn in server.connections if conn.request.path == f"/{cell}").drop()
        kernel.until(lambda cell=cell: clients[cell].log, f"nothing was logged for {cell}")
    for cell, run in clients.items():
        assert "attempt 1" in run.log and len(run.log.splitlines()) == 1, (cell, run.log)
    assert latest.log == ""


def test_what_a_provider_prints_is_shown_where_the_client_was_made(kernel, server):
    made = kernel.run(
        "def token():\n    print('asked')\n    return {}\n"
        f"ws = fastws.WebSocketClient({server.url!r}, headers=token, reconnect=fastws.Backoff(base=0.05)); ws.wait_open(20);",
        "A",
    )
    conn = server.wait_open(1, 20)
    latest = kernel.run("pass", "B")
    conn.drop()
    made.until_text("asked\nasked")
    assert latest.lines == []
    kernel.run("ws.close()", "C")


def test_lifecycle_handlers_and_those_that_handlers_register_print_there_too(kernel, opened):
    conn = opened(kernel, "reconnect=fastws.Backoff(base=0.05)")
    a = kernel.run(
        "ws.on('disconnect', lambda: print('gone'))\n"
        "ws.on('connect', lambda: (print('here'), ws.on('late', lambda m: print('late'), once=True)));",
        "A",
    )
    b = kernel.run("ws.on('b', lambda m: print('b', m['n']));", "B")
    a.until_text("here")
    tell(conn, "late", 1)
    a.until_text("late")
    tell(conn, "b", 1)
    b.until_text("b 1")
    conn.drop()
    a.until_text("gone\nhere")
    assert b.lines == ["b 1"]


def test_kept_messages_and_plain_handlers_of_a_thread_need_no_cell(kernel, opened):
    conn = opened(kernel)
    kernel.run(
        "seen = []\nt = threading.Thread(target=lambda: ws.on('a', seen.append).keep('a', 2))\nt.start(); t.join()",
        "A",
    )
    for number in range(3):
        tell(conn, "a", number)
    kernel.until_value("[m['n'] for m in seen]", "[0, 1, 2]")
    kernel.run("pass", "A")  # the cell's re-run takes nothing that the thread registered
    tell(conn, "a", 3)
    kernel.until_value("[m['n'] for m in seen]", "[0, 1, 2, 3]")
    assert kernel.value("[m['n'] for m in ws.tail('a')]") == "[2, 3]"


def test_async_handlers_print_into_their_cell_from_beginning_to_end(kernel, server):
    kernel.run(
        f"import asyncio\nws = fastws.AsyncWebSocketClient({server.url!r})\nws.on('b', lambda m: print('b'))\nawait ws.wait_open(20)",
        "make",
    )
    conn = server.wait_open(1, 20)
    a = kernel.run(
        "@ws.on('a')\nasync def slow(m):\n    print('begun')\n    await asyncio.sleep(0.02)\n    print('ended', m['n'])",
        "A",
    )
    b = kernel.run("ws.on('b', lambda m: print('b', m['n']));", "B")
    tell(conn, "a", 1)
    tell(conn, "b", 2)
    b.until_text("b 2")
    assert (a.lines, b.lines) == (["begun", "ended 1"], ["b 2"])
    again = kernel.run("@ws.on('a')\nasync def quick(m): print('quick')", "A")
    tell(conn, "a", 3)
    again.until_text("quick")
    assert a.lines == ["begun", "ended 1"]
    card = kernel.run("ws", "C")
    assert "AsyncWebSocketClient" in card.of("display_data")[0]["data"]["text/html"]
    kernel.run("await ws.close()")
