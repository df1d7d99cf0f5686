"""Takes the pictures in docs/ from the running programs: one conversation on the chat's three faces, the example notebooks and
the card in JupyterLab.

make pictures                                 # all of them, two minutes
.venv/bin/python scripts/pictures.py FOLDER   # not in docs/; and each in light and dark, wide and narrow, to look at
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import math
import queue
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [
    str(ROOT / "examples"),
    *(str(ROOT / "tests" / name) for name in ("chat", "chat_browser", "notebook")),
]

from chat.delay.__main__ import start_server  # noqa: E402
from chat.delay.chromium import launching  # noqa: E402
from chat.delay.jupyter import Lab, Sheet  # noqa: E402
from chat.terminal import ChatApp  # noqa: E402
from chat.terminal_room import ChatScreen  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from readings import readings  # noqa: E402
from terminal_rig import Terminal  # noqa: E402

from fastws.testing import ScriptedServer  # noqa: E402

Take = Callable[[str, Page], None]


class TerminalFace:
    """The chat in a terminal, on a thread of its own: playwright's calls hold this one."""

    def __init__(self, url: str, name: str) -> None:
        self.app = ChatApp(url, room="lobby", name=name)
        self._wishes: queue.Queue[tuple[Coroutine[Any, Any, Any], Future[Any]] | None] = queue.Queue()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self._thread.start()

    async def _live(self) -> None:
        async with self.app.run_test(size=(92, 26)) as pilot:
            self.terminal = Terminal(self.app, pilot)
            while (wish := await asyncio.to_thread(self._wishes.get)) is not None:
                wish[1].set_result(await wish[0])

    def do(self, what: Callable[[Terminal], Coroutine[Any, Any, Any]]) -> Any:
        """Do this in the terminal."""

        async def done() -> Any:
            await self.terminal.until(lambda: isinstance(self.app.screen, ChatScreen))
            return await what(self.terminal)

        answer: Future[Any] = Future()
        self._wishes.put((done(), answer))
        return answer.result(60)

    def close(self) -> None:
        """Leave the room."""
        self._wishes.put(None)
        self._thread.join()


def talk(browser: Browser, lab: Lab, url: str, folder: Path, every: bool) -> None:
    """Alan sits at the browser, Grace at the terminal, Ada has the notebook."""
    take = taking(folder, every)
    grace = TerminalFace(url, "Grace")
    alan = browser.new_page(viewport={"width": 820, "height": 600})
    alan.goto(url.replace("ws:", "http:").removesuffix("ws"))
    alan.fill("#name", "Alan")
    alan.click("#join button")
    notebook = lab.open(browser.new_page(viewport={"width": 820, "height": 1180}), "chat.ipynb")
    notebook.alone()
    notebook.run(1)
    widget = notebook.output(1).locator(".chat")
    widget.locator("text=3 here").first.wait_for()

    def write(face: Any, text: str) -> None:
        face.locator(".chat textarea, textarea").first.fill(text)
        face.locator("textarea").first.press("Enter")
        grace.do(lambda terminal: terminal.sees(text[-12:]))

    write(alan, "Was the server gone just now?")
    write(widget, "I killed it, twice \U0001f389")
    write(widget, "You should have seen a countdown.")
    write(alan, "I did. What about the message I wrote meanwhile?")
    grace.do(lambda terminal: terminal.say("It is here."))
    alan.wait_for_selector("text=It is here.")
    write(widget, "Once, and in its place.")
    alan.wait_for_selector("text=its place.")
    notebook.show(0)

    def grace_types() -> None:
        for page in (alan, notebook.page):
            grace.do(lambda terminal: terminal.pilot.press("x"))
            page.wait_for_selector("text=Grace is typing")

    grace_types()
    take("chat-browser", alan)
    grace_types()
    take("chat-notebook", notebook.page)
    grace.do(lambda terminal: terminal.pilot.press("ctrl+u"))
    alan.type("textarea", "so")
    grace.do(lambda terminal: terminal.sees("Alan is typing"))
    for dark, columns in ((True, 92), (False, 92), (False, 40), (True, 40)) if every else ((True, 92),):
        variant = f"-{'dark' if dark else 'light'}-{columns}"
        draw_terminal(browser, grace, dark, columns, folder / f"chat-terminal{variant * every}.png")
    grace.close()
    notebook.close()
    alan.close()


def draw_terminal(browser: Browser, face: TerminalFace, dark: bool, columns: int, file: Path) -> None:
    """What the terminal shows, drawn by the browser."""

    async def drawing(terminal: Terminal) -> str:
        await terminal.pilot.resize_terminal(columns, 26)
        if face.app.current_theme.dark != dark:
            await terminal.pilot.press("f3")
        await terminal.sees("Alan is typing")
        return face.app.export_screenshot(title="")

    picture = face.do(drawing)
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)
    assert found is not None
    width, height = (round(float(size) * 0.8) for size in found.groups())
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(f'<body style="margin:0">{picture.replace("<svg ", "<svg width=100% ", 1)}</body>')
    page.screenshot(path=file)
    page.close()


def run_notebooks(browser: Browser, lab: Lab, take: Take) -> None:
    """The quickstart, up to the cell that would close it, and the live plot."""
    for name, cells, seconds in (("quickstart", (1, 3, 5, 6), 12), ("live_plot", range(7), 0)):
        notebook = lab.open(browser.new_page(viewport={"width": 820, "height": 1100}), f"{name}.ipynb")
        notebook.alone()
        for cell in cells:
            notebook.run(cell)
        notebook.page.wait_for_timeout(1000 * seconds)  # for the card's lines
        notebook.show(2 if name == "live_plot" else 0)
        take(f"notebook-{name.replace('_', '-')}", notebook.page)
        notebook.close()


def send_unevenly(server: ScriptedServer) -> None:
    """Messages, at times more and at times fewer, until the second connection ends; the first ends after 25 s."""
    began = time.monotonic()
    for number in (1, 2):
        conn = server.wait_open(number, 60)
        with contextlib.suppress(Exception):  # it has ended
            while number == 2 or time.monotonic() < began + 25:
                at = time.monotonic() - began
                conn.send_json({"type": "trade", "price": 100 + at})
                time.sleep(0.02 + 0.015 * math.sin(at / 3))
            conn.close(1012, "service restart")


def follow(browser: Browser, lab: Lab, folder: Path) -> None:
    """The card of a client whose server sends more and less, and goes away once."""
    with ScriptedServer() as server:
        lab.write(
            "card.ipynb",
            "from fastws import WebSocketClient\n\n"
            f'url = "{server.url}prices?token=secret"\n'
            'ws = WebSocketClient(url, name="prices")\nws.keep("trade", 500)',
        )
        notebook = lab.open(browser.new_page(viewport={"width": 720, "height": 560}), "card.ipynb")
        notebook.alone()
        notebook.run(0)
        sending = threading.Thread(target=send_unevenly, args=(server,), daemon=True)
        sending.start()
        server.wait_open(2, 60)
        notebook.page.wait_for_timeout(15_000)
        notebook.show(0)
        shots = []
        for theme in ("Light", "Dark"):
            notebook.theme(f"JupyterLab {theme}")
            notebook.page.wait_for_timeout(300)  # until its styles are there
            cell = notebook.page.locator(".jp-Notebook .jp-Cell").first.bounding_box()
            card = notebook.output(0).locator(".fastws-card").bounding_box()
            assert cell is not None and card is not None
            height = card["y"] + card["height"] + 8 - cell["y"]
            shots.append(notebook.page.screenshot(clip={**cell, "height": height}))
        notebook.close()
        sending.join()
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(shot).decode()}">' for shot in shots)
    page = browser.new_page(viewport={"width": 720, "height": 400})
    page.set_content(f'<body style="margin:0"><div style="display:inline-grid">{images}</div></body>')
    page.locator("div").screenshot(path=folder / "card.png")
    page.close()


def take_one(folder: Path, name: str, page: Page) -> None:
    """As it is."""
    page.screenshot(path=folder / f"{name}.png")


def take_every(folder: Path, name: str, page: Page) -> None:
    """In light and dark, wide and narrow."""
    before = page.viewport_size
    assert before is not None
    for dark in (False, True):
        page.emulate_media(color_scheme="dark" if dark else "light")
        if page.evaluate("() => 'jupyterapp' in window"):
            Sheet(page).theme(f"JupyterLab {'Dark' if dark else 'Light'}")
        for width in (before["width"], 400):
            page.set_viewport_size({"width": width, "height": before["height"]})
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"{name}-{'dark' if dark else 'light'}-{width}.png")
    page.set_viewport_size(before)


def taking(folder: Path, every: bool) -> Take:
    """How a picture of a page is taken."""
    return functools.partial(take_every if every else take_one, folder)


def main() -> None:
    """Start the servers, JupyterLab and the browser, and take the pictures."""
    every = len(sys.argv) > 1
    folder = Path(sys.argv[1]) if every else ROOT / "docs"
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory())
        url = start_server(stack, Path(place) / "history.sqlite3")
        feed = stack.enter_context(readings())
        lab = Lab(place, FASTWS_URL=feed, FASTWS_CHAT_URL=url)
        stack.callback(lab.end)
        browser = stack.enter_context(sync_playwright()).chromium.launch(**launching())
        stack.callback(browser.close)
        talk(browser, lab, url, folder, every)
        run_notebooks(browser, lab, taking(folder, every))
        follow(browser, lab, folder)


if __name__ == "__main__":
    main()
