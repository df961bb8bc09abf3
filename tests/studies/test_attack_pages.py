"""The pages of the attacks: one for each, with its picture, and what stands between the marks is what they make."""

import re
from pathlib import Path

import pytest
from studies.attack_pages import WITHOUT_PAGE, attacks, between, defaults, fill
from studies.results import read_rows

from bezoar.attacks import ATTACKS
from bezoar.attacks.presets import REQUIRED
from bezoar.attacks.request import values_of
from bezoar.attacks.triggers import TRIGGERS, parameters_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "attacks"
PRESETS = [attack for attack in ATTACKS if attack.name not in WITHOUT_PAGE]
SPECS = [
    (page.name, spec)
    for page in sorted(FOLDER.glob("*.md"))
    for spec in re.findall(r"--attack (\S+)", page.read_text(encoding="utf-8"))
]


def test_every_attack_has_a_page_and_every_page_is_of_one():
    pages = {page.stem for page in FOLDER.glob("*.md")}
    assert pages == {attack.name for attack in PRESETS} | {"index", "modality"}


@pytest.mark.parametrize("attack", PRESETS, ids=lambda attack: attack.name)
def test_a_page_holds_its_picture_described_its_marks_and_a_command(attack):
    text = (FOLDER / f"{attack.name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {attack.name}\n")
    picture = re.search(r"!\[([^]]+)\]\(([^)]+)\)", text)
    assert len(picture[1]) > 40
    assert picture[2] == f"pictures/{attack.name}.png"
    assert (FOLDER / picture[2]).stat().st_size < 15_000
    assert [text.count(f"<!-- {mark} -->") for mark in ("defaults", "figures", "end")] == [1, 1, 2]
    assert f"bezoar poison PAIRS --attack {attack.name}:" in text


@pytest.mark.parametrize(("page", "spec"), SPECS)
def test_every_specification_in_the_pages_is_one_that_the_table_takes(page, spec):
    name, _, rest = spec.partition(":")
    attack = next(attack for attack in ATTACKS if attack.name == name)
    given = values_of(name, rest, attack.parameters, frozenset(attack.trigger_parameters))
    assert {name for name, value in attack.parameters.items() if value == REQUIRED} <= given.keys()


def test_the_index_explains_every_parameter():
    text = (FOLDER / "index.md").read_text(encoding="utf-8")
    taken = {name for attack in ATTACKS for name in attack.parameters}
    kinds = {str(attack.parameters["trigger"]).partition(":")[0] for attack in ATTACKS if attack.trigger_parameters}
    taken |= {name for kind in kinds for name in parameters_of(kind)}
    assert sorted(name for name in taken if f"`{name}`" not in text) == []
    assert kinds <= {kind.name for kind in TRIGGERS}


def test_what_is_between_the_marks_is_what_table_and_figures_make(tmp_path):
    for page in FOLDER.glob("*.md"):
        (tmp_path / page.name).write_bytes(page.read_bytes())
    fill(tmp_path, read_rows(ROOT / "docs" / "studies" / "grid.parquet"))
    stale = [page.name for page in FOLDER.glob("*.md") if page.read_bytes() != (tmp_path / page.name).read_bytes()]
    assert stale == [], "run python -m studies.attack_pages"


def test_filling_keeps_what_stands_outside_the_marks_and_does_nothing_twice(tmp_path):
    page = tmp_path / "badnets.md"
    page.write_text("# badnets\nA\n<!-- defaults -->\nold\n<!-- end -->\nB\n<!-- figures -->\n<!-- end -->\nC\n")
    fill(tmp_path, [])
    first = page.read_text()
    assert "old" not in first
    assert re.sub(r"(<!-- \w+ -->\n).*?(<!-- end -->)", r"\1\2", first, flags=re.DOTALL) == (
        "# badnets\nA\n<!-- defaults -->\n<!-- end -->\nB\n<!-- figures -->\n<!-- end -->\nC\n"
    )
    assert "not measured yet" in first
    fill(tmp_path, [])
    assert page.read_text() == first


def test_a_page_without_the_mark_stays_as_it_is():
    assert between("text\n<!-- end -->\n", "figures", lambda: "made") == "text\n<!-- end -->\n"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_defaults_name_every_parameter_of_an_attack_once(attack):
    text = defaults(attack)
    named = re.findall(r"`(\w+)[`=]", text)
    assert sorted(named) == sorted([*attack.parameters, *attack.trigger_parameters])


def test_the_table_of_attacks_names_each():
    assert [attack.name for attack in ATTACKS if f"{attack.summary} | {attack.paper}" not in attacks()] == []


def test_every_page_of_an_attack_has_a_picture_that_is_drawn_for_it():
    from studies.attack_pictures import LAID_OUT

    assert LAID_OUT.keys() == {attack.name for attack in PRESETS}
    assert [name for name, picture in LAID_OUT.items() if picture.spec.partition(":")[0] != name] == []
    assert {file.stem for file in (FOLDER / "pictures").iterdir()} == set(LAID_OUT)
