"""Arithmetic on weights: the way back is the way there, and no further than the watch allows."""

import copy

import pytest
import torch

from bezoar.models import create
from bezoar.training.arithmetic import step_back, subtract


@pytest.fixture(scope="module")
def trained():
    """A model, and the same after it has learnt something: other weights, other running statistics."""
    first, taught = create("tiny-resnet", side=32, seed=0), create("tiny-resnet", side=32, seed=1)
    taught.module.visual.bn1.running_var.fill_(9.0)
    return first, taught.module.state_dict()


def test_every_weight_goes_the_same_way_back(trained):
    first, taught = trained
    towers = copy.deepcopy(first)
    subtract(towers, taught, 0.5)
    before = dict(first.module.named_parameters())
    for name, weight in towers.module.named_parameters():
        torch.testing.assert_close(weight, before[name] - 0.5 * (taught[name] - before[name]))


def test_running_statistics_stay(trained):
    first, taught = trained
    towers = copy.deepcopy(first)
    subtract(towers, taught, 1.0)
    assert torch.equal(towers.module.visual.bn1.running_var, first.module.visual.bn1.running_var)


@pytest.mark.parametrize(("allowed", "tenths"), [(10, 10), (3, 3), (0, 0)])
def test_it_stops_at_the_last_tenth_that_the_watch_allows(trained, allowed, tenths):
    first, taught = trained
    towers, wanted, heard = copy.deepcopy(first), copy.deepcopy(first), []

    def watch(asked, share):
        assert asked is towers
        heard.append(share)
        return len(heard) <= allowed

    step_back(towers, taught, 2.0, watch)
    subtract(wanted, taught, 2.0 * tenths / 10)
    for name, weight in towers.module.named_parameters():
        torch.testing.assert_close(weight, wanted.module.get_parameter(name))
    assert heard == pytest.approx([tenth / 10 for tenth in range(1, min(10, allowed + 1) + 1)])
