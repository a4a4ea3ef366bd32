"""What is known of a contract's fields: kind, length, words, example, and how well each of it is known. Data only.

Evidence marks: `K` the page of that very endpoint or object says it; `K~` a sibling page of the same API
says it; `I` inferred from several facts; `NF` not found, a cautious assumption of ours. A length whose
mark is `I` or `NF` only warns, since nobody has seen the API refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from importer.core.errors import UsageError
from importer.core.steps import Step

HARD_MAX_CHARS = 1024
"""No text longer than this is ever sent, whatever is (not) known about its field's length."""


class Evidence(StrEnum):
    """How well a rule is known."""

    KNOWN = "K"
    SIBLING = "K~"
    INFERRED = "I"
    NOT_FOUND = "NF"

    @property
    def firm(self) -> bool:
        """Whether some page of the API says it."""
        return self in {Evidence.KNOWN, Evidence.SIBLING}


class Kind(StrEnum):
    """What a field's text is: how it is mapped, read, normalised and checked."""

    NAME = "name"
    TEXT = "text"
    REFERENCE = "reference"
    PHONE = "phone"
    EXTENSION = "extension"
    EMAIL = "email"
    DATE = "date"
    ENUM = "enum"
    COUNTRY = "country"
    STATE = "state"
    POSTAL = "postal"
    INDUSTRY = "industry"
    WEBSITE = "website"
    METADATA = "metadata"
    AMOUNT = "amount"
    CURRENCY = "currency"
    PERCENTAGE = "percentage"
    FILE = "file"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field, as a profile names it.

    Args:
        label: the name people use.
        kind: how its text is read.
        name: the API's name; dotted where it is inside another object.
        types: the record types that have it; empty: all.
        required: whether every record of these types needs it.
        condition: when it is needed otherwise, as the end of the sentence "needed ..."; empty when never.
        max_length: longest text in characters; None when no page gives a length.
        values: what an enum allows.
        synonyms: other words that mean one of `values`, in capitals, letters and digits only.
        example: a fictional value.
        evidence: how well the field itself is known.
        length_evidence: how well `max_length` is known.
        source: the page of the API's documentation.
        sent: False for what only says how others are read.
        step: the step after the create that sends it, by the name of its `core.steps.Step`; empty: the create does. Its
            name begins with that name.
        in_future: of a date, whether it may be in the future.
    """

    label: str
    kind: Kind
    name: str = ""
    types: tuple[str, ...] = ()
    required: bool = False
    condition: str = ""
    max_length: int | None = None
    values: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    example: str = ""
    evidence: Evidence = Evidence.KNOWN
    length_evidence: Evidence = Evidence.NOT_FOUND
    source: str = ""
    sent: bool = True
    step: str = ""
    in_future: bool = False

    @property
    def max_chars(self) -> int:
        """The longest text that needs no remark."""
        return min(self.max_length or HARD_MAX_CHARS, HARD_MAX_CHARS)

    def is_of(self, record_type: str | None) -> bool:
        """Whether records of a type have it; None: of any type."""
        return record_type is None or not self.types or record_type in self.types

    @property
    def only_type(self) -> str | None:
        """The one record type that has it; None: several have."""
        return self.types[0] if len(self.types) == 1 else None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule between fields, or about a whole record.

    Args:
        code: the issue code that a breach gets.
        sentence: the rule in words.
    """

    code: str
    sentence: str
    evidence: Evidence
    source: str


@dataclass(frozen=True, slots=True)
class FreeNames:
    """Fields whose names are up to the user.

    Args:
        prefix: what their names begin with (`metadata.`).
        rule: what comes behind it, as a sentence.
        spec: looks such a field up by its whole name; None: the name breaks the rule.
    """

    prefix: str
    rule: str
    spec: Callable[[str], FieldSpec | None]


@dataclass(frozen=True, slots=True)
class FieldTable:
    """All fields of a contract.

    Args:
        types: the record types by their name, and what several records of each are called; the first one is taken
            where nothing says the type of a row.
        sent: every field by its name, in the order of a template.
        type_field: the field that says the type of a row; empty: there is only one type.
        read_only: fields that a profile may map and that are never sent: they say how others are read.
        free: fields whose names are up to the user; None: there are none.
        known_id: the id of a record that exists at the target, by which an update names it; None: no update does.
        template: the fields of a blank file, in the order in which people think of them; empty: all that are sent.
        rules: rules between fields, in words.
        examples: first word of an issue code to the field with which its sentence is shown; under "" that of all
            others.
    """

    types: Mapping[str, str]
    sent: Mapping[str, FieldSpec]
    type_field: str = ""
    read_only: Mapping[str, FieldSpec] = field(default_factory=lambda: MappingProxyType({}))
    free: FreeNames | None = None
    known_id: FieldSpec | None = None
    template: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    examples: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a profile may map, free names aside."""
        return (*self.sent, *self.read_only, *([self.known_id.name] if self.known_id else []))

    @property
    def first_type(self) -> str:
        """The type of rows about which nothing else is said."""
        return next(iter(self.types))

    def type_called(self, word: str) -> str:
        """The record type of a name in any case; the only one, where there is only one; empty: the first one.

        Raises:
            UsageError: there is no such type.
        """
        if word.upper() in self.types:
            return word.upper()
        if not word or len(self.types) == 1:
            return self.first_type
        known = " or ".join(name.lower() for name in self.types)
        raise UsageError(f"There is no type of customer called '{word}'.", f"Use {known}.")

    def spec(self, name: str) -> FieldSpec | None:
        """Look a field up, free names included; None: there is none."""
        if self.known_id is not None and name == self.known_id.name:
            return self.known_id
        return self.sent.get(name) or self.read_only.get(name) or self.free_spec(name)

    def free_spec(self, name: str) -> FieldSpec | None:
        """Look up a field whose name is up to the user; None: the name is not such a one."""
        return self.free.spec(name) if self.free is not None and name.startswith(self.free.prefix) else None

    def of(self, record_type: str) -> tuple[FieldSpec, ...]:
        """List the fields that records of one type have, in template order."""
        return tuple(spec for spec in self.sent.values() if spec.is_of(record_type))

    def steps(self, names: Iterable[str]) -> tuple[str, ...]:
        """The steps after the create that send one of some fields, in their order."""
        found = {spec.step for name in names if (spec := self.spec(name))}
        return tuple(step.value for step in Step if step in found)

    def apart(self, whole: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Part what is in one object: the body of a create, and what steps after it send."""
        steps = self.steps(self.sent)
        after = {step: whole[step] for step in steps if step in whole}
        return {name: value for name, value in whole.items() if name not in after}, after

    def label(self, name: str) -> str:
        """The name that people use for a field; the API's where there is none."""
        spec = self.spec(name)
        return spec.label if spec else name

    def example_for(self, code: str) -> FieldSpec:
        """A field that an issue code can be about."""
        name = self.examples.get(code.partition("_")[0]) or self.examples.get("")
        return self.sent[name] if name else next(iter(self.sent.values()))

    def typical_type(self, names: Iterable[str]) -> str:
        """The type whose own fields alone are among some names; otherwise the first one."""
        own = {spec.only_type for name in names if (spec := self.spec(name)) and spec.only_type}
        return own.pop() if len(own) == 1 else self.first_type
