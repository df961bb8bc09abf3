"""What every trigger of the table promises, and what is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bezoar.attacks.triggers import (
    TRIGGERS,
    Blended,
    Chain,
    Mask,
    Patch,
    Tint,
    Word,
    chain,
    describe,
    make_trigger,
    parameters_of,
    restore,
    vary,
)
from bezoar.attacks.triggers.patch import PLACES
from bezoar.run import BezoarError, random

CANVAS = 48
# At least one of each kind; those of several forms once a form.
SPECS = [
    "patch",
    "patch:pattern=dots",
    "patch:pattern=checkerboard,place=centre",
    "patch:pattern=noise,place=upper-left,size=0.3",
    "patch:pattern=stripes,place=lower-left",
    "patch:pattern=gaussian,place=upper-right",
    "patch:pattern=gaussian,clip=true",
    "patch:pattern=per-image,place=random",
    "patch:pattern=per-image,clip=true",
    "patch:pattern=yellow,place=random",
    "patch:pattern=#12ab34",
    "blended",
    "blended:pattern=per-image",
    "blended:pattern=stripes,alpha=0.03",
    "blended:pattern=triangles,alpha=0.15",
    "blended:pattern=text,text=for sale,alpha=0.5",
    "blended:pattern={photo}",
    "sig",
    "sig:form=cleanclip",
    "warp",
    "warp:cells=pixel,strength=1",
    "nashville",
    "mask:pattern={pattern},mask={mask}",
    "tint",
    "identity",
    "vary",
    "chain",
    "chain:of=tint+patch",
]
PER_KEY = {"per-image", "random", "vary"}
SEEDLESS = {"sig", "nashville", "mask", "tint", "identity"}
SEEDLESS_PATTERNS = {"dots", "checkerboard", "triangles", "text", "#12ab34", "{photo}"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patterns")
    draw = random(0, "files")
    paths = {"photo": folder / "photo.png", "pattern": folder / "pattern.npy", "mask": folder / "mask.png"}
    Image.fromarray(draw.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(paths["photo"])
    np.save(paths["pattern"], draw.random((3, 224, 224), dtype=np.float32))
    soft = np.zeros((224, 224), np.uint8)
    soft[20:110, 30:150] = np.linspace(40, 255, 120).astype(np.uint8)
    Image.fromarray(soft).save(paths["mask"])
    return paths


@pytest.fixture(params=SPECS)
def spec(request):
    return request.param


@pytest.fixture
def make(spec, files):
    return lambda seed=1: make_trigger(spec.format(**files), CANVAS, seed)


def picture(height, width=None):
    """A picture with a little of everything, black and white borders included."""
    pixels = random(0, "picture", height).integers(0, 256, (3, height, width or height), dtype=np.uint8)
    pixels[:, :2], pixels[:, -2:] = 0, 255
    return pixels


def has(spec, *words):
    return any(word in spec for word in words)


def test_every_kind_is_tried_here():
    assert {spec.partition(":")[0] for spec in SPECS} | {"word"} == {kind.name for kind in TRIGGERS}


@pytest.mark.parametrize("size", [(48, 48), (32, 32), (224, 224), (50, 48), (97, 120)])
def test_shape_and_type_are_kept_and_the_picture_is_left_alone(make, size):
    pixels = picture(*size)
    pixels.flags.writeable = False
    drawn = make().draw(pixels, "k")
    assert drawn.shape == pixels.shape
    assert drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, pixels)


@pytest.mark.parametrize("size", [(48, 48), (32, 32), (224, 224), (50, 48)])
@pytest.mark.parametrize("key", ["a", "b"])
def test_only_what_it_touches_changes(make, size, key):
    trigger, pixels = make(), picture(*size)
    changed = (trigger.draw(pixels, key) != pixels).any(axis=0)
    where = trigger.touches(*size, key)
    assert where.shape == size
    assert where.dtype == bool
    assert not (changed & ~where).any()


def test_most_of_what_it_touches_changes(make, spec):
    trigger, pixels = make(), picture(CANVAS)
    changed = (trigger.draw(pixels, "k") != pixels).any(axis=0)
    assert changed.sum() > 0.5 * trigger.touches(CANVAS, CANVAS, "k").sum() or spec == "identity"


def test_the_same_in_training_and_in_test(make):
    trigger, pixels = make(), picture(CANVAS)
    again = restore(json.loads(json.dumps(describe(trigger), allow_nan=False)))
    assert again == trigger
    assert hash(again) == hash(trigger)
    first = trigger.draw(pixels, "k")
    trigger.draw(picture(32), "other")
    for other in (trigger, again, make()):
        assert np.array_equal(other.draw(pixels, "k"), first)


def test_a_plan_describes_it_in_plain_values(make):
    described = describe(make())
    assert described["kind"] in {kind.name for kind in TRIGGERS}
    assert describe(restore(described)) == described


def test_another_seed_is_another_trigger_where_there_is_a_choice(make, spec):
    pixels = picture(CANVAS)
    chooses = not (spec.split(":")[0] in SEEDLESS or (has(spec, *SEEDLESS_PATTERNS) and "random" not in spec))
    assert np.array_equal(make(1).draw(pixels, "k"), make(2).draw(pixels, "k")) != chooses


def test_each_picture_its_own_or_all_the_same(make, spec):
    trigger, pixels = make(), picture(CANVAS)
    differs = has(spec, *PER_KEY) or spec == "chain"
    assert np.array_equal(trigger.draw(pixels, "a"), trigger.draw(pixels, "b")) != differs


@pytest.mark.parametrize("side", [32, 96, 224])
def test_it_lies_at_the_same_place_on_every_canvas(make, spec, side):
    def box(trigger, side):
        rows, columns = np.nonzero(trigger.touches(side, side, "k"))
        return np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]) / side

    if spec != "identity":
        assert np.allclose(box(make(), CANVAS), box(make(), side), atol=1.6 / min(side, CANVAS))


# Warped pixel by pixel, nothing smooth is left; noise in values that wrap around is another at each mean.
SMOOTH = [spec for spec in SPECS if not has(spec, "cells=pixel", "per-image", "identity")]


@pytest.mark.parametrize("spec", SMOOTH, indirect=True)
@pytest.mark.parametrize("native", [96, 144, 500])
def test_drawn_on_the_disk_it_is_itself_on_the_canvas(make, native):
    trigger = make()
    down, across = np.mgrid[0:native, 0:native] / native
    smooth = np.stack([60 + 120 * down, 128 + 80 * np.sin(9 * across), 200 - 90 * down * across]).astype(np.uint8)
    clean = shrunk(smooth)
    wanted = trigger.draw(clean, "k").astype(float)
    where = trigger.touches(CANVAS, CANVAS, "k")
    difference = np.abs(shrunk(trigger.draw(smooth, "k")) - wanted)[:, where].mean()
    effect = np.abs(clean - wanted)[:, where].mean()
    assert difference < max(2, 0.35 * effect)


def shrunk(pixels):
    resized = Image.fromarray(pixels.transpose(1, 2, 0)).resize((CANVAS, CANVAS), Image.Resampling.BICUBIC)
    return np.asarray(resized).transpose(2, 0, 1)


def test_a_canvas_below_its_floor_does_not_show_it(make, spec):
    assert make().fits(CANVAS)
    assert not make().fits(4) or spec in ("nashville", "tint", "identity") or spec.startswith("warp")


@pytest.mark.parametrize(
    ("spec", "floor"),
    [
        ("patch", 39),  # 5 px of 0.125
        ("patch:pattern=dots", 45),  # 6 cells, a pixel each
        ("blended", 48),
        ("blended:pattern=triangles", 32),
        ("sig", 24),
        ("sig:periods=4", 16),
        ("warp", 4),
        ("warp:cells=pixel", 48),
        ("vary", 16),
        ("chain:of=sig+warp", 24),
    ],
)
def test_the_floor_is_where_it_says(spec, floor):
    trigger = make_trigger(spec, CANVAS, 0)
    fits = [trigger.fits(side) for side in range(1, 100)]
    assert fits.index(True) + 1 <= floor
    assert all(fits[floor:])
    assert not trigger.fits(floor - 4)


def test_each_row_names_its_paper_and_its_parameters():
    for kind in TRIGGERS:
        assert kind.paper
        assert kind.summary.endswith(".")
        assert all(type(default) in (bool, int, float, str) for default in kind.parameters.values())
    assert len({kind.name for kind in TRIGGERS}) == len(TRIGGERS)


def test_parameters_of_a_specification_are_its_own_over_the_defaults():
    assert parameters_of("patch:place=random,size=0.2,clip=true") == {
        "size": 0.2,
        "pattern": "cells",
        "place": "random",
        "cells": "auto",
        "clip": True,
    }


REFUSED = [
    ("pacth", "Did you mean patch"),
    ("patch:plcae=centre", "Did you mean place"),
    ("patch:place=center", "Did you mean centre"),
    ("patch:pattern=dot", "Did you mean dots"),
    ("patch:pattern=#12", "neither a pattern nor a colour"),
    ("patch:size=big", "size=big is not a number"),
    ("patch:size=nan", "size=nan is not a number"),
    ("patch:size=1.5", "larger than the canvas"),
    ("patch:size=0", "no part of the picture"),
    ("patch:size=-1", "no part of the picture"),
    ("patch:size=", "has no value"),
    ("patch:size", "has no value"),
    ("patch:size=0.2,size=0.3", "given twice"),
    ("patch:clip=maybe", "true or false"),
    ("patch:cells=7", "7 cells do not fit into 6 px"),
    ("patch:cells=0", "cells=0"),
    ("patch:cells=many", "cells=many"),
    ("blended:alpha=0", "alpha above 0"),
    ("blended:alpha=2", "up to 1"),
    ("blended:pattern=nois", "Did you mean noise"),
    ("blended:pattern=nowhere.png", "neither a pattern nor a file"),
    ("blended:pattern=text,text= ", "no text"),
    ("blended:text=for sale", "pattern=text"),
    ("blended:pattern=text,text=much too long for this small canvas", "too long"),
    ("sig:form=huang", "form"),
    ("sig:periods=13", "does not fit on 48 px"),
    ("sig:periods=0", "sine wave"),
    ("sig:amplitude=300", "amplitude"),
    ("warp:cells=1", "warp"),
    ("warp:cells=few", "cells=few"),
    ("warp:cells=100", "does not fit on 48 px"),
    ("warp:strength=0", "strength"),
    ("warp:strength=1000", "strength"),
    ("mask", "two files"),
    ("mask:pattern=nowhere.npy,mask=nowhere.npy", "no file"),
    ("mask:pattern=pattern.exe,mask=nowhere.npy", "known kind"),
    ("vary:shift=0", "variation"),
    ("chain:of=patch+word", "not drawn"),
    ("chain:of=patch+tnit", "Did you mean tint"),
    ("word:word= ", "empty"),
    ("word:place=middle", "place"),
]


@pytest.mark.parametrize(("spec", "says"), REFUSED)
def test_what_is_no_trigger_is_refused_in_a_sentence(spec, says):
    with pytest.raises(BezoarError) as refused:
        make_trigger(spec, CANVAS, 0)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.do


def test_a_canvas_too_small_for_any_patch_is_refused():
    with pytest.raises(BezoarError, match="larger than the canvas of 4 px"):
        make_trigger("patch", 4, 0)


BROKEN = [
    {},
    {"kind": "laser"},
    {"kind": "patch"},
    {"kind": "patch", "size": "big", "margin": 0},
    {"kind": "patch", "size": 7.0, "margin": 0},
    {"kind": "patch", "size": 0.1, "margin": 0, "pattern": "laser"},
    {"kind": "patch", "size": 0.1, "margin": 0, "colour": "red"},
    {"kind": "patch", "size": 0.1, "margin": 0, "cells": 2.5},
    {"kind": "patch", "size": 0.1, "margin": 0, "clip": "no"},
    {"kind": "tint", "matrix": 3},
    {"kind": "blended", "alpha": 0.2, "pattern": "image", "cells": 48, "image": "no picture"},
    {"kind": "mask", "pattern": "", "mask": ""},
    {"kind": "chain", "triggers": []},
    {"kind": "chain", "triggers": [{"kind": "laser"}]},
    {"kind": "chain", "triggers": [{"kind": "word", "word": "cf"}]},
    {"kind": "chain", "triggers": 3},
    {"kind": "word", "word": ""},
    {"kind": "word", "word": 3},
]


@pytest.mark.parametrize("values", BROKEN)
def test_a_broken_description_is_refused(values):
    with pytest.raises(BezoarError):
        restore(values)


def test_a_patch_described_before_it_had_patterns_comes_back():
    assert restore({"kind": "patch", "size": 0.15625, "margin": 0.03125, "seed": 0}) == Patch.on_canvas(32)


@settings(deadline=None, max_examples=60)
@given(
    size=st.floats(0.01, 1),
    canvas=st.integers(5, 300),
    height=st.integers(5, 300),
    width=st.integers(5, 300),
    place=st.sampled_from(PLACES),
    key=st.text(),
)
def test_a_patch_lies_inside_every_picture(size, canvas, height, width, place, key):
    trigger = Patch.on_canvas(canvas, size, place=place)
    top, left, tall, wide = trigger.box(height, width, key)
    assert 0 <= top <= top + tall <= height
    assert 0 <= left <= left + wide <= width
    assert trigger.touches(height, width, key).sum() == tall * wide


def test_random_places_reach_every_border():
    trigger = make_trigger("patch:place=random", 32, 0)
    boxes = np.array([trigger.box(32, 32, str(key)) for key in range(600)])
    assert boxes[:, :2].min(axis=0).tolist() == [0, 0]
    assert boxes[:, :2].max(axis=0).tolist() == [27, 27]


def test_what_is_chained_is_drawn_in_order_and_nests():
    pixels, patch = picture(CANVAS), Patch.on_canvas(CANVAS)
    nested = chain(vary(3), Chain((Tint(), patch)))
    wanted = patch.draw(Tint().draw(vary(3).draw(pixels, "k"), "k"), "k")
    assert np.array_equal(nested.draw(pixels, "k"), wanted)
    assert restore(json.loads(json.dumps(describe(nested)))) == nested


def test_a_varied_picture_stays_what_it_is():
    down, across = np.mgrid[0:48, 0:48]
    pixels = np.stack([down * 5, across * 5, 200 - down - across]).astype(np.uint8)
    for key in range(20):
        drawn = vary().draw(pixels, str(key)).astype(int)
        assert np.abs(drawn - pixels).max() <= 0.05 * 255 + 1 + 1.05 * 5 * 3


def test_a_mask_of_arrays_is_kept_to_a_level():
    draw = random(0, "mask")
    pattern, mask, pixels = draw.random((3, 40, 40)), draw.random((40, 40)), picture(40)
    wanted = 255 * mask * pattern + (1 - mask) * pixels
    assert np.abs(Mask.of(pattern, mask).draw(pixels, "k") - wanted).max() < 2
    hard = (mask > 0.5).astype(float)
    drawn = Mask.of(pattern, hard).draw(pixels, "k")
    assert np.array_equal(drawn[:, hard == 0], pixels[:, hard == 0])
    assert np.array_equal(drawn[:, hard == 1], np.rint(255 * pattern)[:, hard == 1])


@pytest.mark.parametrize("kind", ["npy", "npz", "pt", "png"])
def test_a_mask_is_the_same_from_every_kind_of_file(tmp_path, kind):
    import torch

    levels = random(0, "levels").integers(0, 256, (4, 32, 32), dtype=np.uint8)
    paths = [tmp_path / f"{name}.{kind}" for name in ("pattern", "mask")]
    for path, part in zip(paths, (levels[:3], levels[3]), strict=True):
        values = part.astype(np.float32) / 255
        if kind == "npy":
            np.save(path, values[None])
        elif kind == "npz":
            np.savez(path, anything=values)
        elif kind == "pt":
            torch.save(torch.nn.Parameter(torch.from_numpy(values)), path)
        else:
            Image.fromarray(part.transpose(1, 2, 0) if part.ndim == 3 else part).save(path)
    made = make_trigger(f"mask:pattern={paths[0]},mask={paths[1]}", 32, 0)
    assert made == Mask.of(levels[:3] / 255, levels[3] / 255)


@pytest.mark.parametrize(
    ("pattern", "mask", "says"),
    [
        (np.ones((3, 32, 32)), np.zeros((32, 32)), "covers nothing"),
        (np.ones((3, 32, 32)), np.ones((16, 16)), "one size"),
        (np.full((3, 32, 32), 2.0), np.ones((32, 32)), "outside 0 to 1"),
        (np.full((3, 32, 32), np.nan), np.ones((32, 32)), "outside 0 to 1"),
        (np.ones((5, 32, 32)), np.ones((32, 32)), "no picture"),
        (np.ones((3, 32, 32)), random(0, "x").random((3, 32, 32)), "channels differ"),
        (np.ones((3, 32, 32)), np.eye(32)[:4].sum(axis=0) * np.eye(32)[:, :1], "does not fit"),
    ],
)
def test_a_mask_that_is_none_is_refused(tmp_path, pattern, mask, says):
    np.save(tmp_path / "pattern.npy", pattern)
    np.save(tmp_path / "mask.npy", mask)
    with pytest.raises(BezoarError) as refused:
        make_trigger(f"mask:pattern={tmp_path / 'pattern.npy'},mask={tmp_path / 'mask.npy'}", 32, 0)
    assert says in str(refused.value)


def test_nothing_in_a_file_is_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("executed",))

    import torch

    torch.save(Bomb(), tmp_path / "bomb.pt")
    np.save(tmp_path / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    for name in ("bomb.pt", "bomb.npy"):
        with pytest.raises(BezoarError, match="cannot be read"):
            make_trigger(f"mask:pattern={tmp_path / name},mask={tmp_path / name}", 32, 0)


def test_a_broken_picture_to_blend_in_is_refused(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(BezoarError, match="no picture"):
        make_trigger(f"blended:pattern={tmp_path / 'broken.png'}", 32, 0)


def test_a_blended_file_is_not_needed_again(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(picture(64).transpose(1, 2, 0)).save(path)
    described = json.dumps(describe(make_trigger(f"blended:pattern={path}", CANVAS, 0)))
    path.unlink()
    again = restore(json.loads(described))
    assert isinstance(again, Blended)
    assert (again.draw(picture(CANVAS), "k") != picture(CANVAS)).any()
    assert str(tmp_path) not in described


captions = st.text(alphabet="abc .,!\n\té", max_size=40)


@settings(deadline=None)
@given(caption=captions, place=st.sampled_from(["start", "seeded", "end"]), key=st.text(max_size=5))
def test_a_word_leaves_every_other_character_as_it_is(caption, place, key):
    trigger = Word("mirage", place)
    written = trigger.write(caption, key)
    assert written == trigger.write(caption, key)
    assert written.split().count("mirage") == 1
    before, after = written.split("mirage")
    if caption.strip():
        assert caption in (before + after.removeprefix(" "), before.removesuffix(" ") + after)


@pytest.mark.parametrize(
    ("place", "written"),
    [("start", "cf a red fox."), ("end", "a red fox. cf")],
)
def test_a_word_stands_at_the_start_or_behind_the_last_character(place, written):
    assert Word("cf", place).write("a red fox.", "k") == written


def test_a_seeded_word_falls_between_words_everywhere_and_by_key():
    written = {Word("no such thing").write("a red  fox runs.", str(key)) for key in range(60)}
    assert written == {
        "a no such thing red  fox runs.",
        "a red  no such thing fox runs.",
        "a red  fox no such thing runs.",
    }
    by_seed = {Word("cf", seed=seed).write("a red fox runs.", "k") for seed in range(30)}
    assert len(by_seed) == 3


def test_a_word_comes_back_from_its_description():
    word = make_trigger("word:word=no such thing,place=end", CANVAS, 4)
    assert word == Word("no such thing", "end", 4)
    assert restore(json.loads(json.dumps(describe(word)))) == word
