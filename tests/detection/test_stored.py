"""Scores of a scan for pairs in any order: matched by key, or refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from bezoar.detection.stored import SCORES_FILE, stored_scores
from bezoar.run import BezoarError, Run


@pytest.fixture
def scan(tmp_path):
    """Return a function that writes the folder of a finished scan."""

    def write(keys, scores, verb="scan"):
        run = Run.start(tmp_path / verb, verb, parameters={}, inputs={}, seed=0)
        parquet.write_table(pa.table({"key": keys, "score": pa.array(scores, pa.float64())}), run.path / SCORES_FILE)
        run.finish()
        return run.path

    return write


def test_scores_follow_their_keys(scan, world_pairs):
    folder = scan(world_pairs.keys, np.arange(400.0))
    assert stored_scores(folder, world_pairs).tolist() == list(range(400))
    assert stored_scores(folder, world_pairs.select([7, 3, 9])).tolist() == [7, 3, 9]


def test_what_fellows_add_is_left_out(scan, world_pairs):
    folder = scan(world_pairs.keys, np.arange(400.0))
    table = parquet.read_table(folder / SCORES_FILE)
    parquet.write_table(table.append_column("alone", pa.array(np.arange(400.0) / 2)), folder / SCORES_FILE)
    assert stored_scores(folder, world_pairs).tolist() == (np.arange(400) / 2).tolist()


def test_a_pair_that_was_not_read_has_no_score(scan, world_pairs):
    folder = scan(world_pairs.keys, [None, *range(399)])
    assert np.isnan(stored_scores(folder, world_pairs)).tolist() == [True] + [False] * 399


def test_pairs_that_were_not_scanned_are_refused(scan, world_pairs):
    folder = scan(world_pairs.keys[:300], np.arange(300.0))
    with pytest.raises(BezoarError, match="100 of 400 pairs were not scanned"):
        stored_scores(folder, world_pairs)


def test_keys_that_stand_for_several_pairs_are_refused_in_another_order(scan, world_pairs):
    folder = scan(["a", "a", *world_pairs.keys], np.arange(402.0))
    with pytest.raises(BezoarError, match="stand for several pairs"):
        stored_scores(folder, world_pairs)


def test_another_run_is_refused(scan, world_pairs):
    with pytest.raises(BezoarError, match="not a scan"):
        stored_scores(scan(world_pairs.keys, np.arange(400.0), verb="train"), world_pairs)
