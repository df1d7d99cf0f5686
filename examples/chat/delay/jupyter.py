"""A real JupyterLab as a process, and its notebooks in a page: opened, run by its own commands, and looked at.

Knows JupyterLab's command line, commands and elements, nothing of fastws. Promises: the loopback only; nothing of the user's
own settings; every wait is bounded; its kernels end with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page

EXAMPLES = Path(__file__).resolve().parents[2]
STARTING = 90.0  # seconds: generous on a loaded machine
WAIT = 30.0

# No question and no request to anybody outside, whatever the version's defaults are.
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}

RUN = """
  const { content } = jupyterapp.shell.currentWidget;
  content.activeCellIndex = number;
  content.deselectAll();
  const ran = jupyterapp.commands.execute("notebook:run-cell");
"""


class Lab:
    """JupyterLab over a folder that holds copies of the example notebooks. `variables`: what its kernels find."""

    def __init__(self, folder: str | Path, **variables: str) -> None:
        self.folder = Path(folder)
        shutil.copytree(EXAMPLES / "notebooks", self.folder / "examples" / "notebooks")
        (self.folder / "examples" / "chat").symlink_to(EXAMPLES / "chat")
        for name, values in SETTINGS.items():
            settings = self.folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            settings.parent.mkdir(parents=True, exist_ok=True)
            settings.write_text(json.dumps(values))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._token = secrets.token_hex(16)
        self._log = self.folder / "lab.log"
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self._port}", "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.folder / 'examples'}", f"--IdentityProvider.token={self._token}",
            f"--LabApp.user_settings_dir={self.folder / 'settings'}", f"--LabApp.workspaces_dir={self.folder / 'workspaces'}",
            "--LabApp.extension_manager=readonly",
        ]  # fmt: skip
        folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        environment = {**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1", **variables}
        environment.update({name: str(self.folder / name.lower()) for name in folders})
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(self._url("api/status"), timeout=5):
                return
            time.sleep(0.05)
        self.end()
        raise AssertionError(self._log.read_text())

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/{path}?token={self._token}"

    def write(self, name: str, *cells: str) -> str:
        """A notebook of these code cells; its name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, self.folder / "examples" / "notebooks" / name)
        return name

    def open(self, page: Page, name: str) -> Sheet:
        """A notebook in a page, its kernel ready."""
        page.set_default_timeout(1000 * WAIT)
        page.goto(f"{self._url(f'lab/tree/notebooks/{name}')}&reset")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        page.evaluate("() => jupyterapp.restored")
        page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )
        return Sheet(page)

    def end(self) -> None:
        """End it and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Sheet:
    """A notebook that is open in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def run_all(self) -> None:
        """Run all its cells to the end."""
        assert self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")

    def run(self, cell: int) -> None:
        """Run one cell (0 = the first) to its end."""
        assert self.page.evaluate(f"async number => {{ {RUN} return await ran; }}", cell)

    def begin(self, cell: int) -> None:
        """Run one cell, and do not wait for its end."""
        self.page.evaluate(f"number => {{ {RUN} }}", cell)

    def output(self, cell: int) -> Locator:
        """Where the page shows what a cell gave."""
        return (
            self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")
            .nth(cell)
            .locator(".jp-OutputArea")
        )

    def errors(self) -> list[str]:
        """What the page shows as a cell's error, or as written to its stderr."""
        kinds = ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr")
        shown = self.page.locator(
            ", ".join(f'.jp-OutputArea-output[data-mime-type="{kind}"]' for kind in kinds)
        )
        return shown.all_inner_texts()

    def value(self, expression: str) -> str:
        """An expression's repr, in the kernel and beside the cells."""
        return self.page.evaluate(
            """async code => {
              const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
              const future = kernel.requestExecute({ code: "", silent: true, user_expressions: { it: code } });
              const { it } = (await future.done).content.user_expressions;
              if (it.status !== "ok") throw new Error(`${it.ename}: ${it.evalue}`);
              return it.data["text/plain"];
            }""",
            expression,
        )

    def comms(self) -> int:
        """How many comms the kernel has open."""
        return self.page.evaluate(
            """async () => {
              const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
              return Object.keys((await kernel.requestCommInfo({})).content.comms).length;
            }"""
        )

    def theme(self, name: str) -> None:
        """Light or dark: "JupyterLab Light", "JupyterLab Dark"."""
        self.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        light = "true" if name.endswith("Light") else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def alone(self) -> None:
        """Only the notebook: no side bars."""
        self.page.evaluate(
            """async () => {
              jupyterapp.shell.collapseLeft();
              jupyterapp.shell.collapseRight();
              if (jupyterapp.shell.mode !== "single-document") jupyterapp.shell.mode = "single-document";
            }"""
        )

    def show(self, cell: int) -> None:
        """Bring a cell to the top, none of them chosen."""
        self.page.evaluate(
            """async number => {
              const { content } = jupyterapp.shell.currentWidget;
              content.deselectAll();
              content.activeCellIndex = number;
              content.mode = "command";
              await content.scrollToItem(number, "start");
            }""",
            cell,
        )

    def close(self) -> None:
        """End its kernel, and close the page."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()
