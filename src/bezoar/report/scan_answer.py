"""What a scan answers in the terminal: the verdict, what it could not see, the report, and what to type next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bezoar.report.copies_section import PILE
from bezoar.report.numbers import plural
from bezoar.report.power_lines import power_lines
from bezoar.run import Answer, Run


def scan_answer(run: Run, summary_file: Path) -> Answer:
    """Return the answer of a finished scan from the summary that it wrote."""
    summary = json.loads(summary_file.read_text(encoding="utf-8"))
    flagged, total = summary["flagged"], summary["pairs"]
    are = "is" if flagged == 1 else "are"
    headline = (
        f"{flagged:,} of {total:,} pairs {are} flagged (false-discovery rate {summary['fdr']:.0%}): "
        f"{summary['decided']}."
        if flagged
        else f"No pair in {total:,} is flagged. That is not a proof that the set is clean."
    )
    lines = [headline.replace("%", " %"), *_piles(summary.get("copies"))]
    if "auroc" in summary:
        most = min(1.0, summary["dropped_share"] * summary["read"] / max(1, summary["planted"]))
        cap = f" (of at most {most:.1%})" if most < 1 else ""
        lines += [
            "",
            f"Against the plan, {summary['planted']:,} planted: AUROC {summary['auroc']:.3f}, average precision "
            f"{summary['average_precision']:.3f}, {summary['recall_at_drop']:.1%}{cap} among the most suspicious "
            f"{summary['dropped_share']:.1%}.".replace("%", " %"),
        ]
    if summary["unreadable"]:
        lines.append(f"{summary['unreadable']:,} could not be read (see report).")
    rate = summary["visible_rates"]["density"]
    if rate is not None:
        lines.append(f"Density sees campaigns of up to {rate:.1%} of the pairs.".replace("%", " %"))
    lines += power_lines(summary["power"]) if "power" in summary else []
    silent = summary["silent"]
    if silent and not summary["quick"]:
        lines.append(f"Silent: {'; '.join(f'{name} {reason}' for name, reason in silent.items())}.")
    lines += [f"note: {note}" for note in summary["notes"]]
    lines += ["", f"Report    {summary['report']}"]
    source = run.get("source")
    if flagged and not (source and source["limit"]):
        where = "" if source else " --pairs FOLDER"
        lines.append(f"Drop      bezoar clean {run.path} --flagged{where} --to CLEAN")
    return Answer(summary={**summary, "seconds": run.get("seconds")["total"]}, lines=lines, file=summary["report"])


def _piles(copies: dict[str, Any] | None) -> list[str]:
    """Return a sentence a pile of near-copies: few sets have any."""
    piles = [one for one in (copies or {}).get("largest", ()) if one["kind"] == "near-copies" and one["size"] >= PILE]
    return [f"{plural(one['size'], 'pair')} are near-copies of one, with one caption: {one['key']}." for one in piles]
