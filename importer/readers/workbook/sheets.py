"""Which sheet of a workbook is meant: by name, by number, or the first one that can be seen. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from importer.core.errors import SourceError
from importer.core.labels import nearest
from importer.core.sources import Detected


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet.

    Args:
        part: where its cells are inside the container; empty where the format has no parts.
    """

    name: str
    hidden: bool = False
    part: str = ""


def choose_sheet(sheets: Sequence[Sheet], wanted: str | int | None, source: str, tables: Collection[str] = ()) -> Sheet:
    """Return the sheet that the profile names, by its name or its number from 1; by default the first visible table.

    Args:
        source: the workbook's name for people.
        tables: names of the visible sheets that hold tables; of none: the first visible sheet is taken.

    Raises:
        SourceError: there is no such sheet.
    """
    if not sheets:
        raise SourceError(f"'{source}' has no worksheet.", "Save the customers as a sheet of a workbook.")
    if wanted is None:
        visible = [sheet for sheet in sheets if not sheet.hidden]
        return next((sheet for sheet in visible if sheet.name in tables), (visible or sheets)[0])
    by_name = [sheet for sheet in sheets if _same(sheet.name, str(wanted))]
    if by_name and isinstance(wanted, str):
        return by_name[0]
    if str(wanted).isdigit():
        return _numbered(sheets, int(wanted), source)
    near = nearest(str(wanted), [sheet.name for sheet in sheets])
    hint = f"Did you mean '{near}'?" if near else _listed(sheets)
    raise SourceError(f"'{source}' has no sheet '{wanted}'.", hint)


def describe_sheets(
    sheets: Sequence[Sheet], chosen: Sheet, others: Sequence[str] = (), *, passed: Sequence[str] = ()
) -> tuple[Detected, tuple[str, ...]]:
    """Describe which sheet is read and why, and what the others are.

    Args:
        others: sheets that are not read and hold tables, too.
        passed: the visible sheets before the chosen one, which hold no table.
    """
    note = f"of {len(sheets)}: {', '.join(sheet.name for sheet in sheets)}" if len(sheets) > 1 else ""
    if passed:
        note = f"the first one with a table; before it: {', '.join(passed)}"
    hidden = [sheet.name for sheet in sheets if sheet.hidden and sheet is not chosen]
    warnings = []
    if hidden:
        warnings.append(f"Hidden sheets are not read: {', '.join(hidden)}.")
    if chosen.hidden:
        warnings.append(f"The sheet '{chosen.name}' is hidden in the workbook.")
    if passed:
        warnings.append(f"The sheet '{chosen.name}' is read: '{passed[0]}', the first one, holds no table.")
    if others:
        which = "The sheet " if len(others) == 1 else "The sheets "
        hold = " holds a table, too; it is" if len(others) == 1 else " hold tables, too; they are"
        warnings.append(which + ", ".join(f"'{name}'" for name in others) + f"{hold} not read.")
    return Detected("sheet", chosen.name, 0.9 if passed else 1.0, note), tuple(warnings)


def _same(name: str, wanted: str) -> bool:
    return name.strip().casefold() == wanted.strip().casefold()


def _numbered(sheets: Sequence[Sheet], number: int, source: str) -> Sheet:
    if 1 <= number <= len(sheets):
        return sheets[number - 1]
    raise SourceError(f"'{source}' has no sheet number {number}: it has {len(sheets)}.", _listed(sheets))


def _listed(sheets: Sequence[Sheet]) -> str:
    return f"It has: {', '.join(sheet.name for sheet in sheets)}."
