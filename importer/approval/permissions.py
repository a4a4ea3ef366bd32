"""Who may approve what by the policy, up to how many customers, and the sentences that say so. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from importer.approval.policy import Person, Policy
from importer.core.labels import counted, either
from importer.core.plans import Approvable, Job, PolicyJob

_AUTHOR = "its author has to sign it, too (--key, or key under [approval] in the profile), or "
_ADMINISTRATOR = "an administrator has to add somebody to the approval policy"
_JOBS: Mapping[PolicyJob, str] = {"import": "imports", "update": "updates", "undo": "undos"}


class Approver(NamedTuple):
    """Somebody who may approve plans of a kind, and up to how many customers."""

    name: str
    limit: float

    def __str__(self) -> str:
        return self.name if self.limit == inf else f"{self.name} (up to {counted(int(self.limit), 'customer')})"


def approvers(policy: Policy, job: Job, host: str, now: float) -> list[Approver]:
    """Find who may approve such plans, each up to their limit.

    Args:
        now: seconds since the epoch.
    """
    limits = ((name, _limit(policy, one, job, host)) for name, one in policy.people.items() if not has_left(one, now))
    return [Approver(name, limit) for name, limit in limits if limit is not None]


def has_left(person: Person, at: float) -> bool:
    """Whether somebody's last day is over.

    Args:
        at: seconds since the epoch.
    """
    return person.until is not None and datetime.fromtimestamp(at, UTC).date() > person.until


def why_not_allowed(policy: Policy, person: Person, subject: Approvable) -> str:
    """Say why somebody may not approve a plan, in a part of a sentence; empty: they may."""
    server = policy.named(subject.host) or subject.host
    limit = _limit(policy, person, subject.job, subject.host)
    if limit is None:
        return f"may not approve this for {server}{_only(person)}"
    if limit < subject.rows:
        return f"may approve up to {counted(int(limit), 'customer')} for {server}, and these are {subject.rows:,}"
    return ""


def _limit(policy: Policy, person: Person, job: Job, host: str) -> float | None:
    """The most customers that somebody may approve at once; None: they may not approve such a plan at all."""
    asked: PolicyJob = "import" if job == "return" else job
    server = policy.named(host)
    limits = [
        inf if one.rows is None else float(one.rows)
        for one in person.approves
        if server and server in one.targets and (not one.jobs or asked in one.jobs)
    ]
    return max(limits, default=None)


def _only(person: Person) -> str:
    """What somebody may do instead, as the end of a sentence; empty: nothing."""
    may = [
        f"{' and '.join(_JOBS[job] for job in one.jobs) or 'plans'} for {' and '.join(one.targets)}"
        for one in person.approves
    ]
    if may:
        return f", only {', and '.join(may)}"
    return ", only make plans" if person.plans else ""


# --------------------------------------------------------------------------- who, in sentences


def who_may_approve(policy: Policy, job: Job, host: str, now: float) -> str:
    """Say who may approve a plan that is not made yet; arguments as of `approvers`."""
    able = approvers(policy, job, host, now)
    return _can_be_approved(able) if able else _nobody(able, 0)


def advice(able: Sequence[Approver], signed: Collection[str], rows: int, missing: int, *, authored: bool) -> str:
    """Say who may add the signatures that a plan lacks, and what to do where they do not suffice.

    Args:
        able: who may approve such plans.
        signed: who has signed it so that it counts.
        rows: customers of the plan.
        missing: how many people have to sign it yet.
        authored: whether its author has signed it.
    """
    who = [one for one in able if one.limit >= rows and one.name not in signed]
    if missing <= len(who):
        return _can_be_approved(who)
    if who:
        return f"{_can_be_approved(who)} That is not enough: {'' if authored else _AUTHOR}{_ADMINISTRATOR}."
    have = [one.name for one in able if one.name in signed]
    if have and not authored:
        return f"Nobody else may approve it: {_AUTHOR}{_ADMINISTRATOR}."
    if have:
        names = " and ".join(have)
        return (
            f"Nobody but {names} may approve it, who {'has' if len(have) == 1 else 'have'} signed it already:"
            f" somebody else makes the plan, or {_ADMINISTRATOR}."
        )
    return _nobody(able, rows)


def _can_be_approved(who: Sequence[Approver]) -> str:
    return f"It can be approved by {either([str(one) for one in who])}."


def _nobody(able: Sequence[Approver], rows: int) -> str:
    what = f"{counted(rows, 'customer')}, only {either([str(one) for one in able])}" if able else "it"
    return f"Nobody may approve {what}: {_ADMINISTRATOR}."
