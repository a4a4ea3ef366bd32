"""A header becomes column names: unique, none blank, the importer's own added columns left out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from importer.core.columns import CUSTOMER_ID, ID_AT_TARGET, SHEET_COLUMN, Keeps, is_added, is_extra, tidy_name
from importer.core.labels import named


@dataclass(frozen=True, slots=True)
class Columns:
    """Which cells of a record are source columns, and what they are called.

    Args:
        names: header texts in order, unique, none blank.
        picks: the cell of a record that each name belongs to, from 0.
        width: cells that a complete record has, dropped ones included.
        extras: the cells of a record that hold surplus cells of an earlier reading, from 0.
        beyond: cells without a name between the table and columns that were added behind it.
        sheet: the cell that says which sheet of a workbook a row of an earlier reading is from; None: there is none.
        warnings: what had to be done to the header, in sentences.
    """

    names: tuple[str, ...]
    picks: tuple[int, ...]
    width: int
    extras: tuple[int, ...] = ()
    beyond: tuple[int, ...] = ()
    sheet: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every cell of a record is kept."""
        return len(self.picks) == self.width


def own_end(header: Sequence[str]) -> tuple[int, int]:
    """Return where a header's own names end, and where columns that were added behind them begin.

    Without such columns both are the header's end.
    """
    texts = [tidy_name(text) for text in header]
    end = max((i + 1 for i, text in enumerate(texts) if text and not is_added(text)), default=0)
    behind = [i for i in range(end, len(texts)) if texts[i]]
    return (end, behind[0]) if behind else (len(texts), len(texts))


def name_columns(
    header: Sequence[str],
    groups: Sequence[str] = (),
    beyond: range = range(0),
    *,
    keeps: Keeps = "none",
) -> Columns:
    """Name the columns of a header.

    Args:
        header: the header's cells, as wide as a complete record.
        groups: the cells of a second header line above it, blank under a merged one; used to keep
            equal names apart (`Mailing` over `Street` gives `Mailing Street`).
        beyond: cells without a name that are not columns of the table.
        keeps: which of the importer's own added columns are named as well.
    """
    above = [tidy_name(text) for text in groups]
    texts = [tidy_name(text) or above[i] if i < len(above) else tidy_name(text) for i, text in enumerate(header)]
    if keeps == "id" and CUSTOMER_ID in texts and ID_AT_TARGET not in texts:
        texts[texts.index(CUSTOMER_ID)] = ID_AT_TARGET
    picks = [i for i, text in enumerate(texts) if (keeps == "all" or not is_added(text)) and i not in beyond]
    sheet = texts.index(SHEET_COLUMN) if SHEET_COLUMN in texts else None
    extras = tuple(i for i, text in enumerate(texts) if is_extra(text))
    grouped = _spread(above, len(texts))
    warnings: list[str] = []
    names = _unique([(i, texts[i]) for i in picks], grouped, warnings)
    return Columns(tuple(names), tuple(picks), len(texts), extras, tuple(beyond), sheet, tuple(warnings))


def _spread(groups: Sequence[str], width: int) -> list[str]:
    spread: list[str] = []
    for i in range(width):
        here = groups[i] if i < len(groups) else ""
        spread.append(here or (spread[-1] if spread else ""))
    return spread


def _unique(texts: Sequence[tuple[int, str]], groups: Sequence[str], warnings: list[str]) -> list[str]:
    repeated = _repeated([text for _, text in texts])
    wanted = [f"{groups[i]} {text}" if text in repeated and groups[i] else text for i, text in texts]
    taken = {name for name in wanted if name}
    names: list[str] = []
    for (i, _), name in zip(texts, wanted, strict=True):
        names.append(_own_name(name, i, names, taken, warnings))
    return names


def _repeated(texts: Sequence[str]) -> set[str]:
    seen: set[str] = set()
    return {text for text in texts if text and (text in seen or seen.add(text))}  # type: ignore[func-returns-value]  # set.add returns None on purpose


def _own_name(name: str, index: int, before: Sequence[str], taken: set[str], warnings: list[str]) -> str:
    if not name:
        own = _free(f"column {index + 1}", taken)
        warnings.append(f"Column {index + 1} has no name in the header; it is called {named(own)}.")
        return own
    if name not in before:
        return name
    own = _free(f"{name} (2)", taken, f"{name} ({{}})", 2)
    warnings.append(
        f"The header has {named(name)} more than once; the one in column {index + 1} is called {named(own)}."
    )
    return own


def _free(name: str, taken: set[str], pattern: str = "", number: int = 1) -> str:
    pattern = pattern or f"{name} ({{}})"
    while name in taken:
        number += 1
        name = pattern.format(number)
    taken.add(name)
    return name
