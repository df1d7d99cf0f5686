"""Each folder keeps to its walls: over #include and import lines and the built test binary; and each check can fail."""

import os
import subprocess
from pathlib import Path

import layer_rules
import pytest

from fastws import _core

ROOT = Path(__file__).resolve().parents[2]

# A small tree that keeps every wall: what the tests below then break, one wall at a time.
HOUSE = {
    "cpp/error.hpp": "#include <string>",
    "cpp/engine/engine.hpp": '#include "../error.hpp"',
    "cpp/engine/engine.cpp": '#include "engine.hpp"\n#include "config.hpp"\n#include <zlib.h>',
    "cpp/engine/config.hpp": "#include <websocketpp/frame.hpp>",
    "cpp/net/stream.hpp": '#include "../error.hpp"',
    "cpp/net/stream.cpp": '#include "stream.hpp"\n#include <asio.hpp>\n#include <openssl/ssl.h>',
    "cpp/json/tape.hpp": "#include <vector>",
    "cpp/json/reader.cpp": '#include "tape.hpp"\n#include <rapidjson/reader.h>',
    "cpp/policy/lifecycle.hpp": '#include "../error.hpp"',
    "cpp/client/client.hpp": '#include "../policy/lifecycle.hpp"\n#include "../engine/engine.hpp"',
    "cpp/client/client.cpp": '#include "client.hpp"\n#include "../net/stream.hpp"\n#include "json/tape.hpp"',
    "cpp/client/io_thread.cpp": "#include <asio/io_context.hpp>\n#include <thread>",
    "cpp/python/module.cpp": '#include <Python.h>\n#include "../client/client.hpp"\n#include "../json/tape.hpp"',
    "tests/cpp/engine_test.cpp": "#include <gtest/gtest.h>\n#include <engine/config.hpp>",
    "python/fastws/__init__.py": "from ._face import ClientFace",
    "python/fastws/__main__.py": "import fastws\nfrom fastws import Backoff",
    "python/fastws/_face.py": "from fastws import _core\nfrom ._options import Backoff\nimport asyncio",
    "python/fastws/_options.py": "import dataclasses\nfrom ._errors import Error",
    "python/fastws/_errors.py": "import ssl",
    "python/fastws/_events.py": "",
    "python/fastws/_handlers.py": "from ._events import Event",
}


@pytest.fixture
def house(tmp_path):
    """Build the small tree with some files changed: house({path: text}) gives its root."""

    def build(changes=()):
        for path, text in {**HOUSE, **dict(changes)}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text + "\n", encoding="utf-8")
        return tmp_path

    return build


def test_the_sources_keep_the_walls_of_cpp():
    assert layer_rules.cpp_violations(ROOT) == []


def test_the_sources_keep_the_walls_of_python():
    assert layer_rules.python_violations(ROOT) == []


def test_everything_that_the_tables_name_exists():
    assert {room for room in layer_rules.ROOMS if not list((ROOT / "cpp" / room).glob("*.cpp"))} == set()
    package = ROOT / "python" / "fastws"
    assert {name for name in layer_rules.CORE_USERS if not (package / f"{name}.py").is_file()} == set()
    assert {name for name in layer_rules.PUBLIC_ONLY if not (package / f"{name}.py").is_file()} == set()
    assert {name for name in layer_rules.PURE_MODULES if not (package / f"{name}.py").is_file()} == set()


def test_a_house_in_order_has_no_violations(house):
    root = house()
    assert layer_rules.cpp_violations(root) == []
    assert layer_rules.python_violations(root) == []


@pytest.mark.parametrize(
    ("path", "line", "says"),
    [
        ("cpp/net/stream.cpp", '#include "../engine/engine.hpp"', "not a room that net/ may know"),
        ("cpp/engine/engine.hpp", '#include "json/tape.hpp"', "not a room that engine/ may know"),
        ("cpp/engine/engine.hpp", "#include <json/tape.hpp>", "not a room that engine/ may know"),
        ("cpp/json/tape.hpp", '#include "../policy/lifecycle.hpp"', "not a room that json/ may know"),
        ("cpp/policy/lifecycle.hpp", '#include "../net/stream.hpp"', "not a room that policy/ may know"),
        ("cpp/policy/lifecycle.hpp", '#include "../client/client.hpp"', "not a room that policy/ may know"),
        ("cpp/error.hpp", '#include "json/tape.hpp"', "not a room that cpp/ may know"),
        ("cpp/python/module.cpp", '#include "../engine/engine.hpp"', "not a room that python/ may know"),
        ("cpp/client/client.cpp", '#include "../python/build.hpp"', None),  # no such file: nothing is reached
        ("cpp/client/client.cpp", "#include <Python.h>", "Python belongs to python"),
        ("cpp/error.hpp", "  #  include <pybind11/gil.h>", "Python belongs to python"),
        ("cpp/net/stream.hpp", '#include "Python.h"', "Python belongs to python"),
        ("cpp/client/client.hpp", "#include <websocketpp/close.hpp>", "websocketpp belongs to engine"),
        ("cpp/json/reader.cpp", "#include <zlib.h>", "zlib belongs to engine"),
        ("cpp/client/client.cpp", "#include <asio/post.hpp>", "Asio belongs to client/io_thread, net"),
        ("cpp/engine/engine.cpp", "#include <openssl/rand.h>", "OpenSSL belongs to client/io_thread, net"),
        ("cpp/client/client.hpp", "#include <rapidjson/document.h>", "RapidJSON belongs to json"),
        ("cpp/json/writer.cpp", "#include <dragonbox/dragonbox.h>", "Dragonbox belongs to json/decimal"),
        ("cpp/engine/engine.hpp", '#include "config.hpp"', "cpp/client/client.hpp -> cpp/engine/engine.hpp"),
        (
            "cpp/json/tape.hpp",
            "#include <rapidjson/rapidjson.h>",
            "cpp/python/module.cpp -> cpp/json/tape.hpp",
        ),
        ("cpp/policy/lifecycle.hpp", "#include <chrono>", "policy has no clock"),
        ("cpp/policy/lifecycle.hpp", "#include <random>", "policy has no clock"),
        ("cpp/policy/lifecycle.hpp", "#include <thread>", "policy has no clock"),
        ("cpp/policy/lifecycle.hpp", "#include <mutex>", "policy has no clock"),
        ("cpp/policy/lifecycle.hpp", "#include <ctime>", "policy has no clock"),
        ("cpp/error.hpp", "#include <chrono>", "cpp/policy/lifecycle.hpp -> cpp/error.hpp -> <chrono>"),
        ("cpp/cache/cache.hpp", "", "no line in the table of rooms"),
        ("cpp/engine/impl/part.hpp", "", "no line in the table of rooms"),
        ("tests/cpp/engine_test.cpp", "#include <Python.h>", "the core's tests know no Python"),
    ],
)
def test_one_include_in_the_wrong_room_is_reported(house, path, line, says):
    found = layer_rules.cpp_violations(house({path: HOUSE.get(path, "") + "\n" + line}))
    assert any(says in violation for violation in found) if says else found == []


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("__init__", "from . import _core", "__init__.py imports _core"),
        ("testing", "import fastws._core", "testing.py imports _core"),
        ("cli", "from fastws._core import Core", "cli.py imports _core"),
        ("cli", "from fastws._core._policy import Lifecycle", "cli.py imports _core"),
        ("cli", "def later():\n    from ._core import Core", "cli.py imports _core"),
        ("cli", "import importlib\nimportlib.import_module('fastws._core')", "cli.py imports _core"),
        ("__main__", "from ._options import Backoff", "public API alone"),
        ("__main__", "import fastws._face", "public API alone"),
        ("_options", "from fastws import _core", "_options must stay free of it"),
        (
            "_events",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._core import Item",
            "_events must",
        ),
        ("_errors", "import asyncio.events", "_errors -> asyncio.events"),
        ("_handlers", "from asyncio import Queue", "_handlers -> asyncio"),
        ("_handlers", "from ._face import ClientFace", "_handlers -> _face -> fastws._core"),
        ("_events", "from fastws import WebSocketClient", "_events -> __init__ -> _face -> "),
        ("_events", "import fastws", "_events -> __init__ -> _face -> "),
    ],
)
def test_one_import_in_the_wrong_module_is_reported(house, module, line, says):
    path = f"python/fastws/{module}.py"
    found = layer_rules.python_violations(house({path: HOUSE.get(path, "") + "\n" + line}))
    assert any(says in violation for violation in found), found


def python_symbols(binary):
    """The symbols of the interpreter that a binary expects from outside."""
    command = ["nm", "-D", "--undefined-only", binary]
    table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [
        name for name in (line.split()[-1] for line in table.splitlines()) if name.startswith(("Py", "_Py"))
    ]


def needed_libraries(binary):
    """The shared libraries that a binary names."""
    table = subprocess.run(["readelf", "-d", binary], check=True, capture_output=True, text=True).stdout
    return [line.split("[")[-1].rstrip("]") for line in table.splitlines() if "(NEEDED)" in line]


def test_the_core_and_its_tests_link_without_python():
    binary = ROOT / os.environ.get("FASTWS_CORE_TESTS", "build/dev/fastws_core_tests")
    assert binary.is_file(), f"{binary} is not built: make core-tests"
    assert "libc.so.6" in needed_libraries(binary)
    assert [name for name in needed_libraries(binary) if "python" in name] == []
    assert python_symbols(binary) == []


def test_the_check_of_the_symbols_sees_python_in_the_extension():
    assert "PyBytes_AsString" in python_symbols(_core.__file__)
