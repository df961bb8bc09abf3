"""The pages of the recipes: one for each, with commands that can be typed, filled from recipes and figures."""

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from studies.defences_results import SCHEMA, read_rows
from studies.recipe_constants import constants_tables, recipes_table, scale_table
from studies.recipe_curves import adaptation_table, curve_table
from studies.recipe_figures import NO_CONTROL, NOT_TESTED, NOTHING, Figures, Place, rate
from studies.recipe_lines import PAGE_OF, recipe_of
from studies.recipe_pages import filled, machines, main
from studies.recipe_tables import recipe_tables, repairs_table, trainings_table
from studies.recipe_targets import targets_table

from bezoar.evaluation.intervals import wilson
from bezoar.training.recipes import RECIPES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "recipes"
PAGES = sorted(set(PAGE_OF.values()))
COMMANDS = [
    (page.name, line)
    for page in sorted(FOLDER.glob("*.md"))
    for line in re.findall(r"^    (bezoar .*)$", page.read_text(encoding="utf-8").replace("\\\n", " "), re.MULTILINE)
]
SEEDS = (100, 101)


def cell(defence, attack="badnets", *, kind="training", victim="clip", seeds=SEEDS, **measures):
    """Return the rows of one defence; a measure is its successes and n of every seed, and perhaps those beside."""
    rows = []
    for seed in seeds:
        for measure, (k, n, *beside) in measures.items():
            row = dict.fromkeys(SCHEMA.names) | {
                "cell": f"generated/{attack}/{victim}/{defence}/{seed}",
                "set": "generated",
                "attack": attack,
                "defence": defence,
                "kind": kind,
                "setting": "",
                "victim": victim,
                "seed": seed,
                "measure": measure.replace("_", "-"),
                "protocol": "made up",
                "machine": "a machine",
                "value": k / n,
                "n": n,
                "beside": beside[0] / n if beside else None,
                "cost": 1.5,
                "cpu_seconds": 3600.0,
                "planted": 120,
                "pairs": 8000,
            }
            rows.append(row)
    return rows


def read(tmp_path, *cells):
    """Return the figures after a way through a file of the real schema."""
    path = tmp_path / "defences.parquet"
    parquet.write_table(pa.Table.from_pylist([row for rows in cells for row in rows], SCHEMA), path)
    return Figures(read_rows(path))


def controls(attack="badnets", **measures):
    """Return plain training and its augmented control, on which the attack takes."""
    taken = {"zero_shot_top1": (96, 100), "asr": (90, 100)} | measures
    return [*cell("clip", attack, **taken), *cell("clip-augmented", attack, **taken)]


def line_of(table, name):
    return next(line for line in table.splitlines() if re.match(rf"\| (\S+ \| )?\[?{re.escape(name)}\b(?!-)", line))


# the pages


def test_every_recipe_has_a_page_and_every_page_is_of_one():
    assert {page.stem for page in FOLDER.glob("*.md")} == {*PAGES, "adaptation", "index"}
    assert PAGE_OF.keys() == RECIPES.keys()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_recipe_holds_its_marks_and_a_command_for_each_of_its_recipes(page):
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {page}\n")
    assert [text.count(f"<!-- {mark} -->") for mark in ("constants", "figures", "seen")] == [1, 1, 1]
    for name in (name for name, own in PAGE_OF.items() if own == page):
        verb = "repair" if RECIPES[name].repairs else "train"
        default = "(?!--recipe)" if name == "clip" else f".*--recipe {name}\\b"
        assert re.search(rf"^    bezoar {verb} {default}", text, re.MULTILINE), name


def test_the_other_pages_hold_their_marks():
    marks = {
        "index": ("recipes", "targets", "trainings", "repairs", "scale", "machines", "seen"),
        "adaptation": ("adaptation", "seen"),
        "cleanclip": ("curve",),
    }
    for page, wanted in marks.items():
        text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
        assert [mark for mark in wanted if text.count(f"<!-- {mark} -->") != 1] == []


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_every_command_in_the_pages_is_one_that_the_command_line_takes(page, command):
    _, verb, *words = shlex.split(command)
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"bezoar.cli.{verb}").arguments(parser)
    asked, unknown = parser.parse_known_args(words)
    assert unknown == []
    recipe = RECIPES[getattr(asked, "recipe", None) or "clip"]
    assert verb not in ("train", "repair") or recipe.repairs == (verb == "repair")
    if verb == "repair":
        assert {name for name in ("scan", "plan") if getattr(asked, name)} == {*recipe.needs} & {"scan", "plan"}


def test_every_link_of_the_pages_leads_somewhere():
    links = [
        (page.name, link)
        for page in FOLDER.glob("*.md")
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert [(page, link) for page, link in links if not (FOLDER / link).is_file()] == []


def test_what_is_between_the_marks_is_what_recipes_and_figures_make():
    made = filled(FOLDER, read_rows(ROOT / "docs" / "studies" / "defences.parquet"))
    stale = [page.name for page, text in made.items() if page.read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m studies.recipe_pages"


def test_filling_keeps_what_stands_outside_the_marks_and_does_nothing_twice(tmp_path):
    page = tmp_path / "par.md"
    page.write_text(
        "# par\nA\n<!-- constants -->\noutdated\n<!-- end -->\nB\n<!-- seen -->\n<!-- figures -->\n<!-- end -->\nC\n"
    )
    text = filled(tmp_path, [])[page]
    assert "outdated" not in text
    assert "not measured yet" in text
    assert re.sub(r"(<!-- \w+ -->\n)[^<]*?(<!-- end -->)", r"\1\2", text) == (
        "# par\nA\n<!-- constants -->\n<!-- end -->\nB\n<!-- seen -->\n<!-- figures -->\n<!-- end -->\nC\n"
    )
    page.write_text(text)
    assert filled(tmp_path, [])[page] == text


def test_check_names_the_stale_page_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("studies.recipe_pages.PAGES", tmp_path)
    monkeypatch.setattr("studies.recipe_pages.read_rows", list)
    monkeypatch.setattr("sys.argv", ["recipe_pages", "--check"])
    page = tmp_path / "par.md"
    page.write_text("<!-- constants -->\n<!-- end -->\n")
    with pytest.raises(SystemExit, match="1 stale"):
        main()
    assert "par.md" in capsys.readouterr().out
    assert page.read_text() == "<!-- constants -->\n<!-- end -->\n"


# constants


def test_the_constants_of_every_recipe_stand_on_its_page_at_both_scales():
    for name, recipe in RECIPES.items():
        table = constants_tables(PAGE_OF[name])
        own = table[table.index(f"**{name}**") :]
        here, paper = recipe.settings.learning_rate, recipe.paper_settings.learning_rate
        assert f"| peak learning rate | {here:g} | {paper:g} |" in own
        assert [phase.name for phase in recipe.phases if f"| {phase.name}" not in own] == []
        assert f"| [{name}]({PAGE_OF[name]}.md) |" in recipes_table()


def test_the_share_of_a_phase_is_its_steps_times_its_rate_over_those_of_plain_training():
    cleanclip = next(line for line in scale_table().splitlines() if line.startswith("| cleanclip "))
    own, plain = 100_000 * 10 / 64 * 1e-5, 3_000_000 * 64 / 128 * 5e-4
    assert f"| 15,625 | 1e-05 | {100 * own / plain:.2g} % |" in cleanclip


# figures


def test_counts_of_seeds_are_added_before_the_interval_is_taken():
    rows = cell("par", seeds=(100,), asr=(1, 100)) + cell("par", seeds=(101,), asr=(9, 300))
    found = rate(rows, "asr")
    low, high = (100 * end for end in wilson(10, 400))
    assert (found.successes, found.n, found.by_seed) == (10, 400, (0.01, 0.03))
    assert found.told() == f"10 of 400, 2.5 % [{low:.1f}, {high:.1f}] <small>(1.0 … 3.0)</small>"


def test_where_the_attack_did_not_take_every_cell_says_so_but_plain_training_shows_its_success(tmp_path):
    rows = cell("safeclip", zero_shot_top1=(90, 100), asr=(1, 100))
    figures = read(tmp_path, controls(asr=(69, 100)), rows)
    table = recipe_tables("safeclip", figures)
    told = line_of(table, "safeclip").split(" | ")
    assert set(told[3:]) <= {NOT_TESTED, f"{NOT_TESTED} |"}
    assert "138 of 200" in line_of(table, "clip")
    assert NOT_TESTED in line_of(trainings_table(figures), "safeclip")
    taken = read(tmp_path, controls(asr=(70, 100)), rows)
    assert "2 of 200" in line_of(recipe_tables("safeclip", taken), "safeclip")


def test_a_defence_that_was_not_run_because_the_attack_did_not_take_is_not_tested_rather_than_missing(tmp_path):
    weak, strong = controls("blended", asr=(20, 100)), controls("badnets")
    figures = read(tmp_path, weak, strong)
    assert figures.why_not(Place("generated", "blended", "roclip")) == NOT_TESTED
    assert figures.why_not(Place("generated", "badnets", "roclip")) == NOTHING


def test_a_seed_counts_only_where_plain_training_was_measured_at_it(tmp_path):
    plain = cell("clip", seeds=(100,), asr=(90, 100))
    figures = read(tmp_path, plain, cell("roclip", asr=(5, 100)), cell("safeclip", seeds=(101,), asr=(5, 100)))
    assert figures.success(Place("generated", "badnets", "roclip")).n == 100
    assert figures.why_not(Place("generated", "badnets", "safeclip")) == NO_CONTROL


def test_a_second_victim_counts_only_where_it_took_the_attack_in_itself(tmp_path):
    kind = {"kind": "repair", "victim": "clip-ssl"}
    weak, strong = (cell("none", asr=(k, 100), **kind) for k in (60, 95))
    place = Place("generated", "badnets", "par", "clip-ssl")
    repaired = cell("par", asr=(3, 100), **kind)
    assert read(tmp_path, controls(), weak, repaired).why_not(place) == NOT_TESTED
    assert read(tmp_path, controls(), strong, repaired).success(place).successes == 6
    assert "6 of 200" in repairs_table(read(tmp_path, controls(), strong, repaired))


def test_the_difference_is_in_points_over_the_seeds_that_both_have(tmp_path):
    augmented = cell("clip-augmented", seeds=(100,), asr=(9, 10), zero_shot_top1=(98, 100))
    plain = cell("clip", asr=(9, 10))
    ours = cell("roclip", seeds=(100,), asr=(0, 10), zero_shot_top1=(95, 100))
    ours += cell("roclip", seeds=(101,), asr=(0, 10), zero_shot_top1=(10, 100))
    gap = read(tmp_path, augmented, plain, ours).difference(Place("generated", "badnets", "roclip"), "clip-augmented")
    assert gap.short() == "−3.0"
    low, high = gap.interval
    assert low < -0.03 < high


def test_targeted_poison_is_judged_by_its_own_measure(tmp_path):
    figures = read(
        tmp_path, cell("clip", "targeted", psr=(24, 24)), cell("safeclip", "targeted", psr=(1, 24), psr_base=(0, 24))
    )
    assert figures.success(Place("generated", "targeted", "safeclip")).told().startswith("2 of 48")


def test_retrieval_is_the_mean_of_both_ways(tmp_path):
    ways = {"r@1_image_to_text": (20, 100), "r@1_text_to_image": (40, 100)}
    figures = read(tmp_path, controls(), cell("roclip", asr=(1, 100), **ways))
    assert "30.0 % <small>(30.0 … 30.0)</small>" in line_of(recipe_tables("roclip", figures), "roclip")


def test_the_head_is_asked_where_there_is_one(tmp_path):
    headed = cell("supervised-finetune", kind="repair", asr=(1, 10), head_top1=(9, 10), asr_head=(2, 10))
    none = cell("none", kind="repair", asr=(9, 10))
    table = recipe_tables("supervised-finetune", read(tmp_path, controls(), none, headed))
    assert "ASR through the head" in table
    assert "4 of 20" in line_of(table, "supervised-finetune")
    assert "through the head" not in recipe_tables("par", read(tmp_path, controls(), none))


def test_an_unknown_form_of_a_recipe_an_unknown_repair_attack_and_set_get_lines_of_their_own(tmp_path):
    new = [
        *cell("cleanclip-64", kind="repair", asr=(7, 100)),
        *cell("exorcism", kind="repair", asr=(3, 100)),
        *cell("clip", "hologram", asr=(99, 100)),
    ]
    figures = read(tmp_path, controls(), new, [row | {"set": "photos"} for row in cell("clip", asr=(77, 100))])
    assert recipe_of("cleanclip-64") == "cleanclip"
    assert "14 of 200" in line_of(recipe_tables("cleanclip", figures), "cleanclip-64")
    assert "6 of 200" in line_of(repairs_table(figures), "exorcism")
    assert "198 of 200" in line_of(trainings_table(figures), "clip")
    assert "**photos**" in trainings_table(figures)


# adaptation and the curve


def test_adaptation_stands_beside_the_never_poisoned_model(tmp_path):
    after = {"asr-after-adaptation": (10, 100, 1), "asr-after-5-poisons": (60, 100, 20)}
    figures = read(
        tmp_path, controls(), cell("none", kind="repair", asr=(90, 100)), cell("par", kind="repair", asr=(2, 100)),
        cell("adapted-par", kind="adaptation", seeds=(100,), **after),
    )  # fmt: skip
    line = line_of(adaptation_table(figures), "generated pairs")
    assert "2.0 %" in line
    assert "**10.0 % [5.5, 17.4]**<br>never poisoned 1.0 %" in line
    assert "**60.0 % [50.2, 69.1]**<br>never poisoned 20.0 %" in line
    assert "10 of 100" in line_of(recipe_tables("par", figures), "par")
    assert "adapted-par" not in repairs_table(figures)


def test_the_curve_says_which_settings_none_beats(tmp_path):
    points = {"clean-finetune": (95, 60), "cleanclip-1": (94, 70), "cleanclip-4": (90, 10)}
    cells = [cell(name, kind="repair", zero_shot_top1=(a, 100), asr=(s, 100)) for name, (a, s) in points.items()]
    table = curve_table(read(tmp_path, controls(), *cells))
    told = [line.split(" | ") for line in table.splitlines() if line.startswith("| clean")]
    assert [line[0] for line in told] == ["| clean-finetune", "| cleanclip", "| cleanclip"]
    assert [line[-1] for line in told] == ["yes |", " |", "yes |"]


# the goals


ATTACKS = ("badnets", "blended", "nashville", "targeted", "clean-label")


def test_a_training_meets_its_goal_only_with_every_attack_and_little_lost(tmp_path):
    def verdict(changed="", k=5, kept=93, took=90, attacks=ATTACKS, control=96):
        cells = []
        for attack in attacks:
            taken = (took if attack == changed else 90, 100)
            cells += controls(attack, asr=taken, zero_shot_top1=(control, 100))
            own = {"asr": (k if attack == changed else 1, 100), "zero_shot_top1": (kept, 100)}
            cells += cell("safeclip", attack, **own)
        table = targets_table(read(tmp_path, cells))
        return next(line for line in table.splitlines() if "| [safeclip](" in line).split(" | ")[-1]

    assert verdict() == "met |"
    assert verdict(kept=95, control=98) == "met |"
    assert verdict("blended", k=6) == "missed: blended 6.0 % |"
    assert verdict(kept=92).startswith("missed: badnets 4.0 points lost")
    assert verdict(attacks=ATTACKS[:4]) == "open: clean-label not measured yet |"
    assert verdict("nashville", took=50) == "met where the attack took; not tested: nashville |"


def test_the_control_is_asked_the_same_as_the_trainings(tmp_path):
    cells = []
    for attack in ATTACKS:
        cells += cell("clip", attack, asr=(90, 100))
        cells += cell("clip-augmented", attack, asr=(2, 100), zero_shot_top1=(90, 100))
    assert "* **Control**: met by clip-augmented.\n" in targets_table(read(tmp_path, cells))


def test_a_repair_meets_its_goal_only_if_it_stays_away(tmp_path):
    def verdict(back):
        cells = []
        for attack in ATTACKS[:3]:
            cells += controls(attack) + cell("none", attack, kind="repair", asr=(90, 100), zero_shot_top1=(96, 100))
            cells += cell("par", attack, kind="repair", asr=(1, 100), zero_shot_top1=(95, 100))
        for attack in ATTACKS[:2] if back is not None else ():
            cells += cell("adapted-par", attack, kind="adaptation", **{"asr-after-adaptation": (back, 100, 0)})
        table = targets_table(read(tmp_path, cells))
        return next(line for line in table.splitlines() if "| [par](" in line).split(" | ")[-1]

    assert verdict(15) == "met |"
    assert verdict(16).startswith("missed: badnets 16.0 % after adaptation")
    assert verdict(None) == "open: badnets after adaptation, blended after adaptation not measured yet |"


def test_machines_are_told_with_their_cells_and_time(tmp_path):
    assert "| a machine | 4 | 100, 101 | 4.0 h |" in machines(read(tmp_path, controls()))
