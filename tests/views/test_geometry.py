from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bezoar.run import random
from bezoar.views import VIEWS, View

by_name = pytest.mark.parametrize("view", VIEWS, ids=[view.name for view in VIEWS])


def pictures(count=3, side=12):
    return torch.from_numpy(random(0, "pictures").integers(0, 256, (count, 3, side, side), dtype=np.uint8))


def reflect(position, side):
    """Fold a place, in pixels, back between the outer edges of the first and last pixel."""
    position = abs(position + 0.5) % (2 * side)
    return min(position, 2 * side - position) - 0.5


def naive(picture, matrix):
    """Bilinear reading of every place, pixel by pixel."""
    side = picture.shape[-1]
    seen = np.zeros(picture.shape)
    for row in range(side):
        for column in range(side):
            place = matrix @ [(2 * column + 1) / side - 1, (2 * row + 1) / side - 1, 1]
            x, y = (min(max(reflect(((p + 1) * side - 1) / 2, side), 0), side - 1) for p in place)
            left, top = min(int(x), side - 2), min(int(y), side - 2)
            across, down = x - left, y - top
            upper = (1 - across) * picture[:, top, left] + across * picture[:, top, left + 1]
            lower = (1 - across) * picture[:, top + 1, left] + across * picture[:, top + 1, left + 1]
            seen[:, row, column] = (1 - down) * upper + down * lower
    return seen


@by_name
def test_equals_a_reading_pixel_by_pixel(view):
    batch = pictures().double() / 255
    for picture, seen in zip(batch.numpy(), view(batch).numpy(), strict=True):
        assert np.allclose(seen, naive(picture, view.matrix), atol=1e-9)


@by_name
def test_keeps_shape_dtype_and_input(view):
    batch = pictures()
    before = batch.clone()
    for dtype in (torch.uint8, torch.float32, torch.float64):
        seen = view(batch.to(dtype))
        assert seen.shape == batch.shape
        assert seen.dtype == dtype
    assert torch.equal(batch, before)
    assert (view(batch).float() - view(batch.float())).abs().max() <= 0.5 + 1e-4


@by_name
def test_rows_do_not_touch_one_another(view):
    batch = pictures(5)
    assert torch.equal(view(batch)[3:4], view(batch[3:4]))


@by_name
def test_changes_the_picture_and_keeps_a_plain_one(view):
    assert not torch.equal(view(pictures()), pictures())
    plain = torch.full((1, 3, 9, 9), 77, dtype=torch.uint8)
    assert torch.equal(view(plain), plain)


def test_no_change_is_no_change():
    assert torch.equal(View("same")(pictures()), pictures())


def test_a_mirror_is_a_flip_exactly():
    batch = pictures().float() / 255
    assert torch.equal(VIEWS[0](batch), batch.flip(-1))


def test_directions_are_as_named():
    views = {view.name: view for view in VIEWS}
    dot = torch.zeros(1, 1, 16, 16)
    dot[..., 8, 8] = 1.0
    assert views["shift-right"](dot)[0, 0, 8, 10] == pytest.approx(1)
    assert views["shift-left"](dot)[0, 0, 8, 6] == pytest.approx(1)
    assert views["shift-up"](dot)[0, 0, 6, 8] == pytest.approx(1)
    assert views["shift-down"](dot)[0, 0, 10, 8] == pytest.approx(1)
    right = torch.zeros(1, 1, 41, 41)
    right[..., 20, 36] = 1.0
    row, column = divmod(int(views["turn-left"](right).argmax()), 41)
    assert math.degrees(math.atan2(20 - row, column - 20)) == pytest.approx(15, abs=3)


def test_zooming_in_enlarges_and_out_shrinks():
    square = torch.zeros(1, 1, 40, 40)
    square[..., 15:25, 15:25] = 1.0
    views = {view.name: view for view in VIEWS}
    assert views["zoom-in"](square).sum() == pytest.approx(100 / 0.8**2, rel=0.1)
    assert views["zoom-out"](square).sum() == pytest.approx(100 / 1.2**2, rel=0.1)


def test_names_are_different():
    assert len({view.name for view in VIEWS}) == len(VIEWS) == 12
