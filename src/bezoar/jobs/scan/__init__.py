"""`bezoar scan`: which of these pairs were planted? Ranked, explained, and written down.

pairs → pictures on the canvas → a model, given or trained on the pairs → vectors and views → witnesses, copies →
calibration → scores.parquet, summary.json, report.html. A quick look leaves the model out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks import Plan
from bezoar.attacks.canaries import plan_canaries
from bezoar.canvas import Canvas
from bezoar.detection.calibration import FALSE_DISCOVERY_RATE, Calibrated
from bezoar.detection.default import WITNESSES, Testimony, decide, testify
from bezoar.detection.density import Scores
from bezoar.detection.detector import Need, offered
from bezoar.detection.detectors import Mine, choose_detectors, every_detector
from bezoar.detection.evidence import Evidence
from bezoar.detection.excerpt import excerpt
from bezoar.detection.findings import Findings, Listing, against_truth, summary_of, write_scores
from bezoar.detection.patterns import LARGEST_SIDE
from bezoar.detection.quick import quick_look, quick_side, refuse_beside_quick
from bezoar.embeddings import HEAD_FILE, Embeddings, aligned, first, foreign_captions, load_embeddings
from bezoar.jobs.scan.refusals import (
    refuse_contradictions,
    refuse_hopeless,
    refuse_idle,
    refuse_power,
    refuse_sizes,
    refuse_taken,
)
from bezoar.jobs.scan.steps import CANARIES, Steps
from bezoar.models import load, place, state_of
from bezoar.pairs import Pairs, open_pairs
from bezoar.pairs.decoded import CAP_BYTES, Decoded, typical_side
from bezoar.report.fill import scan_report
from bezoar.report.power_lines import power_lines
from bezoar.report.scan_answer import scan_answer
from bezoar.run import (
    Answer,
    BezoarError,
    Progress,
    Run,
    Silent,
    pick_device,
    stamp,
    use_cores,
    write_bytes,
    write_json,
    writing,
)
from bezoar.training.canaries import Planted
from bezoar.training.start import LEAST_SIDE, rung_at

SCORES_FILE, SUMMARY_FILE, REPORT_FILE = "scores.parquet", "summary.json", "report.html"
DEFAULT_MINUTES = 10.0
DROPPED_SHARE = 0.02


def scan(
    pairs: str | Path | Pairs | None = None,
    *,
    to: str | Path,
    model: str | Path | None = None,
    embeddings: str | Path | None = None,
    independent: str | Path | None = None,
    plan: str | Path | Plan | None = None,
    detectors: str | Sequence[str | Mine] | None = None,
    max_rate: float | None = None,
    k: int | None = None,
    reference: int | None = None,
    minutes: float | None = None,
    rung: int | None = None,
    share: float = DROPPED_SHARE,
    power: bool = False,
    quick: bool = False,
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
    `detectors` names further detectors beside the default ("slof,dao:text:unit", "all", or functions); "all" are those
    that cost at most a forward pass a pair. `independent` is a model that never saw these pairs, for cosine-filter.
    `max_rate` is the largest share that one campaign may have and still be seen; `k` and `reference` override
    what follows from it. `power` plants canaries beside the pairs that the scan's own model trains on, and tells how
    many of them are found. `quick` asks no model: pixels and words alone. Raises `BezoarError` for a request that
    cannot be met.
    """
    progress = progress or Silent()
    device = pick_device(device)
    use_cores()
    given = {"pairs": pairs, "embeddings": embeddings, "model": model, "independent": independent}
    at_hand = offered(**{name: value is not None for name, value in given.items()}, quick=quick)
    named = [name.strip() for name in detectors.split(",")] if isinstance(detectors, str) else list(detectors or ())
    everything = "all" in named
    every = _every_detector(at_hand) if everything else []
    chosen = choose_detectors([*every, *(name for name in named if name not in ("all", "", *every))], at_hand)
    needs = {need for one in chosen for need in one.needs}
    truth = plan if isinstance(plan, Plan) or plan is None else Plan.load(Path(plan))
    refuse_contradictions(pairs, embeddings, model, limit)
    refuse_power(power, embeddings, model)
    refuse_idle(independent, pairs, chosen)
    refuse_taken(chosen)
    refuse_sizes(pairs, model, embeddings, {"minutes": minutes, "rung": rung, "prompts": prompts})
    if quick:
        asked = {"model": model, "embeddings": embeddings, "independent": independent, "power": power}
        refuse_beside_quick(asked)
        refuse_beside_quick({"minutes": minutes, "rung": rung, "max-rate": max_rate, "k": k, "reference": reference})
    opened = None if pairs is None else open_pairs(pairs, prompts=prompts, limit=limit)
    stored = None if embeddings is None else load_embeddings(Path(embeddings))
    strange = 0
    if opened is not None and stored is not None:
        strange = foreign_captions(stored, opened)
        stored = aligned(stored, opened)
    towers = None if model is None else load(model, device)
    stranger = None if independent is None else load(independent, device)
    if rung is not None:
        rung_at(rung)
    trains = stored is None and towers is None and not quick
    refuse_hopeless(stored or opened, truth, max_rate, k, reference, trains)
    # For the smallest canvas: its triggers fit on every other.
    canaries = plan_canaries(opened, LEAST_SIDE, seed) if power and opened is not None else None
    run = Run.start(
        to,
        "scan",
        parameters={
            "model": model,
            "embeddings": embeddings,
            "plan": truth.fingerprint if truth else None,
            "detectors": [f"{one.name} {one.state}".strip() for one in chosen],
            "neighbours": [max_rate, k, reference],
            "size": [minutes, rung],
            "share": share,
            **({"power": True} if power else {}),
            **({"quick": True} if quick else {}),
            **({"independent": independent} if independent else {}),
        },
        inputs=_inputs(opened, embeddings, model, independent),
        seed=seed,
        force=force,
        reads=[
            None if opened is None else opened.path,
            embeddings,
            None if model is None else place(model),
            None if independent is None else place(independent),
            None if isinstance(plan, Plan) else plan,
        ],
    )
    if run.finished:
        return scan_answer(run, run.path / SUMMARY_FILE)
    work, notes = Steps(run, seed, device, progress), []
    if strange and opened is not None:
        notes.append(
            f"{strange:,} of {len(opened):,} vectors were made of another caption than the pair has now: "
            "are they of an earlier state of the set?"
        )
    decoded, prints = None, None
    if opened is not None:
        cut = limit if len(opened) < opened.index.table.num_rows else None
        run.note("source", {"pairs": str(opened.path.resolve()), "prompts": prompts, "limit": cut})
        notes += _faults(opened)
    if opened is not None and quick:
        canvas = Canvas(quick_side(len(opened), typical_side(opened), CAP_BYTES))
        progress.say(f"{len(opened):,} pairs: a quick look at pictures of {canvas.side} px and words, without a model.")
        decoded, prints = work.read(opened, canvas)
    elif opened is not None and stored is None:
        if towers is None or model is None:
            shown = opened if canaries is None else work.plant(opened, canaries)
            towers, decoded, prints, note = work.train(shown, minutes or DEFAULT_MINUTES, rung, "early" in needs)
            stored = work.embed(decoded, towers, run.path / "model", "embeddings" if canaries is None else CANARIES)
        else:
            progress.say(f"{len(opened):,} pairs, {model} at {towers.canvas.side} px on {device}.")
            (decoded, prints), note = work.read(opened, towers.canvas), _stranger(model, opened)
            stored = work.embed(decoded, towers, model)
        notes += note
    elif opened is not None and stored is not None:
        decoded, prints = work.read(opened, Canvas(min(stored.canvas or LARGEST_SIDE, LARGEST_SIDE)))
        faults = [known or found for known, found in zip(stored.reasons, decoded.reasons, strict=True)]
        stored = replace(stored, reasons=faults)
    if stored is not None and stored.normalized:
        notes.append("The vectors lie at length one: what their raw length would tell is lost.")
    listing = _listing(opened, stored, decoded)
    evidence = _evidence(listing, stored, decoded, notes)
    evidence = replace(evidence, seed=seed, max_rate=max_rate, k=k, m=reference, device=device)
    if decoded is not None:
        evidence = work.further(evidence, listing.usable, decoded, towers, stranger, "early" in needs)
    if everything and evidence.pixels is None:
        chosen = [one for one in chosen if "pictures" not in one.needs]
    planted = None
    if canaries is not None and stored and opened is not None and towers is not None and decoded is not None:
        planted = Planted(canaries, towers, decoded, listing.usable, evidence, len(opened))
        listing, evidence = Listing.of_vectors(first(stored, len(opened))), excerpt(evidence, planted.own)
        notes.append(planted.note)
    with run.step("score"), progress.step("score") as step:
        testimony, calibrated = quick_look(evidence, FALSE_DISCOVERY_RATE) if quick else _heard(evidence)
        extra = {one.name: one(evidence) for one in chosen}
        step.note(", ".join([*testimony.spoke, *extra]))
    if calibrated.refusal is not None:
        notes.append(f"No pair can be flagged alone: {calibrated.refusal}.")
    findings = Findings(
        listing,
        listing.usable,
        evidence,
        testimony,
        extra,
        calibrated,
        FALSE_DISCOVERY_RATE,
        tuple(notes),
        None if prints is None else work.copies(prints.of(listing.usable), evidence),
        quick,
    )
    against = None if truth is None else against_truth(findings, truth.keys, share)
    seen = {} if planted is None else {"power": work.power(planted, _flags)}
    with run.step("write"), progress.step("write"):
        with writing(run.path / SCORES_FILE) as file:
            write_scores(findings, file)
        summary = {**summary_of(findings, against), **seen, "report": str(run.path / REPORT_FILE)}
        summary["visible_rates"] |= seen["power"]["visible_rates"] if seen else {}
        write_json(run.path / SUMMARY_FILE, summary)
        lines = power_lines(seen["power"]) if seen else ()
        write_bytes(run.path / REPORT_FILE, scan_report(findings, against, run, opened, lines).encode())
    run.finish()
    return scan_answer(run, run.path / SUMMARY_FILE)


def _heard(evidence: Evidence) -> tuple[Testimony, Calibrated]:
    """Return what the default says, and the decision."""
    testimony = testify(evidence)
    return testimony, decide(evidence, testimony)


def _flags(evidence: Evidence) -> tuple[Scores, NDArray[np.bool_]]:
    """Return the score of the default, and who is flagged."""
    testimony, calibrated = _heard(evidence)
    return testimony.score, calibrated.flagged


def _every_detector(at_hand: Collection[Need]) -> list[str]:
    return [name for name in every_detector(at_hand) if name not in {witness.name for witness in WITNESSES}]


def _inputs(
    pairs: Pairs | None, embeddings: str | Path | None, model: str | Path | None, independent: str | Path | None
) -> dict[str, str]:
    inputs = {} if pairs is None else {"pairs": pairs.fingerprint}
    if independent is not None:
        inputs["independent"] = state_of(independent)
    if embeddings is not None:
        inputs["embeddings"] = stamp(sorted([*Path(embeddings).glob("*/*"), *Path(embeddings).glob(HEAD_FILE)]))
    return inputs if model is None else {**inputs, "model": state_of(model)}


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


def _listing(pairs: Pairs | None, stored: Embeddings | None, decoded: Decoded | None) -> Listing:
    if stored is not None:
        return Listing.of_vectors(stored)
    assert pairs is not None
    assert decoded is not None
    return Listing.of_pairs(pairs, decoded.reasons, decoded.canvas.side)


def _evidence(listing: Listing, stored: Embeddings | None, decoded: Decoded | None, notes: list[str]) -> Evidence:
    usable, views = listing.usable, None if stored is None else stored.view_similarity
    if decoded is not None and not decoded.kept:
        notes.append("The pictures do not fit into memory together: shared-pattern was left out.")
    return Evidence(
        image=None if stored is None else stored.image.select(usable),
        text=None if stored is None else stored.text.select(usable),
        view_similarity=None if views is None else views[usable],
        pixels=decoded.batch(usable) if decoded is not None and decoded.kept else None,
        captions=[listing.captions[position] for position in usable],
    )
