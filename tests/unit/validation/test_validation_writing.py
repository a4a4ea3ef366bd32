"""What is sent of a row has one hash, whether its body is kept, is not, or is read from the journal later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd
import pytest

from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.contract import Contract
from importer.core.frames import raw_batch
from importer.customers.contract import CUSTOMERS
from importer.profile.settings import ValidationSettings
from importer.runs.plans.bodies import Stamp, stored_digest
from importer.validation import Validator, Wanted, policy_of
from tests.toy_target.contract import MEMBERS
from tests.unit.validation.test_validation_after_create import LIMITS
from tests.unit.validation.test_validation_validator import BAKERY, SARAH, batch_of

HASHED, BOTH = Wanted(bodies=False, digests=True), Wanted(digests=True)
NOTHING = bytes(32)
PEOPLE = (
    {"type": "INDIVIDUAL", **SARAH, "metadata.from": "crm"},
    {"type": "BUSINESS", **BAKERY},
    {"type": "INDIVIDUAL", **SARAH, "primaryEmail.value": "nobody"},
    {"type": "neither", **SARAH},
    {"type": "INDIVIDUAL", **SARAH, **LIMITS},
)


def check(
    batch: MappedBatch, wanted: Wanted, secret: bytes = b"s" * 32, contract: Contract = CUSTOMERS
) -> CheckedBatch:
    policy = policy_of(ValidationSettings(), date(2026, 11, 22))
    return Validator(contract, policy, secret=secret, stamp="importKey", wanted=wanted).check(batch)


def people(*rows: Mapping[str, str]) -> MappedBatch:
    names = dict.fromkeys(name for row in PEOPLE for name in row)
    return batch_of(*({name: row.get(name, "") for name in names} for row in rows))


def members() -> MappedBatch:
    columns = {"ref": ["A-1", "A-2"], "fullName": ["Ada", "Bob"], "mail": ["ada@example.com", "bob@example.com"]}
    raw = raw_batch(0, [2, 3], [], names=[])
    frame = pd.DataFrame(columns, dtype="str", index=raw.frame.index)
    return MappedBatch(raw, frame, {name: name for name in columns})


def stored(checked: CheckedBatch, contract: Contract) -> bytes:
    """The same hashes, of what a journal keeps."""
    after = checked.after or [None] * len(checked.payloads)
    sent, stamp = zip(checked.payloads, after, strict=True), Stamp(contract.bodies, "importKey")
    return b"".join(NOTHING if body is None else stored_digest(body, rest, stamp) for body, rest in sent)


@pytest.mark.parametrize(("batch", "contract"), [(people(*PEOPLE), CUSTOMERS), (members(), MEMBERS)])
def test_a_body_has_the_same_hash_kept_or_not_and_whatever_its_import_key(
    batch: MappedBatch, contract: Contract
) -> None:
    alone, both = check(batch, HASHED, contract=contract), check(batch, BOTH, contract=contract)
    elsewhere = check(batch, HASHED, b"t" * 32, contract)

    assert alone.digests == both.digests == elsewhere.digests == stored(both, contract)
    assert elsewhere.keys != alone.keys == both.keys
    assert [body is None for body in alone.payloads] == [body is None for body in both.payloads]


def test_bodies_are_the_same_where_their_hashes_are_wanted_too() -> None:
    batch = people(*PEOPLE)

    both, plain = check(batch, BOTH), check(batch, Wanted())

    assert both.payloads == plain.payloads
    assert both.after == plain.after
    assert plain.digests == b""


def test_a_row_with_errors_has_no_hash_and_every_other_one_has_its_own() -> None:
    digests = check(people(*PEOPLE), HASHED).digests
    each = [digests[at : at + 32] for at in range(0, len(digests), 32)]

    assert [one == NOTHING for one in each] == [False, False, True, True, False]
    assert len(set(each)) == 4
    assert check(people(PEOPLE[3]), HASHED).digests == NOTHING
