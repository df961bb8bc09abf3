"""Letters only, in any script."""

from __future__ import annotations

import pytest

from bezoar.views.letters import letters, steady


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("A well-known  dog,\truns\nfast!", "a well known dog runs fast"),
        ("The owner's 2 dogs (3rd)", "the owners dogs rd"),
        ("2,000 !?", ""),
        ("", ""),
        ("Straße über Köln", "straße über köln"),
        ("Собака бежит — быстро", "собака бежит быстро"),
        ("一只狗，跑步", "一只狗跑步"),
        ("कुत्ता दौड़ रहा है।", "कुत्ता दौड़ रहा है"),
        ("İstanbul", "i̇stanbul"),
        ("Tom &amp; Jerry", "tom jerry"),
        ("MenÃº del dÃ­a", "menú del día"),
        ("1ª vez", "vez"),
    ],
)
def test_what_stays_of_a_text(text, plain):
    assert letters(text) == plain


def test_letters_of_letters_are_the_same():
    for text in ("A well-known dog", "Příliš žluťoučký kůň", "कुत्ता दौड़ रहा है", "portuguÃªs"):
        assert letters(letters(text)) == letters(text)


def test_words_that_look_wrongly_decoded_only_together_are_not_steady():
    assert steady("a café in köln")
    assert not steady("œä â ὡἕ ð èœçž")
