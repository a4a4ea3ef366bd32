"""What goes together among columns of customers: whose file it is, addresses, whole names, phones and their countries.

Implements `core.contract.Matching`. A field that could not be sent alone (half an address) is left out. Every column
that is not used keeps the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from importer.core.batches import RawBatch
from importer.core.contract import Candidate, Choice, FieldSpec, Kind, Look, Meaning, Vocabulary
from importer.core.contract.headers import key
from importer.core.sources import Detected
from importer.customers.column_names import FULL_NAME, HONORIFICS, HOUSE_NUMBER
from importer.customers.places import find_country, find_state
from importer.customers.rules import FIELDS, READING_FIELDS, field_spec
from importer.customers.specs import CONTACT, PHONE_ADDRESSES, STATE_REQUIRED_IN, CustomerType
from importer.customers.vocabulary import VOCABULARY, numbers_behind

_PERSON = tuple(name.removeprefix(CONTACT) for name in FIELDS if name.startswith(CONTACT))
"""What a person's own fields and a business's contact have in common."""
_USUAL_PHONE = {"": "MOBILE", CONTACT: "WORK"}
_MOSTLY_COUNTRIES = 0.5
"""A column that is called Country and holds something else says nothing about phone numbers."""
_WHO = frozenset({"customer", "client", "kunde", "klant"})
"""What columns are called that hold whole names, or numbers."""
_NUMBER = re.compile(r"[A-Z]{0,3}[-_ ]?[0-9]+", re.IGNORECASE)
_A_FEW = 5
_MOSTLY_DISTINCT = 0.85
"""A few ids that are there twice are mistakes of rows; many make it the id of something else (a customer's company)."""
_HONORIFICS = frozenset(HONORIFICS.split())


class CustomerMatching:
    """Columns of customers."""

    vocabulary: Vocabulary = VOCABULARY

    def looked_at(self, candidate: Candidate, column: str, look: Look) -> Candidate:
        """Read a candidate in the light of its cells."""
        candidate = _numbered(candidate, column, look)
        why = _objection(candidate, look)
        return replace(candidate, score=round(candidate.score * 0.3, 2), why=why) if why else candidate

    def readings(self, found: list[Candidate], choice: Choice) -> list[Candidate]:
        """Read candidates as fields of the type of customer that the file holds, with whole addresses only."""
        return _whole_addresses(_as_kind(found, _kind(found), choice), choice)

    def settle(self, found: Sequence[Candidate], choice: Choice, sample: RawBatch | None) -> None:
        """Complete a choice: names, phones, constants, countries of phone numbers."""
        kind = _kind(found)
        _split_names(choice, sample)
        _settle_details(choice, kind)
        _settle_phone_regions(_as_kind(found, kind, _forgotten(choice)), choice)
        _settle_parts(choice)

    def shared_with(self, name: str) -> str:
        """A person's own field and that of a business's contact."""
        return name.removeprefix(CONTACT) if name.startswith(CONTACT) else CONTACT + name

    def needs_one_of(self, name: str, names: Collection[str]) -> tuple[str, ...]:
        """A country alone makes no address and no national id."""
        if name.startswith("addresses."):
            table = ".".join(name.split(".")[:2]) + "."
            return tuple(other for other in names if other.startswith(table))
        whole = name.removesuffix("CountryCode")
        return (whole,) if whole in {"socialId", "taxId"} and whole in names else ()

    def said_by(self, name: str) -> tuple[str, ...]:
        """The country of a phone number: what is mapped beside it, then the row's addresses."""
        phone, _, part = name.rpartition(".")
        if part != "number":
            return ()
        countries = (f"addresses.{word}.countryCode" for word in PHONE_ADDRESSES)
        return (f"{phone}.region", f"{phone}.country", *countries)

    def understands(self, spec: FieldSpec) -> Callable[[str], object] | None:
        """Names and codes of countries and states."""
        match spec.kind:
            case Kind.COUNTRY:
                return find_country
            case Kind.STATE:
                return lambda text: any(find_state(text, country) for country in STATE_REQUIRED_IN)
            case _:
                return None


# --------------------------------------------------------------------------- one column


def _numbered(candidate: Candidate, column: str, look: Look) -> Candidate:
    """Read a column that is called Customer and holds numbers as their ids; no other one holds names then."""
    if candidate.field != FULL_NAME or not look.texts or look.share(_NUMBER.fullmatch) < 1:
        return candidate
    if column not in _WHO:
        return replace(candidate, score=round(candidate.score * 0.3, 2), why="its cells are numbers")
    return replace(candidate, meaning=Meaning("externalId", candidate.score), why="its cells are numbers of customers")


def _objection(candidate: Candidate, look: Look) -> str:
    if candidate.field == "prefix" and candidate.meaning.score < 0.9 and look.share(_is_honorific) < 0.8:
        return "its cells are not forms of address"
    if candidate.field == "externalId" and not _is_mostly_distinct(look):
        return "its values repeat, so they are not ids of customers"
    return ""


def _is_honorific(text: str) -> bool:
    """Whether a text is a form of address, such as Mrs."""
    return text.rstrip(".").casefold() in _HONORIFICS


def _is_mostly_distinct(look: Look) -> bool:
    """Whether a few ids that are there twice can be mistakes of rows; in a small file one pair does not decide."""
    repeats = len(look.texts) - len(set(look.texts))
    return look.distinct >= _MOSTLY_DISTINCT or (repeats == 1 and len(look.texts) >= _A_FEW)


def _of(candidate: Candidate, name: str, factor: float = 1.0) -> Candidate:
    """Read the same column as another field, and what its name implies as the field beside that."""
    read, implies = candidate.of(name, factor), candidate.meaning.implies
    if implies is None or not name.endswith("primaryPhoneNumber.number"):
        return read
    return replace(read, meaning=replace(read.meaning, implies=(name.removesuffix("number") + "type", implies[1])))


def _label(name: str) -> str:
    """Name a field as people do."""
    spec = field_spec(name)
    return spec.label.lower() if spec else "a name"


def _forgotten(choice: Choice) -> Choice:
    """The same columns, with nothing chosen yet."""
    return Choice(choice.columns, choice.seen)


# --------------------------------------------------------------------------- whose file it is


def _kind(found: Iterable[Candidate]) -> CustomerType | None:
    """Whether the rows are persons or businesses; None where a column says it row by row."""
    best: dict[str, float] = {}
    for candidate in found:
        best[candidate.field] = max(best.get(candidate.field, 0), candidate.score)
    business = max(best.get("businessName", 0), best.get("legalName", 0))
    if "type" in best:
        return None if business else CustomerType.INDIVIDUAL
    telling = {"taxId", "industryCode", "registeredStateCode", "legalName"}.intersection(best)
    contact = any(name.startswith(CONTACT) for name in best)
    person = {"firstName", "lastName", FULL_NAME}.intersection(best)
    if business and (business >= 0.9 or telling or contact or not person):
        return CustomerType.BUSINESS
    return CustomerType.INDIVIDUAL


def _as_kind(found: Iterable[Candidate], kind: CustomerType | None, choice: Choice) -> list[Candidate]:
    """Read every candidate as a field that this kind of customer has."""
    kept: list[Candidate] = []
    for candidate in found:
        read = _read_as(candidate, kind)
        if read is None:
            choice.refuse(candidate, f"{_label(candidate.field)} belongs to the other type of customer")
        else:
            kept.append(read)
    if kind is CustomerType.BUSINESS and not any(each.field == "businessName" for each in kept):
        kept += [_of(each, "businessName", 0.9) for each in kept if each.field == CONTACT + FULL_NAME]
    return kept


def _read_as(candidate: Candidate, kind: CustomerType | None) -> Candidate | None:
    name = candidate.field
    inner = name.removeprefix(CONTACT)
    common = inner in (*_PERSON, FULL_NAME)
    if kind is CustomerType.INDIVIDUAL and name != inner:
        return _of(candidate, inner, 0.97)
    if kind is CustomerType.BUSINESS and common and name == inner:
        return _of(candidate, CONTACT + inner)
    spec = field_spec(name)
    return None if spec and kind and kind not in spec.types else candidate


def _whole_addresses(found: list[Candidate], choice: Choice) -> list[Candidate]:
    """Keep of each address the columns of one group that are enough alone; two addresses are never mixed."""
    groups: dict[str, dict[str, list[Candidate]]] = {}
    for candidate in found:
        if candidate.field.startswith("addresses."):
            word = candidate.field.split(".")[1]
            groups.setdefault(word, {}).setdefault(candidate.meaning.group, []).append(candidate)
    kept = [candidate for candidate in found if not candidate.field.startswith("addresses.")]
    for word, rivals in groups.items():
        whole = {group: parts for group, parts in rivals.items() if not _lacks(word, parts)}
        best = max(whole, key=lambda group: sum(map(choice.rank, whole[group])), default="")
        kept += whole.get(best, [])
        for group, parts in rivals.items():
            why = _lacks(word, parts) or f"the {word} address is taken from the {best}"
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


# --------------------------------------------------------------------------- names, phones, constants


def _split_names(choice: Choice, sample: RawBatch | None) -> None:
    for name in [name for name in choice.taken if name.endswith(FULL_NAME)]:
        whole = choice.taken.pop(name)
        table = name.removesuffix(FULL_NAME) + ("name." if name.startswith("addresses.") else "")
        first, last = table + "firstName", table + "lastName"
        if first in choice.taken and last in choice.taken:
            choice.refuse(whole, "first and last name have columns of their own")
        elif first in choice.taken and not _contains(sample, whole.index, choice.taken[first].index):
            choice.taken[last] = _of(whole, last, 0.9)
        else:
            _split(whole, first, last, choice)


def _split(whole: Candidate, first: str, last: str, choice: Choice) -> None:
    for name in (first, last):
        choice.taken.setdefault(name, _of(whole, name))
    column = choice.columns[whole.index]
    choice.notes.append(
        Detected("split", column, whole.score, f"'{column}' holds whole names; they are split into first and last name")
    )


def _contains(sample: RawBatch | None, whole: int, first: int) -> bool:
    """Whether most whole names hold the first name beside them; assumed where nothing was seen."""
    if sample is None:
        return True
    pairs = zip(sample.cells[whole], sample.cells[first], strict=True)
    shares = [part.strip().casefold() in full.casefold() for full, part in pairs if full.strip() and part.strip()]
    return not shares or sum(shares) > len(shares) / 2


def _settle_details(choice: Choice, kind: CustomerType | None) -> None:
    if kind is None:
        _share_persons(choice)
    _join_house_numbers(choice)
    _settle_phone_types(choice)
    for candidate in list(choice.taken.values()):
        name, value = candidate.meaning.implies or ("", "")
        if name in FIELDS and name not in choice.taken:
            choice.constants.setdefault(name, (value, f"as '{choice.columns[candidate.index]}' says"))
    if "socialId" in choice.taken and not {"socialIdCountryCode"} & {*choice.taken, *choice.constants}:
        choice.drop("socialId", "a national id is sent only with its country, and no column says it")
    if "type" not in choice.taken:
        choice.constants["type"] = (str(kind or CustomerType.INDIVIDUAL), "no column says it")
    for name, (value, why) in choice.constants.items():
        choice.notes.append(Detected("assumed", f"{name} = {value}", 0.5, why))


def _share_persons(choice: Choice) -> None:
    """Where rows are of both types, the same columns hold a person and a business's contact."""
    for name in _PERSON:
        for there, missing in ((name, CONTACT + name), (CONTACT + name, name)):
            if there in choice.taken and missing not in choice.taken:
                choice.taken[missing] = _of(choice.taken[there], missing)


def _join_house_numbers(choice: Choice) -> None:
    for name in [name for name in choice.taken if name.endswith(HOUSE_NUMBER)]:
        if name.removesuffix(HOUSE_NUMBER) + "streetLine1" not in choice.taken:
            choice.drop(name, "there is no street for it")


def _settle_phone_types(choice: Choice) -> None:
    for table in ("", CONTACT):
        number, name = (f"{table}primaryPhoneNumber.{part}" for part in ("number", "type"))
        if number not in choice.taken:
            choice.drop(name, "there is no phone number for it")
            continue
        implied = (choice.taken[number].meaning.implies or ("", ""))[1]
        if name in choice.taken and not _same_number(choice, number, name):
            choice.drop(name, f"it belongs to another number than '{choice.columns[choice.taken[number].index]}'")
        if name in choice.taken:
            choice.blank[name] = implied or _USUAL_PHONE[table]
            choice.notes.append(Detected("assumed", f"{name} = {choice.blank[name]}", 0.5, "where the cell is blank"))
        elif not implied:
            choice.constants[name] = (_USUAL_PHONE[table], "no column says it")


def _settle_phone_regions(found: Iterable[Candidate], choice: Choice) -> None:
    """Let a country without an address say where the row's phone numbers belong."""
    taken = {candidate.index for candidate in choice.taken.values()}
    countries = [each for each in found if _is_address_country(each.field)]
    free = [each for each in countries if each.index not in taken and _holds_countries(choice, each)]
    if not free or any(map(_is_address_country, choice.taken)):
        return
    best = max(free, key=choice.rank)
    why = "no address is sent without a street and a postal code; it says where phone numbers belong"
    for name in READING_FIELDS:
        if name.endswith(".country") and name.removesuffix("country") + "number" in choice.taken:
            choice.taken[name] = replace(_of(best, name), why=why)


def _is_address_country(name: str) -> bool:
    return name.startswith("addresses.") and name.endswith(".countryCode")


def _holds_countries(choice: Choice, candidate: Candidate) -> bool:
    look = choice.seen[candidate.index]
    return not look.texts or look.share(find_country) >= _MOSTLY_COUNTRIES


def _same_number(choice: Choice, *names: str) -> bool:
    """Whether columns have the same figures in their names: `Phone 1 - Label` is not about `Phone 2 - Value`."""
    figures = {"".join(filter(str.isdigit, choice.columns[choice.taken[name].index])) for name in names}
    return len(figures) == 1


def _settle_parts(choice: Choice) -> None:
    """Say of fields that do not just take their column how they are filled."""
    whole = {note.value for note in choice.notes if note.what == "split"}
    for name, candidate in choice.taken.items():
        number = choice.taken.get(name.removesuffix("streetLine1") + HOUSE_NUMBER)
        if name.endswith(HOUSE_NUMBER):
            choice.stand_ins[name] = name.replace(HOUSE_NUMBER, "streetLine1")
        elif name.endswith("streetLine1") and number is not None:
            behind = any(word in key(choice.columns[number.index]) for word in numbers_behind())
            places = (candidate.index, number.index)
            choice.joined[name] = places if behind else places[::-1]
        elif name.endswith("primaryPhoneNumber.type"):
            choice.stripped[name] = "*"  # Google marks one with a *
        elif choice.columns[candidate.index] in whole:
            choice.parts[name] = "given" if name.endswith("firstName") else "family"
