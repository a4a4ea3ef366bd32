"""Rows of one record type: their texts by field, before and after they are read.

Cells that failed before are blank; so is what belongs to an object that a row does not have. Judges no value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from importer.core.contract.notes import Notes
from importer.core.contract.text import is_blank

Texts = Callable[[str], Sequence[str]]
"""The texts of a mapped field, one a row."""
PresenceFields = Mapping[str, Sequence[str]]
"""What the names of an optional object's fields begin with, to the fields of which one at least is given where a row
has the object."""


class Columns:
    """The texts of some rows.

    Args:
        names: the mapped fields.
        texts: where their columns come from.
        size: how many rows.
        failed: place to the fields whose cells failed before.
        presence_fields: of the objects that a row may lack.
    """

    def __init__(
        self,
        names: Collection[str],
        texts: Texts,
        size: int,
        failed: Mapping[int, Collection[str]],
        presence_fields: PresenceFields = MappingProxyType({}),
    ) -> None:
        self.size = size
        self.texts: dict[str, Sequence[str]] = {name: texts(name) for name in names}
        for place, fields in failed.items():
            for name in fields:
                self._blank(name, (place,))
        self.absent = {prefix: self._without(fields, failed) for prefix, fields in presence_fields.items()}
        """What the fields of an optional object begin with, to the places of the rows that have no such object."""
        self._became: Mapping[str, Mapping[int, str]] = {}

    def _blank(self, name: str, places: Collection[int]) -> None:
        if name in self.texts and places:
            column = self.texts[name] = list(self.texts[name])
            for place in places:
                column[place] = ""

    def _without(self, fields: Sequence[str], failed: Mapping[int, Collection[str]]) -> Collection[int]:
        """Find the rows where every field that shows the presence of an object is blank, and none failed before."""
        absent: Collection[int] = range(self.size)
        for name in fields:
            if name in self.texts:
                texts = self.texts[name]
                absent = [place for place in absent if is_blank(texts[place]) and name not in failed.get(place, ())]
        return absent

    def dropped(self, name: str) -> Collection[int]:
        """The places where a field belongs to an object that is not there."""
        return next((places for prefix, places in self.absent.items() if name.startswith(prefix)), ())

    def given(self, name: str, places: Collection[int]) -> Sequence[int]:
        """Those of some places where a field is not blank."""
        texts = self.texts[name] if places else ()
        return [place for place in places if not is_blank(texts[place])]

    def settle(self, notes: Notes) -> None:
        """Take what became of the texts that were read with care."""
        self._became = notes.values

    def mapped(self, name: str) -> Sequence[str] | None:
        """What became of a field's texts: "" where there is nothing to send; None where it is not mapped."""
        column = self.texts.get(name)
        if column is None:
            return None
        absent, became = self.dropped(name), self._became.get(name)
        if became or absent:
            column = list(column)
            for place, value in (became or {}).items():
                column[place] = value
            for place in absent:
                column[place] = ""
        return column

    def column(self, name: str) -> Sequence[str]:
        """The same; all blank where the field is not mapped."""
        return self.mapped(name) or [""] * self.size
