"""Every file says what it is, is short, has a telling name and no left-overs; and each check can fail."""

from pathlib import Path

import file_rules
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_files_of_the_project_keep_the_rules():
    assert file_rules.violations(ROOT) == []


def test_the_walk_sees_the_files_of_every_folder():
    seen = {path.relative_to(ROOT).parts[0] for path in file_rules._walk(ROOT) if path.is_file()}
    assert {"cpp", "python", "tests", "scripts", ".ci"} <= seen


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("cpp/engine/long.cpp", "// Long.\n" + "int x;\n" * 400, "401 lines, more than 400"),
        ("cpp/engine/silent.hpp", "#pragma once\n", "does not begin with what it is"),
        ("python/fastws/silent.py", "import os\n", "does not begin with what it is"),
        ("python/fastws/silent.pyi", "x: int\n", "does not begin with what it is"),
        ("examples/silent.js", "let x;\n", "does not begin with what it is"),
        ("scripts/silent", "#!/bin/sh\nexit 0\n", "does not begin with what it is"),
        ("cpp/engine/utils.hpp", "// Things.\n", "a name that does not say what is inside"),
        ("cpp/common/text.hpp", "// Things.\n", "cpp/common: a name that does not say what is inside"),
        ("tests/unit/test_helpers.py", '"""Things."""\n', "a name that does not say what is inside"),
        ("python/fastws/_misc.py", '"""Things."""\n', "a name that does not say what is inside"),
        ("cpp/engine/a.cpp", "// A.\n// TO" + "DO: more\n", "cpp/engine/a.cpp:2: "),
        (
            "tests/unit/test_a.py",
            '"""A."""\nmark = pytest.mark.sk' + "ipif(True)\n",
            "has no place in a finished file",
        ),
        ("tests/cpp/a_test.cpp", "// A.\nGTEST_SK" + "IP();\n", "has no place in a finished file"),
        ("examples/a.py", '"""A."""\nopen("/ro' + 'ot/x")\n', "has no place in a finished file"),
    ],
)
def test_a_file_that_breaks_a_rule_is_reported(tmp_path, path, text, says):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    found = file_rules.violations(tmp_path)
    assert any(says in violation for violation in found), found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cpp/engine/fine.cpp", "// Fine.\n" + "int x;\n" * 399),
        ("python/fastws/fine.py", '"""Fine, even with a path like https://example.org/home/page."""\n'),
        ("scripts/fine", "#!/usr/bin/env bash\n# Fine.\n"),
        ("tests/__pycache__/utils.py", "x = 1\n"),
        ("examples/picture.svg", "<svg/>\n"),
    ],
)
def test_a_file_that_keeps_the_rules_is_not(tmp_path, path, text):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert file_rules.violations(tmp_path) == []
