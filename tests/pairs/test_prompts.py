from __future__ import annotations

import pytest

from bezoar.pairs import read_prompts
from bezoar.pairs.prompts import DEFAULT, prompt
from bezoar.run import BezoarError


def test_default_and_file(tmp_path) -> None:
    assert read_prompts("default") == DEFAULT
    (tmp_path / "mine.txt").write_text("a {} here\n\n  the {}  \n", encoding="utf-8")
    assert read_prompts(tmp_path / "mine.txt") == ("a {} here", "the {}")


@pytest.mark.parametrize("text", ["", "a {}\na dog\n", None])
def test_prompts_that_cannot_be_used_get_a_sentence(tmp_path, text) -> None:
    if text is not None:
        (tmp_path / "mine.txt").write_text(text)
    with pytest.raises(BezoarError):
        read_prompts(tmp_path / "mine.txt")


def test_a_prompt_is_text_and_not_a_format() -> None:
    assert prompt(["{} {0.__class__} {x}"], "k", "dog") == "dog {0.__class__} {x}"


def test_the_template_depends_on_the_key_alone_and_all_are_used() -> None:
    drawn = [prompt(DEFAULT, f"k{i}", "dog") for i in range(400)]
    assert drawn == [prompt(DEFAULT, f"k{i}", "dog") for i in range(400)]
    assert len(set(drawn)) == len(DEFAULT)
