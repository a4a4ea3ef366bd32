"""Whether a plan is approved: its signatures, judged by the policy of now. Pure; needs no network."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from importer.approval.policy import Person, Policy
from importer.approval.signatures import is_genuine
from importer.core.labels import counted
from importer.core.plans import Approvable, Job, PolicyJob, Role, Signature

CLOCK_LEEWAY_S = 300.0
"""By so much the clocks of author, signer and this machine may differ."""


class Tightened(NamedTuple):
    """What a profile asks for on top of the policy.

    Args:
        valid_s: how long a plan is good at most, in seconds.
        signatures: people who sign it at least.
    """

    valid_s: float = inf
    signatures: int = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the signatures of a plan.

    Args:
        counted: those that count.
        wrong: for each other one why it does not, in parts of a sentence.
        refused: what no further signature can help against; empty: nothing.
        missing: what has to be added; empty: nothing.
        who: those who may add it.
    """

    counted: tuple[Signature, ...] = ()
    wrong: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    missing: str = ""
    who: tuple[str, ...] = ()

    @property
    def approved(self) -> bool:
        """Whether the plan may be used."""
        return not (self.refused or self.missing)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it may not, in parts of a sentence."""
        return (*self.refused, *self.wrong, *((self.missing,) if self.missing else ()))


def judge(
    policy: Policy,
    subject: Approvable,
    signatures: Sequence[Signature],
    now: float,
    tightened: Tightened = Tightened(),  # noqa: B008  # immutable
    *,
    expiry: bool = True,
) -> Verdict:
    """Judge the signatures of a plan.

    Args:
        now: seconds since the epoch.
        tightened: what the profile asks for.
        expiry: whether it must not have expired; False: it was good when it was used.

    Raises:
        UsageError: the library that checks signatures is not installed.
    """
    good_until = _good_until(policy, subject, tightened)
    refused, wrong, held = [], [], list[Signature]()
    if expiry and now > good_until:
        refused.append(f"it was good until {_moment(good_until)}")
    if subject.made_at > now + CLOCK_LEEWAY_S:
        refused.append("it says that it was made in the future")
    for one in signatures:
        person = policy.people.get(one.name)
        if person is not None and not is_genuine(one, subject.sha256, person.key):
            refused.append(f"the signature of {one.name} is not genuine")
        elif reason := _why_not_counted(policy, person, one, subject, min(now + CLOCK_LEEWAY_S, good_until)):
            wrong.append(f"{one.name} {reason}")
        else:
            held.append(one)
    counting = _of_different_people(held)
    needed = max(policy.signatures, tightened.signatures)
    names = {one.name for one in counting}
    missing = f"it needs the signatures of {needed} people and has {len(names)}" if len(names) < needed else ""
    who = tuple(approvers(policy, subject.job, subject.host, subject.rows, names))
    return Verdict(tuple(counting), tuple(wrong), tuple(refused), missing, who)


def _good_until(policy: Policy, subject: Approvable, tightened: Tightened) -> float:
    return min(subject.expires_at, subject.made_at + min(policy.valid, tightened.valid_s))


def _why_not_counted(policy: Policy, person: Person | None, one: Signature, subject: Approvable, latest: float) -> str:
    if person is None:
        return "is not in the policy"
    if person.until is not None and datetime.fromtimestamp(one.signed_at, UTC).date() > person.until:
        return "signed after their last day"
    if one.signed_at < subject.made_at - CLOCK_LEEWAY_S:
        return "signed before the plan was made"
    if one.signed_at > latest:
        return "signed when the plan was no longer good, or in the future"
    return _why_not_allowed(policy, person, one.role, subject)


def _why_not_allowed(policy: Policy, person: Person, role: Role, subject: Approvable) -> str:
    if role == "author":
        return "" if person.plans else "may not make plans"
    server = policy.named(subject.host) or subject.host
    limit = _limit(policy, person, subject.job, subject.host)
    if limit is None:
        return f"may not approve this for {server}"
    if limit < subject.rows:
        return f"may approve up to {counted(int(limit), 'customer')} for {server}, and these are {subject.rows:,}"
    return ""


def _of_different_people(held: Sequence[Signature]) -> list[Signature]:
    """One signature a person, and one author at most; an author who signed as approver, too, is one person."""
    approving = {one.name: one for one in held if one.role == "approver"}
    authors = [one for one in held if one.role == "author" and one.name not in approving]
    return [*authors[:1], *approving.values()]


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


def approvers(policy: Policy, job: Job, host: str, rows: int = 0, but: Collection[str] = ()) -> Iterator[str]:
    """Name who may approve a plan, and up to how many customers.

    Args:
        rows: of the plan; 0: it is not made yet.
        but: who has signed it already.
    """
    for name, person in policy.people.items():
        limit = _limit(policy, person, job, host)
        if limit is not None and limit >= rows and name not in but:
            yield name if limit == inf else f"{name} (up to {counted(int(limit), 'customer')})"


def why_not_sign(
    policy: Policy,
    subject: Approvable,
    by: Signature,
    signatures: Sequence[Signature],
    now: float,
) -> str:
    """Say why a signature that was just made would not help a plan, in a sentence; empty: it would.

    Args:
        by: the new signature.
        signatures: those that the plan has.
    """
    person = policy.people.get(by.name)
    good_until = _good_until(policy, subject, Tightened())
    if now > good_until:
        return f"The plan was good until {_moment(good_until)}."
    if person is None:
        return f"{by.name} is not in the approval policy."
    if not is_genuine(by, subject.sha256, person.key):
        return f"The approval policy holds another key of {by.name}."
    if reason := _why_not_counted(policy, person, by, subject, good_until):
        return f"{by.name} {reason}."
    others = {(one.name, one.role) for one in signatures}
    if by.role == "approver" and (by.name, "author") in others:
        return f"{by.name} has made the plan: author and approver are different people."
    return ""


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M UTC}"
