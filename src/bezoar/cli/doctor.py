"""`bezoar doctor`: what is installed, which device, which caches, how fast."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bezoar.cli import options
from bezoar.run import Answer, Progress, cache_folder, pick_device, use_cores
from bezoar.run.machine import describe

# Distribution names, as pip knows them.
PACKAGES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "lightning-fabric",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "pillow",
    "safetensors",
    "rich",
    "jinja2",
)
_SIDE = 1024
_MEASURE_S = 0.3


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the device to measure."""
    options.device(parser)


def call(asked: argparse.Namespace, progress: Progress) -> Answer:
    """Look at this machine."""
    from bezoar import __version__

    with progress.step("import") as step:
        device = pick_device(asked.device)
        threads = use_cores()
        step.note("torch")
    with progress.step("measure") as step:
        speed = {kind: _gflops(kind, device) for kind in ("float32", "bfloat16")}
        step.note(f"products of {_SIDE} × {_SIDE}")
    summary = {
        "bezoar": __version__,
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": describe(),
        "device": device,
        "threads": threads,
        "gflops": speed,
        "caches": [{"name": name, "path": str(path), "bytes": _bytes(path)} for name, path in _caches()],
    }
    return Answer(summary, _lines(summary))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _caches() -> list[tuple[str, Path]]:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    hub = Path(os.environ.get("HF_HOME") or home / "huggingface")
    torch_home = Path(os.environ.get("TORCH_HOME") or home / "torch")
    return [
        ("bezoar", cache_folder()),
        ("huggingface", hub),
        ("torch", torch_home),
        ("open_clip", home / "clip"),
    ]


def _bytes(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            path = Path(root) / name
            with suppress(OSError):  # a cache changes while it is counted
                total += path.lstat().st_size
    return total


def _gflops(kind: str, device: str) -> float:
    """Return the best rate of products of two square matrices, in 10⁹ operations a second."""
    import torch

    left = torch.ones(_SIDE, _SIDE, dtype=getattr(torch, kind), device=device)
    best, ends = float("inf"), time.perf_counter() + _MEASURE_S
    while True:
        begun = time.perf_counter()
        product = left @ left
        product[0, 0].item()  # waits for a GPU
        best = min(best, time.perf_counter() - begun)
        if time.perf_counter() > ends:
            return round(2 * _SIDE**3 / best / 1e9, 1)


def _lines(summary: dict[str, Any]) -> list[str]:
    machine = summary["machine"]
    lines = [
        f"bezoar {summary['bezoar']}, Python {machine['python']}, {machine['platform']}",
        f"Device    {summary['device']}: {machine['gpu'] or machine['cpu']}, {summary['threads']} threads of "
        f"{machine['cores']} cores, {machine['memory_gb']} GB",
        f"Speed     {summary['gflops']['float32']:,.0f} GFLOP/s in float32, "
        f"{summary['gflops']['bfloat16']:,.0f} in bfloat16",
    ]
    lines += [f"Cache     {cache['bytes'] / 1e6:9,.1f} MB  {cache['path']}" for cache in summary["caches"]]
    lines += [f"Package   {name:<17} {found or 'missing'}" for name, found in summary["packages"].items()]
    return lines
