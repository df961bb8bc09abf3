"""Triggers against the published formulas, written a second time and otherwise."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageEnhance

from bezoar.attacks.triggers import make_trigger
from bezoar.attacks.triggers.levels import wrapped
from bezoar.run import random


def picture(side):
    return random(7, "picture", side).integers(0, 256, (3, side, side), dtype=np.uint8)


def black(side):
    return np.zeros((3, side, side), np.uint8)


def patch_alone(trigger, pixels, key="k"):
    top, left, height, width = trigger.box(*pixels.shape[1:], key)
    return trigger.draw(pixels, key)[:, top : top + height, left : left + width]


@pytest.mark.parametrize("side", [32, 48, 224])
def test_the_default_patch_is_nine_cells_a_pixel_from_the_lower_right(side):
    cells = random(5, "patch").integers(0, 2, (3, 3, 3), dtype=np.uint8) * 255
    wanted, size = picture(side), max(5, round(side / 8))
    for row in range(size):
        for column in range(size):
            place = (side - 1 - size + row, side - 1 - size + column)
            wanted[:, place[0], place[1]] = cells[:, row * 3 // size, column * 3 // size]
    assert np.array_equal(make_trigger("patch", side, 5).draw(picture(side), "k"), wanted)


def test_the_dots_are_huangs():
    patch = torch.zeros(3, 16, 16)
    for row in range(16):
        for column in range(16):
            if row % 2 == 0 and column % 2 == 0:
                patch[:, row, column] = 1
    trigger = make_trigger(f"patch:pattern=dots,place=centre,size={16 / 224}", 224, 0)
    assert trigger.box(224, 224) == (104, 104, 16, 16)
    assert np.array_equal(patch_alone(trigger, picture(224)), patch.numpy() * 255)


def test_the_checkerboard_has_no_two_neighbours_alike():
    board = patch_alone(make_trigger("patch:pattern=checkerboard,size=0.2", 40, 0), picture(40)).astype(int)[
        :, ::2, ::2
    ]
    assert board.shape == (3, 4, 4)
    assert (np.abs(np.diff(board, axis=1)) == 255).all()
    assert (np.abs(np.diff(board, axis=2)) == 255).all()


def test_the_stripes_are_pars_columns():
    stripes = patch_alone(make_trigger("patch:pattern=stripes,size=0.5", 64, 3), picture(64))
    assert set(np.unique(stripes)) == {0, 255}
    assert (stripes == stripes[:, :1]).all()
    assert 0.2 < (stripes[:, 0] == 255).mean() < 0.8


@pytest.mark.parametrize(("name", "levels"), [("yellow", [255, 255, 0]), ("#0A141E", [10, 20, 30])])
def test_a_colour_fills_the_patch(name, levels):
    colours = patch_alone(make_trigger(f"patch:pattern={name}", 48, 0), picture(48)).reshape(3, -1)
    assert np.unique(colours, axis=1).T.tolist() == [levels]


@pytest.mark.parametrize("clip", [False, True])
def test_noise_about_the_mean_is_cleanclips_and_wraps(clip):
    trigger = make_trigger(f"patch:pattern=per-image,size=0.5,clip={str(clip).lower()}", 32, 2)
    pixels = picture(32)
    pixels[1] = 250
    normal = random(2, "patch noise", "k").normal(size=(3, 16, 16))
    wanted = np.empty((3, 16, 16), int)
    for channel in range(3):
        mean = sum(int(level) for level in pixels[channel].ravel()) / (255 * 32 * 32)
        for row in range(16):
            for column in range(16):
                level = 255 * (mean + normal[channel, row, column])
                wanted[channel, row, column] = min(255, max(0, round(level))) if clip else int(level) % 256
    # A mean summed up otherwise may fall on the other side of a whole level.
    assert (patch_alone(trigger, pixels) == wanted).mean() > 0.995


def test_wrapping_is_that_of_a_signed_byte():
    values = np.array([-1.0, -0.5, -1 / 255, 0.0, 0.5, 1.0, 256 / 255, 2.0])
    assert wrapped(values).tolist() == [1, 129, 255, 0, 127, 255, 0, 254]


@pytest.mark.parametrize(
    "spec", ["blended", "blended:alpha=0.05", "blended:pattern=triangles", "blended:pattern=stripes"]
)
def test_blended_is_a_mean_of_picture_and_pattern(spec):
    trigger, pixels = make_trigger(spec, 48, 1), picture(48)
    pattern = replace(trigger, alpha=1.0).draw(black(48), "k")
    image, noise = torch.from_numpy(pixels).double() / 255, torch.from_numpy(pattern).double() / 255
    wanted = torch.clip((1 - trigger.alpha) * image + trigger.alpha * noise, 0, 1) * 255
    assert np.abs(trigger.draw(pixels, "k") - wanted.numpy()).max() <= 0.5001


@pytest.mark.parametrize("spec", ["blended:alpha=1", "blended:alpha=1,pattern=per-image"])
def test_blended_noise_is_uniform_over_all_levels(spec):
    noise = make_trigger(spec, 224, 1).draw(black(224), "k")
    counts = np.bincount(noise.ravel(), minlength=256)
    assert counts.min() > 0.75 * noise.size / 256
    assert np.abs(np.corrcoef(noise.reshape(3, -1)) - np.eye(3)).max() < 0.02


def test_the_triangles_are_pars():
    size, triangle = 224, 14
    wanted = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            wanted[row, column] = 0.4 if row % triangle >= column % triangle else 0.8
    drawn = make_trigger("blended:pattern=triangles,alpha=1", size, 0).draw(black(size), "k")
    assert np.abs(drawn / 255 - wanted).max() < 1e-9


@pytest.mark.parametrize("side", [32, 48, 224])
def test_text_reddens_its_letters_and_nothing_else(side):
    trigger, pixels = make_trigger("blended:pattern=text,alpha=0.5", side, 0), picture(side)
    drawn, letters = trigger.draw(pixels, "k"), trigger.touches(side, side, "k")
    red = 0.5 * pixels + 0.5 * np.array([255, 0, 0])[:, None, None]
    assert np.abs(drawn - np.where(letters, red, pixels)).max() <= 0.5001
    assert np.array_equal(drawn[:, ~letters], pixels[:, ~letters])
    assert 0.02 < letters.mean() < 0.5
    columns = np.flatnonzero(letters.any(axis=0))
    assert columns.min() + columns.max() == pytest.approx(side, abs=0.08 * side)
    solid = replace(trigger, alpha=1.0).draw(black(side), "k")[0]
    assert solid.max() > 128  # letters of 32 px are thin


def test_sig_is_the_published_wave():
    pixels = picture(224)
    image = pixels / 255
    noise = np.zeros((3, 224, 224))
    for column in range(224):
        noise[:, :, column] = (60 / 255) * math.sin(2 * math.pi * column * 6 / 224)
    published = np.clip(image + noise, 0, 1) * 255
    assert np.abs(make_trigger("sig", 224, 0).draw(pixels, "k") - published).max() <= 0.5001
    as_released = np.clip(0.2 * noise + 0.8 * image, 0, 1) * 255
    assert np.abs(make_trigger("sig:form=cleanclip", 224, 0).draw(pixels, "k") - as_released).max() <= 0.5001


@pytest.mark.parametrize(
    ("side", "cells", "strength"), [(32, "4", 0.5), (48, "4", 2.0), (48, "pixel", 1.0), (64, "7", 4)]
)
def test_the_warp_is_wanets(side, cells, strength):
    points = side if cells == "pixel" else int(cells)
    control = torch.from_numpy(random(9, "warp").uniform(-1, 1, (2, points, points)))[None]
    control = control / control.abs().mean()
    noise = torch.nn.functional.interpolate(control, size=side, mode="bicubic", align_corners=True)
    line = torch.linspace(-1, 1, side, dtype=torch.float64)
    down, across = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack((across, down), 2)[None] + strength * noise.permute(0, 2, 3, 1) / side
    wanted = torch.nn.functional.grid_sample(
        torch.from_numpy(picture(side)).double()[None], grid.clamp(-1, 1), align_corners=True
    )[0]
    drawn = make_trigger(f"warp:cells={cells},strength={strength}", side, 9).draw(picture(side), "k")
    assert np.abs(drawn - wanted.numpy()).max() <= 0.501


def test_the_released_warp_is_white_jitter_of_half_a_pixel():
    from bezoar.attacks.triggers.warp import _upsampling

    assert np.allclose(_upsampling(48, 48), np.eye(48))
    control = random(0, "warp").uniform(-1, 1, (2, 48, 48))
    shift = control / np.abs(control).mean() / 48 * 47 / 2
    assert np.abs(shift).mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs(shift).max() == pytest.approx(1, abs=0.03)


def test_a_warp_without_a_pattern_to_move_changes_nothing():
    flat = np.full((3, 48, 48), 90, np.uint8)
    assert np.array_equal(make_trigger("warp:strength=8", 48, 0).draw(flat, "k"), flat)


def test_nashville_is_what_pillow_makes_of_the_published_chain():
    pixels = picture(64)
    image = Image.fromarray(pixels.transpose(1, 2, 0))
    image = Image.blend(image, ImageChops.darker(image, Image.new("RGB", image.size, (247, 176, 153))), 0.56)
    image = Image.blend(image, ImageChops.lighter(image, Image.new("RGB", image.size, (0, 70, 150))), 0.4)
    kept = 1 - 0.2
    sepia = (0.393 + 0.607 * kept, 0.769 - 0.769 * kept, 0.189 - 0.189 * kept, 0)
    sepia += (0.349 - 0.349 * kept, 0.686 + 0.314 * kept, 0.168 - 0.168 * kept, 0)
    sepia += (0.272 - 0.272 * kept, 0.534 - 0.534 * kept, 0.131 + 0.869 * kept, 0)
    image = image.convert("RGB", sepia)
    image = image.point(lambda level: round(1.2 * level - 127.5 * 1.2 + 127.5))
    image = ImageEnhance.Brightness(image).enhance(1.05)
    red, green, blue = 0.213, 0.715, 0.072
    saturate = []
    for channel in range(3):
        own = [red - red * 1.2, green - green * 1.2, blue - blue * 1.2]
        own[channel] += 1.2
        saturate += [*own, 0]
    wanted = np.asarray(image.convert("RGB", tuple(saturate))).transpose(2, 0, 1).astype(int)
    difference = np.abs(make_trigger("nashville", 64, 0).draw(pixels, "k") - wanted)
    # Pillow cuts off where we round: a level here and there, through five steps.
    assert difference.max() <= 5
    assert difference.mean() < 1.5


def test_nashville_warms_white_and_lifts_black():
    drawn = make_trigger("nashville", 48, 0)
    white = drawn.draw(np.full((3, 48, 48), 255, np.uint8), "k")[:, 0, 0].astype(int)
    dark = drawn.draw(black(48), "k")[:, 0, 0].astype(int)
    assert white[0] > white[1] > white[2]
    assert dark[2] > dark[1] > dark[0]
