"""bezoar finds planted image-text pairs in CLIP training sets, and gives the set back without them.

The verbs of the command line are functions here (`bezoar.scan`, `bezoar.clean`, `bezoar.train` …), beside the
nouns they work on. Everything is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Where each public name lives. No module bears the name of a public function: `bezoar.scan` is the function.
_HOMES = {
    "scan": "bezoar.jobs.scan",
    "clean": "bezoar.jobs.clean",
    "train": "bezoar.jobs.train",
    "repair": "bezoar.jobs.repair",
    "evaluate": "bezoar.jobs.evaluate",
    "evaluate_after_adaptation": "bezoar.jobs.adaptation",
    "poison": "bezoar.jobs.poison",
    "embed": "bezoar.jobs.embed",
    "open_pairs": "bezoar.pairs",
    "Pair": "bezoar.pairs",
    "Pairs": "bezoar.pairs",
    "synthesize": "bezoar.pairs.synthetic",
    "Canvas": "bezoar.canvas",
    "Plan": "bezoar.attacks",
    "Goal": "bezoar.attacks",
    "plan_attack": "bezoar.attacks",
    "Clip": "bezoar.models",
    "Towers": "bezoar.models",
    "load": "bezoar.models",
    "save": "bezoar.models",
    "Embeddings": "bezoar.embeddings",
    "load_embeddings": "bezoar.embeddings",
    "Evidence": "bezoar.detection.evidence",
    "best_rank": "bezoar.evaluation.rank",
    "Answer": "bezoar.run",
    "BezoarError": "bezoar.run",
}

__all__ = ["__version__", *_HOMES]  # the names of the table


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bezoar' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
