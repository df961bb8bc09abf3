from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.embeddings import Shards, open_shards
from bezoar.run import BezoarError


def table(n, d=3):
    return np.arange(n * d, dtype=np.float16).reshape(n, d)


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(0, 7), min_size=1, max_size=5),
    start=st.one_of(st.none(), st.integers(-25, 25)),
    stop=st.one_of(st.none(), st.integers(-25, 25)),
    step=st.sampled_from([None, 1, 2, -1]),
    seed=st.integers(0, 100),
)
def test_is_read_like_one_array(sizes, start, stop, step, seed):
    whole = table(sum(sizes))
    shards = Shards(tuple(np.split(whole, np.cumsum(sizes)[:-1])))
    assert (len(shards), shards.shape, shards.ndim, shards.dtype) == (len(whole), whole.shape, 2, whole.dtype)
    part = slice(start, stop, step)
    np.testing.assert_array_equal(shards[part], whole[part])
    np.testing.assert_array_equal(np.asarray(shards), whole)
    assert np.asarray(shards, np.float32).dtype == np.float32
    if len(whole):
        rows = np.random.default_rng(seed).integers(-len(whole), len(whole), 9)
        np.testing.assert_array_equal(shards[rows], whole[rows])
        np.testing.assert_array_equal(shards.select(rows)[part], whole[rows][part])
        np.testing.assert_array_equal(shards.select(rows).select(np.array([3, 0]))[0:2], whole[rows][[3, 0]])
        mask = whole[:, 0] % 2 == 0
        np.testing.assert_array_equal(shards[mask], whole[mask])


def test_a_row_that_is_not_there():
    with pytest.raises(IndexError, match="outside of 7"):
        Shards((table(4), table(3)))[np.array([7])]


def test_shards_of_different_width_are_no_table():
    with pytest.raises(BezoarError, match="one width"):
        Shards((table(4), table(4, 2)))
    with pytest.raises(BezoarError, match="one width"):
        Shards(())


def written(folder, parts):
    for kind in ("img_emb", "metadata"):
        (folder / kind).mkdir()
    for number, part in enumerate(parts):
        np.save(folder / "img_emb" / f"img_emb_{number:04d}.npy", part)
        (folder / "metadata" / f"metadata_{number:04d}.parquet").touch()


def test_a_folder_is_mapped_and_not_read(tmp_path):
    written(tmp_path, (table(5), table(2)))
    shards = open_shards(tmp_path)
    assert all(isinstance(part, np.memmap) for part in shards.parts)
    assert isinstance(shards[1:3], np.memmap)
    np.testing.assert_array_equal(shards[3:6], np.concatenate([table(5), table(2)])[3:6])


def test_a_folder_without_vectors_gets_a_sentence(tmp_path):
    with pytest.raises(BezoarError, match="No embeddings"):
        open_shards(tmp_path)
    written(tmp_path, (table(5),))
    with pytest.raises(BezoarError, match="cannot be read"):
        open_shards(tmp_path, "text_emb")
    (tmp_path / "img_emb" / "img_emb_0000.npy").write_bytes(b"no table")
    with pytest.raises(BezoarError, match="cannot be read"):
        open_shards(tmp_path)
