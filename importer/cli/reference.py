"""`fields`, `codes`, `profile`: the reference, made from what the program itself checks by."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, wants_json
from importer.cli.output import print_json
from importer.core.errors import UsageError

if TYPE_CHECKING:
    from importer.core.contract import Contract

Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown tables, for a page of your own.")]


def _names(metavar: str, what: str) -> Any:
    return typer.Argument(metavar=metavar, help=f"{what}, or parts of them; default: all.", show_default=False)


Fields = Annotated[list[str] | None, _names("[NAME]...", "Names or labels of fields")]
Codes = Annotated[list[str] | None, _names("[CODE]...", "Codes, stages (reading, mapping, checking, …)")]
Keys = Annotated[list[str] | None, _names("[SECTION|KEY]...", "Sections and keys")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, fields, "importer fields phone --type business")
    add_command(app, codes, "importer codes phone_invalid")
    add_command(app, profile, "importer profile delivery.rate")


def fields(
    names: Fields = None,
    *,
    kind: opt.RecordType = "",
    markdown: Markdown = False,
    shared: opt.Shared,
) -> None:
    """List the customer fields that a profile may map.

    With a name: of which type of customer, who needs it, how long it may be, accepted words, an example, and how well
    all of that is known. --json prints a list `fields` of objects with name, label, type, kind, required, condition,
    max_length, values, synonyms, example, sent, evidence, length_evidence and source; evidence is K (documented), K~
    (documented for a related object), I (inferred) or NF (an assumption); and `rules` between fields.
    """
    as_json = _wants_json(shared, markdown=markdown)
    from importer.reference.fields import fields as look_up  # noqa: PLC0415
    from importer.reference.fields import rules  # noqa: PLC0415

    contract = _contract(shared)
    found = look_up(contract, names or (), kind)
    if as_json:
        _print_json("fields", found, rules=rules(contract))
    elif markdown:
        from importer.reference.documents import fields_markdown  # noqa: PLC0415

        sys.stdout.write(fields_markdown(contract, found))
    else:
        from importer.cli.reference_pages import print_fields  # noqa: PLC0415

        print_fields(contract, found, full=bool(names))


def codes(names: Codes = None, *, markdown: Markdown = False, shared: opt.Shared) -> None:
    """List issue codes: what they mean, how to fix them.

    With a code: what it means, and how to fix its rows. Sentences are shown for a typical field. --json prints a list
    `codes` of objects with code, stage, severity, title, message (empty where it names a place in the file) and fix.
    The API's own codes are passed on as they are, and are not listed.
    """
    as_json = _wants_json(shared, markdown=markdown)
    from importer.reference.codes import codes as look_up  # noqa: PLC0415

    found = look_up(_contract(shared), names or ())
    if as_json:
        _print_json("codes", found)
    elif markdown:
        from importer.reference.documents import codes_markdown  # noqa: PLC0415

        sys.stdout.write(codes_markdown(found))
    else:
        from importer.cli.reference_pages import print_codes  # noqa: PLC0415

        print_codes(found, full=bool(names))


def profile(names: Keys = None, *, markdown: Markdown = False, shared: opt.Shared) -> None:
    """Print every key of a profile with its default.

    The text is a commented TOML file, which can be used as it is. Beside each key are the type of its value, and the
    environment variable and the option that set it too. --json prints a list `keys` of objects with section, key,
    place, type, default, meaning, environment and option. `importer init FILE` writes a profile for a file.
    """
    as_json = _wants_json(shared, markdown=markdown)
    from importer.reference.profile_keys import profile_keys  # noqa: PLC0415

    found = profile_keys(names or ())
    if as_json:
        _print_json("profile", found, "keys")
    elif markdown:
        from importer.reference.documents import profile_markdown  # noqa: PLC0415

        sys.stdout.write(profile_markdown(found))
    else:
        from importer.cli.screen import text_width  # noqa: PLC0415
        from importer.reference.documents import profile_file  # noqa: PLC0415

        sys.stdout.write(profile_file(found, text_width(), whole=not names))


def _wants_json(shared: opt.Shared, *, markdown: bool) -> bool:
    """Whether JSON is asked for, by the option or by a profile; without one there is nothing to load."""
    if shared.json and markdown:
        raise UsageError("--json and --markdown exclude each other.", "Leave one of them out.")
    asked = wants_json(load_profile(shared), shared) if _names_a_profile(shared) else shared.json
    return asked and not markdown


def _contract(shared: opt.Shared) -> Contract:
    """The contract of the profile's target, or the built-in one."""
    from importer.core.contract import contract_of  # noqa: PLC0415
    from importer.core.target_kinds import DEFAULT_KIND  # noqa: PLC0415

    return load_profile(shared).contract if _names_a_profile(shared) else contract_of(DEFAULT_KIND)


def _names_a_profile(shared: opt.Shared) -> bool:
    return shared.config is not None or any(name.startswith("IMPORTER_") for name in os.environ)


class _Entry(Protocol):
    def as_json(self) -> dict[str, Any]: ...


def _print_json(command: str, found: Iterable[_Entry], name: str = "", **more: Any) -> None:
    entries = {name or command: [one.as_json() for one in found]}
    print_json({"command": command, **entries, **more, "exit_code": 0, "error": None})
