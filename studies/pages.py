"""Write the tables of docs/studies from the recorded figures, between the marks that name them.

python -m studies.pages
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from studies.record import PUBLISHED

Rows = dict[str, dict[str, Any]]


def main() -> None:
    """Replace every table in docs/studies/*.md whose figures have been recorded."""
    for page in sorted(PUBLISHED.glob("*.md")):
        text = page.read_text()
        for name, table in TABLES.items():
            study = name.partition("-")[0]
            source = PUBLISHED / f"{study}.json"
            if source.is_file():
                made = table(json.loads(source.read_text()))
                mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
                text = mark.sub(lambda found, made=made: found[1] + made + found[2], text)
        page.write_text(text)
        print(page)


def demo_table(rows: Rows) -> str:
    """The demo, a line a seed."""
    head = ("seed", "accuracy before", "ASR before", "AUROC", "AP", "recall at drop", "dropped")
    tail = ("accuracy after", "ASR after", "ASR never poisoned", "ASR random drop", "seconds")
    lines = [
        (
            name.rsplit("-", 1)[1],
            rate(row["rates"]["poisoned"]["zero-shot-top1"]),
            rate(row["rates"]["poisoned"]["asr"]),
            f"{row['auroc']:.4f}",
            f"{row['average_precision']:.4f}",
            percent(row["recall_at_drop"]),
            percent(row["dropped_share"]),
            rate(row["rates"]["after-drop"]["zero-shot-top1"]),
            rate(row["rates"]["after-drop"]["asr"]),
            rate(row["rates"]["never-poisoned"]["asr"]),
            rate(row["rates"]["random-drop"]["asr"]),
            f"{row['seconds']:.0f}",
        )
        for name, row in chosen(rows, "demo")
    ]
    return markdown(head + tail, lines)


def others_table(rows: Rows) -> str:
    """What the demo cannot show: the attack's success, and every detector's AUROC / AP / recall."""
    found = [pair for kind in ("rare", "tint") for pair in chosen(rows, kind)]
    head = ("", *(name.replace("-", ", seed ") for name, _ in found))
    lines = [
        ("ASR", *(rate(row["rates"]["asr"]) for _, row in found)),
        ("accuracy", *(rate(row["rates"]["zero-shot-top1"]) for _, row in found)),
        *detector_lines(found),
    ]
    return markdown(head, lines)


def photos_table(rows: Rows) -> str:
    """Before and after, a line a set and seed."""
    head = ("set, seed", "accuracy before", "ASR before", "ASR of the same pictures without trigger")
    tail = ("recall at 5 %", "accuracy after", "ASR after", "without trigger", "seconds")
    lines = [
        (
            name.replace("-", ", "),
            rate(first(row["before"])),
            rate(row["before"]["asr"]),
            rate(row["before"]["asr-base"]),
            percent(row["default"]["recall_at_drop"]),
            rate(first(row["after"])),
            rate(row["after"]["asr"]),
            rate(row["after"]["asr-base"]),
            f"{row['seconds']:.0f}",
        )
        for name, row in sorted(rows.items())
    ]
    return markdown(head + tail, lines)


def detectors_table(rows: Rows) -> str:
    """Every detector on every set and seed: AUROC / AP / recall at 5 % dropped."""
    found = sorted(rows.items())
    return markdown(("detector", *(name.replace("-", ", ") for name, _ in found)), detector_lines(found))


def detector_lines(found: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, ...]]:
    """One line a detector, the default first."""
    names = list(found[0][1]["detectors"]) if found else []
    lines = [("**default**", *(figures(row["default"]) for _, row in found))]
    return lines + [(name, *(figures(row["detectors"][name]) for _, row in found)) for name in names]


def chosen(rows: Rows, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of one kind in the order of their seeds."""
    return sorted((name, row) for name, row in rows.items() if name.startswith(f"{kind}-"))


def first(rates: dict[str, Any]) -> dict[str, Any]:
    """Return the headline measure of a model: zero-shot accuracy, or retrieval where there are no classes."""
    value: dict[str, Any] = rates.get("zero-shot-top1") or rates["r@10-image-to-text"]
    return value


def figures(row: dict[str, float]) -> str:
    """AUROC / AP / recall."""
    return f"{row['auroc']:.3f} / {row['average_precision']:.3f} / {row['recall_at_drop']:.3f}"


def rate(row: dict[str, float]) -> str:
    """A share with its interval."""
    return f"{percent(row['value'])} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f} %"


def markdown(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    rows = [head, tuple("---" for _ in head), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


TABLES: dict[str, Callable[[Rows], str]] = {
    "generated-demo": demo_table,
    "generated-others": others_table,
    "photos-results": photos_table,
    "photos-detectors": detectors_table,
}

if __name__ == "__main__":
    main()
