"""Duplicates inside a source: refused, kept once, or allowed; likenesses named; memory flat."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import Sequence
from random import Random
from typing import Literal

import pytest

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.contract import occurrence_key
from importer.core.frames import raw_batch
from importer.core.issues import Severity
from importer.customers.contract import CUSTOMERS
from importer.validation import DuplicateJudge
from importer.validation.equal_numbers import groups, numbers_of

ANN = -6051127309786191620
A, B, C = (letter * 32 for letter in "abc")


def batch_of(
    keys: Sequence[str | None],
    *,
    first: int = 0,
    emails: Sequence[str] | None = None,
    births: Sequence[str] | None = None,
) -> CheckedBatch:
    size = len(keys)
    raw = raw_batch(first, range(first + 2, first + 2 + size), ())
    alike = {kind: numbers_of(texts) for kind, texts in (("email", emails), ("name_birth", births)) if texts}
    return CheckedBatch(raw, [None if key is None else b"{}" for key in keys], keys, [""] * size, likenesses=alike)


def judge(*batches: CheckedBatch, policy: Literal["reject", "first", "allow"] = "reject") -> DuplicateVerdict:
    columns = {"externalId": "Id", "contacts.primary.primaryEmail.value": "Mail"}
    judging = DuplicateJudge(CUSTOMERS, policy, columns=columns)
    for batch in batches:
        judging.observe(batch)
    return judging.judge()


def test_rows_that_differ_are_left_alone() -> None:
    assert judge(batch_of([A, B, C])) == DuplicateVerdict()


def test_nothing_read_nothing_judged() -> None:
    assert judge() == DuplicateVerdict()
    assert judge(batch_of([])) == DuplicateVerdict()


def test_every_row_of_a_group_is_refused_and_names_the_others() -> None:
    issues = judge(batch_of([A, B, A]), batch_of([C, A], first=3)).issues
    assert [(one.ordinal, one.code, one.field, one.column) for one in issues] == [
        (ordinal, "duplicate_in_file", "externalId", "Id") for ordinal in (0, 2, 4)
    ]
    assert [one.message for one in issues] == [
        "This customer also appears in rows 4 and 6 of this file; keep one of them.",
        "This customer also appears in rows 2 and 6 of this file; keep one of them.",
        "This customer also appears in rows 2 and 4 of this file; keep one of them.",
    ]
    assert {one.severity for one in issues} == {Severity.ERROR}


def test_the_first_may_be_kept() -> None:
    verdict = judge(batch_of([A, B, A, A]), policy="first")
    assert [one.ordinal for one in verdict.issues] == [2, 3]
    assert verdict.issues[0].message == "This customer also appears in row 2 of this file, which is kept."
    assert not verdict.rekeyed


def test_allowed_duplicates_get_keys_of_their_own_from_the_second_on() -> None:
    verdict = judge(batch_of([A, B, A]), batch_of([A], first=3), policy="allow")
    assert verdict == DuplicateVerdict((), {2: occurrence_key(A, 2), 3: occurrence_key(A, 3)})


def test_invalid_rows_are_not_duplicates() -> None:
    assert judge(batch_of([None, None, A])) == DuplicateVerdict()


def test_keys_that_only_begin_alike_are_not_duplicates() -> None:
    assert judge(batch_of(["a" * 16 + "0" * 16, "a" * 16 + "1" * 16])) == DuplicateVerdict()


def test_a_likeness_only_warns_and_names_the_other_row() -> None:
    emails = ["s@example.com", "", "s@example.com", ""]
    issues = judge(batch_of([A, B, None, C], emails=emails)).issues
    assert [(one.ordinal, one.code, one.field, one.column) for one in issues] == [
        (0, "duplicate_email", "contacts.primary.primaryEmail.value", "Mail"),
        (2, "duplicate_email", "contacts.primary.primaryEmail.value", "Mail"),
    ]
    assert issues[0].message == "This email address also appears in row 4 of this file."
    assert issues[0].severity is Severity.WARNING


def test_one_and_the_same_customer_is_not_warned_about_as_well() -> None:
    issues = judge(batch_of([A, A], emails=["s@example.com"] * 2)).issues
    assert {one.code for one in issues} == {"duplicate_in_file"}


def test_names_with_birth_dates_are_compared_too() -> None:
    issues = judge(batch_of([A, B], births=["sarah green 1980"] * 2)).issues
    assert {one.code for one in issues} == {"duplicate_name_birth"}


def test_batches_without_some_likeness_keep_the_rows_in_step() -> None:
    issues = judge(batch_of([A]), batch_of([B, C], first=1, emails=["s@example.com"] * 2)).issues
    assert [one.ordinal for one in issues] == [1, 2]


def test_batches_may_leave_rows_out() -> None:
    issues = judge(batch_of([A], first=10), batch_of([A], first=500)).issues
    assert [one.ordinal for one in issues] == [10, 500]
    assert "row 502" in issues[0].message


def test_a_long_list_of_rows_is_cut_and_says_so() -> None:
    issues = judge(batch_of([A] * 30)).issues
    assert "rows 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 19 more" in issues[0].message
    assert "rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 19 more" in issues[29].message


@pytest.mark.parametrize("policy", ["reject", "first", "allow"])
def test_everything_in_one_group_is_not_slow(policy: Literal["reject", "first", "allow"]) -> None:
    verdict = judge(batch_of([A] * 20_000, emails=["s@example.com"] * 20_000), policy=policy)
    assert len(verdict.issues) + len(verdict.rekeyed) >= 19_999


def test_many_rows_are_judged_like_few() -> None:
    dice = Random(3)
    numbers = array("Q", (dice.choice((0, dice.randrange(2_000), dice.getrandbits(64))) for _ in range(30_000)))
    places: dict[int, list[int]] = {}
    for place, number in enumerate(numbers):
        places.setdefault(number, []).append(place)
    expected = [group for number, group in sorted(places.items()) if number and len(group) > 1]
    assert list(groups(lambda: numbers[:])) == expected
    assert not list(groups(lambda: array("Q", range(1, 30_000))))


def test_many_rows_are_judged_at_all() -> None:
    keys = [f"{n:016x}" * 2 for n in range(1, 25_001)]
    keys[-1] = keys[0]
    emails = ["s@example.com" if n in {7, 24_000} else "" for n in range(25_000)]
    issues = judge(batch_of(keys, emails=emails)).issues
    assert [(one.ordinal, one.code) for one in issues] == [
        (0, "duplicate_in_file"),
        (7, "duplicate_email"),
        (24_000, "duplicate_email"),
        (24_999, "duplicate_in_file"),
    ]


def test_a_row_takes_less_than_60_bytes() -> None:
    judging, size, rows = DuplicateJudge(CUSTOMERS, "reject"), 2_000, 120_000
    batches = [unlike(first, size) for first in range(0, rows, size)]
    assert list(groups(lambda: array("Q", [7, 7])))  # what is loaded once is none of the rows' cost
    tracemalloc.start()
    try:
        for batch in batches:
            judging.observe(batch)
        assert not judging.judge().issues
        assert tracemalloc.get_traced_memory()[1] < 60 * rows
    finally:
        tracemalloc.stop()


def unlike(first: int, size: int) -> CheckedBatch:
    numbers = range(first + 1, first + 1 + size)
    keys = [f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}" * 2 for n in numbers]
    alike = {kind: array("q", numbers) for kind in ("email", "phone", "name_birth")}
    return CheckedBatch(raw_batch(first, range(first, first + size), ()), (), keys, (), likenesses=alike)


def test_a_text_is_the_same_number_in_every_process_and_a_blank_one_is_none() -> None:
    found = numbers_of(["ann@example.com", "", "ann@example.com", "Ann", "é"])

    assert found[0] == found[2] == ANN
    assert found[1] == 0
    assert len(set(found)) == 4
    assert not numbers_of([])
