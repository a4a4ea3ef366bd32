"""What is found in the rows that are being read: errors, warnings, changes, and what a cell became. Sparse.

It travels as pydantic's validation context: a type knows no row, and a clean row leaves nothing here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from importer.core.contract.fields import FieldSpec
from importer.core.contract.reading import Normalisation

Kept = tuple[list[int], list[str], list[str]]
"""Places, texts before, texts after."""
Said = tuple[str, str, tuple[str, ...]]
"""Code, field, and the names of two countries where the sentence names them."""


class Notes:
    """The notes about some rows of one record type; `place` is the row that is being read.

    Args:
        no_change: fields whose values may not be altered.
        failed: place to the fields whose cells failed before: they are blank, and nothing more is said of them.
        stamped: whether a pair of metadata is added later.
    """

    __slots__ = ("_failed", "changes", "errors", "no_change", "place", "stamped", "values", "warnings")

    def __init__(
        self,
        *,
        no_change: Collection[str] = (),
        failed: Mapping[int, set[str]] | None = None,
        stamped: bool = False,
    ) -> None:
        self.place = 0
        self.no_change = no_change
        self.stamped = stamped
        self.changes: dict[tuple[str, str], Kept] = {}
        self.errors: defaultdict[Said, list[int]] = defaultdict(list)
        self.warnings: defaultdict[Said, list[int]] = defaultdict(list)
        self.values: defaultdict[str, dict[int, str]] = defaultdict(dict)
        """Field to what became of the cells that were read with care; "" where a cell failed."""
        self._failed: defaultdict[int, set[str]] = defaultdict(set, failed or {})

    def failed_before(self, name: str) -> bool:
        """Whether a cell of this row failed already."""
        return self.place in self._failed and name in self._failed[self.place]

    def failed_rows(self) -> Collection[int]:
        """The places of the rows of which a cell failed, or that failed as a whole."""
        return self._failed.keys()

    def fail(self, code: str, name: str, countries: tuple[str, ...] = ()) -> None:
        """Note an error, and that the cell has failed."""
        self.errors[code, name, countries].append(self.place)
        self._failed[self.place].add(name)
        self.values[name][self.place] = ""

    def take(
        self,
        name: str,
        value: str,
        changes: Sequence[Normalisation],
        warnings: Sequence[str],
        countries: tuple[str, ...],
    ) -> None:
        """Note how a cell was read."""
        place = self.place
        self.values[name][place] = value
        for rule, before, after in changes:
            kept = self._kept(rule, name)
            kept[0].append(place)
            kept[1].append(before)
            kept[2].append(after)
        for code in warnings:
            self.warnings[code, name, countries].append(place)

    def warn(self, code: str, spec: FieldSpec, countries: tuple[str, ...] = ()) -> None:
        """Note a warning."""
        self.warnings[code, spec.name, countries].append(self.place)

    def warn_all(self, code: str, name: str, places: Sequence[int]) -> None:
        """Note a warning about a field of many rows."""
        if places:
            self.warnings[code, name, ()].extend(places)

    def change(self, spec: FieldSpec, done: Normalisation) -> None:
        """Note that a rule altered a text."""
        ordinals, before, after = self._kept(done.rule, spec.name)
        ordinals.append(self.place)
        before.append(done.before)
        after.append(done.after)

    def change_all(
        self, rule: str, name: str, places: Sequence[int], before: Sequence[str], after: Sequence[str]
    ) -> None:
        """Note that a rule altered the texts of many rows."""
        kept = self._kept(rule, name)
        kept[0].extend(places)
        kept[1].extend(before)
        kept[2].extend(after)

    def _kept(self, rule: str, name: str) -> Kept:
        kept = self.changes.get((rule, name))
        if kept is None:
            kept = self.changes[rule, name] = ([], [], [])
        return kept
