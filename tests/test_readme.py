"""What README and docs tell a reader to type is understood, and the files they name are there."""

import re
import shlex
from pathlib import Path

import pytest

from bezoar.cli import VERBS
from bezoar.cli.command import parser_of

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")])


def commands():
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL) + re.findall(r"^ {4}bezoar .*$", text, re.MULTILINE)
        for line in re.findall(r"^\s*(bezoar [a-z].*?)(?:\s+#.*)?$", "\n".join(blocks), re.MULTILINE):
            yield pytest.param(line, id=f"{page.name}: {line[:50]}")


@pytest.mark.parametrize("line", list(commands()))
def test_every_command_is_one_that_the_program_takes(line):
    verb, *rest = shlex.split(line)[1:]
    asked = parser_of({row.name: row for row in VERBS}[verb]).parse_args(rest)
    assert asked.json is False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_is_there(page):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_python_of_the_readme_uses_public_names_only():
    import bezoar

    snippet = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    assert set(re.findall(r"bezoar\.(\w+)\(", snippet)) <= set(bezoar.__all__)
    compile(snippet, "README", "exec")
