"""Which customers of a run are still as the run has left them: each is read, with what it was given since.

Reads at the target, and changes nothing there.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from importer.core.contract import Changes
from importer.core.errors import TryLaterError
from importer.core.events import Event
from importer.core.outcomes import Found, Reply
from importer.core.ports import Engine, Events, ShowsAdditions
from importer.core.step_tasks import HeldLimit
from importer.core.steps import Step, StepState
from importer.delivery import Asking
from importer.journal import BodyOfRow, RunSteps
from importer.profile import Profile
from importer.runs.undo_plan import Entry, Skipped

GONE = "It is not there any more."
OTHER_VERIFICATION = "It has an identity verification that is not of this run."
_DONE_TO_IT = frozenset({StepState.DONE, StepState.SUBMITTED, StepState.NEEDS_PERSON})
_NOT_OFFERED = "not_offered"

Usual = tuple[str, str, str]
"""The type of a record, and the type and currency of a limit."""


class Customer(NamedTuple):
    """One customer of the run, as its journal knows it.

    Args:
        by_us: the steps that the run has done to it.
        limits: those that the run has set: type and currency to the amount.
    """

    row: BodyOfRow
    by_us: frozenset[Step] = frozenset()
    limits: Mapping[tuple[str, str], str] = {}


class Seen(NamedTuple):
    """One customer as it is at the target.

    Args:
        why: why it is left alone, a sentence; empty: nothing in it speaks against a change.
        guard: its fingerprint.
        record_type: of it.
        limits: those that it has and the run has not set.
    """

    customer: Customer
    why: str = ""
    guard: str = ""
    record_type: str = ""
    limits: Sequence[HeldLimit] = ()


@dataclass(frozen=True, slots=True)
class Checks:
    """Looks at the customers of one run.

    Args:
        engine: looks at several at once.
        target: shows what customers were given; None: it does not.
        since: when the run began, seconds since the epoch.
        loses_metadata: the target was seen to lose metadata.
    """

    profile: Profile
    engine: Engine
    asking: Asking
    target: ShowsAdditions | None
    emit: Events
    since: float
    loses_metadata: bool = False

    async def run(self, customers: Sequence[Customer], ours: Collection[str]) -> tuple[list[Entry], list[Skipped]]:
        """Look at every customer; those that may be changed, and those that are left alone.

        Args:
            ours: what the target calls the identity verifications of the run.

        Raises:
            TryLaterError: the identity verifications cannot be read.
        """
        left, seen = iter(customers), list[Seen]()

        async def take(count: int) -> Sequence[Customer]:
            return () if self.asking.stop.requested else list(islice(left, count))

        def settle(one: Seen) -> None:
            seen.append(one)
            self.emit(Event("undo_looked", {"done": len(seen)}))

        self.emit(Event("undo_looked", {"total": len(customers), "done": 0}))
        await self.engine.run(take, self._look_at, settle)
        verified = await self._verified_by_others(ours)
        seen.sort(key=lambda one: one.customer.row.ordinal)
        usual = usual_amounts(seen)
        judged = [one._replace(why=one.why or _given(one, usual, verified)) for one in seen]
        return [_entry(one) for one in judged if not one.why], [_skipped(one) for one in judged if one.why]

    @property
    def changes(self) -> Changes:
        """How the contract's records are changed."""
        changes = self.profile.contract.changes
        assert changes is not None  # noqa: S101  # no other record is taken back
        return changes

    async def _look_at(self, customer: Customer) -> Seen:
        found = await self.asking.get(customer.row.customer_id)
        why = self._why(customer, found)
        if why:
            return Seen(customer, why)
        body = found.candidates[0].body
        seen = Seen(customer, guard=self.changes.fingerprint(body), record_type=self._record_type(customer))
        return seen if self.target is None else await self._with_limits(seen, self.target)

    def _why(self, customer: Customer, found: Found) -> str:
        if found.failure is not None:
            return f"It could not be read. {found.failure.message}".strip()
        if not found.candidates:
            return GONE
        body, payload = found.candidates[0].body, customer.row.payload
        stamp, bodies = self.profile.delivery.import_key_metadata, self.profile.contract.bodies
        differing = bodies.read_back(payload, body, stamp, loses_metadata=self.loses_metadata)
        named = "; ".join(f"{name}: {how}" for name, how in differing)
        return f"It is not what was sent ({named})." if named else self.changes.touched(body, customer.by_us)

    def _record_type(self, customer: Customer) -> str:
        after = self.profile.contract.after_create
        return after.record_type(json.loads(customer.row.payload)) if after is not None else ""

    async def _with_limits(self, seen: Seen, target: ShowsAdditions) -> Seen:
        """Compare the limits that the run has set, and note the others."""
        customer_id, ours = seen.customer.row.customer_id, seen.customer.limits
        held = await self.asking.until_answered(lambda: target.limits_of(customer_id))
        if isinstance(held, Reply):
            is_none = held.error_code == _NOT_OFFERED
            return seen if is_none else seen._replace(why=f"Its limits could not be read. {held.message}".strip())
        there = {(one.type.lower(), one.currency): one.amount for one in held}
        changed = sorted(kind for kind, amount in ours.items() if there.get(kind) != amount)
        if changed:
            return seen._replace(why=_other_limits(changed))
        return seen._replace(limits=[one for one in held if (one.type.lower(), one.currency) not in ours])

    async def _verified_by_others(self, ours: Collection[str]) -> frozenset[str]:
        """The customers with identity verifications that are not of this run."""
        found, known, page, target = set[str](), set[str](), 0, self.target
        while target is not None and not self.asking.stop.requested:
            listed = await self.asking.until_answered(lambda: target.applications(self.since, page))  # noqa: B023
            if isinstance(listed, Reply):
                if listed.error_code == _NOT_OFFERED or self.asking.stop.requested:
                    break
                message = f"The identity verifications at the target cannot be read. {listed.message}"
                raise TryLaterError(message.strip(), "Make the plan again later.")
            new = listed.customers.keys() - known
            known |= new
            found.update(one for name in new - set(ours) for one in listed.customers[name])
            if listed.is_last or not new:
                break
            page += 1
        return frozenset(found)


def usual_amounts(seen: Iterable[Seen]) -> Mapping[Usual, str]:
    """The amount that most customers of a type have for each limit that the run has not set; none where two are equal.

    A customer with another one was given it by somebody.
    """
    counted: defaultdict[Usual, Counter[str]] = defaultdict(Counter)
    for one in seen:
        for limit in one.limits:
            counted[one.record_type, limit.type, limit.currency][limit.amount] += 1
    usual = {}
    for kind, amounts in counted.items():
        (amount, most), *others = amounts.most_common(2)
        if not others or others[0][1] < most:
            usual[kind] = amount
    return usual


def _given(one: Seen, usual: Mapping[Usual, str], verified: Collection[str]) -> str:
    """Why a customer is left alone although it is what was sent; empty: it is not."""
    others = [
        (limit.type.lower(), limit.currency)
        for limit in one.limits
        if usual.get((one.record_type, limit.type, limit.currency)) != limit.amount
    ]
    if others:
        return _other_limits(sorted(others))
    return OTHER_VERIFICATION if one.customer.row.customer_id in verified else ""


def _other_limits(kinds: Iterable[tuple[str, str]]) -> str:
    return f"It has limits that are not of this run ({', '.join(f'{name} {currency}' for name, currency in kinds)})."


def _entry(one: Seen) -> Entry:
    row = one.customer.row
    return Entry(row=row.row, ordinal=row.ordinal, customer_id=row.customer_id, guard=one.guard)


def _skipped(one: Seen) -> Skipped:
    row = one.customer.row
    return Skipped(row=row.row, customer_id=row.customer_id, why=one.why)


def customers_of(rows: Iterable[BodyOfRow], steps: RunSteps, references: set[str]) -> list[Customer]:
    """Gather what the journal knows of the customers of some rows.

    Args:
        references: gets what the target calls the identity verifications of these rows.
    """
    return [_customer(row, steps, references) for row in rows]


def _customer(row: BodyOfRow, steps: RunSteps, references: set[str]) -> Customer:
    had = steps.of_row(row.ordinal)
    references.update(one.reference for one in had if one.step is Step.VERIFICATION and one.reference)
    by_us = frozenset(one.step for one in had if one.state in _DONE_TO_IT)
    limits = json.loads(row.after or b"{}").get(Step.LIMITS.value, {}) if Step.LIMITS in by_us else {}
    currency = str(limits.get("currency", ""))
    return Customer(row, by_us, {(name, currency): str(limits[name]) for name in limits if name != "currency"})
