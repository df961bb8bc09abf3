"""What only some detectors ask for: the image tower itself, the fit early in training, the fit by another model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bezoar.detection.density import Scores
from bezoar.detection.evidence import Encode, Evidence
from bezoar.detection.neighbours import Indices
from bezoar.embeddings import embed_pairs
from bezoar.models import Towers
from bezoar.pairs import Pairs
from bezoar.pairs.decoded import Decoded
from bezoar.run import Progress
from bezoar.training.early import load_early_fit


def add_tower(evidence: Evidence, towers: Towers | None, device: str) -> Evidence:
    """Return the evidence with the image tower that its vectors were made by, for pictures that a detector changes."""

    def encode(shown: Towers) -> Encode:
        return lambda pictures: shown.encode_image(shown.preprocess(pictures.to(device)))

    return evidence if towers is None else replace(evidence, encode=encode(towers))


def add_early(evidence: Evidence, file: Path, pairs: int, usable: Indices) -> Evidence:
    """Return the evidence with what training kept in `file` of all `pairs`, for those at `usable`."""
    return replace(evidence, early=load_early_fit(file, pairs)[usable])


def fit_by(towers: Towers, pairs: Pairs, folder: Path, *, device: str, progress: Progress) -> Scores:
    """Return cos(picture, own caption), (n,), of all pairs by a model with a canvas of its own; 0 for unreadable ones.

    The vectors are kept in `folder`, and taken from there by a second call.
    """
    # Each picture is looked at once, so none is kept.
    decoded = Decoded(pairs, towers.canvas, cap_bytes=0)
    found = embed_pairs(decoded, towers, folder, model="independent", device=device, progress=progress)
    return Evidence(image=found.image, text=found.text).fit
