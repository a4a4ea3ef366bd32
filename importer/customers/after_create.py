"""The steps after the create of a customer, and what a row lacks for one profile of identity verification. Pure.

What a profile asks for is data of the target; which of our fields that is, is data here, with its evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from importer.core.contract import Evidence
from importer.core.step_tasks import VerificationProfile, VerificationRules
from importer.core.steps import Step
from importer.customers.shape import flatten
from importer.customers.specs import CONTACT, STEPS, CustomerType

K, INF, NF = Evidence.KNOWN, Evidence.INFERRED, Evidence.NOT_FOUND
_HOME = "addresses.physical."


class Need(NamedTuple):
    """What one key of a profile asks for.

    Args:
        name: the field, as it is named in an individual, in a business or in a beneficial owner.
        evidence: how well it is known that the key means this field.
        of_business: the field's name in a business, where that is another one.
        country: the field that has to be the USA; empty: there is no such field.
    """

    name: str
    evidence: Evidence
    of_business: str = ""
    country: str = ""


NEEDS: Mapping[str, Need] = MappingProxyType(
    {
        "FIRST": Need("firstName", K, f"{CONTACT}firstName"),
        "LAST": Need("lastName", K, f"{CONTACT}lastName"),
        "DATE_OF_BIRTH": Need("dateOfBirth", K),
        "SSN": Need("socialId", INF, country="socialIdCountryCode"),
        "PRIMARY_EMAIL_ADDRESS": Need("primaryEmail.value", K, f"{CONTACT}primaryEmail.value"),
        "PRIMARY_PHONE_NUMBER": Need("primaryPhoneNumber.number", K, f"{CONTACT}primaryPhoneNumber.number"),
        "LINE1": Need(f"{_HOME}streetLine1", K),
        "CITY": Need(f"{_HOME}cityName", K),
        "STATE": Need(f"{_HOME}stateCode", K),
        "POSTAL_CODE": Need(f"{_HOME}zipCode", K),
        "COUNTRY": Need(f"{_HOME}countryCode", K),
        "BUSINESS_LEGAL_NAME": Need("legalName", K),
        "TAX_ID": Need("taxId", INF),
        "LEGAL_ID": Need("taxId", INF),  # the same in an older version of the API
    }
)
"""A key of `minimumInformationRequired` to the field that it asks for."""
DOCUMENT_NEEDS: Mapping[str, Need] = MappingProxyType(
    {"ISSUING_COUNTRY": Need("issuingCountryCode", K), "EXPIRY_DATE": Need("expiryDate", K)}
)
"""The same for the keys of one document."""
DOCUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "passport": "passport", "drivinglicense": "drivingLicense", "formation": "formation", "tax": "tax",
        "ownership": "ownership", "other": "other",
    }
)  # fmt: skip
"""What a profile calls a document, in small letters alone, to its part. Of several all are asked for (NF)."""
BUSINESS_PARTY, OWNER_PARTY = "business", "beneficiary"
"""The keys of parties (K); that of a person is not found, and is a setting."""
_SSN_COUNTRY = "USA"
_COUNTRIES = (f"{_HOME}countryCode", "addresses.mailing.countryCode")
"""Where a customer is, the first that is given."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a profile asks of one party.

    Args:
        keys: those of `NEEDS`.
        documents: names of fields below `documents.`.
        unknown: keys that are not known here, dotted.
    """

    keys: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class CustomerSteps:
    """The steps after the create of a customer. Implements `core.contract.AfterCreate`."""

    steps = frozenset({*STEPS, Step.VERIFICATION})

    def __init__(self) -> None:
        self._last: tuple[VerificationProfile, Mapping[str, _Asked]] | None = None

    def record_type(self, body: Mapping[str, Any]) -> str:
        """The API's own word."""
        return str(body.get("type") or "")

    def missing(
        self,
        body: Mapping[str, Any],
        after: Mapping[str, Any],
        profile: VerificationProfile,
        rules: VerificationRules,
    ) -> tuple[str, ...]:
        """Name what a customer and its beneficial owners lack.

        A business needs one owner where a profile asks anything of owners (NF). A key that is not known makes no row
        unready.
        """
        kind = self.record_type(body)
        if kind not in profile.record_types:
            return ("type",)
        parties, texts = self._parties(profile), dict(flatten(body))
        business = kind == CustomerType.BUSINESS
        asked = parties.get(BUSINESS_PARTY if business else _folded(rules.individual_party), _Asked())
        lacking = [*_lacking(asked, texts, business=business), *_documents(asked, after.get("documents") or {})]
        if business and OWNER_PARTY in parties:
            lacking += _of_owners(parties[OWNER_PARTY], after.get("beneficiaries") or {})
        return tuple(dict.fromkeys([*lacking, *_elsewhere(texts, rules)]))

    def unknown_requirements(self, profile: VerificationProfile, rules: VerificationRules) -> tuple[str, ...]:
        """Name what a profile asks for and nobody here can judge: parties and keys."""
        known = {_folded(rules.individual_party), BUSINESS_PARTY, OWNER_PARTY}
        parties = self._parties(profile)
        strange = [party for party in profile.requires if _folded(party) not in known]
        return (*strange, *(f"{party}.{key}" for party in parties if party in known for key in parties[party].unknown))

    def _parties(self, profile: VerificationProfile) -> Mapping[str, _Asked]:
        """What a profile asks for; that of the last one is remembered, since many rows are judged by one."""
        if self._last is None or self._last[0] is not profile:
            asked = {_folded(party): _asked(wanted) for party, wanted in profile.requires.items()}
            self._last = profile, asked
        return self._last[1]


# --------------------------------------------------------------------------- what a profile asks for


def _asked(wanted: Any) -> _Asked:
    keys: list[str] = []
    documents: list[str] = []
    unknown: list[str] = []
    for path in _paths(wanted):
        if path[-1] in NEEDS:
            keys.append(path[-1])
        elif names := _of_document(path):
            documents += names
        else:
            unknown.append(".".join(path))
    return _Asked(tuple(keys), tuple(documents), tuple(unknown))


def _paths(wanted: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key with those above it, whether a profile lists keys or marks them with true and false."""
    if isinstance(wanted, Mapping):
        for key, inside in wanted.items():
            if inside is not False:
                yield from _paths(inside, (*above, str(key)))
    elif isinstance(wanted, list | tuple) and wanted:
        for one in wanted:
            yield from _paths(one, above)
    elif isinstance(wanted, str):
        yield (*above, wanted)
    elif above:
        yield above


def _of_document(path: tuple[str, ...]) -> list[str]:
    """The fields that a key below `documents` asks for; empty: it is another key, or one that is not known."""
    folded = [_folded(key) for key in path]
    if "documents" not in folded or folded[-1] == "documents":
        return []
    kind, *details = path[folded.index("documents") + 1 :]
    part, known = DOCUMENTS.get(_folded(kind)), [DOCUMENT_NEEDS.get(key) for key in details]
    if part is None or not all(known):
        return []
    return [f"{part}.file", *(f"{part}.{need.name}" for need in known if need)]


def _folded(word: object) -> str:
    return "".join(filter(str.isalpha, str(word).lower()))


# --------------------------------------------------------------------------- what a row lacks


def _lacking(asked: _Asked, texts: Mapping[str, str], *, business: bool = False) -> Iterator[str]:
    for need in map(NEEDS.__getitem__, asked.keys):
        name = (business and need.of_business) or need.name
        if not texts.get(name) or (need.country and texts.get(need.country) != _SSN_COUNTRY):
            yield name


def _documents(asked: _Asked, documents: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name in asked.documents:
        part, _, key = name.partition(".")
        if not documents.get(part, {}).get(key):
            yield f"documents.{name}"


def _of_owners(asked: _Asked, owners: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for number, owner in (owners or {"1": {}}).items():
        lacking = [*_lacking(asked, dict(flatten(owner))), *_documents(asked, {})]
        yield from (f"beneficiaries.{number}.{name}" for name in lacking)


def _elsewhere(texts: Mapping[str, str], rules: VerificationRules) -> Iterator[str]:
    """Name the country of a customer that is in none of the countries where customers can be verified."""
    name = next((name for name in _COUNTRIES if texts.get(name)), "")
    if name and rules.countries and texts[name] not in _codes(rules.countries):
        yield name


@lru_cache(8)
def _codes(countries: tuple[str, ...]) -> frozenset[str]:
    from importer.customers.places import find_country  # noqa: PLC0415  # names of countries load slowly

    return frozenset(find_country(one) or one for one in countries)
