"""metrics.json is read back as it was written, and told with what was left out."""

import json

from bezoar.evaluation.measure import Beside, Measure
from bezoar.evaluation.metrics import METRICS_FILE, metrics_answer, read_rows, write_metrics
from bezoar.run import Run

ROWS = [
    Measure("zero-shot-top1", 0.5, 10, 0.2, 0.8, "queries: 10", beside=Beside(0.6, 0.3, 0.9)),
    Measure("asr", 1.0, 9, 0.7, 1.0, "queries: 9", "g"),
    Measure("old-new-cosine-image", 0.25, 9, -0.5, 0.7, "queries: 9", unit="cosine"),
]


def test_rows_come_back_as_they_were_and_are_told_with_notes(tmp_path):
    run = Run.start(tmp_path, "evaluate", parameters={}, inputs={}, seed=0)
    run.note("left_out", {"images": 3})
    run.note("notes", ["Not tested."])
    write_metrics(run, ROWS, ["carries"])
    assert read_rows(json.loads((tmp_path / METRICS_FILE).read_text())["rows"]) == ROWS
    answer = metrics_answer(run)
    assert answer.summary["verdicts"] == ["carries"]
    assert answer.lines[0] == "carries"
    assert "Left out  3 of images: no label, no caption, or a broken picture" in answer.lines
    assert "Not tested." in answer.lines
    assert any("0.25 [-0.50, 0.70]" in line for line in answer.lines)
