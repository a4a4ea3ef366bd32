"""What a run notes of itself: typed, and read from what every earlier program has kept."""

from __future__ import annotations

import json

import pytest

from importer.core.errors import JournalError
from importer.core.sources import Detected, SourceInfo
from importer.journal import RateReceipt, RehearsalFacts, RunFacts, SourceFacts
from importer.journal.sql.database import Database
from importer.journal.sql.runs import Runs
from tests.unit.journal.conftest import OVER_BOTH, begin

OF_AN_OLDER_PROGRAM = {
    "limit": None,
    "pace": {"rate": "20/s", "concurrency": 8, "fail_fast": True},
    "path": "/data/a.csv",
    "mapping": {"lastName": "Surname"},
    "source": {"format": "csv", "detected": [["encoding", "utf-8", 1.0, "no other fits"]], "warnings": ["one"]},
    "rate": {
        "allowance": "10/s",
        "requests": 3,
        "seconds": 0.2,
        "achieved_per_s": 3.0,
        "largest": {"in any second": 3},
    },
    "a_word_of_then": {"nobody": "knows it"},
}


@OVER_BOTH
def test_facts_of_an_older_program_are_read_and_what_is_not_known_stays(database: Database) -> None:
    run, runs = begin(database), Runs(database)
    with database.transaction() as tx:
        tx.execute("UPDATE runs SET facts = ?", (json.dumps(OF_AN_OLDER_PROGRAM),))

    runs.note(run, RunFacts(others=2))

    facts = runs.facts(run)
    assert (facts.mapping, facts.rate.requests, facts.rate.most_in_flight) == ({"lastName": "Surname"}, 3, 0)
    assert facts.pace == {"rate": "20/s", "concurrency": 8, "fail_fast": True}
    assert facts.source.info("a.csv", ("Surname",), "") == SourceInfo(
        "a.csv", "csv", ("Surname",), "", (Detected("encoding", "utf-8", 1.0, "no other fits"),), ("one",)
    )
    assert facts.as_json() == {**OF_AN_OLDER_PROGRAM, "others": 2}


@OVER_BOTH
def test_only_what_was_noted_is_written_and_what_was_noted_empty_is_empty(database: Database) -> None:
    run, runs = begin(database), Runs(database)
    runs.note(run, RunFacts(rehearsal=RehearsalFacts(lost=1), stopped_by="sigint"))

    runs.note(run, RunFacts(rehearsal=RehearsalFacts()))

    assert runs.facts(run).as_json() == {"rehearsal": {}, "stopped_by": "sigint"}
    assert not runs.facts(run).rehearsal
    assert not runs.facts(run).rate


def test_a_source_is_noted_with_what_the_mapping_found_out() -> None:
    info = SourceInfo("a.csv", "csv", ("Born",), "", (Detected("encoding", "utf-8"),), ())

    noted = SourceFacts.of(info, (Detected("dates", "day first", 0.9, "31.1.1980"),))

    assert noted.as_json()["detected"] == [["encoding", "utf-8", 1.0, ""], ["dates", "day first", 0.9, "31.1.1980"]]


def test_a_later_note_wins_where_notes_are_merged() -> None:
    merged = RunFacts(limit=3, others=1).merged(RunFacts(others=2), RunFacts(rate=RateReceipt(requests=1)))

    assert merged.as_json() == {"limit": 3, "others": 2, "rate": {"requests": 1}}


@pytest.mark.parametrize("kept", ['{"passes": 7, "mapping": []}', "not JSON", "[]"])
def test_damaged_facts_are_an_error_that_names_the_run(kept: str) -> None:
    with pytest.raises(JournalError, match="noted of the run 20261122T083000Z-00000a cannot be read"):
        RunFacts.read(kept, "20261122T083000Z-00000a")
