"""The page in a real Chromium against the real server, and people of the other faces on the other side.

What must become so is asked for from here: playwright's wait_for_function evaluates a text, which the page's policy forbids.
"""

import json

import pytest
from chat.rows import hue
from chat_rig import HURRY, until


def say(page, text):
    page.fill("textarea", text)
    page.press("textarea", "Enter")


def lines(page):
    """What stands in the list: (name of the group, text) of each line."""
    return page.eval_on_selector_all(
        ".chat-line",
        "all => all.map(e => [e.querySelector('.chat-name').textContent, e.querySelector('.chat-text').textContent])",
    )


def texts(page):
    return [text for _, text in lines(page)]


def test_messages_and_typing_cross_over_in_both_directions(tab, person):
    bob, ada = person("Bob"), tab("Ada")
    say(ada, "hello")
    bob.sees("hello")
    ada.wait_for_selector(".chat-line.own.sent >> text=hello")
    bob.say("hi")
    ada.wait_for_selector(".chat-line:not(.own) >> text=hi")
    assert lines(ada) == [["Ada", "hello"], ["Bob", "hi"]]
    time = ada.inner_text(".chat-line.own time")
    assert len(time) == 5 and time[2] == ":"
    bob.session.typing(True)
    ada.wait_for_selector(".chat-typing >> text=Bob is typing")
    bob.session.typing(False)
    ada.wait_for_selector(".chat-typing >> text=Bob is typing", state="detached")
    ada.type("textarea", "x")
    until(lambda: bob.view.typing == ("Ada",))
    ada.press("textarea", "Backspace")
    until(lambda: bob.view.typing == ())
    assert ada.inner_text(".chat-people ul").split("\n") == ["Ada", "you", "Bob"]


def test_a_tab_that_vanishes_types_no_more_and_is_gone(tab, person):
    bob, ada = person("Bob"), tab("Ada")
    ada.type("textarea", "x")
    until(lambda: bob.view.typing == ("Ada",))
    ada.close()
    until(lambda: bob.view.typing == () and bob.view.people == ("Bob",))


HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "</span></article><h1>big</h1>",
    "&lt;b&gt; &amp; \"quotes\" 'too'",
    "\u202egnp.exe and on",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "javascript:alert(1) http://example.org/",
    "z" + "\u0300" * 300 + "algo",
    "x" * 4000,
    "line\nline\n\ttab",
]


def test_what_people_say_is_text_and_nothing_else(tab, talker):
    bob = talker("<b onclick=x>")
    for text in HOSTILE:
        bob.say(text)
    ada = tab("Ada", size=(360, 640))
    until(lambda: len(texts(ada)) == len(HOSTILE))
    assert texts(ada) == HOSTILE
    assert ada.eval_on_selector_all(
        ".chat-line *", "all => [...new Set(all.map(e => e.tagName))].sort()"
    ) == sorted(["ARTICLE", "B", "DIV", "SPAN", "TIME"][1:])
    assert "owned" not in ada.title()
    bob.send({"type": "typing", "on": True})
    ada.wait_for_selector(".chat-typing >> text=<b onclick=x> is typing")
    assert ada.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing makes the page wider than the window"
    )
    assert ada.evaluate("(l => l.scrollWidth <= l.clientWidth)(document.querySelector('.chat-lines'))")


def test_the_page_runs_nothing_but_its_own_files(tab, server):
    page = tab("Ada")
    policy = page.request.get(server.page).headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
    assert page.evaluate("() => { const s = document.createElement('script'); s.textContent = 'window.owned = 1';"
                         " document.head.append(s); return window.owned ?? null }") is None  # fmt: skip
    (violation,) = tab.errors
    assert "violates the following Content Security Policy" in violation
    tab.errors.clear()
    for path in ("..%2fserver.py", "%2e%2e/server.py", "server.py", "chat.sqlite3", "index.html/"):
        assert page.request.get(server.page + path).status == 404


def test_a_page_of_another_site_may_not_connect(tab, server, serve):
    other = serve()
    page = tab()
    page.goto(other.page)
    code = page.evaluate(
        "url => new Promise(done => { const ws = new WebSocket(url); ws.onopen = () => done('open'); ws.onclose = e => done(e.code) })",
        other.url,
    )
    assert code == "open"
    page.context.request.get(server.page)
    stranger = page.context.new_page()
    stranger.goto("about:blank")
    assert stranger.evaluate(
        "url => new Promise(done => { const ws = new WebSocket(url); ws.onopen = () => done('open'); ws.onclose = e => done(e.code) })",
        server.url,
    ) == 1006  # fmt: skip


def test_the_server_dies_and_what_was_written_meanwhile_arrives_once(tab, serve, person):
    server = serve()
    bob, ada = person("Bob", url=server.url), tab("Ada", url=server.page)
    say(ada, "before")
    bob.sees("before")
    server.kill()
    ada.wait_for_selector(".chat-banner >> text=No connection. Next attempt in")
    assert "offline" in ada.inner_text(".chat-here")
    say(ada, "one")
    say(ada, "two")
    ada.wait_for_selector(".chat-line.sending >> text=two")
    server.start()
    ada.eval_on_selector(".chat-banner button", HURRY)
    ada.wait_for_selector(".chat[data-link=online]")
    bob.sees("before", "one", "two")
    until(lambda: ada.locator(".chat-line.own.sent").count() == 3)
    assert texts(ada) == ["before", "one", "two"]
    assert not ada.is_visible(".chat-banner")


def test_a_reload_in_the_middle_of_an_outage_loses_nothing(tab, serve, person):
    server = serve()
    ada = tab("Ada", url=server.page)
    say(ada, "before")
    ada.wait_for_selector(".chat-line.own.sent")
    server.kill()
    ada.wait_for_selector(".chat-banner")
    say(ada, "written in the dark")
    ada.wait_for_selector(".chat-line.sending")
    server.start()
    ada.reload()
    ada.wait_for_selector(".chat[data-link=online]")
    until(lambda: ada.locator(".chat-line.own.sent").count() == 2)
    bob = person("Bob", url=server.url)
    bob.sees("before", "written in the dark")


def test_what_comes_while_one_reads_above_is_unread(tab, person):
    bob, ada = person("Bob"), tab("Ada", size=(500, 400))
    bob.say(*[f"message {number}" for number in range(18)])
    ada.wait_for_selector("text=message 17")
    distance = "list => list.scrollHeight - list.scrollTop - list.clientHeight"  # from the end
    until(lambda: ada.eval_on_selector(".chat-lines", distance) < 5)
    ada.eval_on_selector(".chat-lines", "list => (list.scrollTop = 0)")
    ada.wait_for_timeout(100)
    bob.say("news")
    ada.wait_for_selector(".chat-news >> text=1 new")
    assert ada.title().startswith("(1)")
    ada.click(".chat-news")
    ada.wait_for_selector(".chat-news", state="hidden")
    ada.wait_for_selector(".chat-mark.unread")
    assert ada.is_visible("text=news")


def test_a_taken_name_brings_the_form_back(tab, person):
    person("Ada")
    page = tab()
    page.fill("#name", "ada")
    page.click("#join button")
    page.wait_for_selector("#wrong >> text=Somebody called Ada is here already.")
    page.fill("#name", "Bea")
    page.click("#join button")
    page.wait_for_selector(".chat[data-link=online]")


def test_too_much_is_told_and_stays_where_it_was_written(tab):
    ada = tab("Ada")
    ada.fill("textarea", "x" * 4001)
    ada.press("textarea", "Enter")
    ada.wait_for_selector(".chat-trouble >> text=That is 4,001 characters; a message holds 4,000.")
    assert ada.input_value("textarea") == "x" * 4001
    ada.fill("textarea", "mine")
    ada.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text", "y".repeat(10_000_000));
          document.querySelector("textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true }));
        }"""
    )
    ada.wait_for_selector(".chat-trouble >> text=That paste has 10,000,000 characters")
    assert ada.input_value("textarea") == "mine"


def test_a_full_history_marks_the_message_and_lets_it_be_taken_back(tab, full_server):
    ada = tab("Ada", url=full_server.page)
    say(ada, "y" * 4000)
    ada.wait_for_selector(".chat-line.failed >> text=can not keep messages")
    ada.click("text=Send again")
    ada.wait_for_selector(".chat-line.failed >> text=can not keep messages")
    ada.click("text=Take back")
    ada.wait_for_selector(".chat-line.failed", state="detached")
    assert ada.input_value("textarea") == "y" * 4000


@pytest.mark.parametrize(
    "name", ["Ada", "Grace Hopper", "李雷", "Żółć", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "ÀDA"]
)
def test_a_person_has_one_colour_on_all_faces(tab, name):
    page = tab()
    assert page.evaluate(f"import('/face.js').then(face => face.hue({json.dumps(name)}))") == hue(name)


def test_an_older_tab_of_the_same_person_gives_way_and_can_come_back(tab):
    ada = tab("Ada")
    second = ada.context.new_page()
    kept = ada.evaluate("() => ({ ...sessionStorage })")
    second.add_init_script(
        f"for (const [k, v] of Object.entries({json.dumps(kept)})) sessionStorage.setItem(k, v)"
    )
    second.goto(ada.url)
    second.wait_for_selector(".chat[data-link=online]")
    ada.wait_for_selector(".chat-banner >> text=from elsewhere")
    ada.click("text=Come back here")
    ada.wait_for_selector(".chat[data-link=online]")
    second.wait_for_selector(".chat[data-link=replaced]")
