"""Sheets of pictures: enlarged without smoothing, small, and a difference whose factor is the one that it names."""

import io

import numpy as np
import pytest
from PIL import Image
from studies.picture_sheet import GAP, LINE, PAPER, SCALE, Tile, difference, sheet

SIDE = 40


@pytest.fixture
def noisy():
    return np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)


def opened(data):
    return Image.open(io.BytesIO(data))


def test_a_picture_of_few_colours_is_enlarged_as_it_is():
    pixels = np.zeros((3, SIDE, SIDE), np.uint8)
    pixels[0, ::2], pixels[2, :, ::3] = 255, 128
    shown = np.asarray(opened(sheet([[Tile(pixels, "clean pair")]])).convert("RGB"))
    top = GAP + LINE + 4
    found = shown[top : top + SIDE * SCALE, GAP : GAP + SIDE * SCALE]
    assert np.array_equal(found, np.kron(pixels.transpose(1, 2, 0), np.ones((SCALE, SCALE, 1), np.uint8)))


def test_six_noisy_pictures_fit_into_a_palette_and_a_small_file(noisy):
    tile = Tile(noisy, "poisoned pair", "a long caption that has to be broken into several lines of text", poison=True)
    data = sheet([[tile] * 3] * 2)
    assert opened(data).mode == "P"
    assert len(data) < 25_000
    assert opened(data).convert("RGB").getpixel((0, 0)) == tuple(
        int(PAPER[place : place + 2], 16) for place in (1, 3, 5)
    )


def test_a_noisy_picture_takes_no_colours_from_its_neighbour(noisy):
    plain = np.repeat(np.arange(0, 240, 6, dtype=np.uint8)[None, None, :], SIDE, axis=1).repeat(3, axis=0)
    alone = np.asarray(opened(sheet([[Tile(plain, "clean pair")]])).convert("RGB"))
    beside = np.asarray(opened(sheet([[Tile(plain, "clean pair"), Tile(noisy, "noise", None, None)]])).convert("RGB"))
    assert np.array_equal(alone[:, : GAP + SIDE * SCALE], beside[:, : GAP + SIDE * SCALE])


@pytest.mark.parametrize(("change", "factor"), [(0, 16), (7, 16), (20, 4), (120, 1), (200, 1)])
def test_the_difference_is_amplified_by_the_factor_that_its_title_names(change, factor):
    before = np.full((3, SIDE, SIDE), 20, np.uint8)
    tile = difference(before, before + np.uint8(change))
    assert tile.title == f"difference, times {factor}"
    assert np.all(tile.pixels == min(255, 128 + factor * change))
