"""`bezoar scan`: which of these pairs were planted? Ranked, explained, and written down.

pairs → pictures on the canvas → a model, given or trained on the pairs → vectors and views → witnesses →
calibration → scores.parquet, summary.json, report.html.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bezoar.attacks import Plan
from bezoar.canvas import Canvas
from bezoar.detection.calibration import FALSE_DISCOVERY_RATE, calibrate
from bezoar.detection.default import WITNESSES, testify
from bezoar.detection.detectors import DETECTORS, Mine, choose_detectors
from bezoar.detection.evidence import Evidence
from bezoar.detection.findings import Findings, against_truth, summary_of, write_scores
from bezoar.detection.patterns import LARGEST_SIDE
from bezoar.detection.reference import choose
from bezoar.embeddings import Embeddings, aligned, embed_pairs, load_embeddings
from bezoar.models import Towers, load, place, save, state_of
from bezoar.models.towers import WEIGHTS_FILE
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.decoded import Decoded, typical_side
from bezoar.report.fill import scan_report
from bezoar.run import (
    Answer,
    BezoarError,
    Progress,
    Run,
    Silent,
    duration,
    pick_device,
    stamp,
    use_cores,
    write_bytes,
    write_json,
    writing,
)
from bezoar.training.recipes import RECIPES
from bezoar.training.start import SMALL_ARCH, choose_training, new_towers, rung_at
from bezoar.training.trainer import fit
from bezoar.views import VIEWS

SCORES_FILE, SUMMARY_FILE, REPORT_FILE = "scores.parquet", "summary.json", "report.html"
DEFAULT_MINUTES = 10.0
# Of the minutes of a scan; views, detectors and the report take the rest.
TRAINING_SHARE = 0.7
DROPPED_SHARE = 0.02
FEWEST_PAIRS = 200


def scan(
    pairs: str | Path | Pairs | None = None,
    *,
    to: str | Path,
    model: str | Path | None = None,
    embeddings: str | Path | None = None,
    plan: str | Path | Plan | None = None,
    detectors: str | Sequence[str | Mine] | None = None,
    max_rate: float | None = None,
    k: int | None = None,
    reference: int | None = None,
    minutes: float | None = None,
    rung: int | None = None,
    share: float = DROPPED_SHARE,
    prompts: str | None = None,
    seed: int = 0,
    device: str = "auto",
    limit: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Scan `pairs` for planted ones and write scores, summary and report into the folder `to`.

    With no `model` a small one is trained on the pairs first, of a size that fits `minutes` (default 10), or is
    `rung` of the ladder. `embeddings` is a folder in the clip-retrieval layout: with `pairs`, their vectors by some
    model; alone, all there is to look at.
    `plan` is the truth that the scan is judged by at a dropped `share`; the scan itself never sees it.
    `detectors` names further detectors beside the default ("slof,dao:text:unit", "all", or functions).
    `max_rate` is the largest share that one campaign may have and still be seen; `k` and `reference` override
    what follows from it. Raises `BezoarError` for a request that cannot be met.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    chosen = choose_detectors(_every_detector() if detectors in ("all", ["all"]) else detectors or [])
    truth = plan if isinstance(plan, Plan) or plan is None else Plan.load(Path(plan))
    _refuse_contradictions(pairs, embeddings, model, limit)
    opened = None if pairs is None else open_pairs(pairs, prompts=prompts, limit=limit)
    stored = None if embeddings is None else load_embeddings(Path(embeddings))
    if opened is not None and stored is not None:
        stored = aligned(stored, opened)
    towers = None if model is None else load(model, device)
    if rung is not None:
        rung_at(rung)
    _refuse_hopeless(stored or opened, truth, max_rate, k, reference, trains=stored is None and towers is None)
    run = Run.start(
        to,
        "scan",
        parameters={
            "model": model,
            "embeddings": embeddings,
            "plan": truth.fingerprint if truth else None,
            "detectors": [one.name for one in chosen],
            "neighbours": [max_rate, k, reference],
            "size": [minutes, rung],
            "share": share,
        },
        inputs=_inputs(opened, embeddings, model),
        seed=seed,
        force=force,
        reads=[
            None if opened is None else opened.path,
            embeddings,
            None if model is None else place(model),
            None if isinstance(plan, Plan) else plan,
        ],
    )
    if run.finished:
        return _answer(run)
    work, notes = _Work(run, seed, device, progress), []
    decoded = None
    if opened is not None:
        cut = limit if len(opened) < opened.index.table.num_rows else None
        run.note("source", {"pairs": str(opened.path.resolve()), "prompts": prompts, "limit": cut})
        notes += _faults(opened)
    if opened is not None and stored is None:
        if towers is None or model is None:
            towers, decoded, note = work.train(opened, minutes or DEFAULT_MINUTES, rung)
            stored = work.embed(decoded, towers, run.path / "model")
        else:
            progress.say(f"{len(opened):,} pairs, {model} at {towers.canvas.side} px on {device}.")
            decoded, note = work.read(opened, towers.canvas), _stranger(model, opened)
            stored = work.embed(decoded, towers, model)
        notes += note
    elif opened is not None and stored is not None:
        decoded = work.read(opened, Canvas(min(stored.canvas or LARGEST_SIDE, LARGEST_SIDE)))
        faults = [known or found for known, found in zip(stored.reasons, decoded.reasons, strict=True)]
        stored = replace(stored, reasons=faults)
    assert stored is not None
    if stored.normalized:
        notes.append("The vectors lie at length one: what their raw length would tell is lost.")
    evidence = replace(_evidence(stored, decoded, notes), seed=seed, max_rate=max_rate, k=k, m=reference, device=device)
    with run.step("score"), progress.step("score") as step:
        testimony = testify(evidence)
        extra = {one.name: one(evidence) for one in chosen}
        calibrated = calibrate(testimony.score)
        step.note(", ".join([*testimony.spoke, *extra]))
    if len(evidence) < FEWEST_PAIRS:
        notes.append(f"{len(evidence)} pairs are too few to calibrate p-values: ranks are shown, nothing is flagged.")
        calibrated = replace(calibrated, flagged=np.zeros(len(evidence), np.bool_))
    findings = Findings(
        stored, _usable(stored), evidence, testimony, extra, calibrated, FALSE_DISCOVERY_RATE, tuple(notes)
    )
    against = None if truth is None else against_truth(findings, truth.keys, share)
    with run.step("write"), progress.step("write"):
        with writing(run.path / SCORES_FILE) as file:
            write_scores(findings, file)
        summary = {**summary_of(findings, against), "report": str(run.path / REPORT_FILE)}
        write_json(run.path / SUMMARY_FILE, summary)
        write_bytes(run.path / REPORT_FILE, scan_report(findings, against, run, opened).encode())
    run.finish()
    return _answer(run)


@dataclass(frozen=True)
class _Work:
    """The slow steps of one scan, each noted in its run."""

    run: Run
    seed: int
    device: str
    progress: Progress

    def read(self, pairs: Pairs, canvas: Canvas) -> Decoded:
        """Decode all pictures."""
        decoded = Decoded(pairs, canvas)
        with self.run.step("read"), self.progress.bar("read", len(pairs)) as bar:
            decoded.decode_all(bar.advance)
            bar.note(f"{len(pairs) - len(decoded.usable()):,} unreadable")
        return decoded

    def train(self, pairs: Pairs, minutes: float, rung: int | None) -> tuple[Towers, Decoded, list[str]]:
        """Train a small model on the pairs, or take up the one that an interrupted scan left."""
        choice = choose_training(
            len(pairs),
            source_side=typical_side(pairs),
            seconds=minutes * 60 * TRAINING_SHARE,
            rung=rung if rung is not None else self.run.get("rung"),
            settings=replace(RECIPES["clip"].settings, seed=self.seed),
            device=self.device,
        )
        self.run.note("rung", choice.rung)
        towers = new_towers(pairs.captions, SMALL_ARCH, side=choice.side, seed=self.seed)
        self.progress.say(
            f"{len(pairs):,} pairs. Trains a small model on them first: {choice.settings.epochs} epochs at "
            f"{choice.side} px on {self.device} (rung {choice.rung}), about "
            f"{duration(choice.seconds / TRAINING_SHARE)} in all."
        )
        decoded, folder = self.read(pairs, towers.canvas), self.run.path / "model"
        if (folder / WEIGHTS_FILE).is_file():
            towers = load(folder, self.device)
        else:
            with self.run.step("train"):
                fit(towers, decoded, choice.settings, folder, device=self.device, progress=self.progress)
            save(towers, folder)
        note = f"The scan trained its own model at {choice.side} px: a trigger of a few pixels there may be unseen."
        return towers, decoded, [note]

    def embed(self, decoded: Decoded, towers: Towers, model: str | Path) -> Embeddings:
        """Embed all pairs and their views."""
        with self.run.step("embed"):
            return embed_pairs(
                decoded,
                towers,
                self.run.path / "embeddings",
                model=str(model),
                looks=VIEWS,
                device=self.device,
                progress=self.progress,
            )


def _every_detector() -> list[str]:
    return [name for name in DETECTORS if name not in {witness.name for witness in WITNESSES}]


def _refuse_contradictions(pairs: object, embeddings: object, model: object, limit: int | None) -> None:
    if pairs is None and embeddings is None:
        raise BezoarError("Nothing to scan.", "Name a folder of pairs, or --embeddings DIR.")
    if embeddings is not None and model is not None:
        raise BezoarError("--model does not go with --embeddings.", "The vectors were made by a model already.")
    if pairs is None and limit is not None:
        raise BezoarError("--limit does not go with --embeddings alone.", "All vectors of the folder are scanned.")


def _inputs(pairs: Pairs | None, embeddings: str | Path | None, model: str | Path | None) -> dict[str, str]:
    inputs = {} if pairs is None else {"pairs": pairs.fingerprint}
    if embeddings is not None:
        inputs["embeddings"] = stamp(sorted(Path(embeddings).glob("*/*")))
    return inputs if model is None else {**inputs, "model": state_of(model)}


def _refuse_hopeless(
    pairs: Pairs | Embeddings | None,
    truth: Plan | None,
    max_rate: float | None,
    k: int | None,
    reference: int | None,
    trains: bool,
) -> None:
    """Refuse what would fail after hours, before anything is written."""
    assert pairs is not None
    usable = sum(reason is None for reason in pairs.reasons)
    choose(max_rate, usable, k=k, m=reference)
    batch = RECIPES["clip"].settings.batch
    if trains and usable < batch:
        what = f"{usable} usable pairs are fewer than a batch of {batch}: no model can be trained on them."
        raise BezoarError(what, "Add pairs, or name a --model.")
    if truth is not None:
        truth.refuse_others(pairs.keys, pairs.captions)


def _faults(pairs: Pairs) -> list[str]:
    broken = list(pairs.faults.items())
    if not broken:
        return []
    name, fault = broken[0]
    others = f" and {len(broken) - 1:,} more" if broken[1:] else ""
    return [f"Broken shards: {name} ({fault}){others}. Pairs that were lost with them are in no count."]


def _stranger(model: str | Path, pairs: Pairs) -> list[str]:
    """Warn of a model that was not trained on these pairs, as far as its folder tells."""
    for folder, verb in ((model, "train"), (Path(model), "scan"), (Path(model).parent, "scan")):
        with suppress(BezoarError):  # not a run of ours: nobody knows what it was trained on
            if Run.load(folder, verb).get("inputs")["pairs"] == pairs.fingerprint:
                return []
    return [
        "The model was given: if it was not trained on these pairs, it cannot have learned their backdoor, and "
        "density and views see little."
    ]


def _usable(stored: Embeddings) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.flatnonzero([reason is None for reason in stored.reasons])


def _evidence(stored: Embeddings, decoded: Decoded | None, notes: list[str]) -> Evidence:
    usable, views = _usable(stored), stored.view_similarity
    if decoded is not None and not decoded.kept:
        notes.append("The pictures do not fit into memory together: shared-pattern was left out.")
    return Evidence(
        image=stored.image[usable],
        text=stored.text[usable],
        view_similarity=None if views is None else views[usable],
        pixels=decoded.batch(usable) if decoded is not None and decoded.kept else None,
        captions=[stored.captions[position] for position in usable],
    )


def _answer(run: Run) -> Answer:
    summary = json.loads((run.path / SUMMARY_FILE).read_text(encoding="utf-8"))
    flagged, total = summary["flagged"], summary["pairs"]
    are = "is" if flagged == 1 else "are"
    headline = (
        f"{flagged:,} of {total:,} pairs {are} flagged (false-discovery rate {summary['fdr']:.0%}, provisional)."
        if flagged
        else f"No pair in {total:,} is flagged. That is not a proof that the set is clean."
    )
    lines = [headline.replace("%", " %")]
    if "auroc" in summary:
        lines += [
            "",
            f"Against the plan, {summary['planted']:,} planted: AUROC {summary['auroc']:.3f}, average precision "
            f"{summary['average_precision']:.3f}, {summary['recall_at_drop']:.1%} among the most suspicious "
            f"{summary['dropped_share']:.1%}.".replace("%", " %"),
        ]
    if summary["unreadable"]:
        lines.append(f"{summary['unreadable']:,} could not be read (see report).")
    rate = summary["visible_rates"]["density"]
    if rate is not None:
        lines.append(f"Density sees campaigns of up to {rate:.1%} of the pairs.".replace("%", " %"))
    lines += [f"note: {note}" for note in summary["notes"]]
    lines += ["", f"Report    {summary['report']}"]
    source = run.get("source")
    if flagged and not (source and source["limit"]):
        where = "" if source else " --pairs FOLDER"
        lines.append(f"Drop      bezoar clean {run.path} --flagged{where} --to CLEAN")
    return Answer(summary={**summary, "seconds": run.get("seconds")["total"]}, lines=lines, file=summary["report"])
