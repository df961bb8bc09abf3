"""open_clip's own architectures take a step of a safe recipe at their own canvas."""

import math

import pytest
import torch

from bezoar.models import create
from bezoar.pairs.decoded import Decoded
from bezoar.run import Silent
from bezoar.training.places import Course
from bezoar.training.recipe import Pass, Phase, Recipe
from bezoar.training.settings import Settings
from bezoar.training.trainer import fit

ONE_STEP = Recipe(
    "one-step",
    "-",
    "Two looks at pictures and captions.",
    (
        Phase(
            "one", 1.0, (Pass("all", ((1.0, "across-views"),), pictures=("strong", "strong"), captions=("eda", "eda")),)
        ),
    ),
)


@pytest.mark.parametrize("arch", ["RN50", "ViT-B-32"])
def test_a_large_tower_takes_a_step_at_224_pixels(world_pairs, tmp_path, arch):
    pairs, settings = world_pairs.select(range(4)), Settings(epochs=1, batch=4, precision="32-true")
    assert Course(ONE_STEP, settings, 4).steps == 1
    towers = create(arch, seed=0)
    assert towers.canvas.side == 224
    before = {name: value.clone() for name, value in towers.module.named_parameters()}
    state = fit(towers, Decoded(pairs, towers.canvas), settings, tmp_path, recipe=ONE_STEP, progress=Silent())
    assert state.steps_done == 1
    moved = [name for name, value in towers.module.named_parameters() if not torch.equal(value, before[name])]
    assert {name.split(".")[0] for name in moved} >= {"visual", "transformer", "token_embedding", "text_projection"}
    assert all(math.isfinite(float(value.detach().float().abs().max())) for value in towers.module.parameters())
