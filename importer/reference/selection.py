"""Which entries of the reference are meant by a name, or a part of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from importer.core.errors import UsageError

Entry = TypeVar("Entry")


def select(
    names: Sequence[str], entries: Mapping[str, Entry], what: str, aliases: Callable[[Entry], Iterable[str]]
) -> list[Entry]:
    """Pick entries, in their own order: those of that very name, else all that have it as a part of theirs.

    Args:
        names: none of them: every entry.
        what: what an entry is called in a message.
        aliases: other names of an entry.

    Raises:
        UsageError: a name fits no entry; the message names the nearest one.
    """
    known = {key: [text.casefold() for text in (key, *aliases(entry))] for key, entry in entries.items()}
    found = {key for name in names for key in _fitting(name, known, what)}
    return [entry for key, entry in entries.items() if key in found or not names]


def _fitting(name: str, known: Mapping[str, Sequence[str]], what: str) -> list[str]:
    wanted = name.strip("[] ").casefold()
    exact = [key for key, texts in known.items() if wanted in texts]
    if fitting := exact or [key for key, texts in known.items() if any(wanted in text for text in texts)]:
        return fitting
    from importer.core.labels import did_you_mean  # noqa: PLC0415  # a large package, and rarely needed here

    near = did_you_mean(name, known)
    raise UsageError(f"There is no {what} '{name}'{near}", "Without a name, all of them are shown.")
