"""What columns of customers could be: in the light of their cells, as a person's or a business's, as whole addresses.

A field that could not be sent alone (half an address) is left out. Every column that is not used keeps the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from importer.core.contract import Candidate, Choice, Look, Meaning
from importer.customers.column_names import FULL_NAME, HONORIFICS
from importer.customers.rules import FIELDS, field_spec
from importer.customers.specs import CONTACT, CustomerType

PERSON = tuple(name.removeprefix(CONTACT) for name in FIELDS if name.startswith(CONTACT))
"""What a person's own fields and a business's contact have in common."""
_WHO = frozenset({"customer", "client", "kunde", "klant"})
"""What columns are called that hold whole names, or numbers."""
_NUMBER = re.compile(r"[A-Z]{0,3}[-_ ]?[0-9]+", re.IGNORECASE)
_A_FEW = 5
_MOSTLY_DISTINCT = 0.85
"""A few ids that are there twice are mistakes of rows; many make it the id of something else (a customer's company)."""
_FILE = re.compile(r"[^.\s]\.[A-Za-z]{3,4}$|://")
_AMOUNT = re.compile("[0-9]")
_MOSTLY = 0.5
"""Cells that say whether there is a document (`yes`), or how high a limit is (`high`), are not sent."""
_HONORIFICS = frozenset(HONORIFICS.split())

# --------------------------------------------------------------------------- one column


def numbered(candidate: Candidate, column: str, look: Look) -> Candidate:
    """Read a column that is called Customer and holds numbers as their ids; no other one holds names then."""
    if candidate.field != FULL_NAME or not look.texts or look.share(_NUMBER.fullmatch) < 1:
        return candidate
    if column not in _WHO:
        return replace(candidate, score=round(candidate.score * 0.3, 2), why="its cells are numbers")
    return replace(candidate, meaning=Meaning("externalId", candidate.score), why="its cells are numbers of customers")


def objection(candidate: Candidate, look: Look) -> str:
    """Say why the cells of a column are not what its name promises; empty: they may be."""
    if candidate.field == "prefix" and candidate.meaning.score < 0.9 and look.share(_is_honorific) < 0.8:
        return "its cells are not forms of address"
    if candidate.field == "externalId" and not _is_mostly_distinct(look):
        return "its values repeat, so they are not ids of customers"
    if look.texts and candidate.field.startswith("documents.") and candidate.field.endswith(".file"):
        return "" if look.share(_FILE.search) >= _MOSTLY else "its cells are not names of files"
    if look.texts and candidate.field.startswith("limits.") and candidate.field != "limits.currency":
        return "" if look.share(_AMOUNT.search) >= _MOSTLY else "its cells are not amounts"
    return ""


def _is_honorific(text: str) -> bool:
    """Whether a text is a form of address, such as Mrs."""
    return text.rstrip(".").casefold() in _HONORIFICS


def _is_mostly_distinct(look: Look) -> bool:
    """Whether a few ids that are there twice can be mistakes of rows; in a small file one pair does not decide."""
    repeats = len(look.texts) - len(set(look.texts))
    return look.distinct >= _MOSTLY_DISTINCT or (repeats == 1 and len(look.texts) >= _A_FEW)


def reread(candidate: Candidate, name: str, factor: float = 1.0) -> Candidate:
    """Read the same column as another field, and what its name implies as the field beside that."""
    read, implies = candidate.of(name, factor), candidate.meaning.implies
    if implies is None or not name.endswith("primaryPhoneNumber.number"):
        return read
    return replace(read, meaning=replace(read.meaning, implies=(name.removesuffix("number") + "type", implies[1])))


def _label(name: str) -> str:
    """Name a field as people do."""
    spec = field_spec(name)
    return spec.label.lower() if spec else "a name"


# --------------------------------------------------------------------------- the type of customer


def kind_of(found: Iterable[Candidate]) -> CustomerType | None:
    """Whether the rows are persons or businesses; None where a column says it row by row."""
    best: dict[str, float] = {}
    for candidate in found:
        best[candidate.field] = max(best.get(candidate.field, 0), candidate.score)
    business = max(best.get("businessName", 0), best.get("legalName", 0))
    if "type" in best:
        return None if business else CustomerType.INDIVIDUAL
    telling = {"taxId", "industryCode", "registeredStateCode", "legalName"}.intersection(best)
    contact = any(name.startswith((CONTACT, "beneficiaries.")) for name in best)
    person = {"firstName", "lastName", FULL_NAME}.intersection(best)
    if business and (business >= 0.9 or telling or contact or not person):
        return CustomerType.BUSINESS
    return CustomerType.INDIVIDUAL


def as_kind(found: Iterable[Candidate], kind: CustomerType | None, choice: Choice) -> list[Candidate]:
    """Read every candidate as a field that this kind of customer has."""
    kept: list[Candidate] = []
    for candidate in found:
        read = _read_as(candidate, kind)
        if read is None:
            choice.refuse(candidate, f"{_label(candidate.field)} belongs to the other type of customer")
        else:
            kept.append(read)
    if kind is CustomerType.BUSINESS and not any(each.field == "businessName" for each in kept):
        kept += [reread(each, "businessName", 0.9) for each in kept if each.field == CONTACT + FULL_NAME]
    return kept


def _read_as(candidate: Candidate, kind: CustomerType | None) -> Candidate | None:
    name = candidate.field
    inner = name.removeprefix(CONTACT)
    common = inner in (*PERSON, FULL_NAME)
    if kind is CustomerType.INDIVIDUAL and name.startswith("beneficiaries."):
        return None
    if kind is CustomerType.INDIVIDUAL and name != inner:
        return reread(candidate, inner, 0.97)
    if kind is CustomerType.BUSINESS and common and name == inner:
        return reread(candidate, CONTACT + inner)
    spec = field_spec(name)
    return None if spec and kind and kind not in spec.types else candidate


def whole_addresses(found: list[Candidate], choice: Choice) -> list[Candidate]:
    """Keep of each address the columns of one group that are enough alone; two addresses are never mixed."""
    groups: dict[str, dict[str, list[Candidate]]] = {}
    for candidate in found:
        if candidate.field.startswith("addresses."):
            word = candidate.field.split(".")[1]
            groups.setdefault(word, {}).setdefault(candidate.meaning.group, []).append(candidate)
    kept = [candidate for candidate in found if not candidate.field.startswith("addresses.")]
    for word, rivals in groups.items():
        whole = {group: parts for group, parts in rivals.items() if choice.partial or not _lacks(word, parts)}
        best = max(whole, key=lambda group: sum(map(choice.rank, whole[group])), default="")
        kept += whole.get(best, [])
        for group, parts in rivals.items():
            why = ("" if choice.partial else _lacks(word, parts)) or f"the {word} address is taken from the {best}"
            _refuse_all([part for part in parts if group != best], why, choice)
    return kept


def _lacks(word: str, parts: Sequence[Candidate]) -> str:
    names = {part.field.split(".", 2)[2] for part in parts}
    if not {"streetLine1", "zipCode"} <= names:
        return "an address needs a column for the street and one for the postal code"
    if word == "shipping" and FULL_NAME not in names and not {"name.firstName", "name.lastName"} <= names:
        return "a shipping address needs the name of a person"
    return ""


def _refuse_all(parts: Iterable[Candidate], why: str, choice: Choice) -> None:
    for part in parts:
        choice.refuse(part, why)
