from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bezoar.report.demo_page import DemoPage, Link, render

Make = Callable[..., DemoPage]


def test_the_outcome_stands_first(demo_page: Make) -> None:
    page = render(demo_page()).replace("\u202f", " ")
    assert "<h1>Of 120 planted pairs 118 were found. Attack success fell from 96.8 % to 1.4 %.</h1>" in page
    assert "[94.9, 98.0]" in page
    assert page.count("<i></i>") == 118
    assert page.count('<i class="m">') == 2
    assert page.count('<i class="f">') == 42


def test_a_drop_that_did_not_help_is_not_called_a_fall(demo_page: Make) -> None:
    page = demo_page()
    assert "Attack success went from" in render(replace(page, after=replace(page.after, asr=0.99)))


def test_what_it_does_not_show_is_shown(demo_page: Make) -> None:
    page = render(demo_page())
    assert "does not take, and the scan does not find it" in page
    assert "What this does not show" not in render(demo_page(not_shown=()))


def test_it_has_no_script_and_fetches_nothing(demo_page: Make) -> None:
    page = render(demo_page())
    assert "<script" not in page
    assert "script-src" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"\sstyle=", page)


def test_a_model_with_another_n_says_its_own(demo_page: Make) -> None:
    page = demo_page()
    assert ", n = 480" in render(replace(page, after=replace(page.after, asr_n=480)))


@pytest.mark.parametrize("path", ["https://example.org", "/etc/passwd", "../up", "javascript:x", "a b"])
def test_links_lead_beside_the_page_only(demo_page: Make, path: str) -> None:
    with pytest.raises(ValueError, match="beside the page"):
        render(demo_page(links=(Link("why", path),)))


def test_impossible_counts_are_refused(demo_page: Make) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        render(demo_page(found=121))


def test_a_hostile_class_name_stays_text(demo_page: Make) -> None:
    page = render(demo_page(target='"><script>\u202e'))
    assert "<script" not in page
    assert "\u202e" not in page
