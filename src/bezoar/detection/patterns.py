"""The third witness: pairs that were planted together share a pattern of pixels.

* h = x − 5×5 mean of x (reflected border), divided by its standard deviation, minus the mean h of the set.
  S = cosine of h with the mean h of the 200 other pairs whose captions are nearest. Needs no image tower.
* Pictures wider than 64 pixels are shrunk to 64 by area first.
* Equal captions are taken in an order drawn from the seed, so a pair's place in the set plays no part.
* Memory is bounded: beyond 20,000 pairs the 200 come from a random sample of 20,000, kept in half precision
  (at most 500 MB), and the pictures are read twice, in chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bezoar.detection.density import Scores
from bezoar.detection.neighbours import Indices, Table, Vectors, nearest_references
from bezoar.run import BezoarError, random

if TYPE_CHECKING:
    import torch

NEAREST_CAPTIONS = 200
LARGEST_SIDE = 64
LARGEST_SAMPLE = 20_000
_WORDS = 512
_CHUNK = 2048
_PICTURES_AT_ONCE = 64
# One block of columns of the whole sample stays in the processor's cache while rows are summed.
_BLOCK = 256


def shared_pattern(
    pixels: NDArray[np.uint8],
    captions: Table,
    *,
    seed: int = 0,
    device: str = "cpu",
    nearest: int = NEAREST_CAPTIONS,
    sample: int = LARGEST_SAMPLE,
) -> Scores:
    """Return S (n,), a cosine, of pictures uint8 (n, 3, s, s), array or map, and unit caption vectors (n, d).

    A pair without another pair to compare with gets 0.
    """
    if pixels.ndim != 4 or len(pixels) != len(captions):
        raise BezoarError(
            f"Pictures of shape {pixels.shape} and {len(captions)} captions do not belong together.",
            "Give one picture (3, side, side) and one caption for each pair.",
        )
    n = len(pixels)
    nearest = min(nearest, min(n, sample) - 1)
    if nearest < 1:
        return np.zeros(n)
    order = random(seed, "shared-pattern", n).permutation(n)[:sample]
    reference = _Reference.collect(pixels, order, np.asarray(captions[order]), device)
    scores = np.empty(n)
    for rows in _chunks(n):
        patterns = fine_patterns(pixels[rows], device).sub_(reference.mean)
        scores[rows] = reference.cosines(patterns, captions[rows], reference.place[rows], nearest)
    return scores


def caption_vectors(captions: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors (n, 512) of captions by their words (hashed TF-IDF), where no text tower exists.

    Captions without a word become zero vectors. The same captions give the same vectors on every machine.
    """
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    if len(captions) == 0:
        return np.zeros((0, _WORDS), np.float32)
    counts = HashingVectorizer(n_features=_WORDS, norm=None, dtype=np.float32).transform(captions)
    return np.asarray(TfidfTransformer().fit_transform(counts).toarray(), np.float32)


@dataclass(frozen=True)
class _Reference:
    """The sample that patterns are averaged over.

    `place` (n,): each pair's position in the sample or −1; `blocks`: the sample's patterns by columns, half.
    """

    captions: Vectors
    place: Indices
    mean: torch.Tensor
    blocks: list[torch.Tensor]
    device: str

    @staticmethod
    def collect(pixels: NDArray[np.uint8], order: Indices, captions: Vectors, device: str) -> _Reference:
        import torch

        place = np.full(len(pixels), -1, np.int64)
        place[order] = np.arange(len(order))
        side = min(pixels.shape[-1], LARGEST_SIDE)
        width = pixels.shape[1] * side * side
        total = torch.zeros(width, dtype=torch.float64)
        columns = [slice(start, min(width, start + _BLOCK)) for start in range(0, width, _BLOCK)]
        shapes = [(len(order), block.stop - block.start) for block in columns]
        blocks = [torch.empty(shape, dtype=torch.float16, device=device) for shape in shapes]
        for rows in _chunks(len(pixels)):
            patterns = fine_patterns(pixels[rows], device)
            total += patterns.sum(0).double().cpu()
            positions = torch.as_tensor(place[rows], device=device)
            inside = positions >= 0
            for block, part in zip(blocks, columns, strict=True):
                block[positions[inside]] = patterns[inside, part].half()
        mean = (total / len(pixels)).float().to(device)
        for block, part in zip(blocks, columns, strict=True):
            block.copy_(block.float() - mean[part])
        return _Reference(captions, place, mean, blocks, device)

    def cosines(self, patterns: torch.Tensor, captions: Vectors, place: Indices, nearest: int) -> Scores:
        """Return the cosine of each pattern (b, p) with the mean pattern of its nearest captions."""
        import torch

        distinct, group = _distinct(captions)
        found = nearest_references(captions[distinct], self.captions, nearest + 1, device=self.device)
        neighbours = torch.as_tensor(found.indices, device=self.device)
        own = torch.as_tensor(place, device=self.device)
        groups = torch.as_tensor(group, device=self.device)
        # One more than needed was found for the caption: the pair itself leaves, or else the farthest.
        among = (neighbours[groups] == own[:, None]).any(1)
        leaving = torch.where(among, own, neighbours[groups, -1])
        product = torch.zeros(len(patterns), dtype=torch.float64, device=self.device)
        length = torch.zeros_like(product)
        for index, half in enumerate(self.blocks):
            block = half.float()
            sums = torch.nn.functional.embedding_bag(neighbours, block, mode="sum")
            others = sums[groups] - block[leaving]
            product += (patterns[:, index * _BLOCK : (index + 1) * _BLOCK] * others).sum(1)
            length += others.square().sum(1)
        lengths = (length * patterns.square().sum(1)).sqrt()
        cosine = product / torch.where(lengths > 0, lengths, 1.0)
        return np.asarray(cosine.cpu().numpy())


def fine_patterns(pixels: NDArray[np.uint8], device: str) -> torch.Tensor:
    """Return what the 5×5 mean leaves of each picture, at unit deviation: uint8 (b, c, s, s) -> (b, c·s·s).

    Pictures wider than 64 pixels are shrunk to 64 first.
    """
    import torch

    # A few pictures at a time stay in the processor's cache.
    starts = range(0, len(pixels), _PICTURES_AT_ONCE)
    return torch.cat([_rest(_pictures(pixels[start : start + _PICTURES_AT_ONCE], device)) for start in starts])


def _pictures(pixels: NDArray[np.uint8], device: str) -> torch.Tensor:
    """Return float32 pictures, shrunk by area to at most 64 pixels a side."""
    import torch

    pictures = torch.tensor(np.ascontiguousarray(pixels), device=device).float()
    if pictures.shape[-1] > LARGEST_SIDE:
        pictures = torch.nn.functional.adaptive_avg_pool2d(pictures, LARGEST_SIDE)
    return pictures


def _rest(pictures: torch.Tensor) -> torch.Tensor:
    import torch

    side = pictures.shape[-1]
    padded = torch.nn.functional.pad(pictures, (2, 2, 2, 2), mode="reflect")
    # Five additions across and five down are many times quicker than a pooling of 5×5.
    across = sum((padded[..., :, i : i + side] for i in range(1, 5)), padded[..., :, :side])
    smooth = sum((across[..., i : i + side, :] for i in range(1, 5)), across[..., :side, :])
    rest = (pictures - smooth / 25).flatten(1)
    deviation = rest.std(1, correction=0, keepdim=True)
    # A picture of one colour has no pattern; rounding noise must not be blown up to one.
    return rest / deviation.where(deviation > 1e-3, 1.0)


def _distinct(captions: Vectors) -> tuple[Indices, Indices]:
    """Return the rows of the first of each distinct vector, and the group of each row."""
    table = np.ascontiguousarray(captions)
    rows = table.view(np.dtype((np.void, table.dtype.itemsize * table.shape[1])))[:, 0]
    _, first, group = np.unique(rows, return_index=True, return_inverse=True)
    return first.astype(np.int64), group.astype(np.int64)


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(n, start + _CHUNK)) for start in range(0, n, _CHUNK))
