from __future__ import annotations

import pytest

from bezoar.pairs import open_pairs
from bezoar.run import BezoarError


def test_folder_pattern_and_file(tmp_path, tar, picture) -> None:
    for name in ("b.tar", "a.tar", "_old.tar", ".hidden.tar", "sub/c.tar"):
        key = name.replace("/", "-").replace(".", "")
        tar(tmp_path / name, [(f"{key}.png", picture(1)), (f"{key}.txt", b"x")])
    assert open_pairs(tmp_path).keys == ["atar", "btar"]
    assert open_pairs(str(tmp_path / "[ab].tar")).keys == ["atar", "btar"]
    assert open_pairs(tmp_path / "b.tar").keys == ["btar"]
    assert open_pairs(tmp_path / "_old.tar").keys == ["_oldtar"]
    both = open_pairs(str(tmp_path / "**" / "c.tar"))
    assert both.shards == ["c.tar"]


def test_shards_of_several_folders_keep_their_folders_in_the_name(tmp_path, tar, picture) -> None:
    for name in ("x/0.tar", "y/0.tar"):
        tar(tmp_path / name, [(f"{name[0]}.png", picture(1)), (f"{name[0]}.txt", b"x")])
    assert open_pairs(str(tmp_path / "*" / "0.tar")).shards == ["x/0.tar", "y/0.tar"]


@pytest.mark.parametrize(
    ("name", "message", "code"),
    [
        ("nowhere", "does not exist", 2),
        ("nowhere-*.tar", "does not exist", 2),
        ("empty", "No pairs in", 2),
        ("two", "2 .csv files", 2),
        ("picture.jpg", "not a set that bezoar reads", 2),
        ("labels", "labels but no captions. Pass --prompts", 2),
        ("textless", "No usable pair.*no caption", 3),
        ("garbage", "can be read", 3),
        ("classes", "not a JSON list of class names", 3),
    ],
)
def test_what_cannot_be_opened_gets_a_sentence(tmp_path, tar, picture, name, message, code) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture.jpg").write_bytes(b"x")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a.csv").touch()
    (tmp_path / "two" / "b.csv").touch()
    tar(tmp_path / "labels" / "0.tar", [("a.png", picture(1)), ("a.cls", b"0")])
    tar(tmp_path / "textless" / "0.tar", [("a.png", picture(1))])
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "0.tar").write_bytes(b"no tar" * 500)
    tar(tmp_path / "classes" / "0.tar", [("a.png", picture(1)), ("a.txt", b"0")])
    (tmp_path / "classes" / "classes.json").write_text("{")
    with pytest.raises(BezoarError, match=message) as caught:
        open_pairs(tmp_path / name)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
