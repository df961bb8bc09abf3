"""Human judgement as a test: do the mismatch scores rank pictures with captions as people do?

    BEZOAR_DATA=… python -m studies.detection_people [--seeds 100 101 102]

Flickr8k (Hodosh, Young, Hockenmaier, JAIR 47, 2013) has judgements of its test pictures with captions, their own and
those of other test pictures. CrowdFlower: three people or more said yes or no, the score is the share of yes. Experts:
three of them gave 1 (does not describe) to 4 (describes), the score is the mean. They are held against the fit and the
mean fit of the twelve views, that is minus `clip-score` and minus `view-mismatch`, by the never-poisoned model of
`studies.grid`. Figures go to docs/studies/people.parquet.

* Kendall's tau-b is what the field reports for CrowdFlower, tau-c for the experts; Spearman's rho besides.
* The interval of tau is a bootstrap's over pictures: judgements of one picture are not independent of each other.
* The model was trained on other pictures: what is judged and was trained on is counted apart, and there is none.
"""

from __future__ import annotations

import argparse
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bezoar
from bezoar.detection.density import Scores
from bezoar.detection.detectors import parse
from bezoar.detection.evidence import Evidence
from bezoar.detection.neighbours import Indices
from bezoar.detection.witnesses import cosines
from bezoar.embeddings.encode import encode_captions, encode_pictures
from bezoar.evaluation.intervals import percentiles
from bezoar.models import load
from bezoar.pairs.decoded import Decoded
from bezoar.run import random
from bezoar.views import VIEWS
from studies import grid
from studies.cells import CLEAN
from studies.detection_beside import keep_answer
from studies.detection_measure import RESAMPLES

SET = "flickr8k"
CROWD, EXPERTS = "CrowdFlowerAnnotations.txt.gz", "ExpertAnnotations.txt"
# By file: the name, and Kendall's tau as the field reports it.
ANNOTATIONS = {CROWD: ("CrowdFlower", "b"), EXPERTS: ("experts", "c")}
ALL, OTHERS = "all", "of other pictures"
SCORES = {"fit": "clip-score", "fit of the views": "view-mismatch"}


@dataclass(frozen=True)
class Judgements:
    """What people said of n pictures with captions: `picture` keys, `owner` keys of the captions' pictures and
    `number` which of the owner's, and `score` (n,), higher where the caption fits."""

    picture: list[str]
    owner: list[str]
    number: list[int]
    score: Scores


def main() -> None:
    """Measure the agreement, model by model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    for seed in parser.parse_args().seeds:
        cell = CLEAN[SET].at(seed)
        pairs, trained = bezoar.open_pairs(grid.test_pairs(cell)), grid.training_pairs(cell)
        same = {"cell": cell.name, "set": SET, "attack": cell.attack, "seed": seed}
        folder = Path(grid.test_pairs(cell)).parent
        keep_answer("people", same, measured(folder, pairs, set(trained.keys), grid.train(cell)[0], seed))
        print(cell.name, flush=True)


def measured(folder: Path, pairs: bezoar.Pairs, trained: set[str], model: Path, seed: int) -> list[dict[str, Any]]:
    """Return the rows of one model: both files of `folder`, all captions and those of other pictures."""
    seen, rows = seen_by(model, pairs), []
    for file, (name, variant) in ANNOTATIONS.items():
        said = judgements(folder / file)
        told = {"annotations": name}
        rows.append({**told, "measure": "trained on", "n": sum(key in trained for key in said.picture), "value": None})
        place = np.array([pairs.position(key) for key in said.picture])
        caption = seen.caption(said, pairs)
        fits = seen.fits(place, caption)
        foreign = np.array([one != other for one, other in zip(said.picture, said.owner, strict=True)])
        for captions, rows_of in ((ALL, np.arange(len(place))), (OTHERS, np.flatnonzero(foreign))):
            for score, own in fits.items():
                found = agreement(said.score[rows_of], own[rows_of], place[rows_of], variant, seed)
                rows += [{**told, "captions": captions, "score": score, **row} for row in found]
    return rows


def judgements(file: Path) -> Judgements:
    """Read a file of judgements: picture, caption id and three scores, or the share of yes behind the id."""
    packed = file.read_bytes()
    text = gzip.decompress(packed) if file.suffix == ".gz" else packed
    fields = [line.split() for line in text.decode().splitlines() if line.strip()]
    owners = [caption.rpartition("#") for _, caption, *_ in fields]
    return Judgements(
        picture=[Path(name).stem for name, *_ in fields],
        owner=[Path(name).stem for name, _, _ in owners],
        number=[int(number) for _, _, number in owners],
        score=np.array([_score(said, crowd=file.name == CROWD) for _, _, *said in fields]),
    )


def _score(said: list[str], *, crowd: bool) -> float:
    """Return the share of yes, which the crowd's lines begin with, or the mean of all experts' marks."""
    return float(said[0]) if crowd else sum(map(float, said)) / len(said)


@dataclass(frozen=True)
class Vectors:
    """Pictures (1 + views, p, d), captions (c, d), and at which caption those of each picture begin."""

    pictures: NDArray[np.float32]
    captions: NDArray[np.float32]
    first: NDArray[np.int64]

    def caption(self, said: Judgements, pairs: bezoar.Pairs) -> Indices:
        """Return the rows of the judged captions, (n,)."""
        return np.asarray(self.first[[pairs.position(key) for key in said.owner]] + np.array(said.number))

    def fits(self, place: Indices, caption: Indices) -> dict[str, Scores]:
        """Return, by score, how well pictures `place` (n,) fit captions `caption` (n,): minus what detectors say."""
        seen = np.stack([cosines(view[place], self.captions[caption]) for view in self.pictures], axis=1)
        evidence = Evidence(similarity=seen[:, 0], view_similarity=seen[:, 1:])
        return {name: -parse(detector)(evidence) for name, detector in SCORES.items()}


def seen_by(model: Path, pairs: bezoar.Pairs) -> Vectors:
    """Return the vectors of all pictures, their views and all captions by a model."""
    towers = load(model)
    decoded = Decoded(pairs, towers.canvas)
    decoded.decode_all()
    pictures = encode_pictures(towers, decoded.batch(range(len(pairs))), looks=VIEWS)
    captions = encode_captions(towers, [caption for own in pairs.captions for caption in own])
    return Vectors(pictures, captions, np.cumsum([0, *map(len, pairs.captions)])[:-1])


def agreement(said: Scores, own: Scores, picture: Indices, variant: str, seed: int) -> list[dict[str, Any]]:
    """Return Kendall's tau-b with its interval, tau-c where it is asked for, and Spearman's rho of two scores (n,)."""
    from scipy.stats import kendalltau, spearmanr  # type: ignore[import-untyped]

    size = {"n": len(said), "pictures": len(np.unique(picture))}
    resampled = [kendalltau(said[rows], own[rows]).statistic for rows in resamples(picture, seed)]
    low, high = percentiles(np.array(resampled))
    found = [{"measure": "tau-b", "value": float(kendalltau(said, own).statistic), "low": low, "high": high}]
    if variant == "c":
        found.append({"measure": "tau-c", "value": float(kendalltau(said, own, variant="c").statistic)})
    found.append({"measure": "rho", "value": float(spearmanr(said, own).statistic)})
    return [{**size, **row} for row in found]


def resamples(picture: Indices, seed: int) -> Iterator[Indices]:
    """Yield RESAMPLES times the rows of as many pictures, drawn with replacement."""
    rows: dict[int, list[int]] = defaultdict(list)
    for row, own in enumerate(picture.tolist()):
        rows[own].append(row)
    groups: Sequence[Indices] = [np.array(own) for own in rows.values()]
    draw = random(seed, "bootstrap of pictures")
    for _ in range(RESAMPLES):
        yield np.concatenate([groups[one] for one in draw.integers(len(groups), size=len(groups))])


if __name__ == "__main__":
    main()
