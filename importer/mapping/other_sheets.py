"""Several sheets of a workbook that hold customers: none is left out silently where nobody said which is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from shlex import quote

from importer.core.contract import Contract
from importer.core.errors import MissingColumnError, SourceError
from importer.core.sources import OtherTable, SourceInfo
from importer.mapping.headers import find
from importer.mapping.plans import named_by
from importer.mapping.proposal import proposal
from importer.mapping.requirements import check_usable
from importer.mapping.transform import Table
from importer.profile.mapping_rules import FieldRule
from importer.profile.settings import SourceSettings


@contextmanager
def other_sheets_named(
    contract: Contract, mapping: Mapping[str, FieldRule], table: Table, settings: SourceSettings
) -> Iterator[None]:
    """Refuse to leave customers on another sheet out silently, where nobody said which sheet is meant.

    Raises:
        SourceError: this sheet cannot be used and another one can, or several can.
    """
    info = table.info
    tables = info.other_tables if settings.sheet is None else ()
    others = [other for other in tables if _holds_customers(contract, other, mapping, table)]
    try:
        yield
    except (SourceError, MissingColumnError) as error:
        if not others:
            raise
        raise SourceError(f"{error.message} This is the sheet '{info.sheet}'.", _choose(others)) from error
    if others:
        names = ", ".join(f"'{name}'" for name in (info.sheet, *(other.sheet for other in others)))
        mine = OtherTable(info.sheet, info.columns)
        raise SourceError(f"'{info.name}' holds customers on several sheets: {names}.", _choose([mine, *others]))


def _choose(tables: Sequence[OtherTable]) -> str:
    first = tables[0].sheet
    if len(tables) == 1:
        return f"The sheet '{first}' holds customers: choose it with --sheet {quote(first)}, or sheet in [source]."
    ways = ", then ".join(f"--sheet {quote(table.sheet)}" for table in tables)
    return f"Import one after another: {ways}."


def _holds_customers(contract: Contract, other: OtherTable, mapping: Mapping[str, FieldRule], table: Table) -> bool:
    """Whether the columns of another sheet make customers: all that the profile names are there, or can be matched.

    Where a function of the user's own makes the columns, it goes over a sheet that has all of this one's.
    """
    if table.transform is not None:
        return {*table.transform.takes} <= {*other.columns}
    if mapping:
        return all(find(column, other.columns) is not None for rule in mapping.values() for column in named_by(rule))
    info = SourceInfo("", "excel", other.columns)
    try:
        check_usable(contract, proposal(contract, info).rules, info)
    except SourceError:
        return False
    return True
