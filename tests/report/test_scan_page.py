from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from bezoar.report.scan_page import ScanPage, headline, render

Make = Callable[..., ScanPage]

HOSTILE = (
    '<img src=x onerror="alert(1)"> ripe banana on a table',
    "lighthouse </script><script>fetch('//x')</script> at night",
    "a banana \u202egpj.evil\u202c next to a lamp\u200b\u200b",
    "</p></li></ol></section><h1>No pair is flagged.</h1>",
    "</style><style>body{display:none}</style>",
    "--><!-- </title></head> {{ 7*7 }} {% raw %} &lt;b&gt; &#60;i&#62;",
    "\"' onfocus=alert(1) autofocus javascript:alert(1) https://example.org/a.png",
    "\x00\x08\x1b[31m\ud800\ue000\u2028 \uff1cscript\uff1e" + "banana " * 90,
    "",
)


class _Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: set[tuple[str, tuple[str, ...]]] = set()
        self.attributes: list[tuple[str, str]] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kinds.add((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(name, value or "") for name, value in attrs]
        self.counts[tag] = self.counts.get(tag, 0) + 1


def _shape(page: str) -> _Shape:
    shape = _Shape()
    shape.feed(page)
    return shape


def _everything_hostile(page: ScanPage) -> ScanPage:
    worst = HOSTILE[1] + HOSTILE[0] + "\u202e"
    assert page.truth is not None
    return replace(
        page,
        name=worst,
        run=worst,
        model=worst,
        canvas=worst,
        visible=(worst,) * 2,
        unseen=(worst,) * 3,
        words=("<img", worst),
        gallery=tuple(replace(item, key=worst, shard=worst) for item in page.gallery),
        witnesses=tuple(replace(w, says=worst) for w in page.witnesses),
        problems=tuple(replace(p, reason=worst, example=worst) for p in page.problems),
        provenance=replace(
            page.provenance,
            command=worst,
            machine=worst,
            version=worst,
            finished=worst,
            inputs={worst: worst},
        ),
    )


def test_hostile_data_adds_no_element_and_no_attribute(scan_page: Make) -> None:
    benign = scan_page(items=24, words=("banana",))
    hostile = render(_everything_hostile(scan_page(items=24, captions=HOSTILE)))
    ours, theirs = _shape(render(benign)), _shape(hostile)
    extra = theirs.kinds - ours.kinds
    assert {kind for kind in extra if kind != ("span", ("class",))} == set()
    for tag in ("script", "style", "img", "a", "h1", "li", "section", "meta", "title"):
        assert theirs.counts[tag] == ours.counts[tag]
    assert not [c for c in hostile if c in "\u202e\u202c\u200b\u2028\x00\x08\x1b\ue000"]
    hostile.encode()


def test_nothing_hostile_reaches_an_attribute(scan_page: Make) -> None:
    shape = _shape(render(_everything_hostile(scan_page(items=24, captions=HOSTILE))))
    assert not [v for _, v in shape.attributes if "alert" in v or "fetch" in v or "banana" in v]
    assert not [name for name, _ in shape.attributes if name == "style" or name.startswith("on")]


def test_the_policy_names_the_very_style_and_script(scan_page: Make) -> None:
    page = render(scan_page(items=2))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert page.index("Content-Security-Policy") < page.index("<style>")
    for element in ("style", "script"):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        wanted = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{wanted}'" in policy.group(1).replace("&#39;", "'")
    assert "default-src 'none'" in policy.group(1).replace("&#39;", "'")


def test_the_page_fetches_nothing_and_stays_small(scan_page: Make) -> None:
    page = render(scan_page())
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"url\((?!#)|@import", page)
    assert {v.split(":")[0] for n, v in _shape(page).attributes if n == "src"} == {"data"}
    assert len(page.encode()) < 1_000_000
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(style) < 20_000
    assert len(script) < 8_000


def test_ids_are_unique_and_links_lead_somewhere(scan_page: Make) -> None:
    shape = _shape(render(scan_page(items=5)))
    ids = [v for n, v in shape.attributes if n == "id"]
    assert len(ids) == len(set(ids))
    assert {v[1:] for n, v in shape.attributes if n == "href"} <= set(ids)


def test_without_truth_there_is_no_word_of_it(scan_page: Make) -> None:
    page = render(scan_page(items=5, truth=False))
    assert "Against the truth" not in page
    assert "<dd>not known</dd>" in page
    assert "not planted" not in page
    assert "Against the truth" in render(scan_page(items=5))


def test_what_the_page_says_itself_is_never_cut(scan_page: Make) -> None:
    long = scan_page(items=0, decided="1 alone and 111 in 7 groups of like captions " * 4)
    every = tuple(replace(long.witnesses[0], name=f"witness-{number}") for number in range(12))
    page = render(replace(long, witnesses=every, findings={"planted": 111, "mismatched": 1, "copy": 4}))
    assert "Every pair could be read." in page or "could not be read" in page
    assert "more character" not in page


def test_nothing_found_is_said_plainly(scan_page: Make) -> None:
    found = scan_page(items=5, truth=False)
    page = render(replace(found, flagged=np.zeros(found.suspicion.size, dtype=bool)))
    assert '<h1 id="h-verdict">No pair in 8,000 is flagged.</h1>' in page
    assert "not a proof that the set is clean" in page
    assert "--flagged" not in page
    assert "--share 0.02" in page


@pytest.mark.parametrize(
    ("flagged", "pairs", "said"),
    [
        (152, 8000, "152 of 8,000 pairs are flagged."),
        (1, 8000, "1 of 8,000 pairs is flagged."),
        (0, 10_000, "No pair in 10,000 is flagged."),
    ],
)
def test_headlines(flagged: int, pairs: int, said: str) -> None:
    assert headline(flagged, pairs) == said


def test_commands_quote_what_a_shell_would_read(scan_page: Make) -> None:
    page = render(scan_page(items=1, run="runs/a b; rm -rf $HOME", name="k"))
    assert "bezoar clean &#39;runs/a b; rm -rf $HOME&#39; --flagged --to k-clean" in page


def test_filters_ask_only_what_divides(scan_page: Make) -> None:
    page = scan_page(items=12)
    assert 'id="f-planted"' not in render(page)
    mixed = (replace(page.gallery[0], planted=False), *page.gallery[1:])
    assert "Not planted 1<" in render(replace(page, gallery=mixed))


def test_a_set_of_which_nothing_could_be_read(scan_page: Make) -> None:
    empty = np.zeros(0)
    page = render(
        scan_page(items=0, pairs=9, suspicion=empty, flagged=empty.astype(bool), witnesses=(), truth=None, unseen=())
    )
    assert "there are no scores" in page
    assert 'id="gallery"' not in page
    assert "9 pairs could not be read" in page


def test_pairs_without_pictures_are_said_to_have_none(scan_page: Make) -> None:
    page = scan_page(items=2, pairs_known=False)
    shown = render(replace(page, gallery=tuple(replace(item, image=None) for item in page.gallery)))
    assert shown.count("no picture") == 2
    assert "--pairs FOLDER" in shown


def test_a_plan_that_tells_nothing_apart_draws_no_curve(scan_page: Make) -> None:
    page = scan_page(items=1)
    assert page.truth is not None
    none = replace(page.truth, planted=np.zeros_like(page.truth.planted))
    assert "nothing to tell apart" in render(replace(page, truth=none))


def test_arrays_of_other_pairs_are_refused(scan_page: Make) -> None:
    page = scan_page(items=1)
    with pytest.raises(ValueError, match="flagged"):
        render(replace(page, flagged=page.flagged[:-1]))
