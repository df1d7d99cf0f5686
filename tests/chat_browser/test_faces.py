"""A terminal and a browser in one room: what one person does in the one is seen by the other in the other."""

import asyncio

from chat.delay.chromium import launching
from chat.terminal import ChatApp
from chat.terminal_room import ChatScreen
from chat_rig import HURRY
from playwright.async_api import async_playwright
from terminal_rig import Terminal, run_apart


async def both(server, room, scene):
    """Run scene(terminal, page): Ada sits at the terminal, Bob at the browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launching())
        page = await browser.new_page()
        app = ChatApp(server.url, room=room, name="Ada")
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            ada = Terminal(app, pilot)
            await ada.until(lambda: isinstance(app.screen, ChatScreen))
            await page.goto(f"{server.page}?room={room}")
            await page.fill("#name", "Bob")
            await page.click("#join button")
            await ada.sees("2 here")
            await scene(ada, page)
        await browser.close()


def test_a_terminal_and_a_browser_talk(server, room):
    async def scene(ada, page):
        await ada.write("hello")
        await page.wait_for_selector(".chat-typing >> text=Ada is typing")
        await ada.pilot.press("enter")
        await page.wait_for_selector(".chat-line >> text=hello")
        await page.wait_for_selector(".chat-typing >> text=Ada is typing", state="detached")
        await page.type("textarea", "hi there")
        await ada.sees("Bob is typing")
        await page.press("textarea", "Enter")
        await ada.sees("hi there")
        await ada.misses("Bob is typing")
        await page.type("textarea", "and then")
        await ada.sees("Bob is typing")
        await page.close()
        await ada.misses("Bob is typing")
        await ada.sees("1 here")

    run_apart(both(server, room, scene))


def test_both_come_back_from_a_server_that_was_killed(serve, room):
    server = serve()

    async def scene(ada, page):
        await ada.say("before")
        await page.wait_for_selector(".chat-line >> text=before")
        await asyncio.to_thread(server.kill)
        await ada.sees("No connection")
        await page.wait_for_selector(".chat-banner >> text=No connection")
        await ada.say("from the terminal")
        await page.fill("textarea", "from the browser")
        await page.press("textarea", "Enter")
        await page.wait_for_selector(".chat-line.sending")
        await ada.sees("from the terminal  ◌ sending")
        await asyncio.to_thread(server.start)
        await page.eval_on_selector(".chat-banner button", HURRY)
        await ada.pilot.press("f4")
        await ada.sees("from the browser")
        await ada.sees("from the terminal  ✓")
        await page.wait_for_selector(".chat-line:not(.own) >> text=from the terminal")
        await page.wait_for_selector(".chat-line.own.sent >> text=from the browser")
        texts = await page.eval_on_selector_all(".chat-text", "all => all.map(e => e.textContent)")
        assert sorted(texts) == ["before", "from the browser", "from the terminal"]

    run_apart(both(server, room, scene))
