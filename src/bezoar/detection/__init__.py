"""Which pairs look planted: neighbours, densities, witnesses, their sum, and what the sum means.

* Higher is always more suspicious; one float a pair.
* Nothing here opens a file or knows a model: vectors, similarities and pixels come in as arrays.
"""

from bezoar.detection.calibration import Calibrated, calibrate
from bezoar.detection.default import WITNESSES, Testimony, testify
from bezoar.detection.detectors import DETECTORS, TABLE, Chosen, Detector, choose_detectors, parse
from bezoar.detection.evidence import Evidence, Look
from bezoar.detection.neighbours import Neighbourhood, nearest_references
from bezoar.detection.reference import Setting, choose, visible_rate
from bezoar.detection.truth import Judged, highest, judge

__all__ = [
    "DETECTORS",
    "TABLE",
    "WITNESSES",
    "Calibrated",
    "Chosen",
    "Detector",
    "Evidence",
    "Judged",
    "Look",
    "Neighbourhood",
    "Setting",
    "Testimony",
    "calibrate",
    "choose",
    "choose_detectors",
    "highest",
    "judge",
    "nearest_references",
    "parse",
    "testify",
    "visible_rate",
]
