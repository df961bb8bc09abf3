"""Every recipe on the one trainer: it can be killed anywhere, its batch can be cut, and it trains what it says."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.interrupting import Interrupting

import bezoar.training.trainer as trainer
from bezoar.models import create
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError, Silent
from bezoar.training.captions import tokenize_captions
from bezoar.training.looks import Batch, Looks, every_token
from bezoar.training.recipes import RECIPES, cleanclip, par, safeclip, unlearn
from bezoar.training.trainer import CHECKPOINT, LOG, fit
from bezoar.training.vocabulary import cut_vocabulary
from bezoar.views import open_synonyms

PAIRS = 160
KILLED = [*RECIPES.values(), safeclip("view-mismatch")]


def short(recipe, **changes):
    return replace(
        recipe.settings, **{"epochs": 4, "batch": 16, "precision": "32-true", "learning_rate": 1e-3, **changes}
    )


def given(recipe, pairs):
    scores = np.random.default_rng(0).random(len(pairs)) if "scan" in recipe.needs else None
    return {"scores": scores, "labels": pairs.labels if "labels" in recipe.needs else None}


def trained(recipe, pairs, folder, progress=None, arch="tiny-vit", watch=None, **changes):
    towers = create(arch, side=32, seed=0)
    state = fit(
        towers,
        Decoded(pairs, towers.canvas),
        short(recipe, **changes),
        folder,
        recipe=recipe,
        watch=watch,
        progress=progress or Silent(),
        **given(recipe, pairs),
    )
    return towers.module.state_dict(), state


def lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


@pytest.fixture
def pairs(world_pairs):
    return world_pairs.select(range(PAIRS))


@pytest.mark.parametrize("recipe", KILLED, ids=lambda recipe: recipe.name)
def test_killed_at_three_moments_and_started_again_a_recipe_ends_with_the_same_bits(
    pairs, tmp_path, monkeypatch, recipe
):
    whole, state = trained(recipe, pairs, tmp_path / "whole", epochs=2)
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    moments = sorted(np.random.default_rng(7).choice(state.steps_done - 2, 3, replace=False) + 1)
    before = 0
    for moment in moments:
        with pytest.raises(KeyboardInterrupt):
            trained(recipe, pairs, tmp_path / "parts", progress=Interrupting(moment - before), epochs=2)
        before = torch.load(tmp_path / "parts" / CHECKPOINT, weights_only=True)["steps_done"]
    resumed, end = trained(recipe, pairs, tmp_path / "parts", epochs=2)
    assert end.steps_done == state.steps_done
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name
    assert [line["loss"] for line in lines(tmp_path / "whole")] == [line["loss"] for line in lines(tmp_path / "parts")]
    if state.head is not None:
        assert torch.equal(state.head.weight, end.head.weight)


@pytest.mark.parametrize(
    "recipe",
    [
        recipe
        for recipe in RECIPES.values()
        if recipe.name not in ("filter-then-train", "filter-augmented", "task-arithmetic")
    ],
    ids=lambda recipe: recipe.name,
)
def test_a_batch_in_four_parts_has_the_gradient_of_the_whole(pairs, tmp_path, recipe):
    # The nearest of past captions changes by a leap, so RoCLIP may only take small steps here.
    changes = {"clip": {"clip_gradients": 1.0}, "roclip": {"learning_rate": 1e-5}}.get(recipe.name, {})
    whole, _ = trained(recipe, pairs, tmp_path / "whole", epochs=2, **changes)
    parts, _ = trained(recipe, pairs, tmp_path / "parts", epochs=2, accumulate=4, **changes)
    losses = [[line["loss"] for line in lines(tmp_path / name)] for name in ("whole", "parts")]
    assert losses[1] == pytest.approx(losses[0], rel=2e-3, abs=2e-4)
    assert max(float((whole[name] - parts[name]).abs().max()) for name in whole) < 2e-3


def test_safeclip_learns_apart_first_then_lets_ever_more_pairs_meet(pairs, tmp_path):
    recipe = safeclip().at("paper")
    grown = replace(recipe.phases[2], split=replace(recipe.phases[2].split, grow=0.2, most=0.9))
    recipe = replace(recipe, phases=(*recipe.phases[:2], grown))
    _, state = trained(recipe, pairs, tmp_path)
    log = lines(tmp_path)
    phases = list(dict.fromkeys(line["phase"] for line in log))
    assert phases == ["unimodal warm-up", "cross-modal warm-up", "safe training"]
    assert {line["pass"] for line in log if line["phase"] == "safe training"} == {"risky", "safe"}
    safe = [sum(line["pass"] == "safe" and line["epoch"] == epoch for line in log) for epoch in range(2, 5)]
    assert safe == sorted(safe)
    assert state.share > 0.4
    slow = [line["learning_rate"] for line in log if line["phase"] == "cross-modal warm-up"]
    assert max(slow) == pytest.approx(1e-5)


@pytest.mark.parametrize("parts", [1, 4])
def test_the_text_tower_rests_where_pictures_learn_from_past_captions(pairs, tmp_path, parts):
    """RoCLIP's captions come from the bank, detached: no gradient, and so no momentum either, whole or in parts."""
    recipe, seen = RECIPES["roclip"], []
    matched = replace(recipe.phases[0].passes[1], of=1, turn=0)
    only_matched = replace(recipe, phases=(replace(recipe.phases[0], passes=(matched,)),))

    def watch(towers, share):
        state = towers.module.state_dict()
        seen.append({name: state[name].clone() for name in ("text_projection", "visual.conv1.weight")})
        return True

    # The first batch fills the bank; until then pairs learn from their own captions.
    trained(only_matched, pairs, tmp_path, watch=watch, bank=16, epochs=1, accumulate=parts)
    assert len(seen) == 10
    assert torch.equal(seen[0]["text_projection"], seen[-1]["text_projection"])
    assert not torch.equal(seen[0]["visual.conv1.weight"], seen[-1]["visual.conv1.weight"])


def test_the_end_is_judged_where_a_split_makes_it_come_before_the_last_point(pairs, tmp_path):
    """Whole batches of the kept rows are fewer than those of all: the course ends between two points."""
    shares = []
    _, state = trained(unlearn(1.0, 0.25), pairs, tmp_path, watch=lambda _, share: shares.append(share) or True)
    assert state.steps_done == 4 * (120 // 16)
    assert shares[-1] == 1.0
    assert shares[:-1] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])


def test_filter_then_train_starts_anew_on_the_kept_pairs_alone(pairs, tmp_path):
    scores = np.arange(len(pairs), dtype=float)
    recipe = RECIPES["filter-then-train"]
    settings = short(recipe)
    kept = pairs.select(range(144))
    found, direct = create("tiny-vit", side=32, seed=0), create("tiny-vit", side=32, seed=0)
    fit(found, Decoded(pairs, found.canvas), settings, tmp_path / "a", recipe=recipe, scores=scores, progress=Silent())
    log = lines(tmp_path / "a")
    assert {line["phase"] for line in log} == {"train"}
    assert len(log) == 4 * 144 // 16
    fit(direct, Decoded(kept, direct.canvas), settings, tmp_path / "b", progress=Silent())
    assert sum(line["loss"] for line in lines(tmp_path / "b")[-9:]) == pytest.approx(
        sum(line["loss"] for line in log[-9:]), rel=0.2
    )


def test_without_a_scan_filter_then_train_looks_first_and_ends_as_if_it_never_had(pairs, tmp_path):
    """New weights and a new optimiser: nothing of the first phase but the split is left."""
    recipe = RECIPES["filter-then-train"]
    _, state = trained(recipe, pairs, tmp_path / "both")
    scores = np.where(state.safe, 0.0, 1.0)
    direct = create("tiny-vit", side=32, seed=0)
    fit(
        direct,
        Decoded(pairs, direct.canvas),
        short(recipe),
        tmp_path / "one",
        recipe=recipe,
        scores=scores,
        progress=Silent(),
    )
    second = [line["loss"] for line in lines(tmp_path / "both") if line["phase"] == "train"]
    assert len(second) == len(lines(tmp_path / "one"))
    assert second[0] == pytest.approx(lines(tmp_path / "one")[0]["loss"], rel=0.2)


def test_unlearning_pushes_distrusted_pairs_off_their_captions_and_not_the_others(pairs, tmp_path):
    towers = create("tiny-resnet", side=32, seed=0)
    decoded = Decoded(pairs, towers.canvas)
    fit(towers, decoded, replace(short(RECIPES["clip"]), epochs=8), tmp_path / "first", progress=Silent())
    scores = np.zeros(len(pairs))
    scores[:16] = 1.0

    def cosines():
        pixels = torch.from_numpy(decoded.batch(range(len(pairs))))
        tokens = towers.tokenize([own[0] for own in pairs.captions])
        with torch.inference_mode():
            image, text = towers.encode_image(towers.preprocess(pixels)), towers.encode_text(tokens)
        return torch.nn.functional.cosine_similarity(image, text)

    before = cosines()
    fit(
        towers,
        decoded,
        short(RECIPES["clip"]),
        tmp_path / "second",
        recipe=unlearn(4.0, 0.1),
        scores=scores,
        progress=Silent(),
    )
    after = cosines()
    assert abs(float(before[:16].mean() - before[16:].mean())) < 0.1
    assert float(after[:16].mean()) < 0.05
    assert float(after[16:].mean()) > 0.25


def test_par_moves_away_from_the_start_until_its_gate_closes(pairs, tmp_path):
    moved = []
    for threshold in (0.05, 1.5):
        folder = tmp_path / str(threshold)
        trained(par(threshold), pairs, folder, threshold=threshold)
        moved.append(-min(line["image-distance"] for line in lines(folder)))
    assert moved[0] < 0.05 + 1e-6
    assert moved[1] > 0.2


def test_par_leaves_the_temperature_alone(pairs, tmp_path):
    after, _ = trained(par(), pairs, tmp_path)
    assert float(after["logit_scale"]) == pytest.approx(float(create("tiny-vit").module.logit_scale.detach()))


def test_a_stronger_tie_within_modalities_weighs_more_in_cleanclip(pairs, tmp_path):
    for strength in (1.0, 5.0):
        trained(cleanclip(strength), pairs, tmp_path / str(strength))
        for line in lines(tmp_path / str(strength)):
            assert line["loss"] == pytest.approx(line["clip"] + strength * line["within-modality"], rel=1e-4)


def test_the_head_learns_the_classes(world_pairs, tmp_path):
    towers = create("tiny-resnet", side=32, seed=0)
    recipe = RECIPES["supervised-finetune"]
    decoded = Decoded(world_pairs, towers.canvas)
    settings = replace(short(recipe), epochs=6)
    state = fit(towers, decoded, settings, tmp_path, recipe=recipe, labels=world_pairs.labels, progress=Silent())
    log = lines(tmp_path)
    assert sum(line["classes"] for line in log[-10:]) < 0.8 * sum(line["classes"] for line in log[:10])
    assert state.head.weight.shape == (len(world_pairs.classes), 128)


def test_a_watch_that_refuses_gets_the_weights_it_accepted_last(pairs, tmp_path):
    seen = []

    def watch(towers, share):
        assert not towers.module.training
        assert towers.module.token_embedding.num_embeddings == 49408
        seen.append((share, {name: value.clone() for name, value in towers.module.state_dict().items()}))
        return len(seen) < 3

    after, state = trained(RECIPES["clip"], pairs, tmp_path, watch=watch)
    assert [share for share, _ in seen] == pytest.approx([0.1, 0.2, 0.3])
    assert state.stopped
    for name, value in seen[1][1].items():
        assert torch.equal(value, after[name]), name
    assert not torch.equal(seen[2][1]["visual.conv1.weight"], after["visual.conv1.weight"])


@pytest.mark.parametrize("after", [7, 8, 9, 11])
def test_killed_beside_a_point_of_the_watch_training_still_gets_the_weights_accepted_last(
    pairs, tmp_path, monkeypatch, after
):
    asked = []

    def watch(towers, share):
        asked.append(round(share, 3))
        return share < 0.25

    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    whole, _ = trained(RECIPES["clip"], pairs, tmp_path / "whole", watch=watch)
    asked.clear()
    try:
        trained(RECIPES["clip"], pairs, tmp_path / "parts", watch=watch, progress=Interrupting(after))
    except KeyboardInterrupt:
        resumed, state = trained(RECIPES["clip"], pairs, tmp_path / "parts", watch=watch)
        assert state.stopped
        assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    else:
        pytest.fail("training ended before it was killed")
    assert asked in ([0.1, 0.2, 0.3], [0.1, 0.2, 0.2, 0.3], [0.1, 0.2, 0.3, 0.3])


def test_a_watch_that_looks_on_changes_nothing(pairs, tmp_path):
    alone, _ = trained(RECIPES["clip"], pairs, tmp_path / "alone")
    watched, _ = trained(RECIPES["clip"], pairs, tmp_path / "watched", watch=lambda towers, share: True)
    assert all(torch.equal(alone[name], watched[name]) for name in alone)


def test_frozen_views_are_the_same_every_epoch_and_fresh_ones_are_not(pairs):
    recipe, towers, rows = RECIPES["clip-augmented"].at("paper"), create("tiny-vit", side=32, seed=0), np.arange(16)
    table, synonyms, walk = tokenize_captions(pairs, towers), open_synonyms(None), recipe.phases[0].passes[0]
    own = table.owned[table.starts[rows]]
    for views, same in (("fresh", False), ("frozen", True)):
        settings = short(recipe, views=views)
        with cut_vocabulary(towers.module, every_token(towers, table, recipe, synonyms)) as vocabulary:
            looks = Looks.of(towers, Decoded(pairs, towers.canvas), table, vocabulary, settings, synonyms)
            first, second = (looks.show(walk, Batch(rows, own, epoch)) for epoch in (0, 1))
        assert torch.equal(first.pixels, second.pixels) is same
        assert torch.equal(first.tokens[first.owned[0]], second.tokens[second.owned[0]]) is same


def test_no_distrusted_pair_gets_a_sentence(pairs, tmp_path):
    recipe = unlearn(2.0, 0.0)
    with pytest.raises(BezoarError, match="nothing to unlearn"):
        trained(recipe, pairs, tmp_path)
