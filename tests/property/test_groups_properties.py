"""Groups, whatever rows come in whatever order and batches: one body a group with every contact, or none."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.batches import CheckedBatch
from importer.core.frames import raw_batch
from importer.core.issues import Issue
from importer.customers.contract import CUSTOMERS
from importer.journal import Merging, RunHeader
from importer.journal.port.delivery import RunToSend
from importer.journal.sql.claims import Claims
from importer.journal.sql.intake import RunIntake
from importer.journal.sql.replay import Replay
from importer.journal.sql.runs import Runs
from importer.journal.sqlite.database import SqliteDatabase
from importer.validation import DuplicateJudge
from tests.effort import examples

NAMES = st.sampled_from(["", "bakery", "garage", "florist"])
ROW = st.tuples(NAMES, st.booleans(), st.booleans(), st.sampled_from("aab"))
ROWS = st.lists(ROW, min_size=1, max_size=25)
"""The group, whether the row has an error, whether it is marked as the main contact's, what it says of the business."""


def body(place: int, street: str) -> bytes:
    contact = {"primary": True, "firstName": f"Person {place}"}
    return json.dumps({"type": "BUSINESS", "businessName": "Firm", "website": street, "contacts": [contact]}).encode()


def key(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def batches(rows: list[tuple[str, bool, bool, str]], size: int) -> list[CheckedBatch]:
    made = []
    for first in range(0, len(rows), size):
        part = list(enumerate(rows[first : first + size], first))
        raw = raw_batch(first, [place + 2 for place, _ in part], [[str(place) for place, _ in part]])
        keys = [None if bad else key(group or str(place)) for place, (group, bad, _, _) in part]
        made.append(
            CheckedBatch(
                raw,
                [None if bad else body(place, street) for place, (_, bad, _, street) in part],
                keys,
                [""] * len(part),
                tuple(Issue(place, "email_invalid", "No.") for place, (_, bad, _, _) in part if bad),
                groups=[group for _, (group, _, _, _) in part],
                mains=[place for place, (_, _, main, _) in part if main],
            )
        )
    return made


@settings(max_examples=examples(120), deadline=None)
@given(ROWS, st.integers(1, 9))
def test_each_group_is_sent_whole_or_not_at_all(rows: list[tuple[str, bool, bool, str]], size: int) -> None:
    with (
        TemporaryDirectory() as folder,
        closing(SqliteDatabase(Path(folder) / "journal.sqlite3", durable=False)) as database,
    ):
        header = RunHeader("20260101T000000Z-aaaaaa", "s", "sandbox", "f.csv", "/f.csv", "c", "p", False, 1.0)
        run = Runs(database).begin(header).run
        intake = RunIntake(database, run, CUSTOMERS, merging=Merging("importKey", ("businessName",), {}))
        judge = DuplicateJudge(CUSTOMERS, "reject")
        for one in batches(rows, size):
            intake.load(one.raw)
            intake.record(one)
            judge.observe(one)
        intake.judged(judge.judge())
        with database.transaction() as tx:
            records = Claims(database, RunToSend(run, "s", CUSTOMERS, secret=b"s")).claim(tx, 1_000, 5.0).records
        results = list(Replay(database, run).results())

    sent = {
        frozenset(int(one["firstName"].split()[1]) for one in json.loads(record.payload)["contacts"])
        for record in records
    }
    groups: dict[object, list[int]] = defaultdict(list)
    for place, (group, _, _, _) in enumerate(rows):
        groups[group or place].append(place)
    expected = {frozenset(places) for places in groups.values() if fits([rows[place] for place in places])}
    assert sent == expected
    assert len(records) == len(expected)
    for places in groups.values():
        assert len({results[place].state for place in places}) == 1
    assert all(result.errors for result in results if result.state.value == "invalid")
    assert sum(result.state.value == "sending" for result in results) == sum(map(len, expected))


def fits(rows: list[tuple[str, bool, bool, str]]) -> bool:
    """Whether rows can be one business: none has an error, they agree, and one main contact is marked at most."""
    alone = len(rows) == 1
    agreed = len({street for _, _, _, street in rows}) == 1
    return not any(bad for _, bad, _, _ in rows) and (alone or (agreed and sum(main for _, _, main, _ in rows) <= 1))
