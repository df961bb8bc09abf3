"""The few charts of the pages, as inline SVG.

* Drawn for 420 to 460 px, so that text stays legible at 400 px; geometry is attributes, colour is classes.
* Axis titles are words, labels are direct, there is no legend; the title says the finding in a sentence.
* Names of detectors may come from a user and are escaped like any other text.
"""

from bezoar.report.charts.bars import answer_bar, rate_bar
from bezoar.report.charts.histograms import suspicion_histogram, witness_histogram
from bezoar.report.charts.truth import Point, precision_recall_chart, roc_chart

__all__ = [
    "Point",
    "answer_bar",
    "precision_recall_chart",
    "rate_bar",
    "roc_chart",
    "suspicion_histogram",
    "witness_histogram",
]
