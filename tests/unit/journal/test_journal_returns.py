"""Rows that come back: written in one commit, from no state that they may not be opened from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from importer.core.errors import JournalError
from importer.core.issues import Issue
from importer.core.states import RowState
from importer.journal import Comparison, Revision, RunFacts, Said
from importer.journal.sqlite.claims import Claims
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.returns import Returns, RunRows
from tests.unit.journal.conftest import begin, fill

HOW = Comparison("ignore", external_id_decides=True, target="live", columns={})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "journal.sqlite3")) as opened:
        yield opened


def states(database: Database, run: int) -> list[str]:
    found = database.connection.execute("SELECT state FROM rows WHERE run = ? ORDER BY ordinal", (run,))
    return [state for (state,) in found]


def put(database: Database, run: int, *states: RowState) -> None:
    with database.transaction() as tx:
        for ordinal, state in enumerate(states):
            tx.execute("UPDATE rows SET state = ? WHERE run = ? AND ordinal = ?", (state.value, run, ordinal))


def write(database: Database, run: int, *revisions: Revision) -> None:
    Returns(database, run, "live#main").write(
        revisions, said=Said(("returned_row_done",), ()), prints={}, how=HOW, facts=RunFacts(), profile=None
    )


def test_rows_come_back_with_their_cells_bodies_keys_and_issues(database: Database) -> None:
    run = begin(database, "20261123T083000Z-00000b", scope="live#main")
    fill(database, run, ["k0", "k1"])
    put(database, run, RowState.INVALID, RowState.REJECTED)
    rows = RunRows(database, run)
    width = len(rows.at(0).cells)

    bad = Issue(1, "email_invalid", "This is not a valid email address.")
    write(
        database,
        run,
        Revision(0, RowState.INVALID, RowState.READY, ["new"] * width, key="n0", payload=b'{"a":1}'),
        Revision(1, RowState.REJECTED, RowState.INVALID, ["other"] * width, issues=(bad,)),
    )

    rows = RunRows(database, run)
    assert (rows.at(0).state, rows.at(0).key, list(rows.at(0).cells)) == (RowState.READY, "n0", ["new"] * width)
    assert rows.payload(0) == b'{"a":1}'
    assert (rows.at(1).state, rows.at(1).errors) == (RowState.INVALID, (bad,))
    with database.transaction() as tx:
        claimed = Claims(database, run, "live#main").claim(tx, 10, 1_000.0)
    assert [(record.ordinal, record.key, record.in_doubt) for record in claimed.records] == [(0, "n0", False)]


@pytest.mark.parametrize("done", [RowState.CREATED, RowState.EXISTING])
def test_a_row_that_is_done_is_never_opened_and_nothing_else_of_that_return_is_written(
    database: Database, done: RowState
) -> None:
    run = begin(database, "20261123T083000Z-00000b", scope="live#main")
    fill(database, run, ["k0", "k1"])
    put(database, run, RowState.INVALID, done)

    with pytest.raises(JournalError):
        write(
            database,
            run,
            Revision(0, RowState.INVALID, RowState.READY, key="n0", payload=b"{}"),
            Revision(1, done, RowState.READY, key="n1", payload=b"{}"),
        )
    assert states(database, run) == ["invalid", done.value]


def test_a_row_that_has_changed_since_it_was_judged_is_not_written(database: Database) -> None:
    run = begin(database, "20261123T083000Z-00000b", scope="live#main")
    fill(database, run, ["k0"])
    put(database, run, RowState.CREATED)

    with pytest.raises(JournalError, match="changed while it was taken back"):
        write(database, run, Revision(0, RowState.INVALID, RowState.READY, key="n0", payload=b"{}"))


def test_a_row_in_doubt_keeps_every_form_that_may_have_been_sent(database: Database) -> None:
    run = begin(database, "20261123T083000Z-00000b", scope="live#main")
    fill(database, run, ["k0"])
    sent = RunRows(database, run).payload(0)
    put(database, run, RowState.UNKNOWN)
    write(database, run, Revision(0, RowState.UNKNOWN, RowState.SENDING, key="n0", payload=b'{"n":0}'))
    write(database, run, Revision(0, RowState.SENDING, RowState.SENDING, key="n1", payload=b'{"n":1}'))

    with database.transaction() as tx:
        (record,) = Claims(database, run, "live#main").claim(tx, 10, 1_000.0).records
    assert (record.in_doubt, record.key) == (True, "n1")
    assert [(form.key, form.payload) for form in record.earlier] == [("k0", sent), ("n0", b'{"n":0}')]


def test_rows_are_found_by_the_number_that_a_person_sees(database: Database) -> None:
    run = begin(database, "20261123T083000Z-00000b", scope="live#main")
    fill(database, run, ["k0", "k1", "k2"])
    rows = RunRows(database, run)
    numbers = [rows.number_of(ordinal) for ordinal in range(len(rows))]

    assert [found.ordinal for number in numbers if (found := rows.find(number))] == [0, 1, 2]
    assert rows.find(0) is rows.find(max(numbers) + 1) is None
