"""The `issues` table: what is found later comes later, and what is removed is removed from the line that holds it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.issues import Issue, IssueCollector, IssueKind, IssueLog, Severity
from importer.journal.sql.database import Database
from importer.journal.sql.issue_rows import (
    STRETCH,
    insert_issues,
    issues_between,
    pack_issues,
    remove_issues,
    unpack_issues,
)

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
_KINDS = st.builds(IssueKind, _TEXTS, _TEXTS, _TEXTS, _TEXTS, st.sampled_from(Severity))
_WARNING = IssueKind("name_unusual", "Look.", "firstName", "First", Severity.WARNING)
_ERROR = IssueKind("required_missing", "Fill it in.", "email", "Mail")
_OF_DELIVERY = IssueKind("api_error", "Refused.")


@given(st.lists(st.tuples(st.integers(0, 2**40), _KINDS), min_size=1, max_size=30))
def test_issues_come_back_as_they_were_packed(found: list[tuple[int, IssueKind]]) -> None:
    collector = IssueCollector()
    for ordinal, kind in found:
        collector.add(ordinal, kind)
    log = collector.log()

    assert unpack_issues(pack_issues(log)) == log


def test_kinds_that_no_row_has_are_not_packed() -> None:
    log = IssueLog.of([Issue(0, *_WARNING), Issue(1, *_ERROR)]).between(1, 2)

    assert unpack_issues(pack_issues(log)).kinds == (_ERROR,)


def held(database: Database, first: int = 0, end: int = 3 * STRETCH) -> list[tuple[int, str]]:
    return [(issue.ordinal, issue.code) for issue in issues_between(database.connection, 1, first, end)]


@pytest.fixture
def found(database: Database) -> Database:
    """A journal with issues of three stretches, found in two goes; and one of another run."""
    with database.transaction() as tx:
        insert_issues(
            tx, 1, [Issue(row, *kind) for row in (3, STRETCH, 2 * STRETCH + 1) for kind in (_ERROR, _WARNING)]
        )
        insert_issues(tx, 1, [Issue(row, *_OF_DELIVERY) for row in (2, 3, STRETCH - 1)])
        insert_issues(tx, 2, [Issue(3, *_ERROR)])
    return database


def test_issues_are_read_by_row_and_in_the_order_of_finding(found: Database) -> None:
    assert held(found) == [
        (2, "api_error"),
        *[(3, code) for code in ("required_missing", "name_unusual", "api_error")],
        (STRETCH - 1, "api_error"),
        *[(STRETCH, code) for code in ("required_missing", "name_unusual")],
        *[(2 * STRETCH + 1, code) for code in ("required_missing", "name_unusual")],
    ]
    assert held(found, 3, 4) == [(3, "required_missing"), (3, "name_unusual"), (3, "api_error")]
    assert held(found, 4, STRETCH - 1) == []


def test_issues_that_are_found_one_by_one_are_kept_in_few_lines(database: Database) -> None:
    """Else whoever reads or removes the issue of one row would read as many lines as there are rows."""
    rows = [(7 * place) % 500 for place in range(500)]
    for row in rows:
        with database.transaction() as tx:
            insert_issues(tx, 1, [Issue(row, *_WARNING), Issue(row // 2, f"code_{row}", "Refused.")])
    ((lines,),) = database.connection.execute("SELECT count(*) FROM issues").fetchall()
    expected = IssueLog.of(*([Issue(row, *_WARNING), Issue(row // 2, f"code_{row}", "Refused.")] for row in rows))

    assert lines < 12
    assert held(database) == [(issue.ordinal, issue.code) for issue in expected]


@pytest.mark.parametrize(
    ("ordinals", "more", "goes"),
    [
        (None, {"codes": ["required_missing"]}, lambda _, code: code == "required_missing"),
        ({3}, {}, lambda row, _: row == 3),
        ({3, STRETCH}, {"errors_only": True}, lambda row, code: row in {3, STRETCH} and code != "name_unusual"),
        (range(STRETCH), {}, lambda row, _: row < STRETCH),
        ((), {}, lambda *_: False),
        (None, {}, lambda *_: True),
    ],
)
def test_issues_are_removed_by_row_code_and_severity(
    found: Database, ordinals: Collection[int] | None, more: dict[str, Any], goes: Callable[[int, str], bool]
) -> None:
    before = held(found)
    with found.transaction() as tx:
        remove_issues(tx, 1, ordinals, **more)

    assert held(found) == [one for one in before if not goes(*one)]
    assert [issue.code for issue in issues_between(found.connection, 2, 0, STRETCH)] == ["required_missing"]
