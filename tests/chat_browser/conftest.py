"""The system's own Chromium, without a window, beside the chat's servers and people."""

import pytest
from chat_fixtures import person, room, serve, server, stack, talker
from chromium_program import launching
from playwright.sync_api import sync_playwright

__all__ = ["person", "room", "serve", "server", "stack", "talker"]


@pytest.fixture(scope="session")
def chromium():
    """The browser; one for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launching())
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium, server, room):
    """Open tabs: tab(name, ...) is a page in the room; each has storage of its own, as another person's browser has.

    The test fails when a page raised an error, or broke its own Content-Security-Policy.
    """
    contexts, errors = [], []

    def open_tab(name=None, url=None, size=(1000, 640), **options):
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{url or server.page}?room={room}")
        if name is not None:
            page.fill("#name", name)
            page.click("#join button")
            page.wait_for_selector(".chat[data-link=online]")
        return page

    open_tab.errors = errors
    yield open_tab
    for context in contexts:
        context.close()
    assert errors == []
