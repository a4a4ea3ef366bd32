"""A contract may declare its records with pydantic's own types: what these refuse becomes an issue of its field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, NotRequired

import pandas as pd
import pytest
from pydantic import StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.contract import Columns, Contract, Policy
from importer.core.frames import raw_batch
from importer.core.issues import IssueCode
from importer.profile import ValidationSettings
from importer.validation import Validator, policy_of
from tests.toy_target.contract import CODES, MEMBERS, MemberChecks


class Member(TypedDict):
    """The fields of the toy target, without a line of code."""

    ref: NotRequired[Annotated[str, StringConstraints(pattern="^[A-Z]-[0-9]+$")]]
    fullName: Annotated[str, StringConstraints(min_length=1, max_length=10)]
    mail: Literal["ada@example.com", "bob@example.com"]


class PlainChecks(MemberChecks):
    """Rows of members, read by pydantic alone."""

    def adapter(self, record_type: str | None, policy: Policy) -> TypeAdapter[dict[str, Any]]:
        found: TypeAdapter[Any] = TypeAdapter(Member)
        return found


INVALID = IssueCode("value_invalid", "Not accepted", "{label} is not accepted; write {example}.", "Correct the cells.")
BLANK = IssueCode("string_too_short", "A blank name", "{label} is missing.", "Fill it in.")
PLAIN = replace(MEMBERS, load_checks=PlainChecks, codes={**CODES, INVALID.code: INVALID, BLANK.code: BLANK})


def check(contract: Contract, *rows: tuple[str, str, str]) -> CheckedBatch:
    names = ["ref", "fullName", "mail"]
    columns = [list(column) for column in zip(*rows, strict=True)]
    raw = raw_batch(0, list(range(2, 2 + len(rows))), columns, names=names)
    frame = pd.DataFrame(dict(zip(names, columns, strict=True)), dtype="str", index=raw.frame.index)
    policy = policy_of(ValidationSettings(), date(2026, 1, 1))
    batch = MappedBatch(raw, frame, dict(zip(names, names, strict=True)))
    return Validator(contract, policy, secret=b"s" * 32, stamp="").check(batch)


def test_what_pydantic_refuses_is_an_issue_of_the_field_under_the_codes_of_the_contract() -> None:
    checked = check(
        PLAIN,
        ("A-1", "Ada", "ada@example.com"),
        ("1", "Ada Example the First", "ada@example.com"),
        ("A-3", "", "eve@example.com"),
    )

    assert [body is None for body in checked.payloads] == [False, True, True]
    assert [(issue.ordinal, issue.code, issue.field) for issue in checked.issues] == [
        (1, "value_invalid", "ref"),
        (1, "too_long", "fullName"),
        (2, "string_too_short", "fullName"),
        (2, "value_invalid", "mail"),
    ]
    assert checked.issues[0].message == "Member reference is not accepted; write A-17."


def test_a_contract_says_with_its_fields_what_steps_after_the_create_send() -> None:
    class Record(Member):
        limits: NotRequired[dict[str, str]]

    class Checks(PlainChecks):
        def rows(self, record_type: str | None, mapped: Collection[str]) -> Callable[[Columns], Iterator[Any]]:
            plain = super().rows(record_type, mapped)
            return lambda columns: ({**row, "limits": {"daily": "5.00"}} for row in plain(columns))

        def adapter(self, record_type: str | None, policy: Policy) -> TypeAdapter[dict[str, Any]]:
            found: TypeAdapter[Any] = TypeAdapter(Record)
            return found

    rows = ("A-1", "Ada", "ada@example.com"), ("A-2", "", "bob@example.com")
    assert check(PLAIN, *rows).after == ()
    sent = {name: replace(spec, step="limits") if name == "ref" else spec for name, spec in PLAIN.fields.sent.items()}
    with_steps = replace(PLAIN, load_checks=Checks, fields=replace(PLAIN.fields, sent=sent))
    checked = check(with_steps, *rows)
    assert checked.after == [b'{"limits":{"daily":"5.00"}}', None]
    assert checked.payloads[0] is not None
    assert b"limits" not in checked.payloads[0]


def test_without_a_code_for_it_a_refusal_is_a_fault_of_the_contract() -> None:
    with pytest.raises(ValidationError):
        check(replace(MEMBERS, load_checks=PlainChecks), ("1", "Ada", "ada@example.com"))
