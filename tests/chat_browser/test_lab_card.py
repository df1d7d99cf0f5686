"""The card in a real JupyterLab: it follows its client by itself, is readable in either theme, and leaves nothing running."""

import pytest
from playwright.sync_api import expect

from fastws.testing import ScriptedServer

CARDS = "[t.name for t in __import__('threading').enumerate() if t.name == 'fastws-cards']"
POINTS = "line => line.getAttribute('points').split(' ').map(point => Number(point.split(',')[1]))"

# The least contrast between a text and what is behind it, by WCAG's formula, with the opacity on the way.
LEAST_CONTRAST = """
card => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let ground = [255, 255, 255];
  for (let at = card; at; at = at.parentElement) {
    const color = numbers(getComputedStyle(at).backgroundColor);
    if (color.length === 3 || color[3] === 1) { ground = color; break; }
  }
  const contrasts = [...card.querySelectorAll("b, small, bdi, .fastws-error")].filter((one) => one.textContent).map((one) => {
    let opacity = 1;
    for (let at = one; at !== card.parentElement; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const color = numbers(getComputedStyle(one).color).slice(0, 3).map((v, i) => v * opacity + ground[i] * (1 - opacity));
    const [high, low] = [light(color), light(ground)].sort((a, b) => b - a);
    return [(high + 0.05) / (low + 0.05), one.textContent];
  });
  return contrasts.sort((a, b) => a[0] - b[0])[0];
}
"""


@pytest.fixture
def feed():
    """A server that says what the test says."""
    with ScriptedServer() as made:
        yield made


@pytest.fixture
def shown(sheet, feed):
    """A client whose card a notebook shows: shown() is (the notebook, the server's side, the card)."""

    def show(size=(1000, 700)):
        url = feed.url.replace("ws://", "ws://user:swordfish@") + "?token=sesame&symbol=A"
        one = sheet(
            cells=[
                "import fastws, logging\nlogging.getLogger('fastws').setLevel('CRITICAL')  # losses are meant here\n"
                f"ws = fastws.WebSocketClient({url!r}, name='feed', reconnect=fastws.Backoff(base=0.1))\n"
                "ws.on('a', lambda message: None)\nws.wait_open(20)",
                "ws",
                "ws.close()",
            ],
            size=size,
        )
        one.run(0)
        conn = feed.wait_open(1, 20)
        one.run(1)
        return one, conn, one.output(1).locator(".fastws-card")

    return show


def test_it_follows_the_connection_by_itself(shown, feed):
    one, conn, card = shown()
    expect(card).to_contain_text("open WebSocketClient 'feed' ws://")
    line = card.locator("polyline").first
    assert set(line.evaluate(POINTS)) == {27}, "nothing yet"
    for number in range(40):
        conn.send_json({"type": "a", "n": number})
    expect(card).to_contain_text("40 in all", timeout=20_000)
    heights = line.evaluate(POINTS)
    assert min(heights) == 2, "the highest second reaches the top"
    expect(card).to_contain_text("reconnects 0")
    conn.close(1011, "<b>broken</b>")
    feed.wait_open(2, 20).send_json({"type": "a", "n": 0})
    expect(card).to_contain_text("41 in all", timeout=20_000)
    expect(card).to_contain_text("reconnects 1")
    expect(card).to_contain_text("last error: connection lost (1011): <b>broken</b>")
    said = one.output(1).evaluate("area => area.innerHTML")
    assert "swordfish" not in said and "sesame" not in said
    assert "symbol=A" in said


def test_it_leaves_nothing_running(shown):
    one, conn, card = shown()
    assert one.value(CARDS) == "['fastws-cards']"
    assert one.comms() == 0
    assert card.locator("script").count() == 0, "what would have timers"
    one.run(2)
    expect(card).to_contain_text("closed WebSocketClient", timeout=20_000)
    expect(card).to_contain_text("in 0/s")
    one.page.wait_for_function(
        """async code => {
          const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
          const future = kernel.requestExecute({ code: "", silent: true, user_expressions: { it: code } });
          return (await future.done).content.user_expressions.it.data["text/plain"] === "[]";
        }""",
        arg=CARDS,
    )
    assert one.comms() == 0


@pytest.mark.parametrize("size", [(1000, 700), (480, 700)], ids=str)
def test_it_is_readable_in_light_and_dark_wide_and_narrow(shown, feed, size):
    one, conn, card = shown(size)
    one.alone()
    conn.close(1012, "service restart " * 7)
    expect(card).to_contain_text("last error", timeout=20_000)
    for theme in ("Light", "Dark"):
        one.theme(f"JupyterLab {theme}")
        contrast, text = card.evaluate(LEAST_CONTRAST)
        assert contrast >= 4.5, (theme, text)
        assert card.evaluate("card => card.scrollWidth <= card.clientWidth"), "nothing sticks out"
        box, area = card.bounding_box(), one.output(1).bounding_box()
        assert box["x"] + box["width"] <= area["x"] + area["width"] + 1
