"""`inspect`, `init`, `template`: from a strange file to a profile, and from nothing to a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, wants_json
from importer.cli.output import print_json, say


class TemplateFormat(StrEnum):
    """The formats of templates."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONSCHEMA = "jsonschema"


@dataclass(frozen=True)
class InspectOptions(opt.OptionSet):
    """What only `inspect` takes."""

    preview: str | None = opt.preview_option()
    show_values: bool = opt.show_values_option()


Replace = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, inspect, "importer inspect customers.xlsx")
    add_command(app, init, "importer init legacy.csv --out legacy.toml")
    add_command(app, template, "importer template --type business --format xlsx")


def inspect(file: opt.File, *, reading: opt.Reading, own: InspectOptions, shared: opt.Shared) -> None:
    """Show what the reader sees, and the proposed mapping.

    Encoding, delimiter, sheets, header row, columns, and which customer field each column would become, with the
    reason.
    """
    profile = load_profile(shared, reading, own)
    from importer.cli import tables  # noqa: PLC0415
    from importer.runs import profile_init  # noqa: PLC0415

    seen = profile_init.inspect(file, profile)
    if wants_json(profile, shared):
        print_json({"command": "inspect", **seen, "exit_code": 0, "error": None})
    else:
        tables.print_inspection(seen)


def init(
    file: opt.File,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The profile; default: named after the file.")
    ] = None,
    force: Replace = False,
    reading: opt.Reading,
    shared: opt.Shared,
) -> None:
    """Write a commented profile for a file.

    It holds the proposed mapping, to be corrected and completed. `importer profile` lists every key there is.
    """
    profile = load_profile(shared, reading)
    from importer.runs import profile_init  # noqa: PLC0415

    written = profile_init.init(file, profile, out or profile_init.default_profile_name(file), force=force)
    if wants_json(profile, shared):
        print_json({"command": "init", "profile": str(written), "exit_code": 0, "error": None})
    else:
        commands = replace(profile.commands, config=str(written))
        say(f"Wrote {written}. Look it over, then run: {commands.validate(file)}")


def template(
    *,
    kind: opt.RecordType = "",
    format_: Annotated[TemplateFormat, typer.Option("--format", help="The kind of file.")] = TemplateFormat.XLSX,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The file; default: customers-template.xlsx or .csv.")
    ] = None,
    force: Replace = False,
    shared: opt.Shared,
) -> None:
    """Write a blank file to fill in.

    It has a column for each customer field that people fill in by hand, and an example row. `importer fields` lists all
    fields. --format jsonschema writes what a customer is as JSON Schema.
    """
    profile = load_profile(shared)
    from importer.runs import profile_init  # noqa: PLC0415

    if format_ is TemplateFormat.JSONSCHEMA:
        written = profile_init.schema(profile.contract, out or Path("customers.schema.json"), force=force)
    else:
        one = profile.contract.fields.type_called(kind).lower()
        written = profile_init.template(profile.contract, one, out or Path(f"{one}-template.{format_}"), force=force)
    if wants_json(profile, shared):
        print_json({"command": "template", "file": str(written), "exit_code": 0, "error": None})
    elif format_ is TemplateFormat.JSONSCHEMA:
        say(f"Wrote {written}.")
    else:
        then = profile.commands.validate(written)
        say(f"Wrote {written}. Put your customers in place of the example, then run: {then}")
