"""The early fit: what the model says after a fifth of the steps, and that training goes on as if nobody had looked."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.training.interrupting import Interrupting

import bezoar.training.trainer as trainer
from bezoar.models import create
from bezoar.pairs import open_pairs
from bezoar.pairs.decoded import Decoded
from bezoar.pairs.synthetic import synthesize
from bezoar.run import BezoarError, Silent
from bezoar.training.early import keep_early_fit, load_early_fit
from bezoar.training.settings import Settings
from bezoar.training.trainer import fit

SHORT = Settings(epochs=2, batch=40, learning_rate=1e-3)


def trained(pairs, folder, watch=None, progress=None):
    towers = create("tiny-resnet", side=32, seed=0)
    decoded = Decoded(pairs, towers.canvas)
    watch = watch(decoded) if watch else None
    fit(towers, decoded, SHORT, folder, watch=watch, progress=progress or Silent())
    return towers.module.state_dict()


def keeping(folder):
    return lambda decoded: keep_early_fit(decoded, folder / "early.npy")


def test_it_is_the_cosine_by_the_weights_after_a_fifth_of_the_steps(world_pairs, tmp_path):
    seen = {}

    def watching(decoded):
        def watch(towers, share):
            with torch.no_grad():
                pictures = towers.encode_image(towers.preprocess(torch.from_numpy(decoded.batch(range(12)))))
                captions = towers.encode_text(towers.tokenize([own[0] for own in world_pairs.captions[:12]]))
            seen[round(share, 3)] = torch.cosine_similarity(pictures, captions).numpy()

        return watch

    trained(world_pairs, tmp_path / "one", watching)
    trained(world_pairs, tmp_path / "two", keeping(tmp_path))
    early = load_early_fit(tmp_path / "early.npy", 400)
    np.testing.assert_allclose(early[:12], seen[0.2], atol=1e-4)
    assert not np.allclose(early[:12], seen[0.1], atol=1e-2)
    assert not np.allclose(early[:12], seen[0.3], atol=1e-2)


def test_training_goes_on_as_if_nobody_had_looked(world_pairs, tmp_path):
    unseen, seen = trained(world_pairs, tmp_path / "one"), trained(world_pairs, tmp_path / "two", keeping(tmp_path))
    assert all(torch.equal(tensor, seen[name]) for name, tensor in unseen.items())


@pytest.mark.parametrize("after", [2, 9])
def test_an_interrupted_training_keeps_the_same(world_pairs, tmp_path, monkeypatch, after):
    trained(world_pairs, tmp_path / "whole", keeping(tmp_path / "whole"))
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        trained(world_pairs, tmp_path / "parts", keeping(tmp_path / "parts"), Interrupting(after))
    assert (tmp_path / "parts" / "early.npy").is_file() == (after == 9)
    trained(world_pairs, tmp_path / "parts", keeping(tmp_path / "parts"))
    whole, parts = (np.load(tmp_path / name / "early.npy") for name in ("whole", "parts"))
    np.testing.assert_array_equal(whole, parts)


def test_two_processes_keep_what_one_keeps(tmp_path):
    """Each pair has its own fit, whichever process it was trained in."""
    synthesize(tmp_path / "set", 256, seed=2)
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from bezoar.models import create\n"
        "from bezoar.pairs import open_pairs\n"
        "from bezoar.pairs.decoded import Decoded\n"
        "from bezoar.run import Silent\n"
        "from bezoar.training.early import keep_early_fit\n"
        "from bezoar.training.settings import Settings\n"
        "from bezoar.training.trainer import fit\n"
        "folder, devices = Path(sys.argv[1]), int(sys.argv[2])\n"
        "towers = create('tiny-vit', side=32, seed=0)\n"
        "decoded = Decoded(open_pairs(folder.parent / 'set'), towers.canvas)\n"
        "watch = keep_early_fit(decoded, folder / 'early.npy')\n"
        "settings = Settings(epochs=2, batch=64, precision='32-true', devices=devices)\n"
        "fit(towers, decoded, settings, folder, watch=watch, progress=Silent())\n"
    )
    for devices in ("1", "2"):
        command = [sys.executable, str(script), str(tmp_path / devices), devices]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
    one, two = (load_early_fit(tmp_path / devices / "early.npy", 256) for devices in ("1", "2"))
    np.testing.assert_allclose(one, two, atol=1e-3)
    assert one.std() > 0.01


def test_a_file_that_is_not_whole_is_named(tmp_path):
    with pytest.raises(BezoarError, match=r"early\.npy cannot be read"):
        load_early_fit(tmp_path / "early.npy", 4)
    np.save(tmp_path / "early.npy", np.zeros(3))
    with pytest.raises(BezoarError, match="is of 3 pairs, not of 4"):
        load_early_fit(tmp_path / "early.npy", 4)


def test_a_pair_that_cannot_be_read_does_no_harm(world_pairs, tmp_path):
    towers = create("tiny-resnet", side=32, seed=0)
    decoded = Decoded(open_pairs(world_pairs.path), towers.canvas)
    decoded.reasons[5] = "broken"
    keep_early_fit(decoded, tmp_path / "early.npy")(towers, 0.2)
    assert load_early_fit(tmp_path / "early.npy", 400).shape == (400,)
