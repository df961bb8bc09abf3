"""The linear probe, against scikit-learn step by step and a loop over pictures."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.evaluation.words import by_name

from bezoar.attacks import Goal
from bezoar.evaluation.backdoor import Marked
from bezoar.evaluation.probe import fit_probe, probe_accuracy, probe_labels, probe_success
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError


@pytest.fixture(scope="module")
def fitted(bench_of, world):
    """A probe fitted on 300 pictures, its training bench, and a test bench of the other 100."""
    pairs = open_pairs(world)
    train, test = bench_of(pairs.select(range(100, 400)), 300), bench_of(pairs.select(range(100)), 100)
    return fit_probe(train, test.pairs.classes), train, test


@pytest.fixture(scope="module")
def naive(fitted):
    """The same, fitted by hand: a function from raw vectors to classes."""
    _, train, _ = fitted
    middle, spread = train.plain.mean(axis=0), train.plain.std(axis=0)
    model = LogisticRegression(max_iter=1000).fit((train.plain - middle) / spread, train.pairs.labels)
    return lambda vectors: model.predict((vectors - middle) / spread)


def test_accuracy_equals_a_fit_by_hand(fitted, naive):
    probe, _, test = fitted
    row = probe_accuracy(probe, test)
    agree = np.mean(probe.predict(test.plain) == naive(test.plain))
    assert agree > 0.95, "L-BFGS stops a little elsewhere on other floats"
    assert row.value == pytest.approx(np.mean(naive(test.plain) == test.pairs.labels), abs=0.05)
    assert row.value > 2 / 12, "the probe has learnt something"
    assert (row.name, row.n, row.goal) == ("probe-top1", 100, None)
    assert "300 pictures" in row.protocol


def test_success_counts_pictures_of_other_classes_taken_for_the_target(fitted, patch):
    probe, _, test = fitted
    marked = Marked.on(test, patch)
    target = int(np.bincount(probe.predict(marked.vectors), minlength=12).argmax())
    goal, others = Goal("g", test.pairs.classes[target], trigger="patch"), test.pairs.labels != target
    rows = by_name(probe_success(probe, test, goal, marked, np.arange(12) == target))
    for name, vectors in (("probe-asr", marked.vectors), ("probe-asr-base", test.base)):
        taken = [probe.predict(one[None])[0] == target for one in vectors[others]]
        assert (rows[name].value, rows[name].n) == (np.mean(taken), others.sum())
    assert rows["probe-asr"].value > rows["probe-asr-base"].value


def test_labels_are_matched_by_name(world_pairs):
    classes = world_pairs.classes
    turned = probe_labels(world_pairs, classes[::-1])
    assert turned.tolist() == [11 - label for label in world_pairs.labels]
    fewer = probe_labels(world_pairs, classes[:3])
    assert set(fewer[world_pairs.labels >= 3]) == {-1}


def test_a_class_without_training_pictures_gets_a_sentence(world_pairs):
    with pytest.raises(BezoarError, match="no picture of 'zebra'"):
        probe_labels(world_pairs, (*world_pairs.classes, "zebra"))
