"""The proof that a run has sent what its plans say, worked out again offline. Changes nothing.

The plan is the one that was signed, its signatures are genuine and count by the policy of now, and the hash over the
bodies in the journal is the one that the plan names. Where a later plan has replaced bodies, that one says that it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple, Self

from importer.approval import Policy, is_genuine, judge, load_policy
from importer.core.errors import AccessError, PlanRefusedError, ProfileError
from importer.core.plans import Signature
from importer.core.states import RowState
from importer.core.steps import StepState
from importer.journal import Journal, PlanFacts, StoredRun
from importer.runs.compared import Compared, same
from importer.runs.plans.gate import copy_of
from importer.runs.plans.plan_file import PlanFile
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.undo_plan import UndoPlan

NO_POLICY = "not checked: there is no policy on this machine"


def compared_plans(
    journal: Journal, stored: StoredRun, directory: Path, said: Sequence[Mapping[str, Any]]
) -> Iterator[Compared]:
    """Work out again what a receipt says of plans.

    Args:
        directory: the run's.
        said: its `plans`.
    """
    plans = [_Kept.of(PlanFacts.model_validate_json(json.dumps(one)), directory) for one in said]
    purged = stored.purged_at is not None
    for one in plans:
        if one.plan is not None:
            yield Compared(one.name, "ok")
        else:
            yield Compared(one.name, "gone", "purged") if purged else Compared(one.name, "differs", one.why)
        yield from _signatures(one)
    if purged:
        yield from (Compared(f"bodies of the {one.name}", "gone", "what was sent was purged") for one in plans)
    else:
        yield from _rows_sent(journal, stored.run, [one for one in plans if one.facts.job != "undo"])
        yield from _taken_back(journal, stored.run, [one.plan for one in plans if isinstance(one.plan, UndoPlan)])


class _Kept(NamedTuple):
    """A plan that a receipt names.

    Args:
        plan: its copy; None: there is none that can be used.
        why: the reason of that, in a sentence.
    """

    facts: PlanFacts
    plan: PlanFile | None
    why: str

    @classmethod
    def of(cls, facts: PlanFacts, directory: Path) -> Self:
        """Read the copy."""
        try:
            return cls(facts, copy_of(facts, directory), "")
        except PlanRefusedError as error:
            return cls(facts, None, error.message)

    @property
    def name(self) -> str:
        """What it is called."""
        return _named(self.facts.sha256)


def _named(sha256: str) -> str:
    return f"plan {sha256[:8]}"


# --------------------------------------------------------------------------- who has approved it


def _signatures(one: _Kept) -> Iterator[Compared]:
    """Check the signatures that counted when the plan was used."""
    if not one.facts.signatures:
        return
    why, policy = NO_POLICY, None
    try:
        policy = load_policy()
    except (AccessError, ProfileError) as error:
        why = error.message
    for signature in one.facts.signatures:
        yield _signature(policy, one.facts, signature, why)
    yield _approval(policy, one, why)


def _signature(policy: Policy | None, facts: PlanFacts, signature: Signature, why: str) -> Compared:
    what = f"signature of {signature.name} under the {_named(facts.sha256)}"
    person = policy.people.get(signature.name) if policy else None
    if not is_genuine(signature, facts.sha256, person.key if person else signature.key):
        return Compared(what, "refused", "it is not genuine")
    if person is not None:
        return Compared(what, "ok")
    if policy is None:
        return Compared(what, "unchecked", why)
    return Compared(what, "refused", f"{signature.name} is not in the policy")


def _approval(policy: Policy | None, one: _Kept, why: str) -> Compared:
    """Whether what counted then is an approval by the policy of now; when the plan expires does not matter."""
    what = f"approval of the {one.name}"
    if policy is None:
        return Compared(what, "unchecked", why)
    if one.plan is None:
        return Compared(what, "gone", "who may approve it cannot be said without the plan")
    found = judge(policy, one.plan.approvable, one.facts.signatures, one.plan.expires_at, expiry=False)
    return Compared(what, "ok") if found.approved else Compared(what, "refused", "; ".join(found.reasons))


# --------------------------------------------------------------------------- what was sent


def _rows_sent(journal: Journal, run: int, plans: Sequence[_Kept]) -> Iterator[Compared]:
    """Whether the journal holds the bodies of every plan; those that a later one has replaced were checked by that."""
    for one, later in zip_longest(plans, plans[1:]):
        if one.plan is None:  # as was said
            continue
        what = f"bodies of the {one.name}"
        if later is None:
            reason = one.plan.deviation(journal, run)
            yield same(what, "", reason, reason)
        elif isinstance(later.plan, ReturnPlan) and later.plan.content.before == one.facts.sha256:
            yield Compared(what, "ok")
        else:
            reason = f"the {later.name} took its place, and does not say that the run was as this one says until then"
            yield Compared(what, "missing", reason)


def _taken_back(journal: Journal, run: int, plans: Sequence[UndoPlan]) -> Iterator[Compared]:
    """Whether the plans of undoing list customers that the run has created, and all that were taken back."""
    if not plans:
        return
    steps = journal.steps(run)
    created = {one.ordinal: one.customer_id for one in chain.from_iterable(steps.bodies({RowState.CREATED}))}
    for plan in plans:
        others = {one.ordinal for one in plan.entries if created.get(one.ordinal) != one.customer_id}
        listed = {one.ordinal for other in plans if other.action == plan.action for one in other.entries}
        done = {ordinal for (ordinal, _), state in steps.states(plan.step).items() if state is StepState.DONE}
        reason = "it lists customers that the run has not created" if others else ""
        if done - listed:
            reason = "customers were taken back that no plan lists"
        yield same(f"customers of the {_named(plan.sha256)}", "", reason, reason)
