"""How columns are matched to the fields of customers. Implements `core.contract.Matching`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from importer.core.batches import RawBatch
from importer.core.contract import Candidate, Choice, FieldSpec, Kind, Look, Vocabulary
from importer.customers.column_completion import settle_details, settle_parts, settle_phone_regions, split_names
from importer.customers.column_readings import as_kind, kind_of, numbered, objection, whole_addresses
from importer.customers.places import find_country, find_state
from importer.customers.presence import PRESENCE_FIELDS
from importer.customers.specs import CONTACT, PHONE_ADDRESSES, STATE_REQUIRED_IN
from importer.customers.step_completion import settle_steps
from importer.customers.vocabulary import VOCABULARY


class CustomerMatching:
    """Columns of customers."""

    vocabulary: Vocabulary = VOCABULARY

    def looked_at(self, candidate: Candidate, column: str, look: Look) -> Candidate:
        """Read a candidate in the light of its cells."""
        candidate = numbered(candidate, column, look)
        why = objection(candidate, look)
        return replace(candidate, score=round(candidate.score * 0.3, 2), why=why) if why else candidate

    def readings(self, found: list[Candidate], choice: Choice) -> list[Candidate]:
        """Read candidates as fields of the type of customer that the file holds, with whole addresses only."""
        return whole_addresses(as_kind(found, kind_of(found), choice), choice)

    def settle(self, found: Sequence[Candidate], choice: Choice, sample: RawBatch | None) -> None:
        """Complete a choice: names, phones, constants, countries of phone numbers."""
        kind = kind_of(found)
        split_names(choice, sample)
        settle_steps(choice)
        settle_details(choice, kind)
        settle_phone_regions(as_kind(found, kind, Choice(choice.columns, choice.seen)), choice)
        settle_parts(choice)

    def shared_with(self, name: str) -> str:
        """A person's own field and that of a business's contact."""
        return name.removeprefix(CONTACT) if name.startswith(CONTACT) else CONTACT + name

    def needs_one_of(self, name: str, names: Collection[str]) -> tuple[str, ...]:
        """A country alone makes no address and no national id, a currency no limit, a phone's type no owner."""
        if name.startswith("addresses."):
            table = ".".join(name.split(".")[:2]) + "."
            return tuple(other for other in names if other.startswith(table))
        whole = name.removesuffix("CountryCode")
        if whole.endswith(("socialId", "taxId")) and whole in names:
            return (whole,)
        of_step = next((prefix for prefix in PRESENCE_FIELDS if name.startswith(prefix)), "")
        return tuple(other for other in names if of_step and other in PRESENCE_FIELDS[of_step])

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
