"""Amounts: their columns are judged as a whole, and then read with one decimal sign. Guesses none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Literal

from importer.core.errors import SourceError
from importer.core.sources import Detected
from importer.mapping.amounts import SIGNS, Sign, by_sign, parts_of, readings_of
from importer.mapping.edits import Edit
from importer.mapping.judged_columns import JudgedColumns
from importer.mapping.plans import FieldPlan

DecimalSign = Literal["auto", "point", "comma"]
_REMEMBERED = 2**15
"""Different texts of a column that are kept, so that each is weighed and read once."""


def amount_columns() -> JudgedColumns[Sign, SignEvidence]:
    """Make what judges the amounts of one source."""
    return JudgedColumns(lambda _: SignEvidence(), lambda _, sign: _remembered(sign), _decided, lambda _: False)


def _remembered(sign: Sign | None) -> Edit:
    return lru_cache(maxsize=_REMEMBERED)(by_sign(sign))


@dataclass(slots=True)
class SignEvidence:
    """What one column says about its decimal sign.

    Args:
        proofs: to each sign the first row that only this sign can read, and why; the first of them decides, since
            whatever was read by it is on its way already.
        open_cells: amounts that both signs read, and not alike.
        first_open: the row of the first such amount; 0 where there is none.
    """

    proofs: dict[Sign, tuple[int, str]] = field(default_factory=dict)
    open_cells: int = 0
    first_open: int = 0
    _seen: set[str] = field(default_factory=set, repr=False)

    def observe(self, texts: Iterable[str], row_of: Callable[[str], int]) -> None:
        """See one batch of the column.

        Args:
            texts: the different ones, in their order.
            row_of: gives the first row of the batch that holds a text.
        """
        if len(self.proofs) == len(SIGNS):
            return
        fresh = [text for text in texts if text not in self._seen]
        if len(self._seen) < _REMEMBERED:
            self._seen.update(fresh)
        for text in fresh:
            parts = parts_of(text)
            if parts is not None:
                self._weigh(parts.number, partial(row_of, text))

    def _weigh(self, number: str, row: Callable[[], int]) -> None:
        readings = readings_of(number)
        if len(readings) == 1:
            (sign,) = readings
            if sign not in self.proofs:
                self.proofs[sign] = (row(), _why(number))
        elif len(set(readings.values())) > 1:
            self.first_open = self.first_open or row()
            self.open_cells += 1

    @property
    def settled(self) -> bool:
        """Whether all amounts seen so far can be read already."""
        return bool(self.proofs) or not self.open_cells

    @property
    def choice(self) -> Sign | None:
        """The sign that was proved first; None: none is."""
        return next(iter(self.proofs), None)


def _why(number: str) -> str:
    """Say what decides, without the amount."""
    signs = [char for char in number if char in ".,"]
    word = {".": "point", ",": "comma"}[signs[-1]]
    if len(set(signs)) > 1:
        return f"its last sign is a {word}"
    if len(signs) > 1:
        return f"it has several {word}s"
    digits = len(number.rpartition(signs[-1])[2])
    if digits != 3:
        return f"{digits} digit{'' if digits == 1 else 's'} behind its {word}"
    return f"what is before its {word} is not a number of thousands"


def _decided(plan: FieldPlan, evidence: SignEvidence, given: Sign | None) -> Detected | None:
    """Word what was found out about one column of amounts.

    Raises:
        SourceError: nothing decides how to read them.
    """
    sign = given or evidence.choice
    if sign is None and evidence.open_cells:
        raise SourceError(
            f"The amounts in column '{plan.column}' can be read with a decimal point or with a decimal comma, and no "
            f"cell of the column decides it (the first of them is in row {evidence.first_open}).",
            f'Say which it is: validation.decimal = "point" or "comma" in the profile, or '
            f'IMPORTER_VALIDATION__DECIMAL=comma, or decimal = "comma" for "{plan.name}" under [mapping].',
        )
    note = "" if given else ", ".join(_proofs(evidence))
    return Detected("decimal", f"{plan.column}: decimal {sign}", 1.0, note) if sign else None


def _proofs(evidence: SignEvidence) -> list[str]:
    return [
        f"row {row} has a decimal {sign}{'' if sign == evidence.choice else ' and is refused'} ({why})"
        for sign, (row, why) in evidence.proofs.items()
    ]
