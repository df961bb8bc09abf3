"""Which rows of the evidence are canaries, where some pairs could not be read."""

from types import SimpleNamespace

import numpy as np

from bezoar.attacks.canaries import plan_canaries
from bezoar.detection.evidence import Evidence
from bezoar.pairs import open_pairs
from bezoar.pairs.synthetic import synthesize
from bezoar.training.canaries import Planted


def test_rows_are_those_of_the_pairs_that_were_read(tmp_path):
    synthesize(tmp_path, 1000, seed=3, side=40)
    pairs = open_pairs(tmp_path)
    plan = plan_canaries(pairs, 32, seed=1)
    both = pairs.with_plan(plan)
    broken = [4, 700, 1000, 1011]  # two of the set, two canaries
    usable = np.setdiff1d(np.arange(len(both)), broken)
    decoded = SimpleNamespace(pairs=both)
    planted = Planted(plan, None, decoded, usable, Evidence(similarity=np.zeros(len(usable))), len(pairs))
    assert planted.own.tolist() == list(range(998))
    rows = np.concatenate([one.rows for one in planted.campaigns])
    assert sorted(rows) == list(range(998, len(usable)))
    for campaign, goal in zip(planted.campaigns, plan.goals, strict=True):
        keys = {both.keys[usable[row]] for row in campaign.rows}
        own = {edit.key for edit in plan.planted if edit.goal == goal.name}
        assert keys == own - {both.keys[row] for row in broken}
        assert (campaign.trigger, campaign.target) == (goal.trigger[:-2], goal.target)
    assert f"{len(plan.planted)} canaries" in planted.note
