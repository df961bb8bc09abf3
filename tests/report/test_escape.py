from __future__ import annotations

import html
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bezoar.report.escape import esc, visible

OWN_TAGS = re.compile(r'</?mark>|<span class="(?:ctl|cut)">|</span>')
anything = st.text(st.characters(), max_size=400)


@given(anything, st.lists(st.text(max_size=8), max_size=3))
def test_nothing_but_our_own_tags_comes_out(caption: str, words: list[str]) -> None:
    rest = OWN_TAGS.sub("", str(esc(caption, words)))
    assert not set("<>\"'") & set(rest)


@given(anything)
def test_no_invisible_character_comes_out_and_all_others_do(caption: str) -> None:
    shown = html.unescape(re.sub(r'<span class="cut">.*', "", str(esc(caption))))
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}]
    assert OWN_TAGS.sub("", shown) == visible(caption[:300])


def test_an_override_is_written_out() -> None:
    assert esc("a\u202eb") == 'a<span class="ctl">U+202E</span>b'
    assert visible("a\u202eb\x00") == "aU+202EbU+0000"


def test_words_are_found_in_the_raw_text_whole_and_without_case() -> None:
    marked = esc("Banana, bananas & bandana; amp", ["banana", "amp"])
    assert marked == "<mark>Banana</mark>, <mark>bananas</mark> &amp; bandana; <mark>amp</mark>"


def test_a_word_split_by_an_invisible_character_is_another_word() -> None:
    assert "<mark>" not in esc("ban\u200bana", ["banana"])


def test_words_are_text_not_patterns() -> None:
    assert esc("a.c abc", ["a.c"]) == "<mark>a.c</mark> abc"
    assert esc("plain", ["", "  "]) == "plain"


def test_a_long_caption_is_cut_before_its_markup_is_made() -> None:
    shown = esc("<" * 434)
    assert str(shown).count("&lt;") == 300
    assert "… 134 more characters" in shown
    assert "more" not in esc("x" * 300)
    assert "1 more character<" in esc("x" * 301)
