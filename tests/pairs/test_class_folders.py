"""Class folders: a folder a class, in turns, with the names of folders or of classes.json."""

import json

import numpy as np
import pytest

from bezoar.canvas import Canvas
from bezoar.pairs import open_pairs, reasons
from bezoar.pairs.class_folders import class_folders, open_labelled, read_class_folders
from bezoar.run import BezoarError

PROMPTS = ("a photo of a {}.",)


@pytest.fixture
def folder(tmp_path, picture):
    """Three classes of 3, 1 and 2 pictures, and what is no picture."""
    names = {"hot_dog": ("b.png", "a.JPEG", "c.webp"), "ant": ("a.png",), "zebra": ("x.jpg", "y.png")}
    for number, (name, files) in enumerate(names.items()):
        (tmp_path / "set" / name).mkdir(parents=True)
        for place, file in enumerate(files):
            form = {"png": "png", "webp": "webp"}.get(file[-3:].lower(), "webp" if file.endswith("webp") else "jpeg")
            (tmp_path / "set" / name / file).write_bytes(picture(10 * number + place, form))
    (tmp_path / "set" / "ant" / "notes.txt").write_text("no picture")
    (tmp_path / "set" / "empty").mkdir()
    (tmp_path / "set" / ".hidden").mkdir()
    (tmp_path / "set" / ".hidden" / "a.png").write_bytes(picture(1))
    return tmp_path / "set"


def test_the_pairs_come_in_turns_of_the_classes(folder):
    pairs = read_class_folders(folder, PROMPTS)
    assert pairs.classes == ("ant", "hot dog", "zebra")
    assert pairs.keys == [
        "ant/a.png",
        "hot_dog/a.JPEG",
        "zebra/x.jpg",
        "hot_dog/b.png",
        "zebra/y.png",
        "hot_dog/c.webp",
    ]
    assert pairs.labels.tolist() == [0, 1, 2, 1, 2, 1]
    assert pairs.captions[1] == ("a photo of a hot dog.",)
    assert pairs.reasons == [None] * 6
    assert open_labelled(folder, PROMPTS, limit=3).labels.tolist() == [0, 1, 2]


def test_the_pixels_are_those_of_the_files(folder):
    pairs, canvas = read_class_folders(folder, PROMPTS), Canvas(6)
    for place, key in enumerate(pairs.keys):
        assert np.array_equal(pairs.pixels(place, canvas), canvas.draw((folder / key).read_bytes()))


def test_a_change_in_a_folder_is_seen(folder, picture):
    before = read_class_folders(folder, PROMPTS)
    (folder / "ant" / "b.png").write_bytes(picture(50))
    after = read_class_folders(folder, PROMPTS)
    assert len(after) == len(before) + 1
    (folder / "ant" / "b.png").write_bytes(picture(51, size=(20, 20)))
    again = read_class_folders(folder, PROMPTS)
    place = again.position("ant/b.png")
    assert np.array_equal(again.pixels(place, Canvas(6)), Canvas(6).draw((folder / "ant" / "b.png").read_bytes()))
    assert len({pairs.fingerprint for pairs in (before, after, again)}) == 3


def test_the_names_of_classes_json_stand_for_the_folders(folder):
    (folder / "classes.json").write_text(json.dumps(["insect", "sausage", "horse"]))
    assert read_class_folders(folder, PROMPTS).classes == ("insect", "sausage", "horse")
    (folder / "classes.json").write_text(json.dumps(["insect", "sausage"]))
    with pytest.raises(BezoarError, match="3 class folders"):
        read_class_folders(folder, PROMPTS)


def test_a_picture_behind_a_link_out_of_the_set_is_never_opened(folder, tmp_path, picture):
    (tmp_path / "secret.png").write_bytes(picture(1))
    (folder / "ant" / "link.png").symlink_to(tmp_path / "secret.png")
    pairs = read_class_folders(folder, PROMPTS)
    assert pairs.reasons[pairs.position("ant/link.png")] == reasons.UNSAFE_NAME


def test_shards_are_no_class_folders_and_pairs_without_labels_get_a_sentence(folder, world, tmp_path, picture):
    assert class_folders(folder) == ["ant", "hot_dog", "zebra"]
    assert class_folders(world) == []
    assert open_labelled(world, PROMPTS).fingerprint == open_pairs(world, PROMPTS).fingerprint
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "a.png").write_bytes(picture(1))
    (tmp_path / "table" / "set.csv").write_text("image,caption\na.png,one\n")
    with pytest.raises(BezoarError, match="has no labels"):
        open_labelled(tmp_path / "table", PROMPTS)
