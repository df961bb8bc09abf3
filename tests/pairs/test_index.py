from __future__ import annotations

import os

import pytest

from bezoar.pairs import index as index_module
from bezoar.pairs import open_pairs
from bezoar.run import cache_folder


@pytest.fixture
def path(tmp_path, tar, picture):
    return tar(
        tmp_path / "set" / "0.tar",
        [("a.png", picture(1)), ("a.txt", b"a"), ("b.png", picture(2)), ("b.cls", b"0")],
    )


@pytest.fixture
def scans(monkeypatch):
    seen = []
    reader = index_module.READERS["tar"]
    monkeypatch.setitem(index_module.READERS, "tar", lambda path: seen.append(path.name) or reader(path))
    return seen


def test_a_second_open_reads_no_shard(path, scans) -> None:
    first, second = open_pairs(path.parent), open_pairs(path.parent)
    assert scans == ["0.tar"]
    assert first.fingerprint == second.fingerprint
    assert first.keys == second.keys


def test_a_changed_shard_or_other_prompts_make_a_new_index(path, scans, tar, picture) -> None:
    (path.parent / "classes.json").write_text('["cat"]')
    prints = [open_pairs(path.parent).fingerprint, open_pairs(path.parent, ["a {}"]).fingerprint]
    assert open_pairs(path.parent, ["a {}"]).captions == [("a",), ("a cat",)]
    (path.parent / "classes.json").write_text('["mouse"]')
    prints.append(open_pairs(path.parent, ["a {}"]).fingerprint)
    os.utime(path, ns=(5, 5))
    prints.append(open_pairs(path.parent).fingerprint)
    tar(path.parent / "1.tar", [("c.png", picture(3)), ("c.txt", b"c")])
    prints.append(open_pairs(path.parent).fingerprint)
    assert len(set(prints)) == 5
    assert len(scans) == 6


def test_a_moved_set_keeps_its_fingerprint(path, tmp_path) -> None:
    before = open_pairs(path.parent).fingerprint
    path.parent.rename(tmp_path / "moved")
    assert open_pairs(tmp_path / "moved").fingerprint == before


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "gone", "other"])
def test_a_broken_cache_file_is_made_again(path, scans, damage, tar, picture, tmp_path) -> None:
    known = set(cache_folder("index").iterdir())
    keys = open_pairs(path.parent).keys
    (file,) = set(cache_folder("index").iterdir()) - known
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-40])
    elif damage == "gone":
        file.unlink()
    elif damage == "other":
        tar(tmp_path / "other" / "9.tar", [("z.png", picture(9)), ("z.txt", b"z")])
        open_pairs(tmp_path / "other")
        (other,) = set(cache_folder("index").iterdir()) - known - {file}
        file.write_bytes(other.read_bytes())
    else:
        file.write_bytes(b"hello" if damage == "text" else b"")
    assert open_pairs(path.parent).keys == keys
    assert scans.count("0.tar") == 2


def test_no_half_written_index_is_left(path, monkeypatch) -> None:
    known = set(cache_folder("index").iterdir())
    monkeypatch.setattr(index_module.pa.ipc.RecordBatchFileWriter, "write_table", lambda *_: 1 / 0, raising=False)
    with pytest.raises(ZeroDivisionError):
        open_pairs(path.parent)
    assert set(cache_folder("index").iterdir()) == known
