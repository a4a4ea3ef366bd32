"""Email addresses: a truth set of valid and invalid ones, and what becomes of them."""

from __future__ import annotations

import pytest

from importer.customers.codes import ISSUE_CODES
from importer.customers.emails import quick_email, read_email

VALID = [
    "simple@example.com", "very.common@example.com", "x@example.com",
    "long.address-with-hyphens@and.subdomains.example.com", "user.name+tag+sorting@example.com",
    "name/surname@example.com", "admin@mailserver1.example.org", "example@s.example", "mailhost!username@example.org",
    "user%example.com@example.org", "user-@example.org", "postmaster@example.com", "info@example.com",
    "sales@example.net", "a@b.co", "1234567890@example.com", "_______@example.com", "email@example-one.com",
    "email@example.museum", "email@example.co.jp", "firstname-lastname@example.com",
    "#!$%&'*+-/=?^_`{}|~@example.org", "o'brien@example.com", "sarah.green@example.com", "sgreen@abc.com",
    "a.b.c.d@example.com", "a-b@example.com", "a_b@example.com", "a+b@example.com", "A@example.com",
    "Sarah.Green@Example.Com", "SARAH@EXAMPLE.ORG", "user@sub.sub2.example.net", "user@123.com", "user@1e.example",
    "user@a-b.example.com", "user@x1.y2.z3.example", "u@e.xn--p1ai", "user@xn--mller-kva.example.com",
    "user@münchen.example", "user@例え.example", "user@пример.example", "user@παράδειγμα.example", "ü@example.com",
    "пользователь@example.com", "用户@example.com", "ñandú@example.es", "jösé@example.com", "o’brien@example.com",
    "user@example.travel", "user@example.photography", "user@example.io", "user@example.ai", "user@example.dev",
    "user@example.app", "user@example.xyz", "user@mail.example.gov", "user@example.mil", "user@example.edu",
    "user@example.int", "user@example.info", "user@example.name", "user@example.pro", "user@example.coop",
    "first.last@iana.example", "123@example.com", "a@example.uk", "a@example.de", "a@example.fr", "a@example.it",
    "a@example.es", "a@example.nl", "a@example.ca", "a@example.com.au", "a@example.co.nz", "{curly}@example.com",
    "~tilde@example.com", "user=name@example.com", "user?name@example.com", "a|b@example.com", "a*b@example.com",
    "^caret@example.com", "`tick`@example.com", "$dollar@example.com",
]  # fmt: skip
VALID += [
    "l" * 64 + "@example.com",
    "a@" + "d" * 63 + ".example.com",
    "x" * 100 + "@example.com",
    "a@" + ".".join(["abcdefgh"] * 26) + ".example",
]
INVALID = [
    "plainaddress", "@example.com", "user@", "user@@example.com", "user@example@example.com", ".user@example.com",
    "user.@example.com", "us..er@example.com", "user@.example.com", "user@example..com",
    "user@-example.com", "user@example-.com", "user@exa_mple.com", "user@example", "user@localhost",
    "user@example.local", "user@example.test", "user@example.invalid", "user@example.onion", "user@host.localhost",
    "user@1.in-addr.arpa", "user@[192.168.0.1]", "user@[IPv6:2001:db8::1]", "user@192.168.0.1", "user@10.0.0.1",
    "user@example.123", "user@example.c0m1", '"quoted"@example.com', '"much.more\\', 'unusual"@example.com',
    "us,er@example.com", "us;er@example.com", "us:er@example.com",
    "user(comment)@example.com", "user@example.com>", "user@exam!ple.com",
    "user@exam#ple.com", "user@exam$ple.com",
    "user@exam%ple.com", "user@exam&ple.com", "user@exam*ple.com", "user@exam+ple.com", "user@exam=ple.com",
    "user@exam/ple.com", "user@exam?ple.com", "user@exam,ple.com", "user@exam;ple.com", "user@exam:ple.com",
    'user@exam"ple.com', "user@exam'ple.com", "user@exam~ple.com", "user@exam`ple.com", "user＠example.com",
    "user﹫example.com", "user@ab--cd.example.com", "user@xn--a.example", "n/a", "none", "null", "N.A.", "-", "?", "0",
    "www.example.com", "https://example.com", "user@example.com,other@example.com",
    "user@example.com;other@example.com", "user@example.com/other@example.com", "user@.com", "user@com.", "user@.",
    ".", "@", "@@", "a@b", "a@b.1", "user@example.com\\", "user\\@example.com", "[user]@example.com",
    "us[er]@example.com", "user@exam|ple.com", "user@{example}.com", "user@exam^ple.com", "user@example.com(",
    ")user@example.com", "12125550123", "+12125550123", "1980-01-31", "user#example.com", "user.example.com",
    "user@example,com", "user@example;com", "user@@", "user@example.com@", "@user@example.com",
]  # fmt: skip
INVALID += [
    "user name@example.com",
    "user@exam ple.com",
    "user @example.com",
    "user@ example.com",
    "user@example.com other@example.com",
    "user at example.com",
    "user@example dot com",
    "a@" + "d" * 64 + ".example.com",
    "a@" + ".".join(["abcdefgh"] * 29) + ".example",
    "x" * 250 + "@example.com",
    "a@" + "ü" * 60 + ".example.com",
    "\u202euser@example.com@",
    "user@\U0001f600.example\x00",
]


def test_the_truth_set_has_at_least_150_addresses() -> None:
    assert len(set(VALID)) + len(set(INVALID)) >= 150


@pytest.mark.parametrize("address", VALID)
def test_a_valid_address_is_accepted_unchanged_but_for_its_domain(address: str) -> None:
    reading = read_email(address)
    assert not reading.error
    local, _, domain = address.rpartition("@")
    assert reading.value.rpartition("@")[0].lower() == local.lower()
    assert reading.value.rpartition("@")[2].isascii()
    assert "xn--" in reading.value.rpartition("@")[2] or reading.value.rpartition("@")[2] == domain.lower()


@pytest.mark.parametrize("address", INVALID)
def test_an_invalid_address_is_refused_without_a_trace_of_it(address: str) -> None:
    reading = read_email(address)
    assert reading.value == ""
    assert reading.error.startswith("email_") or reading.error == "text_unreadable"
    assert reading.error in ISSUE_CODES


@pytest.mark.parametrize("address", VALID + INVALID)
def test_the_quick_way_gives_the_very_same_reading_or_none(address: str) -> None:
    assert quick_email(address) in {None, read_email(address)}


@pytest.mark.parametrize(
    ("written", "sent", "rules"),
    [
        ("Sarah@EXAMPLE.com", "Sarah@example.com", ["email_domain_lower"]),
        (" sarah@example.com\u200b", "sarah@example.com", ["zero_width_removed", "trim"]),
        ("INFO@example.com", "info@example.com", ["email_mailbox_lower"]),
        ("a@M\u00fcller.example", "a@xn--mller-kva.example", ["email_domain_lower", "email_domain_ascii"]),
    ],
)
def test_every_change_is_named(written: str, sent: str, rules: list[str]) -> None:
    reading = read_email(written)
    assert reading.value == sent
    assert [change.rule for change in reading.changes] == rules


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ('"Ann Green" <ann@example.com>', ["email_name_removed"]),
        ("Ann Green <ann@example.com>", ["email_name_removed"]),
        ("Green, Ann <ann@example.com>", ["email_name_removed"]), ("<ann@example.com>", ["email_name_removed"]),
        ("< ann@example.com >", ["email_name_removed"]), ("Ann @ home <ann@example.com>", ["email_name_removed"]),
        ("ann@example.com <ann@example.com>", ["email_name_removed"]),
        ("'Ann@Example.com' <ann@example.com>", ["email_name_removed"]),
        ("mailto:ann@example.com", ["email_mailto_removed"]), ("MAILTO:ann@example.com", ["email_mailto_removed"]),
        ("mailto:ann@example.com?subject=Hello", ["email_mailto_removed"]),
        ("<mailto:ann@example.com>", ["email_name_removed", "email_mailto_removed"]),
        ("ann@example.com;", ["email_ends_removed"]), ("ann@example.com.", ["email_ends_removed"]),
        ("ann@example.com ,", ["email_ends_removed"]), ("; ann@example.com", ["email_ends_removed"]),
        ("Ann <ann@example.com>;", ["email_ends_removed", "email_name_removed"]),
        ("\u3164ann@example.com\u2800", ["email_ends_removed"]), ("\ufeffann@example.com", ["zero_width_removed"]),
        ('"ann@example.com"', ["email_quotes_removed"]), ("'ann@example.com'", ["email_quotes_removed"]),
    ],
)  # fmt: skip
def test_what_programs_put_around_an_address_is_taken_away_and_named(written: str, rules: list[str]) -> None:
    reading = read_email(written)
    assert (reading.value, reading.error) == ("ann@example.com", "")
    assert [change.rule for change in reading.changes] == rules


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("a@example.com, b@example.com", "email_two_addresses"), ("a@example.com;b@example.com", "email_two_addresses"),
        ("a@example.com b@example.com", "email_two_addresses"), ("a@example.com/b@example.com", "email_two_addresses"),
        ("bob@example.com <ann@example.com>", "email_two_addresses"),
        ("Ann <a@example.com>, Bob <b@example.com>", "email_two_addresses"),
        (", ".join(f"person{number}@example.com" for number in range(20)), "email_two_addresses"),
        ("ann(at)example.com", "email_at_spelled"), ("ann [at] example.com", "email_at_spelled"),
        ("ann at example.com", "email_at_spelled"), ("ann\uff20example.com", "email_at_spelled"),
        ("ann.example.com", "email_invalid"), ("n/a", "email_invalid"), ("none", "email_invalid"),
        ("ann@@example.com", "email_at_twice"), ("@example.com", "email_incomplete"), ("ann@", "email_incomplete"),
        ("ann@example", "email_dot_missing"), ("ann@localhost", "email_dot_missing"),
        ("ann..green@example.com", "email_dots"), ("ann@example..com", "email_dots"),
        ("ann.@example.com", "email_dots"),
        ("ann green@example.com", "email_space"), ("Ann Green ann@example.com", "email_space"),
        ("ann@example,com", "email_sign"), ("ann(work)@example.com", "email_sign"), ("ann@exa_mple.com", "email_sign"),
        ("ann@printer.local", "email_domain_reserved"), ("ann@example.123", "email_domain_invalid"),
        ("a" * 250 + "@example.com", "email_too_long"),
    ],
)  # fmt: skip
def test_each_cause_has_a_sentence_of_its_own(written: str, cause: str) -> None:
    assert read_email(written).error == cause


def test_an_address_that_no_mail_server_accepts_is_too_long() -> None:
    assert read_email("x" * 243 + "@example.com").error == "email_too_long"
    assert read_email("x" * 242 + "@example.com").error == ""


def test_letters_beyond_ascii_before_the_at_sign_only_warn() -> None:
    assert read_email("j\u00f6rg@example.com").warnings == ("email_international",)
