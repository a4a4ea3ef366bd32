"""The reference as documents: Markdown tables of fields, codes and keys, and every key of a profile as a TOML file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from importer.core.contract import Contract, Evidence
from importer.core.target_kinds import DEFAULT_KIND, target_kind
from importer.reference.codes import CodeEntry
from importer.reference.fields import EVIDENCE, FieldEntry, rules
from importer.reference.profile_keys import KeyEntry, sections

_ABOUT = (
    "Every key of a profile, with its default. Each may be left out. An option on the command line goes before the "
    "environment, that before this file, and this file before the default. Credentials are never in a profile: set "
    f"{target_kind(DEFAULT_KIND).variables}, or the same names with _FILE."
)


# --------------------------------------------------------------------------- Markdown


def fields_markdown(contract: Contract, found: Sequence[FieldEntry]) -> str:
    """Write fields as a table, and the rules between them as another."""
    head = ("field", "what it is", "of", "needed", "longest", "accepted", "example", "how well it is known")
    between = ("rule between fields", "code", "how well it is known")
    return f"{_table(head, map(_field, found))}\n{_table(between, map(_rule, rules(contract)))}"


def _rule(one: Mapping[str, str]) -> list[str]:
    return [one["sentence"], f"`{one['code']}`", _known(Evidence(one["evidence"]), one["source"])]


def _known(evidence: Evidence, source: str) -> str:
    return f"{EVIDENCE[evidence]}{f' ({source})' if source else ''}"


def _field(one: FieldEntry) -> list[str]:
    spec = one.spec
    accepted = ", ".join(spec.values) + (f" and {len(spec.synonyms)} other words" if spec.synonyms else "")
    longest = f"{spec.max_length} ({EVIDENCE[one.length_evidence]})" if one.length_evidence else ""
    label = f"{spec.label}; {one.sent}" if one.sent else spec.label
    return [
        f"`{spec.name}`",
        label,
        one.type,
        one.needed,
        longest,
        accepted,
        f"`{spec.example}`",
        _known(spec.evidence, spec.source),
    ]


def codes_markdown(found: Sequence[CodeEntry]) -> str:
    """Write issue codes as a table."""
    head = ("code", "found in", "severity", "what it means", "for example", "how to fix it")
    rows = ([f"`{c.entry.code}`", c.stage, str(c.entry.severity), c.entry.title, c.message, c.fix] for c in found)
    return _table(head, rows)


def profile_markdown(found: Sequence[KeyEntry]) -> str:
    """Write the keys of a profile as a table for each of its tables."""
    return "\n".join(_sections(found))


def _sections(found: Sequence[KeyEntry]) -> Iterator[str]:
    about = sections()
    for section, entries in groupby(found, key=lambda one: one.section):
        yield f"## `[{section}]`\n" if section else "## At the top of the file\n"
        if about[section]:
            yield f"{about[section]}\n"
        yield _table(("key", "what it is", "default", "meaning", "environment", "option"), map(_key, entries))


def _key(one: KeyEntry) -> list[str]:
    default = "not set" if one.default is None else f"`{one.default}`"
    named = [f"`{name}`" if name else "" for name in (one.variable, one.option)]
    return [f"`{one.key}`", one.type, default, one.meaning, *named]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


# --------------------------------------------------------------------------- TOML


def profile_file(found: Sequence[KeyEntry], width: int, *, whole: bool) -> str:
    """Write keys as a commented profile.

    Args:
        width: of comments, in characters.
        whole: explain at the top what a profile is.
    """
    return "\n".join([*(_comment(_ABOUT, width) if whole else ()), *_file_lines(found, width)]).strip("\n") + "\n"


def _file_lines(found: Sequence[KeyEntry], width: int) -> Iterator[str]:
    about = sections()
    for section, entries in groupby(found, key=lambda one: one.section):
        keys = list(entries)
        if section:
            yield ""
            yield _active(f"[{section}]", active=not all(one.is_free for one in keys))
        yield from _comment(about[section], width)
        for one in keys:
            yield ""
            yield from _file_key(one, width)


def _file_key(one: KeyEntry, width: int) -> Iterator[str]:
    yield from _comment(one.meaning, width)
    yield from _comment("; ".join(filter(None, (one.type[:1].upper() + one.type[1:], one.variable, one.option))), width)
    value = "…" if one.default is None else one.default
    yield _active(f"{one.key} = {value}", active=one.default is not None and not one.is_free)


def _active(line: str, *, active: bool) -> str:
    """A line of TOML; a comment where it has no default, or a name is still to be chosen."""
    return line if active else f"# {line}"


def _comment(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
    )
