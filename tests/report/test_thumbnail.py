from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bezoar.report.thumbnail import thumbnail


def _opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP"
    return picture


def test_a_canvas_keeps_its_colours_and_its_places() -> None:
    pixels = np.zeros((3, 224, 224), dtype=np.uint8)
    pixels[0, :, :112] = 200
    pixels[2, :, 112:] = 200
    shown = np.asarray(_opened(thumbnail(pixels)).convert("RGB")).astype(int)
    assert shown.shape == (112, 112, 3)
    assert np.abs(shown[50, 10] - (200, 0, 0)).max() < 12
    assert np.abs(shown[50, 100] - (0, 0, 200)).max() < 12


def test_a_small_canvas_is_enlarged_pixel_by_pixel() -> None:
    board = np.repeat((np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)[None], 3, axis=0)
    shown = np.asarray(_opened(thumbnail(board, 112, lossless=True)).convert("L"))
    assert (shown == np.kron(board[0], np.ones((14, 14)))).all()


def test_metadata_stays_behind() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    Image.new("RGB", (300, 200), "red").save(
        file, "JPEG", exif=exif, icc_profile=b"a secret profile", comment=b"a secret word"
    )
    data = thumbnail(Image.open(io.BytesIO(file.getvalue())))
    assert b"secret" not in data
    assert not {"exif", "icc_profile", "xmp"} & set(_opened(data).info)


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK", "1"])
def test_every_kind_of_picture_becomes_rgb(mode: str) -> None:
    assert _opened(thumbnail(Image.new(mode, (31, 70)))).size == (112, 112)


def test_what_is_no_canvas_is_refused() -> None:
    with pytest.raises(ValueError, match="canvas"):
        thumbnail(np.zeros((8, 8, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="canvas"):
        thumbnail(np.zeros((3, 8, 8), dtype=np.float32))  # type: ignore[arg-type]
