"""What a scan found, as tables and numbers: a row a pair, a summary, and the comparison with the truth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from bezoar.detection.calibration import Calibrated
from bezoar.detection.default import Testimony
from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence
from bezoar.detection.reference import visible_rate
from bezoar.detection.truth import Judged, judge
from bezoar.embeddings import Embeddings


@dataclass(frozen=True)
class Findings:
    """A scan of n readable pairs out of all.

    `pairs` describes all of them, `usable` (n,) are the positions of those that were scored; `testimony`, `extra`
    (further detectors by name) and `calibrated` have a row for each of these. `notes` are sentences for the reader.
    """

    pairs: Embeddings
    usable: NDArray[np.int64]
    evidence: Evidence
    testimony: Testimony
    extra: dict[str, Scores]
    calibrated: Calibrated
    fdr: float
    notes: tuple[str, ...]

    @property
    def columns(self) -> dict[str, Scores]:
        """Every detector's raw score, (n,): the witnesses of the default first."""
        return {**self.testimony.raw, **self.extra}

    @property
    def visible_rate(self) -> float | None:
        """The largest share of one campaign that density can see; None where it did not speak."""
        if "density" not in self.testimony.spoke:
            return None
        k, sample = self.evidence.reference
        return visible_rate(k, len(sample))


@dataclass(frozen=True)
class Against:
    """The scan judged by a plan: the planted among the scored pairs (n,), and each detector, default first."""

    planted: NDArray[np.bool_]
    share: float
    default: Judged
    detectors: dict[str, Judged]


def against_truth(findings: Findings, planted_keys: Collection[str], share: float) -> Against:
    """Judge the default and every detector by the keys that were planted, dropping `share` of the pairs."""
    planted = np.array([findings.pairs.keys[position] in planted_keys for position in findings.usable])
    judged = {name: judge(scores, planted, share) for name, scores in findings.columns.items()}
    return Against(planted, share, judge(findings.testimony.score, planted, share), judged)


def write_scores(findings: Findings, file: Any) -> None:
    """Write scores.parquet: a row for every pair, scored or not, in the order of the set."""
    pairs, total = findings.pairs, len(findings.pairs.keys)

    def spread(values: NDArray[Any]) -> pa.Array:
        column = np.empty(total, object)
        column[findings.usable] = values.tolist()
        return pa.array(column.tolist())

    columns = {name: spread(scores) for name, scores in findings.columns.items()}
    table = pa.table(
        {
            "key": pairs.keys,
            "shard": pairs.shards,
            "row": pairs.rows,
            **columns,
            "score": spread(findings.testimony.score),
            "p_value": spread(findings.calibrated.p_value),
            "suspicion": spread(findings.calibrated.suspicion),
            "flagged": spread(findings.calibrated.flagged),
            "reason": pa.array(pairs.reasons, pa.string()),
        }
    )
    parquet.write_table(table, file)


def summary_of(findings: Findings, against: Against | None) -> dict[str, Any]:
    """Return the headline as plain values: the design's summary.json."""
    flagged = int(findings.calibrated.flagged.sum())
    summary: dict[str, Any] = {
        "pairs": len(findings.pairs.keys),
        "read": len(findings.usable),
        "unreadable": len(findings.pairs.keys) - len(findings.usable),
        "flagged": flagged,
        "witnesses": list(findings.testimony.spoke),
        "silent": findings.testimony.silent,
        "model": findings.pairs.model,
        "canvas": findings.pairs.canvas,
        "visible_rates": {"density": findings.visible_rate},
        "threshold": findings.calibrated.threshold,
        "fdr": findings.fdr,
        "expected_false": findings.fdr * flagged,
        "notes": list(findings.notes),
    }
    if against is not None:
        summary |= {
            "planted": int(against.planted.sum()),
            "dropped_share": against.default.dropped / len(findings.pairs.keys),
            **_figures(against.default),
            "detectors": {name: _figures(judged) for name, judged in against.detectors.items()},
        }
    return summary


def _figures(judged: Judged) -> dict[str, float]:
    return {
        "auroc": judged.auroc,
        "average_precision": judged.average_precision,
        "recall_at_drop": judged.recall_at_drop,
        "clean_lost": judged.clean_lost,
        "fpr_at_95_tpr": judged.fpr_at_95_tpr,
        "fpr_at_99_tpr": judged.fpr_at_99_tpr,
        "fpr_at_100_tpr": judged.fpr_at_100_tpr,
    }
