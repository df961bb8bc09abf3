"""Two normal distributions on one number a row: those that fit, and those that do not.

* Values are standardised first, so that their unit does not matter.
* The posterior is not monotone where the variances differ: the wide component takes both ends back. Whoever ranks or
  splits by it has to say what happens there.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# What differs by less than this share of the largest value is rounding, not trust.
_ALIKE = 1e-9
_HALVINGS = 60


@dataclass(frozen=True)
class Normal:
    """One component: its weight, mean and variance."""

    weight: float
    mean: float
    variance: float

    def log_density(self, place: Values) -> Values:
        """Return the logarithm of weight times density, up to a constant that all components share."""
        constant = math.log(self.weight) - 0.5 * math.log(self.variance)
        return np.asarray(constant - (place - self.mean) ** 2 / (2 * self.variance))


def standardised(values: Values) -> Values | None:
    """Return the values (n,) at mean 0 and deviation 1, None where all are alike."""
    largest = np.abs(values).max()
    scaled = values / largest if largest > 0 else values  # the square of a huge number would not be finite
    if np.ptp(scaled) <= _ALIKE:
        return None
    return np.asarray((scaled - scaled.mean()) / scaled.std())


def fit_two(values: Values) -> tuple[Normal, Normal]:
    """Return the two components of standardised values (n,), the one of lower mean first."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    with warnings.catch_warnings():
        # A fit that has not settled is as good a place for a threshold as any near it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(2, random_state=0).fit(values[:, None])
    numbers = zip(mixture.weights_, mixture.means_[:, 0], mixture.covariances_[:, 0, 0], strict=True)
    low, high = sorted((Normal(*map(float, three)) for three in numbers), key=lambda normal: normal.mean)
    return low, high


def crossing(components: tuple[Normal, Normal], confidence: float) -> float:
    """Return where, between the two means, the posterior of the higher component reaches `confidence`.

    Between the means it can only rise: each step leads away from one and towards the other. Where it is reached at
    the lower mean already, that is the place; where it never is, the higher mean is: nothing between is surer.
    """
    low, high = components
    wanted = math.log(confidence) - math.log1p(-confidence)

    def reached(place: float) -> bool:
        at = np.asarray(place, np.float64)
        return bool(high.log_density(at) - low.log_density(at) >= wanted)

    left, right = low.mean, high.mean
    if reached(left):
        return left
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        left, right = (left, middle) if reached(middle) else (middle, right)
    return right


def low_odds(fit: Values) -> Values:
    """Return the logarithm of the odds that each fit (n,) is of the component of lower mean, never rising with it.

    SafeCLIP (arXiv 2310.05862) sorts pairs by this posterior of the cosine. In odds, because of many pairs float64
    can only say that they are certain. Beyond the place where the wider component takes an end back, the odds stay
    what they are there. Fits that are all alike get 0.
    """
    standard = standardised(fit)
    if standard is None:
        return np.zeros(len(fit))
    low, high = fit_two(standard)
    # The odds are a parabola in the fit; its apex lies beyond the mean of the narrower component.
    bend = 1 / high.variance - 1 / low.variance
    apex = math.inf if bend == 0 else (high.mean / high.variance - low.mean / low.variance) / bend
    held = np.minimum(standard, apex) if apex >= high.mean else np.maximum(standard, apex)
    return np.asarray(low.log_density(held) - high.log_density(held))
