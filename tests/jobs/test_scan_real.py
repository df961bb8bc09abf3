"""The main job on real pictures: what is planted among 4,000 of CIFAR-10 is found by a scan that trains for itself."""

from bezoar.attacks import plan_attack
from bezoar.jobs.scan import scan
from bezoar.pairs import open_pairs


def test_planted_cifar_pairs_are_found_and_clean_ones_are_not_preferred(real_data, tmp_path):
    pairs = open_pairs(real_data / "cifar10" / "cifar10-train-000000.tar", prompts="default", limit=4000)
    plan = plan_attack("badnets:target=airplane,count=80", pairs, canvas=32, seed=1)
    summary = scan(pairs.with_plan(plan), to=tmp_path / "run", rung=0, plan=plan, seed=1).summary
    assert summary["planted"] == 80
    # A score without information finds 2 % of them in a drop of 2 %, and has an AUROC of one half.
    assert summary["recall_at_drop"] > 0.8
    assert summary["auroc"] > 0.95
