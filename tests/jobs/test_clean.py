"""Cleaning: what stays is the source's bytes, what leaves is written down, what has changed is refused."""

import shutil
import tarfile

import pyarrow.parquet as parquet
import pytest

from bezoar.jobs.clean import clean
from bezoar.pairs import open_pairs
from bezoar.run import BezoarError


def members(folder):
    out = {}
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                out[shard.name, member.name] = tar.extractfile(member).read()
    return out


def removed(folder):
    return parquet.read_table(folder / "_bezoar" / "removed.parquet").to_pydict()


def test_kept_members_are_the_sources_and_removed_ones_are_gone(story):
    before, after = members(story / "poisoned"), members(story / "cleaned")
    gone = set(removed(story / "cleaned")["key"])
    assert len(gone) == 20
    assert all(before[name] == data for name, data in after.items())
    assert {name for name in before if name not in after} == {
        name for name in before if name[1].rsplit(".", 1)[0] in gone
    }


def test_the_most_suspicious_leave(story):
    scores = parquet.read_table(story / "scan" / "scores.parquet").to_pydict()
    order = sorted(range(1000), key=lambda row: -scores["score"][row])[:20]
    assert {scores["key"][row] for row in order} == set(removed(story / "cleaned")["key"])


def test_flagged_pairs_leave_and_their_quarantine_holds_them(story, tmp_path):
    answer = clean(story / "scan", to=tmp_path / "out", flagged=True, keep_removed=True)
    scores = parquet.read_table(story / "scan" / "scores.parquet").to_pydict()
    flagged = {key for key, flag in zip(scores["key"], scores["flagged"], strict=True) if flag}
    assert set(removed(tmp_path / "out")["key"]) == flagged
    assert answer.summary["removed"] == len(flagged)
    kept, gone = members(tmp_path / "out"), members(tmp_path / "out" / "_bezoar" / "removed")
    assert kept | gone == members(story / "poisoned")
    assert not kept.keys() & gone.keys()


def test_a_dry_run_writes_nothing(story, tmp_path):
    answer = clean(story / "scan", to=tmp_path / "out", share=0.1, dry_run=True)
    assert answer.summary["removed"] == 100
    assert not (tmp_path / "out").exists()


def test_a_set_that_has_changed_since_the_scan_is_refused(story, tmp_path):
    shutil.copytree(story / "poisoned", tmp_path / "set")
    shard = next((tmp_path / "set").glob("*.tar"))
    shard.write_bytes(shard.read_bytes())
    with pytest.raises(BezoarError, match="bytes have changed"):
        clean(story / "scan", to=tmp_path / "out", share=0.02, pairs=tmp_path / "set")


def test_a_set_that_has_moved_whole_is_taken(story, tmp_path):
    shutil.copytree(story / "poisoned", tmp_path / "set", copy_function=shutil.copy2)
    clean(story / "scan", to=tmp_path / "out", share=0.02, pairs=tmp_path / "set")
    assert members(tmp_path / "out") == members(story / "cleaned")
    assert len(open_pairs(tmp_path / "out")) == 980


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [({}, "Nothing to drop"), ({"share": 0.1, "flagged": True}, "two things"), ({"share": 1.5}, "not between")],
)
def test_a_wrong_request_gets_a_sentence(story, tmp_path, request_, sentence):
    with pytest.raises(BezoarError, match=sentence):
        clean(story / "scan", to=tmp_path / "out", **request_)


def test_the_cleaned_set_may_not_be_written_into_its_source(story):
    with pytest.raises(BezoarError, match="read from"):
        clean(story / "scan", to=story / "poisoned", share=0.02)
