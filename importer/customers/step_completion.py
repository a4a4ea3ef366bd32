"""What goes with columns that steps after the create send: currencies, whole owners, whole documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from importer.core.contract import Choice
from importer.core.sources import Detected
from importer.customers.specs import MAX_OWNERS, USUAL_CURRENCY

_AMOUNTS = tuple(f"limits.{kind}" for kind in ("single", "daily", "weekly", "monthly"))
_OWNER_PHONE = "MOBILE"
_IDENTIFICATION = ("passport", "drivingLicense")
_MAX_DESCRIPTION_CHARS = 100


def settle_steps(choice: Choice) -> None:
    """Complete limits, beneficial owners and documents, and leave out what could not be sent."""
    _settle_limits(choice)
    for number in range(1, MAX_OWNERS + 1):
        _settle_owner(f"beneficiaries.{number}.", choice)
    for name in _beginning_with("documents.", choice):
        if name.endswith(".file"):
            _settle_document(name.removesuffix("file"), choice)
    for name in _beginning_with("documents.", choice):
        if f"{name.rpartition('.')[0]}.file" not in choice.taken:
            choice.drop(name, "a document needs a column for its file")


def _beginning_with(prefix: str, choice: Choice) -> list[str]:
    return [name for name in choice.taken if name.startswith(prefix)]


def _drop_all(names: Iterable[str], why: str, choice: Choice) -> None:
    for name in names:
        choice.drop(name, why)


def _settle_limits(choice: Choice) -> None:
    """Keep limits of one currency; where no column says it, one is assumed."""
    limits = [name for name in _AMOUNTS if name in choice.taken]
    if not limits:
        choice.drop("limits.currency", "no column holds a limit")
        return
    if "limits.currency" in choice.taken:
        return
    implied = {name: (choice.taken[name].meaning.implies or ("", ""))[1] for name in limits}
    first = next(filter(None, implied.values()), "")
    if not first:
        why = "no column says it; an amount that names its currency is in that one"
        choice.notes.append(Detected("assumed", f"limits.currency = {USUAL_CURRENCY}", 0.5, why))
    for name in limits:
        if implied[name] not in ("", first):
            choice.drop(name, f"the limits of a row are in one currency, {first}")


def _settle_owner(owner: str, choice: Choice) -> None:
    """Keep an owner with both names, a national id with its country, a whole address."""
    if not {f"{owner}firstName", f"{owner}lastName"} <= choice.taken.keys():
        why = "a beneficial owner needs columns for first and last name"
        _drop_all(_beginning_with(owner, choice), why, choice)
        return
    address = _beginning_with(f"{owner}addresses.", choice)
    if not _has(f"{owner}addresses.physical.", ("streetLine1", "zipCode"), choice):
        _drop_all(address, "an address needs a column for the street and one for the postal code", choice)
    social = choice.taken.get(f"{owner}socialId")
    if social is not None and not social.meaning.implies and f"{owner}socialIdCountryCode" not in choice.taken:
        choice.drop(f"{owner}socialId", "a national id is sent only with its country, and no column says it")
    phone = f"{owner}primaryPhoneNumber."
    if not _has(phone, ("number",), choice):
        choice.drop(f"{phone}type", "no column has its phone number")
    elif f"{phone}type" not in choice.taken:
        choice.constants.setdefault(f"{phone}type", (_OWNER_PHONE, "no column says it"))


def _has(prefix: str, keys: Sequence[str], choice: Choice) -> bool:
    return all(f"{prefix}{key}" in choice.taken for key in keys)


def _settle_document(document: str, choice: Choice) -> None:
    """Keep a passport or license with its number and country; any other document gets its column's name."""
    file = choice.taken[f"{document}file"]
    if document.split(".")[1] in _IDENTIFICATION:
        if not _has(document, ("number", "issuingCountryCode"), choice):
            why = "a document like this needs columns for its number and its issuing country, too"
            _drop_all(_beginning_with(document, choice), why, choice)
    elif f"{document}description" not in choice.taken:
        words = choice.columns[file.index][:_MAX_DESCRIPTION_CHARS].strip()
        choice.constants.setdefault(f"{document}description", (words, "the name of the column with the file"))
