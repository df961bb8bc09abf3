"""Copies: planted piles on real photographs and drawn ones, their controls, and pictures that only look empty."""

import io

import numpy as np
import pytest
from PIL import Image

from bezoar.canvas import Canvas
from bezoar.detection.copies import FEWEST_OF_ONE_CAPTION, find_copies, normalised, wordings
from bezoar.detection.prints import Prints, prints_of
from bezoar.pairs import open_pairs
from bezoar.pairs.decoded import Decoded

PILE = np.arange(300, 380)
CAPTION = "The birthday cake, with candles in the form of number icon 7!"


def near_copy(picture, draw):
    """Another state of a photograph (3, s, s): brighter or darker, cut by up to 4 % a side, through JPEG."""
    pixels = picture.transpose(1, 2, 0).astype(float) * draw.uniform(0.9, 1.1) + draw.uniform(-12, 12)
    photo = Image.fromarray(np.uint8(np.clip(pixels, 0, 255)))
    side = photo.width
    left, top, right, bottom = (round(cut * side) for cut in draw.uniform(0, 0.04, 4))
    cut = photo.crop((left, top, side - right, side - bottom)).resize((side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    cut.save(file, "JPEG", quality=int(draw.integers(50, 95)))
    return np.asarray(Image.open(file)).transpose(2, 0, 1)


def photographs(real_data, name, side, count):
    pairs = open_pairs(real_data / name, prompts=None if name == "flickr8k" else "default").select(range(count))
    return Decoded(pairs, Canvas(side)).batch(range(count)), [" / ".join(own) for own in pairs.captions]


@pytest.fixture
def drawn(world_pairs):
    return Decoded(world_pairs, Canvas(40)).batch(range(400)), [" / ".join(own) for own in world_pairs.captions]


def piled(pictures, captions, model, caption=CAPTION):
    """Put 80 near-copies of picture `model` in the place of others, with one caption in several spellings."""
    draw = np.random.default_rng(model)
    pictures, captions = pictures.copy(), list(captions)
    pictures[PILE] = [near_copy(pictures[model], draw) for _ in PILE]
    pictures[model] = pictures[(model + 1) % 300].copy()  # the photograph itself leaves the set
    for place, position in enumerate(PILE):
        captions[position] = caption if place % 2 else caption.upper().replace(",", " ")
    return pictures, captions


@pytest.mark.parametrize(("name", "side"), [("flickr8k", 64), ("cifar10", 32), ("imagenette", 64)])
def test_eighty_near_copies_of_one_photograph_are_one_cluster(real_data, name, side):
    pictures, captions = photographs(real_data, name, side, 1500)
    for model in (3, 150):
        found = find_copies(prints_of(piled(pictures, captions, model)[0]), piled(pictures, captions, model)[1])
        pile = found.of_kind("near-copies")[0]
        assert pile.members.tolist() == PILE.tolist()
        assert pile.captions == 1
        assert found.copied[PILE].all()
        assert found.duplicate_of[PILE].tolist() == [-1] + [300] * 79


def test_eighty_near_copies_of_a_drawn_picture_are_one_cluster(drawn):
    pictures, captions = piled(*drawn, model=9)
    found = find_copies(prints_of(pictures), captions)
    pile = found.of_kind("near-copies")[0]
    assert set(PILE) <= set(pile.members.tolist())
    assert len(pile.members) <= 82  # drawn scenes are alike, and one may join


@pytest.mark.parametrize(("name", "side"), [("flickr8k", 64), ("cifar10", 32)])
def test_eighty_varied_photographs_with_one_caption_are_boilerplate(real_data, name, side):
    pictures, captions = photographs(real_data, name, side, 1500)
    for position in PILE:
        captions[position] = CAPTION
    found = find_copies(prints_of(pictures), captions)
    boilerplate = next(one for one in found.of_kind("one-caption") if one.caption == PILE[0])
    assert boilerplate.members.tolist() == PILE.tolist()
    assert not found.copied[PILE].any()
    assert (found.duplicate_of[PILE] == -1).all()
    assert not any(len(one.members) > 3 for one in found.of_kind("near-copies"))


def test_one_picture_with_varied_captions_is_a_placeholder(drawn):
    pictures, captions = drawn
    pictures = pictures.copy()
    pictures[PILE] = pictures[5]
    found = find_copies(prints_of(pictures), captions)
    placeholder = found.of_kind("one-picture")[0]
    assert set(PILE) | {5} <= set(placeholder.members.tolist())
    assert placeholder.captions > 40
    assert (found.duplicate_of[PILE] == 5).all()
    named = [captions[position] for position in placeholder.members]
    repeated = [named.count(captions[position]) > 1 for position in placeholder.members]
    assert found.copied[placeholder.members].tolist() == repeated


def test_equal_pixels_and_captions_that_differ_in_case_only_are_copies(drawn):
    pictures, captions = drawn
    pictures, captions = pictures.copy(), list(captions)
    pictures[77], captions[77] = pictures[11], captions[11].upper() + " !"
    found = find_copies(prints_of(pictures), captions)
    assert found.copied[[11, 77]].all()
    assert found.duplicate_of[77] == 11


def test_flat_pictures_do_not_fall_together():
    draw = np.random.default_rng(0)
    cards = draw.integers(0, 256, (60, 3, 1, 1)) + draw.integers(-1, 2, (60, 3, 32, 32))
    found = find_copies(prints_of(np.uint8(np.clip(cards, 0, 255))), ["a card"] * 60)
    assert (found.duplicate_of == -1).all()
    assert [one.kind for one in found.clusters] == ["one-caption"]


def test_pictures_whose_vectors_lie_far_apart_are_no_copies(drawn):
    pictures, captions = piled(*drawn, model=9)
    draw = np.random.default_rng(2)
    vectors = 1 + draw.normal(size=(400, 200)).astype(np.float32)
    vectors[PILE] -= 1
    apart = find_copies(prints_of(pictures), captions, vectors)
    vectors[PILE] = vectors[300] + 0.1 * draw.normal(size=(80, 200)).astype(np.float32)
    together = find_copies(prints_of(pictures), captions, vectors)
    assert set(PILE) <= set(together.of_kind("near-copies")[0].members.tolist())
    assert all(len(one.members) < 40 for one in apart.of_kind("near-copies"))


def test_the_order_of_the_pairs_plays_no_part(drawn):
    pictures, captions = piled(*drawn, model=9)
    order = np.random.default_rng(4).permutation(400)
    one = find_copies(prints_of(pictures), captions)
    other = find_copies(prints_of(pictures[order]), [captions[position] for position in order])
    sets = {frozenset(cluster.members.tolist()) for cluster in one.clusters}
    assert {frozenset(order[cluster.members].tolist()) for cluster in other.clusters} == sets


def test_nobody_is_compared_with_everybody(monkeypatch):
    """Of 20,000 pictures whose bits are all alike, some 16 × 16 are compared with each, not 20,000."""
    from bezoar.detection import copies as room

    compared = 0

    def count(prints, wording, nearness, pairs):
        nonlocal compared
        compared += len(pairs)
        return np.zeros(len(pairs), bool)

    monkeypatch.setattr(room, "_alike", count)
    draw = np.random.default_rng(5)
    prints = Prints.blank(20_000)
    prints.digest[:] = np.arange(20_000)
    prints.bits[:] = draw.integers(0, 16, 20_000)
    prints.plain[:] = False
    find_copies(prints, [f"caption {place}" for place in range(20_000)])
    assert 0 < compared <= 20_000 * 16 * 16


def test_every_cluster_holds_its_members_once_and_each_pair_lies_in_one(drawn):
    pictures, captions = piled(*drawn, model=9)
    captions[:30] = ["the same words"] * 30
    found = find_copies(prints_of(pictures), captions)
    for place, one in enumerate(found.clusters):
        assert (found.cluster[one.members] == place).all()
    assert sum(len(one.members) for one in found.clusters) == (found.cluster >= 0).sum()
    sizes = [len(one.members) for one in found.clusters]
    assert sizes == sorted(sizes, reverse=True)
    assert any(one.kind == "one-caption" and len(one.members) >= FEWEST_OF_ONE_CAPTION for one in found.clusters)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_very_few_pairs(n):
    pictures = np.random.default_rng(0).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)
    found = find_copies(prints_of(pictures), ["a"] * n, np.zeros((n, 3), np.float32))
    assert found.duplicate_of.tolist() == [-1] * n
    assert found.clusters == ()


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("A dog, on the GRASS.", "a dog on the grass", True),
        ("Straße", "STRASSE", True),
        ("number 7", "number 8", False),
        ("ein Hund", "ein Hünd", False),
        ("…", "!!", False),
        ("犬が走る", "犬が走る。", True),
        ("a\tdog\n", "a dog", True),
    ],
)
def test_normalised_captions(one, other, equal):
    assert (normalised(one) == normalised(other)) is equal
    numbers = wordings([one, other])
    assert (numbers[0] == numbers[1]) == equal
