"""What a detector needs, what a scan offers, and what "all" stands for."""

import pytest

from bezoar.detection import DETECTORS, TABLE
from bezoar.detection.detector import CHEAP, offered, refuse_unmet
from bezoar.detection.detectors import every_detector
from bezoar.run import BezoarError

SLOW = {"strip", "scale-up", "teco", "cognitive-distillation"}


def held(pairs=True, **given):
    return offered(pairs=pairs, **given)


def test_all_leaves_out_what_costs_more_than_a_forward_pass():
    everything = held(independent=True)
    assert set(every_detector(everything)) == set(DETECTORS) - SLOW
    assert {row.name for row in TABLE if row.cost > CHEAP} == SLOW


@pytest.mark.parametrize(("given", "gone"), [
    ({"model": True}, {"early", "independent"}),
    ({"embeddings": True}, {"early", "independent", "fits"}),
    ({"pairs": False, "embeddings": True}, {"early", "independent", "fits", "pictures"}),
    ({"quick": True}, {"early", "independent", "fits", "vectors", "similarity", "views"}),
])  # fmt: skip
def test_all_leaves_out_what_the_scan_cannot_know(given, gone):
    expected = {row.name for row in TABLE if not gone & set(row.needs)} - SLOW
    assert set(every_detector(held(**given))) == expected
    assert expected < set(DETECTORS) - SLOW


@pytest.mark.parametrize(("name", "given", "sentence"), [
    ("abl", {"model": True}, "early in training"),
    ("abl", {"embeddings": True}, "early in training"),
    ("strip", {"embeddings": True}, "a model to ask"),
    ("cosine-filter", {}, "a reference model"),
    ("frequency", {"pairs": False, "embeddings": True}, "pictures"),
    ("slof", {"quick": True}, "vectors"),
])  # fmt: skip
def test_what_a_scan_will_not_have_is_refused_before_it_begins(name, given, sentence):
    with pytest.raises(BezoarError, match=f"^{name} needs .*{sentence}"):
        refuse_unmet(name, DETECTORS[name].needs, held(**given))


def test_what_a_scan_offers_is_not_refused():
    at_hand = held(independent=True)
    assert all(set(row.needs) <= at_hand for row in TABLE)
    for row in TABLE:
        refuse_unmet(row.name, row.needs, at_hand)
