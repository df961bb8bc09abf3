"""A scan's findings, put into the fields of its report."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import UTC, datetime

import numpy as np

from bezoar.canvas import Canvas
from bezoar.detection import quick
from bezoar.detection.default import FELLOWS, WITNESSES
from bezoar.detection.detectors import TABLE
from bezoar.detection.findings import Against, Findings, decided
from bezoar.detection.truth import highest
from bezoar.pairs import Pairs, UnreadablePair
from bezoar.report.copies_section import CopiesSection, CopyCluster
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
# Of the eight largest clusters of copies four pictures each are shown, small.
CLUSTERS, STRIP, STRIP_SIDE = 8, 4, 44
_SAYS = {row.name: row.summary for row in (*TABLE, *WITNESSES)}
_SAYS[FELLOWS] = "How many of the pairs with like captions are suspected by the others as well."
_UNSEEN = (
    "Planted pairs whose trigger bends or filters the whole picture, or whose caption is true and which share no fixed "
    "pattern, may pass unseen; fewer than twenty of a kind are ranked and seldom flagged, single pictures in part.",
    "Of a campaign that the model did not learn, only what its captions say wrongly can be seen.",
)


def scan_report(
    findings: Findings, against: Against | None, run: Run, pairs: Pairs | None, canaries: tuple[str, ...] = ()
) -> str:
    """Return report.html for a scan; `pairs` are the pictures of the gallery, None where there were none.

    `canaries` are sentences about what was planted to see whether it is found.
    """
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
            visible=(*_visible(findings), *canaries),
            unseen=quick.UNSEEN if findings.quick else _UNSEEN,
            warnings=findings.notes,
            silent=tuple(f"{name} {reason}" for name, reason in findings.testimony.silent.items()),
            problems=_problems(findings),
            truth=None if against is None else _truth(findings, against),
            share=against.share if against is not None else 0.02,
            pairs_known=pairs is not None,
            findings=Counter(name for name in findings.names if name is not None),
            copies=_copies(findings, pairs),
            decided=decided(findings.calibrated),
            mirrored=findings.quick,
        )
    )


def _model(findings: Findings) -> str:
    if findings.quick:
        return "none: a quick look at pictures and words"
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
                finding=findings.names[row],
            )
        )
    return tuple(items)


def _copies(findings: Findings, pairs: Pairs | None) -> CopiesSection | None:
    if findings.copies is None:
        return None
    stored, usable = findings.pairs, findings.usable
    alike = [one for one in findings.copies.clusters if one.kind != "one-caption"]
    worded = findings.copies.of_kind("one-caption")
    shown = []
    for one in alike[:CLUSTERS]:
        positions = [int(usable[row]) for row in one.members[:STRIP]]
        images = [] if pairs is None else [_picture(pairs, position, STRIP_SIDE) for position in positions]
        shown.append(
            CopyCluster(
                kind=one.kind,
                size=len(one.members),
                captions=one.captions,
                flagged=int(findings.calibrated.flagged[one.members].sum()),
                caption=stored.captions[usable[one.caption]],
                key=stored.keys[positions[0]],
                images=tuple(image for image in images if image is not None),
            )
        )
    return CopiesSection(
        number=len(alike),
        pairs=sum(len(one.members) for one in alike),
        shown=tuple(shown),
        boilerplate=len(worded),
        commonest=len(worded[0].members) if worded else 0,
    )


def _picture(pairs: Pairs, position: int, side: int = SIDE) -> bytes | None:
    try:
        return thumbnail(pairs.pixels(position, Canvas(side)), side)
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
