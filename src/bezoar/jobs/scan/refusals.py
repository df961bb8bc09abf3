"""What is refused before a scan begins, and before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bezoar.attacks import Plan
from bezoar.detection.default import FELLOWS, WITNESSES
from bezoar.detection.detectors import Chosen
from bezoar.detection.findings import SCAN_COLUMNS
from bezoar.detection.reference import choose
from bezoar.embeddings import Embeddings
from bezoar.pairs import Pairs
from bezoar.run import (
    BezoarError,
)
from bezoar.training.recipes import RECIPES


def refuse_contradictions(pairs: object, embeddings: object, model: object, limit: int | None) -> None:
    """Refuse a scan of nothing, and options that exclude one another."""
    if pairs is None and embeddings is None:
        raise BezoarError("Nothing to scan.", "Name a folder of pairs, or --embeddings DIR.")
    if embeddings is not None and model is not None:
        raise BezoarError("--model does not go with --embeddings.", "The vectors were made by a model already.")
    if pairs is None and limit is not None:
        raise BezoarError("--limit does not go with --embeddings alone.", "All vectors of the folder are scanned.")


def refuse_power(power: bool, embeddings: object, model: object) -> None:
    """Refuse canaries for a model that was trained without them."""
    if power and (embeddings is not None or model is not None):
        other = "--embeddings" if embeddings is not None else "--model"
        raise BezoarError(
            f"--power does not go with {other}: canaries have to be among what the model was trained on.",
            f"Leave out {other}, and the scan trains a model of its own.",
        )


def refuse_idle(independent: object, pairs: object, chosen: Sequence[Chosen]) -> None:
    """Refuse a reference model that nobody would ask."""
    if independent is not None and pairs is None:
        raise BezoarError("--independent has no pictures to look at.", "Name the pairs as well.")
    # A function of the user's own may ask for anything.
    if independent is not None and all(one.needs and "independent" not in one.needs for one in chosen):
        raise BezoarError("Nothing asks what the --independent model says.", "Add --detectors cosine-filter.")


def refuse_taken(chosen: Sequence[Chosen]) -> None:
    """Refuse a function of the user's own whose column would be lost under one of the scan's."""
    taken = {*SCAN_COLUMNS, *(witness.name for witness in WITNESSES), FELLOWS}
    for one in chosen:
        if one.name in taken:
            raise BezoarError(f"scores.parquet has a column {one.name} of its own.", "Give the function another name.")


def refuse_sizes(pairs: object, model: object, embeddings: object, given: Mapping[str, object]) -> None:
    """Refuse what only a training of the scan's own, or the reading of pairs, would heed."""
    trains = model is None and embeddings is None
    for name in ("minutes", "rung"):
        if given[name] is not None and not trains:
            raise BezoarError(f"--{name} sizes a model of the scan's own, and one was given.", f"Leave out --{name}.")
    if given["minutes"] is not None and not float(str(given["minutes"])) > 0:
        raise BezoarError("--minutes must be more than none.", "Give a number above 0, or leave it out.")
    if given["prompts"] is not None and pairs is None:
        raise BezoarError("--prompts does not go with --embeddings alone: no captions are made.", "Leave it out.")


def refuse_hopeless(
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
