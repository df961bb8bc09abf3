"""Vectors on disk are the same evidence as vectors in memory, and are read a chunk at a time."""

import numpy as np
import pytest

from bezoar.detection import evidence as room
from bezoar.detection import piles, together
from bezoar.detection.default import decide
from bezoar.detection.default import testify as ask
from bezoar.detection.evidence import Evidence
from bezoar.embeddings import Shards


def vectors(n, seed=0, width=16):
    """Float16 image and text vectors on ten topics; of the pairs on one, thirty have pictures far from all others."""
    draw = np.random.default_rng(seed)
    centres, topics = draw.normal(size=(10, width)), draw.integers(0, 10, n)
    image = 2 * centres[topics] + draw.normal(size=(n, width))
    image[np.flatnonzero(topics == 4)[:30]] = 9 * draw.normal(size=width) + draw.normal(size=(30, width))
    text = centres[topics] + 0.3 * draw.normal(size=(n, width))
    return image.astype(np.float16), text.astype(np.float16)


def in_pieces(table, seed):
    """The table as shards of uneven sizes, one of them empty, behind an order that has to be followed."""
    draw = np.random.default_rng(seed)
    mixed = draw.permutation(len(table))
    cuts = np.sort(draw.integers(0, len(table), 5)).tolist()
    shards = Shards(tuple(np.split(table[mixed], [*cuts[:3], *cuts[2:]])))
    return shards.select(np.argsort(mixed))


@pytest.mark.parametrize("most", [20_000, 500])
@pytest.mark.parametrize("seed", range(3))
def test_shards_of_uneven_sizes_give_the_scores_and_flags_of_whole_arrays(seed, most, monkeypatch):
    monkeypatch.setattr(together, "MOST_REFERENCES", most)
    image, text = vectors(1100, seed)
    whole = Evidence(image=image.astype(np.float32), text=text.astype(np.float32), seed=seed)
    parts = Evidence(image=in_pieces(image, seed), text=in_pieces(text, seed + 9), seed=seed)
    said, again = ask(whole), ask(parts)
    np.testing.assert_allclose(again.score, said.score, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(decide(parts, again).flagged, decide(whole, said).flagged)


def test_no_more_than_a_chunk_of_a_large_table_is_read_at_once(monkeypatch):
    monkeypatch.setattr(room, "_ROWS_AT_ONCE", 256)
    monkeypatch.setattr(piles, "_BYTES_AT_ONCE", 1 << 13)
    monkeypatch.setattr(together, "MOST_REFERENCES", 400)
    image, text = (in_pieces(table, 1) for table in vectors(3000))
    read, gathered = [], Shards.__getitem__
    monkeypatch.setattr(Shards, "__array__", None)
    monkeypatch.setattr(Shards, "__getitem__", lambda self, rows: read.append(found := gathered(self, rows)) or found)
    evidence = Evidence(image=image, text=text, m=400, k=50)
    decide(evidence, ask(evidence))
    assert max(map(len, read)) <= 512


def test_the_fit_of_halves_is_computed_in_full_precision():
    # The squares of such halves are beyond their range.
    image, text = (300 * table for table in vectors(400))
    whole = Evidence(image=image.astype(np.float32), text=text.astype(np.float32))
    np.testing.assert_array_equal(Evidence(image=image, text=text).fit, whole.fit)
