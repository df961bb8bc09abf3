"""The page of detection: tables from the figures, the goals and whether they are met, and what is said of no figure."""

import re
from pathlib import Path

import pytest
from studies.detection_beside import read_answers
from studies.detection_figures import Figures, Place
from studies.detection_pages import filled, main, makers
from studies.detection_results import SCHEMA, read_rows
from studies.detection_table import CLEAN_SEEDS, PLANTS
from studies.detection_tables import (
    all_table,
    clean_table,
    default_table,
    detectors_table,
    independent_table,
    loop_table,
)
from studies.detection_targets import targets_table

from bezoar.evaluation.intervals import wilson

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "detection.md"
FIGURES = {"auroc": 0.995, "average-precision": 0.97}
RATES = {
    "fpr-at-95-tpr": (10, 7880),
    "recall-at-2-percent-dropped": (118, 120),
    "recall-at-fdr": (110, 120),
    "clean-lost-at-fdr": (4, 7880),
    "realised-fdp": (4, 114),
}


def cell(detector="default", attack="badnets", poisons=120, *, seeds=(100, 101), asr=(95, 100), **given):
    """Return the rows of one detector at a place; a figure of `given` in place of what it has otherwise."""
    named = {"set": "generated", "setting": "", "encoder": "victim", "loop": ""}
    named |= {key: given.pop(key) for key in tuple(given) if key in named}
    figures = {**FIGURES, **RATES} if detector == "default" else FIGURES
    figures = {**figures, **{name.replace("_", "-"): value for name, value in given.items()}}
    rows = []
    for seed in seeds:
        for measure, value in figures.items():
            k, n = value if isinstance(value, tuple) else (value, 1)
            rows.append(
                dict.fromkeys(SCHEMA.names)
                | named
                | {"cell": f"{named}/{attack}/{poisons}/{seed}", "attack": attack, "poisons": poisons, "seed": seed}
                | {"detector": detector, "measure": measure, "value": k / n, "n": n, "low": k / n, "high": k / n}
                | {"asr": asr and asr[0] / asr[1], "asr_n": asr and asr[1], "planted": poisons, "pairs": 8000}
                | {"machine": "a machine", "note": None}
            )
    return rows


def clean(flagged, seeds):
    """Return the rows of a set that nobody planted anything in, one model a seed."""
    rows = []
    for seed, count in zip(seeds, flagged, strict=True):
        rows += [
            one | {"value": float(count) if one["measure"] == "flagged" else count / 8000}
            for one in cell("default", "never-poisoned", 0, seeds=(seed,), asr=None, flagged=(0, 1))
            if one["measure"] in ("flagged", "clean-lost-at-fdr")
        ]
    return [row | {"n": 8000} for row in rows]


def line_of(table, begun):
    return next(line for line in table.splitlines() if line.startswith(f"| {begun}"))


# the page


def test_the_page_holds_every_mark_once_and_names_the_commands():
    text = PAGE.read_text(encoding="utf-8")
    assert [mark for mark in makers(Figures([])) if text.count(f"<!-- {mark} -->") != 1] == []
    assert text.count("<!-- seen -->") == 1
    assert "python -m studies.detection\n" in text
    assert "python -m studies.detection_pages\n" in text


def test_what_is_between_the_marks_is_what_the_figures_make():
    text = PAGE.read_text(encoding="utf-8")
    folder = ROOT / "docs" / "studies"
    made = filled(text, read_rows(folder / "detection.parquet"), read_answers(folder))
    assert made == text, "run python -m studies.detection_pages"


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []


def test_without_figures_every_table_says_so():
    for mark, make in makers(Figures([])).items():
        assert re.search(r"not measured yet", make(), re.IGNORECASE), mark


def test_check_writes_nothing(tmp_path, monkeypatch):
    page = tmp_path / "detection.md"
    page.write_text("<!-- loop -->\n<!-- end -->\n")
    monkeypatch.setattr("studies.detection_pages.PAGE", page)
    monkeypatch.setattr("studies.detection_pages.read_rows", list)
    monkeypatch.setattr("studies.detection_pages.read_answers", dict)
    monkeypatch.setattr("sys.argv", ["detection_pages", "--check"])
    with pytest.raises(SystemExit, match="stale"):
        main()
    assert page.read_text() == "<!-- loop -->\n<!-- end -->\n"


# tables


def test_rates_are_pooled_before_their_interval_and_areas_are_means_with_their_spread():
    rows = cell(seeds=(100,), auroc=0.9, fpr_at_95_tpr=(1, 100)) + cell(seeds=(101,), auroc=0.8, fpr_at_95_tpr=(9, 300))
    line = line_of(default_table(Figures(rows)), "badnets, 120")
    low, high = (100 * end for end in wilson(10, 400))
    assert f"2.5 % [{low:.1f}, {high:.1f}]" in line
    assert "0.850 <small>(0.800 … 0.900)</small>" in line
    assert "| 2 | 95.0 %" in line


def test_where_the_attack_did_not_take_nothing_is_said_of_detection():
    figures = Figures(cell(asr=(69, 100)) + cell("slof", asr=(69, 100)))
    assert "69.0 %" in line_of(default_table(figures), "badnets, 120")
    assert "0.99" not in default_table(figures) + detectors_table(figures)
    assert "not tested" in line_of(detectors_table(figures), "`slof`")
    assert "did not take" in all_table(figures)
    assert "0.995" in default_table(Figures(cell(asr=(70, 100))))


def test_the_mean_counts_sure_attacks_alone_and_the_best_is_bold():
    rows = cell(average_precision=0.9) + cell("slof", average_precision=0.95)
    rows += cell(attack="blended", poisons=200, asr=(80, 100), average_precision=1.0)
    rows += cell("slof", attack="blended", poisons=200, asr=(80, 100), average_precision=0.1)
    table = detectors_table(Figures(rows))
    assert "over the 1 columns" in table
    assert line_of(table, "**default**").endswith("| 0.900 |")
    assert line_of(table, "`slof`").endswith("| **0.950** |")


def test_a_detector_that_was_not_measured_on_all_sure_attacks_has_no_mean():
    rows = cell() + cell("slof") + cell(attack="nashville", poisons=400)
    assert line_of(detectors_table(Figures(rows)), "`slof`").endswith("| – |")


def test_a_recall_that_nobody_can_reach_says_how_much_could_be_had():
    rows = cell(poisons=400, recall_at_2_percent_dropped=(160, 400))
    assert "of at most 40.0 %" in line_of(default_table(Figures(rows)), "badnets, 400")
    assert "of at most" not in default_table(Figures(cell()))


def test_a_silent_detector_says_why():
    rows = [*cell(), cell("abl", seeds=(100,))[0] | {"measure": "silent", "value": None, "note": "needs early fits"}]
    assert "needs early fits" in line_of(all_table(Figures(rows)), "`abl`")


def test_another_models_eyes_stand_beside_the_victims():
    rows = cell("slof") + cell() + cell(encoder="independent")
    rows += cell("slof", encoder="independent", average_precision=0.2)
    table = independent_table(Figures(rows))
    assert "0.970 → 0.200" in line_of(table, "`slof`")
    assert "0.970 → 0.970" in line_of(table, "**default**")


def test_clean_sets_are_counted_by_model():
    table = clean_table(Figures(clean([0, 12, 0], (100, 101, 102))))
    low, high = (100 * end for end in wilson(12, 24_000))
    assert f"| generated pairs | 3 | 1 | 0.1 % [{low:.1f}, {high:.1f}] | 0, 12, 0 |" in table


def test_the_loop_stands_beside_its_control():
    after = {"asr_after": (1, 100), "accuracy_before": (97, 100), "accuracy_after": (96, 100), "planted_left": (3, 1)}
    rows = cell("loop", loop="random-2", seeds=(100,), dropped=(160, 1), **{**after, "asr_after": (99, 100)})
    rows += cell("loop", loop="share-2", seeds=(100,), dropped=(160, 1), **after)
    lines = [line for line in loop_table(Figures(rows)).splitlines() if "badnets" in line]
    assert ["most suspicious" in lines[0], "at random" in lines[1]] == [True, True]
    assert "| 160 | 3 of 120 |" in lines[0]
    assert "1.0 %" in lines[0]
    assert "99.0 %" in lines[1]


def test_every_place_that_is_compared_is_one_of_the_table():
    assert Place("generated", "badnets", 120).label == "badnets, 120"
    assert len({(plant.set, plant.attack) for plant in PLANTS}) == len(PLANTS)


# goals


def verdict(rows, begun):
    return line_of(targets_table(Figures(rows)), begun)


def test_the_best_mean_has_to_be_the_defaults():
    assert "met: 0.970 over 1 attacks, the next is slof with 0.900" in verdict(
        cell() + cell("slof", average_precision=0.9), "the best"
    )
    assert "missed" in verdict(cell() + cell("slof", average_precision=0.98), "the best")
    assert "open" in verdict(cell(asr=(80, 100)), "the best")


def test_each_figure_below_its_goal_is_named_and_wrong_captions_count_as_well():
    assert "met on 1 cells" in verdict(cell(), "patch and blend")
    noised = cell(setting="+wrong-20", auroc=0.98, recall_at_2_percent_dropped=(90, 120))
    said = verdict(cell() + noised, "patch and blend")
    assert "missed: generated pairs badnets, 120, +wrong-20: AUROC 0.980, recall 0.750" in said
    # Of 400 in 8,000 nobody finds 95 % among 160.
    assert "met" in verdict(cell(poisons=400, recall_at_2_percent_dropped=(160, 400)), "patch and blend")


def test_clean_sets_and_their_number_are_judged():
    twenty = range(100, 100 + CLEAN_SEEDS)
    assert "open: 0 of 3 so far" in verdict(clean([0, 0, 0], (100, 101, 102)), "of 20 clean")
    assert "met: 2 of 20" in verdict(clean([5, 9] + 18 * [0], twenty), "of 20 clean")
    assert "missed: 3 of 20" in verdict(clean([1, 1, 1] + 17 * [0], twenty), "of 20 clean")
    assert "missed: at most 1.0 %" in verdict(clean([80], (100,)), "at most 0.5 %")
    assert "met: at most 0.2 %" in verdict(clean([20], (100,)), "at most 0.5 %")


def test_a_decision_that_was_not_made_is_no_false_one():
    assert "met on 1 cells" in verdict(cell(), "realised FDP")
    assert "missed: generated pairs badnets, 120: 20.0 %" in verdict(cell(realised_fdp=(20, 100)), "realised FDP")
    silent = cell(attack="blended", poisons=200, realised_fdp=(0, 1), recall_at_fdr=(0, 200))
    silent = [row | {"n": 0} if row["measure"] == "realised-fdp" else row for row in silent]
    assert "met on 1 cells, 1 decided nothing" in verdict(cell() + silent, "realised FDP")


def test_a_victim_on_which_the_attack_did_not_take_is_left_out_and_counted():
    rows = cell(seeds=(100, 101)) + cell(seeds=(102,), asr=(30, 100), average_precision=0.2)
    figures = Figures(rows)
    (place,) = figures.places()
    assert figures.seeds(place) == "2 of 3"
    assert figures.spared(place) == {102}
    assert figures.success(place).value == 0.95
    assert "0.200" not in default_table(figures)
