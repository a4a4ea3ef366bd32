"""The proof of a rehearsal: what the emulator really holds, compared with what the run says. Pure.

The emulator shares no code with the importer and counts for itself, so its numbers are independent evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from importer.core.labels import counted
from importer.core.states import RowState

_THERE = frozenset({RowState.CREATED, RowState.EXISTING})
_MAYBE = _THERE | {RowState.UNKNOWN}


def compare(
    customers: Iterable[Mapping[str, Any]], endings: Iterable[tuple[str, RowState, str]], stamp: str
) -> dict[str, int]:
    """Count what was lost and what was made twice.

    Args:
        customers: everything at the emulator, earlier runs included.
        endings: import key, state and customer id of every row of the run that has a key.
        stamp: the metadata name of the import key; empty: customers are known by their ids alone.

    Returns:
        `customers` of this run at the emulator; `lost`: rows that name a customer who is not there, and customers
        whose row says that there is none; `twice`: customers beyond the first of a row that does not say so.
    """
    rows = {key: (state, customer_id) for key, state, customer_id in endings}
    missing = {customer_id: key for key, (state, customer_id) in rows.items() if state in _THERE}
    made: Counter[str] = Counter()
    for customer in customers:
        key = _stamp_of(customer, stamp) or missing.get(customer["id"], "")
        if key in rows:
            made[key] += 1
        owner = missing.get(customer["id"], "")
        if owner and (owner == key or rows[owner][0] is RowState.EXISTING):
            del missing[customer["id"]]
    unreported = sum(1 for key in made if rows[key][0] not in _MAYBE)
    return {
        "customers": made.total(),
        "lost": len(missing) + unreported,
        "twice": sum(count - 1 for key, count in made.items() if rows[key][0] is not RowState.UNKNOWN),
    }


def _stamp_of(customer: Mapping[str, Any], stamp: str) -> str:
    """Return the import key in a customer's metadata, whatever the case of its name; empty: it is not there."""
    metadata = customer.get("metadata") or {}
    return next((str(value) for name, value in metadata.items() if stamp and name.lower() == stamp.lower()), "")


def sentence(found: Mapping[str, Any]) -> str:
    """Return the result of a rehearsal as a sentence, with how many faults were injected."""
    result = f"rehearsal: {found['customers']:,} customers, {found['lost']:,} lost, {found['twice']:,} twice"
    met = sum(found.get("faults", {}).values())
    if met:
        return f"{result}; {counted(met, 'fault')} met"
    return f"{result}; but it met no fault and proves nothing: give it more rows, new ones, or a lower --rate"
