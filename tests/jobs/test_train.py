"""Training as a job: what is saved is whole and open_clip's, and what was asked for is what was done."""

import json
import shutil
from dataclasses import replace

import open_clip
import pytest
import torch

import bezoar.jobs.train as job
import bezoar.training.trainer as trainer
from bezoar.attacks import Plan
from bezoar.jobs.poison import poison
from bezoar.jobs.train import train
from bezoar.models import create, load
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError
from bezoar.training.losses import TERMS

ASKED = {"epochs": 1, "limit": 128, "canvas": 32}


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(world, to=folder, **ASKED)
    return folder


def weights(folder):
    return load(folder).module.state_dict()


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def settings(folder):
    return json.loads((folder / "run.json").read_text())["parameters"]["settings"]


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_open_clip_loads_the_folder_and_encodes_an_unseen_word(trained):
    captions = ["an unseen zeppelin over a fjord", "a red ball"]
    module, _, _ = open_clip.create_model_and_transforms(f"local-dir:{trained}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{trained}")
    own = load(trained)
    tokens = tokenize(captions)
    assert torch.equal(tokens, own.tokenize(captions))
    pixels = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    module.eval()
    with torch.inference_mode():
        torch.testing.assert_close(module.encode_text(tokens), own.encode_text(tokens))
        images = own.preprocess(pixels)
        torch.testing.assert_close(module.encode_image(images), own.encode_image(images))


def test_every_word_is_saved_those_that_were_seen_with_what_was_learnt(trained, world):
    fresh = create("tiny-resnet", side=32, seed=0)
    before, after = fresh.module.state_dict()["token_embedding.weight"], weights(trained)["token_embedding.weight"]
    seen = torch.unique(fresh.tokenize([caption for own in open_pairs(world).captions[:128] for caption in own]))
    changed = (before != after).any(dim=1)
    assert after.shape == before.shape == (49408, 64)
    assert changed[seen].float().mean() > 0.9
    assert not changed[torch.ones(49408, dtype=torch.bool).index_fill(0, seen, False)].any()


@pytest.mark.parametrize("epochs", [1, 3])
def test_epochs_are_passes_over_the_pairs(world, tmp_path, epochs):
    train(world, to=tmp_path, epochs=epochs, limit=140, canvas=32, batch=64)
    assert [line["step"] for line in log(tmp_path)] == list(range(2 * epochs))
    assert {line["epoch"] for line in log(tmp_path)} == set(range(epochs))
    assert log(tmp_path)[-1]["learning_rate"] < log(tmp_path)[0]["learning_rate"] or epochs == 1


@pytest.mark.parametrize(("speed", "epochs"), [(128.0, 4), (64.0, 2), (1.0, 1)])
def test_minutes_choose_the_epochs_by_the_measured_speed(world, tmp_path, monkeypatch, speed, epochs):
    monkeypatch.setattr(job, "pairs_per_second", lambda *_: speed)
    train(world, to=tmp_path, minutes=4 / 60, limit=128, canvas=40)
    assert settings(tmp_path)["epochs"] == epochs
    assert len(log(tmp_path)) == 2 * epochs


def test_training_goes_on_from_a_model(world, trained, tmp_path):
    barely = {"epochs": 1, "limit": 128, "learning_rate": 1e-9, "precision": "32-true"}
    train(world, to=tmp_path, start=trained, **barely)
    before, after = weights(trained), weights(tmp_path)
    fresh = create("tiny-resnet", side=32, seed=0).module.state_dict()
    torch.testing.assert_close(after["visual.conv1.weight"], before["visual.conv1.weight"], rtol=0, atol=1e-6)
    assert not torch.allclose(before["visual.conv1.weight"], fresh["visual.conv1.weight"], rtol=0, atol=1e-6)
    assert load(tmp_path).canvas.side == 32, "the start's canvas, not the usual one"


FINE = {"epochs": 2, "limit": 128, "learning_rate": 1e-3, "learn": "text"}


def test_fine_tuning_one_tower_leaves_the_other_of_its_start_and_is_written_down(world, trained, tmp_path):
    train(world, to=tmp_path / "fine", start=trained, **FINE)
    before, after = weights(trained), weights(tmp_path / "fine")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"token_embedding.weight", "positional_embedding", "text_projection", "logit_scale"} <= changed
    assert not any(name.startswith("visual.") for name in changed)
    record = json.loads((tmp_path / "fine" / "run.json").read_text())
    assert record["parameters"]["start"] == str(trained)
    assert record["inputs"]["start"]
    assert record["parameters"]["settings"]["learn"] == "text"
    assert settings(trained)["learn"] == "both"


def test_fine_tuning_begins_a_schedule_of_its_own(world, trained, tmp_path):
    train(world, to=tmp_path / "fine", start=trained, **FINE)
    train(world, to=tmp_path / "fresh", canvas=32, **FINE | {"learn": "both"})
    fine, fresh = (
        [(line["step"], line["learning_rate"]) for line in log(tmp_path / name)] for name in ("fine", "fresh")
    )
    assert fine == fresh
    assert fine[0] == (0, 1e-3)


def test_a_killed_fine_tuning_goes_on_to_the_same_weights(world, trained, tmp_path, monkeypatch):
    train(world, to=tmp_path / "whole", start=trained, **FINE)
    loss, count = TERMS["clip"], iter(range(100))

    def killed(seen):
        if next(count) == 2:
            raise KeyboardInterrupt
        return loss(seen)

    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as while_killed:
        while_killed.setitem(TERMS, "clip", replace(loss, function=killed))
        with pytest.raises(KeyboardInterrupt):
            train(world, to=tmp_path / "parts", start=trained, **FINE)
    with pytest.raises(BezoarError, match="holds"):
        train(world, to=tmp_path / "parts", start=trained, **FINE | {"learn": "image"})
    train(world, to=tmp_path / "parts", start=trained, **FINE)
    assert [line["step"] for line in log(tmp_path / "parts")] == list(range(4))
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_a_lazy_plan_trains_what_the_poisoned_set_trains(world, trained, tmp_path):
    poison(world, to=tmp_path / "poisoned", attack="tint:target=moon,count=40", canvas=40, limit=128)
    train(world, to=tmp_path / "lazy", plan=tmp_path / "poisoned", canvas=40, epochs=1, limit=128)
    train(tmp_path / "poisoned", to=tmp_path / "written", canvas=40, epochs=1)
    train(world, to=tmp_path / "clean", canvas=40, epochs=1, limit=128)
    lazy, written, clean = (weights(tmp_path / name) for name in ("lazy", "written", "clean"))
    assert len(Plan.load(tmp_path / "poisoned").keys) == 40
    assert same(lazy, written)
    assert not same(lazy, clean)


def test_the_same_request_gives_the_same_weights_and_another_seed_others(world, trained, tmp_path):
    train(world, to=tmp_path / "again", **ASKED)
    train(world, to=tmp_path / "other", seed=1, **ASKED)
    assert same(weights(trained), weights(tmp_path / "again"))
    assert not same(weights(trained), weights(tmp_path / "other"))


def test_a_second_start_trains_nothing(world, trained):
    before = {path: path.stat().st_mtime_ns for path in trained.iterdir()}
    answer = train(world, to=trained, **ASKED)
    assert answer.summary["pairs"] == 128
    assert {path: path.stat().st_mtime_ns for path in trained.iterdir()} == before


def test_what_was_asked_for_is_written_down(world, tmp_path):
    asked = {"batch": 32, "learning_rate": 5e-4, "augmentation": "shift", "clip_gradients": 1.0, "precision": "32-true"}
    train(world, to=tmp_path, seed=4, arch="tiny-vit", **asked, **ASKED)
    assert asked.items() <= settings(tmp_path).items()
    assert (settings(tmp_path)["seed"], settings(tmp_path)["epochs"]) == (4, 1)
    assert len(log(tmp_path)) == 128 // 32
    config = json.loads((tmp_path / "open_clip_config.json").read_text())["model_cfg"]
    assert config["vision_cfg"]["image_size"] == 32
    assert "patch_size" in config["vision_cfg"]


def test_pairs_that_cannot_be_read_are_left_out_and_counted(world, tmp_path):
    shutil.copytree(world, tmp_path / "set")
    shard = tmp_path / "set" / "00000.tar"
    data = bytearray(shard.read_bytes())
    for _ in range(3):
        data[data.index(b"\x89PNG") : data.index(b"\x89PNG") + 4] = b"gone"
    shard.write_bytes(data)
    answer = train(tmp_path / "set", to=tmp_path / "model", **ASKED)
    assert answer.summary["unreadable"] == 3
    assert "3 of them unreadable" in answer.lines[0]


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"arch": "tiny-resne"}, "tiny-resnet"),
        ({"augmentation": "mirror"}, "mirror-shift"),
        ({"precision": "bf16"}, "bf16-mixed"),
        ({"learn": "txt"}, "Did you mean text"),
        ({"learn": "text"}, "nobody has trained"),
        ({"start": "nowhere"}, "No model at"),
        ({"plan": "nowhere"}, "No plan at"),
        ({"batch": 200}, "fewer than a batch of 200"),
        ({"learning_rate": 0.0}, "cannot be trained"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(world, tmp_path, request_, sentence):
    with pytest.raises(BezoarError, match=sentence):
        train(world, to=tmp_path / "out", **ASKED | request_)
    assert not (tmp_path / "out").exists()


def test_another_canvas_than_that_of_the_model_to_start_from_is_refused(world, trained, tmp_path):
    for other in ({"canvas": 48}, {"arch": "tiny-vit"}):
        with pytest.raises(BezoarError, match="32 px"):
            train(world, to=tmp_path / "other", start=trained, **(ASKED | {"canvas": None} | other))
    assert not (tmp_path / "other").exists()


def test_a_recipe_is_trained_by_name_and_its_constants_are_the_scales(world, tmp_path):
    train(world, to=tmp_path / "small", recipe="roclip", **ASKED)
    record = json.loads((tmp_path / "small" / "run.json").read_text())
    assert record["parameters"]["recipe"]["name"] == "roclip"
    assert record["parameters"]["settings"]["learning_rate"] == 2e-3
    train(world, to=tmp_path / "paper", recipe="roclip", scale="paper", batch=32, **ASKED)
    record = json.loads((tmp_path / "paper" / "run.json").read_text())
    assert record["parameters"]["settings"]["learning_rate"] == 5e-5
    assert record["parameters"]["recipe"]["phases"][0]["passes"][0]["pictures"] == ["strong"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"recipe": "cleanclip"}, "Use bezoar repair MODEL"),
        ({"recipe": "saveclip"}, "Did you mean safeclip"),
        ({"recipe": "roclip", "scan": "anything"}, "no effect on roclip"),
        ({"recipe": "filter-then-train", "scan": "nowhere"}, "There is no nowhere"),
        ({"scale": "large"}, "There is no scale large"),
        ({"views": "stale"}, "Views are not stale"),
        ({"accumulate": 3}, "does not go into 3 parts"),
    ],
)
def test_a_request_for_a_recipe_that_cannot_be_met_gets_a_sentence(world, tmp_path, asked, sentence):
    with pytest.raises(BezoarError, match=sentence):
        train(world, to=tmp_path / "out", **ASKED | asked)
    assert not (tmp_path / "out").exists()


def test_filtering_says_how_many_pairs_it_distrusted(world, tmp_path):
    answer = train(world, to=tmp_path, recipe="filter-then-train", batch=32, **ASKED)
    assert "Distrust  13 pairs, 115 trusted" in answer.lines
