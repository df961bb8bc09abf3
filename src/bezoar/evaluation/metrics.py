"""metrics.json: the rows that were measured and the verdicts, as they are written, read back and told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bezoar.evaluation.carries import RULE
from bezoar.evaluation.measure import Beside, Measure
from bezoar.evaluation.table import table_of
from bezoar.run import Answer, Run, write_json

METRICS_FILE = "metrics.json"


def write_metrics(run: Run, rows: Sequence[Measure], verdicts: Sequence[str] = ()) -> None:
    """Write the rows and verdicts of a run."""
    write_json(run.path / METRICS_FILE, {"rows": [asdict(row) for row in rows], "verdicts": list(verdicts)})


def read_rows(rows: Sequence[dict[str, object]]) -> list[Measure]:
    """Return rows as measures again."""
    return [Measure(**{**row, "beside": row["beside"] and Beside(**row["beside"])}) for row in rows]  # type: ignore[arg-type]


def metrics_answer(run: Run) -> Answer:
    """Return what a finished run of evaluate has measured."""
    path = run.path / METRICS_FILE
    metrics = json.loads(path.read_text(encoding="utf-8"))
    verdicts, left_out = metrics["verdicts"], run.get("left_out", {})
    why = "no label, no caption, or a broken picture"
    lost = [f"Left out  {number:,} of {name}: {why}" for name, number in left_out.items()]
    told = [*verdicts, *([RULE, ""] if verdicts else []), *table_of(read_rows(metrics["rows"]))]
    return Answer(
        summary={**metrics, "left_out": left_out, "metrics": str(path)},
        lines=[*told, *lost, *run.get("notes", []), f"Metrics   {path}"],
        file=str(path),
    )
