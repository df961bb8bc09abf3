"""The benchmark of recipes: looks made beforehand are training's own, and an epoch is counted from the second on."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from benchmarks import recipes

from bezoar.pairs.decoded import Decoded
from bezoar.training.captions import tokenize_captions
from bezoar.training.looks import Batch, Looks
from bezoar.training.recipes import RECIPES
from bezoar.training.vocabulary import Vocabulary
from bezoar.views import open_synonyms


@pytest.fixture
def looks(world_pairs, clip):
    table = tokenize_captions(world_pairs, clip)
    decoded, vocabulary = Decoded(world_pairs, clip.canvas), Vocabulary(clip.module)
    return Looks.of(clip, decoded, table, vocabulary, recipes._SETTINGS, open_synonyms(None))


@pytest.mark.parametrize("name", ["safeclip", "roclip", "cleanclip"])
@pytest.mark.parametrize("make", [recipes._Made, recipes._Timed])
def test_looks_that_stand_in_are_those_that_training_shows(looks, name, make):
    source = make()
    phase = recipes._last_phase(RECIPES[name]).phases[0]
    captions = looks.table.pick(looks.settings.seed, 0)
    for epoch, positions in enumerate((np.array([7, 3, 399]), np.array([3, 250]))):
        batch = Batch(positions, captions[positions], epoch)
        pixels = torch.from_numpy(looks.decoded.batch(positions))
        for walk in phase.passes:
            for place, look in enumerate(walk.pictures):
                shown = source.picture(looks, look, pixels, batch, place)
                assert torch.equal(shown, looks._picture(look, pixels, batch, place))
            for place, look in enumerate(walk.captions):
                if look != "own":
                    assert source.caption(looks, look, batch, place) == looks._captions(look, batch, place)


def test_an_epoch_counts_from_the_second_on_and_for_every_pair(looks, monkeypatch):
    moments = iter([1.0, 2.0, 12.0, 22.0, 25.0, 45.0])

    def fit(towers, decoded, settings, folder, *, recipe, progress):
        # Epochs of two, three and one steps: 43 seconds for four steps after the first epoch.
        lines = [json.dumps({"epoch": epoch}) for epoch in (0, 0, 1, 1, 1, 2)]
        (folder / recipes.LOG).write_text("\n".join(lines) + "\n")
        with progress.bar("train", 1) as bar:
            for _ in lines:
                bar.advance(64)

    monkeypatch.setattr(recipes, "fit", fit)
    monkeypatch.setattr(recipes, "cpu_seconds", lambda: next(moments))
    own = Looks._picture
    seconds = recipes._epoch(looks.decoded, RECIPES["clip"], recipes._Made())
    assert seconds == pytest.approx(43.0 / (4 * 64) * 400)
    assert Looks._picture is own


def test_a_last_phase_fills_the_whole_course():
    recipe = recipes._last_phase(RECIPES["safeclip"])
    assert [phase.share for phase in recipe.phases] == [1.0]
    assert recipe.phases[0].split is not None
