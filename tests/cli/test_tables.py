from __future__ import annotations

import json
import re

import pytest

from bezoar.cli import main


@pytest.mark.parametrize("verb", ["attacks", "detectors", "recipes"])
def test_a_table_is_listed_whole(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows
    assert len({row["name"] for row in rows}) == len(rows)
    for row in rows:
        assert list(row) == ["name", "paper", "summary", "parameters"]
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["name"])
        assert row["summary"].endswith(".")
        assert row["paper"]
    assert main([verb]) == 0
    told = capsys.readouterr().out
    assert all(row["name"] in told and row["summary"] in told for row in rows)


def test_a_slow_detector_says_what_it_costs_and_that_all_leaves_it_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detectors", "--json"]) == 0
    costs = json.loads(capsys.readouterr().out)["costs"]
    assert main(["detectors"]) == 0
    told = capsys.readouterr().out
    assert costs["slof"] == 0
    assert costs["strip"] == 16
    assert [f"about {cost} forward passes a pair" in told for cost in costs.values() if cost > 1] == [True] * 4
    assert told.count("not by all") == 4
