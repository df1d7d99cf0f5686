"""The system's own Chromium, without a window, beside the chat's servers and people."""

import pytest
from chat.delay.chromium import launching
from chat.delay.jupyter import Lab
from chat_fixtures import full_server, person, room, serve, server, stack, talker
from playwright.sync_api import sync_playwright
from readings import readings

__all__ = ["full_server", "person", "room", "serve", "server", "stack", "talker"]


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


@pytest.fixture(scope="session")
def lab(server, tmp_path_factory):
    """JupyterLab, whose kernels find the demo's server and the chat's."""
    with readings() as feed:
        lab = Lab(tmp_path_factory.mktemp("lab"), FASTWS_URL=feed, FASTWS_CHAT_URL=server.url)
        yield lab
        lab.end()


@pytest.fixture(scope="session")
def _lab_context(chromium):
    """One for all pages of JupyterLab: they load its code once."""
    context = chromium.new_context()
    yield context
    context.close()


@pytest.fixture
def sheet(_lab_context, lab):
    """Open a notebook in a page of its own: sheet(name), or sheet(cells=[...]) for a new one of these code cells. `script` runs
    in the page before anything else does.

    The test fails when a cell gave an error, or wrote to its stderr, or when code that is not JupyterLab's own raised one.
    """
    opened, errors = [], []

    def note(error):
        if "/static/lab/" not in (error.stack or ""):
            errors.append(str(error))

    def open_sheet(name="test.ipynb", *, cells=None, size=(1000, 1000), script=""):
        if cells is not None:
            lab.write(name, *cells)
        page = _lab_context.new_page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.on("pageerror", note)
        page.add_init_script(script)
        opened.append(lab.open(page, name))
        return opened[-1]

    yield open_sheet
    for one in opened:
        one.value("None")  # whatever was said before has come, too
        errors += one.errors()
        one.close()
    assert errors == []
