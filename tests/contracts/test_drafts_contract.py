"""Drafts and their corrections, whatever keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from importer.core.errors import BusyError, UsageError
from importer.journal import (
    Act,
    CheckChoices,
    Correction,
    Draft,
    DraftFacts,
    Drafts,
    Location,
    Reading,
    keep_elsewhere,
    open_drafts,
)
from tests.postgres import shared_server


def postgres(folder: Path) -> Drafts:
    """The drafts of a workspace whose journal is in PostgreSQL; it is emptied when the workspace is new."""
    if not Location.of_workspace(folder).url:
        keep_elsewhere(folder, shared_server().emptied())
    return open_drafts(folder)


ADAPTERS: dict[str, Callable[[Path], Drafts]] = {"postgres": postgres, "sqlite": open_drafts}
"""Name of an adapter to what opens the drafts of a workspace."""

ONE, TWO = "20261122T083000Z-00000a", "20261123T083000Z-00000b"
MADE = Act(1_000.0, "kim", "made")


@pytest.fixture(params=sorted(ADAPTERS))
def opener(request: pytest.FixtureRequest) -> Callable[[Path], Drafts]:
    return ADAPTERS[request.param]


@pytest.fixture
def drafts(tmp_path: Path, opener: Callable[[Path], Drafts]) -> Iterator[Drafts]:
    with closing(opener(tmp_path)) as opened:
        opened.add(Draft(ONE, "kim", 1_000.0, 1_000.0), MADE)
        yield opened


def act(what: str, at: float = 2_000.0, by: str = "ana") -> Act:
    return Act(at, by, what)


def cell(row: int, after: str, before: str = "Fax", column: str = "Phone type") -> Correction:
    return Correction(row, column, before, after)


def test_a_new_draft_is_there_for_whoever_opens_the_drafts_again(
    tmp_path: Path, drafts: Drafts, opener: Callable[[Path], Drafts]
) -> None:
    with closing(opener(tmp_path)) as again:
        assert again.find(ONE) == Draft(ONE, "kim", 1_000.0, 1_000.0)
        assert again.acts(ONE) == [MADE]


def test_drafts_are_listed_by_their_last_change(drafts: Drafts) -> None:
    drafts.add(Draft(TWO, "kim", 1_500.0, 1_500.0), MADE)
    assert [draft.id for draft in drafts.all()] == [TWO, ONE]

    drafts.note(ONE, DraftFacts(file="a.csv"), act("received"))

    assert [draft.id for draft in drafts.all()] == [ONE, TWO]


def test_what_is_noted_is_added_to_what_is_known(drafts: Drafts) -> None:
    drafts.note(ONE, DraftFacts(file="a.csv", size_bytes=7), act("received"))
    noted = drafts.note(
        ONE,
        DraftFacts(
            reading=Reading(sheet=2, header_row=4),
            rules={"firstName": "Vorname", "type": {"value": "INDIVIDUAL"}},
            validation=CheckChoices(date_order="dmy"),
        ),
        act("mapping chosen", 3_000.0),
    )

    assert noted == drafts.find(ONE)
    assert (noted.version, noted.changed_at, noted.made_at) == (3, 3_000.0, 1_000.0)
    assert (noted.facts.file, noted.facts.reading) == ("a.csv", Reading(sheet=2, header_row=4))
    assert noted.facts.rules == {"firstName": "Vorname", "type": {"value": "INDIVIDUAL"}}
    assert drafts.note(ONE, DraftFacts(rules=None), act("mapping chosen")).facts.rules is None


def test_a_draft_that_somebody_else_has_changed_is_not_changed_unseen(drafts: Drafts) -> None:
    drafts.note(ONE, DraftFacts(file="a.csv"), act("received"), seen=1)

    with pytest.raises(BusyError, match=r"Somebody else changed this draft\. Load it again"):
        drafts.note(ONE, DraftFacts(file="b.csv"), act("received"), seen=1)
    with pytest.raises(BusyError):
        drafts.correct(ONE, [cell(2, "HOME")], act("corrected"), seen=1)
    with pytest.raises(BusyError):
        drafts.undo(ONE, act("undone"), seen=1)

    assert (drafts.find(ONE).facts.file, drafts.find(ONE).version) == ("a.csv", 2)
    assert drafts.corrections(ONE) == []
    assert [one.what for one in drafts.acts(ONE)] == ["made", "received"]


def test_of_two_programs_that_saw_the_same_version_one_may_change_it(
    tmp_path: Path, drafts: Drafts, opener: Callable[[Path], Drafts]
) -> None:
    with closing(opener(tmp_path)) as other:
        seen = other.find(ONE).version
        drafts.correct(ONE, [cell(2, "HOME")], act("corrected"), seen=seen)
        with pytest.raises(BusyError):
            other.correct(ONE, [cell(2, "WORK")], act("corrected"), seen=seen)

        assert other.corrections(ONE) == [cell(2, "HOME")]


def test_there_is_one_correction_a_cell_the_newest(drafts: Drafts) -> None:
    drafts.correct(ONE, [cell(3, "HOME"), cell(2, "HOME"), cell(2, "Ana", "ana", "Name")], act("corrected"))
    drafts.correct(ONE, [cell(2, "WORK")], act("corrected"))

    assert drafts.corrections(ONE) == [cell(2, "Ana", "ana", "Name"), cell(2, "WORK"), cell(3, "HOME")]
    assert drafts.corrections(ONE, rows=[3, 4]) == [cell(3, "HOME")]
    assert drafts.corrections(ONE, rows=[]) == []


def test_a_cell_that_gets_its_own_text_again_is_not_corrected(drafts: Drafts) -> None:
    drafts.correct(ONE, [cell(2, "HOME")], act("corrected"))
    drafts.correct(ONE, [cell(2, "Fax")], act("corrected"))

    assert drafts.corrections(ONE) == []
    drafts.undo(ONE, act("undone"))
    assert drafts.corrections(ONE) == [cell(2, "HOME")]


def test_a_cell_that_was_confirmed_as_it_is_has_a_correction(drafts: Drafts) -> None:
    drafts.correct(ONE, [cell(2, "Fax"), cell(3, "HOME")], act("corrected"))

    assert drafts.corrections(ONE) == [cell(2, "Fax"), cell(3, "HOME")]


def test_undo_takes_back_what_was_made_at_once_the_newest_first(drafts: Drafts) -> None:
    drafts.correct(ONE, [cell(2, "HOME")], act("corrected"))
    drafts.correct(ONE, [cell(row, "WORK") for row in range(2, 12)], act("corrected alike", 3_000.0, "kim"))

    assert drafts.undo(ONE, act("undone")).edits == 3
    assert drafts.corrections(ONE) == [cell(2, "HOME")]
    drafts.undo(ONE, act("undone"))
    assert drafts.corrections(ONE) == []
    with pytest.raises(UsageError, match="There is no correction to undo"):
        drafts.undo(ONE, act("undone"))

    assert drafts.find(ONE).edits == 4
    assert [(one.number, one.cells, one.made_by, one.undone) for one in drafts.changes(ONE)] == [
        (2, 10, "kim", True),
        (1, 1, "ana", True),
    ]
    assert [one.what for one in drafts.acts(ONE)][-4:] == ["corrected", "corrected alike", "undone", "undone"]


def test_corrections_after_an_undo_are_a_new_change(drafts: Drafts) -> None:
    drafts.correct(ONE, [cell(2, "HOME")], act("corrected"))
    drafts.undo(ONE, act("undone"))
    drafts.correct(ONE, [cell(2, "WORK")], act("corrected"))

    assert drafts.corrections(ONE) == [cell(2, "WORK")]
    assert [(one.number, one.columns, one.undone) for one in drafts.changes(ONE)] == [
        (2, ("Phone type",), False),
        (1, ("Phone type",), True),
    ]


def test_cells_that_are_read_otherwise_lose_their_corrections(drafts: Drafts) -> None:
    drafts.correct(ONE, [cell(2, "HOME")], act("corrected"))
    drafts.correct(ONE, [cell(3, "HOME")], act("corrected"))

    noted = drafts.note(ONE, DraftFacts(reading=Reading(sheet="B")), act("reading chosen"), drops_corrections=True)

    assert drafts.corrections(ONE) == []
    assert noted.edits > 2
    assert all(one.undone for one in drafts.changes(ONE))


def test_nothing_of_one_draft_is_seen_in_another(drafts: Drafts) -> None:
    drafts.add(Draft(TWO, "kim", 1_500.0, 1_500.0), MADE)
    drafts.correct(ONE, [cell(2, "HOME")], act("corrected"))
    drafts.correct(TWO, [cell(2, "WORK")], act("corrected"))
    drafts.undo(TWO, act("undone"))

    assert drafts.corrections(ONE) == [cell(2, "HOME")]
    assert drafts.corrections(TWO) == []


@pytest.mark.parametrize("text", ["a\x00b", "\udcff", "Zoë\n2nd line", "=1+1", ""])
def test_every_text_that_a_cell_can_hold_comes_back(drafts: Drafts, text: str) -> None:
    corrections = [Correction(2, "Näme\udcff", text, "x"), Correction(3, "Näme\udcff", "x", text)]
    drafts.correct(ONE, corrections, act("corrected"))

    assert drafts.corrections(ONE) == corrections


def test_what_was_removed_is_gone_with_everything_of_it(drafts: Drafts) -> None:
    drafts.add(Draft(TWO, "kim", 1_500.0, 1_500.0), MADE)
    drafts.correct(ONE, [cell(2, "HOME")], act("corrected"))

    drafts.remove([ONE, "20261124T083000Z-00000c"])

    assert [draft.id for draft in drafts.all()] == [TWO]
    for asked in (drafts.find, drafts.corrections, drafts.changes, drafts.acts):
        with pytest.raises(UsageError, match=f"There is no draft '{ONE}'"):
            asked(ONE)
    with pytest.raises(UsageError, match=f"There is no draft '{ONE}'"):
        drafts.correct(ONE, [cell(2, "HOME")], act("corrected"))


def test_drafts_that_nobody_has_changed_for_long_are_found(drafts: Drafts) -> None:
    drafts.add(Draft(TWO, "kim", 900.0, 900.0), MADE)
    assert [draft.id for draft in drafts.unchanged_since(1_000.5)] == [TWO, ONE]

    drafts.note(TWO, DraftFacts(file="a.csv"), act("received"))

    assert [draft.id for draft in drafts.unchanged_since(1_000.5)] == [ONE]
    assert drafts.unchanged_since(1_000.0) == []
