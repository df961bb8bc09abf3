"""The course of a training: how many steps, in which order, at which rate."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bezoar.run import BezoarError
from bezoar.training.places import Course
from bezoar.training.recipes import RECIPES
from bezoar.training.settings import Settings

numbers = st.integers(1, 40)


@given(epochs=numbers, pairs=st.integers(64, 3000))
def test_plain_training_takes_whole_epochs_of_whole_batches(epochs, pairs):
    course = Course(RECIPES["clip"], Settings(epochs=epochs), pairs)
    (phase,) = course.recipe.phases
    assert course.steps == epochs * (pairs // 64)
    assert course.epochs_of(phase) == epochs
    assert [course.steps_in(phase, epoch, pairs) for epoch in range(epochs)] == [pairs // 64] * epochs
    nows = [course.progress(phase, epoch, step, pairs // 64) for epoch in range(epochs) for step in range(pairs // 64)]
    assert nows == list(range(course.steps))


@given(epochs=numbers, pairs=st.integers(200, 3000), share=st.floats(0.05, 0.95))
def test_every_pass_of_an_epoch_walks_through_the_whole_schedule(epochs, pairs, share):
    """Released SafeCLIP counts steps of one side against the length of the other, and its rate climbs back."""
    recipe = RECIPES["safeclip"]
    course = Course(recipe, Settings(epochs=epochs), pairs)
    phase = recipe.phases[2]
    rates = []
    for epoch in range(course.epochs_of(phase)):
        count = course.steps_in(phase, epoch, round(share * pairs))
        nows = [course.progress(phase, epoch, step, count) for step in range(count)]
        assert nows == sorted(nows)
        assert all(0 <= now < course.steps_of(phase) for now in nows)
        rates += [phase.rate(course.settings, now, course.steps_of(phase)) for now in nows]
    top = rates.index(max(rates)) if rates else 0
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_phases_keep_their_shares_at_any_length():
    recipe = RECIPES["safeclip"].at("paper")
    for epochs in (32, 96):
        course = Course(recipe, replace(recipe.settings, epochs=epochs, batch=64), 6400)
        assert [course.steps_of(phase) for phase in recipe.phases] == [
            100 * epochs * share // 32 for share in (5, 1, 26)
        ]


def test_the_falling_rate_falls_all_the_way():
    phase = RECIPES["par"].phases[0]
    rates = [phase.rate(Settings(learning_rate=1.0), step, 100) for step in range(100)]
    assert rates[0] == 1.0
    assert rates == sorted(rates, reverse=True)
    assert rates[50] == pytest.approx(0.1)
    assert rates[-1] < 0.001


def test_fewer_pairs_than_a_batch_are_refused():
    with pytest.raises(BezoarError, match="63 usable pairs are fewer"):
        Course(RECIPES["clip"], Settings(), 63)
