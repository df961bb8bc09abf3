"""The head beside a model, against a loop over pictures."""

import numpy as np
import pytest
import torch
from tests.evaluation.words import by_name

from bezoar.attacks import Goal
from bezoar.evaluation.backdoor import Marked
from bezoar.evaluation.head import head_accuracy, head_success
from bezoar.models.head import Head


@pytest.fixture
def head(bench):
    """A classifier of eleven of the twelve classes, in another order."""
    draw = torch.Generator().manual_seed(4)
    classes = bench.pairs.classes[:0:-1]
    return Head(torch.randn(11, bench.plain.shape[1], generator=draw), torch.zeros(11), classes)


def test_accuracy_counts_pictures_of_the_classes_that_it_knows(head, bench):
    (row,) = head_accuracy(head, bench)
    names = [bench.pairs.classes[label] for label in bench.pairs.labels]
    taken = [head.classes[number] for number in head.predict(bench.plain)]
    known = [(name, got) for name, got in zip(names, taken, strict=True) if name in head.classes]
    assert len(known) < len(names)
    assert (row.name, row.n) == ("head-top1", len(known))
    assert row.value == pytest.approx(np.mean([name == got for name, got in known]))
    assert f"{len(names) - len(known)} picture" in row.protocol


def test_success_counts_pictures_of_other_classes_taken_for_the_target(head, bench, patch):
    marked, target = Marked.on(bench, patch), head.classes[int(np.bincount(head.predict(bench.plain)).argmax())]
    rows = by_name(head_success(head, bench, Goal("g", target, trigger="patch"), marked))
    others = [place for place, label in enumerate(bench.pairs.labels) if bench.pairs.classes[label] != target]
    for name, vectors in (("asr-head", marked.vectors), ("asr-head-base", bench.base)):
        taken = [head.classes[head.predict(vectors[place][None])[0]] == target for place in others]
        assert (rows[name].value, rows[name].n, rows[name].goal) == (pytest.approx(np.mean(taken)), len(others), "g")
    assert rows["asr-head-base"].value > 0


def test_a_target_that_it_does_not_know_has_no_row(head, bench, patch):
    goal = Goal("g", bench.pairs.classes[0], trigger="patch")
    assert head_success(head, bench, goal, Marked.on(bench, patch)) == []


def test_a_head_of_other_classes_has_no_accuracy(head, bench):
    stranger = Head(head.weight[:2], head.bias[:2], ("zebra", "zeppelin"))
    assert head_accuracy(stranger, bench) == []
