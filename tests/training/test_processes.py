"""Two processes train as one does: the same losses, step for step."""

import json
import os
import subprocess
import sys

import pytest
import torch

from bezoar.models import load
from bezoar.pairs.synthetic import synthesize

FRESH = ("--arch", "tiny-vit", "--canvas", "32")


def losses(folder, devices, sets, how=FRESH):
    command = [sys.executable, "-m", "bezoar", "train", str(sets), *how]
    command += ["--epochs", "2", "--precision", "32-true", "--device", "cpu", "--devices", str(devices)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--to", str(folder)], env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Trained on") == 1
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_two_processes_have_the_losses_of_one(tmp_path):
    synthesize(tmp_path / "set", 256, seed=2)
    one, two = (losses(tmp_path / str(devices), devices, tmp_path / "set") for devices in (1, 2))
    assert len(one) == len(two) == 8
    # A wrong gradient would show from the second step on.
    assert two == pytest.approx(one, rel=1e-3)


@pytest.mark.parametrize("recipe", ["safeclip", "roclip"])
def test_two_processes_have_the_losses_of_one_in_every_phase_of_a_recipe(tmp_path, recipe):
    """Vectors are gathered with their gradients, in the order of the batch; banks and splits are the same for all."""
    synthesize(tmp_path / "set", 256, seed=2)
    how = (*FRESH, "--recipe", recipe, "--learning-rate", "1e-4")
    one, two = (losses(tmp_path / str(devices), devices, tmp_path / "set", how) for devices in (1, 2))
    assert len(one) == len(two) >= 6
    assert two == pytest.approx(one, rel=2e-3)


def test_two_processes_fine_tune_one_tower_as_one_does_and_leave_the_other(tmp_path):
    synthesize(tmp_path / "set", 256, seed=2)
    losses(tmp_path / "start", 1, tmp_path / "set")
    how = ("--from", str(tmp_path / "start"), "--learn", "text")
    one, two = (losses(tmp_path / str(devices), devices, tmp_path / "set", how) for devices in (1, 2))
    assert two == pytest.approx(one, rel=1e-3)
    before, after = (load(tmp_path / name).module.state_dict() for name in ("start", "2"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert "text_projection" in changed
    assert not any(name.startswith("visual.") for name in changed)
