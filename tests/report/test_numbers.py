from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bezoar.report import numbers
from bezoar.report.numbers import GAP

DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def test_the_examples_of_the_style_guide() -> None:
    assert numbers.count(8000) == "8,000"
    assert numbers.percent(0.912) == f"91.2{GAP}%"
    assert numbers.share(0.02) == f"2{GAP}%"
    assert numbers.interval(365, 400) == "[88.1, 93.6]"
    assert numbers.p_value(1.4e-8, 8000) == f"≈{GAP}1.4 × 10⁻⁸"
    assert numbers.p_value(6.6e-4, 8000) == f"={GAP}6.6 × 10⁻⁴"
    assert numbers.seconds(221) == "3 min 41 s"
    assert numbers.plural(1, "pair") == "1 pair"
    assert numbers.plural(8000, "class", "classes") == "8,000 classes"
    assert numbers.decimal(-0.001) == "0.00"
    assert numbers.decimal(-1.5, 1) == "−1.5"


@given(st.floats(1e-299, 1.0), st.integers(1, 10**7))
def test_a_p_value_reads_back_to_two_digits(p: float, n: int) -> None:
    sign, rest = numbers.p_value(p, n).split(GAP)
    mantissa, _, power = rest.partition(" × 10")
    assert float(mantissa) * 10.0 ** int(power.translate(DIGITS) or 0) == pytest.approx(p, rel=0.06)
    assert (sign == "≈") == (p < 1 / n)


def test_a_p_value_that_underflowed_is_not_called_zero() -> None:
    assert numbers.p_value(0.0, 100) == f"<{GAP}10⁻³⁰⁰"
    assert numbers.p_value(math.nan, 100) == "unknown"


@given(st.floats(0, 1))
def test_only_none_and_all_look_like_none_and_all(rate: float) -> None:
    shown = numbers.percent(rate)
    assert (shown == f"0.0{GAP}%") == (rate == 0)
    assert (shown == f"100.0{GAP}%") == (rate == 1)
    assert shown.endswith(f"{GAP}%")
    assert " " not in shown


@given(st.floats(0, 1e6))
def test_time_is_never_sixty_seconds(value: float) -> None:
    parts = numbers.seconds(value).split()
    assert float(parts[-2]) < 60 or (len(parts) == 2 and float(parts[0]) <= 60)


@pytest.mark.parametrize(("value", "shown"), [(math.nan, "–"), (math.inf, "∞"), (-math.inf, "−∞")])
def test_what_is_no_number(value: float, shown: str) -> None:
    assert numbers.decimal(value) == shown
