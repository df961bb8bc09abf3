"""The grid of detection: cells of the grid of attacks are taken over, names tell apart, and the order is of worth."""

import pytest
from studies.cells import CELLS, CLEAN, SETS
from studies.detection_table import CLEAN_SEEDS, FORMS, FURTHER, LOOPED, NOISED, PLANTS, all_jobs

from bezoar.attacks import ATTACKS
from bezoar.detection.detectors import parse

SEEDS = list(range(100, 100 + CLEAN_SEEDS))
JOBS = list(all_jobs(SEEDS))


def test_no_two_cells_have_one_name_and_no_two_trainings_share_a_folder():
    assert len({job.name for job in JOBS}) == len(JOBS)
    trained = {(job.cell.name, job.cell.spec, job.cell.wrong) for job in JOBS}
    assert len({name for name, _, _ in trained}) == len(trained)


def test_a_cell_of_the_grid_of_attacks_is_taken_as_it_is():
    known = {(cell.set, cell.spec): cell.attack for cell in CELLS if cell.learn is None and cell.epochs is None}
    for job in JOBS:
        if (job.cell.set, job.cell.spec) in known and not job.cell.wrong and not job.cell.arch:
            assert job.cell.attack == known[job.cell.set, job.cell.spec]
    first = {job.name: job.cell.attack for job in JOBS}
    assert first["generated/badnets-120/100"] == "badnets"
    assert first["generated/targeted-40/100"] == "targeted"
    assert first["generated/targeted-100/100"] == "targeted-20"
    assert first["cifar10/targeted-40/100"] == "targeted"
    assert first["generated/clean-label-600/100"] == "clean-label"


def test_what_costs_a_scan_only_was_trained_by_the_grid_of_attacks():
    known = {(cell.set, cell.spec) for cell in CELLS}
    assert all((plant.set, plant.cell(plant.first).spec) in known for plant in FURTHER)


def test_the_numbers_of_poisons_are_those_that_were_promised():
    counts = {(plant.set, plant.attack): set(plant.counts) for plant in PLANTS}
    for attack in ("badnets", "blended", "nashville", "targeted", "clean-label"):
        assert {80, 120, 400} <= counts["generated", attack]
    for attack in ("badnets", "blended", "targeted"):
        assert {100, 200, 500} <= counts["cifar10", attack]
    assert ("imagenette", "badnets") in counts
    assert ("flickr8k", "badnets") in counts
    assert {plant.set for plant in PLANTS} == set(SETS) == set(CLEAN)


def test_every_plan_names_an_attack_and_every_form_a_detector():
    attacks = {attack.name for attack in ATTACKS}
    assert all(plant.attack in attacks and plant.first in plant.counts for plant in (*PLANTS, *FURTHER))
    assert [parse(form).name for form in FORMS] == list(FORMS)


def test_twenty_clean_generated_sets_and_three_models_of_each_real_one():
    clean = [job for job in JOBS if job.poisons == 0]
    assert sum(job.cell.set == "generated" for job in clean) == CLEAN_SEEDS
    assert {sum(job.cell.set == name for job in clean) for name in SETS} == {CLEAN_SEEDS, 3}


def test_three_seeds_where_attacks_are_compared_and_one_elsewhere():
    seeds = {}
    for job in JOBS:
        seeds.setdefault(job.name.rpartition("/")[0], []).append(job.seed)
    assert seeds["generated/blended-80"] == seeds["cifar10/badnets-500"] == [100, 101, 102]
    assert seeds["cifar10/blended-500"] == seeds["cifar10/sig-200"] == [100]


def test_models_that_exist_come_before_those_that_have_to_be_trained():
    order = [job.name for job in JOBS]
    known = {(cell.set, cell.spec) for cell in CELLS}
    first = [job for job in JOBS[:9] if (job.cell.set, job.cell.spec) in known]
    assert len(first) == 9
    assert order.index("generated/badnets-120/100") < order.index("generated/badnets-120/101")
    assert order.index("generated/badnets-120/102") < order.index("generated/badnets-80/100")


@pytest.mark.parametrize("plant", NOISED)
def test_wrong_captions_make_a_cell_of_its_own(plant):
    noised = [job for job in JOBS if (job.cell.set, job.attack) == (plant.set, plant.attack) and job.cell.wrong]
    assert {job.setting for job in noised} == {"+wrong-5", "+wrong-20"}
    assert all(job.setting in job.name and job.setting in job.cell.name for job in noised)


def test_the_loop_and_its_control_stand_side_by_side():
    for plant in LOOPED:
        loops = {job.loop for job in JOBS if job.loop and job.attack == plant.attack}
        assert {f"random-{name}" for name in ("2", "flagged")} <= loops
        assert {"share-2", "flagged"} <= loops
