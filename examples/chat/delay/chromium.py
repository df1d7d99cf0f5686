"""How the system's Chromium is started for tests: without a window, and without a word to anybody outside."""

import shutil

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launching():
    """The arguments of playwright's `launch`."""
    path = shutil.which("chromium")
    assert path, "there is no chromium: scripts/install-native browser"
    return {"executable_path": path, "args": FLAGS}
