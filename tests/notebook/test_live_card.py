"""The card in a real kernel: what is displayed, how it is kept up to date, and when that ends."""

import html
import re
import subprocess
import sys

from fastws import _notebook

CARDS = "[t.name for t in threading.enumerate() if t.name == 'fastws-cards']"


def shown(content):
    """The text of a card without its style."""
    source = re.sub("<style>.*?</style>", "", content["data"]["text/html"])
    return " ".join(html.unescape(re.sub("<[^>]*>", "", source)).split())


def display_id(content):
    return content["transient"]["display_id"]


def updates(kernel, run):
    """The later contents of what a cell displayed."""
    ids = {display_id(content) for content in run.of("display_data")}
    return [content for content in kernel.updates if display_id(content) in ids]


def latest(kernel, run):
    return shown((run.of("display_data") + updates(kernel, run))[-1])


def until_shown(kernel, run, text):
    kernel.until(lambda: text in latest(kernel, run), f"no {text!r} on {latest(kernel, run)!r}")


def test_a_client_as_a_result_is_a_card_that_follows_it(kernel, server):
    url = server.url.replace("ws://", "ws://user:secret@") + "?token=hidden"
    kernel.run(
        f"ws = WebSocketClient({url!r}, name='feed', reconnect=fastws.Backoff(base=0.1)); ws.wait_open(20)"
    )
    conn = server.wait_open(1, 20)
    run = kernel.run("ws.on('a', lambda m: None)", "A")
    (first,) = run.of("display_data")
    assert first["data"]["text/plain"] == kernel.value("ws")
    assert shown(first).startswith("open WebSocketClient 'feed' ws://127.0.0.1")
    assert not run.of("execute_result")
    for number in range(5):
        conn.send_json({"type": "a", "n": number})
    until_shown(kernel, run, "5 in all")
    conn.close(1011, "<b>broken</b>")
    until_shown(kernel, run, "reconnects 1")
    until_shown(kernel, run, "last error: connection lost (1011): <b>broken</b>")
    kernel.run("ws.close()")
    until_shown(kernel, run, "closed WebSocketClient")
    assert "in 0/s" in latest(kernel, run) and "out 0/s" in latest(kernel, run)
    everything = str([*updates(kernel, run), first])
    assert "secret" not in everything and "hidden" not in everything and "<b>broken" not in everything
    kernel.until_value(CARDS, "[]")


def test_a_look_is_taken_once_a_second():
    """The tests' kernels are in a hurry; JupyterLab's tests see the real pace."""
    assert _notebook._EVERY == 1.0


def test_a_failing_client_shows_why(kernel_7):
    run = kernel_7.run("ws = WebSocketClient('ws://127.0.0.1:9/')\nws", "A")
    until_shown(kernel_7, run, "last error:")
    until_shown(kernel_7, run, "refused")


def test_shown_twice_it_is_one_display_and_one_thread(kernel_7, opened):
    opened(kernel_7)
    runs = [kernel_7.run("ws", "A"), kernel_7.run("display(ws, ws)", "B")]
    ids = {display_id(one) for run in runs for one in run.of("display_data")}
    assert len(ids) == 1 and len(runs[1].of("display_data")) == 2
    assert kernel_7.value(CARDS) == "['fastws-cards']"


def test_nothing_is_sent_while_nothing_changes(kernel_7, opened):
    opened(kernel_7, "ping_interval=None")
    run = kernel_7.run("ws", "A")
    kernel_7.run("time.sleep(0.5)")  # the thread took several looks
    kernel_7.look()
    assert not updates(kernel_7, run)


def test_a_cell_that_shows_it_no_more_ends_the_updates(kernel_7, opened):
    opened(kernel_7)
    kernel_7.run("ws", "A")
    kernel_7.run("ws", "A")
    assert kernel_7.value(CARDS) == "['fastws-cards']"
    kernel_7.run("pass", "A")
    kernel_7.until_value(CARDS, "[]")
    assert kernel_7.value("ws.state") == "'open'"


def test_a_client_that_connects_again_is_followed_again(kernel_7, opened):
    opened(kernel_7)
    run = kernel_7.run("ws", "A")
    kernel_7.run("ws.close()")
    kernel_7.until_value(CARDS, "[]")
    assert latest(kernel_7, run).startswith("closed ")
    kernel_7.run("ws.connect()")
    until_shown(kernel_7, run, "open WebSocketClient")


def test_html_without_a_kernel_and_the_repr_in_a_terminal():
    program = (
        "from fastws import WebSocketClient\n"
        "ws = WebSocketClient('ws://127.0.0.1:9', autoconnect=False, name='idle')\n"
        "ws\n"
        "print('live' if ws._card else 'static', ws._repr_html_()[:25])\n"
        "ws.close()\n"
    )
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--no-banner",
        "--colors=NoColor",
        "--simple-prompt",
        "--no-confirm-exit",
    ]
    ended = subprocess.run(command, input=program, capture_output=True, text=True, timeout=60)
    assert "<WebSocketClient 'idle' ws://127.0.0.1:9/ idle>" in ended.stdout, ended
    assert 'static <div class="fastws-card">' in ended.stdout, ended
    assert ended.stderr == ""
