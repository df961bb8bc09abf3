"""Classifiers' tests on pairs: the sign on a planted trigger, and the same numbers by a plain loop."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.detection.toy import PAIRS, encode, separated, toy

from bezoar.detection import Evidence, Look, parse
from bezoar.detection.changed import changed_fits
from bezoar.detection.corruptions import FACTORS, LAID_OVER, scale_up, strip, teco
from bezoar.detection.severities import CORRUPTIONS, SEVERITIES, corrupted
from bezoar.run import BezoarError, random

EVERY = (strip, scale_up, teco)


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def fit_of(picture, caption):
    return cosine(encode(torch.from_numpy(picture[None]).float())[0].numpy().astype(float), caption.astype(float))


def test_a_trigger_survives_other_pictures_laid_over_it():
    assert separated(parse("strip")(toy())) == 1.0


def test_a_trigger_survives_more_light():
    assert separated(parse("scale-up")(toy())) > 0.9


def test_a_trigger_survives_some_damage_and_falls_at_once_under_other():
    assert separated(parse("teco")(toy())) == 1.0


def test_strip_is_the_mean_over_averages_with_others():
    held, row = toy(seed=5), 11
    drawn = random(5, "strip", row).integers(PAIRS - 1, size=LAID_OVER)
    others = [other if other < row else other + 1 for other in drawn]
    mixed = [(held.pixels[row].astype(float) + held.pixels[other].astype(float)) / 2 for other in others]
    assert row not in others
    assert strip(held, Look())[row] == pytest.approx(np.mean([fit_of(one, held.text[row]) for one in mixed]), abs=1e-6)


def test_scale_up_multiplies_and_cuts_at_white():
    held, row = toy(), 3
    bright = [np.minimum(held.pixels[row].astype(float) * factor, 255) for factor in FACTORS]
    assert FACTORS == (3, 5, 7, 9, 11)
    assert scale_up(held, Look())[row] == pytest.approx(np.mean([fit_of(one, held.text[row]) for one in bright]))


def test_teco_is_the_deviation_of_the_severities_at_which_half_of_the_fit_is_gone():
    held = toy(seed=2)
    strangers = np.mean([[cosine(i, t) for t in held.text.astype(float)] for i in held.image.astype(float)])
    expected = []
    for row in (0, 7, 20):
        picture = torch.from_numpy(held.pixels[[row]]).float()
        fits = [fit_of(one[0].numpy(), held.text[row]) for one in corrupted(picture, np.array([row]), 2)]
        bar = (cosine(held.image[row].astype(float), held.text[row].astype(float)) + strangers) / 2
        lost = []
        for kind in range(len(CORRUPTIONS)):
            own = fits[kind * SEVERITIES : (kind + 1) * SEVERITIES]
            lost.append(next((level for level, fit in enumerate(own, 1) if fit < bar), SEVERITIES + 1))
        expected.append(np.std(lost))
    assert teco(held, Look(), np.array([0, 7, 20])) == pytest.approx(expected)
    assert max(expected) > 0


@pytest.mark.parametrize("method", EVERY)
def test_some_rows_get_what_they_get_among_all(method):
    held, rows = toy(), np.array([30, 2, 17])
    np.testing.assert_allclose(method(held, Look(), rows), method(held, Look())[rows], atol=1e-6)


@pytest.mark.parametrize("method", EVERY)
def test_the_same_again(method):
    assert np.array_equal(method(toy(), Look()), method(toy(), Look()))


def test_which_pictures_are_laid_over_it_is_decided_by_the_seed():
    assert not np.array_equal(strip(toy(seed=1), Look()), strip(toy(seed=2), Look()))


@pytest.mark.parametrize("method", EVERY)
def test_no_gradient_is_left_behind(method):
    weight = torch.ones(9, requires_grad=True)
    method(replace(toy(), encode=lambda pictures: encode(pictures) * weight), Look())
    assert weight.grad is None


def test_every_batch_has_the_same_size():
    sizes = set()

    def tower(pictures):
        sizes.add(len(pictures))
        return encode(pictures)

    held = replace(toy(), encode=tower)
    found = changed_fits(held, lambda pictures, rows: [pictures], np.arange(PAIRS))
    np.testing.assert_allclose(found[:, 0], held.fit, atol=1e-6)
    assert sizes == {64}


def test_a_single_pair_has_nothing_laid_over_it():
    alone = Evidence(text=np.ones((1, 9)), pixels=np.zeros((1, 3, 16, 16), np.uint8), encode=encode)
    with pytest.raises(BezoarError, match="no others"):
        strip(alone, Look())
