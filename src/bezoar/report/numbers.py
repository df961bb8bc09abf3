"""How numbers are written: one way for each kind, everywhere on the pages.

* Thousands with a comma; a thin no-break gap before %; p-values with two digits as 1.4 × 10⁻⁸.
* No rate without n, no interval without its rate.
"""

from __future__ import annotations

import math

from bezoar.evaluation.intervals import wilson

GAP = "\u202f"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLEST = 1e-300


def count(value: int) -> str:
    """8000 -> "8,000"."""
    return f"{value:,}"


def plural(value: int, one: str, many: str | None = None) -> str:
    """(1, "pair") -> "1 pair"; (8000, "pair") -> "8,000 pairs"."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def percent(rate: float, digits: int = 1) -> str:
    """0.912 -> "91.2 %" with a thin no-break gap. A rate that is not 0 or 1 is never rounded to look so."""
    shown = f"{100 * rate:.{digits}f}"
    if rate > 0 and float(shown) == 0:
        return f"<{GAP}{10.0**-digits:.{digits}f}{GAP}%"
    if rate < 1 and float(shown) == 100:
        return f">{GAP}{100 - 10.0**-digits:.{digits}f}{GAP}%"
    return f"{shown}{GAP}%"


def share(rate: float) -> str:
    """0.02 -> "2 %", 0.0151 -> "1.51 %": as many digits as it needs, three at most."""
    return f"{100 * rate:.3g}{GAP}%"


def interval(successes: int, n: int) -> str:
    """The 95 % Wilson interval in percent: (365, 400) -> "[88.1, 93.6]"."""
    low, high = wilson(successes, n)
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def p_value(p: float, n: int) -> str:
    """Write "= 6.6 × 10⁻⁴", or "≈ 1.4 × 10⁻⁸" below 1/n, where the tail is fitted and not counted."""
    if math.isnan(p):
        return "unknown"
    if p < _SMALLEST:
        return f"<{GAP}{_power(-300)}"
    sign = "≈" if n and p < 1 / n else "="
    if p >= 0.0995:
        return f"{sign}{GAP}{p:.2f}"
    mantissa, exponent = f"{p:.1e}".split("e")
    return f"{sign}{GAP}{mantissa} × {_power(int(exponent))}"


def decimal(value: float, digits: int = 2) -> str:
    """7.8421 -> "7.84", with a true minus sign; a value that is not a number is "–"."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    shown = f"{value:,.{digits}f}"
    if float(shown.replace(",", "")) == 0:
        shown = shown.lstrip("-")
    return shown.replace("-", "−")


def seconds(value: float) -> str:
    """14.82 -> "14.8 s", 221 -> "3 min 41 s"."""
    if value < 60:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole // 60} min {whole % 60:02d} s"


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(_SUPERSCRIPT)}"
