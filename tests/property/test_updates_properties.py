"""Whatever a row says and whatever a customer is like: what a row names is there afterwards, and all else stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.customers.update import merge
from tests.effort import examples

KEY = "0123456789abcdef" * 2
TEXT = st.text(alphabet="abcXYZ 019", min_size=1, max_size=8).map(str.strip).filter(bool)
BLANK = st.sampled_from(["", None])
HIDDEN = st.sampled_from(["*****0000", "900-00-0000"])
NAMES = ("firstName", "middleName", "lastName", "prefix", "suffix", "gender")
ADDRESS = st.fixed_dictionaries(
    {"type": st.sampled_from(["MAILING", "PHYSICAL"])},
    optional=dict.fromkeys(("streetLine1", "cityName", "apartmentNumber"), TEXT),
)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(NAMES, TEXT),
    "primaryEmail": st.fixed_dictionaries({}, optional={"value": TEXT}),
    "primaryPhoneNumber": st.fixed_dictionaries({}, optional={"type": TEXT, "provider": TEXT}),
    "metadata": st.dictionaries(st.sampled_from(["a", "b", "c"]), TEXT, max_size=3),
}
ROWS = st.fixed_dictionaries(
    {}, optional={**PARTS, "addresses": st.lists(ADDRESS, max_size=2, unique_by=lambda one: str(one["type"]))}
)
CUSTOMERS = st.fixed_dictionaries(
    {"id": st.just("c-1"), "type": st.just("INDIVIDUAL"), "status": st.just("ACTIVE")},
    optional={
        **{name: st.one_of(part, BLANK) for name, part in PARTS.items()},
        "socialId": HIDDEN,
        "future": st.one_of(TEXT, st.fixed_dictionaries({"deep": TEXT})),
        "addresses": st.lists(
            st.tuples(ADDRESS, st.booleans()).map(lambda one: {**one[0], "primary": one[1]}), max_size=4
        ),
    },
)
_OWNED = {"id", "status"}


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{name}.{key}")
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from leaves(part, f"{name}[{at}]")
    elif value not in ("", None):
        yield name, value


@settings(max_examples=examples(300), deadline=None)
@given(customer=CUSTOMERS, row=ROWS)
def test_a_customer_that_was_written_is_as_the_row_says(customer: dict[str, Any], row: dict[str, Any]) -> None:
    written = merge(customer, row, KEY).body
    assert merge({**written, "id": "c-1", "status": "ACTIVE"}, row, KEY).changes == ()


@settings(max_examples=examples(300), deadline=None)
@given(customer=CUSTOMERS, row=ROWS)
def test_nothing_else_of_a_customer_changes(customer: dict[str, Any], row: dict[str, Any]) -> None:
    found = merge(customer, row, KEY)
    before = dict(leaves({name: part for name, part in customer.items() if name not in _OWNED}))
    after = dict(leaves(found.body))
    touched = [name for name, value in before.items() if after.get(name) != value]

    assert len(touched) <= len(found.changes)
    assert before.keys() <= after.keys()
    assert len(after) - len(before) <= len(found.changes) + sum("type" in one for one in row.get("addresses", ()))


@settings(max_examples=examples(300), deadline=None)
@given(customer=CUSTOMERS, row=ROWS)
def test_a_hidden_value_never_travels(customer: dict[str, Any], row: dict[str, Any]) -> None:
    found = merge(customer, row, KEY)
    if "*" in str(customer.get("socialId", "")) and found.changes:
        assert [one.code for one in found.errors] == ["value_hidden"]
    else:
        assert found.errors == ()
