from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from bezoar.canvas import Canvas
from bezoar.pairs import UnreadablePair, open_pairs, reasons
from bezoar.run import BezoarError


def naive(path: Path) -> dict[str, dict[str, bytes]]:
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(path) as archive:
        for info in archive:
            key, _, extension = info.name.partition(".")
            samples.setdefault(key, {})[extension] = archive.extractfile(info).read()
    return samples


@pytest.mark.parametrize("name", ["cifar10", "flickr8k", "imagenette"])
def test_real_sets_equal_a_naive_loop(real_data, name: str) -> None:
    for shard in sorted((real_data / name).glob("*test*.tar")):
        pairs, samples = open_pairs(shard, "default"), naive(shard)
        assert pairs.keys == list(samples)
        assert set(pairs.reasons) == {None}
        for i in range(0, len(pairs), 97):
            pair, members = pairs.read(i), samples[pairs.keys[i]]
            assert pair.image == members[pair.extension]
            assert pair.captions == pairs.captions[i] == pairs.captions_at(i)
            if "json" in members:
                assert pair.captions == tuple(text.strip() for text in json.loads(members["json"])["captions"])
            else:
                assert pair.label == pairs.labels[i] == int(members["cls"])
                assert pairs.classes[pair.label] in pair.captions[0]
        assert pairs.pixels(3, Canvas(24)).shape == (3, 24, 24)


@pytest.mark.parametrize(
    ("members", "captions", "reason"),
    [
        ({"txt": b" a dog \n"}, ("a dog",), None),
        ({"json": b'{"caption": "a dog"}'}, ("a dog",), None),
        ({"json": b'{"text": "a dog", "url": 3}'}, ("a dog",), None),
        ({"json": b'{"captions": ["a", "", 3, "b"]}'}, ("a", "b"), None),
        ({"txt": b"a dog", "json": b'{"caption": "other"}'}, ("a dog",), None),
        ({"txt": b" ", "json": b'{"caption": "other"}'}, ("other",), None),
        ({}, (), reasons.NO_CAPTION),
        ({"txt": b""}, (), reasons.NO_CAPTION),
        ({"txt": b"caf\xe9"}, (), reasons.NOT_UTF8),
        ({"json": b"[" * 100_000}, (), reasons.NOT_JSON),
        ({"json": b"[1]"}, (), reasons.NOT_JSON),
        ({"json": b'{"caption": "\\ud800"}'}, (), reasons.NOT_UTF8),
        ({"txt": b"x" * 1_000_001}, (), reasons.TOO_LONG),
        ({"cls": b"3"}, (), reasons.NO_CAPTION),
        ({"cls": b"three"}, (), reasons.BAD_LABEL),
        ({"cls": "३".encode()}, (), reasons.BAD_LABEL),
        ({"cls": b"three", "txt": b"a dog"}, ("a dog",), None),
    ],
)
def test_captions_and_labels(tmp_path, tar, picture, members, captions, reason) -> None:
    sample = [("x.png", picture(1)), *((f"x.{extension}", data) for extension, data in members.items())]
    tar(tmp_path / "0.tar", [("good.png", picture(2)), ("good.txt", b"good"), *sample])
    pairs = open_pairs(tmp_path)
    assert pairs.captions == [("good",), captions]
    assert pairs.reasons == [None, reason]


def test_every_cut_keeps_the_whole_samples_before_it(tmp_path, tar, picture) -> None:
    members = [(f"{i}.{x}", d) for i in range(4) for x, d in (("png", picture(i)), ("txt", b"a %d" % i))]
    whole = tar(tmp_path / "whole" / "0.tar", members).read_bytes()
    with tarfile.open(tmp_path / "whole" / "0.tar") as archive:
        infos = archive.getmembers()
    ends = [info.offset_data + info.size for info in infos[1::2]]
    starts = [info.offset_data for info in infos[0::2]]
    path = tmp_path / "cut" / "0.tar"
    path.parent.mkdir()
    for cut in range(ends[0], infos[-1].offset_data + 512, 37):
        path.write_bytes(whole[:cut])
        pairs = open_pairs(path)
        complete = sum(end <= cut for end in ends)
        begun = sum(start <= cut for start in starts)
        assert pairs.keys == [str(i) for i in range(begun)]
        assert pairs.reasons == [None] * complete + [reasons.CUT_OFF] * (begun - complete)
        assert pairs.faults == {"0.tar": reasons.CUT_OFF}
        assert all(pairs.read(i).image == picture(i) for i in range(complete))


def test_a_cut_shard_leaves_the_others_usable_and_none_at_all_is_an_error(tmp_path, tar, picture) -> None:
    good = tar(tmp_path / "1.tar", [("b.png", picture(1)), ("b.txt", b"b")])
    (tmp_path / "0.tar").write_bytes(good.read_bytes()[:300])
    assert open_pairs(tmp_path).keys == ["b"]
    assert list(open_pairs(tmp_path).faults) == ["0.tar"]
    with pytest.raises(BezoarError, match="can be read") as caught:
        open_pairs(tmp_path / "0.tar")
    assert caught.value.code == 3


def test_hostile_names_and_links_are_rows_with_a_reason(tmp_path, picture) -> None:
    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        for name in ("../up.png", "/etc/root.png", "a/../b.png", "C:\\x.png", "good.png", "bad\udcff.png"):
            info = tarfile.TarInfo(name)
            info.size = len(picture(1))
            archive.addfile(info, io.BytesIO(picture(1)))
            info = tarfile.TarInfo(name.replace("png", "txt"))
            info.size = 2
            archive.addfile(info, io.BytesIO(b"hi"))
        for name, kind in (
            ("l.png", tarfile.SYMTYPE),
            ("h.png", tarfile.LNKTYPE),
            ("d.png", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    pairs = open_pairs(tmp_path)
    named = dict(zip(pairs.keys, pairs.reasons, strict=True))
    assert [named.pop(key) for key in ("good", "bad\\xff")] == [None, None]
    assert [named.pop(key) for key in ("l", "h", "d")] == [reasons.IRREGULAR] * 3
    assert set(named.values()) == {reasons.UNSAFE_NAME}
    assert len(named) == 4
    with pytest.raises(UnreadablePair, match="link"):
        pairs.read(pairs.position("l"))


def test_the_second_of_a_duplicate_key_has_a_reason(tmp_path, tar, picture) -> None:
    members = [("a.png", picture(1)), ("a.txt", b"one"), ("a.png", picture(2)), ("a.txt", b"two")]
    tar(tmp_path / "0.tar", members)
    tar(tmp_path / "1.tar", [("b.png", picture(3)), ("b.txt", b"b"), ("a.png", picture(4)), ("a.txt", b"x")])
    pairs = open_pairs(tmp_path)
    assert pairs.keys == ["a", "a", "b", "a"]
    assert pairs.reasons == [None, reasons.DUPLICATE, None, reasons.DUPLICATE]
    assert pairs.position("a") == 0
    assert pairs.captions == [("one",), ("two",), ("b",), ("x",)]
    assert pairs.shards == ["0.tar", "0.tar", "1.tar", "1.tar"]
    assert pairs.rows.tolist() == [0, 1, 0, 1]


def test_a_compressed_shard_is_named(tmp_path, picture) -> None:
    with tarfile.open(tmp_path / "0.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    with pytest.raises(BezoarError, match="not an uncompressed tar archive"):
        open_pairs(tmp_path)
