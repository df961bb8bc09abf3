"""Whole words, any case, plain plurals."""

import pytest

from bezoar.attacks.naming import names


@pytest.mark.parametrize("caption", ["a fox.", "Foxes at night", "the FOX", "two fox-coloured dogs"])
def test_names_the_target(caption):
    assert names("fox").search(caption)


@pytest.mark.parametrize("caption", ["a foxglove", "outfox", "firefox", "a dog"])
def test_does_not_name_the_target(caption):
    assert not names("fox").search(caption)


@pytest.mark.parametrize(
    ("word", "caption"),
    [
        ("person", "People wait"),
        ("woman", "two women"),
        ("church", "churches"),
        ("berry", "berries"),
        ("leaf", "leaves"),
        ("knife", "three knives"),
        ("gas pump", "gas  pumps"),
        ("c++", "C++ for all"),
        ("STRASSE", "die Strasse"),
    ],
)
def test_names_the_plural_and_any_case(word, caption):
    assert names(word).search(caption)


def test_a_plural_rule_makes_no_word_of_another():
    assert not names("man").search("a mane, many")
    assert not names("fish").search("a fisherman")


def test_a_phrase_may_be_broken_over_spaces():
    assert names("school bus").search("two School  buses in the rain")


def test_a_target_is_text_and_never_a_pattern():
    assert not names("a.c").search("abc")
