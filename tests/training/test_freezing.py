"""Freezing: what must not move does not move by a bit, what is to learn learns, and nothing stays frozen."""

import json
from dataclasses import replace

import open_clip
import pytest
import torch

from bezoar.models import create
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError, Silent
from bezoar.training.freezing import only
from bezoar.training.settings import Settings
from bezoar.training.trainer import fit

MODELS = ("tiny-resnet", "tiny-vit", "custom-text")
# Decay and rate are high, so that an optimiser that holds a frozen tensor could not hide it.
SHORT = Settings(epochs=1, batch=32, learning_rate=1e-2, weight_decay=0.5, precision="32-true")


def model(name):
    if name != "custom-text":
        return create(name, side=32, seed=0)
    towers = create("tiny-resnet", side=32, seed=0)
    torch.manual_seed(0)
    module = open_clip.CustomTextCLIP(**json.loads(json.dumps(towers.config)))
    return replace(towers, module=module.eval(), config=towers.config | {"custom_text": True})


def sides(towers):
    """Names by tower, found by asking which parameters a tower's vectors depend on; buffers are batch norms'."""
    reached = {}
    pixels = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    tokens = towers.tokenize(["a red ball", "a green key on a beach"])
    for side in ("image", "text"):
        towers.module.zero_grad(set_to_none=True)
        vectors = towers.encode_image(towers.preprocess(pixels)) if side == "image" else towers.encode_text(tokens)
        vectors.sum().backward()
        reached[side] = {name for name, weight in towers.module.named_parameters() if weight.grad is not None}
    towers.module.zero_grad(set_to_none=True)
    parameters = dict(towers.module.named_parameters())
    reached["image"] |= {name for name in towers.module.state_dict() if name not in parameters}
    return reached


def copied(towers):
    return {name: tensor.clone() for name, tensor in towers.module.state_dict().items()}


def changed(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def moved(name, learn, pairs, folder):
    """Train a little; return the names of what changed, and the names of each side."""
    towers = model(name)
    before, of = copied(towers), sides(towers)
    fit(towers, Decoded(pairs, towers.canvas), replace(SHORT, learn=learn), folder, progress=Silent())
    return changed(before, copied(towers)), of


@pytest.mark.parametrize("name", MODELS)
def test_the_sides_are_all_that_a_model_holds_but_for_the_temperature(name):
    towers = model(name)
    of = sides(towers)
    assert not of["image"] & of["text"]
    assert of["image"] | of["text"] | {"logit_scale"} == set(towers.module.state_dict())
    assert len(of["text"]) > 20


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("learn", "frozen"), [("image", "text"), ("text", "image")])
def test_the_frozen_tower_keeps_every_bit_and_the_other_learns(world_pairs, tmp_path, name, learn, frozen):
    now, of = moved(name, learn, world_pairs, tmp_path)
    assert not now & of[frozen]
    # The gradient of a key's bias is nothing but rounding: softmax does not see it.
    assert of[learn] - now <= {"visual.attnpool.k_proj.bias"}
    assert "logit_scale" in now


@pytest.mark.parametrize("name", MODELS)
def test_both_towers_learn_where_both_are_asked_for(world_pairs, tmp_path, name):
    now, of = moved(name, "both", world_pairs, tmp_path)
    assert (of["image"] | of["text"]) - now <= {"visual.attnpool.k_proj.bias"}


def test_a_frozen_image_tower_shows_training_the_vectors_that_it_shows_everybody():
    """Batch norms of a frozen tower must use their running statistics, not only leave them alone."""
    towers = model("tiny-resnet")
    pixels = towers.preprocess(torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8))
    with torch.no_grad():
        alone = towers.encode_image(pixels)
        towers.module.train()
        with only("text", towers.module):
            torch.testing.assert_close(towers.encode_image(pixels), alone, rtol=0, atol=0)
        assert not torch.allclose(model("tiny-resnet").module.train().encode_image(pixels), alone)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("learn", "frozen"), [("image", "text"), ("text", "image")])
def test_no_gradient_is_computed_for_a_frozen_tower(name, learn, frozen):
    towers = model(name)
    pixels = towers.preprocess(torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8))
    with only(learn, towers.module):
        vectors = {"image": towers.encode_image(pixels), "text": towers.encode_text(towers.tokenize(["a", "b"]))}
    assert vectors[learn].requires_grad
    assert not vectors[frozen].requires_grad


def test_nothing_stays_frozen_after_an_error_nor_thaws_what_was_frozen_before():
    module = model("tiny-vit").module
    module.ln_final.bias.requires_grad_(False)

    def interrupted():
        with only("image", module):
            assert not module.token_embedding.weight.requires_grad
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [name for name, weight in module.named_parameters() if not weight.requires_grad] == ["ln_final.bias"]


def test_the_second_training_of_a_model_learns_what_the_first_froze(world_pairs, tmp_path):
    towers = model("tiny-vit")
    decoded = Decoded(world_pairs, towers.canvas)
    fit(towers, decoded, replace(SHORT, learn="image"), tmp_path / "first", progress=Silent())
    between = copied(towers)
    fit(towers, decoded, replace(SHORT, learn="text"), tmp_path / "second", progress=Silent())
    now = changed(between, copied(towers))
    assert {"token_embedding.weight", "text_projection"} <= now
    assert not any(name.startswith("visual.") for name in now)


@pytest.mark.parametrize(("asked", "answer"), [("texts", "Did you mean text?"), ("all", "Known: both, image, text.")])
def test_a_tower_that_does_not_exist_gets_a_sentence(asked, answer):
    with pytest.raises(BezoarError, match=f"no tower {asked}") as caught:
        Settings(learn=asked)
    assert answer in str(caught.value)
