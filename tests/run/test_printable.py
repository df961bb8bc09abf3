from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bezoar.run import printable
from bezoar.run.printable import cells

anything = st.text(st.characters(), max_size=60)


@given(anything)
def test_nothing_unseen_is_left(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@given(anything, st.integers(0, 40))
def test_never_wider_than_asked(text: str, width: int) -> None:
    cut = printable(text, width)
    assert cells(cut) <= width
    whole = printable(text)
    assert cut == whole or (whole.startswith(cut[:-1]) and (cut.endswith("…") or width == 0))


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=30))
def test_readable_text_is_left_alone(text: str) -> None:
    assert printable(text) == text


def test_what_hides_is_shown() -> None:
    assert printable("a\x1b[31mb\u202ec\nd\u2066") == "a\\u001b[31mb\\u202ec\\u000ad\\u2066"
    assert printable("tag\U000e0041") == "tag\\U000e0041"
    assert printable("日本語の説明", 7) == "日本語…"
    assert printable("ab\u202e", 5) == "ab…"
