"""The browser's and the notebook's face for measuring: pages of one real Chromium, the notebook in a real JupyterLab.

A text is seen when the frame that draws it begins, by the browser's own clock, which is the system's.
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any

from playwright.sync_api import Page, sync_playwright

from .chromium import launching
from .jupyter import Lab

WATCH = """
text => {
  const chat = document.querySelector(".chat");
  const shown = () => [...chat.querySelectorAll(".chat-text, .chat-typing")].some((one) => one.textContent.includes(text));
  window.seen = new Promise((done) => {
    const look = () => {
      if (!shown()) return;
      watching.disconnect();
      requestAnimationFrame(() => done((performance.timeOrigin + performance.now()) / 1000));
    };
    const watching = new MutationObserver(look);
    watching.observe(chat, { subtree: true, childList: true, characterData: true });
    look();
  });
}
"""


class PageFace:
    """The chat in a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.focus(".chat textarea")

    def type(self, text: str) -> None:
        """Press these keys."""
        self._page.keyboard.type(text)

    def send(self) -> None:
        """Press Enter."""
        self._page.keyboard.press("Enter")

    def expect(self, text: str) -> None:
        """Look out for it from now on."""
        self._page.evaluate(WATCH, text)

    def seen(self, text: str) -> float:
        """When it was drawn, as time.time()."""
        return float(self._page.evaluate("() => window.seen"))

    def wait_for(self, text: bytes) -> None:
        """Until it stands anywhere."""
        self._page.wait_for_selector(f".chat >> text={text.decode()}")

    def end(self) -> None:
        """Close the page."""
        self._page.close()


class Pages:
    """Makes such faces; the browser, and JupyterLab if it was needed, end with it."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        playwright = self._stack.enter_context(sync_playwright())
        self._browser = playwright.chromium.launch(**launching())
        self._stack.callback(self._browser.close)

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *exc: Any) -> None:
        self._stack.close()

    def browser(self, url: str, name: str) -> PageFace:
        """The chat's own page."""
        page = self._browser.new_page()
        page.goto(url.replace("ws:", "http:").removesuffix("ws"))
        page.fill("#name", name)
        page.click("#join button")
        page.wait_for_selector(".chat[data-link=online]")
        return PageFace(page)

    def notebook(self, url: str, name: str) -> PageFace:
        """The widget in JupyterLab."""
        lab = Lab(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._stack.callback(lab.end)
        cell = f"import sys; sys.path.insert(0, '..')\nfrom chat.notebook import Chat\nChat({url!r}, name={name!r})"
        page = self._browser.new_page(viewport={"width": 1000, "height": 900})
        lab.open(page, lab.write("delay.ipynb", cell)).run(0)
        page.wait_for_selector(".chat[data-link=online]")
        return PageFace(page)
