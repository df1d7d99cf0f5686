"""What every file of the project keeps to, as functions over a tree: each returns the violations it finds."""

import ast
import re
from pathlib import Path

MAXIMUM_LINES = 400
FOLDERS = ("cpp", "python", "tests", "benchmarks", "examples", "scripts", ".ci")
SUFFIXES = (".c", ".cpp", ".hpp", ".py", ".pyi", ".sh", ".map", ".js", ".css")
NAMES_THAT_SAY_NOTHING = {"util", "utils", "common", "helper", "helpers", "misc"}

# Each word with one letter in brackets, so that this file does not hold what it looks for.
LEFT_OVER = re.compile(
    r"\b([T]ODO|[F]IXME|[X]XX|[H]ACK)\b"
    r"|\bpytest\.(mark\.)?([s]kip|[s]kipif|[x]fail|[i]mportorskip)\b"
    r"|\b[G]TEST_SKIP\b|\b[D]ISABLED_"
    r"|(?<![\w.])/([w]ork|[r]oot|[h]ome)/"
)


def violations(root: Path) -> list[str]:
    """All violations of a tree, as `path: what is wrong`."""
    found = []
    for path in _walk(root):
        name = path.relative_to(root).as_posix()
        words = set(re.split(r"[_\-.]+", path.stem.lower()))
        if words & NAMES_THAT_SAY_NOTHING:
            found.append(f"{name}: a name that does not say what is inside")
        if path.is_dir() or not _is_source(path):
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if len(lines) > MAXIMUM_LINES:
            found.append(f"{name}: {len(lines)} lines, more than {MAXIMUM_LINES}: split it by meaning")
        if not _begins_with_what_it_is(path, text):
            found.append(f"{name}: does not begin with what it is")
        for number, line in enumerate(lines, 1):
            if match := LEFT_OVER.search(line):
                found.append(f"{name}:{number}: {match.group()!r} has no place in a finished file")
    return found


def _walk(root: Path) -> list[Path]:
    hidden = re.compile(r"__pycache__|\..*_cache|.*\.egg-info")
    paths = [
        path for folder in FOLDERS for path in [root / folder, *(root / folder).rglob("*")] if path.exists()
    ]
    return sorted(
        path for path in paths if not any(hidden.fullmatch(part) for part in path.relative_to(root).parts)
    )


def _is_source(path: Path) -> bool:
    if path.suffix in SUFFIXES or path.name == "CMakeLists.txt":
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:  # a script without a suffix
        return file.read(2) == b"#!"


def _begins_with_what_it_is(path: Path, text: str) -> bool:
    if path.suffix in (".py", ".pyi"):
        return bool(ast.get_docstring(ast.parse(text)))
    if path.suffix in (".c", ".cpp", ".hpp", ".js", ".css"):
        return re.match(r"// \S|/\*", text) is not None
    return re.match(r"(?:#!.*\n)?(?:# |/\* )\w", text) is not None
