"""From open sets to an exam: every picture is decoded once, and what cannot be used is left out and counted."""

from __future__ import annotations

from bezoar.canvas import Canvas
from bezoar.evaluation.bench import Setting, Shown
from bezoar.evaluation.carries import Suspicion
from bezoar.evaluation.exam import Exam
from bezoar.evaluation.material import Material
from bezoar.models import Clip
from bezoar.pairs import Pairs
from bezoar.pairs.decoded import Decoded
from bezoar.run import BROKEN_DATA, BezoarError, Progress, Run


def decoded_whole(run: Run, progress: Progress, name: str, pairs: Pairs, canvas: Canvas) -> Decoded:
    """Decode all pictures of a set, with a bar."""
    decoded = Decoded(pairs, canvas)
    with run.step("read"), progress.bar(f"read {name}", len(pairs), unit="pictures") as bar:
        decoded.decode_all(bar.advance)
    return decoded


def shown_exam(
    run: Run,
    progress: Progress,
    material: Material,
    canvas: Canvas,
    setting: Setting,
    suspicion: Suspicion | None = None,
    spread: bool = True,
) -> Exam:
    """Return the exam on these sets, their pictures decoded; the run notes how many were left out."""
    shown = {}
    for name, pairs in material.sets.items():
        if name != "planted":
            decoded = decoded_whole(run, progress, name, pairs, canvas)
            shown[name] = Shown(decoded, decoded.usable())
    captioned, own = shown.get("pairs"), material.labelled is material.captioned
    labelled = captioned if own else shown.get("images")
    if material.labelled is not None and labelled is not None:
        labelled = _with_labels(labelled)
        captioned = labelled if own and captioned is not None and len(labelled) == len(captioned) else captioned
    used = {"images": labelled, "pairs": captioned, "probe": shown.get("probe")}
    left_out = {name: len(pairs) - len(used[name] or ()) for name, pairs in material.sets.items() if used.get(name)}
    run.note("left_out", {name: number for name, number in left_out.items() if number})
    return Exam(
        labelled=labelled if material.labelled is not None else None,
        captioned=captioned,
        setting=setting,
        retrieves=material.captioned is not None and not own,
        plan=material.plan,
        assigned=material.assigned,
        planted=material.planted,
        probe=_with_labels(shown["probe"]) if "probe" in shown else None,
        suspicion=suspicion,
        spread=spread,
    )


def refuse_other_canvas(clip: Clip, other: Clip | None) -> None:
    """Raise BezoarError where two models do not look at the same pixels: that is no same protocol."""
    if other is None:
        return
    seen = [(one.canvas.side, one.canvas.resize, one.canvas.interpolation) for one in (clip, other)]
    if seen[0] != seen[1]:
        raise BezoarError(
            f"The model beside looks at {seen[1][0]} px ({seen[1][1]}, {seen[1][2]}), and the model at {seen[0][0]} px "
            f"({seen[0][1]}, {seen[0][2]}).",
            "Name a model of the same canvas as --beside.",
        )


def _with_labels(shown: Shown) -> Shown:
    """Return the pictures that have a label with a name."""
    labels = shown.pairs.labels
    known = (labels >= 0) & (labels < len(shown.pairs.classes))
    if not known.any():
        path = shown.pairs.path
        raise BezoarError(f"No picture in {path} has a label and can be read.", "Name other pairs.", BROKEN_DATA)
    return shown if known.all() else Shown(shown.decoded, shown.positions[known])
