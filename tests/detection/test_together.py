"""Suspicion shared among like captions: it lifts campaigns, against a naive loop, and accuses nobody of himself."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from bezoar.detection import together as room
from bezoar.detection.robust import robust_z
from bezoar.detection.together import campaign_size, groups, together


def captions_of(topics, seed=0, width=16):
    """Unit vectors around one direction a topic."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(topics.max() + 1, width))
    vectors = centres[topics] + 0.3 * draw.normal(size=(len(topics), width))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.fixture
def campaign():
    """1,200 pairs on twelve topics; forty planted on topic 3 stand out a little, as some others do by chance."""
    draw = np.random.default_rng(1)
    topics = draw.integers(0, 12, 1200)
    planted = np.zeros(1200, bool)
    planted[np.flatnonzero(topics == 3)[:40]] = True
    return draw.normal(size=1200) + 2.0 * planted, captions_of(topics), planted


def test_pairs_planted_towards_one_caption_are_found_together(campaign):
    scores, captions, planted = campaign
    alone = average_precision_score(planted, scores)
    shared = average_precision_score(planted, together(scores, captions))
    assert shared > alone + 0.2


def test_pairs_that_share_no_caption_gain_nothing(campaign):
    scores, _, planted = campaign
    scattered = captions_of(np.random.default_rng(5).integers(0, 12, 1200))
    alone = average_precision_score(planted, scores)
    assert average_precision_score(planted, together(scores, scattered)) < alone + 0.1


def test_it_equals_a_naive_loop(campaign):
    scores, captions, _ = campaign
    scores, captions = scores[:300], captions[:300]
    z = robust_z(scores)
    flagged = set(np.argsort(-z, kind="stable")[:6])
    expected = []
    for row in range(300):
        others = sorted(
            (other for other in range(300) if other != row), key=lambda other: -captions[row] @ captions[other]
        )
        found = sum(other in flagged for other in others[:15])
        expected.append(z[row] + room.WEIGHT * np.log((found + 1) / (6 / 300 * 15 + 1)))
    np.testing.assert_allclose(together(scores, captions), expected, rtol=1e-6)


def test_the_order_of_the_pairs_does_not_matter(campaign):
    scores, captions, _ = campaign
    order = np.random.default_rng(2).permutation(len(scores))
    np.testing.assert_allclose(together(scores[order], captions[order]), together(scores, captions)[order], rtol=1e-6)


def test_a_large_set_asks_a_sample_of_its_captions(campaign, monkeypatch):
    scores, captions, planted = campaign
    monkeypatch.setattr(room, "MOST_REFERENCES", 600)
    found = average_precision_score(planted, together(scores, captions, seed=4))
    assert found > average_precision_score(planted, scores) + 0.1


def test_where_all_are_suspected_alike_scores_stay():
    scores = np.ones(20)
    assert together(scores, captions_of(np.zeros(20, int))) is scores


@pytest.mark.parametrize("planted", [20, 60])
def test_the_size_of_a_campaign_is_estimated_within_a_third(planted):
    draw = np.random.default_rng(3)
    topics = draw.integers(0, 12, 3000)
    truth = np.zeros(3000, bool)
    truth[np.flatnonzero(topics == 5)[:planted]] = True
    scores = draw.normal(size=3000) + 4.0 * truth
    assert campaign_size(scores, captions_of(topics)) == pytest.approx(planted, rel=0.34)


def test_a_set_without_a_campaign_has_none_of_any_size():
    draw = np.random.default_rng(6)
    topics = draw.integers(0, 12, 3000)
    assert campaign_size(draw.normal(size=3000), captions_of(topics)) < 60
    assert campaign_size(np.ones(20), captions_of(np.zeros(20, int))) == 0


def planted_set(campaigns, n=6000, shift=5.0, seed=0):
    """Scores of n pairs on thirty topics that differ in how suspicious they are; campaigns by topic and size."""
    draw = np.random.default_rng(seed)
    topics = draw.integers(0, 30, n)
    truth = np.full(n, -1)
    for number, (topic, size) in enumerate(campaigns):
        truth[np.flatnonzero(topics == topic)[:size]] = number
    honest = draw.normal(size=n) + 0.5 * draw.normal(size=30)[topics]
    return honest + shift * (truth >= 0), captions_of(topics, seed), truth


@pytest.mark.parametrize("seed", range(10))
def test_a_set_without_a_campaign_has_no_group(seed):
    scores, captions, _ = planted_set([], seed=seed)
    assert groups(scores, captions, 0.05, seed=seed) == []


@pytest.mark.parametrize("seed", range(5))
def test_groups_hold_few_honest_pairs_and_most_planted_ones(seed):
    scores, captions, truth = planted_set([(3, 60), (8, 120)], seed=seed)
    found = groups(scores, captions, 0.05, seed=seed)
    members = np.concatenate(found)
    assert len(np.unique(members)) == len(members)
    assert (truth[members] < 0).mean() <= 0.1
    assert np.isin(np.flatnonzero(truth >= 0), members).mean() > 0.8


@pytest.mark.parametrize("seed", range(4))
def test_captions_that_are_a_little_more_suspicious_throughout_are_no_group(seed):
    draw = np.random.default_rng(seed)
    topics = draw.integers(0, 6, 3000)
    planted = np.zeros(3000, bool)
    planted[np.flatnonzero(topics == 3)[:60]] = True
    scores = draw.normal(size=3000) + 0.6 * (topics == 3) + 2.5 * planted
    found = groups(scores, captions_of(topics, seed), 0.05)
    assert sum((~planted[members]).sum() for members in found) <= 0.1 * sum(len(members) for members in found)


def test_the_most_suspicious_member_stands_first():
    scores, captions, _ = planted_set([(3, 60)])
    (members,) = groups(scores, captions, 0.05)
    assert (np.diff(scores[members]) <= 0).all()


def test_fewer_than_twenty_are_no_group_at_five_percent():
    scores, captions, _ = planted_set([(3, 18)], shift=50.0)
    assert groups(scores, captions, 0.05) == []
    (members,) = groups(scores, captions, 0.1)
    assert len(members) >= 18


def test_scattered_suspects_are_no_group():
    scores, captions, _ = planted_set([])
    scores[np.random.default_rng(7).choice(6000, 120, replace=False)] += 8.0
    assert groups(scores, captions, 0.05) == []


def test_scores_without_spread_have_no_group():
    assert groups(np.ones(300), captions_of(np.arange(300) % 5), 0.05) == []
