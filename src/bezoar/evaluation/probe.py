"""The linear probe: logistic regression on frozen picture vectors, without any text.

Raw vectors, standardised by the training pictures; scikit-learn's LogisticRegression (C = 1, L-BFGS) as
Radford et al. 2021 train theirs, instead of the stochastic steps of SafeCLIP's and CleanCLIP's code.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bezoar.attacks.goal import Goal
from bezoar.evaluation.backdoor import Marked, class_queries
from bezoar.evaluation.bench import Bench, Vectors
from bezoar.evaluation.measure import Measure, rate
from bezoar.evaluation.protocol import among, codec, protocol
from bezoar.evaluation.rank import Mask
from bezoar.pairs import Pairs
from bezoar.run import BezoarError

MOST_STEPS = 1000


@dataclass(frozen=True)
class Probe:
    """A fitted probe; `made` says how."""

    model: Any
    made: str

    def predict(self, vectors: Vectors) -> NDArray[np.int64]:
        """Return the class of each raw vector, (n,), in the numbers of the test set."""
        return np.asarray(self.model.predict(vectors), np.int64)


def probe_labels(train: Pairs, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the label of each training pair in the numbers of the test `classes`, (n,); -1 for another class.

    Raises BezoarError where a test class has no training picture.
    """
    place = {name: number for number, name in enumerate(classes)}
    to_test = np.array([*(place.get(name, -1) for name in train.classes), -1], np.int64)
    known = (train.labels >= 0) & (train.labels < len(train.classes))
    labels = to_test[np.where(known, train.labels, -1)]
    lacking = [name for number, name in enumerate(classes) if number not in set(labels.tolist())]
    if lacking:
        raise BezoarError(
            f"--probe {train.path} has no picture of {lacking[0]!r}"
            + (f" and {len(lacking) - 1} more classes." if lacking[1:] else "."),
            "Name labelled pictures of the classes that are tested.",
        )
    return labels


def fit_probe(train: Bench, classes: tuple[str, ...]) -> Probe:
    """Fit a probe on the training pictures of a bench."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels = probe_labels(train.pairs, classes)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MOST_STEPS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told in the protocol instead
        model.fit(train.plain[labels >= 0], labels[labels >= 0])
    stopped = "" if model[-1].n_iter_.max() < MOST_STEPS else f", not converged in {MOST_STEPS:,} steps"
    pictures = among(int((labels >= 0).sum()), "picture")
    return Probe(model, f"logistic regression on standardised vectors of {pictures}{stopped}")


def probe_accuracy(probe: Probe, bench: Bench) -> Measure:
    """Return probe-top1: the share of test pictures that the probe takes for what they are."""
    how = protocol(queries=among(len(bench), "picture"), canvas=f"{bench.canvas.side} px", probe=probe.made)
    return rate("probe-top1", probe.predict(bench.plain) == bench.pairs.labels, how)


def probe_success(probe: Probe, bench: Bench, goal: Goal, marked: Marked, wanted: Mask) -> list[Measure]:
    """Return probe-asr and probe-asr-base: pictures of other classes that the probe takes for one of `wanted` (c,)."""
    rows = class_queries(bench.pairs, wanted, goal.source)

    def row(name: str, vectors: Vectors, trigger: str) -> Measure:
        how = protocol(
            queries=among(len(rows), "picture"),
            excluded=", ".join(name for name, out in zip(bench.pairs.classes, wanted, strict=True) if out),
            trigger=trigger,
            canvas=f"{bench.canvas.side} px",
            codec=codec(bench.setting.jpeg),
            probe=probe.made,
        )
        return rate(name, wanted[probe.predict(vectors[rows])], how, goal.name)

    return [row("probe-asr", marked.vectors, marked.trigger), row("probe-asr-base", bench.base, "none")]
