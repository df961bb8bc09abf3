"""On generated pairs: the demo with its controls, and what the demo cannot show: a rare poison and a tint.

    python -m studies.generated [--seeds 100 101 102]

Each step is resumable: what lies in runs/generated is not done again. The figures go to docs/studies/generated.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import bezoar
from bezoar.demo import SIDE, TARGET, demo
from studies.record import keep

RUNS = Path("runs/generated")
# Beside the demo's own 120 patches: too few of them to be learnt, and a trigger without place or pattern.
OTHERS = {
    "rare": f"badnets:target={TARGET},count=20",
    "tint": f"tint:target={TARGET},count=120",
}


def main() -> None:
    """Run the seeds that were asked for and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    parser.add_argument("--only", choices=["demo", *OTHERS])
    asked = parser.parse_args()
    for seed in asked.seeds:
        if asked.only in (None, "demo"):
            keep("generated", f"demo-{seed}", story(seed), RUNS)
        for name, attack in OTHERS.items():
            if asked.only in (None, name):
                keep("generated", f"{name}-{seed}", other(name, attack, seed), RUNS)


def story(seed: int) -> dict[str, Any]:
    """Return the figures of the demo with its controls."""
    summary = demo(to=RUNS / f"demo-{seed}", seed=seed, controls=True).summary
    return {name: value for name, value in summary.items() if name != "measured"} | {
        "rates": {
            name: {measure: rows[measure] for measure in ("zero-shot-top1", "asr")}
            for name, rows in summary["measured"].items()
        }
    }


def other(name: str, attack: str, seed: int) -> dict[str, Any]:
    """Return what another attack on the demo's pairs does, and what the scan sees of it."""
    drawn, folder = RUNS / f"demo-{seed}", RUNS / f"{name}-{seed}"
    bezoar.poison(drawn / "pairs", to=folder / "poisoned", attack=attack, canvas=SIDE, seed=seed)
    bezoar.train(folder / "poisoned", to=folder / "model", canvas=SIDE, seed=seed)
    plan = folder / "poisoned" / "_bezoar"
    rows = bezoar.evaluate(
        folder / "model",
        to=folder / "measured",
        pairs=drawn / "test",
        plan=plan,
        prompts=str(drawn / "test" / "prompts.txt"),
    ).summary["rows"]
    found = bezoar.scan(
        folder / "poisoned", to=folder / "scan", model=folder / "model", plan=plan, detectors="all", seed=seed
    ).summary
    return {
        "rates": {row["name"]: row for row in rows},
        "default": {name: found[name] for name in ("auroc", "average_precision", "recall_at_drop")},
        "detectors": found["detectors"],
    }


if __name__ == "__main__":
    main()
