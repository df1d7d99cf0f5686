"""Ten million hard numbers against Python's float(), int() and repr(): `make numbers`. Exits 1 when one differs.

Usage: run_numbers.py [--texts N] [--seed TEXT]. The same seed makes the same numbers.
"""

import argparse
import itertools
import random
import sys
import time

from hard_numbers import CLASSES, NumberClass, mismatches

BATCH = 1000


def run(kind: NumberClass, count: int, seed: str) -> tuple[list[str], float]:
    """The texts of a class that differ, and the seconds that the class took."""
    texts = itertools.islice(kind.texts(random.Random(f"{seed} {kind.name}")), count)
    begin = time.perf_counter()
    wrong: list[str] = []
    while batch := list(itertools.islice(texts, BATCH)):
        wrong += mismatches(kind, batch)
    return wrong, time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000_000, help="how many in all")
    parser.add_argument("--seed", default="fastws")
    options = parser.parse_args()
    print(f"{'class':<20} {'texts':>10} {'seconds':>8} {'mismatches':>10}")
    counts, seconds, faults = 0, 0.0, 0
    for kind in CLASSES:
        count = options.texts * kind.share // sum(one.share for one in CLASSES)
        wrong, took = run(kind, count, options.seed)
        print(f"{kind.name:<20} {count:>10,} {took:>8.1f} {len(wrong):>10,}", flush=True)
        for text in wrong[:5]:
            print(f"  differs: {text}")
        counts, seconds, faults = counts + count, seconds + took, faults + len(wrong)
    print(f"{'all':<20} {counts:>10,} {seconds:>8.1f} {faults:>10,}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
