"""`importer.core.issues`: a log reads like the issues it was made of, and holds each different one once."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.issues import Issue, IssueCollector, IssueKind, IssueLog, Severity

_FEW = st.sampled_from(["a", "b"])
_ISSUES = st.lists(
    st.builds(Issue, st.integers(0, 5), _FEW, _FEW, _FEW, _FEW, st.sampled_from(Severity)),
    max_size=12,
)
_WARNING = IssueKind("name_unusual", "This name is unusual.", "firstName", "First", Severity.WARNING)
_ERROR = IssueKind("required", "This field is required.", "email", "Mail")


@given(_ISSUES, _ISSUES)
def test_a_log_reads_by_row_and_within_a_row_in_the_order_of_finding(one: list[Issue], other: list[Issue]) -> None:
    log = IssueLog.of(one, IssueLog.of(other))

    assert list(log) == sorted([*one, *other], key=lambda issue: issue.ordinal)


@given(_ISSUES)
def test_a_log_is_the_sequence_of_its_issues(issues: list[Issue]) -> None:
    log = IssueLog.of(issues)
    read: Sequence[Issue] = sorted(issues, key=lambda issue: issue.ordinal)

    assert len(log) == len(read)
    assert [log[place] for place in range(len(log))] == read
    assert log[1:3] == tuple(read[1:3])
    assert log == read
    assert tuple(read) == log
    assert log != (*read, Issue(9, "c", ""))


@given(_ISSUES)
def test_a_log_survives_the_way_to_another_process(issues: list[Issue]) -> None:
    log = IssueLog.of(issues)

    assert pickle.loads(pickle.dumps(log)) == log  # noqa: S301 - our own


@given(_ISSUES)
def test_a_row_is_invalid_by_its_errors_alone(issues: list[Issue]) -> None:
    assert IssueLog.of(issues).invalid() == {one.ordinal for one in issues if one.severity is Severity.ERROR}


@given(_ISSUES, st.integers(0, 5), st.integers(0, 6))
def test_a_log_can_be_cut_by_rows(issues: list[Issue], first: int, end: int) -> None:
    log = IssueLog.of(issues)

    assert list(log.between(first, end)) == [one for one in log if first <= one.ordinal < end]


def test_an_issue_that_many_rows_have_is_held_once() -> None:
    collector = IssueCollector()
    collector.add_all(range(1_000), _WARNING)
    collector.add(7, _ERROR)
    log = collector.log()

    assert log.kinds == (_WARNING, _ERROR)
    assert [(column.kind, list(column.ordinals)) for column in log.columns()] == [
        (_WARNING, list(range(1_000))),
        (_ERROR, [7]),
    ]
    assert log[7:9] == (Issue(7, *_WARNING), Issue(7, *_ERROR))
    assert len(pickle.dumps(log)) < 13_000


@pytest.mark.parametrize("empty", [IssueLog(), IssueLog.of(), IssueLog.of([], ())])
def test_an_empty_log_is_false_and_equals_no_issues(empty: IssueLog) -> None:
    assert not empty
    assert empty == ()
    assert empty.columns() == []


@pytest.mark.parametrize("size", [10, 30_000])
def test_many_issues_in_any_order_come_to_the_same_as_few(size: int) -> None:
    collector = IssueCollector()
    for ordinal in reversed(range(size)):
        collector.add(ordinal, _WARNING)
        collector.add(ordinal, _ERROR)
        collector.forget_kinds()
    log = collector.log()

    assert log[:4] == (Issue(0, *_WARNING), Issue(0, *_ERROR), Issue(1, *_WARNING), Issue(1, *_ERROR))
    assert [issue.ordinal for issue in log] == sorted([*range(size)] * 2)
