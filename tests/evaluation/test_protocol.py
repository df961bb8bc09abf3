"""Protocols are sentences that hold everything."""

from bezoar.attacks.triggers import Patch
from bezoar.evaluation.protocol import among, codec, protocol, spelt


def test_a_protocol_names_its_parts_in_order_and_leaves_out_what_is_not_there():
    assert protocol(queries="9 pictures", trigger=None, k=1) == "queries: 9 pictures; k: 1"


def test_a_trigger_is_spelt_with_all_its_parameters():
    told = spelt(Patch(size=0.15625, margin=1 / 32, seed=4))
    assert told.startswith("patch(")
    assert {"size=0.15625", "margin=0.03125", "seed=4"} <= set(told[6:-1].split(", "))


def test_numbers_and_nouns_agree():
    assert (among(1, "class"), among(2, "class"), among(1200, "picture")) == ("1 class", "2 classes", "1,200 pictures")
    assert (codec(None), codec(75)) == ("png", "jpeg=75")
