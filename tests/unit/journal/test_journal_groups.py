"""Rows of one business in the journal: one of them is sent, and the others are whatever becomes of it."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.frames import raw_batch
from importer.core.issues import Issue
from importer.core.outcomes import Attempt, FieldError, Outcome, Verdict
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.journal import Comparison, Merging, RunHeader
from importer.journal.port.delivery import RunToSend
from importer.journal.sql.claims import Claims
from importer.journal.sql.database import Database
from importer.journal.sql.earlier_runs import EarlierRuns
from importer.journal.sql.intake import RunIntake
from importer.journal.sql.replay import Replay
from importer.journal.sql.runs import Runs
from tests.unit.journal.conftest import OVER_BOTH

HOW = Merging("importKey", ("businessName",), {"externalId": "Number"})


def body(ordinal: int) -> bytes:
    contact = {"primary": True, "firstName": f"Person {ordinal}"}
    return json.dumps({"type": "BUSINESS", "businessName": "Firm", "contacts": [contact]}).encode()


def batch(first: int, keys: Sequence[str | None], issues: Sequence[Issue] = ()) -> CheckedBatch:
    ordinals = range(first, first + len(keys))
    raw = raw_batch(first, [ordinal + 2 for ordinal in ordinals], [[f"cell {ordinal}" for ordinal in ordinals]])
    payloads = [body(ordinal) if key else None for ordinal, key in zip(ordinals, keys, strict=True)]
    return CheckedBatch(raw, payloads, keys, [""] * len(keys), tuple(issues))


class Desk:
    """One run with groups, loaded and ready to be claimed."""

    def __init__(self, database: Database, batches: Sequence[CheckedBatch], leaders: Sequence[int]) -> None:
        self.database = database
        header = RunHeader("20260101T000000Z-aaaaaa", "s", "sandbox", "f.csv", "/f.csv", "c", "p", False, 1.0)
        self.run = Runs(database).begin(header).run
        self.intake = intake = RunIntake(database, self.run, CUSTOMERS, merging=HOW)
        for one in batches:
            intake.load(one.raw)
            intake.record(one)
        intake.judged(DuplicateVerdict(leaders=array("q", leaders)))

    @property
    def claims(self) -> Claims:
        return Claims(self.database, RunToSend(self.run, "s", CUSTOMERS, secret=b"s"))

    @property
    def states(self) -> list[str]:
        return [row.state.value for row in Replay(self.database, self.run).results()]


KEY, OTHER = "a" * 32, "b" * 32
SCATTERED = [batch(0, [KEY, OTHER]), batch(2, [KEY]), batch(3, [KEY])]
LEADERS = [2, -1, 2, 2]


def outcome(ordinal: int, state: RowState, **more: object) -> Outcome:
    attempt = Attempt(1, "create", 5.0, 0.1, Verdict.ACCEPT, 201)
    return Outcome(ordinal, KEY, state, attempts=(attempt,), **more)  # type: ignore[arg-type]


@OVER_BOTH
def test_one_record_is_claimed_for_a_group_whatever_batches_its_rows_lie_in(database: Database) -> None:
    desk = Desk(database, SCATTERED, LEADERS)
    claims = desk.claims
    with database.transaction() as tx:
        claimed = claims.claim(tx, 10, 5.0)

    assert [(record.ordinal, record.key) for record in claimed.records] == [(1, OTHER), (2, KEY)]
    people = [one["firstName"] for one in json.loads(claimed.records[1].payload)["contacts"]]
    assert people == ["Person 2", "Person 0", "Person 3"]
    assert json.loads(claimed.records[1].payload)["metadata"] == {"importKey": KEY}
    assert desk.states == ["sending"] * 4


@OVER_BOTH
def test_what_rows_bring_for_later_steps_goes_with_the_row_that_is_sent(database: Database) -> None:
    brought: dict[int, dict[str, Any]] = {
        0: {"beneficiaries": {"1": {"lastName": "Owner"}}},
        3: {"limits": {"daily": "5.00"}},
    }
    batches = [
        replace(one, after=[as_json(brought.get(one.raw.first + place)) for place in range(len(one.raw))])
        for one in SCATTERED
    ]
    desk = Desk(database, batches, LEADERS)
    with database.transaction() as tx:
        records = desk.claims.claim(tx, 10, 5.0).records
    assert set(json.loads(records[1].payload)) == {"type", "businessName", "contacts", "metadata"}
    kept = database.connection.execute("SELECT after FROM batches ORDER BY first").fetchall()
    assert [blob and json.loads(blob) for (blob,) in kept] == [None, {**brought[0], **brought[3]}, None]


def as_json(brought: object) -> bytes | None:
    return json.dumps(brought).encode() if brought else None


@pytest.mark.parametrize("state", [RowState.CREATED, RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN])
@OVER_BOTH
def test_all_rows_of_a_group_end_as_the_one_that_was_sent(database: Database, state: RowState) -> None:
    desk = Desk(database, SCATTERED, LEADERS)
    claims = desk.claims
    error = FieldError("businessName", "No.", "refused")
    with database.transaction() as tx:
        claims.claim(tx, 10, 5.0)
        claims.endings.settle(
            tx, [outcome(2, state, customer_id="c-1", http_status=201, trace_id="t", errors=(error,))]
        )

    rows = list(Replay(database, desk.run).results())
    assert [row.state for row in rows] == [state, RowState.SENDING, state, state]
    assert {(row.customer_id, row.http_status, row.trace_id) for row in (rows[0], rows[2], rows[3])} == {
        ("c-1", 201, "t")
    }
    assert [[issue.code for issue in row.errors] for row in rows] == [["refused"], [], ["refused"], ["refused"]]
    assert [row.attempts for row in rows] == [0, 0, 1, 0]
    assert Runs(database).counts(desk.run) == {"read": 4, state.value: 3, "sending": 1}


@OVER_BOTH
def test_a_group_that_was_cut_off_is_in_doubt_once(database: Database) -> None:
    desk = Desk(database, SCATTERED, LEADERS)
    with database.transaction() as tx:
        desk.claims.claim(tx, 10, 5.0)
    with database.transaction() as tx:
        claimed = desk.claims.claim(tx, 10, 9.0)

    assert [(record.ordinal, record.in_doubt, record.doubt_since) for record in claimed.records] == [
        (1, True, 5.0),
        (2, True, 5.0),
    ]


@OVER_BOTH
def test_a_stopped_group_is_opened_again_as_one(database: Database) -> None:
    desk = Desk(database, SCATTERED, LEADERS)
    with database.transaction() as tx:
        desk.claims.finish(tx)
    assert desk.states == ["unsent"] * 4
    Runs(database).reopen(desk.run, (RowState.UNSENT,))
    with database.transaction() as tx:
        assert len(desk.claims.claim(tx, 10, 5.0).records) == 2


@OVER_BOTH
def test_a_group_that_an_earlier_run_created_is_existing_in_all_its_rows(database: Database) -> None:
    first = Desk(database, SCATTERED, LEADERS)
    claims = first.claims
    with database.transaction() as tx:
        claims.claim(tx, 10, 5.0)
        claims.endings.settle(tx, [outcome(2, RowState.CREATED, customer_id="c-1")])
    header = RunHeader("20260102T000000Z-bbbbbb", "s", "sandbox", "f.csv", "/f.csv", "c", "p", False, 2.0)
    run = Runs(database).begin(header).run
    intake = RunIntake(database, run, CUSTOMERS, merging=HOW)
    for one in SCATTERED:
        intake.load(one.raw)
        intake.record(one)
    intake.judged(DuplicateVerdict(leaders=array("q", LEADERS)))
    with database.transaction() as tx:
        Claims(database, RunToSend(run, "s", CUSTOMERS, secret=b"s")).claim(tx, 10, 9.0)

    rows = list(Replay(database, run).results())
    assert [(row.state.value, row.customer_id) for row in rows if row.ordinal != 1] == [("existing", "c-1")] * 3
    assert EarlierRuns(database).known_from(run)[0].rows == 3


@OVER_BOTH
def test_one_invalid_row_holds_the_others_and_they_say_which(database: Database) -> None:
    wrong = Issue(2, "email_invalid", "No.")
    desk = Desk(database, [batch(0, [KEY, OTHER]), batch(2, [None], [wrong]), batch(3, [KEY])], [0, -1, 0, 0])

    rows = list(Replay(database, desk.run).results())
    assert [row.state.value for row in rows] == ["invalid", "ready", "invalid", "invalid"]
    assert [[issue.code for issue in row.errors] for row in rows] == [
        ["group_held"], [], ["email_invalid"], ["group_held"],
    ]  # fmt: skip
    assert rows[0].errors[0].message == "Row 4 of the same business has an error; fix it, and this row goes along."
    with database.transaction() as tx:
        assert [record.ordinal for record in desk.claims.claim(tx, 10, 5.0).records] == [1]


@OVER_BOTH
def test_a_row_is_explained_by_the_body_the_attempts_and_the_key_of_its_group(database: Database) -> None:
    desk = Desk(database, SCATTERED, LEADERS)
    claims, replay = desk.claims, Replay(database, desk.run)
    with database.transaction() as tx:
        claims.claim(tx, 10, 5.0)
        claims.endings.settle(tx, [outcome(2, RowState.CREATED, customer_id="c-1")])

    assert replay.payload(0) == replay.payload(2) != b""
    assert (len(replay.attempts(0)), replay.key(0), replay.group(0)) == (1, KEY, [4, 2, 5])
    assert (replay.group(1), replay.key(1)) == ([], OTHER)


@OVER_BOTH
def test_bodies_that_were_laid_aside_are_gone_once_they_are_merged(database: Database) -> None:
    Desk(database, SCATTERED, LEADERS)
    assert database.connection.execute("SELECT count(*) FROM members").fetchone() == (0,)


@OVER_BOTH
def test_rows_that_are_not_sent_themselves_are_compared_with_nothing(database: Database) -> None:
    desk = Desk(database, SCATTERED, LEADERS)
    with database.transaction() as tx:
        tx.execute(
            "INSERT INTO identities (scope, key, run, ordinal, since, rule) VALUES ('s', ?, 99, 0, 1.0, 1)", ("c" * 32,)
        )
    how = Comparison(CUSTOMERS, "warn", external_id_decides=False, target="sandbox", columns={}, allows_duplicates=True)
    desk.intake.compare_and_remember("s", b"s", how)

    with database.transaction() as tx:
        assert len(desk.claims.claim(tx, 10, 5.0).records) == 2
