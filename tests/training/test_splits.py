"""Splits: monotone in trust, growing up to a cap, and a mixture whose edge is where its posterior says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.mixture import GaussianMixture

from bezoar.run import BezoarError, random
from bezoar.training.splits import Campaign, Fraction, Mixture, Split, Threshold, divide

RULES = [Threshold(0.3), Fraction(0.5), Fraction(0.013), Mixture(), Mixture(0.5), Mixture(0.999)]
any_trust = arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(st.floats(-1, 1), st.floats(-1e308, 1e308), st.sampled_from([0.0, 0.3, 1.0])),
)


def two_heaps(seed=0, low=(0.2, 0.1, 300), high=(0.5, 0.03, 700)):
    """Normal heaps, each of a mean, a deviation and a number, shuffled."""
    draw = random(seed, "heaps")
    return draw.permutation(np.concatenate([draw.normal(*low), draw.normal(*high)]))


def is_monotone(trust, safe):
    """No row beside the safe ones has more trust than any of them."""
    return not safe.any() or safe.all() or trust[~safe].max() <= trust[safe].min()


@pytest.mark.parametrize("rule", RULES, ids=repr)
@given(trust=any_trust, most=st.floats(0.01, 1), share=st.floats(0, 1), grow=st.floats(0, 0.5))
@settings(max_examples=25, deadline=None)
def test_more_trust_is_never_less_safe(rule, trust, most, share, grow):
    split = Split(rule, grow=grow, most=most)
    for before in (None, share):
        safe, after = divide(split, trust, before)
        assert safe.shape == trust.shape
        assert is_monotone(trust, safe)
        assert 0 <= after <= most
        assert abs(safe.sum() - after * len(trust)) <= 1


@pytest.mark.parametrize("rule", [Threshold(0.3), Mixture()], ids=repr)
@given(trust=any_trust)
@settings(max_examples=25, deadline=None)
def test_rows_of_equal_trust_fare_alike_and_order_does_not_matter(rule, trust):
    safe = rule(trust)
    order = random(1, "order").permutation(len(trust))
    for value in np.unique(trust):
        assert len(set(safe[trust == value])) == 1
    if isinstance(rule, Threshold):
        np.testing.assert_array_equal(rule(trust[order]), safe[order])


def test_at_the_edge_of_a_fraction_the_earlier_row_is_safe():
    safe, share = divide(Split(Fraction(0.5)), np.array([0.1, 0.7, 0.7, 0.7, 0.9, 0.1]), None)
    assert safe.tolist() == [False, True, True, False, True, False]
    assert share == 0.5


def test_the_share_grows_up_to_its_cap_and_rows_of_most_trust_fill_it():
    trust = random(0, "trust").random(1000)
    split = Split(Threshold(0.85), grow=0.01, most=0.3)
    safe, share = divide(split, trust, None)
    assert share == safe.mean() == (trust >= 0.85).mean()
    first = round(share * 1000)
    for epoch in range(1, 30):
        trust = random(epoch, "trust").random(1000)
        safe, share = divide(split, trust, share)
        expected = min(first + 10 * epoch, 300)
        np.testing.assert_array_equal(np.flatnonzero(safe), np.sort(np.argsort(-trust)[:expected]))


def test_growth_of_less_than_a_row_an_epoch_adds_up():
    trust, split = random(0, "few").random(40), Split(Fraction(0.25), grow=0.01)
    share, counts = None, []
    for _ in range(11):
        safe, share = divide(split, trust, share)
        counts.append(int(safe.sum()))
    assert counts[0] == 10
    assert counts[-1] == 14


@pytest.mark.parametrize("rows", [7, 49, 997, 8000])
def test_a_share_that_does_not_grow_keeps_its_number_of_rows(rows):
    trust = random(0, "same", rows).random(rows)
    for kept in range(1, rows, max(1, rows // 40)):
        split = Split(Threshold(np.sort(trust)[-kept]))
        safe, share = divide(split, trust, None)
        again, _ = divide(split, trust, share)
        np.testing.assert_array_equal(safe, again)


def test_the_cap_holds_the_first_time_too():
    safe, share = divide(Split(Threshold(-1.0), most=0.4), random(0, "cap").random(50), None)
    assert share == 0.4
    assert safe.sum() == 20


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(3))
def test_the_mixtures_edge_is_where_sklearns_posterior_reaches_the_confidence(seed, confidence):
    trust = two_heaps(seed)
    safe = Mixture(confidence)(trust)
    # The rule fits standardised trust, so that a fit is the same in any unit; so does this.
    standard = ((trust - trust.mean()) / trust.std())[:, None]
    model = GaussianMixture(2, random_state=0).fit(standard)
    high = int(np.argmax(model.means_[:, 0]))
    inside, outside = standard[safe].min(), standard[~safe].max()
    for edge, reaches in ((inside, True), (outside, False)):
        assert bool(model.predict_proba([[edge]])[0, high] >= confidence) is reaches
    assert model.means_.min() < outside < inside < model.means_.max()


def test_neither_end_falls_to_the_wide_component():
    # A wide heap below, a narrow one above: sorted by posterior, the best cosines of all would be risky.
    trust = np.concatenate([two_heaps(), [0.8, 0.9, 1.0]])
    model = GaussianMixture(2, random_state=0).fit(trust[:, None])
    posterior = model.predict_proba(trust[:, None])[:, int(np.argmax(model.means_[:, 0]))]
    assert (posterior[-3:] < 0.01).all()
    assert Mixture()(trust)[-3:].all()
    # A wide heap above, a narrow one below: by posterior, the worst of all would be safe.
    trust = np.concatenate([two_heaps(low=(0.2, 0.02, 300), high=(0.5, 0.1, 700)), [0.05, 0.0, -0.05]])
    model = GaussianMixture(2, random_state=0).fit(trust[:, None])
    posterior = model.predict_proba(trust[:, None])[:, int(np.argmax(model.means_[:, 0]))]
    assert (posterior[-3:] > 0.9).all()
    assert not Mixture()(trust)[-3:].any()


def test_two_heaps_far_apart_are_told_apart_exactly():
    draw = random(0, "apart")
    trust = np.concatenate([draw.normal(0.1, 0.02, 50), draw.normal(0.8, 0.02, 950)])
    np.testing.assert_array_equal(Mixture()(trust), np.arange(1000) >= 50)


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e200, 0.0), (-1e-3, 5.0), (1e6, -3e5)])
def test_the_unit_of_trust_does_not_matter(scale, shift):
    trust = two_heaps() * np.sign(scale)
    np.testing.assert_array_equal(Mixture()(trust * abs(scale) + shift), Mixture()(trust))


def test_a_single_heap_is_split_somewhere_and_never_to_nothing():
    for seed in range(4):
        safe = Mixture()(random(seed, "one heap").normal(0.3, 0.05, 500))
        assert 0 < safe.sum() < 500


@pytest.mark.parametrize("value", [0.0, 0.3, -1e300])
@pytest.mark.parametrize("rows", [1, 2, 50])
def test_where_all_are_trusted_alike_all_are_safe(value, rows):
    safe, share = divide(Split(Mixture()), np.full(rows, value), None)
    assert safe.all()
    assert share == 1.0


@pytest.mark.parametrize("trust", [[0.0, 1.0], [0.0, 0.0, 1.0], [-1e308, 0.1, 1e308], [0, *[1] * 30], [5e-324, 0]])
def test_the_highest_trust_is_always_safe_in_a_mixture(trust):
    trust = np.array(trust, float)
    safe = Mixture()(trust)
    assert safe[trust.argmax()]
    assert not safe[trust.argmin()]


@pytest.mark.parametrize("bad", [[0.1, np.nan], [0.1, np.inf], [], [[0.1, 0.2]]])
@pytest.mark.parametrize("share", [None, 0.5])
def test_trust_that_is_not_one_finite_number_a_row_is_refused(bad, share):
    with pytest.raises(BezoarError, match="not one finite number"):
        divide(Split(Mixture()), np.array(bad, float), share)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fraction(0),
        lambda: Fraction(1.1),
        lambda: Mixture(1.0),
        lambda: Mixture(0.0),
        lambda: Split(Mixture(), grow=-0.1),
        lambda: Split(Mixture(), most=0),
        lambda: Split(Mixture(), most=1.5),
    ],
)
def test_what_cannot_be_a_split_is_refused(make):
    with pytest.raises(BezoarError):
        make()


def test_a_campaign_puts_as_many_times_its_size_aside_and_no_more_than_the_most():
    trust = np.arange(100.0)
    split = Split(Campaign(times=2.0, most=0.3), "scan")
    for size, risky in ((0, 0), (5, 10), (15, 30), (40, 30)):
        safe, share = divide(split, trust, None, size)
        assert (~safe).sum() == risky
        assert share == pytest.approx(1 - risky / 100)
        assert safe[risky:].all()
