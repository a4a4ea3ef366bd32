"""Import keys of whole columns, the same as `importer.customers.identity` computes one by one; and likenesses."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat

from importer.core.contract import Columns
from importer.core.contract.keyed_hashes import SEPARATOR, keys_of, prints
from importer.customers.likeness import EMAIL, EXTERNAL_ID, NAME, NAME_BIRTH, PHONE, folded_names, folded_reference
from importer.customers.specs import CustomerType

_NAMES: Mapping[CustomerType, tuple[str, ...]] = {
    CustomerType.INDIVIDUAL: ("firstName", "lastName"),
    CustomerType.BUSINESS: ("businessName", "contacts.primary.firstName", "contacts.primary.lastName"),
}


class Identities:
    """Says who some customers are.

    Args:
        kind: the customers' type.
        columns: what became of their texts.
        secret: the workspace's key, at most 64 bytes.
        groups: for every row the group of rows that it is one business with, "" for a row of its own; empty: rows are
            not grouped. The group is the business's identity, whoever its contacts are.
    """

    def __init__(self, kind: str, columns: Columns, secret: bytes, groups: Sequence[str] = ()) -> None:
        prefix = "contacts.primary." if kind == CustomerType.BUSINESS else ""
        self._kind, self._secret, self._size = kind, secret, columns.size
        self._groups = groups
        self._external = columns.mapped("externalId")
        self._names = [list(map(str.casefold, columns.column(name))) for name in _NAMES[CustomerType(kind)]]
        self._emails = list(map(str.lower, columns.column(f"{prefix}primaryEmail.value")))
        self._phones = columns.column(f"{prefix}primaryPhoneNumber.number")
        self._births = columns.mapped("dateOfBirth") if kind == CustomerType.INDIVIDUAL else None

    def keys(self) -> list[str]:
        """Compute the import key of every row."""
        return keys_of(self._secret, self._texts())

    def _texts(self) -> Iterable[str]:
        if self._external is not None and all(self._external):
            return [f"externalId{SEPARATOR}{external}" for external in self._external]
        born = [] if self._births is None else [self._births]
        columns = [repeat(str(self._kind), self._size), *self._names, self._emails, self._phones, *born]
        texts: Iterable[str] = map(SEPARATOR.join, zip(*columns, strict=True))
        if self._groups:
            texts = [
                SEPARATOR.join(("group", str(self._kind), group)) if group else text
                for group, text in zip(self._groups, texts, strict=True)
            ]
        if self._external is None:
            return texts
        own = zip(self._external, texts, strict=True)
        return [f"externalId{SEPARATOR}{external}" if external else text for external, text in own]

    def likenesses(self) -> dict[str, Sequence[str]]:
        """Write down what every row has for each kind of likeness."""
        found: dict[str, Sequence[str]] = {"email": self._emails, "phone": self._phones}
        if self._births is not None:
            found["name_birth"] = self._named_births(self._births)
        if self._kind == CustomerType.BUSINESS:
            found["business"] = self._folded_names()
        return found

    def prints(self) -> dict[str, array[int]]:
        """Hash what every row has for each kind of likeness, folded, to be compared with earlier runs."""
        names = self._folded_names()
        texts: dict[str, Iterable[str]] = {EMAIL: self._emails, PHONE: self._phones, NAME: names}
        if self._births is not None:
            born = zip(names, self._births, strict=True)
            texts[NAME_BIRTH] = [SEPARATOR.join(one) if all(one) else "" for one in born]
        if self._external is not None:
            texts[EXTERNAL_ID] = map(folded_reference, self._external)
        return {kind: prints(self._secret, kind, column) for kind, column in texts.items()}

    def _folded_names(self) -> list[str]:
        columns = self._names[:1] if self._kind == CustomerType.BUSINESS else self._names
        return folded_names(*columns)

    def _named_births(self, births: Sequence[str]) -> list[str]:
        people = zip(*self._names, births, strict=True)
        return [SEPARATOR.join(person) if all(person) else "" for person in people]
