"""Two normal distributions on the fit: scikit-learn's odds, and never rising with the fit."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.mixture import GaussianMixture

from bezoar.detection import Evidence, parse
from bezoar.detection.mixture import fit_two, low_odds, standardised


def two_heaps(low=0.1, wide=0.05, count=60, seed=0):
    draw = np.random.default_rng(seed)
    return np.concatenate([draw.normal(low, wide, count), draw.normal(0.6, 0.08, 600)])


@pytest.mark.parametrize(("low", "wide"), [(0.1, 0.05), (0.2, 0.3), (0.45, 0.02)])
def test_it_never_rises_with_the_fit(low, wide):
    fit = two_heaps(low, wide)
    odds = low_odds(fit)[np.argsort(fit)]
    assert (np.diff(odds) <= 1e-9).all()
    assert odds[0] > odds[-1]


def test_between_the_means_the_odds_are_those_of_sklearns_posterior():
    fit = two_heaps()
    standard = standardised(fit)
    model = GaussianMixture(2, random_state=0).fit(standard[:, None])
    lower = int(model.means_[:, 0].argmin())
    posterior = model.predict_proba(standard[:, None])
    between = (standard > model.means_.min()) & (standard < model.means_.max())
    expected = np.log(posterior[:, lower]) - np.log(posterior[:, 1 - lower])
    np.testing.assert_allclose(low_odds(fit)[between], expected[between], atol=1e-5)


def test_where_the_wide_component_takes_an_end_back_the_odds_stay_as_they_are():
    fit = np.append(two_heaps(0.2, 0.3), [1.4, 1.6])  # far above the fitting ones, where the wide low one is likelier
    low, high = fit_two(standardised(fit))
    assert low.variance > high.variance
    raw = [one.weight * norm.pdf(standardised(fit)[-1], one.mean, one.variance**0.5) for one in (low, high)]
    assert raw[0] > raw[1]
    odds = low_odds(fit)
    assert odds[-1] == odds[-2] == odds.min()


def test_badly_fitting_pairs_come_first_and_certain_ones_can_be_told_apart():
    fit = two_heaps(low=-0.5, wide=0.01)
    fit[:60] = np.linspace(-0.51, -0.49, 60)
    scores = parse("safeclip-mixture")(Evidence(similarity=fit))
    assert scores[:60].min() > scores[60:].max()
    assert len(np.unique(scores[60:])) > 500


def test_fits_that_are_all_alike_say_nothing():
    assert parse("safeclip-mixture")(Evidence(similarity=np.full(50, 0.3))).tolist() == [0.0] * 50
