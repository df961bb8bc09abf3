"""The section on copies: what it counts, how it reads, and that captions stay text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bezoar.report.copies_section import PILE, CopiesSection, CopyCluster
from bezoar.report.scan_page import ScanPage, render
from bezoar.report.thumbnail import thumbnail

Make = Callable[..., ScanPage]
PICTURE = thumbnail(np.zeros((3, 8, 8), np.uint8), 44)


def cluster(**changes: object) -> CopyCluster:
    fields = {"kind": "near-copies", "size": 80, "captions": 1, "flagged": 3, "caption": "a cake", "key": "000300"}
    return CopyCluster(**(fields | {"images": (PICTURE,) * 4} | changes))  # type: ignore[arg-type]


def section(*shown: CopyCluster, **changes: int) -> CopiesSection:
    pairs = sum(one.size for one in shown)
    return CopiesSection(
        **({"number": len(shown), "pairs": pairs, "boilerplate": 0, "commonest": 0} | changes), shown=shown
    )


def test_a_pile_of_near_copies_is_told_what_it_can_do(scan_page: Make) -> None:
    page = render(scan_page(items=2, copies=section(cluster())))
    assert "1 cluster of like pictures, 80 pairs" in page
    assert "a backdoor that nobody planted" in page
    assert '<td class="num" data-l="flagged">3</td>' in page
    assert page.count('width="44"') == 4


@pytest.mark.parametrize(
    ("kind", "size", "words"),
    [
        ("near-copies", PILE, "Keep one of them."),
        ("near-copies", 2, "The same pair more than once."),
        ("one-picture", PILE, "placeholder"),
        ("one-picture", 2, "captions of their own"),
    ],
)
def test_each_kind_has_its_reading(kind: str, size: int, words: str) -> None:
    assert words in cluster(kind=kind, size=size).reading


def test_what_is_not_shown_is_counted(scan_page: Make) -> None:
    page = render(scan_page(items=2, copies=section(cluster(), number=31, pairs=140, boilerplate=2, commonest=71)))
    assert "The 30 other clusters are no larger" in page
    assert "2 captions stand under twenty or more varied pictures each, the commonest under 71" in page


def test_none_found_and_not_looked_for_are_two_sentences(scan_page: Make) -> None:
    assert "No two pairs have like pictures." in render(scan_page(items=2, copies=section()))
    assert "They were not looked for" in render(scan_page(items=2, copies=None))


def test_captions_and_keys_of_copies_stay_text(scan_page: Make) -> None:
    hostile = '<img src=x onerror="alert(1)">\u202e</table><script>alert(2)</script>'
    ours = render(scan_page(items=2, copies=section(cluster())))
    theirs = render(scan_page(items=2, copies=section(cluster(caption=hostile, key=hostile))))
    for tag in ("<img", "<script", "</table"):
        assert theirs.count(tag) == ours.count(tag)
    assert "\u202e" not in theirs


def test_names_are_counted_beside_the_verdict(scan_page: Make) -> None:
    counts = {"planted": 118, "mismatched": 3, "copy": 80}
    page = render(scan_page(items=2, findings=counts))
    assert "118 flagged pairs look planted, 3 merely wrongly captioned, 80 pairs repeat one another" in page
    assert "look planted" not in render(scan_page(items=2, findings={}))
