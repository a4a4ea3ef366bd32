"""A plan is made: where to, how long it is good, by whom; its author signs it, and what has to be done next is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from importer.core.commands import Commands
from importer.core.errors import ApprovalMissingError
from importer.core.labels import either
from importer.profile import Profile
from importer.runs.context import Context
from importer.runs.plans.gate import Requirement
from importer.runs.plans.plan_file import PlanFile, moment
from importer.runs.receipts import operator
from importer.runs.wiring import Destination

if TYPE_CHECKING:
    from importer.approval import Approver, KeyFile, Policy, Signer

Plan = TypeVar("Plan", bound=PlanFile)
Author = Callable[[], "Signer | None"]
"""Gives the key of whoever makes a plan; None: they have none. May ask for its passphrase."""


def no_author() -> Signer | None:
    """Nobody has a key."""
    return None


def own_key(profile: Profile, passphrase_of: Callable[[KeyFile], str] | None = None) -> Signer | None:
    """Have the key at hand of whoever makes a plan: the one that the profile names, else the only one there is.

    Args:
        passphrase_of: finds the passphrase of a locked one; None: only the environment is looked at.

    Returns:
        None: they have none, and no author signs the plan.

    Raises:
        UsageError: there is no such key, or several and none is chosen.
        AccessError: the key cannot be used.
    """
    from importer.approval import chosen_key, given_passphrase, key_folder  # noqa: PLC0415  # as below

    found = chosen_key(profile.approval.key, key_folder())
    if found is None:
        return None
    return found.unlock(passphrase_of(found) if passphrase_of else given_passphrase())


def signer_of(profile: Profile, asked: Requirement | None, author: Author, now: float) -> Signer | None:
    """The author's key, where somebody may ask for their signature.

    Args:
        asked: what the target asks of a plan; None: nothing.
        author: asked only then, since a key may be locked.
        now: seconds since the epoch.

    Returns:
        None: they have none, nobody will ask for it, or the only key there is may not sign plans as their author.

    Raises:
        ApprovalMissingError: that holds for a key that was named.
    """
    policy = asked.policy if asked else None
    signer = author() if profile.approval.key or policy else None
    if signer is None or policy is None:
        return signer
    from importer.approval import why_not_author  # noqa: PLC0415  # its library, where somebody signs

    why_not = why_not_author(policy, signer, now)
    if why_not and profile.approval.key:
        raise ApprovalMissingError(f"{why_not} No plan was made.", _may_make_plans(policy))
    return None if why_not else signer


def _may_make_plans(policy: Policy) -> str:
    names = [name for name, one in policy.people.items() if one.plans]
    return f"Plans are signed by {either(names)}; name a key with --key." if names else "The policy lets nobody do so."


def made(kind: type[Plan], context: Context, where: Destination, signer: Signer | None, **content: Any) -> Plan:
    """Make a plan of a kind, now.

    Args:
        where: that it sends to.
        signer: its author; None: no author signs it, and approvers have to.
        content: what this kind of plan says besides.
    """
    now = context.now()
    plan = kind(
        made_at=now,
        expires_at=now + context.profile.approval.valid,
        author=operator(),
        target=where.name,
        host=where.host,
        scope=where.scope,
        **content,
    ).sealed()
    if signer is None:
        return plan
    from importer.approval import sign  # noqa: PLC0415  # its library, where somebody signs

    return plan.signed(sign(plan.sha256, "author", signer, now))


@dataclass(frozen=True, slots=True)
class NextOf:
    """What is to be done with a plan that was just made.

    Args:
        until: a sentence: how long it is good.
        approval: sentences: who has signed it, and who may approve it; empty: the target asks for no approval.
        approve: the command that approves it; empty: none is asked for, or nobody may.
    """

    until: str
    approval: str = ""
    approve: str = ""

    @classmethod
    def of(cls, plan: PlanFile, asked: Requirement | None, path: Path, commands: Commands) -> NextOf:
        """Find it out.

        Args:
            asked: what the target asks of a plan; None: nothing.
            path: its file.
        """
        policy = asked.policy if asked else None
        valid_s = plan.expires_at - plan.made_at
        until = f"It is good until {moment(plan.made_at + (min(valid_s, policy.valid) if policy else valid_s))}."
        if asked is None:
            return cls(until)
        if policy is None:
            needed = "An approval is needed ([approval] required), and no policy on this machine says who may give it."
            return cls(until, needed, commands.approve(path))
        found = asked.verdict(plan, plan.made_at)
        approve = approve_command(found.who, path, commands) if found.who else ""
        return cls(until, f"{_signed_by(plan)} {found.advice}", approve)

    def step(self, advice: str, send: str, show: str) -> tuple[str, str]:
        """What to do now, up to the command, and the command.

        Args:
            advice: where it may be sent at once.
            send: the command for that.
            show: the command that shows the plan, where nobody may approve it.
        """
        if self.approve:
            return "To approve it, run:", self.approve
        return ("To see the plan, run:", show) if self.approval else (advice, send)


def _signed_by(plan: PlanFile) -> str:
    if name := plan.signed_by:
        return f"{name} has signed it as its author."
    return "No author has signed it: there is no key here of somebody who may make plans (--key)."


def approve_command(who: tuple[Approver, ...], path: Path, commands: Commands) -> str:
    """The command that approves a plan, which names a key where there are several here.

    Args:
        who: those who may approve it.
        path: its file.
    """
    from importer.approval import key_folder, keys_in  # noqa: PLC0415

    here = [one.name for one in keys_in(key_folder())]
    keys = [one.name for one in who if one.name in here] if len(here) > 1 else []
    return commands.approve(path, *keys[:1])
