"""Names of findings: by whatever witnesses spoke."""

import numpy as np

from bezoar.detection.naming import MISFIT, name_findings

FLAGGED = np.array([True, True, True, False, True])
NONE = np.zeros(5, bool)
MISFITS = np.array([1.0, 9.0, 9.0, 9.0, MISFIT - 0.1])


def test_who_never_fitted_is_mismatched_and_who_fits_or_fell_is_planted():
    falls = {"view-drop": np.array([8.0, 0.5, 12.0, 0.0, -1.0])}
    assert name_findings(FLAGGED, NONE, MISFITS, falls) == ["planted", "mismatched", "planted", None, "planted"]


def test_a_shared_pattern_speaks_for_a_plant_that_did_not_take():
    signs = {"view-drop": np.zeros(5), "shared-pattern": np.array([0.0, 20.0, 0.0, 0.0, 0.0])}
    assert name_findings(FLAGGED, NONE, MISFITS, signs) == ["planted", "planted", "mismatched", None, "planted"]


def test_how_badly_views_fit_is_no_sign_of_a_plant():
    signs = {"view-mismatch": np.full(5, 50.0), "density": np.full(5, 50.0)}
    assert name_findings(FLAGGED, NONE, MISFITS, signs)[1] == "mismatched"


def test_a_copy_needs_no_flag_and_comes_first():
    copied = np.array([True, False, False, True, False])
    names = name_findings(FLAGGED, copied, MISFITS, {})
    assert names == ["copy", "mismatched", "mismatched", "copy", "planted"]


def test_without_a_model_and_without_pictures_a_flag_is_all_there_is():
    assert name_findings(FLAGGED, None, None, {}) == ["planted", "planted", "planted", None, "planted"]
    assert name_findings(NONE, None, None, {}) == [None] * 5
