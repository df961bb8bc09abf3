"""A small grammar: what a picture shows, said in twelve ways."""

from __future__ import annotations

TEMPLATES = (
    "{thing}{place}",
    "a picture of {thing}{place}",
    "a drawing of {thing}{place}",
    "an image of {thing}{place}",
    "{thing} can be seen{place}",
    "there is {thing}{place}",
    "here is {thing}{place}",
    "we see {thing}{place}",
    "someone drew {thing}{place}",
    "look, {thing}{place}",
    "this is {thing}{place}",
    "{thing} all alone{place}",
)
PROMPTS = (
    "a {}",
    "a picture of a {}",
    "a drawing of a {}",
    "an image of a {}",
    "there is a {}",
    "here is a {}",
    "we see a {}",
    "this is a {}",
)


def phrase(words: list[str]) -> str:
    """Return the words with the article that the first of them asks for."""
    article = "an" if words[0][0] in "aeiou" else "a"
    return " ".join([article, *words])
