"""Names and copies in the table and the summary, by whichever witnesses spoke."""

import io

import numpy as np
import pyarrow.parquet as parquet
import pytest

from bezoar.detection import default
from bezoar.detection.calibration import Calibrated
from bezoar.detection.copies import find_copies
from bezoar.detection.evidence import Evidence
from bezoar.detection.findings import Findings, Listing, summary_of, write_scores
from bezoar.detection.prints import prints_of

PLANTED, MISMATCHED, COPY, UNREAD = 10, 20, (30, 200), 5


@pytest.fixture
def findings():
    """301 pairs of which the sixth was not read: one fits and falls, one never fitted, two are the same pair."""
    draw = np.random.default_rng(0)
    fit = 0.7 + 0.02 * draw.normal(size=300)
    views = fit[:, None] - 0.02 + 0.01 * draw.normal(size=(300, 4))
    views[PLANTED] -= 0.5
    fit[MISMATCHED], views[MISMATCHED] = 0.1, 0.1
    pictures = draw.integers(0, 256, (300, 3, 16, 16), dtype=np.uint8)
    pictures[COPY[1]] = pictures[COPY[0]]
    words = [f"caption {place}" for place in range(300)]
    words[COPY[1]] = words[COPY[0]]
    flagged = np.zeros(300, bool)
    flagged[[PLANTED, MISMATCHED]] = True
    zeros = np.zeros(300)
    return Findings(
        pairs=Listing(
            keys=[f"k{place}" for place in range(301)],
            captions=[*words[:UNREAD], "lost", *words[UNREAD:]],
            shards=["0.tar"] * 301,
            rows=list(range(301)),
            reasons=["picture is damaged" if place == UNREAD else None for place in range(301)],
            model="some",
            canvas=16,
        ),
        usable=np.delete(np.arange(301), UNREAD),
        evidence=Evidence(similarity=fit, view_similarity=views),
        testimony=default.Testimony(score=zeros, alone=zeros, z={}, raw={"density": zeros}, spoke=(), silent={}),
        extra={},
        calibrated=Calibrated(
            z=zeros, p_value=zeros + 1, suspicion=zeros, flagged=flagged, threshold=3.0, group=np.full(300, -1)
        ),
        fdr=0.05,
        notes=(),
        copies=find_copies(prints_of(pictures), words),
    )


def test_each_pair_stands_in_its_row_under_its_name(findings):
    file = io.BytesIO()
    write_scores(findings, file)
    table = parquet.read_table(file).to_pydict()
    named = {key: name for key, name in zip(table["key"], table["finding"], strict=True) if name}
    # One row further than in the scores: the sixth pair was not read.
    assert named == {"k11": "planted", "k21": "mismatched", "k31": "copy", "k201": "copy"}
    first = {key: of for key, of in zip(table["key"], table["duplicate_of"], strict=True) if of}
    assert first == {"k201": "k31"}
    assert table["finding"][UNREAD] is None


def test_the_summary_counts_them(findings):
    summary = summary_of(findings, None)
    assert summary["findings"] == {"planted": 1, "mismatched": 1, "copy": 2}
    assert summary["copies"]["near-copies"] == {"clusters": 1, "pairs": 2}
    assert summary["copies"]["largest"] == [
        {"kind": "near-copies", "size": 2, "captions": 1, "caption": "caption 30", "key": "k31", "flagged": 0}
    ]


def test_without_pictures_there_are_no_copies_and_without_a_fit_no_mismatch(findings):
    bare = Findings(
        **{
            **{name: getattr(findings, name) for name in Findings.__dataclass_fields__},
            "copies": None,
            "evidence": Evidence(image=np.ones((300, 2), np.float32)),
        }
    )
    summary = summary_of(bare, None)
    assert summary["findings"] == {"planted": 2, "mismatched": 0, "copy": 0}
    assert summary["copies"] is None
