"""The script that makes the Autobahn test suite's environment finds a CPython 2.7, or says that there is none and fails."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make-autobahn"
BASH = shutil.which("bash")

# Every one of them runs as a Python would that is asked for its version; it is all that the script asks before it builds.
ANSWERS = '#!/bin/sh\n[ "$1" = -V ] && echo "Python {0}" || echo {0}\n'
SHIM = "#!/bin/sh\necho 'python2.7: command not found' >&2\nexit 127\n"


def program(path, text):
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def make(tmp_path):
    """make(**environment): run the script in an empty folder; gives its exit code and what it said. Nothing is built there."""

    (tmp_path / "bin").mkdir()
    for name in ("cat", "mkdir", "rm"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))

    def run(**environment):
        given = {
            "PATH": str(tmp_path / "bin"),  # and no Python of this machine
            "HOME": str(tmp_path / "home"),
            **{key: str(value) for key, value in environment.items()},
        }
        done = subprocess.run(
            [BASH, SCRIPT], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_without_any_2_7_it_says_what_is_missing_and_fails(make):
    code, said = make()
    assert code == 1
    assert "runs on CPython 2.7 only, and none runs here" in said
    assert "PYTHON2=" in said


def test_a_shim_and_another_version_are_no_2_7(make, tmp_path):
    program(tmp_path / "bin" / "python2.7", SHIM)
    program(tmp_path / "bin" / "python2", ANSWERS.format("2.6"))
    code, said = make()
    assert code == 1 and "none runs here" in said


@pytest.mark.parametrize(
    ("place", "environment"),
    [
        ("bin/python2.7", {}),
        ("bin/python2", {}),
        ("home/.pyenv/versions/2.7.18/bin/python2.7", {}),
        ("pyenv/versions/2.7.17/bin/python2.7", {"PYENV_ROOT": "pyenv"}),
        ("elsewhere/py", {"PYTHON2": "elsewhere/py"}),
    ],
)
def test_where_it_looks(make, tmp_path, place, environment):
    found = program(tmp_path / place, ANSWERS.format("2.7"))
    there = {key: tmp_path / value for key, value in environment.items()}
    code, said = make(**there)
    assert f"({found})" in said
    assert code == 1  # there is no .venv here to build with


def test_the_one_that_is_named_is_the_only_one(make, tmp_path):
    program(tmp_path / "bin" / "python2.7", ANSWERS.format("2.7"))
    named = program(tmp_path / "py", ANSWERS.format("3.11"))
    code, said = make(PYTHON2=named)
    assert code == 1 and f"tried: {named})" in said
