"""Columns matched to fields without a profile: whose file it is, what goes together, what is assumed.

A field that could not be sent alone (half an address) is left out. Every column that is not used is told of, with
the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from importer.core.batches import RawBatch
from importer.core.sources import Detected, SourceInfo
from importer.customers.places import find_country
from importer.customers.rules import FIELDS, READING_FIELDS, CustomerType, field_spec
from importer.mapping.candidates import THRESHOLD, Candidate, candidates, looks
from importer.mapping.choice import Choice, assign, plain, whole_addresses
from importer.mapping.content import folded, known_words
from importer.mapping.headers import key
from importer.mapping.lexicon import CONTACT, numbers_behind
from importer.mapping.synonyms import FULL_NAME, HOUSE_NUMBER
from importer.profile.settings import FieldRule

_PERSON = tuple(name.removeprefix(CONTACT) for name in FIELDS if name.startswith(CONTACT))
"""What a person's own fields and a business's contact have in common."""
_USUAL_PHONE = {"": "MOBILE", CONTACT: "WORK"}
_MOSTLY_COUNTRIES = 0.5
"""A column that is called Country and holds something else says nothing about phone numbers."""
_ALL_FIELDS = (*FIELDS, *READING_FIELDS)


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """What became of one column; a column that fills two fields has two.

    Args:
        field: the API's dotted name; empty where the column is not used.
        score: 0 to 1; of the best candidate where it is not used.
        why: the reason, for people.
    """

    column: str
    field: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping that was found, not written.

    Args:
        matches: every column of the source, in its order.
        rules: the mapping as a profile would hold it, in the order of the fields.
        assumed: constants that no column says, and whole names that are split.
    """

    matches: tuple[ColumnMatch, ...]
    rules: Mapping[str, FieldRule]
    assumed: tuple[Detected, ...] = ()


def propose(info: SourceInfo, sample: RawBatch | None = None) -> tuple[ColumnMatch, ...]:
    """Match columns to fields, for people to look at: every column with its field, score and reason."""
    return proposal(info, sample).matches


def proposal(info: SourceInfo, sample: RawBatch | None = None) -> Proposal:
    """Match columns to fields by name and synonyms, then by the content of a sample.

    Args:
        sample: the first rows; None: names alone decide.
    """
    seen = looks(info.columns, sample)
    choice = Choice(info.columns, seen)
    found = [candidate for candidate in candidates(info.columns, seen) if _strong(candidate, choice)]
    kind = _kind(found)
    read = _as_kind(found, kind, choice)
    assign(whole_addresses(read, choice), choice)
    _split_names(choice, sample)
    _settle_details(choice, kind)
    _settle_phone_regions(read, choice)
    return Proposal(tuple(_matches(choice)), _rules(choice), tuple(choice.notes))


def _strong(candidate: Candidate, choice: Choice) -> bool:
    if candidate.score < THRESHOLD:
        choice.refuse(candidate, f"not {plain(candidate.field)}: {candidate.why}")
    return candidate.score >= THRESHOLD


# --------------------------------------------------------------------------- whose file is it


def _kind(found: Iterable[Candidate]) -> CustomerType | None:
    """Tell whether the rows are persons or businesses; None where a column says it row by row."""
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
            choice.refuse(candidate, f"{plain(candidate.field)} belongs to the other type of customer")
        else:
            kept.append(read)
    if kind is CustomerType.BUSINESS and not any(each.field == "businessName" for each in kept):
        kept += [each.of("businessName", 0.9) for each in kept if each.field == CONTACT + FULL_NAME]
    return kept


def _read_as(candidate: Candidate, kind: CustomerType | None) -> Candidate | None:
    name = candidate.field
    inner = name.removeprefix(CONTACT)
    common = inner in (*_PERSON, FULL_NAME)
    if kind is CustomerType.INDIVIDUAL and name != inner:
        return candidate.of(inner, 0.97)
    if kind is CustomerType.BUSINESS and common and name == inner:
        return candidate.of(CONTACT + inner)
    spec = field_spec(name)
    return None if spec and kind and kind not in spec.types else candidate


# --------------------------------------------------------------------------- names, phones, constants


def _split_names(choice: Choice, sample: RawBatch | None) -> None:
    for name in [name for name in choice.taken if name.endswith(FULL_NAME)]:
        whole = choice.taken.pop(name)
        table = name.removesuffix(FULL_NAME) + ("name." if name.startswith("addresses.") else "")
        first, last = table + "firstName", table + "lastName"
        if first in choice.taken and last in choice.taken:
            choice.refuse(whole, "first and last name have columns of their own")
        elif first in choice.taken and not _contains(sample, whole.index, choice.taken[first].index):
            choice.taken[last] = whole.of(last, 0.9)
        else:
            _split(whole, first, last, choice)


def _split(whole: Candidate, first: str, last: str, choice: Choice) -> None:
    for name in (first, last):
        choice.taken.setdefault(name, whole.of(name))
    column = choice.columns[whole.index]
    choice.notes.append(
        Detected("split", column, whole.score, f"'{column}' holds whole names; they are split into first and last name")
    )


def _contains(sample: RawBatch | None, whole: int, first: int) -> bool:
    """Tell whether most whole names hold the first name that stands beside them; assumed where nothing was seen."""
    if sample is None:
        return True
    pairs = zip(sample.cells[whole], sample.cells[first], strict=True)
    told = [part.strip().casefold() in full.casefold() for full, part in pairs if full.strip() and part.strip()]
    return not told or sum(told) > len(told) / 2


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
                choice.taken[missing] = choice.taken[there].of(missing)


def _join_house_numbers(choice: Choice) -> None:
    for name in [name for name in choice.taken if name.endswith(HOUSE_NUMBER)]:
        if name.removesuffix(HOUSE_NUMBER) + "streetLine1" not in choice.taken:
            choice.drop(name, "there is no street that it belongs to")


def _settle_phone_types(choice: Choice) -> None:
    for table in ("", CONTACT):
        number, name = (f"{table}primaryPhoneNumber.{part}" for part in ("number", "type"))
        if number not in choice.taken:
            choice.drop(name, "there is no phone number that it belongs to")
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
            choice.taken[name] = replace(best.of(name), why=why)


def _is_address_country(name: str) -> bool:
    return name.startswith("addresses.") and name.endswith(".countryCode")


def _holds_countries(choice: Choice, candidate: Candidate) -> bool:
    look = choice.seen[candidate.index]
    return not look.texts or look.share(find_country) >= _MOSTLY_COUNTRIES


def _same_number(choice: Choice, *names: str) -> bool:
    """Tell whether columns have the same figures in their names: `Phone 1 - Label` is not about `Phone 2 - Value`."""
    figures = {"".join(filter(str.isdigit, choice.columns[choice.taken[name].index])) for name in names}
    return len(figures) == 1


# --------------------------------------------------------------------------- what comes out


def _rules(choice: Choice) -> dict[str, FieldRule]:
    rules = {name: _rule(name, candidate, choice) for name, candidate in choice.taken.items() if name in _ALL_FIELDS}
    rules.update({name: FieldRule(value=value) for name, (value, _) in choice.constants.items()})
    ordered = {name: rules[name] for name in _ALL_FIELDS if name in rules}
    free = {name: _rule(name, each, choice) for name, each in choice.taken.items() if name.startswith("metadata.")}
    return ordered | free


def _rule(name: str, candidate: Candidate, choice: Choice) -> FieldRule:
    column = choice.columns[candidate.index]
    number = choice.taken.get(name.removesuffix("streetLine1") + HOUSE_NUMBER)
    if name.endswith("streetLine1") and number is not None:
        beside = choice.columns[number.index]
        behind = any(name in key(beside) for name in numbers_behind())
        return FieldRule(columns=(column, beside) if behind else (beside, column))
    if name.endswith("primaryPhoneNumber.type"):
        return FieldRule(column=column, strip="*", default=choice.blank.get(name))  # Google marks one with a *
    if column in {note.value for note in choice.notes if note.what == "split"}:
        return FieldRule(column=column, part="given" if name.endswith("firstName") else "family")
    return FieldRule(column=column)


def _kinds_seen(choice: Choice) -> set[str]:
    """Say which customer types the sample holds; none where no column tells."""
    if "type" not in choice.taken:
        return set()
    words = known_words(FIELDS["type"])
    return {words[text] for text in map(folded, choice.seen[choice.taken["type"].index].texts) if text in words}


def _matches(choice: Choice) -> Iterable[ColumnMatch]:
    held: dict[int, list[ColumnMatch]] = {}
    kinds = _kinds_seen(choice)
    for name, candidate in choice.taken.items():
        shown = name.replace(HOUSE_NUMBER, "streetLine1")
        spec = field_spec(shown)
        if spec is not None and kinds and not kinds.intersection(spec.types):
            continue
        match = ColumnMatch(choice.columns[candidate.index], shown, candidate.score, candidate.why)
        held.setdefault(candidate.index, []).append(match)
    for index, column in enumerate(choice.columns):
        score, why = choice.refused.get(index, (0.0, "no customer field is called like this"))
        yield from held.get(index) or [ColumnMatch(column, "", score, why)]
