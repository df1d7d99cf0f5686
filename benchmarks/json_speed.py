"""What reading and writing JSON costs: fastws beside orjson, msgspec and the standard library, in one run.

    python benchmarks/json_speed.py [--rounds 15] [--seconds 0.05]

Reading is split as fastws splits it: the native thread parses to a tape without the GIL, the consumer's thread builds
objects with it. So "GIL" is the time in which no other Python code can run, "CPU" all the work of both threads; for the
peers, which parse with the GIL, they are the same. Every contender is called from the same native loop, on the same texts,
in turns; the clock is the CPU time of the thread, so other work on the machine disturbs little. Objects live until a
batch of 64 KiB is through, as messages of one slice do, and are freed while the clock stands.

Not counted for fastws: the UTF-8 check, which is the frame's (see docs/benchmarks.md for what it costs).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import json_texts
import msgspec
import orjson

from fastws import _core

BATCH_BYTES = 64 << 10


def batches_of(shape: str) -> list[list[dict[str, Any]]]:
    """A few different batches of a shape."""
    size = len(json_texts.text_of(json_texts.make(shape, 1)[0]))
    per_batch = max(1, BATCH_BYTES // size)
    objects = json_texts.make(shape, per_batch * 4)
    return [objects[start : start + per_batch] for start in range(0, len(objects), per_batch)]


def per_call(
    time_batch: Callable[[int], Sequence[float]], batches: int, calls: int, seconds: float
) -> list[float]:
    """Nanoseconds a call, one figure for each that time_batch gives, over at least `seconds`."""
    sums, done = [0.0], 0
    while sum(sums) < seconds:
        for index in range(batches):
            found = time_batch(index)
            sums = [a + b for a, b in zip(sums if done else [0.0] * len(found), found, strict=True)]
            done += calls
    return [one / done * 1e9 for one in sums]


def read_contenders(batches: list[list[dict[str, Any]]]) -> dict[str, Callable[[int], Sequence[float]]]:
    """How each reads batch number i: seconds, for fastws (parsing, building)."""
    texts = [[json_texts.text_of(one) for one in batch] for batch in batches]
    strings = [[one.decode() for one in batch] for batch in texts]
    decode = msgspec.json.Decoder().decode
    for one in texts[0]:
        assert _core.loads(one) == json.loads(one) and _core.parsed_natively(one)
    return {
        "fastws": lambda i: _core.time_reading(texts[i]),
        "orjson": lambda i: [_core.time_calls(orjson.loads, texts[i])],
        "msgspec": lambda i: [_core.time_calls(decode, texts[i])],
        "json": lambda i: [_core.time_calls(json.loads, strings[i])],
    }


def write_contenders(batches: list[list[dict[str, Any]]]) -> dict[str, Callable[[int], Sequence[float]]]:
    """How each writes batch number i: seconds.

    The objects are made anew before each batch, as a sender makes them: a str with characters outside ASCII keeps its UTF-8
    once somebody asked for it, and who writes it again only copies that.
    """
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    assert _core.dumps(batches[0][0]) == encode(batches[0][0])
    texts = [[json_texts.text_of(one) for one in batch] for batch in batches]

    def fresh(index: int) -> list[Any]:
        return [json.loads(text) for text in texts[index]]

    functions = {"orjson": orjson.dumps, "msgspec": msgspec.json.Encoder().encode, "json": encode}
    peers = {
        name: lambda i, function=function: [_core.time_calls(function, fresh(i))]
        for name, function in functions.items()
    }
    return {"fastws": lambda i: [_core.time_writing(fresh(i))], **peers}


def shown(values: list[float]) -> str:
    """Median and range, in the unit that reads best."""
    unit, factor = ("ns", 1) if statistics.median(values) < 10_000 else ("µs", 1000)
    return f"{statistics.median(values) / factor:,.0f} ({min(values) / factor:,.0f} - {max(values) / factor:,.0f}) {unit}"


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios: what disturbs a round disturbs both."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def measure(
    contenders: dict[str, Callable[[int], Sequence[float]]], batches: int, calls: int, arguments: Any
) -> Any:
    """name -> rounds of figures, taken in turns."""
    rounds: dict[str, list[list[float]]] = {name: [] for name in contenders}
    for number in range(arguments.rounds + 1):
        for name, time_batch in contenders.items():
            figures = per_call(time_batch, batches, calls, arguments.seconds)
            if number:  # the first round warms caches
                rounds[name].append(figures)
    return rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.05, help="CPU time per contender and round")
    parser.add_argument("--shapes", nargs="*", default=list(json_texts.SHAPES), help="only these")
    arguments = parser.parse_args()
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("fastws", "orjson", "msgspec")
    )
    print(f"Python {platform.python_version()}, {versions}; {arguments.rounds} rounds")

    print(
        "\n| reading | bytes | fastws GIL | fastws CPU | orjson | msgspec | json | GIL / orjson | CPU / orjson |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for shape in arguments.shapes:
        batches = batches_of(shape)
        size = len(json_texts.text_of(batches[0][0]))
        rounds = measure(read_contenders(batches), len(batches), len(batches[0]), arguments)
        gil = [build for _, build in rounds["fastws"]]
        cpu = [read + build for read, build in rounds["fastws"]]
        peers = {name: [one[0] for one in figures] for name, figures in rounds.items()}
        print(
            f"| {shape} | {size:,} | {shown(gil)} | {shown(cpu)} | {shown(peers['orjson'])} | {shown(peers['msgspec'])} "
            f"| {shown(peers['json'])} | {ratio(gil, peers['orjson']):.2f} | {ratio(cpu, peers['orjson']):.2f} |",
            flush=True,
        )

    print("\n| writing | fastws | orjson | msgspec | json | fastws / orjson |")
    print("|---|---|---|---|---|---|")
    for shape in arguments.shapes:
        batches = batches_of(shape)
        rounds = measure(write_contenders(batches), len(batches), len(batches[0]), arguments)
        times = {name: [one[0] for one in figures] for name, figures in rounds.items()}
        cells = " | ".join(shown(times[name]) for name in ("fastws", "orjson", "msgspec", "json"))
        print(f"| {shape} | {cells} | {ratio(times['fastws'], times['orjson']):.2f} |", flush=True)

    texts = [json_texts.text_of(one) for one in json_texts.make("trade tick", 256)]
    scans, reads = [], []
    for _ in range(arguments.rounds):
        scans.append(_core.time_scanning(texts, ["type"], 20) / (20 * len(texts)) * 1e9)
        reads.append(sum(_core.time_reading(texts)) / len(texts) * 1e9)
    print(
        f"\nscanning a trade tick for its route: {shown(scans)}; parsing and building it: {shown(reads)};",
        end=" ",
    )
    print(f"1 / {1 / ratio(scans, reads):.1f}")


if __name__ == "__main__":
    main()
