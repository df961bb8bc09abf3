"""What bezoar saves, open_clip loads; what would run code is refused."""

import pickle

import open_clip
import pytest
import torch

from bezoar.models import create, load, save
from bezoar.run import BezoarError


class Payload:
    def __reduce__(self):
        return (print, ("this code ran",))


@pytest.mark.parametrize("arch", ["tiny-resnet", "tiny-vit"])
def test_open_clip_loads_what_is_saved(tmp_path, arch):
    towers = create(arch, side=32, seed=3)
    save(towers, tmp_path)
    module, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")
    module.eval()
    tokenize = open_clip.get_tokenizer(f"local-dir:{tmp_path}")
    pixels = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    words = ["an unseen zeppelin over a fjord", "a dog"]
    with torch.inference_mode():
        images = towers.preprocess(pixels)
        torch.testing.assert_close(module.encode_image(images), towers.encode_image(images))
        torch.testing.assert_close(module.encode_text(tokenize(words)), towers.encode_text(towers.tokenize(words)))
    assert preprocess.transforms[0].size == 32


def test_a_saved_model_comes_back_the_same(tmp_path):
    towers = create("tiny-resnet", seed=1)
    save(towers, tmp_path)
    again = load(tmp_path)
    assert again.canvas == towers.canvas
    assert again.config == towers.config
    for name, tensor in towers.module.state_dict().items():
        assert torch.equal(tensor, again.module.state_dict()[name]), name


def test_the_same_seed_draws_the_same_weights():
    first, second, other = (create("tiny-resnet", seed=seed).module.state_dict() for seed in (4, 4, 5))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["visual.conv1.weight"], other["visual.conv1.weight"])


def test_arch_and_file_load_a_torch_checkpoint(tmp_path):
    towers = create("tiny-resnet")
    torch.save({"state_dict": towers.module.state_dict()}, tmp_path / "model.pt")
    again = load(f"tiny-resnet:{tmp_path / 'model.pt'}")
    assert torch.equal(again.module.state_dict()["text_projection"], towers.module.state_dict()["text_projection"])


@pytest.mark.parametrize("write", [pickle.dump, lambda value, file: torch.save(value, file)])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, capsys, write):
    path = tmp_path / "model.pt"
    with path.open("wb") as file:
        write({"weights": Payload()}, file)
    with pytest.raises(BezoarError, match="pickle"):
        load(f"tiny-resnet:{path}")
    assert "this code ran" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["model.safetensors", "model.pt"])
def test_a_cut_off_checkpoint_gets_a_sentence(tmp_path, name):
    towers = create("tiny-resnet")
    save(towers, tmp_path)
    whole = (tmp_path / "open_clip_model.safetensors").read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BezoarError):
        load(f"tiny-resnet:{tmp_path / name}")


def test_weights_of_another_architecture_are_refused(tmp_path):
    save(create("tiny-resnet"), tmp_path)
    with pytest.raises(BezoarError, match="does not fit"):
        load(f"tiny-vit:{tmp_path / 'open_clip_model.safetensors'}")


def test_an_unknown_architecture_names_the_nearest():
    with pytest.raises(BezoarError, match="tiny-resnet"):
        create("tiny-resne")


@pytest.mark.parametrize("name", ["nowhere", "local-dir:nowhere"])
def test_a_missing_model_gets_a_sentence(name):
    with pytest.raises(BezoarError, match="No model at"):
        load(name)
