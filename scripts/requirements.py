"""Print the requirements of pyproject.toml, one a line: `build` for [build-system] and what the package itself needs, any
other name for that extra.

So that building without isolation and testing use one list, the one that pyproject.toml holds.
"""

import sys

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib

with open("pyproject.toml", "rb") as file:
    settings = tomllib.load(file)

for group in sys.argv[1:]:
    project = settings["project"]
    own = settings["build-system"]["requires"] + project["dependencies"]
    groups = {"build": own, **project["optional-dependencies"]}
    wanted = groups[group]
    print("\n".join(wanted))
