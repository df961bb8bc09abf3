"""The trainer: resuming is exact, bad requests get sentences, the loss falls for the reason it should."""

import json
from dataclasses import replace

import pytest
import torch
from tests.training.interrupting import Interrupting

import bezoar.training.trainer as trainer
from bezoar.models import create
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError, Silent
from bezoar.training.losses import TERMS
from bezoar.training.recipes import RECIPES
from bezoar.training.settings import Settings
from bezoar.training.trainer import CHECKPOINT, LOG, fit

SHORT = Settings(epochs=2, batch=32, learning_rate=1e-3)


def trained(pairs, folder, settings=SHORT, progress=None):
    towers = create("tiny-resnet", side=32, seed=0)
    fit(towers, Decoded(pairs, towers.canvas), settings, folder, progress=progress or Silent())
    return towers.module.state_dict()


def lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


@pytest.mark.parametrize(("after", "learn"), [(1, "both"), (7, "both"), (15, "both"), (7, "text"), (15, "image")])
def test_an_interrupted_and_resumed_run_has_the_same_weights_bit_for_bit(
    world_pairs, tmp_path, monkeypatch, after, learn
):
    settings = replace(SHORT, learn=learn)
    whole = trained(world_pairs, tmp_path / "whole", settings)
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        trained(world_pairs, tmp_path / "parts", settings, progress=Interrupting(after))
    assert (tmp_path / "parts" / CHECKPOINT).is_file()
    resumed = trained(world_pairs, tmp_path / "parts", settings)
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name
    first, second = lines(tmp_path / "whole"), lines(tmp_path / "parts")
    assert [line["loss"] for line in first] == [line["loss"] for line in second]
    assert [line["step"] for line in second] == list(range(2 * (400 // 32)))
    assert not (tmp_path / "parts" / CHECKPOINT).exists()


def test_a_checkpoint_of_another_training_is_not_taken_up(world_pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        trained(world_pairs, tmp_path, progress=Interrupting(5))
    other = replace(SHORT, learning_rate=2e-3)
    assert torch.equal(
        trained(world_pairs, tmp_path, other)["visual.conv1.weight"],
        trained(world_pairs, tmp_path / "fresh", other)["visual.conv1.weight"],
    )


def test_training_lowers_the_loss_below_that_of_shuffled_captions(world_pairs, tmp_path):
    settings = replace(SHORT, epochs=6)
    trained(world_pairs, tmp_path / "true", settings)
    shuffled = world_pairs.with_plan(Shuffled(world_pairs))
    trained(shuffled, tmp_path / "shuffled", settings)
    last = [sum(line["loss"] for line in lines(tmp_path / name)[-12:]) for name in ("true", "shuffled")]
    assert last[0] < last[1]


class Shuffled:
    """A plan that gives every pair the caption of the one half a set away."""

    fingerprint = "shuffled"

    def __init__(self, pairs):
        from bezoar.pairs import Edit

        captions, half = pairs.captions, len(pairs) // 2
        self.rows = [
            Edit(key, key, "replace", captions[(place + half) % len(pairs)][0], None)
            for place, key in enumerate(pairs.keys)
        ]

    def edits(self):
        return self.rows

    def draw(self, pixels, edit):
        return pixels


def test_the_learning_rate_ends_at_zero_and_peaks_after_the_warm_up():
    settings, phase = Settings(warmup=0.1, learning_rate=1.0), RECIPES["clip"].phases[0]
    rates = [phase.rate(settings, step, 100) for step in range(100)]
    assert max(rates) == 1.0
    assert rates.index(1.0) in (9, 10)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


def test_fewer_pairs_than_a_batch_gets_a_sentence(world_pairs, tmp_path):
    with pytest.raises(BezoarError, match="fewer than a batch"):
        trained(world_pairs.select(range(20)), tmp_path)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(world_pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    whole, count = TERMS["clip"], iter(range(100))

    def breaking(seen):
        return whole(seen) * (float("nan") if next(count) == 4 else 1.0)

    monkeypatch.setitem(TERMS, "clip", replace(whole, function=breaking))
    with pytest.raises(BezoarError, match="loss is nan"):
        trained(world_pairs, tmp_path)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["steps_done"] == 4
    assert all(torch.isfinite(tensor).all() for tensor in state["module"].values())


def test_the_logit_scale_stays_within_its_bounds(world_pairs, tmp_path):
    towers = create("tiny-resnet", side=32, seed=0)
    with torch.no_grad():
        towers.module.logit_scale.fill_(9.0)
    fit(towers, Decoded(world_pairs, towers.canvas), SHORT, tmp_path, progress=Silent())
    assert 1.0 <= float(towers.logit_scale.detach()) <= 100.0 * (1 + 1e-6)
