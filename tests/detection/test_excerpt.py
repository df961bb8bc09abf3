"""A part of the evidence is what the evidence of these pairs alone would be."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bezoar.detection.detectors import parse
from bezoar.detection.evidence import Evidence
from bezoar.detection.excerpt import excerpt


@pytest.fixture
def whole():
    draw = np.random.default_rng(0)
    return Evidence(
        image=draw.normal(size=(60, 5)).astype(np.float32),
        text=draw.normal(size=(60, 5)).astype(np.float32),
        view_similarity=draw.normal(size=(60, 3)),
        pixels=draw.integers(256, size=(60, 3, 8, 8), dtype=np.uint8),
        captions=[f"caption {row}" for row in range(60)],
        seed=4,
        m=20,
        k=3,
    )


def test_every_table_has_the_chosen_rows_in_their_order_and_settings_stay(whole):
    rows = np.array([7, 3, 59])
    part = excerpt(whole, rows)
    assert len(part) == 3
    for name in ("image", "text", "view_similarity", "pixels"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[rows])
    assert part.captions == ["caption 7", "caption 3", "caption 59"]
    assert (part.seed, part.k, part.m, part.device, part.similarity) == (4, 3, 20, "cpu", None)


def test_neighbours_are_sought_among_those_who_are_left(whole):
    rows = np.arange(40)
    alone = Evidence(image=whole.image[:40], text=whole.text[:40], seed=4, m=20, k=3)
    before = parse("slof")(whole)
    part = excerpt(whole, rows)
    np.testing.assert_allclose(parse("slof")(part), parse("slof")(alone))
    assert not np.allclose(parse("slof")(part), before[:40])
    np.testing.assert_array_equal(parse("slof")(whole), before)


def test_a_changed_picture_is_held_against_the_caption_of_its_own_pair(whole):
    held = replace(whole, encode=lambda pictures: pictures[:, 0, 0, :5])
    rows = np.array([7, 3, 59])
    pictures = torch.arange(192.0).reshape(1, 3, 8, 8).expand(3, 3, 8, 8)
    part = excerpt(held, rows).fits(pictures, np.arange(3))
    np.testing.assert_array_equal(part, held.fits(pictures, rows))


def test_a_name_as_long_as_the_set_is_not_cut():
    part = excerpt(Evidence(image=np.ones((3, 2), np.float32), device="cpu"), np.array([1]))
    assert part.device == "cpu"
