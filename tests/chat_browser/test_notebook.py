"""The notebook's face: the real widget in Python, its real module in a real Chromium, joined as a notebook joins them.

What stands between them here is anywidget's interface (a model with get, on, off and send), carried by the browser's own
connection to the test instead of a kernel's.
"""

import json
import queue
import subprocess
import sys

import pytest
from chat.notebook import Chat
from chat.protocol import Refused
from chat.session import Session
from chat_rig import EXAMPLES, QUICK, until
from ipywidgets.widgets import widget as widgets

from chat import protocol

HOST = """
async ([esm, css, view]) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const handlers = {};
  let now = view;
  const model = {
    get: () => now,
    on: (event, fn) => (handlers[event] = fn),
    off: (event) => delete handlers[event],
    send: (content) => window.tell(JSON.stringify(content)),
  };
  window.emit = (event, ...args) => handlers[event]?.(...args);
  window.update = (next) => { now = next; emit("change:view"); };
  const el = document.body.appendChild(document.createElement("div"));
  window.leave = (await import(url)).default.render({ model, el });
}
"""


class Notebook:
    """A widget and the page that shows it."""

    def __init__(self, page, widget):
        self.page = page
        self.widget = widget
        self._told = queue.Queue()
        page.expose_function("tell", self._told.put)
        page.evaluate(HOST, [widget._esm, widget._css, widget.view])

    def until(self, condition):
        """Pass on what either side says until it is so."""

        def turn():
            self.page.evaluate("view => window.update(view)", self.widget.view)
            while not self._told.empty():
                self.widget._handle_custom_msg(json.loads(self._told.get()), [])
            return condition()

        return until(turn)


@pytest.fixture
def notebook(chromium, server, room):
    """A room in a notebook: notebook(name)."""
    context = chromium.new_context(viewport={"width": 700, "height": 500})
    widgets = []

    def show(name, url=None, **options):
        widgets.append(Chat(url or server.url, name=name, room=room, reconnect=QUICK, **options))
        return Notebook(context.new_page(), widgets[-1])

    yield show
    for widget in widgets:
        widget.close()
    context.close()


def test_a_notebook_and_another_person_talk(notebook, person):
    bob, ada = person("Bob"), notebook("Ada")
    ada.until(lambda: "2 here" in ada.page.inner_text(".chat-here"))
    ada.page.type("textarea", "hello")
    ada.until(lambda: bob.view.typing == ("Ada",))
    ada.page.press("textarea", "Enter")
    ada.until(lambda: bob.texts == ["hello"])
    ada.until(lambda: ada.page.is_visible(".chat-line.own.sent >> text=hello"))
    bob.say("<b>hi</b>")
    ada.until(lambda: ada.page.is_visible(".chat-line:not(.own) >> text=<b>hi</b>"))
    bob.session.typing(True)
    ada.until(lambda: ada.page.is_visible("text=Bob is typing"))


def test_an_outage_is_counted_down_and_survived(notebook, serve, person):
    server = serve()
    ada = notebook("Ada", url=server.url)
    ada.until(lambda: "1 here" in ada.page.inner_text(".chat-here"))
    server.kill()
    ada.until(lambda: ada.page.is_visible(".chat-banner >> text=No connection"))
    ada.page.fill("textarea", "later")
    ada.page.press("textarea", "Enter")
    ada.until(lambda: ada.page.is_visible(".chat-line.sending"))
    server.start()
    ada.until(lambda: ada.page.is_visible(".chat-line.own.sent >> text=later"))
    person("Bob", url=server.url).sees("later")


def test_a_failed_message_is_taken_back(notebook, full_server):
    ada = notebook("Ada", url=full_server.url)
    ada.until(lambda: "1 here" in ada.page.inner_text(".chat-here"))
    ada.page.fill("textarea", "y" * 4000)
    ada.page.press("textarea", "Enter")
    ada.until(lambda: ada.page.is_visible(".chat-line.failed"))
    ada.page.click("text=Take back")
    ada.until(lambda: not ada.page.is_visible(".chat-line.failed"))
    assert ada.page.input_value("textarea") == "y" * 4000


def test_nonsense_out_of_the_browser_is_passed_over(notebook):
    ada = notebook("Ada")
    for content in (
        None,
        3,
        [],
        {},
        {"do": "close"},
        {"do": "say"},
        {"do": "say", "text": "without a key"},
        {"do": "say", "key": 3, "text": "x"},
        {"do": "say", "key": "a key", "text": "x"},
        {"do": "say", "key": "k" * 16, "text": 3},
        {"do": "say", "key": "k" * 16, "text": ""},
        {"do": "__init__"},
    ):
        ada.widget._handle_custom_msg(content, [])
    ada.until(lambda: "1 here" in ada.page.inner_text(".chat-here"))
    assert ada.widget.session.view().lines == ()


@pytest.mark.parametrize(("text", "why"), [
    ("x" * 4001, "That is 4,001 characters; a message holds 4,000."),
    ("\n".join("x" * 101), "That is 101 lines; a message holds 100."),
    ("\x00\x1b[2J", "That message is empty."),
], ids=["long", "lines", "nothing"])  # fmt: skip
def test_what_can_be_no_message_is_told_and_stays_where_it_was_written(notebook, text, why):
    ada = notebook("Ada")
    ada.until(lambda: "1 here" in ada.page.inner_text(".chat-here"))
    ada.page.fill("textarea", text)
    ada.page.press("textarea", "Enter")
    ada.page.wait_for_selector(f".chat-trouble >> text={why}")
    assert ada.page.input_value("textarea") == text
    assert ada.widget.session.view().lines == ()


def test_a_message_that_python_refuses_can_be_taken_back(notebook):
    """Both keep the same rules; should they ever differ, the text is not lost."""
    ada = notebook("Ada")
    ada.until(lambda: "1 here" in ada.page.inner_text(".chat-here"))
    refused = []
    ada.widget.send = refused.append
    ada.widget._handle_custom_msg({"do": "say", "key": "k" * 16, "text": "x" * 5000}, [])
    assert refused == [{"refused": "k" * 16, "why": "That is 5,000 characters; a message holds 4,000."}]
    ada.page.fill("textarea", "mine")
    ada.page.press("textarea", "Enter")
    ada.page.wait_for_selector(".chat-line.sending")
    said = json.loads(ada._told.get())
    while said["do"] != "say":
        said = json.loads(ada._told.get())
    ada.page.evaluate("key => window.emit('msg:custom', { refused: key, why: 'No.' })", said["key"])
    ada.page.wait_for_selector(".chat-line.failed >> text=Not sent: No.")
    ada.page.click("text=Take back")
    ada.page.wait_for_selector(".chat-line", state="detached")
    assert ada.page.input_value("textarea") == "mine"


def test_a_bad_name_is_told_at_once(server, room):
    before = len(widgets._instances)
    with pytest.raises(Refused, match="A name is needed"):
        Chat(server.url, name=" ", room=room)
    assert len(widgets._instances) == before, "half a widget was left"


def test_a_session_that_is_quicker_than_its_widget_is_drawn_when_both_are_there(server, room, monkeypatch):
    class Quick(Session):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            until(lambda: self.view().link.state == "online")

    monkeypatch.setattr("chat.notebook.Session", Quick)
    widget = Chat(server.url, name="Ada", room=room)
    assert widget.view["link"]["state"] == "online"
    widget.close()


def test_the_page_and_the_notebook_and_python_agree_on_what_a_message_is(chromium, server):
    texts = ["", " \n", "x", "  x\t", "a\r\nb\rc", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07t", "a\x00b\x85c\u2028d", "\u202ex",
             "x" * 4000, "x" * 4001, "\U0001f468" * 4000, "\U0001f468" * 4001, "\n".join("x" * 100), "\n".join("x" * 101)]  # fmt: skip
    page = chromium.new_page()
    page.goto(server.page)
    told = page.evaluate(
        "([texts, limits]) => import('/message.js').then(({ message }) => texts.map((text) => message(text, limits)))",
        [texts, protocol.LIMITS],
    )
    page.close()
    for text, here in zip(texts, told, strict=True):
        there = {"said": protocol.clean(text), "why": ""}
        try:
            protocol.check_text(there["said"])
        except Refused as refused:
            there = {"said": "", "why": str(refused)}
        assert here == there


def test_without_anywidget_the_message_says_what_to_do():
    program = "import sys; sys.modules['anywidget'] = None\nimport chat.notebook"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=EXAMPLES, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert (
        "the chat in a notebook needs anywidget, which is not installed: pip install anywidget"
        in ended.stderr
    )
