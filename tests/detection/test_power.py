"""Canaries among the set's own pairs: who is found, where they rank, and that campaigns do not help one another."""

import numpy as np
import pytest

from bezoar.detection.evidence import Evidence
from bezoar.detection.power import Campaign, Found, judge_canaries, look_for, visible_rates


def campaign(rows, trigger="patch"):
    return Campaign(trigger, "moon", np.asarray(rows, np.int64))


def found(rate, flagged, trigger="patch", others=10_000):
    planted = round(rate * others / (1 - rate))
    return Found(trigger, "moon", planted, others, round(flagged * planted), np.arange(1, planted + 1))


@pytest.mark.parametrize("seed", range(3))
def test_the_rank_is_one_more_than_the_own_pairs_that_score_as_high_or_higher(seed):
    draw = np.random.default_rng(seed)
    scores = draw.integers(12, size=50).astype(float)  # with ties
    one = judge_canaries(campaign(range(40, 50)), scores, scores > 9, 40)
    naive = sorted(1 + sum(other >= score for other in scores[:40]) for score in scores[40:])
    assert one.ranks.tolist() == naive
    assert one.flagged == sum(score > 9 for score in scores[40:])
    assert (one.planted, one.others, one.rate) == (10, 40, 0.2)
    assert one.within(0.1) == sum(rank <= 4 for rank in naive)


def test_a_campaign_is_judged_beside_the_own_pairs_without_the_other_campaigns():
    evidence = Evidence(similarity=np.arange(12.0))
    seen = []

    def decide(part):
        seen.append(part.similarity.tolist())
        return part.similarity, part.similarity > 10

    own, campaigns = np.arange(8), [campaign([8, 9]), campaign([10, 11], "blended")]
    first, second = look_for(evidence, own, campaigns, decide)
    assert seen == [[*range(8), 8, 9], [*range(8), 10, 11]]
    assert [first.flagged, second.flagged] == [0, 1]
    assert first.ranks.tolist() == second.ranks.tolist() == [1, 1]


def test_a_campaign_whose_pictures_all_failed_is_left_out():
    evidence = Evidence(similarity=np.arange(4.0))
    assert look_for(evidence, np.arange(4), [campaign([])], lambda part: pytest.fail("asked")) == []


def test_a_visible_rate_is_one_at_which_half_is_flagged_and_at_all_larger_ones_too():
    assert visible_rates([found(0.0025, 0.2), found(0.005, 0.6), found(0.01, 0.9)])["patch"] == pytest.approx(
        0.005, rel=0.01
    )
    # The smallest was met by chance if a larger one was not.
    assert visible_rates([found(0.0025, 0.9), found(0.005, 0.1), found(0.01, 0.9)])["patch"] == pytest.approx(
        0.01, rel=0.01
    )
    assert visible_rates([found(0.0025, 0.9), found(0.01, 0.49)]) == {"patch": None}
    assert visible_rates([]) == {}


def test_triggers_do_not_speak_for_one_another():
    rates = visible_rates([found(0.005, 0.0, "blended"), found(0.005, 1.0)])
    assert rates["blended"] is None
    assert rates["patch"] == pytest.approx(0.005, rel=0.01)
