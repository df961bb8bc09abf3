"""Reading weights without executing anything that lies in the file."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from bezoar.run import BezoarError


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file, or of a torch file read with `weights_only=True`."""
    if not path.is_file():
        raise BezoarError(f"No weights at {path}.", "Name a .safetensors or .pt file.")
    try:
        state = load_file(path) if path.suffix == ".safetensors" else _read_torch(path)
    except (SafetensorError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise BezoarError(f"{path.name} cannot be read as weights.", "It may be cut off: fetch it again.") from error
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise BezoarError(f"{path.name} holds no weights.", "Name the file with the model's state.")
    return {name.removeprefix("module."): value for name, value in state.items()}


def _read_torch(path: Path) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a plain pickle warns of its protocol before it is refused
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BezoarError(
            f"{path.name} is a pickle that would run code, or no checkpoint at all; it was not loaded.",
            "Ask its owner for safetensors.",
        ) from error
    return dict(state.get("state_dict", state)) if isinstance(state, dict) else {}
