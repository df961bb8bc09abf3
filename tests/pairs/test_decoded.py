"""Pictures decoded once: the cap changes what is kept in memory, and nothing that is seen."""

from __future__ import annotations

import numpy as np
import pytest

from bezoar.canvas import Canvas
from bezoar.pairs import open_pairs, write_webdataset
from bezoar.pairs.decoded import Decoded, refuse_unusable, typical_side
from bezoar.pairs.pairs import Pairs
from bezoar.run import BezoarError, random

CANVAS = Canvas(8)
BROKEN = {5: b"not a picture", 30: b"", 66: None}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory, picture) -> Pairs:
    """90 pairs, of which one has bytes that are no picture, one has none, and one has no picture file."""
    samples = []
    for number in range(90):
        members = [("png", BROKEN.get(number, picture(number))), ("txt", b"a ball")]
        samples.append((f"{number:03d}", members if members[0][1] is not None else members[1:]))
    folder = tmp_path_factory.mktemp("set")
    write_webdataset(samples, folder)
    return open_pairs(folder)


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """Every position whose picture is decoded, in order of asking."""
    positions, draw = [], Pairs.pixels

    def listening(self, i, canvas):
        positions.append(i)
        return draw(self, i, canvas)

    monkeypatch.setattr(Pairs, "pixels", listening)
    return positions


def test_a_batch_is_the_pictures_on_the_canvas(pairs) -> None:
    wanted = [3, 88, 3, 0, 41]
    batch = Decoded(pairs, CANVAS).batch(wanted)
    assert batch.shape == (5, 3, 8, 8)
    assert batch.dtype == np.uint8
    for pixels, place in zip(batch, wanted, strict=True):
        assert np.array_equal(pixels, pairs.pixels(place, CANVAS))


@pytest.mark.parametrize("workers", [1, 4])
def test_beyond_the_cap_the_same_pictures_come_without_being_kept(pairs, asked, workers) -> None:
    kept = Decoded(pairs, CANVAS, workers=workers)
    not_kept = Decoded(pairs, CANVAS, cap_bytes=90 * 3 * 64 - 1, workers=workers)
    for decoded in (kept, not_kept):
        decoded.decode_all(chunk=70)
    del asked[:]
    order = random(0, "order").permutation(90)
    first = kept.batch(order)
    assert asked == []
    second = not_kept.batch(order)
    assert sorted(asked) == sorted(set(range(90)) - set(BROKEN))
    assert np.array_equal(first, second)
    assert kept.reasons == not_kept.reasons


def test_within_the_cap_each_picture_is_decoded_once(pairs, asked) -> None:
    decoded = Decoded(pairs, CANVAS, cap_bytes=90 * 3 * 64)
    decoded.batch([7, 8, 7])
    decoded.batch([8, 9])
    decoded.decode_all()
    decoded.decode_all()
    assert sorted(asked) == sorted(set(range(90)) - {66})
    assert asked[:3] == [7, 8, 9]


def test_reasons_are_noted_and_their_pictures_are_black(pairs) -> None:
    decoded = Decoded(pairs, CANVAS)
    assert decoded.reasons[5] is None, "what only the picture knows is not known before it is asked for"
    assert decoded.reasons[66] == "no image"
    batch = decoded.batch(range(90))
    assert {place: reason for place, reason in enumerate(decoded.reasons) if reason} == {
        5: "not a picture that can be read",
        30: "not a picture that can be read",
        66: "no image",
    }
    assert not batch[list(BROKEN)].any()
    assert batch[np.setdiff1d(np.arange(90), list(BROKEN))].any(axis=(1, 2, 3)).all()
    assert decoded.usable().tolist() == sorted(set(range(90)) - set(BROKEN))
    assert pairs.reasons[5] is None, "the pairs themselves stay as they are"


def test_progress_hears_of_every_picture(pairs) -> None:
    heard: list[int] = []
    Decoded(pairs, CANVAS).decode_all(heard.append, chunk=40)
    assert heard == [40, 40, 10]


def test_nothing_but_broken_pictures_gets_a_sentence(pairs) -> None:
    decoded = Decoded(pairs.select(list(BROKEN)), CANVAS)
    with pytest.raises(BezoarError, match=r"No usable pair in .*: 2 of 3 have: not a picture") as caught:
        decoded.decode_all()
    assert caught.value.code == 3
    refuse_unusable(pairs, ["no image", None])


@pytest.mark.parametrize(("sizes", "side"), [([(9, 7)] * 3, 7), ([(10, 40), (50, 20), (30, 30)], 20), ([], 0)])
def test_the_typical_side_is_the_median_short_side_of_what_opens(tmp_path, picture, sizes, side) -> None:
    samples = [(f"{n}", [("png", picture(n, size=size)), ("txt", b"a")]) for n, size in enumerate(sizes)]
    write_webdataset([*samples, ("broken", [("png", b"broken"), ("txt", b"a")])], tmp_path)
    assert typical_side(open_pairs(tmp_path)) == side


def test_the_typical_side_looks_at_the_first_pictures_only(tmp_path, picture) -> None:
    sizes = [(6, 6)] * 3 + [(50, 50)] * 9
    samples = [(f"{n:02d}", [("png", picture(n, size=size)), ("txt", b"a")]) for n, size in enumerate(sizes)]
    write_webdataset(samples, tmp_path)
    assert typical_side(open_pairs(tmp_path), looked_at=3) == 6
    assert typical_side(open_pairs(tmp_path)) == 50


@pytest.mark.parametrize("cap", [1 << 20, 0])
def test_every_picture_is_looked_at_once_while_all_are_decoded(pairs, cap):
    seen = {}
    Decoded(pairs, CANVAS, cap_bytes=cap).decode_all(
        chunk=32, look=lambda positions, pixels: seen.update(zip(positions.tolist(), pixels, strict=True))
    )
    assert sorted(seen) == list(range(90))
    assert np.array_equal(seen[7], pairs.pixels(7, CANVAS))
    assert not seen[5].any()
