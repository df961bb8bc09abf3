"""Arithmetic on weights: what a little training has taught is taken away again.

Ilharco et al. 2023, arXiv 2212.04089 (task vectors); for backdoors arXiv 2510.14845: θ − α (θ' − θ), where θ' is θ
after a few more steps on triggered pairs. Running statistics of batch norms are no weights and stay: a variance less
another may be negative.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from bezoar.models import Towers

TENTHS = 10


def subtract(towers: Towers, poisoned_state: Mapping[str, Tensor], alpha: float) -> None:
    """Move every weight of `towers` from θ to θ - alpha (θ' - θ), in place; `poisoned_state` is θ' by name."""
    with torch.no_grad():
        for name, weight in towers.module.named_parameters():
            weight.sub_(alpha * (poisoned_state[name].to(weight) - weight))


def step_back(
    towers: Towers, poisoned_state: Mapping[str, Tensor], factor: float, watch: Callable[[Towers, float], bool | None]
) -> None:
    """Subtract in tenths of `factor` as far as `watch` allows, in place; where it refuses, the tenth before stays.

    `watch` is called as a trainer calls it: with the whole model and the share of the way.
    """
    first = copy.deepcopy(towers.module.state_dict())

    def go(tenth: int) -> None:
        towers.module.load_state_dict(first)
        subtract(towers, poisoned_state, factor * tenth / TENTHS)

    for tenth in range(1, TENTHS + 1):
        go(tenth)
        if watch(towers, tenth / TENTHS) is False:
            go(tenth - 1)
            return
