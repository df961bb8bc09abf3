"""EDA: four small changes, never more than it says, and no token that was not announced."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from bezoar.run import random
from bezoar.views import CAPTION_VIEWS, Synonyms
from bezoar.views.captions import STOP_WORDS
from bezoar.views.letters import letters

EDA = CAPTION_VIEWS["eda"]
TABLE = {
    "dog": ("domestic dog", "hound"),
    "grass": ("lawn",),
    "wet": ("damp",),
    "the": ("ye",),
    "café": ("bistró",),
    "runs": ("races",),
}
KNOWN = Synonyms("a table", lambda word: TABLE.get(word, ()))
NONE = Synonyms("none", lambda _: ())
CAPTION = "The brown dog runs over the wet grass - near the dog's house!"
PLAIN = ["the", "brown", "dog", "runs", "over", "the", "wet", "grass", "near", "the", "dogs", "house"]
SCRIPTS = [
    CAPTION,
    "Un café à Paris, près de l’hôtel où l’été finit — garçon",
    "Собака бежит по улице",
    "कुत्ता सड़क पर दौड़ रहा है",
    "一只狗在街上跑 东京",
    "犬が走っています",
    "الكلب يركض في الشارع",
    "MenÃº del dÃ­a: 1Âª piÃ±ata, mÃ¡s rÃ¡pido",  # wrongly decoded
    "portuguÃªs: nÃ£o Ã© vocÃª, trÃªs",
    "çäðçÃ œæ ðèð€ž a dog runs",  # wrongly decoded beyond repair
    "ñãœœå œ€ÿæ æž ì a dog runs",
    "Tom &amp; Jerry",
    "12345 !",
    "",
    "dog",
    "zebra",
]


def results(caption, synonyms=KNOWN, number=300):
    return [EDA(caption, random(1, "eda", draw), synonyms) for draw in range(number)]


def test_the_same_draw_gives_the_same_words_and_other_draws_others():
    assert results(CAPTION) == results(CAPTION)
    assert len(set(results(CAPTION))) > 50


def kind_of(result):
    """Which one operation turned PLAIN into `result`, naively."""
    words = result.split()
    if words == PLAIN:
        return "deletion"  # one that dropped nothing
    if Counter(words) == Counter(PLAIN):
        return "swap" if sum(a != b for a, b in zip(words, PLAIN, strict=True)) == 2 else None
    for word, phrases in TABLE.items():
        for phrase in phrases:
            if " ".join(phrase if own == word else own for own in PLAIN) == result:
                return "replacement" if word != "the" else None
            for place in range(len(PLAIN) + 1):
                if " ".join([*PLAIN[:place], phrase, *PLAIN[place:]]) == result:
                    return "insertion" if word != "the" else None
    rest = iter(PLAIN)
    return "deletion" if all(word in rest for word in words) else None


def test_each_result_is_one_of_four_operations_equally_often():
    kinds = Counter(map(kind_of, results(CAPTION, number=800)))
    assert set(kinds) == {"replacement", "insertion", "swap", "deletion"}
    # 800 throws of a die with four sides: 130 is more than five deviations away from 200.
    assert min(kinds.values()) > 130
    assert max(kinds.values()) < 270


def test_deletion_drops_a_tenth_of_the_words():
    caption = " ".join(["zebra", "yak"] * 50)
    lengths = [len(result.split()) for result in results(caption, NONE)]
    thinned = [length for length in lengths if length < 100]
    assert 110 < len(thinned) < 190, "the other half swaps"
    assert sum(thinned) / len(thinned) == pytest.approx(90, abs=1.5)


def test_a_tenth_of_a_long_captions_words_is_touched():
    words = [f"z{chr(97 + place // 26)}{chr(97 + place % 26)}" for place in range(50)]
    every = Synonyms("each", lambda word: (f"other{word}",))
    longest, replaced = 0, 0
    for result in results(" ".join(words), every):
        new = result.split()
        longest = max(longest, len(new) - 50)
        replaced = max(replaced, sum(word.startswith("other") for word in new) if len(new) == 50 else 0)
    assert longest == 5
    assert replaced == 5


def test_stop_words_have_no_synonyms():
    assert "the" in STOP_WORDS
    assert not any("ye" in result.split() for result in results(CAPTION))
    assert "ye" not in EDA.words([CAPTION], KNOWN)


def test_without_synonyms_words_only_move_or_go():
    assert {word for result in results(CAPTION, NONE) for word in result.split()} == set(PLAIN)


@pytest.mark.parametrize("caption", ["", "  ", "12345 !", "½ ²"])
def test_a_caption_without_letters_stays(caption):
    assert set(results(caption, number=20)) == {caption}


@pytest.mark.parametrize("caption", [caption for caption in SCRIPTS if letters(caption)])
@pytest.mark.parametrize("synonyms", [KNOWN, NONE], ids=["known", "none"])
def test_no_caption_becomes_empty(caption, synonyms):
    assert all(result.strip() for result in results(caption, synonyms, 100))


def test_one_word_without_synonyms_only_loses_its_signs():
    assert set(results("Zebra!")) == {"zebra"}
    assert set(results("Dog!")) == {"hound", "domestic dog"} | {
        " ".join(pair) for word in ("hound", "domestic dog") for pair in ((word, "dog"), ("dog", word))
    }


@pytest.fixture(scope="module")
def tokenize():
    from bezoar.models import create

    return create("tiny-vit", side=32).tokenize


@pytest.mark.parametrize("caption", SCRIPTS)
def test_every_token_of_every_result_was_announced(caption, tokenize):
    announced = set(tokenize(EDA.words([caption], KNOWN)).unique().tolist())
    assert set(tokenize(results(caption)).unique().tolist()) <= announced


def test_words_are_sorted_each_once_whatever_the_order_of_captions():
    words = EDA.words(SCRIPTS, KNOWN)
    assert words == sorted(set(words)) == EDA.words(iter(SCRIPTS[::-1] * 2), KNOWN)


def test_another_process_draws_the_same_words():
    program = (
        "from bezoar.run import random; from bezoar.views import CAPTION_VIEWS, Synonyms\n"
        "known = Synonyms('', lambda word: {'dog': ('domestic dog', 'hound'), 'grass': ('lawn',)}.get(word, ()))\n"
        "view = CAPTION_VIEWS['eda']\n"
        "print([view('A dog on the wet grass', random(0, k), known) for k in range(20)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
