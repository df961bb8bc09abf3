"""The report of a scan: what it is filled with, and the page.

* All arrays have one row for each pair that was read, in one order: `suspicion`, `flagged`, each witness's z,
  the truth. Pairs that could not be read appear in `problems` only.
* Sentences that depend on the scan (what it could and could not see) are passed in; the page adds no claim.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bezoar.report.charts import (
    Point,
    precision_recall_chart,
    roc_chart,
    suspicion_histogram,
    witness_histogram,
)
from bezoar.report.copies_section import CopiesSection
from bezoar.report.curves import sweep
from bezoar.report.numbers import count, plural, share
from bezoar.report.page import assembled

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
STYLES = ("tokens.css", "base.css", "report.css")
HIGH_Z = 4.0
_NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven"}


@dataclass(frozen=True)
class GalleryItem:
    """One of the most suspicious pairs; `image` is a WebP from `thumbnail`, or None without a picture.

    `parts` is what each witness said of it (robust z, NaN where silent), `planted` the truth or None, `finding` what
    the scan names it.
    """

    key: str
    shard: str
    row: int
    image: bytes | None
    caption: str
    suspicion: float
    p_value: float
    flagged: bool
    planted: bool | None
    parts: Mapping[str, float]
    finding: str | None = None


@dataclass(frozen=True)
class Witness:
    """One part of the default score: its name, what it looks at, its settings, and its robust z (n,)."""

    name: str
    says: str
    settings: str
    z: Floats


@dataclass(frozen=True)
class DetectorRow:
    """One detector against the truth: figures, planted pairs `found` in the drop, and scores (n,)."""

    name: str
    auroc: float
    average_precision: float
    found: int
    scores: Floats


@dataclass(frozen=True)
class Truth:
    """What a plan says: the planted among the pairs that were read (n,), and each detector, default first.

    `dropped` is how many pairs `clean --share` would drop at the page's `share`.
    """

    planted: Mask
    dropped: int
    detectors: tuple[DetectorRow, ...]


@dataclass(frozen=True)
class Problem:
    """Why some pairs could not be read, how many, and one of them as shard and key."""

    reason: str
    count: int
    example: str


@dataclass(frozen=True)
class Provenance:
    """Where the page comes from. `seconds` by step, `inputs` name to fingerprint, `files` beside the page."""

    command: str
    version: str
    seed: int
    finished: str
    machine: str
    seconds: Mapping[str, float]
    inputs: Mapping[str, str]
    files: tuple[str, ...] = ("scores.parquet", "summary.json", "run.json")


@dataclass(frozen=True)
class ScanPage:
    """Everything the report of one scan shows.

    `name` is the set, `run` the run folder as the user typed it, `pairs` all rows, read or not. `visible` and
    `unseen` are whole sentences: which poison this scan could see, and which it could not. `warnings` are
    sentences that belong beside the verdict. `words` are marked in captions. `pairs_known` is False where the
    run had embeddings only, so that `clean` has to be told where the pairs lie. `findings` counts pairs by what they
    are named; `copies` is None where there were no pictures to compare. `decided` says how pairs were flagged,
    `mirrored` that it was by their mirror.
    """

    name: str
    run: str
    pairs: int
    shards: int
    model: str
    canvas: str
    suspicion: Floats
    flagged: Mask
    fdr: float
    witnesses: tuple[Witness, ...]
    gallery: tuple[GalleryItem, ...]
    provenance: Provenance
    visible: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    truth: Truth | None = None
    words: tuple[str, ...] = ()
    share: float = 0.02
    pairs_known: bool = True
    clean_to: str = ""
    findings: Mapping[str, int] = field(default_factory=dict)
    copies: CopiesSection | None = None
    decided: str = ""
    mirrored: bool = False


def render(page: ScanPage) -> str:
    """Return the report as one HTML file. Raises ValueError where arrays do not belong to the same pairs."""
    _check(page)
    number = int(page.flagged.sum())
    values: dict[str, Any] = {
        "page": page,
        "headline": headline(number, page.pairs),
        "read": int(page.suspicion.size),
        "unreadable": page.pairs - int(page.suspicion.size),
        "flagged": number,
        "expected": page.fdr * number,
        "threshold_of_counting": math.log10(max(page.suspicion.size, 1)),
        "missed_sentence": "",
        "lead": _lead(page, number),
        "commands": _commands(page, number),
        "filters": _filters(page.gallery),
        "high": HIGH_Z,
        "histogram": None,
        "witness_charts": (),
    }
    if page.suspicion.size:
        planted = page.truth.planted if page.truth else None
        values["histogram"] = suspicion_histogram(page.suspicion, page.flagged, page.fdr * number, planted)
        values["witness_charts"] = [(w, witness_histogram(w.name, w.z, planted)) for w in page.witnesses]
    if page.truth:
        values |= _against(page, page.truth)
    return assembled("report.html", STYLES, "report.js", values)


def headline(flagged: int, pairs: int) -> str:
    """Return the verdict as a sentence; nothing found is said as plainly as something found."""
    if not flagged:
        return f"No pair in {count(pairs)} is flagged."
    return f"{count(flagged)} of {plural(pairs, 'pair')} {'is' if flagged == 1 else 'are'} flagged."


def _lead(page: ScanPage, flagged: int) -> list[str]:
    lead = [
        "That is not a proof that the set is clean: it says that no pair stands out from the others by more "
        "than chance allows."
    ]
    if flagged:
        lead = [f"Expect {_about(page.fdr * flagged)} of them to be clean. Flagged: {page.decided}."]
    if named := _named(page.findings):
        lead.append(named)
    names = [w.name for w in page.witnesses]
    if names:
        spoke = "One witness" if len(names) == 1 else f"{_NUMBERS.get(len(names), len(names))} witnesses"
        lead.append(f"{spoke} spoke: {', '.join(names)}.")
    lost = page.pairs - page.suspicion.size
    if lost:
        lead.append(f"{plural(lost, 'pair')} could not be read and {'has' if lost == 1 else 'have'} no score.")
    else:
        lead.append("Every pair could be read.")
    return lead


def _named(findings: Mapping[str, int]) -> str:
    planted, mismatched, copies = (findings.get(name, 0) for name in ("planted", "mismatched", "copy"))
    said = []
    if planted or mismatched:
        said.append(f"{plural(planted, 'flagged pair')} {'looks' if planted == 1 else 'look'} planted")
    if mismatched:
        said.append(f"{count(mismatched)} merely wrongly captioned")
    if copies:
        said.append(f"{plural(copies, 'pair')} repeat one another, flagged or not")  # a copy never stands alone
    return f"{', '.join(said)}." if said else ""


def _about(expected: float) -> str:
    return f"at most {expected:,.0f}" if expected >= 1 else "none"


def _check(page: ScanPage) -> None:
    n = page.suspicion.size
    sizes = {"flagged": page.flagged.size} | {w.name: w.z.size for w in page.witnesses}
    if page.truth:
        sizes["truth"] = page.truth.planted.size
        sizes |= {row.name: row.scores.size for row in page.truth.detectors}
    wrong = [name for name, size in sizes.items() if size != n]
    if wrong or page.pairs < n:
        raise ValueError(f"{', '.join(wrong) or 'pairs'}: not the {n} pairs that were read.")


def _commands(page: ScanPage, flagged: int) -> list[tuple[str, str]]:
    folder = page.clean_to or f"{page.name}-clean"
    where = "" if page.pairs_known else " --pairs FOLDER"
    run, to = shlex.quote(page.run), shlex.quote(folder)
    rows = []
    if flagged:
        why = f"Drop the {plural(flagged, 'flagged pair')}; what stays is copied byte for byte:"
        rows.append((why, f"bezoar clean {run} --flagged{where} --to {to}"))
    why = f"Drop the most suspicious {share(page.share)} of the pairs, flagged or not:"
    rows.append((why, f"bezoar clean {run} --share {page.share:g}{where} --to {to}"))
    return rows


def _filters(gallery: tuple[GalleryItem, ...]) -> list[tuple[str, str, int]]:
    kinds = (
        ("flagged", "Flagged", sum(item.flagged for item in gallery)),
        ("below", "Not flagged", sum(not item.flagged for item in gallery)),
        ("planted", "Planted", sum(item.planted is True for item in gallery)),
        ("clean", "Not planted", sum(item.planted is False for item in gallery)),
    )
    # A filter that keeps all or nothing answers no question.
    return [kind for kind in kinds if 0 < kind[2] < len(gallery)]


def _missed(number: int) -> str:
    if not number:
        return "All of them are flagged."
    if number == 1:
        return "One of them was not flagged."
    return f"{count(number)} of them were not flagged."


def _against(page: ScanPage, truth: Truth) -> dict[str, Any]:
    planted, clean = int(truth.planted.sum()), int((~truth.planted).sum())
    right = int((truth.planted & page.flagged).sum())
    mistaken = int(page.flagged.sum()) - right
    values: dict[str, Any] = {"planted": planted, "clean": clean, "right": right}
    values["missed_sentence"] = _missed(planted - right)
    if not (planted and clean and truth.detectors):
        return values | {"roc": None, "precision_recall": None}
    first, *others = truth.detectors
    drawn = [first, *sorted(others, key=lambda row: -row.average_precision)[:3]]
    sweeps = [sweep(row.name, row.scores, truth.planted) for row in drawn]
    drop = Point(
        first.found,
        truth.dropped - first.found,
        (f"drop of {share(page.share)}:", f"{count(first.found)} of {count(planted)} found"),
        square=True,
    )
    points = [drop]
    if right + mistaken:
        words = ("flagged:", f"{count(right)} of {count(right + mistaken)} were planted")
        points.insert(0, Point(right, mistaken, words))
    charts: dict[str, Markup] = {
        "roc": roc_chart(sweeps, [row.auroc for row in drawn], points),
        "precision_recall": precision_recall_chart(sweeps, [row.average_precision for row in drawn], points),
    }
    return values | charts
