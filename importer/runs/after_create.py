"""The steps after the creates of a run: which it has, planned before its first request, done after its last create."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.core.errors import AccessError, ProfileError, TryLaterError
from importer.core.events import Event
from importer.core.labels import nearest
from importer.core.outcomes import Reply, Verdict
from importer.core.ports import Verifies
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, VerificationProfile, VerificationRules
from importer.core.steps import Step, StepState, parts_of
from importer.journal import BodyOfRow, RunFacts, RunSteps
from importer.profile import Profile
from importer.runs.context import Context

if TYPE_CHECKING:
    from importer.runs.wiring.sending import Delivering
    from importer.targets import OpenTarget


def steps_of(profile: Profile, mapped: Collection[str]) -> tuple[Step, ...]:
    """Which steps the rows of a run may have.

    Args:
        mapped: the fields that are mapped.

    Raises:
        ProfileError: the profile asks for a step that the target does not do, or for which nothing is mapped.
    """
    if profile.validation.partial:
        return (Step.UPDATE,)
    wanted = _wanted(profile, {name.partition(".")[0] for name in mapped})
    contract = profile.contract
    offered = {Step.VERIFY, *(contract.after_create.steps if contract.after_create else ())}
    if contract.changes is not None:
        offered.add(Step.UPDATE)
    if lacking := [step for step in wanted if step not in offered]:
        raise ProfileError(
            f"The target '{profile.target}' has no step '{lacking[0].value}' after a create.",
            f"Take {_KEYS.get(lacking[0], f'after_create.{lacking[0].value}')} out of the profile.",
        )
    return tuple(wanted)


_KEYS = {Step.VERIFICATION: "after_create.identity_verification", Step.UPDATE: "delivery.on_existing"}


def new_steps(profile: Profile, facts: RunFacts) -> frozenset[Step]:
    """The steps that a profile names now and that a run has not had before; errors as of `steps_of`.

    Args:
        facts: what the run has noted.
    """
    return frozenset(steps_of(profile, facts.mapping)) - {*map(Step, facts.after_create.steps)}


def _wanted(profile: Profile, mapped: Collection[str]) -> list[Step]:
    settings = profile.after_create
    if settings.limits and "limits" not in mapped:
        raise ProfileError(
            "after_create.limits is on, and no column is mapped to a limit.",
            'Map one, such as "limits.daily" = "Daily limit", or set after_create.limits = false.',
        )
    wanted = {
        Step.BENEFICIARIES: settings.beneficiaries and "beneficiaries" in mapped,
        Step.LIMITS: settings.limits,
        Step.DOCUMENTS: settings.documents and "documents" in mapped,
        Step.VERIFICATION: bool(settings.identity_verification),
        Step.VERIFY: settings.verify,
        Step.UPDATE: profile.delivery.on_existing == "update",
    }
    return [step for step in Step if wanted.get(step)]


@dataclass(frozen=True, slots=True)
class AfterCreate:
    """The steps of one run in one pass.

    Args:
        steps: those that its rows may have, as far as they are done in this pass.
        journal: of these steps.
        late: some of them are new to the run: rows that have a customer already get them, too.
    """

    context: Context
    target: OpenTarget
    parts: Delivering
    steps: tuple[Step, ...]
    journal: RunSteps
    late: bool = False

    async def plan(self, *, rows: bool) -> str:
        """Plan the steps of every row that is ready, before the first of them is sent.

        Args:
            rows: False: no row is sent in this pass, and none has steps to be planned.

        Returns:
            What the verification profile asks for and no row is checked for, in a sentence; empty: nothing.

        Raises:
            ProfileError: the target has no such profile for identity verification, or it takes none of the rows.
            AccessError, TryLaterError: the profiles cannot be fetched.
        """
        if not self.steps:
            return ""
        waiting = await beside_the_loop(self._count, {StepState.WAITING, StepState.SENDING})
        profile = await self._verification_profile() if rows or waiting[Step.VERIFICATION] else None
        if unjudged := self._unjudged(profile):
            self.context.emit(Event("step_notice", {"text": unjudged}))
        if rows:
            planned = await beside_the_loop(self._plan, profile)
            self.context.emit(Event("steps_planned", {"steps": planned}))
        return unjudged

    def _unjudged(self, profile: VerificationProfile | None) -> str:
        contract = self.context.profile.contract.after_create
        if profile is None or contract is None:
            return ""
        unknown = contract.unknown_requirements(profile, rules_of(self.context.profile))
        if not unknown:
            return ""
        return (
            f"The profile '{profile.name}' for identity verification asks for what no row was checked for: "
            f"{', '.join(unknown)}."
        )

    def _plan(self, profile: VerificationProfile | None) -> dict[str, int]:
        counts = dict.fromkeys((step.value for step in self.steps), 0)
        planner = Planner(self.context.profile, self.steps, profile)
        types: Counter[bool] = Counter()
        states = {RowState.READY, RowState.SENDING}  # in doubt: it may have come back fixed
        if self.late:
            states |= {RowState.CREATED, RowState.EXISTING}
        for rows in self.journal.bodies(states):
            planned = [step for row in rows for step in planner.steps_of(row)]
            new = {row.ordinal for row in rows if row.state is RowState.READY and not row.customer_id}
            refused = planner.refused([one for one in planned if one.ordinal in new])
            if refused:
                self.journal.refuse(refused, NOT_READY_CODE, _INCOMPLETE)
            gone = {one.ordinal for one in refused}
            kept = [one for one in planned if one.ordinal not in gone]
            self.journal.plan(kept, without=[row.ordinal for row in rows])
            for one in kept:
                counts[one.step.value] += one.state is StepState.WAITING
            types.update(one.detail == _OTHER_TYPE for one in planned if one.step is Step.VERIFICATION)
        if profile is not None and types[True] and not types[False]:
            raise _takes_none(profile)
        return counts

    async def run(self, waits_s: float) -> None:
        """Do what is open, and wait for outcomes.

        Args:
            waits_s: how long, once nothing else is left to do.
        """
        waiting = await beside_the_loop(self._count, {StepState.WAITING, StepState.SENDING})
        first = sorted(self.steps, key=lambda step: step is not Step.UPDATE)  # what is read back is what it left
        await self.parts.steps.run({step: waiting[step] for step in first if waiting[step]})
        await self.parts.journal.flush()
        submitted = await beside_the_loop(self._count, {StepState.SUBMITTED})
        if Step.VERIFICATION in self.steps and submitted and not self.context.stop.requested:
            until = self.context.now() + waits_s
            self.context.emit(Event("following", {"open": submitted.total(), "until": until}))
            await self.parts.outcomes.wait(until)

    def _count(self, states: Collection[StepState]) -> Counter[Step]:
        """How many of these steps are in some states, by their kind."""
        found: Counter[Step] = Counter()
        for one in self.journal.counts():
            if one.state in states and one.step in self.steps:
                found[one.step] += one.entries
        return found

    async def _verification_profile(self) -> VerificationProfile | None:
        if Step.VERIFICATION not in self.steps or not isinstance(self.target, Verifies):
            return None
        wanted = self.context.profile.after_create.identity_verification
        found = _named(wanted, await self._profiles(self.target))
        self.target.verify_by(found)
        return found

    async def _profiles(self, target: Verifies) -> Sequence[VerificationProfile]:
        answer = await self.parts.deliver.asking.until_answered(target.verification_profiles)
        if not isinstance(answer, Reply):
            return answer
        if answer.verdict is Verdict.ABORT:
            raise AccessError(answer.message)
        raise TryLaterError(
            f"The profiles for identity verification cannot be read: {answer.message}", "Start it again later."
        )


def _takes_none(profile: VerificationProfile) -> ProfileError:
    takes = " and ".join(map(str.lower, profile.record_types)) or "other customers"
    return ProfileError(
        f"The profile '{profile.name}' for identity verification takes none of these rows: it is for {takes}.",
        "Name another one in after_create.identity_verification.",
    )


def _named(wanted: str, profiles: Sequence[VerificationProfile]) -> VerificationProfile:
    if not wanted:
        raise ProfileError(
            "Rows of the run are to be verified, and after_create.identity_verification names no profile any more.",
            "Name it again, or leave out --config: the run then goes on under the profile that it began with.",
        )
    for one in profiles:
        if wanted in {one.id, one.name}:
            return one
    same = [one for one in profiles if one.name.casefold() == wanted.casefold()]
    if len(same) == 1:
        return same[0]
    names = [one.name for one in profiles]
    near = nearest(wanted, names)
    hint = f"Did you mean '{near}'?" if near else f"It has: {', '.join(names) or 'none'}."
    raise ProfileError(f"The target has no profile '{wanted}' for identity verification.", hint)


def rules_of(profile: Profile) -> VerificationRules:
    """What a profile of ours sets about identity verification."""
    return VerificationRules(profile.idv.countries, profile.idv.individual_party)


@dataclass(frozen=True, slots=True)
class Planner:
    """Says which steps a row has. Pure.

    Args:
        verification: the chosen profile; None: the run has no such step.
    """

    profile: Profile
    steps: tuple[Step, ...]
    verification: VerificationProfile | None

    def steps_of(self, row: BodyOfRow) -> Iterator[PlannedStep]:
        """Plan one row."""
        after = json.loads(row.after) if row.after else {}
        for step, part, _ in parts_of(after):
            if step in self.steps:
                yield PlannedStep(row.ordinal, step, part)
        if self.verification is not None:
            yield self._verified(row, after, self.verification)
        for step in (Step.VERIFY, Step.UPDATE):
            if step in self.steps:
                yield PlannedStep(row.ordinal, step)

    def _verified(self, row: BodyOfRow, after: dict[str, object], profile: VerificationProfile) -> PlannedStep:
        contract, rules = self.profile.contract.after_create, rules_of(self.profile)
        missing = contract.missing(json.loads(row.payload), after, profile, rules) if contract else ()
        state = StepState.NOT_READY if missing else StepState.WAITING
        return PlannedStep(row.ordinal, Step.VERIFICATION, state=state, detail=missing)

    def refused(self, planned: Sequence[PlannedStep]) -> list[PlannedStep]:
        """The steps for which their rows are refused."""
        if self.profile.idv.not_ready != "refuse":
            return []
        return [one for one in planned if one.state is StepState.NOT_READY]


_OTHER_TYPE = ("type",)
"""What a row lacks whose type of record a verification does not take."""
NOT_READY_CODE = "idv_incomplete"
_INCOMPLETE = "Identity verification asks for what this row lacks: {}. Fill it in."
