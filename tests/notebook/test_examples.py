"""The example notebooks, executed against the demo's server by the tool that others execute notebooks with."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from kernels import environment, kernel_spec
from nbclient import NotebookClient
from readings import readings

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def feed():
    """The demo's server; its URL."""
    with readings() as url:
        yield url


@pytest.fixture
def chat(tmp_path):
    """The chat's server, with a history of its own; its URL."""
    command = [sys.executable, "-m", "chat.server", "--port", "0", "--data", str(tmp_path / "history")]
    with subprocess.Popen(command, cwd=ROOT / "examples", stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().removeprefix("listening ").split()[0]
        yield f"ws://{address.removeprefix('http://').rstrip('/')}/ws"
        process.terminate()


class Manager(AsyncKernelManager):
    """Starts this Python's kernel, whatever is installed."""

    kernel_spec = kernel_spec()


def execute(path, folder, *, old, **urls):
    """The notebook as it is after all its cells ran."""
    notebook = nbformat.read(path, as_version=4)
    beside = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, kernel_manager_class=Manager, resources=beside, timeout=60)
    asyncio.run(client.async_execute(env=environment(folder, old=old, **urls)))
    return notebook


def outputs(notebook, cell):
    (found,) = [one for one in notebook.cells if one.id == cell]
    return found.outputs


def test_they_are_found():
    assert [path.stem for path in NOTEBOOKS] == ["chat", "live_plot", "quickstart"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_stored_clean(path):
    stored = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(nbformat.from_dict(stored))
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("old", [False, True], ids=["7", "6.29"])
def test_the_quickstart(feed, tmp_path, old):
    done = execute(ROOT / "examples/notebooks/quickstart.ipynb", tmp_path, old=old, FASTWS_URL=feed)
    (card,) = [one for one in outputs(done, "connect") if one.output_type == "display_data"]
    assert "fastws-card" in card.data["text/html"]
    numbers = json.loads(outputs(done, "read")[-1].data["text/plain"])
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    seconds, count = json.loads(outputs(done, "now")[-1].data["text/plain"].translate({40: "[", 41: "]"}))
    assert 0 < seconds < 10 and count >= 3
    assert outputs(done, "close")[-1].data["text/plain"] == "'closed'"


@pytest.mark.parametrize("old", [False, True], ids=["7", "6.29"])
def test_the_live_plot(feed, tmp_path, old):
    done = execute(ROOT / "examples/notebooks/live_plot.ipynb", tmp_path, old=old, FASTWS_URL=feed)
    for cell in ("plot", "loop"):
        assert "image/png" in outputs(done, cell)[-1].data


@pytest.mark.parametrize("old", [False, True], ids=["7", "6.29"])
def test_the_chat(chat, tmp_path, old):
    done = execute(ROOT / "examples/notebooks/chat.ipynb", tmp_path, old=old, FASTWS_CHAT_URL=chat)
    assert "application/vnd.jupyter.widget-view+json" in outputs(done, "join")[-1].data
    assert outputs(done, "said")[-1].data["text/plain"] == "['Ada: Hello from a notebook.']"
