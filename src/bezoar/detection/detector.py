"""A row of the table of detectors, and what it needs of the evidence.

* Needs are said in words where they are not met, with what to do about it.
* `cost` counts forward passes of the image tower for each pair beyond what a scan makes anyway; a backward pass
  counts as two. What costs more than CHEAP is run when it is named, and not by "all".
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from bezoar.detection.density import Scores
from bezoar.detection.evidence import Evidence, Look
from bezoar.run import BezoarError

Need = Literal["vectors", "similarity", "views", "pictures", "captions", "words", "fits", "early", "independent"]
Score = Callable[[Evidence, Look], Scores]
CHEAP = 1

_WORDS: dict[Need, str] = {
    "vectors": "vectors",
    "similarity": "the similarity of picture and caption",
    "views": "the similarity of the picture's views and the caption",
    "pictures": "pictures",
    "captions": "captions",
    "words": "the words of the captions",
    "fits": "a model to ask how changed pictures fit",
    "early": "the fit of picture and caption early in training",
    "independent": "the fit by a reference model",
}
_REMEDIES: dict[Need, str] = {
    "fits": "Give pairs, and a model or none, not their embeddings; or leave this detector out.",
    "early": "Let the scan train its own model (no --model, no --embeddings), or leave this detector out.",
    "independent": "Name a model that never saw these pairs with --independent, or leave this detector out.",
}
_REMEDY = "Give a model and pairs with pictures and captions, or leave this detector out."


@dataclass(frozen=True)
class Detector:
    """A row of the table. `needs`: what the evidence must hold; `parameters`: what `scan` lets one choose."""

    name: str
    paper: str
    summary: str
    needs: tuple[Need, ...]
    parameters: tuple[str, ...]
    function: Score
    cost: int = 0


def missing(detector: Detector, look: Look, evidence: Evidence) -> str | None:
    """Return what the detector needs and the evidence does not hold, in words, or None."""
    needed = {"image": ["image"], "text": ["text"], "joint": ["image", "text"]}[look.modality]
    words = {**_WORDS, "vectors": f"{' and '.join(needed)} vectors"}
    return ", ".join(words[need] for need in _lacking(detector, look, evidence)) or None


def score(detector: Detector, look: Look, evidence: Evidence) -> Scores:
    """Return what the detector says, (n,); BezoarError where the evidence lacks what it needs."""
    lacking = _lacking(detector, look, evidence)
    if lacking:
        what = missing(detector, look, evidence)
        raise BezoarError(f"{detector.name} needs {what}, which this run does not have.", _remedy(lacking))
    return detector.function(evidence, look)


def refuse_unmet(name: str, needs: Collection[Need], offered: Collection[Need]) -> None:
    """Raise BezoarError where a detector needs what a run will not have, as far as that is known before it."""
    lacking = [need for need in needs if need not in offered]
    if lacking:
        what = ", ".join(_WORDS[need] for need in lacking)
        raise BezoarError(f"{name} needs {what}, which this run will not have.", _remedy(lacking))


def offered(
    *, pairs: bool, embeddings: bool = False, model: bool = False, independent: bool = False, quick: bool = False
) -> set[Need]:
    """Return what a scan will have for its detectors, as far as is known from what it was given.

    A folder of embeddings may hold the similarity of views; whether it does is seen when it is asked.
    """
    looks = pairs and not embeddings and not quick
    held: dict[Need, bool] = {
        "vectors": not quick,
        "similarity": not quick,
        "views": not quick,
        "captions": True,
        "words": pairs,
        "pictures": pairs,
        "fits": looks,
        "early": looks and not model,
        "independent": pairs and independent,
    }
    return {need for need, there in held.items() if there}


def _lacking(detector: Detector, look: Look, evidence: Evidence) -> list[Need]:
    image, text = evidence.image is not None, evidence.text is not None
    held: dict[Need, bool] = {
        "vectors": {"image": image, "text": text, "joint": image and text}[look.modality],
        "similarity": evidence.similarity is not None or (image and text),
        "views": evidence.view_similarity is not None,
        "pictures": evidence.pixels is not None,
        "captions": text or evidence.captions is not None,
        "words": evidence.captions is not None,
        "fits": evidence.encode is not None and text,
        "early": evidence.early is not None,
        "independent": evidence.independent is not None,
    }
    return [need for need in detector.needs if not held[need]]


def _remedy(lacking: Collection[Need]) -> str:
    return next((_REMEDIES[need] for need in lacking if need in _REMEDIES), _REMEDY)
