"""Phone numbers: of fifty countries, of the vendor's examples, under each policy."""

from __future__ import annotations

import pytest

from importer.core.contract import Policy
from importer.customers.nanp import quick_phone
from importer.customers.phones import read_extension, read_phone

# Country, as people write it at home, as they write it abroad, as it is sent.
NUMBERS = [
    ("US", "(201) 555-0123", "+1 201-555-0123", "+12015550123"),
    ("CA", "(506) 234-5678", "+1 506-234-5678", "+15062345678"),
    ("GB", "07400 123456", "+44 7400 123456", "+447400123456"),
    ("DE", "01512 3456789", "+49 1512 3456789", "+4915123456789"),
    ("FR", "06 12 34 56 78", "+33 6 12 34 56 78", "+33612345678"),
    ("ES", "612 34 56 78", "+34 612 34 56 78", "+34612345678"),
    ("IT", "312 345 6789", "+39 312 345 6789", "+393123456789"),
    ("PT", "912 345 678", "+351 912 345 678", "+351912345678"),
    ("NL", "06 12345678", "+31 6 12345678", "+31612345678"),
    ("BE", "0450 00 12 34", "+32 450 00 12 34", "+32450001234"),
    ("CH", "078 123 45 67", "+41 78 123 45 67", "+41781234567"),
    ("AT", "0664 123456", "+43 664 123456", "+43664123456"),
    ("SE", "070-123 45 67", "+46 70 123 45 67", "+46701234567"),
    ("NO", "40 61 23 45", "+47 40 61 23 45", "+4740612345"),
    ("DK", "34 41 23 45", "+45 34 41 23 45", "+4534412345"),
    ("FI", "041 2345678", "+358 41 2345678", "+358412345678"),
    ("PL", "512 345 678", "+48 512 345 678", "+48512345678"),
    ("CZ", "601 123 456", "+420 601 123 456", "+420601123456"),
    ("HU", "06 20 123 4567", "+36 20 123 4567", "+36201234567"),
    ("RO", "0712 034 567", "+40 712 034 567", "+40712034567"),
    ("GR", "691 234 5678", "+30 691 234 5678", "+306912345678"),
    ("IE", "085 012 3456", "+353 85 012 3456", "+353850123456"),
    ("TR", "0501 234 56 78", "+90 501 234 56 78", "+905012345678"),
    ("RU", "8 (912) 345-67-89", "+7 912 345-67-89", "+79123456789"),
    ("UA", "050 123 4567", "+380 50 123 4567", "+380501234567"),
    ("IN", "081234 56789", "+91 81234 56789", "+918123456789"),
    ("CN", "131 2345 6789", "+86 131 2345 6789", "+8613123456789"),
    ("JP", "090-1234-5678", "+81 90-1234-5678", "+819012345678"),
    ("KR", "010-2000-0000", "+82 10-2000-0000", "+821020000000"),
    ("SG", "8123 4567", "+65 8123 4567", "+6581234567"),
    ("HK", "5123 4567", "+852 5123 4567", "+85251234567"),
    ("TH", "081 234 5678", "+66 81 234 5678", "+66812345678"),
    ("VN", "0912 345 678", "+84 912 345 678", "+84912345678"),
    ("PH", "0905 123 4567", "+63 905 123 4567", "+639051234567"),
    ("ID", "0812-345-678", "+62 812-345-678", "+62812345678"),
    ("MY", "012-345 6789", "+60 12-345 6789", "+60123456789"),
    ("AU", "0412 345 678", "+61 412 345 678", "+61412345678"),
    ("NZ", "021 123 4567", "+64 21 123 4567", "+64211234567"),
    ("ZA", "071 123 4567", "+27 71 123 4567", "+27711234567"),
    ("NG", "0802 123 4567", "+234 802 123 4567", "+2348021234567"),
    ("KE", "0712 123456", "+254 712 123456", "+254712123456"),
    ("EG", "010 01234567", "+20 10 01234567", "+201001234567"),
    ("MA", "06 50 12 34 56", "+212 6 50 12 34 56", "+212650123456"),
    ("SA", "051 234 5678", "+966 51 234 5678", "+966512345678"),
    ("AE", "050 123 4567", "+971 50 123 4567", "+971501234567"),
    ("IL", "050-234-5678", "+972 50-234-5678", "+972502345678"),
    ("BR", "(11) 96123-4567", "+55 11 96123-4567", "+5511961234567"),
    ("MX", "222 123 4567", "+52 222 123 4567", "+522221234567"),
    ("AR", "011 15-2345-6789", "+54 9 11 2345-6789", "+5491123456789"),
    ("CL", "(2) 2123 4567", "+56 2 2123 4567", "+56221234567"),
    ("CO", "321 1234567", "+57 321 1234567", "+573211234567"),
    ("PE", "912 345 678", "+51 912 345 678", "+51912345678"),
]
STRICT = Policy(phone="valid")
POSSIBLE = Policy(phone="possible")
SHAPE = Policy(phone="e164")


def test_the_truth_set_spans_forty_countries() -> None:
    assert len({number[0] for number in NUMBERS}) >= 40


@pytest.mark.parametrize(("region", "at_home", "abroad", "sent"), NUMBERS)
@pytest.mark.parametrize("strictness", ["e164", "possible", "valid"])
def test_a_number_is_read_as_it_is_written_at_home_and_abroad(
    region: str, at_home: str, abroad: str, sent: str, strictness: str
) -> None:
    policy = Policy(phone=strictness, region=region)  # type: ignore[arg-type]  # the three literals
    assert read_phone(at_home, policy)[::2] == (sent, "", "")
    assert read_phone(abroad, policy)[::2] == (sent, "", "")
    assert read_phone(sent, policy).clean


@pytest.mark.parametrize(
    "written",
    [
        "(212) 555-0123", "212-555-0123", "212.555.0123", "212 555 0123", "2125550123", "12125550123", "+12125550123",
        "1-212-555-0123", "+1 (212) 555-0123", "1 212 555 0123", "(212)555-0123", "+1-212-555-0123", "+1 212 5550123",
        "tel:+1-212-555-0123", "+1\u00a0212\u00a0555\u00a00123", "\uff0b1 212 555 0123",
    ],
)  # fmt: skip
def test_the_forms_of_one_american_number_are_one_number(written: str) -> None:
    reading = read_phone(written, POSSIBLE)
    assert reading.value == "+12125550123"
    assert not reading.error
    assert quick_phone(written, POSSIBLE) in {None, reading}


@pytest.mark.parametrize("written", ["+15556589", "+14151234", "5556589"])
def test_the_vendors_own_examples_pass_unless_numbers_must_be_valid(written: str) -> None:
    assert read_phone(written, POSSIBLE).warnings == ("phone_local_only",)
    assert read_phone(written, SHAPE).warnings == ("phone_local_only",)
    assert read_phone(written, STRICT).error == "phone_not_valid"


@pytest.mark.parametrize("written", ["four one five 555 0104", "four-one-five 555-0104", "ring 555 0104"])
def test_digits_in_words_are_not_left_out_of_a_number(written: str) -> None:
    assert read_phone(written, POSSIBLE).error == "phone_words"
    assert read_phone(f"call 415 {written[-8:]}", POSSIBLE).value == "+14155550104"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", ""), ("n/a", "phone_words"), ("none", "phone_words"), ("-", "phone_invalid"), ("@", "phone_invalid"),
        ("911", "phone_too_short"), ("12", "phone_too_short"), ("+1 911", "phone_too_short"),
        ("+1 212 555 0123 4567", "phone_too_long"), ("2" * 40, "phone_too_long"), ("2" * 100, "phone_too_long"),
        ("+999 123 456 789", "phone_country_unknown"), ("1.5551E+10", "phone_invalid"),
        ("sarah@example.com", "phone_words"), ("\x002125550123", "text_unreadable"),
    ],
)  # fmt: skip
def test_what_is_not_a_number_is_refused_with_its_reason(written: str, code: str) -> None:
    reading = read_phone(written, POSSIBLE)
    assert reading.error == code
    assert reading.value == ""


@pytest.mark.parametrize(
    "written",
    [
        "212-555-0123 / 212-555-0124", "212-555-0123, 212-555-0124", "212-555-0123, 5550124", "2125550123;2125550124",
        "212-555-0123 or 212-555-0124", "+12125550123 +12125550124", "2125550123 2125550124", "5551234/5551235",
        "call 212-555-0123 and 212-555-0124 after six in the evening please",
    ],
)  # fmt: skip
def test_two_numbers_in_one_cell_are_refused_and_neither_is_chosen(written: str) -> None:
    assert read_phone(written, POSSIBLE).error == "phone_two_numbers"


@pytest.mark.parametrize(
    "written",
    [
        "212-555-0123 (home)",
        "call the office",
        "212 555 0123 ask for Ann",
        "02079460958 abends",
        "see below",
        "call after 5",
    ],
)
def test_words_in_place_of_a_number_or_behind_it_are_said_to_be_words(written: str) -> None:
    assert read_phone(written, Policy(region="GB" if "abends" in written else "US")).error == "phone_words"


@pytest.mark.parametrize("written", ["Tel. 212-555-0123", "M: +1 212 555 0123", "Office 212 555 0123", "ph 2125550123"])
def test_a_label_before_a_number_is_not_part_of_it(written: str) -> None:
    assert read_phone(written, POSSIBLE).value == "+12125550123"


def test_letters_that_mean_digits_are_read() -> None:
    assert read_phone("1-800-FLOWERS", POSSIBLE).value == "+18003569377"
    assert read_phone("1-800-555-HELP", POSSIBLE).value == "+18005554357"


@pytest.mark.parametrize("written", ["14155550108.0", "4155550108.00", "+14155550108.0", "4155550108,0"])
def test_a_number_that_a_program_printed_as_a_decimal_is_read_without_its_fraction(written: str) -> None:
    reading = read_phone(written, POSSIBLE)
    assert (reading.value, reading.error) == ("+14155550108", "")
    assert reading.changes[0].rule == "phone_decimal_removed"


def test_only_a_fraction_of_nothing_is_a_fraction() -> None:
    assert read_phone("415555.0000", POSSIBLE).value == "+14155550000"
    assert read_phone("415.555.0100", POSSIBLE).value == "+14155550100"


# --------------------------------------------------------------------------- the country of the row


@pytest.mark.parametrize(
    ("written", "country", "sent"),
    [
        ("020 7946 0958", "GBR", "+442079460958"), ("030 1234567", "DEU", "+49301234567"),
        ("07400 123456", "GBR", "+447400123456"), ("06 12 34 56 78", "FRA", "+33612345678"),
        ("(506) 234-5678", "CAN", "+15062345678"), ("(212) 555-0123", "CAN", "+12125550123"),
        ("+1 212-555-0123", "GBR", "+12125550123"), ("+44 20 7946 0958", "USA", "+442079460958"),
    ],
)  # fmt: skip
def test_a_national_number_is_one_of_its_rows_country(written: str, country: str, sent: str) -> None:
    reading = read_phone(written, POSSIBLE, country)
    assert (reading.value, reading.error, reading.warnings) == (sent, "", ())
    assert quick_phone(written, POSSIBLE, country) in {None, reading}


def test_a_number_that_is_valid_in_both_countries_is_one_of_the_rows_and_both_are_named() -> None:
    reading = read_phone("2079460958", POSSIBLE, "GBR")
    assert reading.value == "+442079460958"
    assert reading.warnings == ("phone_country_assumed",)
    assert reading.countries == ("United Kingdom", "United States")


@pytest.mark.parametrize("written", ["(212) 555-0123", "2125550123", "12125550123"])
def test_a_number_that_is_valid_in_the_default_country_alone_is_refused_where_the_row_names_another(
    written: str,
) -> None:
    reading = read_phone(written, POSSIBLE, "GBR")
    assert (reading.value, reading.error) == ("", "phone_other_country")
    assert reading.countries == ("United Kingdom", "United States")
    assert quick_phone(written, POSSIBLE, "GBR") is None


@pytest.mark.parametrize("policy", [POSSIBLE, SHAPE, STRICT])
@pytest.mark.parametrize(
    ("written", "country"), [("030 1234567", ""), ("030 123456", "ESP"), ("079 123 45 67", "USA"), ("0123456789", "")]
)
def test_a_zero_that_no_number_of_the_country_begins_with_makes_it_a_number_of_another(
    written: str, country: str, policy: Policy
) -> None:
    reading = read_phone(written, policy, country)
    assert (reading.value, reading.error) == ("", "phone_no_country")
    assert quick_phone(written, policy, country) is None


def test_the_zero_of_italian_numbers_belongs_to_them() -> None:
    assert read_phone("06 12345678", POSSIBLE, "ITA").value == "+390612345678"
    assert read_phone("06 1234567890", POSSIBLE, "ITA").value == "+39061234567890"


@pytest.mark.parametrize(
    ("written", "country", "sent"),
    [
        ("4915123456789", "DEU", "+4915123456789"), ("4915123456789.0", "DEU", "+4915123456789"),
        ("468123456", "SWE", "+468123456"),
    ],
)  # fmt: skip
def test_digits_that_lost_a_plus_sign_or_a_zero_are_read_with_their_code_and_a_warning(
    written: str, country: str, sent: str
) -> None:
    reading = read_phone(written, POSSIBLE, country)
    assert (reading.value, reading.warnings) == (sent, ("phone_code_assumed",))


def test_digits_that_are_a_number_in_one_way_only_need_no_warning() -> None:
    assert read_phone("49301234567", POSSIBLE, "DEU") == read_phone("49301234567", POSSIBLE, "DEU")._replace(
        value="+49301234567", warnings=()
    )
    assert read_phone("2125550123", POSSIBLE).warnings == ()


def test_a_region_that_the_profile_names_is_held_against_nothing() -> None:
    assert read_phone("2079460958", POSSIBLE, "GB").clean is False
    assert read_phone("2079460958", POSSIBLE, "GB").warnings == ()
    assert read_phone("(212) 555-0123", POSSIBLE, "US").value == "+12125550123"


def test_without_a_default_the_rows_country_is_enough() -> None:
    assert read_phone("2079460958", Policy(region=None), "GBR").value == "+442079460958"


def test_a_country_without_phone_numbers_of_its_own_leaves_no_guess() -> None:
    assert read_phone("2125550123", POSSIBLE, "ATA").error == "phone_other_country"
    assert read_phone("2079460958", Policy(region=None), "ATA").error == "phone_no_country"


@pytest.mark.parametrize("region", ["US", "GB", "DE", "AU", "JP", None])
@pytest.mark.parametrize("written", ["00442079460958", "0044 20 7946 0958", "011 44 20 7946 0958", "011-442079460958"])
def test_what_is_dialled_before_a_number_from_abroad_is_read_as_a_plus_sign(written: str, region: str | None) -> None:
    reading = read_phone(written, Policy(region=region))
    assert (reading.value, reading.error, reading.warnings) == ("+442079460958", "", ())


def test_an_area_code_that_looks_like_such_digits_stays_an_area_code() -> None:
    assert read_phone("011 4321-0000", Policy(region="AR")).value == "+541143210000"


def test_a_national_number_needs_a_region() -> None:
    nowhere = Policy(region=None)
    assert read_phone("212 555 0123", nowhere).error == "phone_no_country"
    assert read_phone("+1 212 555 0123", nowhere).value == "+12125550123"


def test_a_number_that_nobody_assigns_passes_with_a_warning_unless_it_must_be_valid() -> None:
    assert read_phone("+15550100123", POSSIBLE).warnings == ("phone_unassigned",)
    assert read_phone("+15550100123", STRICT).error == "phone_not_valid"


def test_shape_only_takes_even_unknown_country_codes() -> None:
    reading = read_phone("+999 123 456", SHAPE)
    assert reading.value == "+999123456"
    assert reading.warnings == ("phone_unassigned",)


@pytest.mark.parametrize("written", ["(212) 555-0123 x45", "212-555-0123 ext. 45", "+1 212 555 0123;ext=45"])
def test_an_extension_behind_the_number_is_kept_apart(written: str) -> None:
    reading = read_phone(written, POSSIBLE)
    assert (reading.value, reading.extension) == ("+12125550123", "45")


@pytest.mark.parametrize(
    ("written", "value", "error"),
    [("45", "45", ""), ("x45", "45", ""), ("Ext. 7", "7", ""), ("#12", "12", ""), ("", "", ""),
     ("front desk", "", "extension_invalid"), ("12345678901", "", "extension_invalid")],
)  # fmt: skip
def test_an_extension_in_its_own_column_is_digits(written: str, value: str, error: str) -> None:
    reading = read_extension(written)
    assert (reading.value, reading.error) == (value, error)
