"""The extension module exports its init function and nothing else, and stands beside other users of OpenSSL."""

import subprocess
import sys

import pytest

from fastws import _core


def exported(binary):
    """The names a shared object defines for others."""
    table = subprocess.run(
        ["nm", "-D", "--defined-only", binary], check=True, capture_output=True, text=True
    ).stdout
    return [line.split()[-1] for line in table.splitlines()]


def test_only_the_init_function_leaves_the_module():
    assert exported(_core.__file__) == ["PyInit__core"]


@pytest.mark.parametrize("order", ["import fastws, ssl", "import ssl, fastws"])
def test_imports_beside_the_ssl_module_without_a_word(order):
    code = f"{order}; ssl.create_default_context()"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
