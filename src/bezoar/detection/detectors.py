"""The table of detectors, and how a user asks for one.

* A detector is a function from `Evidence` and a `Look` to one number a pair; higher is more suspicious.
* `parse` reads `name[:image|text|joint][:raw|unit]`; image and raw where nothing is said.
* A function of the user's own, `mine(evidence) -> (n,)`, is taken as it is, under its own name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

import numpy as np

from bezoar.detection import patterns, profile, witnesses, word_pattern
from bezoar.detection.baselines import BASELINES
from bezoar.detection.density import Density, Scores
from bezoar.detection.detector import CHEAP, Detector, Need, missing, refuse_unmet, score
from bezoar.detection.evidence import Evidence, Form, Look, Modality
from bezoar.run import BROKEN_DATA, BezoarError, fingerprint, nearest, random

__all__ = ["DETECTORS", "TABLE", "Chosen", "Detector", "Mine", "choose_detectors", "every_detector", "missing", "parse"]

Mine = Callable[[Evidence], Scores]


@dataclass(frozen=True)
class Chosen:
    """A detector that was asked for, under the name of its column in the scores; `needs` as in the table.

    `state` changes with the source of one's own function; of the table's it is empty.
    """

    name: str
    function: Mine
    needs: tuple[Need, ...] = ()
    state: str = ""

    def __call__(self, evidence: Evidence) -> Scores:
        """Return one finite float64 a pair, (n,); BezoarError where the evidence or the answer is unfit."""
        scores = np.asarray(self.function(evidence), np.float64)
        if scores.shape != (len(evidence),):
            raise BezoarError(
                f"Detector {self.name} answered with shape {scores.shape} for {len(evidence)} pairs.",
                "Return one number for each pair.",
            )
        if not np.isfinite(scores).all():
            row = int(np.argmin(np.isfinite(scores)))
            raise BezoarError(
                f"Detector {self.name} gave no finite number for pair {row}.",
                "Leave out the pairs that could not be read or embedded.",
                BROKEN_DATA,
            )
        return scores


def _k_distance(evidence: Evidence, look: Look) -> Scores:
    return evidence.density(look).k_distance()


def _slof(evidence: Evidence, look: Look) -> Scores:
    return evidence.density(look).slof()


def _dao(evidence: Evidence, look: Look) -> Scores:
    return evidence.density(look).dao()


def _lid(evidence: Evidence, look: Look) -> Scores:
    return evidence.density(look).lid()


def _isolation_forest(evidence: Evidence, look: Look) -> Scores:
    from sklearn.ensemble import IsolationForest

    sample = evidence.density(look).sample
    state = int(random(evidence.seed, "isolation-forest").integers(2**31))
    forest = IsolationForest(n_estimators=100, random_state=state).fit(evidence.vectors(look)[sample])
    return evidence.by_rows(look, lambda vectors: -forest.score_samples(vectors))


def _clip_score(evidence: Evidence, _: Look) -> Scores:
    return -evidence.fit


def _norm(evidence: Evidence, look: Look) -> Scores:
    if look.form == "unit":
        raise BezoarError("Unit vectors all have the same norm.", "Ask for the norm of raw vectors.")
    return evidence.by_rows(look, lambda vectors: np.linalg.norm(vectors.astype(np.float64), axis=1))


def _view_mismatch(evidence: Evidence, _: Look) -> Scores:
    return witnesses.view_mismatch(_views(evidence))


def _view_drop(evidence: Evidence, _: Look) -> Scores:
    return witnesses.view_drop(evidence.fit, _views(evidence))


def _view_constancy(evidence: Evidence, _: Look) -> Scores:
    return witnesses.view_constancy(evidence.fit, _views(evidence))


def _shared_pattern(evidence: Evidence, _: Look) -> Scores:
    if evidence.pixels is None:
        raise BezoarError("There are no pictures.", "Give the pairs, not only their embeddings.")
    return patterns.shared_pattern(evidence.pixels, evidence.caption_space, seed=evidence.seed, device=evidence.device)


def _word_pattern(evidence: Evidence, _: Look) -> Scores:
    if evidence.pixels is None or evidence.captions is None:
        raise BezoarError("There are no pictures or no captions.", "Give the pairs, not only their embeddings.")
    return word_pattern.word_pattern(evidence.pixels, evidence.captions, device=evidence.device).score


def _profile_gap(evidence: Evidence, look: Look) -> Scores:
    return evidence.density(look).score(_gap)


def _gap(density: Density) -> Scores:
    return profile.profile_gap(density.queries.distances, density.floor)


_VECTORS = ("modality", "form")
_NEIGHBOURS = (*_VECTORS, "k", "m", "max-rate")

TABLE = (
    Detector(
        "k-distance",
        "Ramaswamy, Rastogi, Shim, SIGMOD 2000; for CLIP: Huang et al., ICLR 2025, arXiv 2502.01385",
        "Distance to the k-th nearest reference: how lonely a pair is.",
        ("vectors",),
        _NEIGHBOURS,
        _k_distance,
    ),
    Detector(
        "slof",
        "Schubert, Zimek, Kriegel, DMKD 2014; for CLIP: Huang et al., ICLR 2025, arXiv 2502.01385",
        "That distance against the same distance of the neighbours: lonelier than its surroundings.",
        ("vectors",),
        _NEIGHBOURS,
        _slof,
    ),
    Detector(
        "dao",
        "Anderberg et al., SDM 2024, arXiv 2401.05453; for CLIP: Huang et al., ICLR 2025, arXiv 2502.01385",
        "k-distance over those of its neighbours, each in its own dimension.",
        ("vectors",),
        _NEIGHBOURS,
        _dao,
    ),
    Detector(
        "lid",
        "Amsaleg et al., KDD 2015",
        "Local intrinsic dimensionality: how fast references are met as one looks farther.",
        ("vectors",),
        _NEIGHBOURS,
        _lid,
    ),
    Detector(
        "isolation-forest",
        "Liu, Ting, Zhou, ICDM 2008",
        "How few random cuts set a pair apart from the rest.",
        ("vectors",),
        (*_VECTORS, "m"),
        _isolation_forest,
    ),
    Detector(
        "clip-score",
        "Hessel et al., EMNLP 2021, arXiv 2104.08718",
        "How badly the picture fits its own caption (minus their cosine).",
        ("similarity",),
        (),
        _clip_score,
    ),
    Detector(
        "norm",
        "bezoar",
        "The length of the vector alone.",
        ("vectors",),
        _VECTORS,
        _norm,
    ),
    Detector(
        "view-mismatch",
        "bezoar",
        "How badly mirrored, zoomed, turned and shifted looks at the picture fit its caption.",
        ("views",),
        (),
        _view_mismatch,
    ),
    Detector(
        "view-drop",
        "bezoar",
        "How much worse these looks fit than the picture itself.",
        ("views", "similarity"),
        (),
        _view_drop,
    ),
    Detector(
        "view-constancy",
        "bezoar",
        "How little a poor fit to the caption changes over these looks: some triggers survive them all.",
        ("views", "similarity"),
        (),
        _view_constancy,
    ),
    Detector(
        "shared-pattern",
        "bezoar",
        "How much of a fine pixel pattern the picture shares with those of the 200 nearest captions.",
        ("pictures", "captions"),
        (),
        _shared_pattern,
    ),
    Detector(
        "word-pattern",
        "bezoar",
        "How much of a fine pattern the picture shares with others of a word, beyond what all pictures of it share.",
        ("pictures", "words"),
        (),
        _word_pattern,
    ),
    Detector(
        "profile-gap",
        "bezoar",
        "The largest jump in the sorted distances to the references: a campaign of any size, then nobody.",
        ("vectors",),
        _NEIGHBOURS,
        _profile_gap,
    ),
    *BASELINES,
)
DETECTORS = {row.name: row for row in TABLE}


def parse(spec: str) -> Chosen:
    """Read `name[:image|text|joint][:raw|unit]`; an unknown name raises BezoarError with the nearest one."""
    name, *parts = spec.strip().split(":")
    if name not in DETECTORS:
        raise BezoarError(f"There is no detector {name!r}.", nearest(name, list(DETECTORS)))
    detector = DETECTORS[name]
    modality: Modality = "image"
    form: Form = "raw"
    for part in parts:
        if "modality" not in detector.parameters:
            raise BezoarError(f"{name} takes no choice of vectors ({part!r}).", f"Write {name}.")
        if part in get_args(Modality):
            modality = part  # type: ignore[assignment]
        elif part in get_args(Form):
            form = part  # type: ignore[assignment]
        else:
            known = [*get_args(Modality), *get_args(Form)]
            raise BezoarError(f"{name} has no choice {part!r}.", nearest(part, known))
    look = Look(modality, form)
    if name == "norm" and form == "unit":
        raise BezoarError("Unit vectors all have the same norm.", "Ask for the norm of raw vectors.")
    return Chosen(_column(name, look), lambda evidence: score(detector, look, evidence), detector.needs)


def every_detector(offered: Collection[Need]) -> list[str]:
    """Return the names that "all" stands for, where a run offers so much: what costs at most a forward pass a pair."""
    return [row.name for row in TABLE if row.cost <= CHEAP and set(row.needs) <= set(offered)]


def choose_detectors(asked: str | Sequence[str | Mine], offered: Collection[Need] | None = None) -> list[Chosen]:
    """Turn `"slof,dao:text:unit"`, or a list of such names and functions, into detectors in that order.

    Raises BezoarError for an unknown name, for two detectors of one name, and for one that needs more than is
    `offered`, where that is known.
    """
    items = [item for item in asked.split(",") if item.strip()] if isinstance(asked, str) else asked
    chosen = [parse(item) if isinstance(item, str) else _mine(item) for item in items]
    names = [one.name for one in chosen]
    for name in names:
        if names.count(name) > 1:
            raise BezoarError(f"Detector {name} was asked for twice.", "Ask for each once.")
    for one in chosen if offered is not None else ():
        refuse_unmet(one.name, one.needs, offered or ())
    return chosen


def _mine(function: Mine) -> Chosen:
    return Chosen(getattr(function, "__name__", type(function).__name__), function, state=_source(function))


def _source(function: Mine) -> str:
    """Return a digest of what the function does, as far as it can be read: its source, or else its code."""
    with suppress(OSError, TypeError):
        return fingerprint(inspect.getsource(function))
    code = getattr(function, "__code__", None)
    return fingerprint(repr(type(function)) if code is None else [code.co_code.hex(), code.co_names])


def _column(name: str, look: Look) -> str:
    modality = "" if look.modality == "image" else f":{look.modality}"
    form = "" if look.form == "raw" else f":{look.form}"
    return f"{name}{modality}{form}"


def _views(evidence: Evidence) -> witnesses.Similarities:
    if evidence.view_similarity is None:
        raise BezoarError("There are no views.", "Give a model and pairs with pictures.")
    return evidence.view_similarity
