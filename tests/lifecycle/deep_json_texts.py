"""JSON texts of many levels, by name: what the depth tests send and their program reads."""

import json

# Within the reader's own limit, at it, above it, at Python's, far above any.
LEVELS = (10, 400, 500, 501, 999, 1000, 1001, 5000, 9000, 100_000)
SHAPES = {"arrays": ("[", "]"), "objects": ('{"a":', "}"), "mixed": ('[{"a":', "}]")}


def texts():
    for levels in LEVELS:
        for name, (opening, closing) in SHAPES.items():
            count = levels // 2 if name == "mixed" else levels
            inside = "" if name == "arrays" else "1"
            yield f"{levels} {name}", opening * count + inside + closing * count
            yield f"{levels} {name} unclosed", opening * count
    yield "brackets in strings", json.dumps(["[" * 50_000, float("nan")])
    yield "escaped quotes", json.dumps(['"[[' * 5_000, float("nan")])
    yield "wide", "[" + "[]," * 50_000 + "NaN]"
