"""Signals: what a split trusts a row by, while the model that is being trained looks at it.

* A signal is a function from a `Scene` to one number a row; higher is more trusted.
* Pictures are seen as they are, without augmentation: SafeCLIP's code scores one random, damaged draw of them.
* The towers look in evaluation mode and without gradients; afterwards every module is in the mode that it was in.
* What is suspected and how is `bezoar.detection`'s; here it is only asked, and its sign turned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from bezoar.detection import witnesses
from bezoar.detection.default import WITNESSES, testify
from bezoar.detection.detectors import DETECTORS
from bezoar.detection.evidence import Evidence, Look
from bezoar.embeddings import encode_pictures, unit
from bezoar.models import Towers
from bezoar.pairs.decoded import Decoded
from bezoar.run import BezoarError
from bezoar.training.splits import Trust
from bezoar.views import VIEWS, View

Vectors = NDArray[np.float32]

# Pictures that do not stay in memory are decoded so many at a time; whole batches of the encoder.
_AT_ONCE = 1024


@dataclass(frozen=True)
class Scene:
    """A model and n rows of its training set, for a signal to look at.

    `rows` int64 (n,): positions in `decoded`, readable and with a caption each; `text` float32 (n, d): the raw
    vector of each row's caption by the text tower as it is now (the trainer makes it, its vocabulary being cut).
    """

    towers: Towers
    decoded: Decoded
    rows: NDArray[np.int64]
    text: Vectors
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < len(self.rows) == len(self.text):
            raise BezoarError(
                f"{len(self.rows)} rows and {len(self.text)} caption vectors are no scene.",
                "Give at least one row, and one vector for each.",
            )

    def images(self, looks: Sequence[View] = ()) -> Vectors:
        """Return raw image vectors (1 + len(looks), n, d): of the picture itself, then of each look at it."""
        chunks = [self.rows[start : start + _AT_ONCE] for start in range(0, len(self.rows), _AT_ONCE)]
        with evaluating(self.towers.module):
            parts = [
                encode_pictures(self.towers, self.decoded.batch(chunk), device=self.device, looks=looks)
                for chunk in chunks
            ]
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class Signal:
    """A row of the table. `function` returns finite float64 (n,), higher is more trusted."""

    name: str
    paper: str
    summary: str
    function: Callable[[Scene], Trust]


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within the block `module` is in evaluation mode; at the end each of its parts is in its own mode again."""
    # A frozen tower is in evaluation mode all along: one flag for the whole would wake it.
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in before:
            part.training = training


def _cosine(scene: Scene) -> Trust:
    return witnesses.cosines(scene.images()[0], scene.text)


def _density(scene: Scene) -> Trust:
    density = next(witness for witness in WITNESSES if witness.name == "density")
    return -density.function(Evidence(image=scene.images()[0], seed=scene.seed, device=scene.device), Look())


def _view_mismatch(scene: Scene) -> Trust:
    similarity = _fits(scene.images(VIEWS)[1:], scene.text)
    return -DETECTORS["view-mismatch"].function(Evidence(view_similarity=similarity), Look())


def _default(scene: Scene) -> Trust:
    if not scene.decoded.kept:
        raise BezoarError(
            "The pictures do not fit into memory together, and the default signal compares their pixels.",
            "Split by another signal, or by the scores of a scan.",
        )
    vectors = scene.images(VIEWS)
    evidence = Evidence(
        image=vectors[0],
        text=scene.text,
        view_similarity=_fits(vectors[1:], scene.text),
        pixels=scene.decoded.batch(scene.rows),
        captions=[" / ".join(scene.decoded.pairs.captions[row]) for row in scene.rows],
        seed=scene.seed,
        device=scene.device,
    )
    return -testify(evidence).alone


def _fits(views: Vectors, text: Vectors) -> NDArray[np.floating]:
    """Return cos(view, own caption), (v, n, d) and (n, d) -> (n, v)."""
    return np.asarray(np.einsum("vnd,nd->nv", unit(views), unit(text)))


_TABLE = (
    Signal(
        "cosine",
        "SafeCLIP, ICML 2024, arXiv 2310.05862",
        "How well the picture fits its own caption.",
        _cosine,
    ),
    Signal(
        "density",
        "after Huang et al., ICLR 2025, arXiv 2502.01385",
        "How little lonelier the picture's vector is than its surroundings: minus the default scan's density.",
        _density,
    ),
    Signal(
        "view-mismatch",
        "bezoar",
        "How well mirrored, zoomed, turned and shifted looks at the picture fit its caption.",
        _view_mismatch,
    ),
    Signal(
        "default",
        "bezoar",
        "Minus the score of the default scan, all its witnesses, each pair by itself.",
        _default,
    ),
)

# By name. "scan" is not in the table: there the scores came with the pairs, and the trainer only turns their sign.
SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _TABLE}
