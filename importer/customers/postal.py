"""Postal codes: their shape per country. The API documents only their length, so a shape only warns.

Shapes follow the Unicode CLDR's last postal code data and the countries' post offices, for the countries
where customers are most often; other countries' codes are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from importer.core.contract import Reading
from importer.core.contract.text import clean

_D3, _D4, _D5, _D6, _D7 = ("[0-9]{%d}" % digits for digits in range(3, 8))  # noqa: UP031 - braces belong to the pattern
_UK_AREA = r"[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]|[A-HK-Y][0-9][0-9ABEHMNPRV-Y]|[0-9][A-HJKPS-UW])"
_UK = rf"GIR ?0AA|{_UK_AREA} ?[0-9][ABD-HJLNP-UW-Z]{{2}}"
_US = r"[0-9]{5}(?:-[0-9]{4})?"

_SHAPES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("USA", "PRI", "GUM", "VIR", "ASM", "MNP"), _US),
        "CAN": r"[ABCEGHJKLMNPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] ?[0-9][ABCEGHJ-NPRSTV-Z][0-9]",
        **dict.fromkeys(("GBR", "GGY", "IMN", "JEY"), _UK),
        **dict.fromkeys(("DEU", "FRA", "ITA", "ESP", "FIN", "TUR", "MEX", "HRV", "EST", "UKR", "SRB", "MAR"), _D5),
        **dict.fromkeys(("IDN", "MYS", "THA", "PAK", "SAU", "EGY", "KOR", "MCO", "VAT", "SMR", "BIH", "MNE"), _D5),
        **dict.fromkeys(("AUT", "BEL", "CHE", "DNK", "NOR", "HUN", "LUX", "AUS", "NZL", "ZAF", "BGR", "CYP"), _D4),
        **dict.fromkeys(("SVN", "PHL", "LIE", "GEO", "TUN", "BGD"), _D4),
        **dict.fromkeys(("IND", "CHN", "SGP", "RUS", "ROU", "VNM", "COL", "KAZ", "BLR"), _D6),
        **dict.fromkeys(("ISL", "FRO"), _D3),
        **dict.fromkeys(("SWE", "CZE", "SVK", "GRC"), r"[0-9]{3} ?[0-9]{2}"),
        "ISR": f"{_D5}(?:[0-9]{{2}})?",
        "CHL": r"[0-9]{3}-?[0-9]{4}",
        "JPN": r"[0-9]{3}-?[0-9]{4}",
        "BRA": r"[0-9]{5}-?[0-9]{3}",
        "PRT": r"[0-9]{4}-[0-9]{3}",
        "POL": r"[0-9]{2}-[0-9]{3}",
        "NLD": r"[1-9][0-9]{3} ?[A-Z]{2}",
        "IRL": r"[ACDEFHKNPRTVWXY][0-9][0-9W] ?[0-9ACDEFHKNPRTVWXY]{4}",
        "ARG": r"(?:[A-Z][0-9]{4}[A-Z]{3}|[0-9]{4})",
        "MLT": r"[A-Z]{3} ?[0-9]{2,4}",
        "LTU": r"(?:LT-)?[0-9]{5}",
        "LVA": r"(?:LV-)?[0-9]{4}",
        "AND": r"AD[1-7]00",
        "TWN": r"[0-9]{3}(?:[0-9]{2,3})?",
    }
)
SHAPES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {country: re.compile(shape) for country, shape in _SHAPES.items()}
)
"""Alpha-3 country to the shape of its postal codes, in capitals."""


def read_postal(text: str, country: str) -> Reading:
    """Read a postal code of a country (alpha-3; empty when unknown); letters come out as capitals."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    if reading.value.isascii():
        reading = reading.then("postal_upper", reading.value.upper())
    shape = SHAPES.get(country)
    if shape is None or shape.fullmatch(reading.value):
        return reading
    zero_lost = reading.value.isdigit() and shape.fullmatch("0" + reading.value)
    return reading.warn("zip_zero_lost" if zero_lost else "zip_unusual")


_PO_BOX = re.compile(
    r"\b(?:p\W{0,2}\s*o\W{0,2}\s*box|post(?:al)?\s*(?:office\s*)?box|p\.?o\.?b\.?\s*#?\s*[0-9]+|pb\.?\s*[0-9]+|postfach|postbus|postboks"
    r"|bo[iî]te\s+postale|case\s+postale|casella\s+postale|caixa\s+postal|apartado(?:\s+(?:de\s+correos|postal))?"
    r"\s*#?\s*[0-9]+|casilla(?:\s+postal)?\s*#?\s*[0-9]+|skrytka\s+pocztowa)",
    re.IGNORECASE,
)


def is_po_box(street: str) -> bool:
    """Whether a line of an address is a PO box, in the languages of most post offices."""
    return _PO_BOX.search(street) is not None
