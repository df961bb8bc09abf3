"""The canvas draws what open_clip's own preprocessing draws, and knows which part of a picture it shows."""

import io

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bezoar.canvas import OPENAI_MEAN, OPENAI_STD, Canvas
from bezoar.run import random


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(random(seed, "picture").integers(0, 256, (height, width, 3), dtype=np.uint8))


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(3, 90),
    height=st.integers(3, 90),
    side=st.sampled_from([24, 32, 40]),
    resize=st.sampled_from(["shortest", "squash"]),
    interpolation=st.sampled_from(["bicubic", "bilinear"]),
)
def test_drawing_equals_open_clip(width, height, side, resize, interpolation):
    source = picture(width, height)
    transform = open_clip.image_transform(
        side,
        is_train=False,
        mean=OPENAI_MEAN,
        std=OPENAI_STD,
        resize_mode=resize,
        interpolation=interpolation,
    )
    canvas = Canvas(side, resize=resize, interpolation=interpolation)
    drawn = torch.from_numpy(canvas.draw(source))[None]
    torch.testing.assert_close(canvas.normalise(drawn)[0], transform(source), rtol=0, atol=1e-6)


def test_bytes_and_pictures_draw_alike():
    source = picture(50, 31)
    buffer = io.BytesIO()
    source.save(buffer, "PNG")
    canvas = Canvas(24)
    assert np.array_equal(canvas.draw(buffer.getvalue()), canvas.draw(source))


def test_a_picture_of_the_canvas_size_is_not_resampled():
    source = picture(40, 40)
    assert np.array_equal(Canvas(40).draw(source).transpose(1, 2, 0), np.asarray(source))


@pytest.mark.parametrize("size", [(96, 96), (200, 96), (96, 200)])
def test_what_lies_outside_the_window_does_not_show(size):
    canvas = Canvas(32)
    left, top, width, height = (round(value) for value in canvas.window(*size))
    outside = np.asarray(picture(*size)).copy()
    inside = np.zeros_like(outside)
    window = (slice(top, top + height), slice(left, left + width))
    inside[window] = outside[window]
    # Two pixels at each border are blurred into one another by the resampling.
    assert np.array_equal(
        canvas.draw(Image.fromarray(outside))[:, 2:-2, 2:-2],
        canvas.draw(Image.fromarray(inside))[:, 2:-2, 2:-2],
    )
