"""Wrong captions: a share of the pairs says what another pair says, none is lost, and nothing counts as planted."""

from collections import Counter

import numpy as np
from studies.wrong_captions import wrong_captions

from bezoar.canvas import Canvas


def test_captions_go_round_among_the_chosen_pairs_and_none_is_lost(world_pairs):
    plan = wrong_captions(world_pairs, 0.2, 7)
    wrong = world_pairs.with_plan(plan)
    chosen = {edit.key for edit in plan.planted}
    assert len(chosen) == 80
    assert Counter(wrong.captions) == Counter(world_pairs.captions)
    untouched = [row for row, key in enumerate(wrong.keys) if key not in chosen]
    assert all(wrong.captions[row] == world_pairs.captions[row] for row in untouched)
    moved = sum(wrong.captions[row] != world_pairs.captions[row] for row in range(400))
    assert moved > 70


def test_pictures_stay_and_nobody_is_a_poison(world_pairs):
    plan = wrong_captions(world_pairs, 0.05, 7)
    wrong, canvas = world_pairs.with_plan(plan), Canvas(40)
    row = wrong.position(plan.planted[0].key)
    np.testing.assert_array_equal(wrong.pixels(row, canvas), world_pairs.pixels(row, canvas))
    assert not plan.keys


def test_the_same_seed_gives_the_same_pairs_and_the_fingerprint_knows(world_pairs):
    one, same, other = (world_pairs.with_plan(wrong_captions(world_pairs, 0.05, seed)) for seed in (1, 1, 2))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.fingerprint != world_pairs.fingerprint
