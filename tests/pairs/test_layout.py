"""The quick reading of plain shards says what the careful one says, and says nothing of any other."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.pairs.archive import read_contents
from bezoar.pairs.layout import from_contents, read_layout, read_plain


def agree(path):
    """Both ways say the same; returns whether the quick one said anything."""
    with path.open("rb") as file:
        quick, contents = read_plain(file), read_contents(file)
        slow = from_contents(contents)
        for layout in filter(None, (quick, read_layout(file))):
            assert [layout.member(place) for place in range(len(layout.start))] == contents.members
            assert layout.samples == len(contents.keys)
            for name in ("start", "end", "sample", "whole"):
                assert getattr(layout, name).tolist() == getattr(slow, name).tolist()
            for row in range(layout.samples):
                assert layout.of(row) == [member for member in contents.members if member.sample == row]
                assert layout.member(layout.first(row)) == layout.of(row)[0]
        return quick is not None


names = st.sampled_from(
    [
        "a.png",
        "a.txt",
        "b.png",
        "b.txt",
        "b.TXT",
        "c",
        ".d",
        "e/f.png",
        "e.x/f.txt",
        "g.tar.gz",
        "h.",
        "é.png",
        "e/.f",
        "long" * 24 + ".png",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    members=st.lists(st.tuples(names, st.binary(max_size=1500)), max_size=9),
    form=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT]),
    cut=st.one_of(st.none(), st.integers(0, 20_000)),
    flip=st.one_of(st.none(), st.integers(0, 20_000)),
)
def test_whatever_the_archive_both_ways_of_reading_agree(tmp_path_factory, tar, members, form, cut, flip):
    path = tar(tmp_path_factory.mktemp("layout") / "0.tar", members, form)
    blob = bytearray(path.read_bytes())
    if flip is not None:
        blob[flip % len(blob)] ^= 0x15
    path.write_bytes(bytes(blob[:cut]))
    try:
        agree(path)
    except tarfile.ReadError:
        with path.open("rb") as file:
            assert read_plain(file) is None


def test_plain_shards_are_read_quickly(tmp_path, tar, world):
    members = [(f"{number:04d}.{suffix}", b"x" * number) for number in range(40) for suffix in ("jpg", "txt")]
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        assert agree(tar(tmp_path / f"{form}.tar", members, form))
    assert all(agree(path) for path in sorted(world.glob("*.tar")))


def test_real_shards_are_read_quickly(real_data):
    assert agree(real_data / "flickr8k" / "flickr8k-test-000000.tar")


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "b.png", "a.txt"],
        ["a.png", "a.png"],
        ["a.png", "a.PNG"],
        ["a.png", "README", "a.txt"],
        ["n" * 150 + ".png"],
    ],
    ids=["scattered", "twice", "twice in capitals", "a stray between", "a long name"],
)
def test_other_shards_are_left_to_the_careful_way(tmp_path, tar, names):
    assert not agree(tar(tmp_path / "0.tar", [(name, b"x") for name in names]))


def test_a_link_an_owner_or_a_time_of_its_own_is_not_plain_or_said_the_same(tmp_path):
    path = tmp_path / "0.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.png")
        info.mtime, info.size = 7.25, 3
        archive.addfile(info, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("b.png")
        link.type, link.linkname = tarfile.SYMTYPE, "a.png"
        archive.addfile(link)
    assert not agree(path)


def test_an_empty_file_is_no_archive(tmp_path):
    (tmp_path / "0.tar").write_bytes(b"")
    with (tmp_path / "0.tar").open("rb") as file:
        assert read_plain(file) is None
        with pytest.raises(tarfile.ReadError):
            read_layout(file)
