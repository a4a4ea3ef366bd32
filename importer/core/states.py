"""How a row may end, and what it may become. One transition table; the journal refuses any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class RowState(StrEnum):
    """The state of a row. The last eight are final and appear in results; `valid` only in dry runs."""

    READY = "ready"
    SENDING = "sending"
    VALID = "valid"
    CREATED = "created"
    EXISTING = "existing"
    INVALID = "invalid"
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


FINAL_STATES: tuple[RowState, ...] = (
    RowState.CREATED,
    RowState.EXISTING,
    RowState.INVALID,
    RowState.REJECTED,
    RowState.FAILED,
    RowState.UNKNOWN,
    RowState.UNSENT,
)


DRY_RUN_STATES: tuple[RowState, ...] = (RowState.VALID, RowState.INVALID)


STATE_MEANINGS: Mapping[RowState, str] = MappingProxyType(
    {
        RowState.VALID: "passed the check; a dry run sends nothing",
        RowState.CREATED: "the API created this customer in this run",
        RowState.EXISTING: "the customer was there already: from an earlier run, or found by look-up",
        RowState.INVALID: "failed the check, or is a duplicate inside the file; never sent",
        RowState.REJECTED: "the API refused it for good",
        RowState.FAILED: "given up after retries; no customer was created",
        RowState.UNKNOWN: "sent, but neither the answer nor look-ups show whether it was created",
        RowState.UNSENT: "the run stopped first",
    }
)
"""Each state that results show, for people."""


TRANSITIONS: Mapping[RowState, frozenset[RowState]] = MappingProxyType(
    {
        RowState.READY: frozenset(
            {RowState.SENDING, RowState.EXISTING, RowState.UNSENT, RowState.INVALID, RowState.VALID}
        ),
        # `unsent` after `sending`: the run stopped before the request's first byte left.
        RowState.SENDING: frozenset(
            {
                RowState.CREATED,
                RowState.EXISTING,
                RowState.REJECTED,
                RowState.FAILED,
                RowState.UNKNOWN,
                RowState.UNSENT,
            }
        ),
        RowState.VALID: frozenset(),
        RowState.CREATED: frozenset(),
        RowState.EXISTING: frozenset(),
        RowState.INVALID: frozenset(),
        RowState.REJECTED: frozenset(),
        RowState.FAILED: frozenset(),
        RowState.UNKNOWN: frozenset(),
        RowState.UNSENT: frozenset(),
    }
)
"""What may follow what inside one pass over a run. The journal refuses any other change."""


AMENDMENTS: Mapping[RowState, frozenset[RowState]] = MappingProxyType(
    {
        RowState.CREATED: frozenset({RowState.UNKNOWN}),
        RowState.EXISTING: frozenset({RowState.UNKNOWN}),
        RowState.REJECTED: frozenset({RowState.UNKNOWN, RowState.CREATED}),
        RowState.UNKNOWN: frozenset({RowState.UNKNOWN, RowState.CREATED}),
    }
)
"""What a later look at a row that has ended may make of it."""


REOPENINGS: Mapping[RowState, RowState] = MappingProxyType(
    {
        RowState.FAILED: RowState.READY,
        RowState.UNSENT: RowState.READY,
        RowState.UNKNOWN: RowState.SENDING,
        RowState.INVALID: RowState.READY,
        RowState.REJECTED: RowState.READY,
    }
)
"""What another pass may open again. `unknown` becomes *in doubt*: looked up, never resent blindly. `invalid` and
`rejected` rows are opened by a change of their cells or of the profile alone, and checked anew."""


LEFT_OPEN: Mapping[RowState, RowState] = MappingProxyType(
    {RowState.READY: RowState.UNSENT, RowState.SENDING: RowState.UNKNOWN}
)
"""What a row is that a pass has left open, because it stopped or was cut off: never attempted, or in doubt."""


def as_reported(counts: Mapping[str, int]) -> dict[str, int]:
    """Count the rows that a pass has left open as what they are."""
    by_state: dict[str, int] = {}
    for name, count in counts.items():
        shown = name if name == "read" else str(LEFT_OPEN.get(RowState(name), name))
        by_state[shown] = by_state.get(shown, 0) + count
    return by_state


def balance(counts: Mapping[str, int], states: Iterable[RowState]) -> bool:
    """Return whether the counts of `states` add up to `counts["read"]`."""
    return sum(counts.get(state, 0) for state in states) == counts["read"]
