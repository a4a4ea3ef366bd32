"""Columns are matched without a profile: by name, synonym and content."""

from __future__ import annotations

import pytest

from importer.core.batches import RawBatch
from importer.core.frames import raw_batch
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import THRESHOLD, ColumnMatch, proposal
from importer.profile import Profile


def info(columns: str) -> SourceInfo:
    return SourceInfo("x.csv", "csv", tuple(columns.split("|")))


def sample(*rows: str) -> RawBatch:
    cells = [row.split("|") for row in rows]
    return raw_batch(0, range(2, 2 + len(rows)), [list(column) for column in zip(*cells, strict=True)])


def found(columns: str, *rows: str) -> dict[str, str]:
    matches = proposal(CUSTOMERS, info(columns), sample(*rows) if rows else None).matches
    return {match.column: match.field for match in matches if match.field}


def match_of(column: str, columns: str, *rows: str) -> ColumnMatch:
    found = proposal(CUSTOMERS, info(columns), sample(*rows) if rows else None).matches
    return next(match for match in found if match.column == column)


EXPORTS = """
# the API's own names
type = type; externalId = externalId; firstName = firstName; lastName = lastName;
primaryPhoneNumber.number = primaryPhoneNumber.number; primaryPhoneNumber.type = primaryPhoneNumber.type;
primaryEmail.value = primaryEmail.value

# spellings
FIRST_NAME = firstName; lastname = lastName; E-MAIL = primaryEmail.value; Cîty = addresses.mailing.cityName;
date-of-birth = dateOfBirth; Customer's Phone * = primaryPhoneNumber.number; ZipCode = addresses.mailing.zipCode;
street = addresses.mailing.streetLine1; Country (ISO) = addresses.mailing.countryCode

# Salesforce contacts
Contact ID = externalId; Salutation = prefix; First Name = firstName; Last Name = lastName; Title; Account Name;
Mailing Street = addresses.mailing.streetLine1; Mailing City = addresses.mailing.cityName;
Mailing State/Province = addresses.mailing.stateCode; Mailing Zip/Postal Code = addresses.mailing.zipCode;
Mailing Country = addresses.mailing.countryCode; Phone = primaryPhoneNumber.number; Fax; Mobile;
Email = primaryEmail.value; Birthdate = dateOfBirth; Contact Owner; Lead Source; Other Street; Email Opt Out

# Salesforce, by the API
Id = externalId; FirstName = firstName; LastName = lastName; MailingStreet = addresses.mailing.streetLine1;
MailingPostalCode = addresses.mailing.zipCode; MailingStateCode = addresses.mailing.stateCode;
MailingCountryCode = addresses.mailing.countryCode; MobilePhone = primaryPhoneNumber.number;
Email = primaryEmail.value

# HubSpot
Record ID = externalId; First Name = firstName; Last Name = lastName; Email = primaryEmail.value;
Phone Number = primaryPhoneNumber.number; Contact owner; Lead Status; Create Date; Company name;
Street Address = addresses.mailing.streetLine1; City = addresses.mailing.cityName;
State/Region = addresses.mailing.stateCode; Postal Code = addresses.mailing.zipCode;
Country/Region = addresses.mailing.countryCode; Date of birth = dateOfBirth; Website URL

# Stripe
id = externalId; Description; Email = primaryEmail.value; Name = firstName; Created (UTC);
Phone = primaryPhoneNumber.number; Address Line1 = addresses.mailing.streetLine1;
Address Line2 = addresses.mailing.streetLine2; Address City = addresses.mailing.cityName;
Address State = addresses.mailing.stateCode; Address Postal Code = addresses.mailing.zipCode;
Address Country = addresses.mailing.countryCode; Currency; Delinquent

# QuickBooks
Customer full name = firstName; Phone numbers = primaryPhoneNumber.number; Email = primaryEmail.value;
Billing Street = addresses.mailing.streetLine1; Billing City = addresses.mailing.cityName;
Billing State = addresses.mailing.stateCode; Billing ZIP = addresses.mailing.zipCode;
Billing Country = addresses.mailing.countryCode; Account no. = externalId; Balance

# Outlook
Title; First Name = firstName; Middle Name = middleName; Last Name = lastName; Suffix = suffix; Company;
Home Street = addresses.physical.streetLine1; Home City = addresses.physical.cityName;
Home State = addresses.physical.stateCode; Home Postal Code = addresses.physical.zipCode;
Home Country/Region = addresses.physical.countryCode; Business Street; Business City; Business Postal Code;
Business Fax; Mobile Phone = primaryPhoneNumber.number; Birthday = dateOfBirth; E-mail Address = primaryEmail.value;
E-mail 2 Address; Gender = gender; Web Page; Assistant's Phone

# Google Contacts
First Name = firstName; Middle Name = middleName; Last Name = lastName; Name Prefix = prefix; Name Suffix = suffix;
Organization Name; Birthday = dateOfBirth; Notes; Labels; E-mail 1 - Label; E-mail 1 - Value = primaryEmail.value;
E-mail 2 - Value; Phone 1 - Label = primaryPhoneNumber.type; Phone 1 - Value = primaryPhoneNumber.number;
Phone 2 - Label; Phone 2 - Value; Address 1 - Street = addresses.mailing.streetLine1;
Address 1 - City = addresses.mailing.cityName; Address 1 - Region = addresses.mailing.stateCode;
Address 1 - Postal Code = addresses.mailing.zipCode; Address 1 - Country = addresses.mailing.countryCode;
Website 1 - Value

# Google Contacts, older
Name; Given Name = firstName; Additional Name = middleName; Family Name = lastName; E-mail 1 - Type;
E-mail 1 - Value = primaryEmail.value; Phone 1 - Type = primaryPhoneNumber.type;
Phone 1 - Value = primaryPhoneNumber.number

# businesses
Business Name = businessName; EIN = taxId; Contact Name = contacts.primary.firstName;
Contact Email = contacts.primary.primaryEmail.value; Contact Phone = contacts.primary.primaryPhoneNumber.number;
Website = website; Registered Street = addresses.physical.streetLine1; Registered Zip = addresses.physical.zipCode;
Date of Birth

# companies with plain names
Company = businessName; Contact First Name = contacts.primary.firstName;
Contact Last Name = contacts.primary.lastName; Email = contacts.primary.primaryEmail.value;
Phone = contacts.primary.primaryPhoneNumber.number

# an employer is no business customer
First Name = firstName; Last Name = lastName; Company; Email = primaryEmail.value; Phone = primaryPhoneNumber.number

# Shopify
Customer ID = externalId; First Name = firstName; Last Name = lastName; Email = primaryEmail.value;
Accepts Email Marketing; Default Address Company; Default Address Address1 = addresses.mailing.streetLine1;
Default Address Address2 = addresses.mailing.streetLine2; Default Address City = addresses.mailing.cityName;
Default Address Province Code = addresses.mailing.stateCode;
Default Address Country Code = addresses.mailing.countryCode; Default Address Zip = addresses.mailing.zipCode;
Default Address Phone; Phone = primaryPhoneNumber.number; Accepts SMS Marketing; Total Spent; Total Orders; Note;
Tax Exempt; Tags

# Mailchimp
Email Address = primaryEmail.value; First Name = firstName; Last Name = lastName;
Address = addresses.mailing.streetLine1; Phone Number = primaryPhoneNumber.number; Birthday = dateOfBirth;
MEMBER_RATING; OPTIN_TIME; OPTIN_IP; CONFIRM_TIME; CONFIRM_IP; LATITUDE; LONGITUDE; GMTOFF; DSTOFF; TIMEZONE; CC;
LAST_CHANGED; LEID; EUID; NOTES; TAGS; ZIP = addresses.mailing.zipCode

# Stripe, all columns
id = externalId; Description; Email = primaryEmail.value; Name = firstName; Created (UTC); Delinquent; Card ID;
Card Last4; Card Brand; Card Funding; Card Exp Month; Card Exp Year; Card Name;
Card Address Line1 = addresses.mailing.streetLine1; Card Address Line2 = addresses.mailing.streetLine2;
Card Address City = addresses.mailing.cityName; Card Address State = addresses.mailing.stateCode;
Card Address Country = addresses.mailing.countryCode; Card Address Zip = addresses.mailing.zipCode;
Card Issue Country; Card Fingerprint; Card CVC Status; Card AVS Zip Status; Card AVS Line1 Status;
Card Tokenization Method; Plan; Status; Cancel At Period End; Account Balance; Currency; Total Spend; Payment Count;
Average Order; Refunded Volume; Dispute Losses; Business Vat ID

# QuickBooks Online
Name = firstName; Company name; Street Address = addresses.mailing.streetLine1; City = addresses.mailing.cityName;
State = addresses.mailing.stateCode; Country = addresses.mailing.countryCode; Zip = addresses.mailing.zipCode;
Phone = primaryPhoneNumber.number; Email = primaryEmail.value; Attachments; Open balance

# HubSpot, with the object's name
Record ID - Contact = externalId; First Name = firstName; Last Name = lastName; Email = primaryEmail.value;
Phone Number = primaryPhoneNumber.number; Mobile Phone Number; Associated Company; Associated Company IDs;
Marketing contact status; Last Activity Date (GMT-5); Street Address = addresses.mailing.streetLine1;
City = addresses.mailing.cityName; State/Region Code = addresses.mailing.stateCode;
Postal Code = addresses.mailing.zipCode; Country/Region Code = addresses.mailing.countryCode

# German
Kundennummer = externalId; Anrede = prefix; Vorname = firstName; Nachname = lastName;
Telefon = primaryPhoneNumber.number; E-Mail = primaryEmail.value; Geburtsdatum = dateOfBirth;
Straße und Hausnummer = addresses.mailing.streetLine1; PLZ = addresses.mailing.zipCode;
Ort = addresses.mailing.cityName; Land = addresses.mailing.countryCode; Bemerkung; Faxnummer

# German, a second address
Kunden-Nr. = externalId; Vorname = firstName; Name = lastName; Mobiltelefon = primaryPhoneNumber.number;
E-Mail-Adresse = primaryEmail.value; Rechnung Straße = addresses.mailing.streetLine1;
Rechnung Hausnummer = addresses.mailing.streetLine1; Rechnung PLZ = addresses.mailing.zipCode;
Rechnung Ort = addresses.mailing.cityName; Rechnung Land = addresses.mailing.countryCode

# French
N° client = externalId; Civilité = prefix; Prénom = firstName; Nom = lastName;
Téléphone portable = primaryPhoneNumber.number; Adresse e-mail = primaryEmail.value;
Date de naissance = dateOfBirth; Adresse = addresses.mailing.streetLine1;
Complément d'adresse = addresses.mailing.streetLine2; Code postal = addresses.mailing.zipCode;
Ville = addresses.mailing.cityName; Pays = addresses.mailing.countryCode; Remarques

# French, billing
Prénom = firstName; Nom de famille = lastName; Courriel = primaryEmail.value; Téléphone = primaryPhoneNumber.number;
Rue de facturation = addresses.mailing.streetLine1; Code postal de facturation = addresses.mailing.zipCode;
Ville de facturation = addresses.mailing.cityName; Pays de facturation = addresses.mailing.countryCode

# Spanish
ID cliente = externalId; Nombre = firstName; Apellidos = lastName; Teléfono móvil = primaryPhoneNumber.number;
Correo electrónico = primaryEmail.value; Fecha de nacimiento = dateOfBirth;
Dirección = addresses.mailing.streetLine1; Código postal = addresses.mailing.zipCode;
Población = addresses.mailing.cityName; Provincia = addresses.mailing.stateCode;
País = addresses.mailing.countryCode; Observaciones; Estado civil

# Italian
Codice cliente = externalId; Nome = firstName; Cognome = lastName; Cellulare = primaryPhoneNumber.number;
Posta elettronica = primaryEmail.value; Data di nascita = dateOfBirth; Indirizzo = addresses.mailing.streetLine1;
CAP = addresses.mailing.zipCode; Città = addresses.mailing.cityName; Provincia = addresses.mailing.stateCode;
Nazione = addresses.mailing.countryCode; Note

# Dutch
Klantnummer = externalId; Voornaam = firstName; Achternaam = lastName; Telefoonnummer = primaryPhoneNumber.number;
E-mailadres = primaryEmail.value; Geboortedatum = dateOfBirth; Straat = addresses.mailing.streetLine1;
Huisnummer = addresses.mailing.streetLine1; Postcode = addresses.mailing.zipCode;
Woonplaats = addresses.mailing.cityName; Land = addresses.mailing.countryCode; Opmerkingen

# Portuguese
Número do cliente = externalId; Nome = firstName; Sobrenome = lastName; Celular = primaryPhoneNumber.number;
E-mail = primaryEmail.value; Data de nascimento = dateOfBirth; Endereço = addresses.mailing.streetLine1;
CEP = addresses.mailing.zipCode; Cidade = addresses.mailing.cityName; UF = addresses.mailing.stateCode;
País = addresses.mailing.countryCode; Observações
"""
"""To each export its columns and the fields they fill; a column without one is not used."""


def exports() -> dict[str, dict[str, str]]:
    found = {}
    for block in EXPORTS.strip().split("\n\n"):
        title, _, text = block.partition("\n")
        pairs = (pair.partition(" = ") for pair in text.replace("\n", " ").split(";"))
        found[title.removeprefix("# ")] = {column.strip(): field.strip() for column, _, field in pairs}
    return found


@pytest.mark.parametrize("export", exports())
def test_the_exports_people_have_are_understood(export: str) -> None:
    expected = exports()[export]

    first: dict[str, str] = {}
    for match in proposal(CUSTOMERS, info("|".join(expected))).matches:
        first.setdefault(match.column, match.field)
    assert first == expected


def test_the_customer_type_of_a_bookkeeping_program_is_not_ours_when_its_words_are_not() -> None:
    rows = ["Ann Green|ann@example.com|+14155550101|Retail", "Bob Gray|bob@example.com|+14155550102|Wholesale"]
    columns = "Name|Email|Phone|Customer type"

    assert "Customer type" not in found(columns, *rows)
    assert proposal(CUSTOMERS, info(columns), sample(*rows)).rules["type"].value == "INDIVIDUAL"


def test_certain_names_score_one_and_every_column_is_reported_with_a_reason() -> None:
    matches = proposal(CUSTOMERS, info("First Name|Surname|Shoe Size")).matches

    assert [(match.field, match.score) for match in matches] == [("firstName", 1.0), ("lastName", 0.95), ("", 0.0)]
    assert all(match.why for match in matches)


@pytest.mark.parametrize(
    ("column", "field"),
    [("Emial Address", "primaryEmail.value"), ("Firstt Name", "firstName"), ("Date of Birht", "dateOfBirth")],
)
def test_a_slip_of_the_pen_is_understood_and_scores_less(column: str, field: str) -> None:
    match = match_of(column, column)

    assert match.field == field
    assert THRESHOLD <= match.score < 0.9


@pytest.mark.parametrize(
    "column", ["County", "Fax", "E-mail 2 Address", "Phone 2", "Username", "Spouse First Name", "Zipped", "x", ""]
)
def test_a_near_miss_is_not_guessed(column: str) -> None:
    assert found(column) == {}


# --------------------------------------------------------------------------- content


def test_a_column_of_emails_or_phones_is_recognised_whatever_it_is_called() -> None:
    rows = ["ann@example.com|+1 202 555 0101|5", "bob@example.org|(202) 555-0102|6", "cy@example.net|202-555-0103|7"]

    assert found("Login|Reach me at|Shoe Size", *rows) == {
        "Login": "primaryEmail.value",
        "Reach me at": "primaryPhoneNumber.number",
    }
    assert "email addresses" in match_of("Login", "Login|a|b", *rows).why


def test_somebody_elses_emails_are_left_alone() -> None:
    rows = ["ann@example.com|x", "bob@example.org|y"]

    assert found("Owner Email|Shoe Size", *rows) == {}
    assert found("Emergency contact|Shoe Size", *rows) == {}


def test_bare_numbers_and_dates_are_not_taken_for_phones() -> None:
    rows = ["4155550101|12/24/2019", "4155550102|11/23/2018", "4155550103|10/22/2017"]

    assert found("Serial|Last seen", *rows) == {}


def test_cells_speak_against_a_name() -> None:
    rows = ["5|yes|Engineer", "6|no|Manager", "7|yes|Clerk"]

    assert found("Account No|Emial Address|Title", *rows) == {"Account No": "externalId"}
    assert "not email addresses" in match_of("Emial Address", "a|Emial Address|c", *rows).why


def test_a_column_of_a_usual_name_is_that_column_although_its_cells_are_all_wrong() -> None:
    rows = ["yes|iPhone|red", "no|Pixel|blue", "yes|Nokia|green"]

    assert found("Email|Phone|Date of birth", *rows) == {
        "Email": "primaryEmail.value",
        "Phone": "primaryPhoneNumber.number",
        "Date of birth": "dateOfBirth",
    }
    assert "although its cells are not email addresses" in match_of("Email", "Email|a|b", *rows).why


def test_a_column_that_fits_goes_before_one_that_only_has_the_name() -> None:
    rows = ["yes|ann@example.com|a@b", "no|bob@example.org|5", "yes|cy@example.net|x"]

    assert found("Email|Login|Phone", *rows)["Login"] == "primaryEmail.value"
    assert "Email" not in found("Email|Login|x", *rows)


def test_a_column_of_the_wrong_name_is_what_its_cells_are() -> None:
    rows = ["ann@example.com|x", "bob@example.org|y", "cy@example.net|z"]

    assert found("Phone|First Name", *rows)["Phone"] == "primaryEmail.value"


def test_protected_cells_and_named_addresses_are_recognised_for_what_they_are() -> None:
    rows = ['="02138"|Ann <ann@example.com>', "'02139|mailto:bob@example.com", '="02140"|<cy@example.com>']

    assert found("Zip|Login|Street", *[f"{row}|1 Elm St" for row in rows]) == {
        "Zip": "addresses.mailing.zipCode",
        "Login": "primaryEmail.value",
        "Street": "addresses.mailing.streetLine1",
    }


def test_a_title_is_a_form_of_address_only_when_its_cells_are() -> None:
    assert found("Title", "Mr.", "Mrs", "Dr") == {"Title": "prefix"}
    assert found("Title", "CEO", "CTO", "Dr") == {}


def test_an_id_that_repeats_is_somebody_elses() -> None:
    assert found("Account ID|Email", "A|a@example.com", "A|b@example.com", "B|c@example.com") == {
        "Email": "primaryEmail.value"
    }


def test_one_id_that_is_there_twice_in_a_small_file_is_a_mistake_of_a_row() -> None:
    rows = [f"00{n}|a{n}@example.com" for n in (1, 2, 3, 4, 4)]

    assert found("Customer ID|Email", *rows)["Customer ID"] == "externalId"


def test_two_columns_never_take_the_same_field_and_the_fuller_one_wins() -> None:
    rows = ["|ann@example.com", "|bob@example.com", "cy@example.com|cy@example.net"]

    assert found("Email|E-mail Address", *rows) == {"E-mail Address": "primaryEmail.value"}
    assert match_of("Email", "Email|E-mail Address", *rows).why == "email address is taken from 'E-mail Address'"


def test_a_type_column_of_other_words_is_not_the_customers_type() -> None:
    rows = ["Prospect", "Lead", "Client of old"]

    assert proposal(CUSTOMERS, info("Type"), sample(*rows)).rules["type"].value == "INDIVIDUAL"


# --------------------------------------------------------------------------- what goes together


def test_an_address_without_street_or_postal_code_is_left_out_and_reported() -> None:
    match = match_of("City", "First Name|City|Country")

    assert match.field == ""
    assert "street" in match.why


def test_two_addresses_are_never_mixed() -> None:
    columns = "Home Street|Home Zip|Work Street|Work City|Work Zip"

    assert found(columns, "||1 Main St|Town|10001", "||2 Main St|Town|10002", "3 Elm St|10003|||") == {
        "Work Street": "addresses.physical.streetLine1",
        "Work City": "addresses.physical.cityName",
        "Work Zip": "addresses.physical.zipCode",
    }


def test_a_house_number_is_put_before_its_street() -> None:
    rules = proposal(CUSTOMERS, info("House No|Street|Zip")).rules

    assert rules["addresses.mailing.streetLine1"].columns == ("House No", "Street")


@pytest.mark.parametrize(
    ("columns", "joined"),
    [
        ("Hausnr.|Straße|PLZ", ("Straße", "Hausnr.")),
        ("Rechnung Straße|Rechnung Hausnummer|Rechnung PLZ", ("Rechnung Straße", "Rechnung Hausnummer")),
        ("Straat|Huisnummer|Postcode", ("Straat", "Huisnummer")),
        ("Via|Numero civico|CAP", ("Via", "Numero civico")),
        ("Calle|Número exterior|Código postal", ("Calle", "Número exterior")),
        ("Numéro de rue|Rue|Code postal", ("Numéro de rue", "Rue")),
    ],
)
def test_a_house_number_is_where_the_language_of_its_column_has_it(columns: str, joined: tuple[str, str]) -> None:
    assert proposal(CUSTOMERS, info(columns)).rules["addresses.mailing.streetLine1"].columns == joined


def test_a_column_of_customers_that_holds_digits_is_their_id_and_no_name() -> None:
    columns = "Kunde|Vorname|Name|Telefon|E-Mail"
    rows = [f"000010000{n}|Ann|Grün|+4930123456{n}|ann{n}@example.com" for n in range(3)]

    matches = found(columns, *rows)

    assert (matches["Kunde"], matches["Name"]) == ("externalId", "lastName")


def test_a_column_of_names_that_holds_numbers_only_names_nobody() -> None:
    assert "Name" not in found("Name|Email", *(f"100{n}|ann{n}@example.com" for n in range(3)))


def test_a_shipping_address_needs_a_person() -> None:
    assert found("Shipping Street|Shipping Zip") == {}
    rules = proposal(CUSTOMERS, info("Shipping Name|Shipping Street|Shipping Zip")).rules
    assert rules["addresses.shipping.name.lastName"].part == "family"


def test_a_whole_name_is_split_with_a_note() -> None:
    result = proposal(CUSTOMERS, info("Name|Email"))

    assert result.rules["firstName"].model_dump(exclude_defaults=True) == {"column": "Name", "part": "given"}
    assert result.rules["lastName"].part == "family"
    assert any("split into first and last name" in note.note for note in result.assumed)


def test_a_name_beside_a_first_name_is_the_family_name_unless_it_holds_both() -> None:
    family = proposal(CUSTOMERS, info("First Name|Name"), sample("Ann|Green", "Bob|Brown")).rules["lastName"]
    whole = proposal(CUSTOMERS, info("First Name|Name"), sample("Ann|Ann Green", "Bob|Bob Brown")).rules["lastName"]

    assert family.part is None
    assert whole.part == "family"


@pytest.mark.parametrize(
    ("column", "kind"), [("Mobile", "MOBILE"), ("Work Phone", "WORK"), ("Home Phone", "HOME"), ("Phone", "MOBILE")]
)
def test_the_phones_type_follows_from_its_name(column: str, kind: str) -> None:
    result = proposal(CUSTOMERS, info(f"First Name|{column}"))

    assert result.rules["primaryPhoneNumber.type"].value == kind
    assert any(note.value == f"primaryPhoneNumber.type = {kind}" for note in result.assumed)


def test_a_type_column_goes_before_what_the_phones_name_says() -> None:
    rule = proposal(CUSTOMERS, info("Home Phone|Phone Type")).rules["primaryPhoneNumber.type"]

    assert (rule.column, rule.default) == ("Phone Type", "HOME")


def test_the_label_of_another_phone_is_not_used() -> None:
    rules = proposal(CUSTOMERS, info("Phone 1 - Label|Mobile")).rules

    assert rules["primaryPhoneNumber.type"].value == "MOBILE"


def test_an_american_number_brings_its_country_and_a_foreign_one_needs_a_column() -> None:
    assert proposal(CUSTOMERS, info("SSN")).rules["socialIdCountryCode"].value == "USA"
    assert "socialId" not in proposal(CUSTOMERS, info("National ID")).rules
    assert "socialId" in proposal(CUSTOMERS, info("National ID|National ID Country")).rules


# --------------------------------------------------------------------------- both types in one file


MIXED = "Type|Company Name|First Name|Last Name|Email|Phone"


def test_in_a_file_of_both_types_the_same_columns_hold_persons_and_contacts() -> None:
    rules = proposal(CUSTOMERS, info(MIXED)).rules

    assert rules["firstName"].column == rules["contacts.primary.firstName"].column == "First Name"
    assert rules["businessName"].column == "Company Name"


def test_only_the_fields_of_types_that_were_seen_are_shown() -> None:
    shown = found(MIXED, "Business|Blue Bakery|Ann|Green|ann@example.com|202 555 0101")

    assert shown["First Name"] == "contacts.primary.firstName"
    assert "firstName" in proposal(CUSTOMERS, info(MIXED), sample("Business|B|A|G|a@example.com|202 555 0101")).rules


def test_what_is_proposed_is_a_mapping_that_a_profile_takes() -> None:
    for columns in exports().values():
        rules = proposal(CUSTOMERS, info("|".join(columns))).rules
        assert Profile(mapping=dict(rules)).mapping == rules


# --------------------------------------------------------------------------- where phone numbers belong


def test_a_country_without_an_address_says_where_the_phone_numbers_belong() -> None:
    rules = proposal(CUSTOMERS, info("First Name|Phone|Country"), sample("Ann|020 7946 0958|GB")).rules

    assert rules["primaryPhoneNumber.country"].column == "Country"
    assert found("First Name|Phone|Country")["Country"] == "primaryPhoneNumber.country"


def test_a_country_of_an_address_needs_no_second_rule() -> None:
    assert "primaryPhoneNumber.country" not in proposal(CUSTOMERS, info("Phone|Street|Zip|Country")).rules
    assert "primaryPhoneNumber.country" not in proposal(CUSTOMERS, info("Email|Country")).rules


def test_a_column_called_country_that_holds_something_else_says_nothing_of_phone_numbers() -> None:
    rules = proposal(
        CUSTOMERS, info("Phone|Country"), sample("020 7946 0958|44", "212 555 0123|1", "212 555 0124|1")
    ).rules

    assert "primaryPhoneNumber.country" not in rules


def test_both_a_persons_number_and_a_contacts_belong_to_the_country() -> None:
    rules = proposal(CUSTOMERS, info("Type|Company Name|First Name|Last Name|Email|Phone|Country")).rules

    assert rules["contacts.primary.primaryPhoneNumber.country"].column == "Country"
    assert rules["primaryPhoneNumber.country"].column == "Country"
