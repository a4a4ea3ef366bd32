"""What holds for any text: nothing raises, and normalising twice equals once."""

from __future__ import annotations

from datetime import date
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from importer.core.contract import Policy
from importer.core.contract.text import clean, is_blank, is_clean
from importer.customers.codes import ISSUE_CODES
from importer.customers.emails import quick_email, read_email
from importer.customers.fields import read
from importer.customers.nanp import quick_phone
from importer.customers.phones import read_phone
from importer.customers.rules import FIELDS
from tests.effort import examples

POLICY = Policy(today=date(2026, 11, 22))
KINDS = list({spec.kind: spec for spec in FIELDS.values()}.values())
ANY = st.text(max_size=30)
NUMBERLIKE = st.text(alphabet="0123456789+-(). x/ext#;=\u00a0\u0661\uff11", max_size=25)
ADDRESSLIKE = st.text(alphabet="abcXYZ01.-_+@é\"<>( ='", max_size=25)
PROTECTED = st.text(alphabet="='\"0 -+a", max_size=12)
PLACELIKE = st.text(alphabet="usaUSACNdegbrony-. é,", max_size=8)


@settings(max_examples=examples(300), deadline=None)
@given(
    text=st.one_of(ANY, NUMBERLIKE, ADDRESSLIKE, PLACELIKE, PROTECTED),
    country=st.sampled_from(["", "USA", "CAN", "DEU", "GB"]),
)
@example(text="\ud800", country="")
@example(text="\x00", country="USA")
def test_no_text_raises_and_normalising_twice_equals_once(text: str, country: str) -> None:
    for spec in KINDS:
        once = read(spec, text, POLICY, country)
        assert not once.error or (once.error in ISSUE_CODES and once.value == "")
        twice = read(spec, once.value, POLICY, country)
        assert (twice.value, twice.error, twice.changes) == (once.value, "", ())


@settings(max_examples=examples(500), deadline=None)
@given(text=ANY | PROTECTED)
def test_a_glance_is_content_only_with_what_is_clean(text: str) -> None:
    if is_clean(text):
        assert clean(text).clean
    assert is_blank(text) == (not clean(text).value and not clean(text).error)


@settings(max_examples=examples(500), deadline=None)
@given(text=ADDRESSLIKE.map(lambda text: text + "@example.com") | ADDRESSLIKE)
def test_the_quick_reading_of_an_address_is_the_librarys(text: str) -> None:
    quick = quick_email(text)
    assert quick is None or quick == read_email(text)


def test_the_quick_reading_of_domains_is_the_librarys() -> None:
    dice = Random(5)
    for _ in range(3_000):
        domain = ".".join("".join(dice.choices("aZ0-", k=dice.randrange(1, 6))) for _ in range(dice.randrange(1, 4)))
        quick = quick_email(f"a.b@{domain}.com")
        assert quick is None or quick == read_email(f"a.b@{domain}.com")


def test_the_quick_reading_of_north_american_numbers_is_the_librarys() -> None:
    dice, quickly = Random(7), 0
    for form in (
        "+1{}{}{}",
        "({}) {}-{}",
        "{}-{}-{}",
        "{}{}{}",
        "1 {} {} {}",
        "+1 ({}) {}-{}",
        "+1 555 {1}{2}",
        "+1{1}{2}",
    ):
        for _ in range(150):
            number = f"{dice.randrange(10**10):010}"
            text = form.format(number[:3], number[3:6], number[6:])
            for policy in (POLICY, Policy(phone="valid", region="CA"), Policy(phone="e164", region=None)):
                for place in ("", "USA", "CAN", "GBR", "GB", "US"):
                    quick = quick_phone(text, policy, place)
                    quickly += quick is not None
                    assert quick is None or quick == read_phone(text, policy, place)
    assert quickly > 2_000
