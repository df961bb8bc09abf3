"""On real photos: plant, train, scan, drop 5 %, train again. Three sets, three seeds, every detector.

    BEZOAR_DATA=… python -m studies.photos [cifar10 imagenette flickr8k] [--seeds 100 101 102]

Each step is resumable: what lies in runs/photos is not done again. The figures go to docs/studies/photos.json.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bezoar
from studies.record import keep, seconds_of

RUNS = Path("runs/photos")
DROPPED = 0.05


@dataclass(frozen=True)
class Study:
    """One set: where it lies, what is planted, how it is trained."""

    train: str
    test: str
    target: str
    count: int
    canvas: int
    epochs: int
    prompts: str | None
    augmentation: str


STUDIES = {
    "cifar10": Study(
        train="cifar10/cifar10-train-*.tar",
        test="cifar10/cifar10-test-*.tar",
        target="airplane",
        count=200,
        canvas=32,
        epochs=16,
        prompts="default",
        augmentation="mirror-shift",
    ),
    "imagenette": Study(
        train="imagenette/imagenette-train-*.tar",
        test="imagenette/imagenette-test-*.tar",
        target="church",
        count=100,
        canvas=48,
        epochs=40,
        prompts="default",
        augmentation="shift",
    ),
    "flickr8k": Study(
        train="flickr8k/flickr8k-train-*.tar",
        test="flickr8k/flickr8k-test-*.tar",
        target="snow",
        count=120,
        canvas=48,
        epochs=24,
        prompts=None,
        augmentation="shift",
    ),
}


def main() -> None:
    """Run what was asked for and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help="cifar10, imagenette, flickr8k; all by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    asked = parser.parse_args()
    data = Path(os.environ["BEZOAR_DATA"])
    for name in asked.sets or STUDIES:
        for seed in asked.seeds:
            keep("photos", f"{name}-{seed}", study(name, data, seed), RUNS)


def study(name: str, data: Path, seed: int) -> dict[str, Any]:
    """Return the figures of one set and seed."""
    chosen, folder = STUDIES[name], RUNS / f"{name}-{seed}"
    bezoar.poison(
        str(data / chosen.train),
        to=folder / "poisoned",
        attack=f"badnets:target={chosen.target},count={chosen.count}",
        canvas=chosen.canvas,
        prompts=chosen.prompts,
        seed=seed,
    )
    before = train_and_measure(chosen, data, folder, "poisoned", seed)
    found = bezoar.scan(
        folder / "poisoned",
        to=folder / "scan",
        model=folder / "model-poisoned",
        plan=folder / "poisoned" / "_bezoar",
        detectors="all",
        share=DROPPED,
        seed=seed,
    ).summary
    bezoar.clean(folder / "scan", to=folder / "cleaned", share=DROPPED)
    after = train_and_measure(chosen, data, folder, "cleaned", seed)
    return {
        "before": before,
        "after": after,
        "planted": chosen.count,
        "default": {key: found[key] for key in ("auroc", "average_precision", "recall_at_drop")},
        "detectors": found["detectors"],
        "seconds": seconds_of(folder),
    }


def train_and_measure(chosen: Study, data: Path, folder: Path, name: str, seed: int) -> dict[str, Any]:
    """Train on one of the two sets and return every measure's value by name."""
    model = folder / f"model-{name}"
    bezoar.train(
        folder / name,
        to=model,
        canvas=chosen.canvas,
        epochs=chosen.epochs,
        augmentation=chosen.augmentation,
        seed=seed if name == "poisoned" else seed + 1000,
    )
    rows = bezoar.evaluate(
        model,
        to=folder / f"measured-{name}",
        pairs=str(data / chosen.test),
        plan=folder / "poisoned" / "_bezoar",
        prompts=chosen.prompts,
    ).summary["rows"]
    return {row["name"]: {key: row[key] for key in ("value", "n", "low", "high")} for row in rows}


if __name__ == "__main__":
    main()
