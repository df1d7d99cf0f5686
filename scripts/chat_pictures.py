"""Takes the pictures of the chat in docs/ from the running programs: one conversation, in the terminal and in the browser.

make test-chat                                # installs Chromium and what drives it
.venv/bin/python scripts/chat_pictures.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "tests" / "chat"), str(ROOT / "tests" / "chat_browser")]

from chat.session import Session  # noqa: E402
from chat.terminal import ChatApp  # noqa: E402
from chat.terminal_room import ChatScreen  # noqa: E402
from chromium_program import launching  # noqa: E402
from playwright.async_api import async_playwright  # noqa: E402
from terminal_rig import Terminal  # noqa: E402


async def talk(url: str, page_url: str, folder: Path) -> None:
    """Ada sits at the terminal, Grace at the browser, Alan has a session without a face."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launching())
        context = await browser.new_context(viewport={"width": 820, "height": 600}, color_scheme="light")
        page = await context.new_page()
        alan = Session(url, room="lobby", name="Alan")
        app = ChatApp(url, room="lobby", name="Ada")
        async with app.run_test(size=(92, 25)) as pilot:
            ada = Terminal(app, pilot)
            await ada.until(lambda: isinstance(app.screen, ChatScreen))
            await page.goto(page_url)
            await page.fill("#name", "Grace")
            await page.click("#join button")
            await ada.sees("3 here")

            async def grace(text: str) -> None:
                await page.fill("textarea", text)
                await page.press("textarea", "Enter")
                await ada.sees(text[-20:])

            await grace("Was the server gone just now?")
            await ada.paste("I killed it, twice \U0001f389")
            await ada.pilot.press("enter")
            await page.wait_for_selector("text=twice")
            await ada.say("You should have seen a countdown.")
            await page.wait_for_selector("text=countdown")
            await grace("I did. What about the message I wrote meanwhile?")
            alan.say("It is here.")
            await ada.sees("It is here.")
            await page.wait_for_selector("text=It is here.")
            await ada.say("Once, and in its place.")
            await page.wait_for_selector("text=its place.")
            alan.typing(True)
            await ada.sees("Alan is typing")
            await page.wait_for_selector("text=Alan is typing")
            await page.wait_for_timeout(150)
            await page.screenshot(path=folder / "chat-browser.png")
            picture = app.export_screenshot(title="")
        alan.close()
        found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)
        assert found is not None
        width, height = (float(size) * 0.8 for size in found.groups())
        await page.set_viewport_size({"width": round(width), "height": round(height)})
        await page.goto("about:blank")
        await page.set_content(
            f'<body style="margin:0">{picture.replace("<svg ", "<svg width=100% ", 1)}</body>'
        )
        await page.screenshot(path=folder / "chat-terminal.png", omit_background=True)
        await browser.close()


def main() -> None:
    """Start a server and take the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "chat.server", "--port", "0", "--data", f"{data}/chat.sqlite3"]
        server = subprocess.Popen(command, cwd=ROOT / "examples", stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            page = server.stdout.readline().split()[1]
            asyncio.run(talk(page.replace("http:", "ws:") + "ws", page, folder))
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
