from __future__ import annotations

import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.pairs import open_pairs, write_webdataset


def samples(picture, count):
    for i in range(count):
        yield f"p{i:03d}", [("png", picture(i)), ("txt", b"caption %d" % i)]


def test_what_is_written_is_read(tmp_path, picture) -> None:
    paths = write_webdataset(samples(picture, 7), tmp_path / "a", per_shard=3, prefix="x-")
    assert [path.name for path in paths] == ["x-00000.tar", "x-00001.tar", "x-00002.tar"]
    pairs = open_pairs(tmp_path / "a")
    assert pairs.keys == [f"p{i:03d}" for i in range(7)]
    assert pairs.faults == {}
    assert [pairs.read(i).image for i in range(7)] == [picture(i) for i in range(7)]
    again = write_webdataset(samples(picture, 7), tmp_path / "b", per_shard=3, prefix="x-")
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


@settings(max_examples=30, deadline=None)
@given(st.text(st.sampled_from("ab/é"), min_size=1, max_size=300), st.binary(max_size=2000))
def test_tarfile_reads_every_name(tmp_path_factory, name, data) -> None:
    folder = tmp_path_factory.mktemp("names")
    key = "k/" + name.strip("/") + "z"
    (path,) = write_webdataset([(key, [("txt", data)])], folder)
    with tarfile.open(path) as archive:
        (info,) = archive.getmembers()
        assert info.name == f"{key}.txt"
        assert archive.extractfile(info).read() == data
        assert (info.mtime, info.uid, info.uname) == (0, 0, "")


@pytest.mark.parametrize("key", ["a.b", "../a", "/a", "", ".a", "a/", "a\0"])
def test_keys_that_no_reader_gives_back_are_refused(tmp_path, key) -> None:
    with pytest.raises(ValueError, match="not a key"):
        write_webdataset([(key, [("txt", b"x")])], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_equal_keys_are_refused_and_whole_shards_stay(tmp_path) -> None:
    with pytest.raises(ValueError, match="key twice"):
        write_webdataset([(key, [("txt", b"x")]) for key in "aba"], tmp_path, per_shard=2)
    assert [path.name for path in tmp_path.iterdir()] == ["00000.tar"]
