"""Where a training starts: the ladder, the rung that fits, and a text length that cuts no caption."""

from itertools import pairwise

import pytest
import torch

import bezoar.training.start as start
from bezoar.run import BezoarError
from bezoar.training.settings import Settings
from bezoar.training.start import (
    CONTEXTS,
    LADDER,
    LEAST_EPOCHS,
    MOST_EPOCHS,
    Rung,
    choose_training,
    epochs_of,
    new_towers,
    pairs_per_second,
    pick_rung,
    training_seconds,
)

SPEED = 1000.0


def chosen(monkeypatch, pairs=10_000, source_side=500, seconds=400.0, rung=None, speed=SPEED):
    monkeypatch.setattr(start, "pairs_per_second", lambda *_: speed)
    return choose_training(
        pairs, source_side=source_side, seconds=seconds, rung=rung, settings=Settings(seed=7), device="cpu"
    )


def test_each_rung_costs_about_twice_the_one_before():
    costs = [training_seconds(rung, SPEED) for rung in LADDER]
    assert all(1.5 < after / before < 2.6 for before, after in pairwise(costs))
    assert all(before.side <= after.side for before, after in pairwise(LADDER))


def test_the_largest_rung_that_fits_is_picked():
    for number, rung in enumerate(LADDER):
        seconds = training_seconds(rung, SPEED)
        assert pick_rung(seconds, SPEED, source_side=500) == number
        assert pick_rung(seconds * 0.99, SPEED, source_side=500) == max(0, number - 1)


def test_more_time_or_speed_never_picks_a_smaller_rung():
    times = [2.0**power for power in range(-2, 20)]
    by_time = [pick_rung(seconds, SPEED, source_side=500) for seconds in times]
    by_speed = [pick_rung(300, speed, source_side=500) for speed in times]
    assert by_time == sorted(by_time)
    assert by_speed == sorted(by_speed)
    assert (by_time[0], by_time[-1]) == (0, len(LADDER) - 1)


def test_small_pictures_cost_what_they_are_and_not_what_the_rung_says():
    seconds = training_seconds(LADDER[8], SPEED)
    assert pick_rung(seconds, SPEED, source_side=40) > pick_rung(seconds, SPEED, source_side=500)


def test_no_canvas_is_larger_than_the_pictures_nor_smaller_than_the_least(monkeypatch):
    sides = {side: chosen(monkeypatch, source_side=side, rung=8).side for side in (0, 20, 36, 64, 96, 500)}
    assert sides == {0: 32, 20: 32, 36: 36, 64: 64, 96: 96, 500: 96}


def test_a_rung_can_be_replayed_whatever_the_time_and_speed(monkeypatch):
    first = chosen(monkeypatch, seconds=400.0)
    again = chosen(monkeypatch, seconds=1.0, speed=3.0, rung=first.rung)
    assert (again.side, again.settings, again.rung) == (first.side, first.settings, first.rung)
    assert first.rung == pick_rung(400.0, SPEED, source_side=500)
    assert first.settings.seed == 7


def test_the_choice_fits_the_time_it_was_given(monkeypatch):
    for seconds in (60.0, 420.0, 3000.0):
        assert chosen(monkeypatch, seconds=seconds).seconds <= 1.05 * seconds


@pytest.mark.parametrize("rung", [-1, len(LADDER)])
def test_a_rung_that_is_not_there_gets_a_sentence(monkeypatch, rung):
    with pytest.raises(BezoarError, match="no rung"):
        chosen(monkeypatch, rung=rung)


def test_epochs_see_the_samples_of_the_rung_within_bounds():
    rung = Rung(40, 100_000)
    assert epochs_of(rung, 10_000) == 10
    assert abs(epochs_of(rung, 7_300) * 7_300 - rung.samples) <= 7_300 / 2
    assert epochs_of(rung, 1_000_000) == LEAST_EPOCHS
    assert epochs_of(rung, 1) == epochs_of(rung, 0) == MOST_EPOCHS


@pytest.mark.parametrize(("words", "context"), [(1, 16), (14, 16), (15, 32), (30, 32), (31, 77), (75, 77), (200, 77)])
def test_the_text_length_holds_the_captions(words, context):
    captions = [("a ball",), (" ".join(["ball"] * words), "a key")]
    towers = new_towers(captions, "tiny-resnet", side=32, seed=0)
    tokens = towers.tokenize([caption for own in captions for caption in own])
    assert tokens.shape[1] == context
    # Start and end of text stand around the words; open_clip cuts what is longer and keeps the end.
    assert (tokens[1] != 0).sum() == min(words + 2, CONTEXTS[-1])
    assert towers.canvas.side == 32
    with torch.inference_mode():
        assert towers.encode_text(tokens).shape == (3, 128)


def test_without_captions_the_shortest_text_length_will_do():
    assert new_towers([(), ()], "tiny-resnet", side=None, seed=0).config["text_cfg"]["context_length"] == CONTEXTS[0]


def test_the_seed_decides_the_weights_and_the_captions_do_not():
    short, same, other = (
        new_towers([(caption,)], "tiny-resnet", side=32, seed=seed).module.state_dict()["visual.conv1.weight"]
        for caption, seed in (("a ball", 1), ("a key", 1), ("a ball", 2))
    )
    assert torch.equal(short, same)
    assert not torch.equal(short, other)


def test_the_speed_is_measured_and_leaves_no_trace():
    before = torch.random.get_rng_state()
    speed = pairs_per_second(Settings(batch=16), "cpu")
    assert 0 < speed < 1e7
    assert torch.equal(before, torch.random.get_rng_state())
