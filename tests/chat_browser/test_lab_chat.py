"""The chat's widget in a real JupyterLab: anywidget, comms and subshells are the real ones, and a kernel that is busy is, too."""

import pytest
from chat_rig import until
from playwright.sync_api import expect

# Everything that the widget's module, which is no file of JupyterLab's, has going: timers, and listeners outside of its element.
GOING = """
(() => {
  const going = (window.going = { timers: new Set(), listeners: new Set() });
  const ours = () => new Error().stack.includes("blob:");
  const set = window.setInterval, clear = window.clearInterval;
  window.setInterval = (...args) => {
    const timer = set(...args);
    if (ours()) going.timers.add(timer);
    return timer;
  };
  window.clearInterval = (timer) => (going.timers.delete(timer), clear(timer));
  for (const target of [window, document]) {
    const add = target.addEventListener;
    target.addEventListener = function (event, call, options) {
      if (ours()) {
        going.listeners.add(event);
        options?.signal?.addEventListener("abort", () => going.listeners.delete(event));
      }
      return add.call(this, event, call, options);
    };
  }
})()
"""


@pytest.fixture
def chat(sheet, server, room):
    """A notebook that shows the room as Ada: chat() is (the notebook, the widget)."""

    def show(size=(1000, 900)):
        one = sheet(
            cells=[
                "import sys; sys.path.insert(0, '..')\nfrom chat.notebook import Chat",
                f"chat = Chat({server.url!r}, name='Ada', room={room!r})\nchat",
                "import time\nprint('busy', flush=True)\n"
                "while not any(line.text == 'go on' for line in chat.session.view().lines): time.sleep(0.02)",
                "chat.close()",
            ],
            size=size,
            script=GOING,
        )
        one.run(0)
        one.run(1)
        widget = one.output(1).locator(".chat")
        expect(widget.locator(".chat-here")).to_contain_text("here", timeout=20_000)
        return one, widget

    return show


def say(widget, text):
    widget.locator("textarea").fill(text)
    widget.locator("textarea").press("Enter")


def test_a_notebook_and_another_person_talk(chat, person):
    one, widget = chat()
    bob = person("Bob")
    expect(widget.locator(".chat-here")).to_have_text("2 here")
    widget.locator("textarea").press_sequentially("hello")
    until(lambda: bob.view.typing == ("Ada",))
    widget.locator("textarea").press("Enter")
    bob.sees("hello")
    expect(widget.locator(".chat-line.own.sent")).to_contain_text("hello")
    bob.say("<b>hi</b>")
    expect(widget.locator(".chat-line:not(.own) .chat-text")).to_have_text("<b>hi</b>")
    bob.session.typing(True)
    expect(widget.locator(".chat-typing")).to_have_text("Bob is typing")


def test_while_a_cell_computes_messages_appear_and_what_one_writes_waits_in_sight(chat, person):
    one, widget = chat()
    bob = person("Bob")
    expect(widget.locator(".chat-here")).to_have_text("2 here")
    one.begin(2)
    expect(one.output(2)).to_contain_text("busy")
    bob.say("are you busy?")
    expect(widget.locator(".chat-line:not(.own) .chat-text")).to_have_text("are you busy?")
    say(widget, "yes")
    expect(widget.locator(".chat-line.own.sending .chat-text")).to_have_text("yes")
    bob.sees("are you busy?")
    bob.say("go on")  # which ends the cell
    bob.sees("are you busy?", "go on", "yes")
    expect(widget.locator(".chat-line.own.sent .chat-text")).to_have_text("yes")


def test_what_is_closed_leaves_nothing_running(chat):
    one, widget = chat()
    going = "() => [going.timers.size, [...going.listeners].sort()]"
    assert one.page.evaluate(going) == [1, ["blur", "focus", "visibilitychange"]]
    assert one.comms() > 0
    one.run(3)
    expect(widget).to_have_count(0)
    assert one.page.evaluate(going) == [0, []]
    assert one.comms() == 0
    assert one.value("chat.session.view().link.state") == "'closed'"


def test_a_cell_that_is_run_again_takes_the_place_of_the_first(chat, person):
    one, widget = chat()
    say(widget, "before")
    expect(widget.locator(".chat-line.own.sent")).to_contain_text("before")
    one.run(1)
    expect(widget.locator(".chat-here")).to_have_text("1 here")
    expect(widget.locator(".chat-line.own .chat-text")).to_have_text("before")
    say(widget, "after")
    person("Bob").sees("before", "after")


def test_a_kernel_that_restarts_is_told_of_and_nothing_that_was_written_is_lost(chat):
    one, widget = chat()
    one.begin(2)
    expect(one.output(2)).to_contain_text("busy")
    say(widget, "first")
    expect(widget.locator(".chat-line.own.sending")).to_contain_text("first")
    one.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(widget.locator(".chat-banner")).to_contain_text("The notebook's kernel has gone", timeout=20_000)
    expect(widget.locator(".chat-line.own.failed")).to_contain_text(
        "Not sent: The notebook's kernel has gone"
    )
    say(widget, "second")
    expect(widget.locator(".chat-trouble")).to_have_text(
        "The notebook's kernel has gone: run the cell again."
    )
    widget.get_by_text("Take back").click()
    assert widget.locator("textarea").input_value() == "second\nfirst"
