"""Hashes over what would be sent: what changes them, and how differences are named."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from importer.core.batches import CheckedBatch, RawBatch
from importer.core.frames import text_frame
from importer.customers.contract import CUSTOMERS
from importer.journal.sql.spool import SpooledNumbers
from importer.runs.plans.bodies import BodyHashes, Stamp, stored_digest
from importer.runs.plans.checked_hashes import CheckedHashes

KEY = "0123456789abcdef" * 2
IMPORT_KEY, NO_KEY = Stamp(CUSTOMERS.bodies, "importKey"), Stamp(CUSTOMERS.bodies, "")


def digests(*names: object) -> list[bytes]:
    return [sha256(str(name).encode()).digest() for name in names]


def hashes(names: Sequence[object], first_row: int = 2) -> BodyHashes:
    return BodyHashes.of(digests(*names), range(first_row, first_row + len(names)))


def test_a_body_is_hashed_without_the_import_key_of_the_workspace() -> None:
    body = b'{"firstName":"Ann","metadata":{"importKey":"%b"}}'

    bare = sha256(b'{"firstName":"Ann"}').digest()

    assert stored_digest(body % KEY.encode(), None, IMPORT_KEY) == bare
    assert stored_digest(body % KEY[::-1].encode(), b"", IMPORT_KEY) == bare
    assert stored_digest(body % KEY.encode(), None, NO_KEY) != bare


@pytest.mark.parametrize("body", [{"firstName": "Ann"}, {"metadata": {"branch": "7"}, "firstName": "Ann"}])
def test_a_body_without_its_import_key_is_as_it_was_before(body: dict[str, object]) -> None:
    before = json.dumps(body)

    CUSTOMERS.bodies.stamp(body, "importKey", KEY)
    assert json.dumps(body) != before
    for _ in range(2):
        CUSTOMERS.bodies.unstamp(body, "importKey")
        assert json.dumps(body) == before


def test_a_text_that_is_equal_to_the_key_stays_in_the_hash() -> None:
    body = '{"externalId":"%s","metadata":{"importKey":"%s"}}'
    with_text, without = ((body % (text, KEY)).encode() for text in (KEY, ""))

    assert stored_digest(with_text, None, IMPORT_KEY) == sha256(b'{"externalId":"%b"}' % KEY.encode()).digest()
    assert stored_digest(with_text, None, IMPORT_KEY) != stored_digest(without, None, IMPORT_KEY)


def test_what_steps_after_the_create_send_is_hashed_with_the_body() -> None:
    body, after = b'{"firstName":"Ann"}', b'{"limits":{}}'

    assert stored_digest(body, after, NO_KEY) == sha256(b'{"firstName":"Ann","limits":{}}').digest()
    assert stored_digest(body, after, NO_KEY) != stored_digest(body, None, NO_KEY)


def test_no_bodies_have_a_hash_too() -> None:
    none = BodyHashes.of([])

    assert (none.root, none.count, none.chunks, none.rows) == (sha256().hexdigest(), 0, (), ())
    assert none.differences(hashes("a")) == ["1 row more"]
    assert hashes("ab").differences(none) == ["2 rows fewer", "rows 2 to 3"]


def test_the_same_bodies_differ_in_nothing() -> None:
    assert hashes("abc").differences(hashes("abc")) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("abXd", ["row 4"]),
        ("aXXd", ["rows 3 to 4"]),
        ("XbXd", ["rows 2, 4"]),
        ("abcdX", ["1 row more"]),
        ("abc", ["1 row fewer", "row 5"]),
        ("Xabcd", ["1 row more", "rows 2 to 5"]),
        ("abdc", ["the order of the rows (rows 4 to 5)"]),
    ],
)
def test_what_differs_is_named(now: str, said: list[str]) -> None:
    assert hashes("abcd").differences(hashes(now)) == said


def test_only_the_first_stretches_are_named() -> None:
    assert hashes("abcdefghi").differences(hashes("XbXdXfXhX")) == ["rows 2, 4, 6 and others"]


def test_many_rows_are_named_by_the_stretch_they_are_in() -> None:
    many = list(range(10_000))
    planned, now = hashes(many), hashes([*many[:5_000], "other", *many[5_001:]])

    assert (planned.chunk, len(planned.chunks)) == (16, 625)
    assert planned.differences(now) == ["rows 4,994 to 5,009"]


def test_plans_with_other_stretches_are_compared() -> None:
    many = list(range(1_030))
    planned, now = hashes(many[:1_000]), hashes(many)

    assert (planned.chunk, now.chunk) == (1, 2)
    assert planned.differences(now) == ["30 rows more"]
    assert now.differences(planned) == ["30 rows fewer", "rows 1,002 to 1,031"]


def test_rows_without_numbers_are_counted() -> None:
    assert BodyHashes.of(digests(*"abc")).differences(BodyHashes.of(digests(*"abX"))) == ["row 3"]


def test_rows_that_turn_out_to_be_invalid_leave(tmp_path: Path) -> None:
    found = CheckedHashes(SpooledNumbers(tmp_path, "Q"), SpooledNumbers(tmp_path, "Q"))
    names = [*"abcdefg"]
    for first, size in ((0, 3), (10, 4)):
        part = names[:3] if first == 0 else names[3:]
        frame = text_frame((), (), range(first + 2, first + 2 + size))
        found.observe(CheckedBatch(RawBatch(first, frame), [], [], [], digests=b"".join(digests(*part))))

    kept = BodyHashes.of(digests(*"acdf"), [2, 4, 12, 14])

    assert found.judged(array("Q", [1, 11, 13])) == kept
    assert found.judged(()).root == hashes("abcdefg").root
