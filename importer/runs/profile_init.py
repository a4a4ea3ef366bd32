"""From an unknown file to a profile, and from nothing to a blank file: `inspect`, `init` and `template`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from importer.core.contract import Contract
from importer.core.errors import ProfileError, SourceError, StorageError, UsageError
from importer.core.ports import Reader
from importer.mapping import (
    Table,
    init_profile,
    missing_columns,
    phone_regions,
    proposal,
    require_header,
    template_columns,
)
from importer.profile import Profile
from importer.readers import open_source
from importer.results.template import BlankColumn, write_template
from importer.runs.planned_steps import planned_steps
from importer.runs.preview import preview_of_source
from importer.runs.wiring import SystemClock
from importer.runs.wiring.remote_sources import local_copy


def inspect(source: Path | str, profile: Profile) -> dict[str, Any]:
    """Return what the reader finds in a file, and which column would be mapped to which field.

    Raises:
        SourceError: the file cannot be read.
    """
    with _opened(source, profile) as reader:
        info, sample = reader.info, next(iter(reader.batches()), None)
    table = Table.of(profile.transform, info, sample)
    found = proposal(profile.contract, table.info, table.sample)
    rules = profile.mapping or found.rules
    regions = phone_regions(profile.contract, rules, profile.validation)
    return {
        "source": info.name,
        "format": info.format,
        "sheet": info.sheet,
        "columns": list(info.columns),
        "detected": [
            {"what": one.what, "value": one.value, "confidence": one.confidence, "note": one.note}
            for one in (*info.detected, *regions)
        ],
        "warnings": list(info.warnings),
        "after_create": _planned_steps(profile, rules),
        "mapping": [
            {"column": one.column, "field": one.field, "score": round(one.score, 2), "why": one.why}
            for one in found.matches
        ],
        "preview": [
            one.as_json()
            for one in preview_of_source(
                profile, info, sample, profile.results.preview, show_values=profile.results.show_values
            )
        ],
    }


def _planned_steps(profile: Profile, mapped: Collection[str]) -> str:
    """What would happen after a create, or why it cannot, in a sentence."""
    try:
        return planned_steps(profile, mapped)
    except ProfileError as error:
        return error.message


@contextmanager
def _opened(source: Path | str, profile: Profile) -> Iterator[Reader]:
    with (
        local_copy(source, profile, SystemClock().pause) as local,
        closing(open_source(local.path, profile.source)) as reader,
    ):
        yield reader


def init(source: Path | str, profile: Profile, to: Path, *, force: bool = False) -> Path:
    """Write a commented profile for a file, with the proposed mapping.

    Args:
        to: the profile to write.
        force: replace a file that is there.

    Raises:
        SourceError: the file cannot be read; or it was, and its columns make no customer: the profile is written, for
            a person to complete.
        UsageError: the profile exists already.
        StorageError: it cannot be written.
    """
    _refuse_to_replace(to, force=force)
    with _opened(source, profile) as reader:
        require_header(profile.contract, reader.info)
        table = Table.of(profile.transform, reader.info, next(iter(reader.batches()), None))
        text = init_profile(profile.contract, table, reader.batches())
        missing = missing_columns(profile.contract, table.info, table.sample)
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StorageError(
            f"The profile {to} cannot be written: {reason}.", "Choose another place with --out."
        ) from error
    if missing:
        raise SourceError(
            f"No column was found for what every customer needs: {', '.join(missing)}. The profile {to} was written"
            " without them.",
            "Name their columns under [mapping] in it, then check the file with it.",
        )
    return to


def template(contract: Contract, kind: str, to: Path, *, force: bool = False) -> Path:
    """Write a blank file for one type of customer; the suffix of `to` decides its format.

    Raises:
        UsageError: the file exists already, or there is no such type.
        StorageError: it cannot be written.
    """
    _refuse_to_replace(to, force=force)
    columns = [
        BlankColumn(column.header, column.note, column.example, column.choices, column.required)
        for column in template_columns(contract, kind)
    ]
    write_template(to, columns)
    return to


def schema(contract: Contract, to: Path, *, force: bool = False) -> Path:
    """Write what a customer is as JSON Schema, all types.

    Raises:
        UsageError: the file exists already.
        StorageError: it cannot be written.
    """
    _refuse_to_replace(to, force=force)
    try:
        to.write_text(json.dumps(contract.checks.json_schema(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StorageError(
            f"The schema {to} cannot be written: {reason}.", "Choose another place with --out."
        ) from error
    return to


def _refuse_to_replace(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise UsageError(f"{path} exists already.", "Name another file with --out, or replace it with --force.")


def default_profile_name(source: str) -> Path:
    """Return where `init` writes by default: into the current folder, named after the file."""
    return Path(f"{Path(source).stem or 'profile'}.toml")
