"""The C sources of this folder as shared libraries that a program loads before others."""

import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent


def compiled(folder, name, *flags):
    """The library of `name`.c, made in this folder."""
    library = folder / f"{name}.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library]
    subprocess.run([*command, HERE / f"{name}.c", *flags], check=True, timeout=60)
    return library
