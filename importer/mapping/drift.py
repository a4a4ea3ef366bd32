"""The drift guard: is this still the header that the profile was made for? Compares names, never cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importer.core.contract.headers import key
from importer.core.errors import SourceError
from importer.core.labels import named
from importer.core.sources import Detected, SourceInfo
from importer.profile.nearest import nearest
from importer.profile.settings import SourceSettings


def check_drift(source: SourceSettings, info: SourceInfo) -> tuple[Detected, ...]:
    """Compare the header with `source.columns`; the order of columns does not matter.

    Returns:
        One note for each difference, where `source.on_drift` is `warn`.

    Raises:
        SourceError: there is a difference, and `source.on_drift` is `stop`.
    """
    if not source.columns or source.on_drift == "ignore":
        return ()
    found = list(differences(source.columns, info.columns))
    if found and source.on_drift == "stop":
        raise SourceError(
            f"The columns of '{info.name}' are not those that the profile was made for: {'; '.join(found)}.",
            'Fix the file or source.columns in the profile, or accept it: source.on_drift = "warn".',
        )
    return tuple(Detected("drift", difference) for difference in found)


def differences(expected: Sequence[str], actual: Sequence[str]) -> Iterator[str]:
    """Word every column that is missing, renamed or new."""
    missing = [column for column in expected if column not in actual]
    new = [column for column in actual if column not in expected]
    close = {column: found for column in missing if (found := _renamed(column, new))}
    if missing and len(missing) == len(expected) and not close:
        yield "none of them is there, so its first row may hold no column names"
        return
    for column in missing:
        if (now := close.get(column, "")) in new:
            new.remove(now)
            yield f"'{column}' is now called {named(now)}"
        else:
            yield f"'{column}' is missing"
    yield from (f"{named(column)} is new" for column in new)


def _renamed(column: str, new: Sequence[str]) -> str:
    same = [other for other in new if key(other) == key(column)]
    return same[0] if same else nearest(column, new)
