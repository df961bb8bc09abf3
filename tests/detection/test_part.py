"""Some rows of a table, read like the rows of an array."""

import numpy as np
import pytest

from bezoar.detection.evidence import Evidence
from bezoar.detection.excerpt import excerpt
from bezoar.detection.part import Part
from bezoar.embeddings import Shards


@pytest.mark.parametrize("rows", [slice(1, 3), slice(None), np.array([2, 0]), np.array([], np.int64)])
def test_is_read_like_one_array(rows):
    table, chosen = np.arange(21.0).reshape(7, 3), np.array([6, 2, 2, 5])
    part = Part(table, chosen)
    assert (len(part), part.shape) == (4, (4, 3))
    np.testing.assert_array_equal(part[rows], table[chosen][rows])
    np.testing.assert_array_equal(Part(part, np.array([3, 0]))[0:2], table[[5, 6]])
    np.testing.assert_array_equal(np.asarray(part), table[chosen])


def test_an_excerpt_of_vectors_on_disk_reads_nothing(monkeypatch):
    table = np.arange(40.0).reshape(10, 4)
    whole, rows = Evidence(image=Shards((table[:3], table[3:]))), np.array([9, 0, 4])
    with monkeypatch.context() as patched:
        patched.setattr(Shards, "__getitem__", None)
        patched.setattr(Shards, "__array__", None)
        part = excerpt(whole, rows)
    assert len(part) == 3
    np.testing.assert_array_equal(part.image[0:3], table[rows])
