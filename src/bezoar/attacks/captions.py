"""What the planted pairs say. As many captions as the pair had: their number must not give a poison away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bezoar.attacks.naming import names
from bezoar.attacks.request import Request
from bezoar.attacks.seats import Seat
from bezoar.pairs import Pairs, read_prompts
from bezoar.pairs.prompts import fill
from bezoar.run import BezoarError, nearest, random

Captions = Sequence[str | None]


def corpus(pairs: Pairs, word: str) -> list[str]:
    """Return every caption of the set that names `word`, each on one line, in the order of the set."""
    finds = names(word).search
    return [one_line(caption) for own in pairs.captions for caption in own if finds(caption)]


def one_line(caption: str) -> str:
    """Return the caption on one line, however it was written: in a plan, lines part captions."""
    return " ".join(caption.split())


def lines_of(captions: Sequence[str]) -> str:
    """Return captions as a plan holds them, a line each."""
    return "\n".join(one_line(caption) for caption in captions)


def wanted(pairs: Pairs, word: str) -> list[str]:
    """Return `corpus`; a word that no caption names is an error."""
    captions = corpus(pairs, word)
    if not captions:
        raise BezoarError(f"No caption names {word!r}.", "Choose a target that the captions name, or use templates.")
    return captions


def number_of(request: Request, seat: Seat) -> int:
    """Return how many captions the seat has."""
    return max(1, len(request.pairs.captions[seat.like]))


def as_many(request: Request, seat: Seat, captions: Sequence[str]) -> list[str]:
    """Return `captions`, cut or repeated to as many as the seat has."""
    return [captions[place % len(captions)] for place in range(number_of(request, seat))]


def from_corpus(request: Request, seats: Sequence[Seat], target: str) -> Captions:
    """Captions of the set that name the target (Carlini & Terzis 2022, section 3.1)."""
    captions = wanted(request.pairs, target)
    return [drawn_from(request, seat, captions) for seat in seats]


def from_templates(request: Request, seats: Sequence[Seat], target: str) -> Captions:
    """Prompts filled with the target, drawn for each poison (CleanCLIP and Huang et al.: OpenAI's 80)."""
    texts = [fill(template, target) for template in read_prompts(request.values["templates"])]
    return [drawn_from(request, seat, texts) for seat in seats]


def fitted(request: Request, seats: Sequence[Seat], target: str) -> Captions:
    """Captions of the set that name the target, those that `model` finds nearest to the clean picture."""
    from bezoar.attacks.fitting import nearest_captions

    choices = list(dict.fromkeys(wanted(request.pairs, target)))
    best = nearest_captions(request, [seat.picture for seat in seats], choices)
    return [drawn_from(request, seat, choices) for seat, choices in zip(seats, best, strict=True)]


def own(request: Request, seats: Sequence[Seat], target: str) -> Captions:
    """The pair's own captions, left as they are."""
    del request, target
    return [None] * len(seats)


CAPTIONS: dict[str, Callable[[Request, Sequence[Seat], str], Captions]] = {
    "corpus": from_corpus,
    "templates": from_templates,
    "fitted": fitted,
    "own": own,
}


def captions_for(request: Request, seats: Sequence[Seat], target: str) -> Captions:
    """Return what each seat says from now on, several captions on a line each; None leaves what it says."""
    name = request.values["captions"]
    if name not in CAPTIONS:
        raise BezoarError(f"No captions are named {name}.", nearest(name, list(CAPTIONS)))
    return CAPTIONS[name](request, seats, target)


def drawn_from(request: Request, seat: Seat, choices: Sequence[str]) -> str:
    """Return as many of `choices` as the seat has captions, a line each."""
    draw = random(request.seed, "caption", seat.key)
    return "\n".join(choices[int(at)] for at in draw.integers(len(choices), size=number_of(request, seat)))
