"""`python -m benchmarks NAME ...` or `all`: one JSON object a line."""

from __future__ import annotations

import json
import sys

from bezoar.run import BezoarError, nearest

from . import detectors, plans, recipes, streaming, towers
from .measure import Benchmark

TABLE: tuple[Benchmark, ...] = (*detectors.ROWS, *streaming.ROWS, *towers.ROWS, *plans.ROWS, *recipes.ROWS)


def choose(names: list[str]) -> list[Benchmark]:
    """Return the rows of these names; `all` is every row."""
    rows = {row.name: row for row in TABLE}
    if names == ["all"]:
        return list(TABLE)
    for name in names:
        if name not in rows:
            raise BezoarError(f"There is no benchmark {name!r}.", nearest(name, list(rows)))
    if not names:
        raise BezoarError("Which benchmark?", f"Known: all, {', '.join(rows)}.")
    return [rows[name] for name in names]


def main(names: list[str]) -> int:
    """Run and print; return the exit code."""
    try:
        chosen = choose(names)
    except BezoarError as error:
        print(error, file=sys.stderr)
        return error.code
    for row in chosen:
        print(json.dumps(row.report()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
