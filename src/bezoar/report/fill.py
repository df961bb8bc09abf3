"""A scan's findings, put into the fields of its report."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import UTC, datetime

import numpy as np

from bezoar.canvas import Canvas
from bezoar.detection.default import WITNESSES
from bezoar.detection.detectors import TABLE
from bezoar.detection.findings import Against, Findings
from bezoar.detection.truth import highest
from bezoar.pairs import Pairs, UnreadablePair
from bezoar.report.numbers import percent
from bezoar.report.scan_page import (
    DetectorRow,
    GalleryItem,
    Problem,
    Provenance,
    ScanPage,
    Truth,
    Witness,
    render,
)
from bezoar.report.thumbnail import SIDE, thumbnail
from bezoar.run import Run

GALLERY = 100
_SAYS = {row.name: row.summary for row in (*TABLE, *WITNESSES)}
_UNSEEN = (
    "Planted pairs whose trigger tints or bends the whole picture, whose caption is true, or which share no fixed "
    "pattern and survive other views may pass unseen.",
    "Of a campaign that the model did not learn, only what its captions say wrongly can be seen.",
)


def scan_report(findings: Findings, against: Against | None, run: Run, pairs: Pairs | None) -> str:
    """Return report.html for a scan; `pairs` are the pictures of the gallery, None where there were none."""
    stored = findings.pairs
    return render(
        ScanPage(
            name=pairs.path.name if pairs is not None else run.path.name,
            run=str(run.path),
            pairs=len(stored.keys),
            shards=len(set(stored.shards)),
            model=_model(findings),
            canvas=f"{stored.canvas} × {stored.canvas} pixels" if stored.canvas else "unknown: vectors were given",
            suspicion=findings.calibrated.suspicion,
            flagged=findings.calibrated.flagged,
            fdr=findings.fdr,
            witnesses=tuple(
                Witness(name, _SAYS[name], _settings(findings, name), findings.testimony.z[name])
                for name in findings.testimony.spoke
            ),
            gallery=_gallery(findings, against, pairs),
            provenance=_provenance(run),
            visible=_visible(findings),
            unseen=_UNSEEN,
            warnings=findings.notes,
            silent=tuple(f"{name} {reason}" for name, reason in findings.testimony.silent.items()),
            problems=_problems(findings),
            truth=None if against is None else _truth(findings, against),
            share=against.share if against is not None else 0.02,
            pairs_known=pairs is not None,
        )
    )


def _model(findings: Findings) -> str:
    return findings.pairs.model or "unknown: vectors were given"


def _settings(findings: Findings, name: str) -> str:
    if name == "density":
        k, sample = findings.evidence.reference
        return f"k = {k} of {len(sample):,} references, {findings.evidence.purged_count} purged"
    views = findings.evidence.view_similarity
    return f"{views.shape[1]} views" if name.startswith("view") and views is not None else ""


def _visible(findings: Findings) -> tuple[str, ...]:
    rate = findings.visible_rate
    if rate is None:
        return ()
    n = len(findings.evidence)
    return (
        f"Density can see a campaign of up to {percent(rate)} of the pairs, about {round(rate * n):,}; a larger one "
        "fills its own neighbourhood and looks ordinary.",
    )


def _gallery(findings: Findings, against: Against | None, pairs: Pairs | None) -> tuple[GalleryItem, ...]:
    order = np.argsort(-findings.testimony.score, kind="stable")[:GALLERY]
    stored, calibrated = findings.pairs, findings.calibrated
    items = []
    for row in order:
        position = int(findings.usable[row])
        items.append(
            GalleryItem(
                key=stored.keys[position],
                shard=stored.shards[position],
                row=stored.rows[position],
                image=None if pairs is None else _picture(pairs, position),
                caption=stored.captions[position],
                suspicion=float(calibrated.suspicion[row]),
                p_value=float(calibrated.p_value[row]),
                flagged=bool(calibrated.flagged[row]),
                planted=None if against is None else bool(against.planted[row]),
                parts={name: float(z[row]) for name, z in findings.testimony.z.items()},
            )
        )
    return tuple(items)


def _picture(pairs: Pairs, position: int) -> bytes | None:
    try:
        return thumbnail(pairs.pixels(position, Canvas(SIDE)))
    except UnreadablePair:
        return None


def _problems(findings: Findings) -> tuple[Problem, ...]:
    stored = findings.pairs
    counts = Counter(reason for reason in stored.reasons if reason is not None)
    return tuple(
        Problem(reason, number, f"{stored.shards[first]} {stored.keys[first]}")
        for reason, number in counts.most_common()
        for first in [stored.reasons.index(reason)]
    )


def _truth(findings: Findings, against: Against) -> Truth:
    rows = [("default", against.default, findings.testimony.score)]
    rows += [(name, judged, findings.columns[name]) for name, judged in against.detectors.items()]
    return Truth(
        planted=against.planted,
        dropped=against.default.dropped,
        detectors=tuple(
            DetectorRow(
                name,
                judged.auroc,
                judged.average_precision,
                int(against.planted[highest(scores, against.share)].sum()),
                scores,
            )
            for name, judged, scores in rows
        ),
    )


def _provenance(run: Run) -> Provenance:
    machine = run.get("machine")
    memory = f", {machine['memory_gb']:.0f} GB" if machine.get("memory_gb") else ""
    return Provenance(
        command=shlex.join(run.get("argv")),
        version=run.get("version"),
        seed=run.get("seed"),
        finished=datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC"),
        machine=f"{machine['cpu']}, {machine['cores']} cores{memory}",
        seconds={name: value for name, value in run.get("seconds").items() if name != "total"},
        inputs=run.get("inputs"),
    )
