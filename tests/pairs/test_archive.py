from __future__ import annotations

import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bezoar.pairs import reasons
from bezoar.pairs.archive import read_contents, split_name

NAMES = st.text(st.sampled_from("ab./é_"), min_size=1, max_size=130).filter(lambda name: name.strip("./"))
FORMATS = st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])


@settings(max_examples=60, deadline=None)
@given(members=st.lists(st.tuples(NAMES, st.binary(max_size=1100)), max_size=8), form=FORMATS)
def test_members_are_those_of_tarfile(tar, members, form) -> None:
    with TemporaryDirectory() as folder:
        path = tar(Path(folder) / "x.tar", members, form)
        with path.open("rb") as file, tarfile.open(path) as archive:
            contents = read_contents(file)
            naive = archive.getmembers()
            assert contents.fault is None
            assert [(m.name, m.data, m.size) for m in contents.members] == [
                (info.name, info.offset_data, info.size) for info in naive
            ]
            assert [m.start for m in contents.members] == [info.offset for info in naive]
            for before, after in zip(contents.members, contents.members[1:], strict=False):
                assert before.end == after.start


@settings(max_examples=150, deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=12),
    form=FORMATS,
)
def test_a_damaged_archive_never_raises_and_stays_inside_the_file(tar, edits, form) -> None:
    members = [(f"{'long/' * 30}{i}.txt", bytes([i]) * 700) for i in range(4)]
    with TemporaryDirectory() as folder:
        blob = bytearray(tar(Path(folder) / "x.tar", members, form).read_bytes())
    for place, value in edits:
        blob[place % len(blob)] = value
    try:
        contents = read_contents(io.BytesIO(blob))
    except tarfile.ReadError:
        return
    for member in contents.members:
        assert 0 <= member.start < member.data <= member.end <= len(blob) or not member.whole
        assert not (member.whole and member.regular and member.data + member.size > len(blob))


@pytest.mark.parametrize("size", [-512, -1, 1 << 62])
def test_a_header_that_lies_about_its_size_ends_the_reading(size: int) -> None:
    info = tarfile.TarInfo("b.txt")
    info.size = size
    good = tarfile.TarInfo("a.txt").tobuf(tarfile.GNU_FORMAT)
    contents = read_contents(io.BytesIO(good + info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    assert contents.members[0].whole
    assert contents.fault in (reasons.DAMAGED, reasons.CUT_OFF)


def test_a_long_name_that_claims_to_be_huge_is_not_read() -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    good = tarfile.TarInfo("a.txt").tobuf(tarfile.GNU_FORMAT)
    blob = good + info.tobuf(tarfile.GNU_FORMAT) + bytes(20_000)
    assert read_contents(io.BytesIO(blob)).fault == reasons.DAMAGED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", ("a", "jpg")),
        ("a.seg.PNG", ("a", "seg.png")),
        ("x.y/a.jpg", ("x.y/a", "jpg")),
        ("./a.jpg", ("./a", "jpg")),
        (".hidden", None),
        ("folder/._a.jpg", None),
        ("README", None),
        ("a.", None),
    ],
)
def test_names(name: str, expected: tuple[str, str] | None) -> None:
    assert split_name(name) == expected
