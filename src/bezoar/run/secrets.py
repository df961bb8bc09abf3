"""What must not be written down: tokens, passwords and signed addresses in the words of a command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_SECRET_OPTION = re.compile(r"--?([\w-]+[-_])?(token|password|secret|credentials?|api[-_]key)$", re.IGNORECASE)
_SECRETS = (
    (re.compile(r"(://)[^/@\s]+@"), r"\1***@"),
    (re.compile(r"\b(hf_|ghp_|sk-)[A-Za-z0-9_-]{8,}"), r"\1***"),
    (re.compile(r"((?:token|sig|signature|credential|password|secret)=)[^&\s]+", re.IGNORECASE), r"\1***"),
)


def without_secrets(argv: Sequence[str]) -> list[str]:
    """Return the words of a command with tokens, passwords and signatures replaced by ***."""
    kept = [Path(argv[0]).name] if argv else []
    hide = False
    for word in argv[1:]:
        name, equals, _ = word.partition("=")
        if hide:
            word = "***"
        elif equals and _SECRET_OPTION.match(name):
            word = f"{name}=***"
        hide = not hide and not equals and bool(_SECRET_OPTION.match(word))
        for pattern, replacement in _SECRETS:
            word = pattern.sub(replacement, word)
        kept.append(word)
    return kept
