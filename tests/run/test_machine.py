from __future__ import annotations

import json
import os

import pytest

from bezoar.run import BezoarError, cores, pick_device, use_cores
from bezoar.run.machine import describe


def test_the_machine_is_json_and_has_cores() -> None:
    machine = describe()
    assert json.loads(json.dumps(machine)) == machine
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_a_gpu_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == "cpu"
    with pytest.raises(BezoarError, match="no CUDA device") as caught:
        pick_device("cuda")
    assert caught.value.code == 2
    with pytest.raises(BezoarError, match="Did you mean cuda"):
        pick_device("cudda")


def test_a_gpu_that_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert pick_device("auto") == pick_device("cuda") == "cuda"
    assert pick_device("cpu") == "cpu"


def test_use_cores_sets_threads_once() -> None:
    import torch

    before = torch.get_num_threads()
    try:
        use_cores.cache_clear()
        assert use_cores() == torch.get_num_threads() >= 1
        torch.set_num_threads(1)
        use_cores()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
