"""Every issue code of checking customers: its title, severity, sentence and fix. Data only.

Those that every contract has are declared in `core.issue_codes.checking`. A fix speaks the profile's own syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issue_codes.checking import ANY_FIELD, DUPLICATE_IN_FILE, GROUP_CODES, UPDATE_CODES
from importer.core.issues import IssueCode
from importer.customers.step_codes import STEP_FIELD_CODES

_ALL = (
    # ------------------------------------------------------------------ any field
    *ANY_FIELD,
    IssueCode(
        "enum_unknown",
        "A word that is not accepted",
        "{label} is not an accepted word; use one of {values}.",
        "Use the accepted words in column {column}.",
        in_profile="map yours in the profile: "
        '`"{field}" = { column = "{column}", map = { "your word" = "ACCEPTED WORD" } }`.',
    ),
    IssueCode.warning(
        "name_unusual",
        "A name with unusual characters",
        "{label} holds digits or signs that are rare in names; check that the right column is mapped.",
        "Check that column {column} is the right one for this field; if it is, nothing has to be done.",
    ),
    IssueCode.warning(
        "name_placeholder",
        "A word for nothing in place of a name",
        "{label} is a word that programs write where a value is missing; clear the cell unless it is the name.",
        "Clear such cells of column {column}; where they are names of people, nothing has to be done.",
    ),
    IssueCode.warning(
        "reference_unusual",
        "A reference with unusual characters",
        "{label} holds characters beyond plain letters, digits and signs; some systems refuse them.",
        "Prefer plain references in column {column}.",
    ),
    # ------------------------------------------------------------------ phones
    IssueCode(
        "phone_invalid",
        "Not a phone number",
        "{label} holds signs that are not part of a phone number; write digits only, for example {example}.",
        "Correct the cells of column {column}; clear cells that mean an unknown number.",
    ),
    IssueCode(
        "phone_words",
        "Words in place of or behind a phone number",
        "{label} holds words; write the number alone, for example {example}.",
        "Move the words of column {column} to another column; an extension may follow the number (x45).",
    ),
    IssueCode(
        "phone_two_numbers",
        "Two phone numbers in one cell",
        "{label} holds more than one number; keep one of them, for example {example}.",
        "Keep one number in each cell of column {column}.",
    ),
    IssueCode(
        "phone_wrong_length",
        "A phone number whose length its country does not use",
        "{label} has a number of digits that no phone number of its country has; write it like {example}.",
        "Correct the cells of column {column}.",
        in_profile="map `primaryPhoneNumber.region` for numbers of another country.",
    ),
    IssueCode.warning(
        "phone_country_assumed",
        "A national phone number of two possible countries",
        "{label} has no country code and is valid in {country} and in {default} alike; it is sent as a number of "
        "{country}.",
        "Write the numbers of column {column} with a plus sign and their country code.",
        in_profile='map their country: `"primaryPhoneNumber.region" = "..."`.',
    ),
    IssueCode.warning(
        "phone_code_assumed",
        "A phone number that may begin with its country code",
        "{label} has neither a plus sign nor a zero before it, and is a number with its first digits as country code "
        "and without alike; check how it is sent.",
        "Write the numbers of column {column} with a plus sign and their country code.",
    ),
    IssueCode(
        "phone_other_country",
        "A phone number that does not belong to the country of its row",
        "{label} has no country code and is not valid in {country}, but is valid in {default}; write it with a plus "
        "sign and its country code.",
        "Write the numbers of column {column} with a plus sign and their country code.",
        in_profile='map their country: `"primaryPhoneNumber.region" = "..."`.',
    ),
    IssueCode(
        "phone_no_country",
        "A phone number without its country",
        "{label} has no country code; write it with a plus sign, for example {example}.",
        "Write the numbers of column {column} with a plus sign and their country code.",
        in_profile='set `validation.default_region = "US"` (or another two-letter country), or map the '
        'country of each: `"primaryPhoneNumber.region" = "..."`.',
    ),
    IssueCode(
        "phone_country_unknown",
        "A phone number of no country",
        "{label} begins with a country code that does not exist; write it like {example}.",
        "Correct the cells of column {column}.",
    ),
    IssueCode(
        "phone_too_short",
        "A phone number with too few digits",
        "{label} has too few digits; write it with country and area code, for example {example}.",
        "Correct the cells of column {column}.",
        in_profile="set `validation.default_region` if their country is another.",
    ),
    IssueCode(
        "phone_too_long",
        "A phone number with too many digits",
        "{label} has too many digits; write one number only, for example {example}.",
        "Correct the cells of column {column}.",
        in_profile="set `validation.default_region` if their country is another.",
    ),
    IssueCode(
        "phone_not_valid",
        "A phone number that no operator assigns",
        "{label} is not in use in its country; check the area code, and write it like {example}.",
        "Correct the cells of column {column}.",
        in_profile='accept them: `validation.phone = "possible"`.',
    ),
    IssueCode.warning(
        "phone_local_only",
        "A phone number without its area code",
        "{label} is too short to be dialled from elsewhere; the area code is probably missing.",
        "Complete the cells of column {column}.",
        in_profile='refuse them: `validation.phone = "valid"`.',
    ),
    IssueCode.warning(
        "phone_unassigned",
        "A phone number that no operator assigns",
        "{label} is not in use in its country; check the area code.",
        "Correct the cells of column {column}.",
        in_profile='refuse them: `validation.phone = "valid"`.',
    ),
    IssueCode(
        "extension_invalid",
        "Not a phone extension",
        "{label} must be digits only, at most {max} of them, for example {example}.",
        "Correct the cells of column {column}.",
    ),
    IssueCode(
        "extension_conflict",
        "Two different phone extensions",
        "{label} differs from the extension that follows the phone number; keep one of them.",
        "Remove the extension behind the numbers, or clear column {column}.",
    ),
    # ------------------------------------------------------------------ email
    IssueCode(
        "email_invalid",
        "Not a valid email address",
        "{label} is not valid: it has no @ sign; write an address like {example}.",
        "Correct the cells of column {column}; clear cells that mean an unknown address.",
    ),
    IssueCode(
        "email_two_addresses",
        "Two email addresses in one cell",
        "{label} holds more than one address; keep one of them.",
        "Keep one address in each cell of column {column}.",
    ),
    IssueCode(
        "email_at_spelled",
        "An email address with its @ sign in words",
        "{label} has a word or another sign in place of the @ sign; write an address like {example}.",
        "Type the @ sign itself in the cells of column {column}.",
    ),
    IssueCode(
        "email_at_twice",
        "An email address with two @ signs",
        "{label} has more than one @ sign; write an address like {example}.",
        "Remove the surplus @ sign from the cells of column {column}.",
    ),
    IssueCode(
        "email_incomplete",
        "An email address with one half missing",
        "{label} has nothing before or behind its @ sign; write an address like {example}.",
        "Complete the cells of column {column}.",
    ),
    IssueCode(
        "email_dot_missing",
        "An email address without a dot in its domain",
        "{label} has no dot behind its @ sign, as in example.com; complete it.",
        "Complete the cells of column {column}.",
    ),
    IssueCode(
        "email_dots",
        "An email address with a dot out of place",
        "{label} has two dots in a row, or a dot beside its @ sign or at its start; remove it.",
        "Remove the surplus dots from the cells of column {column}.",
    ),
    IssueCode(
        "email_space",
        "An email address with a space in it",
        "{label} has a space inside; remove it, or what does not belong to the address.",
        "Remove the spaces, and words beside the address, from the cells of column {column}.",
    ),
    IssueCode(
        "email_sign",
        "An email address with a sign that it cannot have",
        "{label} holds a sign that no address can have there, such as a comma or a bracket; correct it.",
        "Correct the cells of column {column}; often there is a comma in place of a dot.",
    ),
    IssueCode(
        "email_domain_reserved",
        "An email address of a domain that is reserved",
        "{label} ends in a domain that is reserved for tests and private networks; no mail arrives there.",
        "Ask these customers for another address.",
    ),
    IssueCode(
        "email_domain_invalid",
        "An email address of a domain that cannot exist",
        "{label} ends in a domain that cannot exist; write an address like {example}.",
        "Correct what follows the @ sign in column {column}.",
    ),
    IssueCode(
        "email_too_long",
        "An email address that is too long",
        "{label} is longer than 254 characters, which no mail server accepts; correct it.",
        "Correct the cells of column {column}.",
    ),
    IssueCode.warning(
        "email_international",
        "An email address with letters beyond A to Z",
        "{label} has letters beyond A to Z before the @ sign; the API may refuse it.",
        "Ask these customers for another address if the API refuses them.",
    ),
    # ------------------------------------------------------------------ dates
    IssueCode(
        "date_invalid",
        "Not a date",
        "{label} is not a date of the calendar; write year, month and day, for example {example}.",
        "Correct the cells of column {column}.",
        in_profile='name the form of your dates: `"{field}" = { column = "{column}", format = "%m/%d/%Y" }`.',
    ),
    IssueCode(
        "date_not_past",
        "A date that is not in the past",
        "{label} is not in the past; correct the year.",
        "Correct the cells of column {column}; two-digit years may have been read into the wrong century.",
    ),
    IssueCode(
        "date_implausible",
        "A date too far back",
        "{label} is more than 120 years back; correct the year.",
        "Correct the cells of column {column}; dates such as 1900-01-01 often mean unknown: clear them.",
    ),
    IssueCode.warning(
        "date_minor",
        "A person below 18",
        "{label} makes this person younger than 18; check that this is meant.",
        "Check the cells of column {column}.",
    ),
    # ------------------------------------------------------------------ places
    IssueCode(
        "country_unknown",
        "Not a valid country",
        "{label} is not a valid country; write its three-letter code, for example {example}.",
        "Correct the cells of column {column}.",
        in_profile="map your words in the profile: "
        '`"{field}" = { column = "{column}", map = { "your word" = "USA" } }`.',
    ),
    IssueCode.warning(
        "country_missing",
        "An address without a country",
        "{label} is missing; state and postal code were checked without it.",
        "Add a column for it.",
        in_profile='give every row one value in the profile: `"{field}" = { value = "USA" }`.',
    ),
    IssueCode(
        "state_required",
        "An address without a state",
        "{label} is missing; addresses in the USA and Canada need it, for example {example}.",
        "Fill the blank cells of column {column}.",
    ),
    IssueCode(
        "state_unknown",
        "Not a state of that country",
        "{label} is not a state or province of that country; write its code, for example {example}.",
        "Correct the cells of column {column}.",
        in_profile="map your words in the profile: "
        '`"{field}" = { column = "{column}", map = { "your word" = "CA" } }`.',
    ),
    IssueCode.warning(
        "state_unconfirmed",
        "A state or region that is not in ISO 3166-2",
        "{label} is not a known state or region of that country; check it.",
        "Check the cells of column {column}.",
    ),
    IssueCode.warning(
        "state_military",
        "A military mail state",
        "{label} is a military mail region (AA, AE, AP), not a state; the API may refuse it.",
        "Use another address for these customers if the API refuses them.",
    ),
    IssueCode.warning(
        "zip_unusual",
        "An unusual postal code",
        "{label} does not look like a postal code of that country; check it.",
        "Check the cells of column {column}.",
    ),
    IssueCode.warning(
        "zip_zero_lost",
        "A postal code that lost its leading zero",
        "{label} is one digit short, as if a spreadsheet had removed its leading zero; put it back.",
        "Format column {column} as text in the spreadsheet and restore the leading zeros.",
    ),
    IssueCode(
        "po_box_physical",
        "A PO box as physical address",
        "{label} is a PO box; a physical address must be the place itself.",
        "Write the place itself into column {column}.",
        in_profile='map PO boxes as mailing address: `"addresses.mailing.streetLine1" = "{column}"`.',
    ),
    IssueCode.warning(
        "address_not_sent",
        "An address that is only a state or country",
        "{label} is alone, without street, city or postal code, so no such address is sent.",
        "Complete the addresses, or leave them blank altogether.",
    ),
    IssueCode(
        "addresses_primary",
        "Not exactly one primary address of a type",
        "Each type of address needs exactly one primary address.",
        "Mark one address of each type as primary.",
    ),
    # ------------------------------------------------------------------ the rest
    IssueCode(
        "social_id_country_missing",
        "A national id without its country",
        "{label} is missing; it is needed where a national id is given, for example {example}.",
        "Add a column for it.",
        in_profile='give every row one value in the profile: `"{field}" = { value = "USA" }`.',
    ),
    IssueCode.warning(
        "social_id_unusual",
        "An unusual social security number",
        "{label} does not have the nine digits of a U.S. social security number; check it.",
        "Format column {column} as text in the spreadsheet and restore the leading zeros.",
    ),
    IssueCode(
        "industry_code_invalid",
        "Not an industry code",
        "{label} must have six digits, leading zeros included, for example {example}.",
        "Format column {column} as text in the spreadsheet and restore the leading zeros.",
    ),
    IssueCode.warning(
        "website_unusual",
        "An unusual website",
        "{label} does not look like a web address; write it like {example}.",
        "Check the cells of column {column}.",
    ),
    IssueCode(
        "metadata_too_many",
        "More than five metadata pairs",
        "This row has more than five metadata values, the import key's own included; the API takes five.",
        "",
        in_profile='map fewer `metadata` fields, or free the import key\'s place: `delivery.import_key_metadata = ""`.',
    ),
    IssueCode(
        "metadata_key_invalid",
        "A metadata name that is too long or has odd characters",
        "A metadata name has at most 40 letters, digits, dots, hyphens and underscores.",
        "",
        in_profile="rename the `metadata` fields in the profile.",
    ),
    IssueCode(
        "contacts_primary",
        "Not exactly one primary contact",
        "A business needs exactly one primary contact.",
        "Mark one contact as primary.",
    ),
    # ------------------------------------------------------------------ rows that are one business
    *GROUP_CODES.values(),
    *UPDATE_CODES.values(),
    # ------------------------------------------------------------------ steps after the create
    *STEP_FIELD_CODES,
    # ------------------------------------------------------------------ duplicates inside a file
    DUPLICATE_IN_FILE,
    IssueCode.warning(
        "duplicate_email",
        "The same email address twice in the file",
        "This email address also appears in other rows of this file.",
        "Check whether these rows are the same customer, and keep one if so.",
    ),
    IssueCode.warning(
        "duplicate_phone",
        "The same phone number twice in the file",
        "This phone number also appears in other rows of this file.",
        "Check whether these rows are the same customer, and keep one if so.",
    ),
    IssueCode.warning(
        "duplicate_name_birth",
        "The same name and birth date twice in the file",
        "This name and birth date also appear in other rows of this file.",
        "Check whether these rows are the same customer, and keep one if so.",
    ),
    IssueCode.warning(
        "business_repeated",
        "The same business name twice in the file",
        "This business name also appears in other rows of this file.",
        "Nothing has to be done where these rows are several businesses.",
        in_profile='write `group_by = "businessName"` under `[mapping]` if they are one.',
    ),
)

ISSUE_CODES: Mapping[str, IssueCode] = MappingProxyType({entry.code: entry for entry in _ALL})
"""Code to its entry, in the order of the documentation."""
