"""The console on which lists are printed: a terminal's width, or room for everything in a file or a pipe."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

_WIDE = 200
"""Columns for files and pipes, where nothing needs to be cut."""


def console() -> Console:
    """A console on standard output."""
    return Console(soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)


def table(*headers: str, whole: str = "") -> Table:
    """A table without lines.

    Args:
        whole: the column that is never broken, since it is copied.
    """
    made = Table(box=None, pad_edge=False)
    for header in headers:
        made.add_column(header, overflow="fold", no_wrap=header == whole)
    return made


def text_width() -> int:
    """The width of running text: the terminal's, and at most 100 columns."""
    return min(console().width, 100)
