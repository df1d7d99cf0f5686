"""The example notebooks as people meet them: opened in a real JupyterLab in a real Chromium, all cells run from there."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect


@pytest.fixture
def done(sheet):
    """An example notebook all of whose cells ran."""

    def run(name):
        one = sheet(f"{name}.ipynb")
        one.run_all()
        return one

    return run


def test_the_quickstart(done):
    quickstart = done("quickstart")
    card = quickstart.output(1).locator(".fastws-card")
    expect(card).to_contain_text("closed WebSocketClient 'quickstart'")  # its last cell did that
    expect(quickstart.output(5)).to_contain_text(re.compile(r"\[\d+, \d+, \d+\]"))
    expect(quickstart.output(8)).to_contain_text("'closed'")


def test_the_live_plot(done):
    plot = done("live_plot")
    for cell in (4, 6):
        picture = plot.output(cell).locator("img")
        expect(picture).to_have_count(1)
        assert picture.evaluate("image => image.naturalWidth") > 300


def test_the_chat(done):
    chat = done("chat")
    expect(chat.output(3)).to_contain_text("'Ada: Hello from a notebook.'")
    expect(chat.output(1).locator(".chat")).to_have_count(0)  # its last cell closed it


def test_a_notebook_made_a_page_shows_the_card_as_it_was(sheet, lab, chromium):
    """nbconvert: no kernel and no front end; what was stored is all there is."""
    one = sheet("stored.ipynb", cells=["from fastws import WebSocketClient",
                "WebSocketClient('ws://127.0.0.1:9/', autoconnect=False, name='stored')"])  # fmt: skip
    one.run_all()
    one.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    folder = lab.folder / "examples" / "notebooks"
    for kind in ("html", "script"):
        command = [sys.executable, "-m", "nbconvert", "--to", kind, "stored.ipynb"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    page = chromium.new_page()
    page.route("**", lambda route: route.abort())  # what nbconvert's own template would load from elsewhere
    page.set_content((folder / "stored.html").read_text(), wait_until="domcontentloaded")
    expect(page.locator(".fastws-card")).to_contain_text("idle WebSocketClient 'stored' ws://127.0.0.1:9/")
    assert "<WebSocketClient 'stored' ws://127.0.0.1:9/ idle>" in (folder / "stored.ipynb").read_text()
    page.close()
