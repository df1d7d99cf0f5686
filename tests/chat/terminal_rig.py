"""A terminal for tests: a Textual program in a screen of a given size, keys, and what stands on the screen."""

import asyncio
import html
import re
import time
from concurrent.futures import ThreadPoolExecutor

from chat_rig import WAIT
from textual import events


class Terminal:
    """A program that runs in a terminal of this size, and the keys one presses."""

    def __init__(self, app, pilot):
        self.app = app
        self.pilot = pilot

    @property
    def screen(self):
        """All that stands on the screen, line by line."""
        rows = {}
        for y, text in re.findall(
            r'<text [^>]*? y="([\d.]+)"[^>]*>([^<]*)</text>', self.app.export_screenshot(title="")
        ):
            rows.setdefault(float(y), []).append(html.unescape(text).replace("\xa0", " "))
        return "\n".join("".join(rows[y]) for y in sorted(rows))

    async def until(self, condition):
        deadline = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < deadline, self.screen
            await self.pilot.pause(0.02)

    async def sees(self, text):
        await self.until(lambda: text in self.screen)

    async def misses(self, text):
        await self.until(lambda: text not in self.screen)

    async def write(self, text):
        keys = {" ": "space", "\n": "ctrl+j"}
        await self.pilot.press(*(keys.get(one, one) for one in text))

    async def say(self, text):
        await self.write(text)
        await self.pilot.press("enter")

    async def paste(self, text):
        self.app.screen.query_one("#composer").post_message(events.Paste(text))
        await self.pilot.pause()


def run_apart(coroutine):
    """Run it on a thread of its own, so that a loop which runs on this one already is no obstacle."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
