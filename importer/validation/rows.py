"""The rows of a batch that are customers of one type: their texts by field, before and after they are read.

Cells that failed before are blank; so is what belongs to an address that is not there. Judges no value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from importer.customers.notes import Notes
from importer.customers.rules import ADDRESS_TYPES, ADDRESS_WITNESSES, PHONE_ADDRESSES
from importer.customers.text import is_blank

Texts = Callable[[str], Sequence[str]]
"""The texts of a mapped field, one a row."""


class Columns:
    """The texts of some rows.

    Args:
        names: the mapped fields.
        texts: where their columns come from.
        size: how many rows.
        failed: place to the fields whose cells failed before.
    """

    def __init__(self, names: Collection[str], texts: Texts, size: int, failed: Mapping[int, Collection[str]]) -> None:
        self.size = size
        self.texts: dict[str, Sequence[str]] = {name: texts(name) for name in names}
        for place, fields in failed.items():
            for name in fields:
                self._blank(name, (place,))
        self.absent = {word: self._without_address(word, failed) for word in ADDRESS_TYPES}
        """Address word to the places of the rows that have no such address."""
        self._became: Mapping[str, Mapping[int, str]] = {}

    def _blank(self, name: str, places: Collection[int]) -> None:
        if name in self.texts and places:
            column = self.texts[name] = list(self.texts[name])
            for place in places:
                column[place] = ""

    def _without_address(self, word: str, failed: Mapping[int, Collection[str]]) -> Collection[int]:
        """Find the rows where every telling part of an address is blank, and none failed before."""
        absent: Collection[int] = range(self.size)
        for name in (f"addresses.{word}.{part}" for part in ADDRESS_WITNESSES):
            if name in self.texts:
                texts = self.texts[name]
                absent = [place for place in absent if is_blank(texts[place]) and name not in failed.get(place, ())]
        return absent

    def countries(self) -> list[Sequence[str]]:
        """What the rows say about their own country, address by address."""
        names = (f"addresses.{word}.countryCode" for word in PHONE_ADDRESSES)
        return [self.texts[name] for name in names if name in self.texts]

    def dropped(self, name: str) -> Collection[int]:
        """The places where a field belongs to an address that is not there."""
        group, _, rest = name.partition(".")
        return self.absent[rest.partition(".")[0]] if group == "addresses" else ()

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
