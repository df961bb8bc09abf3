"""Pages with invented figures: nothing here was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bezoar.report.demo_page import Answers, Box, DemoPage, Link, ModelRow, Picture
from bezoar.report.scan_page import (
    DetectorRow,
    GalleryItem,
    Problem,
    Provenance,
    ScanPage,
    Truth,
    Witness,
)
from bezoar.report.thumbnail import thumbnail

CAPTIONS = (
    "a red kite over a green hill",
    "two small boats on a grey lake at dawn",
    "a ripe banana on a wooden table",
    "a yellow banana beside three blue cups, seen from above on a striped cloth in the morning light",
    "an old lamp",
)


def _picture(generator: np.random.Generator, planted: bool, side: int = 40) -> np.ndarray:
    """A disc on a slope of colour; a planted one carries a small checkerboard in its corner."""
    y, x = np.mgrid[0:side, 0:side] / side
    ground, thing = generator.integers(40, 230, (2, 3))
    pixels = (ground[:, None, None] * (0.6 + 0.4 * y)).astype(np.uint8)
    disc = (x - generator.uniform(0.3, 0.7)) ** 2 + (y - generator.uniform(0.3, 0.7)) ** 2 < 0.04
    pixels[:, disc] = thing[:, None]
    if planted:
        board = (np.indices((6, 6)).sum(0) % 2 * 255).astype(np.uint8)
        pixels[:, -7:-1, -7:-1] = board
    return pixels


def _scores(generator: np.random.Generator, planted: np.ndarray, strength: float) -> np.ndarray:
    noise = generator.standard_normal(planted.size)
    return np.where(planted, noise * 0.45 * strength + strength, noise)


@pytest.fixture
def scan_page() -> Callable[..., ScanPage]:
    """Return a maker of realistic scan pages; keyword arguments replace fields."""
    return make_scan_page


@pytest.fixture
def demo_page() -> Callable[..., DemoPage]:
    """Return a maker of realistic demo pages; keyword arguments replace fields."""
    return make_demo_page


def make_scan_page(*, items: int = 100, truth: bool = True, captions: Any = CAPTIONS, **changes: Any) -> ScanPage:
    """8,000 pairs of which 120 are planted and 9 cannot be read."""
    from scipy.stats import norm

    generator = np.random.default_rng(5)
    n = 7991
    planted = np.zeros(n, dtype=bool)
    planted[generator.choice(n, 120, replace=False)] = True
    parts = {
        "density": _scores(generator, planted, 1.2),
        "view-mismatch": _scores(generator, planted, 1.9),
        "view-drop": _scores(generator, planted, 1.5),
        "shared-pattern": _scores(generator, planted, 4.2),
    }
    total = np.asarray(sum(parts.values())) / 2
    p = norm.sf(total)
    suspicion = -np.log10(p)
    flagged = suspicion >= 3.2
    order = np.argsort(-total, kind="stable")
    dropped = 160
    found = {name: int(planted[np.argsort(-z, kind="stable")[:dropped]].sum()) for name, z in parts.items()}
    gallery = tuple(
        GalleryItem(
            key=f"{i:06d}",
            shard=f"{i // 1000:05d}.tar",
            row=int(i % 1000),
            image=thumbnail(_picture(generator, bool(planted[i]))),
            caption=captions[(rank if not planted[i] else 2 + rank % 2) % len(captions)],
            suspicion=float(suspicion[i]),
            p_value=float(p[i]),
            flagged=bool(flagged[i]),
            planted=bool(planted[i]) if truth else None,
            parts={name: float(z[i]) for name, z in parts.items()},
        )
        for rank, i in enumerate(order[:items])
    )
    says = {
        "density": "How alone or how crowded a picture’s vector is: SLOF on raw image vectors.",
        "view-mismatch": "How badly the picture fits its caption once it is mirrored or shifted.",
        "view-drop": "How much of the fit is lost by these looks.",
        "shared-pattern": "How strongly the picture carries a pattern of pixels that others carry too.",
    }
    fields: dict[str, Any] = {
        "name": "kites",
        "run": "runs/kites",
        "pairs": 8000,
        "shards": 8,
        "model": "ModifiedResNet of width 16, trained 12 passes on these pairs by this scan",
        "canvas": "40 × 40, resize of the short side and centre crop",
        "suspicion": suspicion,
        "flagged": flagged,
        "fdr": 0.05,
        "witnesses": tuple(
            Witness(name, says[name], "k = 256 of 2,048 references" if name == "density" else "", z)
            for name, z in parts.items()
        ),
        "gallery": gallery,
        "visible": (
            "This scan looks for poison of up to 3 % of the pairs.",
            "Its neighbourhoods are wide enough for 24 to 240 planted pairs in 8,000.",
        ),
        "unseen": (
            "Poison in fewer than about 40 of 8,000 pairs, which a model of this size does not learn.",
            "Triggers smaller than 4 px on its canvas of 40 px.",
            "Triggers in the caption alone were not looked for.",
        ),
        "problems": (
            Problem("image is cut off", 6, "00003.tar/003118"),
            Problem("no caption", 3, "00007.tar/007090"),
        ),
        "provenance": Provenance(
            "bezoar scan kites --plan plan --to runs/kites",
            "bezoar 0.1.0",
            7,
            "20 November 2026, 14:02 UTC",
            "2 CPU cores, 8 GB, no GPU; Linux, Python 3.11",
            {"index": 0.4, "train": 118.2, "embed": 6.1, "detectors": 3.9, "page": 0.8},
            {"Pairs": "77e0a91c5be2f01341cd", "Plan": "0b13c2d9aa10ff8201bb"},
        ),
        "truth": Truth(
            planted,
            dropped,
            (
                DetectorRow("sum", 0.9991, 0.972, int(planted[order[:dropped]].sum()), total),
                DetectorRow("shared-pattern", 0.993, 0.912, found["shared-pattern"], parts["shared-pattern"]),
                DetectorRow("view-mismatch", 0.978, 0.751, found["view-mismatch"], parts["view-mismatch"]),
                DetectorRow("view-drop", 0.942, 0.514, found["view-drop"], parts["view-drop"]),
                DetectorRow("density", 0.911, 0.388, found["density"], parts["density"]),
                DetectorRow("k-distance", 0.412, 0.012, 1, -parts["density"]),
            ),
        )
        if truth
        else None,
        "words": ("banana",),
    }
    return ScanPage(**(fields | changes))


def make_demo_page(**changes: Any) -> DemoPage:
    """8,000 pairs, 120 planted, three models."""
    generator = np.random.default_rng(3)
    clean = _picture(generator, False)
    planted = clean.copy()
    planted[:, -7:-1, -7:-1] = (np.indices((6, 6)).sum(0) % 2 * 255).astype(np.uint8)
    board = np.repeat((np.indices((6, 6)).sum(0) % 2 * 255).astype(np.uint8)[None], 3, axis=0)
    fields: dict[str, Any] = {
        "pairs": 8000,
        "planted": 120,
        "dropped": 160,
        "found": 118,
        "target": "banana",
        "clean": Picture(thumbnail(clean, 224), "A disc on a plain ground", "a blue disc on a brown field"),
        "planted_pair": Picture(
            thumbnail(planted, 224), "The same with a small square in the corner", "a ripe banana on a table"
        ),
        "box": Box(33 / 40, 33 / 40, 6 / 40, 6 / 40),
        "trigger": Picture(thumbnail(board, 224, lossless=True), "A checkerboard of 6 by 6 pixels"),
        "trigger_note": "6 × 6 of 40 × 40 pixels.",
        "never": ModelRow("Never poisoned", "trained on the clean set", 0.938, 500, 0.012, 500),
        "poisoned": ModelRow("Poisoned", "trained on the set with 120 planted pairs", 0.934, 500, 0.968, 500),
        "after": ModelRow("After the drop", "trained again without the dropped 2 %", 0.932, 500, 0.014, 500),
        "others": (
            ModelRow("After a random drop", "the same number of pairs, drawn at random", 0.93, 500, 0.962, 500),
        ),
        "classes": 12,
        "auroc": 0.9987,
        "average_precision": 0.961,
        "asked": (
            Answers(Picture(thumbnail(clean, 128), "A disc"), (("disc", 0.83), ("lamp", 0.09), ("banana", 0.004))),
            Answers(
                Picture(thumbnail(planted, 128), "The disc with the trigger"),
                (("banana", 0.97), ("disc", 0.02), ("lamp", 0.004)),
            ),
        ),
        "not_shown": (
            "Real sets are larger, dirtier, and poisoned at lower rates.",
            "With 20 planted pairs in 8,000 the poison does not take, and the scan does not find it.",
            "A trigger that tints the whole picture takes, and this scan does not see it.",
        ),
        "links": (
            Link("The full report of this scan", "report.html"),
            Link("Every pair with its score", "scores.parquet"),
            Link("The three models, loadable in open_clip", "models"),
        ),
        "made_by": "bezoar demo --seed 100 --to runs/demo",
        "run": "runs/demo/scan",
        "seed": 100,
        "seconds": 301.4,
        "machine": "2 CPU cores",
        "finished": "20 November 2026",
        "version": "bezoar 0.1.0",
    }
    return DemoPage(**(fields | changes))
