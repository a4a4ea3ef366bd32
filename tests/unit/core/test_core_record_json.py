"""Records are written as pydantic writes them, whatever they hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError, to_json

from importer.core.record_json import record_digest, record_json


class _Word(StrEnum):
    MOBILE = "MOBILE"


class _Kind(Enum):
    WORK = "work"


class _Text(str):
    __slots__ = ()


@dataclass(frozen=True)
class _Pair:
    first: int
    second: str


class _Number(int):
    pass


ATOMS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters()),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([UTC, None])),
    st.times(),
    st.decimals(allow_nan=False),
    st.timedeltas(),
    st.uuids(),
    st.binary(),
    st.sampled_from([_Word.MOBILE, _Kind.WORK, _Text("a\x00"), _Pair(1, "x"), _Number(3), frozenset({"a"})]),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)


def _written(write: Any, record: dict[str, Any]) -> bytes | type[Exception]:
    try:
        written: bytes = write(record)
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        return type(error)
    return written


@given(st.dictionaries(st.text(st.characters()) | st.integers(), VALUES))
def test_a_record_is_written_as_pydantic_writes_it(record: dict[str, Any]) -> None:
    written = _written(to_json, record)
    assert _written(record_json, record) == written
    assert _written(record_digest, record) == (sha256(written).digest() if isinstance(written, bytes) else written)


@pytest.mark.parametrize(
    "value",
    [
        *(1e16, 1e21, 1e-7, -0.0, 5e-324, 1.7976931348623157e308, 0.1, 123456789012345680.0),
        *(2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**40),
        "".join(map(chr, range(0x100))),
        "\u2028\u2029\ufeff\ufffe\U0001f600",
        datetime(2026, 1, 1, 12, 0, 0, 120, tzinfo=UTC),
        date(1, 1, 1),
        time(12, 0, 0, 5),
        timedelta(days=1, microseconds=3),
        Decimal("1.10"),
        UUID(int=5),
        _Word.MOBILE,
        _Kind.WORK,
        _Pair(1, "x"),
    ],
)
def test_what_the_two_could_write_otherwise(value: object) -> None:
    assert record_json({"a": [value]}) == to_json({"a": [value]})


def test_a_text_that_is_no_unicode_is_refused_as_pydantic_refuses_it() -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        record_json({"a": "\ud800"})
