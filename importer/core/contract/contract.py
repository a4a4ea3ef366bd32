"""What a target defines besides its connection: what its records are. Every other package uses only this.

A contract is looked up by the name of its target's kind (`core.target_kinds`), and pickled as that name: another
process looks it up again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from importer.core.contract.after_create import AfterCreate, Changes
from importer.core.contract.columns import Columns, PresenceFields
from importer.core.contract.fields import FieldSpec, FieldTable
from importer.core.contract.identity import Identity, Readiness, RowIdentities
from importer.core.contract.matching import Matching
from importer.core.contract.notes import Notes
from importer.core.contract.reading import Policy, Reading
from importer.core.errors import ProfileError
from importer.core.issues import IssueCode
from importer.core.ports import Recognition
from importer.core.target_kinds import part_of, target_kind

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Bodies(Recognition, Protocol):
    """What request bodies mean, how they carry the import key, and how a record at the target is recognised. Pure."""

    def meaning(self, body: Mapping[str, Any], key: str) -> bytes:
        """Write down what a body means, the same for every body that means the same.

        Args:
            key: the import key that the body carries, under whatever name; it does not count.
        """
        ...

    def flat(self, body: Mapping[str, Any]) -> dict[str, str]:
        """The texts of a body by the names of their fields."""
        ...

    def stamp_field(self, name: str) -> str:
        """The field in which a body carries its import key under a name."""
        ...

    def stamp(self, body: dict[str, Any], name: str, key: str) -> None:
        """Write an import key into a body."""
        ...

    def unstamp(self, body: dict[str, Any], name: str) -> None:
        """Take an import key out of a body, which is then as it was before `stamp`; harmless where it has none."""
        ...


class Checks(Protocol):
    """The pydantic types of a contract's records, and how rows of text come to them and leave them. Pure."""

    @property
    def presence_fields(self) -> PresenceFields:
        """Of the objects that a record may lack."""
        ...

    @property
    def codes_of_types(self) -> Collection[str]:
        """The issue codes that depend on the type of a record; rows whose type cannot be read do not get them."""
        ...

    def read(self, spec: FieldSpec, text: str, policy: Policy) -> Reading:
        """Read one text as one field, for fields with few different words (enums, countries)."""
        ...

    def adapter(self, record_type: str | None, policy: Policy) -> TypeAdapter[dict[str, Any]]:
        """The type of records of one type; its validation context is the `Notes` of the rows.

        What a type does not note itself becomes an issue under the name of pydantic's error, or as `value_invalid`.

        Args:
            record_type: None for rows whose type cannot be read: nothing but the type is required.
        """
        ...

    def rows(self, record_type: str | None, mapped: Collection[str]) -> Callable[[Columns], Iterator[Any]]:
        """Plan what makes of every row the object that `adapter` reads.

        Args:
            mapped: the fields that have a column.
        """
        ...

    def notes(self, columns: Columns, **kept: Any) -> Notes:
        """Make the notes about some rows.

        Args:
            kept: arguments of `Notes`.
        """
        ...

    def prepare(
        self, record_type: str | None, columns: Columns, notes: Notes, policy: Policy, sources: Mapping[str, str]
    ) -> None:
        """Look at whole columns before rows are read: write usual texts as the API has them, warn of what is not sent.

        Args:
            sources: field to source column; constants have none.
        """
        ...

    def identities(
        self, record_type: str, columns: Columns, secret: bytes, groups: Sequence[str] = ()
    ) -> RowIdentities:
        """Say who the rows are.

        Args:
            secret: the workspace's key, at most 64 bytes.
            groups: for every row the group of rows that it is one record with, "" for a row of its own; empty: rows
                are not grouped.
        """
        ...

    def readiness(self, record_type: str, columns: Columns, bad: Collection[int]) -> Readiness | None:
        """Say which rows are ready for what comes after creation; None: nothing does.

        Args:
            bad: places of invalid rows.
        """
        ...

    def json_schema(self) -> dict[str, Any]:
        """Describe the records as one JSON Schema (draft 2020-12)."""
        ...


_Part = TypeVar("_Part")


@dataclass(frozen=True, eq=False)
class Contract:
    """What the records of a target are.

    Args:
        name: the name of the target's kind.
        fields: the record types and their fields.
        codes: every issue code of checking by its name, in the order of the documentation; those of
            `core.issue_codes.checking` included.
        bodies: what request bodies mean.
        identity: who a record is.
        load_checks: gives the pydantic types; called when they are first needed, since their libraries load slowly.
        load_matching: gives what is known about columns; called when it is first needed.
        after_create: the steps after a create; None: there is none but reading back.
        changes: how records are changed; None: they are not.
    """

    name: str
    fields: FieldTable
    bodies: Bodies
    identity: Identity
    load_checks: Callable[[], Checks]
    load_matching: Callable[[], Matching]
    codes: Mapping[str, IssueCode] = field(default_factory=lambda: MappingProxyType({}))
    after_create: AfterCreate | None = None
    changes: Changes | None = None

    @cached_property
    def checks(self) -> Checks:
        """The pydantic types of the records."""
        return self._whole("checks", self.load_checks(), Checks)

    @cached_property
    def matching(self) -> Matching:
        """What is known about columns."""
        return self._whole("matching", self.load_matching(), Matching)

    def _whole(self, name: str, part: _Part, kind: type) -> _Part:
        if lacking := _lacking(part, kind):
            raise incomplete(self.name, f"lacks '{name}.{lacking}'")
        return part

    def spec(self, name: str) -> FieldSpec | None:
        """Look a field up; None: there is none."""
        return self.fields.spec(name)

    def message(self, code: str, spec: FieldSpec | None = None, countries: Sequence[str] = ()) -> str:
        """Write the sentence for an issue code about a field; arguments as of `IssueCode.sentence`."""
        return self.codes[code].sentence(spec, countries)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name: another process looks the contract up again."""
        return contract_of, (self.name,)


@cache
def contract_of(name: str) -> Contract:
    """What the records of a kind of target are.

    Args:
        name: of the kind, in the profile.

    Raises:
        ProfileError: there is no such kind, or its package cannot be loaded, or its contract has another name or
            lacks something.
    """
    contract: Contract = part_of(name, target_kind(name).contract)
    if flaw := flaw_of(contract, name):
        raise incomplete(name, flaw)
    return contract


def flaw_of(contract: object, name: str) -> str:
    """Say what is wrong with the contract of another package, as the end of a sentence; empty: nothing.

    What is loaded later (checks, matching) is examined then.

    Args:
        name: of the kind of target that names the contract.
    """
    if not isinstance(contract, Contract):
        return "is something else than a Contract"
    if contract.name != name:
        return f"is called '{contract.name}'"
    if not getattr(contract.fields, "types", None):
        return "has no record types"
    for part, kind in (("bodies", Bodies), ("identity", Identity)):
        if lacking := _lacking(getattr(contract, part), kind):
            return f"lacks '{part}.{lacking}'"
    unloadable = [one for one in ("load_checks", "load_matching") if not callable(getattr(contract, one))]
    return f"needs a function as {unloadable[0]}" if unloadable else ""


def incomplete(name: str, flaw: str) -> ProfileError:
    """The error about a contract that has a flaw.

    Args:
        name: of the kind of target.
        flaw: the end of the sentence.
    """
    fix = "Update or reinstall the package that brings it."
    return ProfileError(f"The contract of the kind of target '{name}' {flaw}.", fix)


def _lacking(part: object, kind: type) -> str:
    # Looked up at the class first: a property may load a library.
    names = [one for one in dir(kind) if not one.startswith("_")]
    return next((one for one in names if not hasattr(type(part), one) and not hasattr(part, one)), "")
