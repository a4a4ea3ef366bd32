"""Keys of a profile as a TOML file: each with its default, its meaning above it. As a profile, it says nothing new."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from importer.core.target_kinds import DEFAULT_KIND, target_kind
from importer.reference.profile_keys import KeyEntry, sections

_ABOUT = (
    "Every key of a profile, with its default. Each may be left out. An option on the command line goes before the "
    "environment, that before this file, and this file before the default. Credentials never stand in a profile: set "
    f"{target_kind(DEFAULT_KIND).variables}, or the same names with _FILE."
)


def profile_file(found: Sequence[KeyEntry], width: int, *, whole: bool) -> str:
    """Write keys as a commented profile.

    Args:
        width: of comments, in characters.
        whole: say at the top what a profile is.
    """
    return "\n".join([*(_comment(_ABOUT, width) if whole else ()), *_lines(found, width)]).strip("\n") + "\n"


def _lines(found: Sequence[KeyEntry], width: int) -> Iterator[str]:
    about = sections()
    for section, entries in groupby(found, key=lambda one: one.section):
        keys = list(entries)
        if section:
            yield ""
            yield _said(f"[{section}]", said=not all(one.is_free for one in keys))
        yield from _comment(about[section], width)
        for one in keys:
            yield ""
            yield from _key(one, width)


def _key(one: KeyEntry, width: int) -> Iterator[str]:
    yield from _comment(one.meaning, width)
    yield from _comment("; ".join(filter(None, (one.type[:1].upper() + one.type[1:], one.variable, one.option))), width)
    value = "…" if one.default is None else one.default
    yield _said(f"{one.key} = {value}", said=one.default is not None and not one.is_free)


def _said(line: str, *, said: bool) -> str:
    """A line of TOML, or the same as a comment: where nothing is set, or a name is still to be chosen."""
    return line if said else f"# {line}"


def _comment(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
    )
