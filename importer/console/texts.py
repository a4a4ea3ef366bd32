"""The texts of the console, all from one catalogue, `texts.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def catalogue() -> Mapping[str, str]:
    """Every text by its key, such as `imports.title`."""
    tables = tomllib.loads((files("importer.console") / "texts.toml").read_text("utf-8"))
    return {f"{page}.{name}": text for page, texts in tables.items() for name, text in texts.items()}


def t(key: str, **values: object) -> str:
    """Return a text.

    Args:
        values: what is put into it.
    """
    return catalogue()[key].format(**values)
