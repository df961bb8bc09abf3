"""`bezoar clean`: the scanned set without what the scan names, copied byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from bezoar.detection.truth import highest
from bezoar.pairs import Pairs, copy_kept, open_pairs
from bezoar.run import Answer, BezoarError, Progress, Run, Silent, writing

ASIDE = "_bezoar"
REMOVED_FILE = "removed.parquet"
QUARANTINE = "removed"


def clean(
    run: str | Path,
    *,
    to: str | Path,
    share: float | None = None,
    flagged: bool = False,
    pairs: str | Path | None = None,
    keep_unreadable: bool = False,
    keep_removed: bool = False,
    dry_run: bool = False,
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Copy the set that `run` scanned into `to`, without its most suspicious `share`, or without what it `flagged`.

    What stays is copied byte for byte, under its shard names and keys. Pairs that could not be read leave as well
    unless `keep_unreadable`. `pairs` says where the set lies now, if it has moved. `keep_removed` writes what left
    into shards of the same names below `_bezoar/removed`. `dry_run` counts and writes nothing.
    """
    progress = progress or Silent()
    if (share is None) == (not flagged):
        raise BezoarError("Nothing to drop, or two things.", "Give either --share or --flagged.")
    scan = Run.load(run, "scan")
    source = scan.get("source")
    if source is None and pairs is None:
        raise BezoarError(f"{run} scanned embeddings and knows no pairs.", "Name them with --pairs.")
    opened = _source(scan, source, pairs)
    scores = parquet.read_table(scan.path / "scores.parquet")
    why = _reasons_to_leave(scores, opened, share, keep_unreadable)
    leaves = np.array([reason is not None for reason in why])
    counts = f"{int((~leaves).sum()):,} of {len(opened):,} pairs kept"
    if dry_run:
        return Answer(summary=_summary(why, None), lines=[f"{counts}; nothing was written (--dry-run)."])
    cleaned = Run.start(
        to,
        "clean",
        parameters={"scan": scan.fingerprint, "share": share, "kept": [keep_unreadable, keep_removed]},
        inputs={"pairs": opened.fingerprint},
        seed=seed,
        force=force,
        data=True,
        reads=[opened.path, scan.path],
    )
    if not cleaned.finished:
        progress.say(f"{len(opened):,} pairs: copies what stays, byte for byte; the input is not touched.")
        removed = cleaned.path / ASIDE / QUARANTINE if keep_removed else None
        with cleaned.step("copy"), progress.step("copy"):
            copy_kept(opened, ~leaves, cleaned.path, removed)
        with writing(cleaned.path / ASIDE / REMOVED_FILE) as file:
            parquet.write_table(_removed(scores, why), file)
        cleaned.finish()
    return Answer(
        summary=_summary(why, cleaned.path),
        lines=[
            f"{counts}. Removed: {_counted(why)}.",
            f"Set       {cleaned.path}",
            f"Removed   {cleaned.path / ASIDE / REMOVED_FILE}",
        ],
        file=str(cleaned.path),
    )


def _source(scan: Run, source: dict[str, Any] | None, pairs: str | Path | None) -> Pairs:
    known = source or {}
    opened = open_pairs(pairs or known["pairs"], prompts=known.get("prompts"))
    if known.get("limit") and known["limit"] < len(opened):
        raise BezoarError(
            f"{scan.path} scanned only the first {known['limit']} of {len(opened):,} pairs.",
            "Scan the whole set, then clean it.",
        )
    if source is not None and opened.fingerprint != scan.get("inputs")["pairs"]:
        raise BezoarError(f"{opened.path} is not the set that was scanned: its bytes have changed.", "Scan it again.")
    return opened


def _reasons_to_leave(scores: pa.Table, pairs: Pairs, share: float | None, keep_unreadable: bool) -> list[str | None]:
    if scores["key"].to_pylist() != pairs.keys:
        raise BezoarError(f"{pairs.path} has other pairs than were scanned.", "Name the set that was scanned.")
    why: list[str | None] = [None] * len(pairs)
    if not keep_unreadable:
        why = [None if reason is None else f"unreadable: {reason}" for reason in scores["reason"].to_pylist()]
    for position in _suspects(scores, share):
        why[position] = "flagged" if share is None else f"most suspicious {share:g}"
    return why


def _suspects(scores: pa.Table, share: float | None) -> NDArray[np.int64]:
    if share is None:
        return np.flatnonzero([bool(flag) for flag in scores["flagged"].to_pylist()])
    if not 0 < share < 1:
        raise BezoarError(f"--share {share:g} is not between 0 and 1.", "Give a share such as 0.02.")
    # A pair without a score comes last: it is not suspicious, it is unreadable.
    ranked = np.array([-np.inf if score is None else score for score in scores["score"].to_pylist()])
    chosen = highest(ranked, share)
    return np.asarray(chosen[np.isfinite(ranked[chosen])])


def _removed(scores: pa.Table, why: list[str | None]) -> pa.Table:
    leaves = pa.array([reason is not None for reason in why])
    table = scores.select(["key", "shard", "row", "suspicion"]).append_column("why", pa.array(why, pa.string()))
    return table.filter(leaves)


def _counted(why: list[str | None]) -> str:
    unreadable = sum(reason is not None and reason.startswith("unreadable") for reason in why)
    suspects = sum(reason is not None for reason in why) - unreadable
    return f"{suspects:,} suspicious, {unreadable:,} unreadable"


def _summary(why: list[str | None], to: Path | None) -> dict[str, object]:
    removed = sum(reason is not None for reason in why)
    return {
        "pairs": len(why),
        "kept": len(why) - removed,
        "removed": removed,
        "to": None if to is None else str(to),
    }
