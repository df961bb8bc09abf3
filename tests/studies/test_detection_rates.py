"""Simulated rates: the same detectors as anywhere, a cloud that keeps its shape, weights that stand for the rest."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from studies import detection_rates
from studies.detection_rates import FEW, Cloud, judged, looked, measured

from bezoar.detection.default import WITNESSES
from bezoar.detection.detectors import parse
from bezoar.detection.evidence import Evidence, Look


@pytest.fixture(scope="module")
def victim():
    """Real vectors of 1,000 pairs, 40 of them planted in a tight cluster aside."""
    draw = np.random.default_rng(1)
    vectors = draw.normal(size=(1000, 8)).astype(np.float32)
    planted = np.arange(1000) < 40
    vectors[planted] = 4 + 0.3 * draw.normal(size=(40, 8))
    return vectors, planted


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(detection_rates, "K", 32)
    monkeypatch.setattr(detection_rates, "M", 256)
    monkeypatch.setattr(detection_rates, "PAIRS", 20_000)
    monkeypatch.setattr(detection_rates, "RATES", (0.01, 0.2))
    monkeypatch.setattr(detection_rates, "SCORED", {"planted": 100, "clean": 1000})


def test_every_detector_says_what_it_says_of_a_whole_set(victim, small):
    vectors, _ = victim
    few, usual = (Evidence(image=vectors, k=k, m=256, seed=2) for k in (FEW, 32))
    reference = usual.density(Look()).sample
    others = np.setdiff1d(np.arange(len(vectors)), reference)
    found = looked(vectors[others], vectors[reference])
    purged = next(witness for witness in WITNESSES if witness.name == "density")
    expected = {name: parse(name)(few) for name in ("k-distance", "slof", "dao")}
    expected |= {"profile-gap": parse("profile-gap")(usual), "density": purged.function(usual, Look())}
    assert found.keys() == expected.keys()
    for name, scores in expected.items():
        np.testing.assert_allclose(found[name], scores[others], rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_drawn_vector_lies_between_two_neighbours_of_its_kind(victim):
    vectors, planted = victim
    poison = vectors[planted]
    drawn = Cloud(poison).drawn(500, np.random.default_rng(0))
    assert drawn.shape == (500, 8)
    gaps = np.linalg.norm(poison[:, None] - poison[None], axis=2)
    for one in drawn[::50]:
        ways = np.linalg.norm(poison - one, axis=1)
        # On the line between two: the ways to both add up to the way between them.
        assert np.isclose((ways[:, None] + ways[None])[gaps > 0], gaps[gaps > 0], rtol=1e-4).any()
    assert len(np.unique(drawn, axis=0)) == 500


def test_few_pairs_stand_for_all():
    draw = np.random.default_rng(4)
    planted = np.arange(40_000) < 400
    scores = {"one": draw.normal(size=40_000) + 3 * planted}
    rows = np.concatenate([np.arange(100), draw.choice(np.arange(400, 40_000), 9900, replace=False)])
    weights = np.full(len(rows), 4.0)
    part = {row["measure"]: row["value"] for row in judged({"one": scores["one"][rows]}, planted[rows], weights)}
    assert part["average-precision"] == pytest.approx(average_precision_score(planted, scores["one"]), abs=0.1)
    fewer = np.concatenate([np.arange(400), rows[100:]])
    weights = np.where(planted[fewer], 1.0, 4.0)
    again = {row["measure"]: row["value"] for row in judged({"one": scores["one"][fewer]}, planted[fewer], weights)}
    assert again["average-precision"] == pytest.approx(average_precision_score(planted, scores["one"]), abs=0.05)


def test_past_the_bound_few_neighbours_see_nothing_and_below_it_they_do(victim, small):
    rows = measured(*victim, seed=7)
    area = {(row["vectors"], row["rate"], row["detector"]): row["value"] for row in rows if row["measure"] == "auroc"}
    assert area["simulated", 0.01, "k-distance"] > 0.95
    assert area["simulated", 0.2, "k-distance"] < 0.5
    assert area["simulated", 0.2, "profile-gap"] > area["simulated", 0.2, "k-distance"]


def test_the_real_rate_stands_beside_its_simulation_and_counts_are_of_the_whole_set(victim, small):
    rows = measured(*victim, seed=7)
    own = [row for row in rows if row["rate"] == 0.04]
    assert {row["vectors"] for row in own} == {"real", "simulated"}
    assert {(row["vectors"], row["pairs"], row["planted"]) for row in own} == {
        ("real", 1000, 40),
        ("simulated", 20_000, 800),
    }
    assert all(0 < row["n"] <= 100 for row in rows)
    assert measured(*victim, seed=7) == rows
