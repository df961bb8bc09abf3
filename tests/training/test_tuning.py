"""What a user may turn at a repair: its one constant, the distrusted share, the scale."""

import pytest

from bezoar.run import BezoarError
from bezoar.training.recipes import RECIPES, cleanclip, par, unlearn
from bezoar.training.tuning import distrusting, knob_of, strengthened


@pytest.mark.parametrize(("name", "made"), [("cleanclip", cleanclip), ("par", par), ("unlearn", unlearn)])
def test_strength_is_the_constant_that_the_recipe_is_made_with(name, made):
    assert strengthened(RECIPES[name], 3.5) == made(3.5)
    assert knob_of(strengthened(RECIPES[name], 3.5)).read(made(3.5)) == 3.5


@pytest.mark.parametrize("name", ["clean-finetune", "supervised-finetune"])
def test_a_recipe_without_such_a_constant_says_so(name):
    with pytest.raises(BezoarError, match="has no strength"):
        strengthened(RECIPES[name], 1.0)


@pytest.mark.parametrize("strength", [0.0, -1.0, float("inf"), float("nan")])
def test_a_strength_that_is_none_is_refused(strength):
    with pytest.raises(BezoarError, match="strength of"):
        strengthened(RECIPES["par"], strength)


def test_the_distrusted_share_is_that_of_the_split():
    assert distrusting(RECIPES["unlearn"], 0.1) == unlearn(share=0.1)
    with pytest.raises(BezoarError, match="distrusts no share"):
        distrusting(RECIPES["cleanclip"], 0.1)
    with pytest.raises(BezoarError, match="not between 0 and 1"):
        distrusting(RECIPES["unlearn"], 1.0)


def test_scales_are_those_of_the_recipe():
    recipe = RECIPES["clip-augmented"]
    assert recipe.at("data") == recipe
    paper = recipe.at("paper")
    assert paper.settings == recipe.paper_settings != recipe.settings
    assert {name for phase in paper.phases for walk in phase.passes for name in walk.pictures} == {"strong"}
    with pytest.raises(BezoarError, match="Did you mean paper"):
        recipe.at("papr")
