"""The texts of the console, all from one catalogue, `texts.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files

from importer.core.labels import counted


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


def as_html(key: str, **values: object) -> str:
    """Return a text as HTML in which numbers are marked: the page writes them as its reader does.

    Args:
        values: what is put into it; a number and the word for one of what it counts become `2 rows`.
    """
    return escape(catalogue()[key]).format(**{name: _marked(value) for name, value in values.items()})


def _marked(value: object) -> str:
    if isinstance(value, int):
        return f'<data value="{value}">{value:,}</data>'
    if isinstance(value, tuple):
        count, what = value
        return f"{_marked(count)} {escape(counted(count, what).partition(' ')[2])}"
    return escape(str(value))
