"""The home of models is open_clip: create one by architecture, load one, save one.

* A MODEL is a folder that open_clip loads as `local-dir:`, `hf-hub:ID`, or `ARCH:FILE`.
* Weights are read from safetensors or with `weights_only=True`; nothing in a file is executed.
* What is saved here, open_clip loads back (`tests/models/test_towers.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, cast

import open_clip
import torch
from safetensors.torch import save as safetensors_bytes
from torch import nn

from bezoar.canvas import OPENAI_MEAN, OPENAI_STD, Canvas
from bezoar.models.checkpoint import read_weights
from bezoar.run import BezoarError, fingerprint, nearest, stamp, write_bytes, write_json

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
_WEIGHTS = (WEIGHTS_FILE, "open_clip_pytorch_model.bin")
KEPT_CAPTIONS = 200_000


@dataclass(frozen=True)
class Towers:
    """An open_clip model with its configuration, as a `Clip`."""

    module: nn.Module
    config: dict[str, Any]
    canvas: Canvas
    tokenizer: Any
    _tokens: dict[str, torch.Tensor] = field(default_factory=dict, repr=False, compare=False)

    @property
    def logit_scale(self) -> torch.Tensor:
        """exp of the learnt logit scale."""
        return cast(torch.Tensor, self.module.logit_scale).exp()

    def preprocess(self, pixels: torch.Tensor) -> torch.Tensor:
        """See `Clip.preprocess`."""
        return self.canvas.normalise(pixels).contiguous(memory_format=torch.channels_last)

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """See `Clip.encode_image`."""
        return cast(torch.Tensor, self.module.encode_image(images))  # type: ignore[operator]

    def tokenize(self, captions: Sequence[str]) -> torch.Tensor:
        """See `Clip.tokenize`."""
        # Splitting a caption costs more than a small tower does: training, embedding and scanning do it once.
        known = self._tokens
        missing = list(dict.fromkeys(caption for caption in captions if caption not in known))
        if not captions or len(known) + len(missing) > KEPT_CAPTIONS:
            return cast(torch.Tensor, self.tokenizer(list(captions)))
        if missing:
            known.update(zip(missing, self.tokenizer(missing).unbind(), strict=True))
        return torch.stack([known[caption] for caption in captions])

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """See `Clip.encode_text`."""
        return cast(torch.Tensor, self.module.encode_text(tokens))  # type: ignore[operator]


def architectures() -> list[str]:
    """Return the names that `create` knows: bezoar's small ones first, then open_clip's."""
    return [*_own_architectures(), *open_clip.list_models()]


def create(arch: str, *, side: int | None = None, context: int | None = None, seed: int = 0) -> Towers:
    """Make an untrained model by architecture name, its weights drawn from `seed`.

    `side` and `context` replace the canvas side (pixels) and the text length (tokens) of the configuration.
    """
    config = _configuration(arch)
    if side is not None:
        config["vision_cfg"]["image_size"] = side
    if context is not None:
        config["text_cfg"]["context_length"] = context
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        towers = _build(config, {})
    if arch in _own_architectures():
        _open_residual_branches(towers.module)
    return towers


def load(model: str | Path, device: str = "cpu") -> Towers:
    """Load a MODEL: a folder, `hf-hub:ID` or `ARCH:FILE`. Refuses pickles with code in them."""
    name = str(model)
    if name.startswith("hf-hub:"):
        towers = _load_from_hub(name)
    elif Path(name).is_dir():
        towers = _load_folder(place(name) or Path(name))
    elif ":" in name and not name.startswith("local-dir:"):
        arch, _, file = name.partition(":")
        towers = _build(_configuration(arch), {}, Path(file))
    else:
        folder = Path(name.removeprefix("local-dir:"))
        if not folder.is_dir():
            raise BezoarError(f"No model at {name}.", "Name a folder, hf-hub:ID or ARCH:FILE.")
        towers = _load_folder(folder)
    towers.module.to(device).eval()
    return towers


def place(model: str | Path) -> Path | None:
    """Return the folder or file that a MODEL is read from (of a scan, the one it trained); None for one of the hub."""
    name = str(model)
    if name.startswith("hf-hub:"):
        return None
    path = Path(name) if Path(name).exists() else Path(name.partition(":")[2] or name)
    trained = path / "model"
    return trained if not (path / CONFIG_FILE).is_file() and (trained / CONFIG_FILE).is_file() else path


def state_of(model: str | Path) -> str:
    """Return a digest that changes with the weights of a MODEL: name, size and time of its files, or a hub's name."""
    source = place(model)
    if source is None:
        return fingerprint(str(model))
    return stamp([source / name for name in _WEIGHTS] if source.is_dir() else [source])


def save(towers: Towers, folder: Path) -> None:
    """Write weights and configuration so that open_clip loads `local-dir:FOLDER`."""
    weights = {name: tensor.contiguous().cpu() for name, tensor in towers.module.state_dict().items()}
    write_bytes(folder / WEIGHTS_FILE, safetensors_bytes(weights))
    canvas = towers.canvas
    preprocess = {
        "mean": list(canvas.mean),
        "std": list(canvas.std),
        "interpolation": canvas.interpolation,
        "resize_mode": canvas.resize,
    }
    write_json(folder / CONFIG_FILE, {"model_cfg": towers.config, "preprocess_cfg": preprocess})


def _own_architectures() -> list[str]:
    folder = resources.files("bezoar.models") / "configs"
    return sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))


def _configuration(arch: str) -> dict[str, Any]:
    if arch in _own_architectures():
        text = (resources.files("bezoar.models") / "configs" / f"{arch}.json").read_text()
        return cast(dict[str, Any], json.loads(text))
    config = open_clip.get_model_config(arch.replace("/", "-"))
    if config is None:
        raise BezoarError(f"No architecture {arch}.", nearest(arch, architectures()))
    return cast(dict[str, Any], config)


def _build(config: dict[str, Any], preprocess: dict[str, Any], weights: Path | None = None) -> Towers:
    # open_clip reads configurations by name or folder, so ours goes through its model class directly.
    arguments = json.loads(json.dumps(config))
    custom_text = arguments.pop("custom_text", False) or "hf_model_name" in arguments["text_cfg"]
    if "multimodal_cfg" in arguments:
        raise BezoarError("This is a CoCa configuration.", "Only models of two towers are supported.")
    model_class = open_clip.CustomTextCLIP if custom_text else open_clip.CLIP
    try:
        module = model_class(**arguments)
    except (TypeError, KeyError, ValueError, AttributeError, AssertionError, RuntimeError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BezoarError(f"open_clip cannot build this model ({what}).", "Check its configuration.") from error
    if weights is not None:
        _assign(module, weights)
    module.to(memory_format=torch.channels_last).eval()
    return Towers(module, config, _canvas(config, preprocess), _tokenizer(config))


def _assign(module: nn.Module, weights: Path) -> None:
    state = read_weights(weights)
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise BezoarError(
            f"{weights.name} does not fit its architecture ({str(error).splitlines()[-1].strip()}).",
            "Name the architecture that it was trained with: ARCH:FILE.",
        ) from error


def _canvas(config: dict[str, Any], preprocess: dict[str, Any]) -> Canvas:
    side = config["vision_cfg"].get("image_size", 224)
    resize = preprocess.get("resize_mode", "shortest")
    if not isinstance(side, int) or resize not in ("shortest", "squash"):
        raise BezoarError(
            f"This model looks at {side} with resize mode {resize}.", "Only square canvases are supported."
        )
    return Canvas(
        side=side,
        mean=tuple(preprocess.get("mean", OPENAI_MEAN)),
        std=tuple(preprocess.get("std", OPENAI_STD)),
        resize=resize,
        interpolation=preprocess.get("interpolation", "bicubic"),
    )


def _tokenizer(config: dict[str, Any]) -> Any:
    text = config["text_cfg"]
    length = text.get("context_length", 77)
    if "hf_tokenizer_name" in text:
        return open_clip.tokenizer.HFTokenizer(
            text["hf_tokenizer_name"], context_length=length, **text.get("tokenizer_kwargs", {})
        )
    return open_clip.SimpleTokenizer(context_length=length, **text.get("tokenizer_kwargs", {}))


def _load_folder(folder: Path) -> Towers:
    config_file = folder / CONFIG_FILE
    if not config_file.is_file():
        raise BezoarError(f"No model in {folder}: no {CONFIG_FILE}.", "Name a folder that open_clip loads.")
    try:
        text = json.loads(config_file.read_text(encoding="utf-8"))
        config, preprocess = text["model_cfg"], text.get("preprocess_cfg", {})
        if not {"embed_dim", "vision_cfg", "text_cfg"} <= config.keys():
            raise KeyError("model_cfg")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BezoarError(f"{config_file} is not a model configuration.", "Save the model again.") from error
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return _build(config, preprocess, folder / name)
    raise BezoarError(f"No weights in {folder}: no {WEIGHTS_FILE}.", "The training may not have finished.")


def _load_from_hub(name: str) -> Towers:
    from open_clip.factory import (
        _get_hf_config,
    )  # the one place where open_clip keeps a hub model's configuration

    try:
        saved = _get_hf_config(name.removeprefix("hf-hub:"))
        module = open_clip.create_model(name, require_pretrained=True)
    except Exception as error:  # open_clip and the hub raise many kinds
        raise BezoarError(f"{name} could not be fetched ({error}).", "Check the name and the network.") from error
    config = saved["model_cfg"]
    return Towers(module, config, _canvas(config, saved.get("preprocess_cfg", {})), _tokenizer(config))


def _open_residual_branches(module: nn.Module) -> None:
    # open_clip starts the last batch norm of each residual branch at zero; a tower of four blocks then learns
    # classes last, and in the few passes of a small run not at all.
    for name, parameter in module.named_parameters():
        if name.endswith("bn3.weight"):
            nn.init.ones_(parameter)
