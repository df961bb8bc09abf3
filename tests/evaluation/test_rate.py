from bezoar.evaluation.rate import told


def test_a_share_is_told_in_percent():
    assert told(0.912, 0.881, 0.936) == " 91.2 % [88.1, 93.6]"
    assert told(1.0, 0.9, 1.0) == "100.0 % [90.0, 100.0]"
