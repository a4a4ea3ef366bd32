"""Every key of a profile: its table, type, default and meaning, read off the models that check a profile."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from importer.profile import OPTIONS, Profile
from importer.profile.console import ConsoleSettings, ConsoleUser
from importer.profile.delivery import TargetSettings
from importer.profile.mapping_rules import FieldRule, GroupingSettings
from importer.profile.problems import is_single, model_in, variable
from importer.profile.transform import TRANSFORM
from importer.reference.selection import select
from importer.reference.value_types import in_words, toml

MAPPING, RULE, TARGET, USER = "mapping", 'mapping."FIELD"', "targets.NAME", "console.users.NAME"
_OPTION_OF = {place: option for option, place in OPTIONS.items()}


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key of a profile.

    Args:
        section: its table, as in the brackets of a header; empty at the top of the file.
        type: what its value is, in words.
        default: as TOML; None: not set.
        variable: the environment variable that sets it too; empty: there is none.
        option: of the command line; empty: there is none.
    """

    section: str
    key: str
    type: str
    default: str | None
    meaning: str
    variable: str = ""
    option: str = ""

    @property
    def place(self) -> str:
        """Section and key, dotted."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def is_free(self) -> bool:
        """Whether the user names its table, so that it can have no default."""
        of_mapping = {*GroupingSettings.model_fields, TRANSFORM}
        return self.section in {RULE, TARGET, USER} or (self.section == MAPPING and self.key not in of_mapping)

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        return {
            "section": self.section,
            "key": self.key,
            "place": self.place,
            "type": self.type,
            "default": None if self.default is None else tomllib.loads(f"it = {self.default}")["it"],
            "meaning": self.meaning,
            "environment": self.variable or None,
            "option": self.option or None,
        }


def profile_keys(names: Sequence[str] = ()) -> list[KeyEntry]:
    """Look keys up.

    Args:
        names: sections, keys, places (`delivery.rate`), or parts of them; none: every key.

    Raises:
        UsageError: a name fits no key.
    """
    entries = {entry.place: entry for entry in _all()}
    return select(names, entries, "key of a profile", _aliases)


def _aliases(one: KeyEntry) -> tuple[str, ...]:
    return (one.key, one.section, one.section.partition(".")[0], one.variable)


def sections() -> Mapping[str, str]:
    """Every table of a profile with what it is about, in the order of a file."""
    return {table.section: table.about for table in _tables()}


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a profile.

    Args:
        place: where its keys are in the settings, for their variables; None: no variable can set them.
    """

    section: str
    model: type[BaseModel]
    place: tuple[str, ...] | None

    @property
    def about(self) -> str:
        """What the table is about: its model's docstring without its own name; empty at the top of the file."""
        text = " ".join((self.model.__doc__ or "").split()) if self.section else ""
        about = text.partition(": ")[2] if text.startswith("`") else text
        return about[:1].upper() + about[1:]


def _tables() -> Iterator[_Table]:
    yield _Table("", Profile, ())
    for name, field in Profile.model_fields.items():
        inner = model_in(field.annotation)
        if name == MAPPING:
            yield _Table(MAPPING, GroupingSettings, None)
            yield _Table(RULE, FieldRule, None)
        elif name == "targets":
            yield _Table(TARGET, TargetSettings, ("targets", "NAME"))
        elif name == "console":
            yield _Table(name, ConsoleSettings, (name,))
            yield _Table(USER, ConsoleUser, None)
        elif inner is not None and name not in {"grouping", TRANSFORM}:
            yield from _nested(name, inner)


def _nested(name: str, model: type[BaseModel]) -> Iterator[_Table]:
    yield _Table(name, model, tuple(name.split(".")))
    for key, field in model.model_fields.items():
        if not is_single(field):
            inner = model_in(field.annotation)
            assert inner is not None  # noqa: S101  # what is not a single setting is a table
            yield from _nested(f"{name}.{key}", inner)


def _all() -> Iterator[KeyEntry]:
    for table in _tables():
        if table.section == MAPPING:
            yield _field_key()
            yield _entry(table, TRANSFORM, Profile.model_fields[TRANSFORM])
        for key, field in table.model.model_fields.items():
            if key == TRANSFORM:
                continue  # it is under `mapping`
            if (is_single(field) and get_origin(field.annotation) is not dict) or table.section == RULE:
                yield _entry(table, key, field)


def _field_key() -> KeyEntry:
    meaning = Profile.model_fields[MAPPING].description or ""
    return KeyEntry(MAPPING, '"FIELD"', "a column's name in quotes, or a table", None, meaning)


def _entry(table: _Table, key: str, field: FieldInfo) -> KeyEntry:
    place = None if table.place is None else (*table.place, key)
    return KeyEntry(
        section=table.section,
        key=key,
        type=in_words(field.annotation, field.metadata),
        default=toml(field.get_default(call_default_factory=True)),
        meaning=field.description or "",
        variable=variable(place) if place else "",
        option=_OPTION_OF.get(".".join(place), "") if place else "",
    )
