from __future__ import annotations

import pytest

from bezoar.canvas import Canvas
from bezoar.pairs import UnreadablePair, open_pairs, reasons
from bezoar.run import BezoarError


def test_rows_of_one_picture_are_one_pair(tmp_path, picture) -> None:
    for name in ("a.png", "sub/a.png", "b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture(1, "png" if name.endswith("png") else "jpeg"))
    text = 'Image,Caption,label\na.png,one,2\nb.jpg,"two, with\nlines",\na.png, three ,\nsub/a.png,four,1\n'
    (tmp_path / "set.csv").write_text("\ufeff" + text, encoding="utf-8")
    pairs = open_pairs(tmp_path)
    assert pairs.keys == ["a", "b", "a#2"]
    assert pairs.captions == [("one", "three"), ("two, with\nlines",), ("four",)]
    assert pairs.labels.tolist() == [2, -1, 1]
    assert pairs.reasons == [None] * 3
    assert pairs.read(1).extension == "jpg"
    assert pairs.pixels(2, Canvas(6)).shape == (3, 6, 6)
    assert open_pairs(tmp_path / "set.csv").fingerprint == pairs.fingerprint


def test_a_picture_outside_the_folder_is_never_opened(tmp_path, picture) -> None:
    (tmp_path / "set").mkdir()
    for place in (tmp_path / "secret.png", tmp_path / "set" / "in.png"):
        place.write_bytes(picture(1))
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "set" / "inward.png").symlink_to(tmp_path / "set" / "in.png")
    (tmp_path / "set" / "loop.png").symlink_to(tmp_path / "set" / "loop.png")
    (tmp_path / "set" / "dir.png").mkdir()
    names = [
        "in.png",
        "inward.png",
        "../secret.png",
        str(tmp_path / "secret.png"),
        "link.png",
        "x\\..\\..\\a.png",
    ]
    names += ["gone.png", "", "dir.png", "loop.png"]
    lines = "".join(f"{name},text\n" for name in names)
    (tmp_path / "set" / "set.csv").write_text("file,text\n" + lines)
    pairs = open_pairs(tmp_path / "set")
    expected = [None, None] + [reasons.UNSAFE_NAME] * 4 + [reasons.NO_IMAGE] * 2
    assert pairs.reasons == [*expected, reasons.IRREGULAR, reasons.NO_IMAGE]
    for i in range(2, len(pairs)):
        with pytest.raises(UnreadablePair):
            pairs.read(i)


def test_bad_text_is_a_row_with_a_reason(tmp_path, picture) -> None:
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(picture(1))
    (tmp_path / "set.csv").write_bytes(b"image,title\na.png,fine\nb.png,caf\xe9\nc.png,\n\nb\xe9.png,x\n")
    pairs = open_pairs(tmp_path)
    assert pairs.keys == ["a", "b", "c", "b\\xe9"]
    assert pairs.reasons == [None, reasons.NOT_UTF8, reasons.NO_CAPTION, reasons.UNSAFE_NAME]


def test_a_new_picture_makes_a_new_index(tmp_path, picture) -> None:
    (tmp_path / "a.png").write_bytes(picture(1))
    (tmp_path / "set.csv").write_text("image,text\na.png,x\nb.png,y\n")
    first = open_pairs(tmp_path)
    (tmp_path / "b.png").write_bytes(picture(2))
    assert first.changed() == ["b.png"]
    second = open_pairs(tmp_path)
    assert second.reasons == [None, None]
    assert second.fingerprint != first.fingerprint


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "image\na.png\n", 'image,text\n"a' + "x" * 200_000])
def test_a_table_that_cannot_be_used_gets_a_sentence(tmp_path, text) -> None:
    (tmp_path / "set.csv").write_text(text)
    with pytest.raises(BezoarError):
        open_pairs(tmp_path)
