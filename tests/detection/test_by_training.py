"""ABL: what is fitted early is suspicious."""

import numpy as np
import pytest

from bezoar.detection import Evidence, parse
from bezoar.run import BezoarError


def test_the_pair_with_the_smallest_early_loss_is_the_most_suspicious():
    early = np.array([0.1, 0.9, -0.2, 0.3], np.float32)  # the loss falls where the cosine rises
    scores = parse("abl")(Evidence(early=early))
    assert scores.argmax() == 1
    np.testing.assert_array_equal(scores, early.astype(np.float64))


def test_without_a_training_to_look_at_it_is_refused():
    with pytest.raises(BezoarError, match="abl needs the fit of picture and caption early in training") as refused:
        parse("abl")(Evidence(image=np.ones((5, 2)), text=np.ones((5, 2))))
    assert "no --model" in refused.value.do


def test_a_reference_model_is_asked_for_by_name():
    with pytest.raises(BezoarError, match="cosine-filter needs the fit by a reference model") as refused:
        parse("cosine-filter")(Evidence(image=np.ones((5, 2)), text=np.ones((5, 2))))
    assert "--independent" in refused.value.do
    assert parse("cosine-filter")(Evidence(independent=np.array([0.2, 0.9]))).tolist() == [-0.2, -0.9]
