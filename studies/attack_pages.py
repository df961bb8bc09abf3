"""Write what stands between the marks of docs/attacks: defaults from the table of attacks, figures from the grid.

    python -m studies.attack_pages

A page holds the marks `<!-- defaults -->` and `<!-- figures -->`, the index `<!-- attacks -->` and `<!-- summary -->`,
modality.md `<!-- modality -->`, each closed by `<!-- end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bezoar.attacks import ATTACKS, Attack
from bezoar.attacks.presets import REQUIRED
from bezoar.run import write_bytes
from studies.attack_tables import Rows, attack_tables, modality_tables, summary_table
from studies.pages import markdown
from studies.results import read_rows

PAGES = Path("docs/attacks")
WITHOUT_PAGE = frozenset({"custom"})
NUMBERS = ("count", "rate", "share")


def main() -> None:
    """Fill every page from the published figures."""
    for page in fill(PAGES, read_rows()):
        print(page)


def fill(folder: Path, rows: Rows) -> list[Path]:
    """Replace what stands between the marks of the pages in `folder`, and return the pages."""
    presets = [attack.name for attack in ATTACKS if attack.name not in WITHOUT_PAGE]
    pages = sorted(folder.glob("*.md"))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for attack in ATTACKS:
            if attack.name == page.stem:
                text = between(text, "defaults", lambda attack=attack: defaults(attack))
                text = between(text, "figures", lambda name=page.stem: attack_tables(name, rows))
        text = between(text, "attacks", attacks)
        text = between(text, "summary", lambda: summary_table(presets, rows))
        text = between(text, "modality", lambda: modality_tables(rows))
        write_bytes(page, text.encode())
    return pages


def between(text: str, mark: str, make: Callable[[], str]) -> str:
    """Return the text with what `make` makes between the mark and the next end; as it is where it has no such mark."""
    marked = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", re.DOTALL)
    return marked.sub(lambda found: found[1] + make() + found[2], text)


def attacks() -> str:
    """Return the table of attacks, a line each."""
    lines = [
        (
            attack.name if attack.name in WITHOUT_PAGE else f"[{attack.name}]({attack.name}.md)",
            attack.summary,
            attack.paper,
        )
        for attack in ATTACKS
    ]
    return markdown(("attack", "what is planted", "paper"), lines)


def defaults(attack: Attack) -> str:
    """Return what has to be given to an attack, and what it takes otherwise."""
    values = attack.parameters
    number = [f"`{name}`" for name in NUMBERS if values.get(name, 0) is None]
    others = {name: value for name, value in values.items() if name not in NUMBERS or value is not None}
    needed = [f"`{name}`" for name, value in others.items() if value == REQUIRED]
    needed += [f"one of {' and '.join(number)}"] if number and "share" not in values else []
    given = [f"`{name}={_spelt(value)}`" for name, value in others.items() if value not in (None, REQUIRED)]
    free = [f"`{name}`" for name, value in others.items() if value is None] + (number if "share" in values else [])
    own = [f"`{name}={_spelt(value)}`" for name, value in attack.trigger_parameters.items()]
    said = (("Has to be given", needed), ("Otherwise", given), ("Its trigger's", own), ("If wanted", free))
    return "".join(f"* {what}: {', '.join(names)}.\n" for what, names in said if names)


def _spelt(value: object) -> str:
    """Return a default as a specification spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    main()
