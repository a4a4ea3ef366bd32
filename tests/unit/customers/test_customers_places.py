"""Countries, states, postal codes and PO boxes."""

from __future__ import annotations

import pycountry
import pytest

from importer.customers.places import find_country, read_country, read_state
from importer.customers.postal import SHAPES, is_po_box, read_postal

STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
    "AS": "American Samoa", "GU": "Guam", "MP": "Northern Mariana Islands", "PR": "Puerto Rico",
    "UM": "United States Minor Outlying Islands", "VI": "Virgin Islands, U.S.",
}  # fmt: skip
PROVINCES = {
    "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
    "NL": "Newfoundland and Labrador", "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut",
    "ON": "Ontario", "PE": "Prince Edward Island", "QC": "Quebec", "SK": "Saskatchewan", "YT": "Yukon",
}  # fmt: skip
SUBDIVISIONS = [("USA", code, name) for code, name in STATES.items()] + [
    ("CAN", code, name) for code, name in PROVINCES.items()
]


@pytest.mark.parametrize(("country", "code", "name"), SUBDIVISIONS)
def test_every_american_and_canadian_subdivision_is_known_by_code_and_name(country: str, code: str, name: str) -> None:
    assert read_state(code, country).clean
    for written in (code.lower(), f"{'US' if country == 'USA' else 'CA'}-{code}", name, name.upper(), f" {name} "):
        assert read_state(written, country).value == code
        assert read_state(written, "").value == code


def test_the_lists_of_subdivisions_are_complete() -> None:
    listed = [one.code for one in pycountry.subdivisions if one.country_code in {"US", "CA"}]
    assert len(listed) == len(SUBDIVISIONS) == 70


@pytest.mark.parametrize(
    ("written", "country", "code"),
    [("Québec", "CAN", "QC"), ("Washington DC", "USA", "DC"), ("PEI", "CAN", "PE"), ("Bayern", "DEU", "BY"),
     ("New South Wales", "AUS", "NSW"), ("Île-de-France", "FRA", "IDF"), ("Jalisco", "MEX", "JAL"),
     ("gb-eng", "GBR", "ENG"), ("N.Y.", "USA", "NY"),
     ("D.C.", "USA", "DC"), ("B.C.", "CAN", "BC"), ("Tokyo", "JPN", "13")],
)  # fmt: skip
def test_states_of_other_countries_and_everyday_names_are_known(written: str, country: str, code: str) -> None:
    assert read_state(written, country).value == code


@pytest.mark.parametrize(
    ("written", "country", "error", "warnings"),
    [
        ("ZZ", "USA", "state_unknown", ()), ("Ontario", "USA", "state_unknown", ()), ("CA", "CAN", "state_unknown", ()),
        ("Calif", "USA", "state_unknown", ()), ("N/A", "ITA", "state_unknown", ()),
        ("AE", "USA", "", ("state_military",)),
        ("AP", "", "", ("state_military",)), ("ZZ", "GBR", "", ("state_unconfirmed",)),
        ("Middlesex", "GBR", "state_unknown", ()), ("Z", "GBR", "state_unknown", ()), ("", "USA", "", ()),
    ],
)  # fmt: skip
def test_unknown_states_are_refused_where_the_api_needs_them(
    written: str, country: str, error: str, warnings: tuple[str, ...]
) -> None:
    reading = read_state(written, country)
    assert (reading.error, reading.warnings) == (error, warnings)


COUNTRIES = sorted(one.alpha_3 for one in pycountry.countries)


def test_all_249_countries_are_listed() -> None:
    assert len(COUNTRIES) == 249


@pytest.mark.parametrize("alpha3", COUNTRIES)
def test_every_country_is_known_by_both_codes_and_its_name(alpha3: str) -> None:
    country = pycountry.countries.get(alpha_3=alpha3)
    assert country is not None
    assert read_country(alpha3).clean
    for written in (country.alpha_2, alpha3.lower(), country.name, country.name.upper(), f" {country.name}"):
        assert read_country(written).value == alpha3


@pytest.mark.parametrize(
    ("written", "alpha3"),
    [
        ("U.S.A.", "USA"), ("United States of America", "USA"), ("America", "USA"), ("UK", "GBR"), ("England", "GBR"),
        ("Great Britain", "GBR"), ("Holland", "NLD"), ("South Korea", "KOR"), ("Russia", "RUS"), ("Vietnam", "VNM"),
        ("Czech Republic", "CZE"), ("Turkey", "TUR"), ("Ivory Coast", "CIV"), ("UAE", "ARE"), ("Samoa", "WSM"),
        ("Deutschland", "DEU"), ("Allemagne", "DEU"), ("Alemania", "DEU"), ("Germania", "DEU"), ("Duitsland", "DEU"),
        ("Niemcy", "DEU"), ("Tyskland", "DEU"), ("Saksa", "DEU"), ("Almanya", "DEU"), ("Германия", "DEU"),
        ("ドイツ", "DEU"), ("德国", "DEU"), ("독일", "DEU"), ("ألمانيا", "DEU"), ("Γερμανία", "DEU"),
        ("Estados Unidos", "USA"), ("États-Unis", "USA"), ("Vereinigte Staaten", "USA"), ("Stati Uniti", "USA"),
        ("España", "ESP"), ("espana", "ESP"), ("Österreich", "AUT"), ("Suisse", "CHE"), ("Schweiz", "CHE"),
        ("México", "MEX"), ("Brasil", "BRA"), ("Italia", "ITA"), ("Polska", "POL"), ("日本", "JPN"), ("中国", "CHN"),
        ("Côte d'Ivoire", "CIV"), ("Curaçao", "CUW"), ("Åland", "ALA"),
    ],
)  # fmt: skip
def test_names_in_many_languages_are_understood(written: str, alpha3: str) -> None:
    assert find_country(written) == alpha3


@pytest.mark.parametrize("written", ["Atlantis", "XX", "U", "12", "840", "California", "?", "N/A", "n.a.", "EU"])
def test_what_is_not_a_country_is_refused(written: str) -> None:
    assert read_country(written).error == "country_unknown"


@pytest.mark.parametrize(
    ("country", "codes"),
    [
        ("USA", ["62701", "62701-1234", "00501"]), ("CAN", ["K1A 0B1", "K1A0B1"]), ("DEU", ["10115"]),
        ("GBR", ["SW1A 1AA", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "EC1A 1BB"]), ("NLD", ["1012 AB"]),
        ("POL", ["00-950"]), ("PRT", ["1000-205"]), ("SWE", ["114 55"]), ("JPN", ["100-0001"]), ("BRA", ["01310-100"]),
        ("IRL", ["D02 X285"]), ("AUS", ["2000"]), ("IND", ["110001"]), ("ARG", ["C1425ABC"]), ("HKG", ["anything"]),
    ],
)  # fmt: skip
def test_usual_postal_codes_pass_without_a_remark(country: str, codes: list[str]) -> None:
    assert all(not read_postal(code, country).warnings for code in codes)


@pytest.mark.parametrize(
    ("written", "country", "value", "warnings"),
    [
        ("501", "USA", "501", ("zip_unusual",)), ("2134", "USA", "2134", ("zip_zero_lost",)),
        ("1067", "DEU", "1067", ("zip_zero_lost",)), ("627011234", "USA", "627011234", ("zip_unusual",)),
        ("k1a 0b1", "CAN", "K1A 0B1", ()), ("ABC", "USA", "ABC", ("zip_unusual",)), ("whatever", "", "WHATEVER", ()),
    ],
)  # fmt: skip
def test_unusual_postal_codes_only_warn(written: str, country: str, value: str, warnings: tuple[str, ...]) -> None:
    reading = read_postal(written, country)
    assert (reading.value, reading.warnings, reading.error) == (value, warnings, "")


def test_postal_shapes_name_real_countries_and_only_capitals() -> None:
    assert set(SHAPES) <= set(COUNTRIES)
    assert not any(shape.search("a") for shape in SHAPES.values())


@pytest.mark.parametrize(
    "street",
    ["PO Box 12", "P.O. Box 12", "P O Box 12", "p.o.box 12", "POBox 12", "Post Office Box 7", "Postal Box 7", "POB 12",
     "P.O.B. 12", "PB 77", "Postfach 10 01", "Postbus 123", "Boîte postale 5", "Case postale 8", "Casella Postale 3",
     "Apartado de Correos 12", "Apartado 12", "Casilla 44", "c/o Green, PO Box 9", "Skrytka pocztowa 12"],
)  # fmt: skip
def test_po_boxes_are_recognised(street: str) -> None:
    assert is_po_box(street)


@pytest.mark.parametrize(
    "street",
    ["12 Example Street", "Boxwood Lane 4", "1 Post Road", "Poststraße 7", "4 Postmaster Court",
     "Casilla Street", "Apartado Way", "12 Box Elder Road", "Pb Lane"],
)  # fmt: skip
def test_streets_that_only_sound_like_it_are_none(street: str) -> None:
    assert not is_po_box(street)
