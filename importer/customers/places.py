"""Countries and states: codes and names as people write them become ISO 3166 codes, by way of `pycountry`.

Country names are understood in English and in the languages of `LANGUAGES`; a name that two countries
share in some language is not guessed at, unless it is the English name of one.
"""

from __future__ import annotations

import gettext
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import pycountry

from importer.core.contract import Reading
from importer.core.contract.text import clean
from importer.customers.specs import STATE_REQUIRED_IN

LANGUAGES = (
    "ar", "bg", "cs", "da", "de", "el", "es", "et", "fi", "fr", "he", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv",
    "nb", "nl", "pl", "pt", "pt_BR", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "vi", "zh_CN", "zh_TW",
)  # fmt: skip
_EVERYDAY_NAMES = MappingProxyType(
    {
        "us": "USA", "usa": "USA", "unitedstatesofamerica": "USA",
        "america": "USA", "uk": "GBR", "greatbritain": "GBR", "britain": "GBR",
        "england": "GBR", "scotland": "GBR", "wales": "GBR", "northernireland": "GBR", "holland": "NLD",
        "southkorea": "KOR", "northkorea": "PRK", "russia": "RUS", "iran": "IRN", "syria": "SYR", "laos": "LAO",
        "vietnam": "VNM", "bolivia": "BOL", "venezuela": "VEN", "tanzania": "TZA", "moldova": "MDA", "macedonia": "MKD",
        "ivorycoast": "CIV", "uae": "ARE", "czechrepublic": "CZE", "turkey": "TUR", "burma": "MMR", "swaziland": "SWZ",
        "capeverde": "CPV", "drcongo": "COD", "palestine": "PSE", "brunei": "BRN", "micronesia": "FSM", "macau": "MAC",
        "vatican": "VAT", "vaticancity": "VAT", "usvirginislands": "VIR", "thegambia": "GMB", "thebahamas": "BHS",
        "thenetherlands": "NLD", "thephilippines": "PHL", "republicofireland": "IRL",
    }
)  # fmt: skip
_EVERYDAY_STATES = MappingProxyType(
    {
        "USA": {"washingtondc": "DC", "usvirginislands": "VI", "virginislands": "VI", "northernmarianas": "MP"},
        "CAN": {"newfoundland": "NL", "labrador": "NL", "pei": "PE", "yukonterritory": "YT", "nwt": "NT"},
    }
)
_CODE = re.compile("[A-Za-z0-9]{2,3}")
MILITARY_STATES = ("AA", "AE", "AP")


def fold(text: str) -> str:
    """Reduce a name to its letters and digits: capitals, accents, spaces and punctuation aside."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if sign.isalnum() or unicodedata.category(sign) == "Mc")


def _code(text: str) -> str:
    """Write a code as the tables have it; letters beyond ASCII make none (`ß` is not `ss`)."""
    return text.lower() if text.isascii() else ""


def read_country(text: str) -> Reading:
    """Read a country: alpha-3, alpha-2 or a name; its value comes out as alpha-3."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    found = find_country(reading.value)
    return reading.then("country_alpha3", found) if found else reading.refuse("country_unknown")


def find_country(text: str) -> str:
    """Find a country's alpha-3 code; empty where there is none."""
    # Codes are taken literally: with its stroke folded away, `N/A` would be Namibia.
    if code := _country_codes().get(_code(text)):
        return code
    if not (name := fold(text)):  # the names of 34 languages are not loaded for a blank
        return ""
    return _english_names().get(name) or _foreign_names().get(name, "")


@cache
def alpha2(country: str) -> str:
    """Turn an alpha-3 code into alpha-2; empty where there is no such country."""
    found = pycountry.countries.get(alpha_3=country)
    return str(found.alpha_2) if found else ""


@cache
def country_name(region: str) -> str:
    """Return the everyday English name of a country (alpha-2); the code itself where there is no such country."""
    found = pycountry.countries.get(alpha_2=region)
    return str(getattr(found, "common_name", found.name)) if found else region


def country_codes() -> tuple[str, ...]:
    """List the alpha-3 codes of all countries."""
    return tuple(one.alpha_3 for one in pycountry.countries)


def state_codes(country: str) -> tuple[str, ...]:
    """List the codes of a country's states, without the country."""
    return tuple(dict.fromkeys(_state_codes(country).values()))


@cache
def _country_codes() -> Mapping[str, str]:
    return {code.lower(): one.alpha_3 for one in pycountry.countries for code in (one.alpha_2, one.alpha_3)}


def _names(country: Any) -> Iterator[str]:
    for attribute in ("name", "official_name", "common_name"):
        if name := getattr(country, attribute, ""):
            yield name


@cache
def _english_names() -> Mapping[str, str]:
    found = {fold(name): one.alpha_3 for one in pycountry.countries for name in _names(one)}
    return {**found, **_EVERYDAY_NAMES}


@cache
def _foreign_names() -> Mapping[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        translate = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True).gettext
        for country in pycountry.countries:
            for name in _names(country):
                found[fold(translate(name))].add(country.alpha_3)
    return {name: codes.pop() for name, codes in found.items() if name and len(codes) == 1}


def read_state(text: str, country: str) -> Reading:
    """Read a state or province of a country (alpha-3; empty when unknown): a code, or its name.

    Outside the USA and Canada an unknown code only warns: the API asks for states there only.
    """
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    found = find_state(reading.value, country)
    if found:
        return reading.then("state_code", found)
    code = reading.value.upper()
    if country in {"USA", ""} and code in MILITARY_STATES:
        return reading.then("state_code", code).warn("state_military")
    if country in STATE_REQUIRED_IN or not _CODE.fullmatch(reading.value):
        return reading.refuse("state_unknown")
    return reading.then("state_code", code).warn("state_unconfirmed")


def find_state(text: str, country: str) -> str:
    """Find the subdivision code of a state (`CA`, without its country); empty where there is none.

    Without a country, the states of the USA and Canada are tried: none of their names or codes is shared.
    """
    for one in (country,) if country else STATE_REQUIRED_IN:
        literal = text.replace(".", "") if one in STATE_REQUIRED_IN else text
        if code := _state_codes(one).get(_code(literal)) or _state_names(one).get(fold(text)):
            return code
    return ""


@cache
def _subdivisions() -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for one in pycountry.subdivisions:
        found[one.country_code].append(one)
    return found


@cache
def _state_codes(country: str) -> Mapping[str, str]:
    listed = _subdivisions().get(alpha2(country), ())
    return {code.lower(): one.code[3:] for one in listed for code in (one.code, one.code[3:])}


@cache
def _state_names(country: str) -> Mapping[str, str]:
    found: dict[str, str] = dict(_EVERYDAY_STATES.get(country, {}))
    # Inner subdivisions after outer ones: where a province and its region share a name, the region wins.
    listed = _subdivisions().get(alpha2(country), ())
    for one in sorted(listed, key=lambda each: (bool(each.parent_code), each.code)):
        found.setdefault(fold(one.name), one.code[3:])
        found.setdefault(fold(one.name.partition("[")[0]), one.code[3:])
    return found
