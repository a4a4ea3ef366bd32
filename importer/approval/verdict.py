"""Whether a plan is approved: its signatures, judged by the policy of now. Pure; needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from importer.approval.permissions import Approver, advice, approvers, has_left, why_not_allowed
from importer.approval.policy import Person, Policy
from importer.approval.signatures import Signer, is_genuine, raw_key
from importer.core.plans import Approvable, Signature

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
        advice: the same in sentences, with what to do where they do not suffice; empty: nothing helps, or is missing.
    """

    counted: tuple[Signature, ...] = ()
    wrong: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    missing: str = ""
    who: tuple[Approver, ...] = ()
    advice: str = ""

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
    able = approvers(policy, subject.job, subject.host, now)
    who = tuple(one for one in able if one.limit >= subject.rows and one.name not in names)
    authored = any(one.role == "author" for one in counting)
    how = advice(able, names, subject.rows, needed - len(names), authored=authored) if missing and not refused else ""
    return Verdict(tuple(counting), tuple(wrong), tuple(refused), missing, who, how)


def _good_until(policy: Policy, subject: Approvable, tightened: Tightened) -> float:
    return min(subject.expires_at, subject.made_at + min(policy.valid, tightened.valid_s))


def _why_not_counted(policy: Policy, person: Person | None, one: Signature, subject: Approvable, latest: float) -> str:
    if person is None:
        return "is not in the policy"
    if has_left(person, one.signed_at):
        return f"signed after their last day, {person.until}"
    if one.signed_at < subject.made_at - CLOCK_LEEWAY_S:
        return "signed before the plan was made"
    if one.signed_at > latest:
        return "signed when the plan was no longer good, or in the future"
    if one.role == "author":
        return "" if person.plans else "may not make plans"
    return why_not_allowed(policy, person, subject)


def _of_different_people(held: Sequence[Signature]) -> list[Signature]:
    """One signature a person, and one author at most; an author who signed as approver, too, is one person."""
    approving = {one.name: one for one in held if one.role == "approver"}
    authors = [one for one in held if one.role == "author" and one.name not in approving]
    return [*authors[:1], *approving.values()]


def why_not_sign(
    policy: Policy, subject: Approvable, by: Signature, signatures: Sequence[Signature], now: float
) -> str:
    """Say why an approver's signature that was just made would not help a plan, in a sentence; empty: it would.

    Args:
        by: the new signature.
        signatures: those that the plan has.
    """
    person = policy.people.get(by.name)
    good_until = _good_until(policy, subject, Tightened())
    if now > good_until:
        return f"The plan was good until {_moment(good_until)}."
    genuine = person is not None and is_genuine(by, subject.sha256, person.key)
    if unknown := _why_not_known(person, by.name, now, is_theirs=genuine):
        return unknown
    if reason := _why_not_counted(policy, person, by, subject, good_until):
        return f"{by.name} {reason}."
    if any((one.name, one.role) == (by.name, "author") for one in signatures):
        return f"{by.name} has made the plan: author and approver are different people."
    return ""


def why_not_author(policy: Policy, signer: Signer, now: float) -> str:
    """Say why somebody's signature as the author of plans would not count, in a sentence; empty: it would."""
    person = policy.people.get(signer.name)
    is_theirs = person is not None and raw_key(person.key) == raw_key(signer.public)
    if unknown := _why_not_known(person, signer.name, now, is_theirs=is_theirs):
        return unknown
    return "" if person and person.plans else f"{signer.name} may not make plans."


def _why_not_known(person: Person | None, name: str, now: float, *, is_theirs: bool) -> str:
    """Why nothing counts that somebody signs now, whatever it is, in a sentence; empty: it may.

    Args:
        is_theirs: whether they sign with the key that the policy holds.
    """
    if person is None:
        return f"{name} is not in the approval policy."
    if not is_theirs:
        return f"The approval policy holds another key of {name}."
    return f"{name} may sign until {person.until}, which is over." if has_left(person, now) else ""


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M UTC}"
