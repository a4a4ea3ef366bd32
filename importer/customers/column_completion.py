"""What goes with the columns of customers that were chosen: names, phones, constants, countries of phone numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from importer.core.batches import RawBatch
from importer.core.contract import Candidate, Choice
from importer.core.contract.headers import key
from importer.core.sources import Detected
from importer.customers.column_names import FULL_NAME, HOUSE_NUMBER
from importer.customers.column_readings import PERSON, reread
from importer.customers.places import find_country
from importer.customers.rules import FIELDS, READING_FIELDS
from importer.customers.specs import CONTACT, CustomerType
from importer.customers.vocabulary import numbers_behind

_USUAL_PHONE = {"": "MOBILE", CONTACT: "WORK"}
_MOSTLY_COUNTRIES = 0.5
"""A column that is called Country and holds something else says nothing about phone numbers."""


def split_names(choice: Choice, sample: RawBatch | None) -> None:
    """Give the parts of a full name to first and last name, where these have no columns of their own.

    Args:
        sample: the first rows; None: names of columns alone decide.
    """
    for name in [name for name in choice.taken if name.endswith(FULL_NAME)]:
        whole = choice.taken.pop(name)
        table = name.removesuffix(FULL_NAME) + ("name." if name.startswith("addresses.") else "")
        first, last = table + "firstName", table + "lastName"
        if first in choice.taken and last in choice.taken:
            choice.refuse(whole, "first and last name have columns of their own")
        elif first in choice.taken and not _contains(sample, whole.index, choice.taken[first].index):
            choice.taken[last] = reread(whole, last, 0.9)
        else:
            _split(whole, first, last, choice)


def _split(whole: Candidate, first: str, last: str, choice: Choice) -> None:
    for name in (first, last):
        choice.taken.setdefault(name, reread(whole, name))
    column = choice.columns[whole.index]
    choice.notes.append(
        Detected("split", column, whole.score, f"'{column}' holds full names; they are split into first and last name")
    )


def _contains(sample: RawBatch | None, whole: int, first: int) -> bool:
    """Whether most whole names hold the first name beside them; assumed where nothing was seen."""
    if sample is None:
        return True
    pairs = zip(sample.cells[whole], sample.cells[first], strict=True)
    shares = [part.strip().casefold() in full.casefold() for full, part in pairs if full.strip() and part.strip()]
    return not shares or sum(shares) > len(shares) / 2


def settle_details(choice: Choice, kind: CustomerType | None) -> None:
    """Complete what goes with the fields that have a column: types of phones, countries, house numbers, the type.

    Args:
        kind: what the rows are; None: a column says it row by row.
    """
    if kind is None:
        _share_persons(choice)
    _join_house_numbers(choice)
    _settle_phone_types(choice)
    for candidate in list(choice.taken.values()):
        name, value = candidate.meaning.implies or ("", "")
        if name in FIELDS and name not in choice.taken:
            choice.constants.setdefault(name, (value, f"as '{choice.columns[candidate.index]}' says"))
    has_country = choice.partial or not {"socialIdCountryCode"}.isdisjoint({*choice.taken, *choice.constants})
    if "socialId" in choice.taken and not has_country:
        choice.drop("socialId", "a national id is sent only with its country, and no column says it")
    if "type" not in choice.taken:
        choice.constants["type"] = (str(kind or CustomerType.INDIVIDUAL), "no column says it")
    for name, (value, why) in choice.constants.items():
        choice.notes.append(Detected("assumed", f"{name} = {value}", 0.5, why))


def _share_persons(choice: Choice) -> None:
    """Where rows are of both types, the same columns hold a person and a business's contact."""
    for name in PERSON:
        for there, missing in ((name, CONTACT + name), (CONTACT + name, name)):
            if there in choice.taken and missing not in choice.taken:
                choice.taken[missing] = reread(choice.taken[there], missing)


def _join_house_numbers(choice: Choice) -> None:
    for name in [name for name in choice.taken if name.endswith(HOUSE_NUMBER)]:
        if name.removesuffix(HOUSE_NUMBER) + "streetLine1" not in choice.taken:
            choice.drop(name, "there is no street for it")


def _settle_phone_types(choice: Choice) -> None:
    for table in ("", CONTACT):
        number, name = (f"{table}primaryPhoneNumber.{part}" for part in ("number", "type"))
        if number not in choice.taken:
            if choice.partial:
                continue
            choice.drop(name, "no column has its phone number")
            continue
        implied = (choice.taken[number].meaning.implies or ("", ""))[1]
        if name in choice.taken and not _same_number(choice, number, name):
            choice.drop(name, f"it belongs to another number than '{choice.columns[choice.taken[number].index]}'")
        if name in choice.taken:
            choice.blank[name] = implied or _USUAL_PHONE[table]
            choice.notes.append(Detected("assumed", f"{name} = {choice.blank[name]}", 0.5, "where the cell is blank"))
        elif not implied:
            choice.constants[name] = (_USUAL_PHONE[table], "no column says it")


def settle_phone_regions(found: Iterable[Candidate], choice: Choice) -> None:
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
            choice.taken[name] = replace(reread(best, name), why=why)


def _is_address_country(name: str) -> bool:
    return name.startswith("addresses.") and name.endswith(".countryCode")


def _holds_countries(choice: Choice, candidate: Candidate) -> bool:
    look = choice.seen[candidate.index]
    return not look.texts or look.share(find_country) >= _MOSTLY_COUNTRIES


def _same_number(choice: Choice, *names: str) -> bool:
    """Whether columns have the same figures in their names: `Phone 1 - Label` is not about `Phone 2 - Value`."""
    figures = {"".join(filter(str.isdigit, choice.columns[choice.taken[name].index])) for name in names}
    return len(figures) == 1


def settle_parts(choice: Choice) -> None:
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
