"""The table of formats: name, what its files look like, and where its opener lives. Imports none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points

from importer.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers.material import Material
from importer.readers.table.blocks import Origin

ENTRY_POINTS = "importer.readers"
"""The entry point group of third parties: name of the format to an `Opener`."""

Opener = Callable[[Material, SourceSettings], Origin]
"""Opens a source's bytes under `[source]` as an origin that closes them, or raises `SourceError`."""


@dataclass(frozen=True, slots=True)
class Format:
    """One entry of the table.

    Args:
        opener: `module:function` of an `Opener`; loaded when the first file of the kind is opened.
        suffixes: file name endings, lower case, with the dot.
        article: what a file of the kind is, for messages.
    """

    opener: str
    suffixes: tuple[str, ...]
    article: str

    def load(self) -> Opener:
        """Import the opener."""
        module, _, function = self.opener.partition(":")
        opener: Opener = getattr(import_module(module), function)
        return opener


FORMATS: dict[str, Format] = {
    "csv": Format(
        "importer.readers.text.origin:open_text", (".csv", ".tsv", ".tab", ".txt", ".psv"), "a text file (CSV)"
    ),
    "excel": Format(
        "importer.readers.workbook.origin:open_workbook",
        (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"),
        "a workbook (Excel or OpenDocument)",
    ),
}


def find_format(name: str) -> Format:
    """Return a format by its name, built in or of a third party.

    Raises:
        SourceError: nobody offers it.
    """
    if name in FORMATS:
        return FORMATS[name]
    for point in entry_points(group=ENTRY_POINTS, name=name):
        return Format(point.value, (), f"a file of the format '{name}'")
    raise SourceError(f"No reader for the format '{name}' is installed.", f"Known are: {', '.join(FORMATS)}.")


def third_party_format(suffix: str) -> str:
    """Return the format that a third party registered for a file name ending, or ""."""
    name = suffix.removeprefix(".")
    return name if name and any(entry_points(group=ENTRY_POINTS, name=name)) else ""
