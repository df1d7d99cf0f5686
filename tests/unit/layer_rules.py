"""The walls between the folders, as functions over a source tree: each returns the violations it finds, as sentences.

cpp_violations() follows #include lines through the project's own headers, python_violations() follows import
statements through the package's own modules, so a wall cannot be passed through a third file either.
"""

import ast
import re
from pathlib import Path

# The folders under cpp/ ("" is cpp/ itself) and which others each may include directly.
ROOMS = {
    "": set(),
    "engine": {""},
    "net": {""},
    "json": {""},
    "policy": {""},
    "client": {"", "engine", "net", "json", "policy"},  # the only one that composes
    "python": {
        "",
        "client",
        "json",
        "net",
        "policy",
    },  # shows single parts of them to Python, composes nothing
}

# Who may reach a third-party header, directly or through headers of ours: folders, or single files without suffix.
OWNERS = {
    "Python": (r"Python\.h|pybind11/.*|datetime\.h|structmember\.h|frameobject\.h|cpython/.*", {"python"}),
    "websocketpp": (r"websocketpp/.*", {"engine"}),
    "zlib": (r"zlib\.h|zconf\.h", {"engine"}),
    "Asio": (r"asio\.hpp|asio/.*|boost/asio.*", {"net", "client/io_thread"}),
    "OpenSSL": (r"openssl/.*", {"net", "client/io_thread"}),
    "RapidJSON": (r"rapidjson/.*", {"json"}),
    "Dragonbox": (r"dragonbox/.*", {"json/decimal"}),
}

# Decisions take the time and the random numbers as arguments, and know nothing of threads and I/O.
NOT_IN_POLICY = re.compile(
    r"chrono|random|sys/random\.h|ctime|time\.h|sys/time\.h|thread|mutex|shared_mutex|atomic|condition_variable|future"
    r"|pthread\.h|iostream|fstream|unistd\.h|sys/.*|netdb\.h|poll\.h"
)

# The Python modules that own a use of the native core, and what for.
CORE_USERS = {
    "_face": "makes it, commands it, asks it what is so",
    "_sharing": "makes the options that its clients share",
    "_identity": "asks it for the URL and the state",
    "_refusals": "knows how it refuses a message",
    "_reading": "takes messages from it for recv() and iteration",
    "_delivery": "knows what it hands over, asks it whether an event is still to be told",
    "_dispatch": "waits in it for messages",
    "_async_client": "sends by it",
    "_async_dispatch": "looks into it for messages",
    "_async_ask": "asks it what it wants to know",
    "_loop": "is woken by it",
    "_ask": "gives it the answers of url and headers providers",
    "_trust": "asks it where the system keeps its certificate authorities",
    "_registry": "tells it about exit and fork",
}
# What a user could have written: only the public names of the package.
PUBLIC_ONLY = ("__main__",)
PURE_MODULES = (
    "_cells",
    "_card",
    "_options",
    "_events",
    "_errors",
    "_handlers",
    "_settings",
    "_overflow",
    "_idn",
    "_automatic",
)

_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def cpp_violations(root: Path) -> list[str]:
    """Every #include under root/cpp (and Python in root/tests/cpp) that passes a wall, with the way it takes."""
    cpp = root / "cpp"
    found = []
    for file in _cpp_files(cpp):
        room = _room(cpp, file)
        if room not in ROOMS:
            found.append(f"{_name(root, file)}: the folder cpp/{room} has no line in the table of rooms")
            continue
        for target, _ in _includes(cpp, file):
            if target is not None and _room(cpp, target) not in ROOMS[room] | {room}:
                found.append(
                    f"{_name(root, file)} includes {_name(root, target)}: not a room that {room or 'cpp'}/ may know"
                )
        for header, way in _reached_headers(cpp, file):
            path = " -> ".join(_name(root, step) for step in way) + f" -> <{header}>"
            for library, (pattern, owners) in OWNERS.items():
                if re.fullmatch(pattern, header) and not {room, _name(cpp, file.with_suffix(""))} & owners:
                    found.append(f"{path}: {library} belongs to {', '.join(sorted(owners))}")
            if room == "policy" and NOT_IN_POLICY.fullmatch(header):
                found.append(f"{path}: policy has no clock, randomness, threads or I/O")
    for file in _cpp_files(root / "tests" / "cpp"):
        for header, _ in _reached_headers(cpp, file):
            if re.fullmatch(OWNERS["Python"][0], header):
                found.append(f"{_name(root, file)} reaches <{header}>: the core's tests know no Python")
    return found


def python_violations(root: Path) -> list[str]:
    """Every import under root/python/fastws that passes a wall."""
    package = root / "python" / "fastws"
    modules = {file.stem: _imports(package, file) for file in sorted(package.glob("*.py"))}
    found = []
    for name, imported in modules.items():
        if any(_is_core(module) for module in imported) and name not in CORE_USERS:
            found.append(f"{name}.py imports _core: only {', '.join(CORE_USERS)} may")
    for name in PUBLIC_ONLY:
        for module in sorted(modules.get(name, ())):
            if module.startswith("fastws.") and module != "fastws.__init__":
                found.append(f"{name}.py imports {module}: it is written with the public API alone")
    for name in PURE_MODULES:
        for reached, way in _reached_modules(modules, name).items():
            if reached.split(".")[0] == "asyncio" or _is_core(reached):
                found.append(f"{' -> '.join(way)} -> {reached}: {name} must stay free of it")
    return found


def _is_core(module: str) -> bool:
    return module == "fastws._core" or module.startswith("fastws._core.")


def _cpp_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in (".cpp", ".hpp", ".h", ".cc", ".ipp"))


def _name(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _room(cpp: Path, file: Path) -> str:
    return "/".join(file.relative_to(cpp).parts[:-1])


def _includes(cpp: Path, file: Path) -> list[tuple[Path | None, str]]:
    """The (file of ours or None, name as written) of each #include: beside the file, else under cpp/."""
    result = []
    for name in _INCLUDE.findall(file.read_text(encoding="utf-8")):
        ours = [path for path in ((file.parent / name).resolve(), (cpp / name).resolve()) if path.is_file()]
        result.append((ours[0] if ours else None, name))
    return result


def _reached_headers(cpp: Path, file: Path) -> list[tuple[str, list[Path]]]:
    """Each header that is not ours and that the file reaches, with the files on the way, shortest way first."""
    cpp = cpp.resolve()
    headers: dict[str, list[Path]] = {}
    ways = [[file.resolve()]]
    seen = {file.resolve()}
    while ways:
        way = ways.pop(0)
        for target, name in _includes(cpp, way[-1]):
            if target is None:
                headers.setdefault(name, way)
            elif target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return list(headers.items())


def _imports(package: Path, file: Path) -> set[str]:
    """The absolute names of everything the module imports, also inside functions and for type checkers only."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(part for part in ("fastws" if node.level else "", node.module or "") if part)
            if base == "fastws":  # either a module of the package, or a name that its __init__ holds
                for alias in node.names:
                    is_module = alias.name == "_core" or (package / f"{alias.name}.py").is_file()
                    found.add(f"fastws.{alias.name}" if is_module else "fastws.__init__")
            else:
                found.add(base)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            found.update(
                "fastws._core" if argument.value.endswith("_core") else argument.value
                for argument in node.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )
    return {"fastws.__init__" if name == "fastws" else name for name in found}


def _reached_modules(modules: dict[str, set[str]], start: str) -> dict[str, list[str]]:
    """Everything that a module reaches through modules of ours, with the modules on the way."""
    reached: dict[str, list[str]] = {}
    ways = [[start]]
    while ways:
        way = ways.pop(0)
        for name in modules.get(way[-1], set()):
            if name not in reached:
                reached[name] = way
                if name.startswith("fastws."):
                    ways.append([*way, name.removeprefix("fastws.")])
    return reached
