"""Columns of email addresses and phone numbers: the common forms at a glance, all others by their libraries."""

from __future__ import annotations

from collections.abc import Sequence

from importer.customers.emails import MAX_BYTES, PLAIN_LOWER, quick_email
from importer.customers.nanp import NATIONAL, belongs_here, quick_phone
from importer.customers.reading import Policy, Reading
from importer.customers.rules import FieldSpec
from importer.validation.columns import MEMORY_TEXTS, ColumnCheck
from importer.validation.findings import Findings

_E164_CHARS = 12
_PREFIX_CHARS = 6


class EmailCheck(ColumnCheck):
    """Email addresses: plain ones in lower case are clean where their domain was found fine before."""

    def __init__(self, spec: FieldSpec, policy: Policy) -> None:
        super().__init__(spec, policy)
        self._domains: set[str] = set()

    def suspects(self, texts: Sequence[str], _countries: Sequence[str]) -> Sequence[int]:
        """Find what is no plain address of a domain that is known to be fine."""
        match, domains = PLAIN_LOWER.fullmatch, self._domains
        return [
            place
            for place, text in enumerate(texts)
            if text and ((found := match(text)) is None or found[1] not in domains or len(text) > MAX_BYTES)
        ]

    def read(self, text: str, country: str) -> Reading:
        """Read one address, plain ones without the library."""
        reading = quick_email(text)
        if reading is None:
            return super().read(text, country)
        if len(self._domains) >= MEMORY_TEXTS:
            self._domains.clear()
        self._domains.add(reading.value.rpartition("@")[2])
        return reading


class PhoneCheck(ColumnCheck):
    """Phone numbers: numbers of the USA and Canada in E.164 are clean where their prefix was found assigned before."""

    def __init__(self, spec: FieldSpec, policy: Policy) -> None:
        super().__init__(spec, policy)
        self._prefixes: set[str] = set()

    def suspects(self, texts: Sequence[str], _countries: Sequence[str]) -> Sequence[int]:
        """Find what is not surely in E.164 and assigned."""
        known = self._prefixes
        return [
            place
            for place, text in enumerate(texts)
            if text
            and not (
                len(text) == _E164_CHARS
                and text[:_PREFIX_CHARS] in known
                and text[_PREFIX_CHARS:].isdigit()
                and text.isascii()
            )
        ]

    def check(self, texts: Sequence[str], found: Findings, countries: Sequence[str] = ()) -> Sequence[str]:
        """Normalise a column; usual numbers of the USA and Canada with a known prefix are written in E.164 at once."""
        suspects = self.suspects(texts, countries)
        usual = self._usual(texts, suspects, countries) if suspects else {}
        before = [texts[place] for place in usual]
        if not usual or not found.settle_alike(self.spec, "phone_e164", list(usual), before, list(usual.values())):
            return super().check(texts, found, countries)
        values = list(texts)
        for place, number in usual.items():
            values[place] = number
        others = [place for place in suspects if place not in usual]
        found.settle(self.spec, others, self.readings(others, texts, countries), values)
        return values

    def _usual(self, texts: Sequence[str], places: Sequence[int], countries: Sequence[str]) -> dict[int, str]:
        """Find the numbers that are only to be written in E.164, and write them."""
        known = self._prefixes
        here = {country: belongs_here(self.policy, country) for country in {*countries, ""}}
        alike = here[""] if len(set(here.values())) == 1 else None
        usual: dict[int, str] = {}
        for place in places:
            text = texts[place]
            parts = NATIONAL.fullmatch(text)
            if parts is None:
                continue
            if text[0] == "+" or (here[countries[place]] if alike is None else alike):
                in_brackets, plain, exchange, line = parts.groups()
                number = f"+1{in_brackets or plain}{exchange}{line}"
                if number != text and number[:_PREFIX_CHARS] in known:
                    usual[place] = number
        return usual

    def read(self, text: str, country: str) -> Reading:
        """Read one number, those of the USA and Canada without the library."""
        reading = quick_phone(text, self.policy, country)
        if reading is None:
            return super().read(text, country)
        if not (reading.warnings or reading.error):
            self._prefixes.add(reading.value[:_PREFIX_CHARS])
        return reading
