"""One file from a template, its styles and its script, under a policy that allows nothing else.

* The content security policy names the SHA-256 of the very style and script that are inlined.
* Every value is autoescaped and what is invisible in it written out, unless `escape.esc` did both.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from bezoar.report import charts, numbers
from bezoar.report.charts.truth import default_name
from bezoar.report.escape import esc, visible


def assembled(template: str, styles: tuple[str, ...], script: str | None, values: Mapping[str, Any]) -> str:
    """Return the whole page: `template` filled with `values`, `styles` joined, `script` or none."""
    style = "".join(_text("styles", name) for name in styles)
    code = _text("scripts", script) if script else ""
    policy = f"default-src 'none'; img-src data:; style-src '{digest(style)}'; "
    if code:
        policy += f"script-src '{digest(code)}'; "
    policy += "base-uri 'none'; form-action 'none'"
    page = _environment().get_template(template)
    inlined = {"style": _trusted(style, "style"), "script": _trusted(code, "script"), "policy": policy}
    return page.render(**inlined, **values)


def digest(content: str) -> str:
    """Return the source expression of a content security policy for an inlined block."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def image_source(image: bytes) -> str:
    """Return the address of a WebP that lies in the page itself."""
    return "data:image/webp;base64," + base64.b64encode(image).decode()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bezoar.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["esc"] = esc
    environment.filters["image_source"] = image_source
    for name in ("count", "plural", "percent", "share", "interval", "p_value", "decimal", "seconds"):
        environment.filters[name] = getattr(numbers, name)
    environment.filters["default_name"] = default_name
    environment.globals["rate_bar"] = charts.rate_bar
    environment.globals["answer_bar"] = charts.answer_bar
    return environment


def _finalized(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _text(folder: str, name: str) -> str:
    return files("bezoar.report").joinpath(folder, name).read_text(encoding="utf-8")


def _trusted(content: str, element: str) -> Markup:
    if f"</{element}" in content.lower():
        raise ValueError(f"The {element} would end its own element.")
    return Markup(content)  # noqa: S704 - our own file, checked above
