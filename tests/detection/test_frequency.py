"""High frequencies: scipy's transform, the sign, and where it says nothing."""

import numpy as np
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from bezoar.detection import Evidence, parse
from bezoar.detection.frequency import high_frequencies


def smooth(count, side=20, seed=0):
    draw = np.random.default_rng(seed)
    return gaussian_filter(draw.integers(0, 256, (count, 3, side, side)).astype(float), (0, 0, 2, 2)).astype(np.uint8)


def test_it_is_the_mean_z_of_the_higher_half_of_scipys_cosine_transform():
    pixels = smooth(150)
    spectra = np.log1p(np.abs(dctn(pixels.astype(float), axes=(2, 3), norm="ortho")))
    z = (spectra - spectra.mean(0)) / spectra.std(0)
    high = [(down, across) for down in range(20) for across in range(20) if down + across >= 20]
    expected = [np.mean([[one[c, d, a] for d, a in high] for c in range(3)]) for one in z]
    np.testing.assert_allclose(high_frequencies(pixels), expected, atol=2e-3)


def test_a_checkered_patch_stands_out_and_a_smooth_tint_does_not():
    pixels = smooth(200)
    pixels[:5, :, 8:12, 8:12] = 255 * (np.indices((4, 4)).sum(0) % 2)
    pixels[5:10, 0] += 20
    scores = parse("frequency")(Evidence(pixels=pixels))
    order = np.argsort(-scores)
    assert set(order[:5]) == set(range(5))
    assert not set(order[5:15]) >= set(range(5, 10))


def test_order_plays_no_part():
    pixels, order = smooth(130), np.random.default_rng(1).permutation(130)
    np.testing.assert_allclose(high_frequencies(pixels[order]), high_frequencies(pixels)[order], atol=1e-4)


def test_equal_pictures_are_all_alike():
    assert high_frequencies(np.repeat(smooth(1), 70, axis=0)).tolist() == [0.0] * 70


def test_a_picture_of_one_colour_is_finite():
    pixels = smooth(30)
    pixels[3] = 7
    assert np.isfinite(high_frequencies(pixels)).all()
    assert high_frequencies(pixels).argmin() == 3
