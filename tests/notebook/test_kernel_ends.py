"""Interrupting, restarting and ending the kernel."""

import psutil
import pytest


@pytest.mark.parametrize(
    "waiting",
    ["ws.wait()", "ws.recv()", "for message in ws: pass", "next(ws.messages('a'))", "ws.wait_open()"],
)
def test_interrupting_stops_waiting_and_keeps_the_client(kernel_7, server, opened, waiting):
    if waiting == "ws.wait_open()":
        kernel_7.run("ws = WebSocketClient('ws://127.0.0.1:9/', reconnect=fastws.Backoff(base=30))")
        state = "'backoff'"
    else:
        opened(kernel_7)
        state = "'open'"
    kernel_7.until_value("ws.state", state)
    run = kernel_7.begin(f"print('waiting', flush=True)\n{waiting}", "A")
    run.until_text("waiting")
    kernel_7.interrupt()
    assert kernel_7.end(run).reply["ename"] == "KeyboardInterrupt"
    assert kernel_7.value("ws.state") == state


def test_a_cell_that_registers_and_waits_is_replaced_like_any_other(kernel_7, opened):
    conn = opened(kernel_7)
    for event in ("a", "b"):
        run = kernel_7.begin(
            f"ws.on({event!r}, lambda m: print({event!r}))\nprint('waiting', flush=True)\nws.wait()", "A"
        )
        run.until_text("waiting")
        conn.send_json({"type": event})
        run.until_text(event)
        kernel_7.interrupt()
        kernel_7.end(run)
    kernel_7.run("ws.on('end', lambda m: print('end'));", "B")
    assert kernel_7.value("[sorted(ws._dispatcher.handlers._by_event)]") == "[['type:b', 'type:end']]"


def busy(kernel, server):
    """A kernel with all there can be: a card, handlers, a provider, messages under way; its process."""
    kernel.run(
        f"ws = WebSocketClient(lambda: {server.url!r}, name='busy')\nws.on('a', lambda m: print(m)).keep('a', 10)\nws",
        "A",
    )
    conn = server.wait_open(1, 20)
    for number in range(100):
        conn.send_json({"type": "a", "n": number})
    kernel.until_value("len(ws.tail('a'))", "10")
    return psutil.Process(kernel.pid), conn


def test_a_fork_of_the_kernel_has_no_card_and_no_connection(kernel_7, opened):
    opened(kernel_7)
    kernel_7.run("ws.on('a', print)", "A")  # shown
    run = kernel_7.run(
        "import os, warnings, fastws._notebook\n"
        "warnings.simplefilter('ignore', DeprecationWarning)  # forking beside threads\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    alone = ws._card is None and ws.state == 'destroyed' and not fastws._notebook._board._cards\n"
        "    os._exit(0 if alone else 1)\n"
        "print(os.waitpid(child, 0)[1], ws.state)"
    )
    run.until_text("0 open")


def test_a_restart_leaves_nothing_behind(own_kernel, server):
    process, conn = busy(own_kernel, server)
    own_kernel.restart()
    assert conn.wait_over(20)
    own_kernel.until(lambda: not process.is_running(), "the old process still runs")
    assert own_kernel.value("'fastws' in __import__('sys').modules") == "False"
    assert server.live == 0


def test_a_shutdown_ends_the_process_and_says_goodbye(own_kernel, server):
    process, conn = busy(own_kernel, server)
    own_kernel.shut_down()
    assert conn.wait_close(20) == 1001
    own_kernel.until(lambda: not process.is_running(), "the process still runs")
