"""Where the figures of the studies are kept: one JSON file a study, a row a set and seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bezoar.run.machine import describe, threads

PUBLISHED = Path("docs/studies")


def keep(study: str, name: str, row: dict[str, Any], trials: Path) -> None:
    """Write one row. Seeds below 100 are for choosing: their rows stay in the folder `trials`."""
    seed = int(name.rsplit("-", 1)[1])
    path = PUBLISHED / f"{study}.json" if seed >= 100 else trials / "trials.json"
    rows = json.loads(path.read_text()) if path.is_file() else {}
    machine = describe()
    rows[name] = {**row, "machine": f"{machine['cpu']}, {machine['cores']} cores, {threads()} threads"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
    print(name, json.dumps({key: value for key, value in row.items() if isinstance(value, float)}), flush=True)


def seconds_of(folder: Path) -> float:
    """Return the seconds of all runs below a folder, interrupted or not."""
    records = [json.loads(path.read_text()) for path in folder.rglob("run.json")]
    return round(sum(record["seconds"]["total"] for record in records), 1)
