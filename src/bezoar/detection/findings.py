"""What a scan found, as tables and numbers: a row a pair, a summary, and the comparison with the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from bezoar.detection import quick
from bezoar.detection.calibration import Calibrated
from bezoar.detection.copies import Copies, Kind
from bezoar.detection.default import Testimony
from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence
from bezoar.detection.naming import FINDINGS, Finding, name_findings
from bezoar.detection.reference import visible_rate
from bezoar.detection.robust import robust_z
from bezoar.detection.truth import Judged, judge
from bezoar.detection.witnesses import view_drop
from bezoar.embeddings import Embeddings
from bezoar.pairs import Pairs

KINDS: tuple[Kind, ...] = ("near-copies", "one-picture", "one-caption")
LARGEST_CLUSTERS = 20


@dataclass(frozen=True)
class Listing:
    """All n pairs of a scan by name, read or not: what Embeddings or Pairs say of them."""

    keys: list[str]
    captions: list[str]
    shards: list[str]
    rows: list[int]
    reasons: list[str | None]
    model: str | None
    canvas: int | None

    @staticmethod
    def of_vectors(stored: Embeddings) -> Listing:
        """Return what lies beside the vectors."""
        names = (stored.keys, stored.captions, stored.shards, stored.rows, stored.reasons)
        return Listing(*names, model=stored.model, canvas=stored.canvas)

    @staticmethod
    def of_pairs(pairs: Pairs, reasons: list[str | None], canvas: int) -> Listing:
        """Return the same of pairs that no model has seen; `reasons` are those that decoding found."""
        captions = [" / ".join(own) for own in pairs.captions]
        return Listing(pairs.keys, captions, pairs.shards, pairs.rows.tolist(), reasons, None, canvas)

    @property
    def usable(self) -> NDArray[np.int64]:
        """Positions of the pairs that can be scored, ascending."""
        return np.flatnonzero([reason is None for reason in self.reasons])


@dataclass(frozen=True)
class Findings:
    """A scan of n readable pairs out of all.

    `pairs` describes all of them, `usable` (n,) are the positions of those that were scored; `testimony`, `extra`
    (further detectors by name), `calibrated` and `copies` (None where there were no pictures) have a row for each of
    these. `notes` are sentences for the reader; `quick` says that no model was asked.
    """

    pairs: Listing
    usable: NDArray[np.int64]
    evidence: Evidence
    testimony: Testimony
    extra: dict[str, Scores]
    calibrated: Calibrated
    fdr: float
    notes: tuple[str, ...]
    copies: Copies | None = None
    quick: bool = False

    @cached_property
    def names(self) -> list[Finding | None]:
        """What each pair is named, (n,), by whichever witnesses can tell."""
        evidence, signs, misfit = self.evidence, dict(self.testimony.z), None
        if evidence.similarity is not None or (evidence.image is not None and evidence.text is not None):
            misfit = robust_z(-evidence.fit)
            drop = None
            if evidence.view_similarity is not None:
                drop = robust_z(view_drop(evidence.fit, evidence.view_similarity))
            signs |= {} if drop is None else {"view-drop": drop}
        copied = None if self.copies is None else self.copies.copied
        return name_findings(self.calibrated.flagged, copied, misfit, signs)

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


# What scores.parquet has beside a column a witness and a detector.
SCAN_COLUMNS = (
    *("key", "shard", "row", "alone", "score", "p_value", "suspicion"),
    *("flagged", "group", "finding", "duplicate_of", "reason"),
)


def write_scores(findings: Findings, file: Any) -> None:
    """Write scores.parquet: a row for every pair, scored or not, in the order of the set."""
    pairs, total = findings.pairs, len(findings.pairs.keys)

    def spread(values: NDArray[Any] | list[Any], kind: pa.DataType | None = None) -> pa.Array:
        column = np.empty(total, object)
        column[findings.usable] = list(values) if isinstance(values, list) else values.tolist()
        return pa.array(column.tolist(), kind)

    columns = {name: spread(scores) for name, scores in findings.columns.items()}
    table = pa.table(
        {
            "key": pairs.keys,
            "shard": pairs.shards,
            "row": pairs.rows,
            **columns,
            "alone": spread(findings.testimony.alone),
            "score": spread(findings.testimony.score),
            "p_value": spread(findings.calibrated.p_value),
            "suspicion": spread(findings.calibrated.suspicion),
            "flagged": spread(findings.calibrated.flagged),
            "group": spread(_numbered(findings.calibrated), pa.int64()),
            "finding": spread(list(findings.names), pa.string()),
            "duplicate_of": spread(_firsts(findings), pa.string()),
            "reason": pa.array(pairs.reasons, pa.string()),
        }
    )
    parquet.write_table(table, file)


def _firsts(findings: Findings) -> list[str | None]:
    """Return, of each scored pair, the key of the first one with its picture, or None."""
    if findings.copies is None:
        return [None] * len(findings.usable)
    keys, usable = findings.pairs.keys, findings.usable
    return [keys[usable[first]] if first >= 0 else None for first in findings.copies.duplicate_of]


def summary_of(findings: Findings, against: Against | None) -> dict[str, Any]:
    """Return the headline as plain values: the design's summary.json."""
    flagged = int(findings.calibrated.flagged.sum())
    summary: dict[str, Any] = {
        "pairs": len(findings.pairs.keys),
        "read": len(findings.usable),
        "unreadable": len(findings.pairs.keys) - len(findings.usable),
        "flagged": flagged,
        "decided": decided(findings.calibrated),
        "groups": _groups_of(findings),
        "findings": {name: Counter(findings.names)[name] for name in FINDINGS},
        "copies": _copies_of(findings),
        "quick": findings.quick,
        "witnesses": list(findings.testimony.spoke),
        "silent": findings.testimony.silent,
        "model": findings.pairs.model,
        "canvas": findings.pairs.canvas,
        "visible_rates": {"density": findings.visible_rate},
        "threshold": findings.calibrated.threshold,
        "fdr": findings.fdr,
        "expected_false": findings.fdr * flagged,
        "notes": [*(quick.UNSEEN if findings.quick else ()), *findings.notes],
    }
    if against is not None:
        summary |= {
            "planted": int(against.planted.sum()),
            "dropped_share": against.default.dropped / len(findings.pairs.keys),
            **_figures(against.default),
            "detectors": {name: _figures(judged) for name, judged in against.detectors.items()},
        }
    return summary


def decided(calibrated: Calibrated) -> str:
    """Return in words how pairs were flagged."""
    sizes = np.bincount(calibrated.group[calibrated.group >= 0])
    alone = int(calibrated.alone.sum())
    said = [f"{alone:,} alone"] if alone else []
    if len(sizes):
        together = " and ".join(f"{size:,}" for size in sizes)
        said.append(f"{together} in {'a group' if len(sizes) == 1 else 'groups'} of like captions")
    return ", ".join(said) or "none alone, none in a group of like captions"


def _numbered(calibrated: Calibrated) -> list[int | None]:
    return [None if number < 0 else number for number in calibrated.group.tolist()]


def _groups_of(findings: Findings) -> list[dict[str, Any]]:
    """Return each group's size, and the key and caption of its most suspicious pair."""
    rows = []
    for number in range(int(findings.calibrated.group.max(initial=-1)) + 1):
        members = np.flatnonzero(findings.calibrated.group == number)
        first = findings.usable[members[np.argmax(findings.testimony.score[members])]]
        pairs = findings.pairs
        rows.append({"size": len(members), "key": pairs.keys[first], "caption": pairs.captions[first]})
    return rows


def _copies_of(findings: Findings) -> dict[str, Any] | None:
    """Return clusters and pairs of each kind, and the largest clusters that share a picture; None: not looked for."""
    copies, pairs, usable = findings.copies, findings.pairs, findings.usable
    if copies is None:
        return None
    counts: dict[str, Any] = {}
    for kind in KINDS:
        clusters = copies.of_kind(kind)
        counts[kind] = {"clusters": len(clusters), "pairs": sum(len(one.members) for one in clusters)}
    largest = [one for one in copies.clusters if one.kind != "one-caption"][:LARGEST_CLUSTERS]
    return {
        **counts,
        "largest": [
            {
                "kind": one.kind,
                "size": len(one.members),
                "captions": one.captions,
                "caption": pairs.captions[usable[one.caption]],
                "key": pairs.keys[usable[one.members[0]]],
                "flagged": int(findings.calibrated.flagged[one.members].sum()),
            }
            for one in largest
        ],
    }


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
