"""What canaries showed, as plain rows for the summary and as sentences for the reader.

* No share without its count and interval; what the model did not learn is said beside what was not found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bezoar.detection.power import Found, visible_rates
from bezoar.evaluation.intervals import wilson
from bezoar.evaluation.measure import Measure
from bezoar.report.numbers import count, interval, percent, share

_SAYS = {"patch": "a patch in a corner", "blended": "a faint pattern over the whole picture"}
# The share of the most suspicious that a reader might drop or look through.
DROPPED = 0.02


def power_summary(found: Sequence[Found], learned: Mapping[str, tuple[Measure, Measure]]) -> dict[str, Any]:
    """Return `campaigns` (a row each) and `visible_rates` (by trigger) as plain values.

    `learned` is the success of each campaign's trigger, and of none, by its target. Of each campaign: how many were
    planted and `flagged`, with the share's 95 % interval, how many were `ranked` among the most suspicious 2 %, their
    median rank.
    """
    rows = []
    for one in found:
        low, high = wilson(one.flagged, one.planted)
        took, base = learned[one.target]
        rows.append(
            {
                "trigger": one.trigger,
                "target": one.target,
                "planted": one.planted,
                "rate": one.rate,
                "flagged": one.flagged,
                "share": one.flagged / one.planted,
                "low": low,
                "high": high,
                "ranked": one.within(DROPPED),
                "median_rank": float(np.median(one.ranks)),
                "asr": took.value,
                "asr_n": took.n,
                "asr_low": took.low,
                "asr_high": took.high,
                "asr_base": base.value,
            }
        )
    return {"campaigns": rows, "visible_rates": visible_rates(found), "dropped_share": DROPPED}


def power_lines(power: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each campaign of a `power_summary`, and one for each trigger that says what was visible."""
    lines = []
    for row in power["campaigns"]:
        asked, took = row["asr_n"], round(row["asr"] * row["asr_n"])
        lines.append(
            f"Of {count(row['planted'])} canaries ({row['trigger']}, {share(row['rate'])} of the pairs, towards "
            f"“{row['target']}”) {count(row['flagged'])} were found, {percent(row['share'])} "
            f"{interval(row['flagged'], row['planted'])}; {count(row['ranked'])} rank as high as the most suspicious "
            f"{share(power['dropped_share'])}. The model took {count(took)} of {count(asked)} other pictures with this "
            f"trigger for the target, {percent(row['asr'])} {interval(took, asked)}, and {percent(row['asr_base'])} "
            "without it."
        )
    for trigger, rate in power["visible_rates"].items():
        seen = "none of the rates tried" if rate is None else f"{share(rate)} of the pairs and more"
        lines.append(f"Of canaries with {_SAYS.get(trigger, trigger)}, this scan found half or more at {seen}.")
    return tuple(lines)
