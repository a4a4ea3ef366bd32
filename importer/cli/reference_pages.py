"""Fields and issue codes for people: a line each, or each in full. The texts come from the entries."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.markup import escape

from importer.cli.screen import console, table, text_width
from importer.core.contract import Contract
from importer.reference.codes import CodeEntry
from importer.reference.fields import EVIDENCE, FieldEntry, rules

_NOT_SENT = "Never sent: it only sets how phone numbers are read."


def print_fields(contract: Contract, found: Sequence[FieldEntry], *, full: bool) -> None:
    """Print fields: a line each, or each in full."""
    if full:
        _print_blocks(_field_lines(one) for one in found)
        return
    listed = table("Field", "What it is", whole="Field")
    for one in found:
        listed.add_row(one.spec.name, _in_short(one))
    console().print(listed)
    between = table("Rules between fields", "Issue code")
    for rule in rules(contract):
        between.add_row(rule["sentence"], rule["code"])
    console().print()
    console().print(between)


def _in_short(one: FieldEntry) -> str:
    longest = f"; longest {one.spec.max_length}" if one.spec.max_length else ""
    return "; ".join([one.spec.label, one.type, f"{one.needed}{longest}", *([one.sent] if one.sent else ())])


def _field_lines(one: FieldEntry) -> Iterator[str]:
    spec = one.spec
    yield spec.name
    needed = f"needed {one.needed}" if spec.condition else one.needed
    yield f"{spec.label}. {one.owner}; {needed}. Example: {spec.example}"
    if not one.spec.sent:
        yield _NOT_SENT
    elif one.sent:
        yield f"{one.sent[:1].upper()}{one.sent[1:]}."
    if one.length_evidence:
        yield f"Longest: {spec.max_length} characters ({EVIDENCE[one.length_evidence]})."
    if spec.values:
        yield f"Accepted: {', '.join(spec.values)}.{_synonyms(one)}"
    yield f"Known: {EVIDENCE[spec.evidence]}{f' ({spec.source})' if spec.source else ''}."


def _synonyms(one: FieldEntry) -> str:
    words = one.spec.synonyms
    return f" {len(words)} other words are understood: {', '.join(words).lower()}." if words else ""


def print_codes(found: Sequence[CodeEntry], *, full: bool) -> None:
    """Print codes: a line each, or each in full."""
    if full:
        _print_blocks(_code_lines(one) for one in found)
        return
    listed = table("Code", "Found in", "Severity", "What it means", whole="Code")
    for one in found:
        listed.add_row(one.entry.code, one.stage, str(one.entry.severity), escape(one.entry.title))
    console().print(listed)


def _code_lines(one: CodeEntry) -> Iterator[str]:
    yield f"{one.entry.code}  ({one.entry.severity}, found in {one.stage})"
    yield f"{one.entry.title}."
    if one.message:
        yield f"For example: {one.message}"
    yield f"Fix: {one.fix}"


def _print_blocks(blocks: Iterable[Iterable[str]]) -> None:
    """Print entries in full, a blank line between two of them; what belongs to an entry is indented."""
    screen, width = console(), text_width()
    for number, (name, *lines) in enumerate(blocks):
        screen.print(f"\n{name}" if number else name, markup=False, highlight=False, style="bold")
        for line in lines:
            text = textwrap.fill(
                line, width, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
            )
            screen.print(text, markup=False, highlight=False)
