"""A linear classifier on the picture vectors of a model, kept beside its weights.

* `head.safetensors` holds `weight` (c, d) and `bias` (c,), `head.json` the class names in their order.
* It reads raw vectors, as it was trained on (CleanCLIP's code does not bring them to length one either).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save as safetensors_bytes

from bezoar.models.checkpoint import read_weights
from bezoar.models.towers import place
from bezoar.run import BezoarError, stamp, write_bytes, write_json

HEAD_FILE = "head.safetensors"
CLASSES_FILE = "head.json"


@dataclass(frozen=True)
class Head:
    """`weight` float32 (c, d), `bias` float32 (c,), and the names of the c classes."""

    weight: torch.Tensor
    bias: torch.Tensor
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != (len(self.classes),) or len(self.weight) != len(self.classes):
            raise ValueError(
                f"weight {tuple(self.weight.shape)}, bias {tuple(self.bias.shape)}, {len(self.classes)} classes"
            )

    def predict(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the class of each raw picture vector (n, d), int64 (n,)."""
        if vectors.shape[1] != self.weight.shape[1]:
            raise BezoarError(
                f"The head beside the model reads {self.weight.shape[1]} numbers, and the model gives "
                f"{vectors.shape[1]}.",
                f"Take {HEAD_FILE} away, or put its own model beside it.",
            )
        logits = torch.from_numpy(vectors) @ self.weight.T + self.bias
        return np.asarray(logits.argmax(dim=1).numpy(), np.int64)


def save_head(folder: Path, head: Head) -> None:
    """Write the head beside the weights of a model."""
    tensors = {
        name: tensor.detach().float().cpu().contiguous()
        for name, tensor in (("weight", head.weight), ("bias", head.bias))
    }
    write_json(folder / CLASSES_FILE, {"classes": list(head.classes)})
    write_bytes(folder / HEAD_FILE, safetensors_bytes(tensors))


def load_head(model: str | Path) -> Head | None:
    """Return the head beside the weights of a MODEL, None where there is none; BezoarError for a broken one."""
    folder = place(model)
    if folder is None or not (folder / HEAD_FILE).is_file():
        return None
    weights = read_weights(folder / HEAD_FILE)
    try:
        classes = json.loads((folder / CLASSES_FILE).read_text(encoding="utf-8"))["classes"]
        return Head(weights["weight"].float(), weights["bias"].float(), tuple(map(str, classes)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BezoarError(
            f"{folder / HEAD_FILE} and {CLASSES_FILE} do not make a classifier.", "Repair the model again."
        ) from error


def head_state(model: str | Path) -> dict[str, str]:
    """Return {"head": digest} that changes with the head beside a MODEL; nothing where there is none."""
    folder = place(model)
    if folder is None or not (folder / HEAD_FILE).is_file():
        return {}
    return {"head": stamp([folder / HEAD_FILE, folder / CLASSES_FILE])}
