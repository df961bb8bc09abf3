"""Whether a trigger was taken in, asked on the set's own pictures: held against a loop over pictures and captions."""

import numpy as np
import pytest
import torch

from bezoar.attacks import Goal, plan_attack
from bezoar.attacks.selection import about
from bezoar.embeddings import encode_captions, encode_pictures, unit
from bezoar.evaluation.taken import ANSWERS, taken
from bezoar.pairs.decoded import Decoded


@pytest.fixture
def plan(world_pairs):
    return plan_attack("badnets:target=moon,count=10", world_pairs, canvas=32, seed=1)


def test_the_figures_are_those_of_a_loop_over_the_rows(clip, world_pairs, plan):
    decoded, rows, goal = Decoded(world_pairs, clip.canvas), np.arange(60), plan.goals[0]
    shows = about(world_pairs, "moon")[rows]
    assert 0 < shows.sum() <= ANSWERS
    texts = list(dict.fromkeys(world_pairs.captions[row][0] for row in rows))
    gallery, names = unit(encode_captions(clip, texts)), np.array(["moon" in text for text in texts])
    wanted = []
    for draw in (True, False):
        pixels = decoded.batch(rows[~shows])
        if draw:
            trigger = plan.image_trigger(goal.trigger)
            pixels = np.stack([trigger.draw(one, "any") for one in pixels])
        found = unit(encode_pictures(clip, pixels)[0]) @ gallery.T
        wanted.append(np.mean(found[:, names].max(axis=1) > found[:, ~names].max(axis=1)))
    marked, bare = taken(clip, decoded, rows, plan, goal)
    assert (marked.name, bare.name) == ("asr", "asr-base")
    assert (marked.value, bare.value) == (pytest.approx(wanted[0]), pytest.approx(wanted[1]))
    assert marked.n == bare.n == (~shows).sum()


def test_pairs_that_are_no_rows_are_not_asked(clip, world_pairs, plan, monkeypatch):
    asked = []
    monkeypatch.setattr(Decoded, "batch", lambda self, rows: asked.extend(rows) or torch.zeros(len(rows), 3, 32, 32))
    monkeypatch.setattr(
        "bezoar.evaluation.bench.encode_pictures",
        lambda clip, pixels, device: np.ones((1, len(pixels), 128), np.float32),
    )
    monkeypatch.setattr(
        type(plan.image_trigger(plan.goals[0].trigger)), "draw", lambda self, pixels, key: np.asarray(pixels)
    )
    taken(clip, Decoded(world_pairs, clip.canvas), np.arange(100, 200), plan, plan.goals[0])
    assert asked
    assert set(asked) <= set(range(100, 200))


def test_the_same_seed_asks_the_same_pictures(clip, world_pairs, plan):
    decoded, goal = Decoded(world_pairs, clip.canvas), plan.goals[0]
    rows = np.arange(400)
    assert isinstance(goal, Goal)
    first, again = (taken(clip, decoded, rows, plan, goal, seed=3)[0] for _ in range(2))
    assert first == again
