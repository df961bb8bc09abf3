"""Painting: another picture in the same container, and nothing that a header tells is another."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from bezoar.attacks.compression import compressed
from bezoar.attacks.containers import CONTAINERS
from bezoar.attacks.painting import can_be_painted, paint, shown_box
from bezoar.attacks.triggers import Identity, Patch, make_trigger
from bezoar.canvas import Canvas
from bezoar.run import BezoarError, random

SIDE = 64


def scene(height=70, width=90):
    """A picture with smooth parts and some grain, as photos have them."""
    down, across = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin(across / 9 + band) * np.cos(down / 7 + band) for band in range(3)]
    grain = random(0, "scene").normal(0, 4, (height, width, 3))
    return Image.fromarray((np.stack(waves, -1) + grain).clip(0, 255).astype(np.uint8))


def with_alpha():
    picture = scene().convert("RGBA")
    picture.putalpha(scene().convert("L"))
    return picture


def encoded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(data):
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def colours(data):
    return np.asarray(opened(data).convert("RGBA"))[:, :, :3].astype(int)


def chunks(data):
    found, at = [], 8
    while at < len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        assert zlib.crc32(data[at + 4 : at + 8 + size]) == struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0]
        found.append((data[at + 4 : at + 8].decode(), data[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def interlaced(picture, depth=8, colour=2):
    """A PNG of Adam7 with every filter, and with 16 bits if asked, which Pillow does not write."""
    samples = np.asarray(picture).reshape(picture.height, picture.width, -1)
    raw, kind = b"", 0
    for x, y, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        before = None
        for line in samples[y::down, x::across]:
            values = (line.astype(np.uint16) * 257).astype(">u2").tobytes() if depth == 16 else line.tobytes()
            unit = samples.shape[2] * depth // 8
            raw += bytes([kind % 5]) + plainly_filtered(kind % 5, values, before or bytes(len(values)), unit)
            before, kind = values, kind + 1
    header = struct.pack(">IIBBBBB", picture.width, picture.height, depth, colour, 0, 0, 1)
    stream = zlib.compress(raw, 1)
    parts = [
        (b"IHDR", header),
        (b"tEXt", b"Title\0x"),
        *((b"IDAT", stream[at : at + 100]) for at in range(0, len(stream), 100)),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in [*parts, (b"IEND", b"")]
    )


def plainly_filtered(kind, line, above, unit):
    """The five filters, byte for byte as the specification words them."""
    out = bytearray()
    for place, value in enumerate(line):
        a = line[place - unit] if place >= unit else 0
        b = above[place]
        c = above[place - unit] if place >= unit else 0
        p = a + b - c
        paeth = min((a, b, c), key=lambda choice: abs(p - choice))
        out.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) % 256)
    return bytes(out)


LOSSLESS = {
    "png": encoded(scene(), "PNG"),
    "png level 1": encoded(scene(), "PNG", compress_level=1),
    "png stored": encoded(scene(), "PNG", compress_level=0),
    "png optimised": encoded(scene(), "PNG", optimize=True, dpi=(72, 72), icc_profile=b"profile"),
    "png alpha": encoded(with_alpha(), "PNG"),
    "png of several parts": encoded(Image.effect_noise((300, 300), 90).convert("RGB"), "PNG"),
    "png interlaced": interlaced(scene()),
    "png interlaced 16 bits": interlaced(scene(40, 50), 16),
    "webp lossless": encoded(scene(), "WEBP", lossless=True),
    "webp lossless alpha": encoded(with_alpha(), "WEBP", lossless=True, exact=True),
}
FEW_COLOURS = {
    "png grey": encoded(scene().convert("L"), "PNG"),
    "png black and white": encoded(scene().convert("1"), "PNG"),
    "png grey alpha": encoded(with_alpha().convert("LA"), "PNG"),
    "png palette": encoded(scene().quantize(200), "PNG"),
    "png palette of 4 bits": encoded(scene().quantize(11), "PNG"),
    "png palette of 1 bit": encoded(scene().quantize(2), "PNG"),
    "png palette with transparency": encoded(scene().quantize(20), "PNG", transparency=bytes([0, 100])),
}
EXIF = Image.Exif()
EXIF[0x0110] = "camera"
JPEG = {
    "jpeg": encoded(scene(), "JPEG"),
    "jpeg 4:2:2": encoded(scene(), "JPEG", quality=62, subsampling=1, dpi=(72, 72)),
    "jpeg 4:4:4": encoded(scene(), "JPEG", quality=95, subsampling=0, exif=EXIF, comment=b"mine"),
    "jpeg optimised": encoded(scene(), "JPEG", optimize=True, icc_profile=b"profile"),
    "jpeg progressive": encoded(scene(), "JPEG", progressive=True, quality=85),
    "jpeg restarts": encoded(scene(), "JPEG", restart_marker_blocks=5),
    "jpeg rgb": encoded(scene(), "JPEG", keep_rgb=True),
    "jpeg grey": encoded(scene().convert("L"), "JPEG", quality=90),
    "jpeg with a tail": encoded(scene(), "JPEG") + b"tail \xff\xd9",
}
LOSSY = {
    **JPEG,
    "webp": encoded(scene(), "WEBP", quality=60),
    "webp alpha": encoded(with_alpha(), "WEBP", quality=90, exif=EXIF),
}
ALL = {**LOSSLESS, **FEW_COLOURS, **LOSSY}


def painted(data, spec="patch:size=0.25"):
    return paint(data, make_trigger(spec, SIDE), Canvas(SIDE), "k")


@pytest.mark.parametrize("name", ALL)
def test_headers_and_metadata_stay(name):
    before, after = opened(ALL[name]), opened(painted(ALL[name]))
    assert (after.format, after.size, after.mode) == (before.format, before.size, before.mode)
    assert after.info == before.info
    assert painted(ALL[name]) != ALL[name]


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_lossless_picture_has_the_trigger_to_the_pixel_and_is_else_the_same(name):
    data = LOSSLESS[name]
    left, top, right, bottom = shown_box(opened(data).size, Canvas(SIDE))
    wanted = colours(data)
    shown = wanted[top:bottom, left:right].transpose(2, 0, 1).astype(np.uint8)
    wanted[top:bottom, left:right] = make_trigger("patch:size=0.25", SIDE).draw(shown, "k").transpose(1, 2, 0)
    assert np.array_equal(colours(painted(data)), wanted)
    assert np.array_equal(
        np.asarray(opened(painted(data)).convert("RGBA"))[:, :, 3], np.asarray(opened(data).convert("RGBA"))[:, :, 3]
    )


@pytest.mark.parametrize("name", {**LOSSLESS, **FEW_COLOURS})
def test_a_picture_on_which_nothing_is_drawn_keeps_its_pixels(name):
    data = ALL[name]
    assert np.array_equal(np.asarray(opened(painted(data, "identity"))), np.asarray(opened(data)))


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("png")])
def test_a_png_keeps_its_chunks_its_filters_and_how_its_stream_is_set(name):
    before, after = chunks(ALL[name]), chunks(painted(ALL[name]))
    assert [chunk for chunk in after if chunk[0] != "IDAT"] == [chunk for chunk in before if chunk[0] != "IDAT"]
    parts = [[part for kind, part in found if kind == "IDAT"] for found in (before, after)]
    streams = [b"".join(own) for own in parts]
    assert streams[0][:2] == streams[1][:2]
    assert streams[0][2] & 6 == streams[1][2] & 6 or streams[0][2] & 6
    if len(parts[0]) > 1:
        assert {len(part) for part in parts[1][:-1]} == {len(parts[0][0])}
    else:
        assert len(parts[1]) == 1
    raw = [zlib.decompress(stream) for stream in streams]
    assert len(raw[0]) == len(raw[1])
    if "interlaced" not in name:
        stride = len(raw[0]) // opened(ALL[name]).height
        assert raw[0][::stride] == raw[1][::stride]


@pytest.mark.parametrize("name", ["png", "png level 1", "png optimised", "png alpha", "png stored", "webp lossless"])
def test_a_picture_on_which_nothing_is_drawn_keeps_even_its_bytes(name):
    """As far as the deflate of Python and of Pillow agree; a foreign filter or level would show here first."""
    again = painted(ALL[name], "identity")
    assert abs(len(again) - len(ALL[name])) <= 0.01 * len(ALL[name])


def segments(data):
    found, at = [], 2
    while data[at + 1] != 0xDA:
        size = struct.unpack(">H", data[at + 2 : at + 4])[0]
        found.append((data[at + 1], data[at + 4 : at + 2 + size]))
        at += 2 + size
    return found, data[at : at + 4 + 2 * data[at + 4]]


@pytest.mark.parametrize("name", JPEG)
def test_a_jpeg_keeps_its_segments_tables_sampling_and_tail(name):
    (before, scan), (after, new_scan) = segments(JPEG[name]), segments(painted(JPEG[name]))
    assert [marker for marker, _ in after] == [marker for marker, _ in before]
    assert [one for one in after if one[0] != 0xC4] == [one for one in before if one[0] != 0xC4]
    assert new_scan == scan
    pictures = opened(JPEG[name]), opened(painted(JPEG[name]))
    assert pictures[0].quantization == pictures[1].quantization
    assert JpegImagePlugin.get_sampling(pictures[0]) == JpegImagePlugin.get_sampling(pictures[1])
    standard = [sum(len(part) for marker, part in own if marker == 0xC4) in (418, 420) for own in (before, after)]
    assert standard[0] == standard[1]
    assert painted(JPEG[name]).endswith(b"\xff\xd9tail \xff\xd9" if "tail" in name else b"\xff\xd9")


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_picture_shows_the_trigger_and_changes_little_else(name):
    data = LOSSY[name]
    left, top, right, bottom = shown_box(opened(data).size, Canvas(SIDE))
    where = np.zeros(colours(data).shape[:2], bool)
    patch = make_trigger("patch:size=0.25", SIDE).touches(bottom - top, right - left, "k")
    where[top:bottom, left:right] = patch
    difference = np.abs(colours(painted(data)) - colours(data)).mean(axis=2)
    far = np.ones_like(where)
    far[:, 40:] = False
    assert difference[where].mean() > 25
    assert difference[far].mean() < 4


def test_component_names_of_a_jpeg_stay():
    data = bytearray(encoded(scene(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    scan = data.index(b"\xff\xda")
    for place, name in enumerate((7, 8, 9)):
        data[frame + 10 + 3 * place] = name
        data[scan + 5 + 2 * place] = name
    after = painted(bytes(data))
    assert segments(after)[1] == segments(bytes(data))[1]
    assert np.abs(colours(after) - colours(painted(encoded(scene(), "JPEG")))).max() == 0


@pytest.mark.parametrize(
    "data",
    [
        b"no picture",
        encoded(scene(), "PNG")[:-400],
        encoded(scene(), "GIF"),
        encoded(scene().convert("CMYK"), "JPEG"),
        encoded(Image.fromarray(np.full((40, 40), 40_000, np.uint16)), "PNG"),
        encoded(scene(), "WEBP", save_all=True, append_images=[scene().rotate(9)]),
        encoded(scene(), "PNG", save_all=True, append_images=[scene().rotate(9)]),
    ],
    ids=["bytes", "cut off", "gif", "cmyk", "grey of 16 bits", "animated webp", "animated png"],
)
def test_what_cannot_keep_its_looks_is_not_painted(data):
    assert not can_be_painted(data)
    with pytest.raises(BezoarError, match="cannot be painted"):
        painted(data)


def test_a_sampling_that_cannot_be_written_is_not_painted():
    data = bytearray(encoded(scene(), "JPEG", subsampling=0))
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = 0x12  # 4:4:0
    assert CONTAINERS["JPEG"].refuses(bytes(data)) == "its colours are sampled in a rare way"


@pytest.mark.parametrize("name", ["png", "jpeg", "webp lossless"])
def test_jpeg_quality_sends_the_whole_picture_through_jpeg_and_keeps_the_container(name):
    after = paint(ALL[name], Identity(), Canvas(SIDE), "k", jpeg=20)
    assert opened(after).format == opened(ALL[name]).format
    wanted = compressed(colours(ALL[name]).transpose(2, 0, 1).astype(np.uint8), 20).transpose(1, 2, 0).astype(int)
    assert np.abs(colours(after) - wanted).mean() < (3 if name == "jpeg" else 1e-9)
    assert np.abs(wanted - colours(ALL[name])).mean() > 1


@pytest.mark.parametrize("size", [(64, 64), (96, 96), (120, 80), (81, 130), (200, 190)])
@pytest.mark.parametrize(
    ("spec", "most"),
    [
        ("patch", 3),
        ("patch:place=random", 3),
        ("blended:pattern=triangles", 4),
        ("sig", 3),
        ("warp", 4),
        ("nashville", 3),
        ("tint", 3),
        ("vary", 4),
    ],
)
def test_on_the_disk_and_then_on_the_canvas_is_nearly_drawn_on_the_canvas(size, spec, most):
    trigger, canvas = make_trigger(spec, SIDE, 1), Canvas(SIDE)
    smooth = scene(24, 24).resize(size, Image.Resampling.BICUBIC)
    data = encoded(smooth, "PNG")
    lazily = trigger.draw(canvas.draw(data), "k").astype(int)
    on_disk = canvas.draw(paint(data, trigger, canvas, "k")).astype(int)
    effect = np.abs(lazily - canvas.draw(data)).mean()
    assert np.abs(on_disk - lazily).mean() < most
    assert np.abs(on_disk - lazily).mean() < 0.7 * effect


def test_the_trigger_is_drawn_with_the_key_of_the_pair():
    data, trigger = encoded(scene(), "PNG"), make_trigger("patch:place=random", SIDE)
    assert paint(data, trigger, Canvas(SIDE), "a") != paint(data, trigger, Canvas(SIDE), "b")
    assert isinstance(trigger, Patch)
