"""Rows that were sent more than once although an earlier create of theirs may have arrived. In SQL; synchronous.

Each has the warning `sent_again`, and stays here until a look long after its last send has found no second customer.
What a look finds changes how its row ended: that is the only change of a row that has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from importer.core.issues import Issue, Severity
from importer.core.outcomes import EarlierForm, Record, Resent
from importer.core.states import RowState
from importer.journal.sql.database import Connection
from importer.journal.sql.groups import SPEAKS
from importer.journal.sql.issue_rows import insert_issues, issues_between
from importer.journal.sql.packing import unpack_payloads, unpack_rows

_WARNING = (
    "sent_again",
    "An earlier request had no clear answer and look-ups found no customer, so this row was sent again.",
)
_LOOKED_AT = (RowState.CREATED, RowState.EXISTING, RowState.REJECTED, RowState.UNKNOWN)


def keep_resent(tx: Connection, run: int, ordinal: int, now: float) -> None:
    """Keep that a row is about to be sent again, and warn about it once."""
    known = tx.execute("SELECT 1 FROM resent WHERE run = ? AND ordinal = ?", (run, ordinal)).fetchone()
    tx.execute(
        "INSERT INTO resent VALUES (?, ?, ?) ON CONFLICT (run, ordinal) DO UPDATE SET sent_at = excluded.sent_at",
        (run, ordinal, now),
    )
    warned = known or any(issue.code == _WARNING[0] for issue in issues_between(tx, run, ordinal, ordinal + 1))
    if not warned:
        insert_issues(tx, run, (Issue(ordinal, *_WARNING, severity=Severity.WARNING),))


def forget_resent(tx: Connection, run: int, ordinal: int) -> None:
    """A row was looked at for the last time; where its fate is known, what it was before it came back goes, too."""
    tx.execute("DELETE FROM resent WHERE run = ? AND ordinal = ?", (run, ordinal))
    tx.execute(
        "DELETE FROM sent WHERE run = ? AND ordinal = ? AND EXISTS (SELECT 1 FROM rows r"
        " WHERE r.run = sent.run AND r.ordinal = sent.ordinal AND r.state IN ('created', 'existing'))",
        (run, ordinal),
    )


def is_customer_of_a_row(tx: Connection, customer_id: str, but: tuple[int, int] = (-1, -1)) -> bool:
    """Whether a row of any run is known to be this customer.

    Args:
        but: the run and ordinal of a row that does not count.
    """
    return bool(
        tx.execute(
            "SELECT EXISTS (SELECT 1 FROM rows WHERE customer_id = ?"
            " AND NOT (run = ? AND coalesce(leader, ordinal) = ?))",
            (customer_id, *but),
        ).fetchone()[0]
    )


def resent_rows(tx: Connection, run: int) -> list[Resent]:
    """The rows of a run to look at again, the one that was sent first before the others."""
    return sorted(_resent(tx, run), key=lambda one: one.sent_at)


def _resent(tx: Connection, run: int) -> Iterator[Resent]:
    marks = ",".join("?" * len(_LOOKED_AT))
    batch: _Batch | None = None
    for ordinal, sent_at, state, key, external_id, customer_id, since, attempts in tx.execute(
        "SELECT r.ordinal, s.sent_at, r.state, r.key, coalesce(r.external_id, ''), coalesce(r.customer_id, ''),"
        " coalesce(r.doubt_since, 0), r.attempts FROM resent s JOIN rows r ON r.run = s.run AND r.ordinal = s.ordinal"
        f" WHERE s.run = ? AND r.state IN ({marks}) ORDER BY s.ordinal",
        (run, *(state.value for state in _LOOKED_AT)),
    ).fetchall():
        if batch is None or ordinal - batch.first >= len(batch.rows):
            batch = _batch_of(tx, run, ordinal)
        if batch.payloads:
            record = Record(
                ordinal,
                batch.rows[ordinal - batch.first],
                key,
                batch.payloads[ordinal - batch.first],
                external_id=external_id,
                in_doubt=True,
                doubt_since=since,
                prior_attempts=attempts,
                earlier=earlier_forms(tx, run, ordinal),
            )
            yield Resent(record, RowState(state), customer_id, sent_at)


class _Batch(NamedTuple):
    """Rows that are kept together: the numbers that a person sees, and their bodies; none: they were removed."""

    first: int
    rows: Sequence[int]
    payloads: Sequence[bytes]


def _batch_of(tx: Connection, run: int, ordinal: int) -> _Batch:
    first, numbers, payloads = tx.execute(
        "SELECT first, rows, payloads FROM batches WHERE run = ? AND first <= ? ORDER BY first DESC LIMIT 1",
        (run, ordinal),
    ).fetchone()
    return _Batch(first, unpack_rows(numbers), unpack_payloads(payloads) if payloads is not None else ())


def earlier_forms(tx: Connection, run: int, ordinal: int) -> tuple[EarlierForm, ...]:
    """Every other form of a row that may have been sent, the first one first."""
    found = tx.execute(
        "SELECT key, external_id, payload FROM sent WHERE run = ? AND ordinal = ? ORDER BY number", (run, ordinal)
    )
    return tuple(EarlierForm(*form) for form in found)


def shared_customers(tx: Connection, run: int) -> list[tuple[str, Sequence[int]]]:
    """Every customer that several created rows have, and the ordinals of those of this run.

    Where only one is, the others are of other runs of its scope, and have other keys.
    """
    found = tx.execute(
        f"SELECT customer_id, ordinal FROM rows r WHERE run = :run AND state = :state AND {SPEAKS}"
        " AND (EXISTS (SELECT 1 FROM rows o WHERE o.customer_id = r.customer_id AND o.run = r.run"
        " AND o.ordinal <> r.ordinal AND o.state = :state AND (o.leader IS NULL OR o.leader = o.ordinal))"
        " OR EXISTS (SELECT 1 FROM rows o JOIN runs u ON u.run = o.run"
        " WHERE o.customer_id = r.customer_id AND o.run <> :run AND o.state = :state AND o.key <> r.key"
        " AND u.scope = (SELECT scope FROM runs WHERE run = :run))) ORDER BY customer_id, ordinal",
        {"run": run, "state": RowState.CREATED.value},
    ).fetchall()
    return [(one, [ordinal for _, ordinal in rows]) for one, rows in groupby(found, itemgetter(0))]
