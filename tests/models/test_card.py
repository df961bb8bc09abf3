"""The model card is plain Markdown, and untrusted names do not steer it."""

import torch

from bezoar.models import create
from bezoar.models.card import card, digest_of


def test_facts_stand_in_a_table_and_notes_in_a_list(tmp_path):
    card(tmp_path, "Repaired with par", [("Pairs", "360"), ("Paper", "arXiv 2412.00727")], ["Not measured: ASR."])
    assert (tmp_path / "README.md").read_text().splitlines() == [
        "# Repaired with par",
        "",
        "| | |",
        "|---|---|",
        "| Pairs | 360 |",
        "| Paper | arXiv 2412.00727 |",
        "",
        "* Not measured: ASR.",
    ]


def test_names_of_a_set_can_neither_break_the_table_nor_link_nor_turn_the_text(tmp_path):
    card(tmp_path, "x\n# y", [("a|b", "<script>`[go](http://e)`\u202e*b*")], ["one\ntwo"])
    text = (tmp_path / "README.md").read_text()
    assert "\u202e" not in text
    assert "<script" not in text.replace("\\<", "")
    assert [line for line in text.splitlines() if line.startswith("|")][2].replace("\\|", "").count("|") == 3
    assert "\\[go\\](" in text
    assert text.count("\n# ") == 0


def test_the_digest_follows_the_weights_and_nothing_else():
    one, same, other = (create("tiny-resnet", side=32, seed=seed) for seed in (0, 0, 1))
    assert digest_of(one) == digest_of(same) != digest_of(other)
    with torch.no_grad():
        same.module.logit_scale.add_(1e-3)
    assert digest_of(one) != digest_of(same)
