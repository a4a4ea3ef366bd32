"""Import keys of rows that came back: no two rows have the same one. The second is refused, or its key is numbered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from importer.core.contract import occurrence_key
from importer.core.issue_codes.checking import DUPLICATE_IN_FILE
from importer.core.issues import Issue
from importer.journal import Returns, RunRows
from importer.profile import Profile
from importer.runs.returns.rows import ReturnedRow


def keep_apart(checked: Sequence[ReturnedRow], profile: Profile, returns: Returns, rows: RunRows) -> None:
    """Keep rows of one key apart: from those of the run that stay as they are, and from each other."""
    policy, field = profile.validation.duplicates, profile.contract.identity.reference_field
    used = _used(checked, returns, allowed=policy == "allow")
    among = Counter(one.key for one in checked if one.key and one.payload is not None)
    for one in checked:
        if one.key is None or one.payload is None:
            continue
        if policy == "allow":
            _with_own_key(one, used)
        elif one.key in used:
            one.refuse(_duplicate(one, field, rows.number_of(used[one.key])))
        elif policy == "reject" and among[one.key] > 1:
            other = next(two for two in checked if two.key == one.key and two is not one)
            one.refuse(_duplicate(one, field, other.was.row))
        if one.payload is not None:
            used[one.key] = one.was.ordinal


def _used(checked: Sequence[ReturnedRow], returns: Returns, *, allowed: bool) -> dict[str, int]:
    """Return the import keys that other rows of the run have, with the ordinal of one of those rows.

    Args:
        allowed: rows of one key may be customers of their own; as many numbers of the key are looked up as every row
            needs to find a free one.
    """
    but = frozenset(one.was.ordinal for one in checked)
    wanted = Counter(one.key for one in checked if one.key)
    used = returns.keys_in_use(frozenset(wanted), but)
    if not allowed:
        return used
    free = Counter({key: -number for key, number in wanted.items() if key in used})
    first, count = 2, 1
    while missing := [key for key, number in free.items() if number < 0]:
        count *= 2
        numbered = {occurrence_key(key, n): key for key in missing for n in range(first, first + count)}
        found = returns.keys_in_use(frozenset(numbered), but)
        free.update(Counter(key for own, key in numbered.items() if own not in found))
        used.update(found)
        first += count
    return used


def _duplicate(one: ReturnedRow, field: str, row: int) -> Issue:
    text = f"This customer also appears in row {row} of this file; keep one of them."
    return Issue(one.was.ordinal, DUPLICATE_IN_FILE.code, text, field, severity=DUPLICATE_IN_FILE.severity)


def _with_own_key(one: ReturnedRow, used: Mapping[str, int]) -> None:
    """Give a row that may be a customer of its own, as the profile says, a key that no other row of the run has."""
    key, number = one.key or "", 1
    while one.key in used:
        number += 1
        one.key = occurrence_key(key, number)
    if one.key != key and one.payload is not None:
        one.payload = one.payload.replace(key.encode(), (one.key or "").encode())
