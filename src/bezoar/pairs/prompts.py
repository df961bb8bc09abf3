"""Prompts: templates that turn a class name into a caption. `{}` stands for the name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bezoar.run import BezoarError, random

DEFAULT = (
    "a photo of a {}.",
    "a picture of a {}.",
    "an image of a {}.",
    "a photograph of a {}.",
    "a photo of the {}.",
    "a picture of the {}.",
    "a good photo of a {}.",
    "a close-up photo of a {}.",
    "a bright photo of a {}.",
    "a dark photo of a {}.",
    "a cropped photo of a {}.",
    "a blurry photo of a {}.",
    "a photo of one {}.",
    "a photo of a large {}.",
    "a photo of a small {}.",
    "a snapshot of a {}.",
    "there is a {} in the picture.",
    "a {}.",
)


def read_prompts(name_or_path: str | Path) -> tuple[str, ...]:
    """Return the templates of "default", of "openai", or of a text file with one a line, each holding `{}`.

    "openai" are the 80 of Radford et al. 2021 for ImageNet, as open_clip keeps them.
    """
    if name_or_path == "default":
        return DEFAULT
    if name_or_path == "openai":
        from open_clip import OPENAI_IMAGENET_TEMPLATES

        return tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES)
    path = Path(name_or_path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BezoarError(
            f"No prompts can be read from {path}.", 'Use "default", "openai" or a text file with one template a line.'
        ) from error
    return checked([line.strip() for line in lines if line.strip()], str(path))


def checked(templates: Sequence[str], source: str = "The prompts") -> tuple[str, ...]:
    """Return `templates` as a tuple; a template without `{}`, or none at all, is an error."""
    wrong = next((template for template in templates if "{}" not in template), None)
    if wrong is not None or not templates:
        what = f'{source}: "{wrong}" has no {{}}.' if templates else f"{source}: no template."
        raise BezoarError(what, 'Write one template a line, such as "a photo of a {}."')
    return tuple(templates)


def prompt(templates: Sequence[str], key: str, name: str) -> str:
    """Return the caption of the pair `key` of class `name`; a key always draws the same template."""
    return fill(templates[int(random(0, "prompt", key).integers(len(templates)))], name)


def fill(template: str, name: str) -> str:
    """Return the template with `name` in it; "a {}" becomes "an airplane"."""
    article = "n" if name[:1].lower() in "aeiou" else ""
    return re.sub(r"\b([Aa])n? \{\}", rf"\g<1>{article} {{}}", template).replace("{}", name)
