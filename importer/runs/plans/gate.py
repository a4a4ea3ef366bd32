"""The gate: what needs an approval is not sent without it, on every way in. Judges by the policy of now; sends nothing.

An administrator's policy says which servers take approved plans alone. A profile may ask for the same, for more
signatures or for younger plans, and never for less. The emulator inside the run needs none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from importer.approval import (
    SYSTEM,
    VARIABLE,
    Policy,
    Tightened,
    Verdict,
    judge,
    load_policy,
    policy_place,
    who_may_approve,
)
from importer.core.commands import Commands
from importer.core.errors import ApprovalMissingError, PlanRefusedError
from importer.core.plans import Job, Signature
from importer.journal import UPDATE_JOB, Journal, PlanFacts, RunFacts, RunHeader, StoredRun
from importer.profile import Profile
from importer.runs.context import Context
from importer.runs.kept_files import keep
from importer.runs.plans.kinds import read_plan
from importer.runs.plans.plan_file import MAKE_AGAIN, PlanFile, moment
from importer.runs.wiring import Destination

_DOES = {
    "import": "import customers",
    "return": "send rows of a run again",
    "update": "update customers",
    "undo": "take back what a run created",
}
"""What plans are made for."""
SENDING_ROWS: frozenset[Job] = frozenset({"import", "return"})
"""Jobs of the plans by which a run creates customers."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a target asks of a plan before anything is sent to it.

    Args:
        policy: who may approve what; None: only the profile asks for an approval, and nobody can give it here.
        host: of the target, as a person is asked to confirm it.
        valid_s: how long a plan is good at most, in seconds.
        signatures: how many people have to sign it at least.
    """

    policy: Policy | None
    host: str
    valid_s: float
    signatures: int

    def refuse_unplanned(self, job: Job, make: str, now: float) -> NoReturn:
        """Refuse to send what no plan says.

        Args:
            make: the command that makes the plan.
            now: seconds since the epoch.

        Raises:
            ApprovalMissingError: always.
        """
        who = who_may_approve(self._in_force(), job, self.host, now)
        raise ApprovalMissingError(
            f"Nobody may {_DOES[job]} at {self.host} without an approved plan, and there is none; nothing was sent.",
            f"`{make}` makes one. {who}",
        )

    def verdict(self, plan: PlanFile, now: float, *, expiry: bool = True) -> Verdict:
        """Judge the signatures of a plan; arguments and errors as of `require`."""
        policy = self._in_force()
        if plan.host != self.host:
            raise ApprovalMissingError(
                f"The plan is one for {plan.host or 'the emulator'}, not for {self.host}; nothing was sent.", MAKE_AGAIN
            )
        asked = Tightened(self.valid_s, self.signatures)
        return judge(policy, plan.approvable, plan.signatures, now, asked, expiry=expiry)

    def require(self, plan: PlanFile, now: float, *, expiry: bool = True) -> tuple[Signature, ...]:
        """Refuse a plan that is not approved.

        Args:
            now: seconds since the epoch.
            expiry: False: it was good when it was used, and may have expired since.

        Returns:
            The signatures that counted.

        Raises:
            ApprovalMissingError: it is not; the hint says who may approve it. Or there is no policy to judge it by.
        """
        found = self.verdict(plan, now, expiry=expiry)
        if found.approved:
            return found.counted
        raise ApprovalMissingError(
            f"The plan is not approved: {'; '.join(found.reasons)}; nothing was sent.",
            MAKE_AGAIN if found.refused else found.advice,
        )

    def _in_force(self) -> Policy:
        """The policy.

        Raises:
            ApprovalMissingError: there is none.
        """
        if self.policy is not None:
            return self.policy
        raise ApprovalMissingError(
            f"An approval is needed to send to {self.host} ([approval] required), and no policy on this machine says"
            " who may approve; nothing was sent.",
            f"An administrator writes {SYSTEM}, or, where that file does not exist, the file that {VARIABLE} names.",
        )


def may_be_asked(profile: Profile) -> bool:
    """Whether anything on this machine asks for an approval, of whatever target."""
    try:
        return profile.approval.required or policy_place() is not None
    except OSError:  # it is somewhere, and cannot be looked at
        return True


def requirement(profile: Profile, where: Destination) -> Requirement | None:
    """Return what a target asks of a plan; None: it takes what nobody has approved.

    Raises:
        ApprovalMissingError: the policy does not know the server.
        ProfileError, AccessError: the policy cannot be read, or is wrong.
    """
    if where.embedded:
        return None
    policy, settings = load_policy(), profile.approval
    asked = Requirement(policy, where.host, settings.valid, settings.signatures)
    if policy is None:
        return asked if settings.required else None
    server = policy.server(where.host)
    if server is None:
        raise ApprovalMissingError(
            f"The approval policy does not know the server {where.host}; nothing was sent.",
            "An administrator adds it to its [targets].",
        )
    return asked if server.approval or settings.required else None


def admitted(  # noqa: PLR0917  # the usual call of every way in, which says all of it
    profile: Profile,
    where: Destination,
    plan: PlanFile | None,
    job: Job,
    now: float,
    make: str,
    *,
    expiry: bool = True,
) -> tuple[Signature, ...]:
    """Refuse what the target does not take without an approval, and a plan that is not good any more.

    Args:
        plan: what is about to be done; None: there is no plan.
        job: what is about to be done.
        now: seconds since the epoch.
        make: the command that makes the plan.
        expiry: False: it was good when it was begun, and may have expired since.

    Returns:
        The signatures that counted; none where none are needed.

    Raises:
        ApprovalMissingError: a plan or an approval is missing, or does not hold.
        PlanRefusedError: the plan is for something else, or has expired.
    """
    asked = requirement(profile, where)
    if plan is None:
        if asked is not None:
            asked.refuse_unplanned(job, make, now)
        return ()
    if plan.job != job:
        raise PlanRefusedError(f"The plan is one to {_DOES[plan.job]}, not to {_DOES[job]}.", f"`{make}` makes one.")
    if asked is not None:
        return asked.require(plan, now, expiry=expiry)
    if expiry and plan.is_expired(now, profile.approval.valid):
        until = moment(min(plan.expires_at, plan.made_at + profile.approval.valid))
        raise PlanRefusedError(f"The plan has expired: it was good until {until}.", f"`{make}` makes it again.")
    return ()


def noted(plan: PlanFile, counted: tuple[Signature, ...], directory: Path) -> PlanFacts:
    """Keep a copy of a plan with the run that sends by it, and return what the run notes of it.

    Args:
        counted: the signatures that counted.
        directory: the run's.

    Raises:
        StorageError: the copy cannot be written.
    """
    name = f"plan-{plan.sha256[:8]}.json"
    plan.write(directory / name)
    return PlanFacts(
        job=plan.job,
        sha256=plan.sha256,
        root=plan.root,
        rows=plan.rows,
        file=name,
        author=plan.author,
        signatures=counted,
    )


def note(journal: Journal, stored: StoredRun, plan: PlanFile, counted: tuple[Signature, ...], directory: Path) -> None:
    """Note with a run that exists that it sends by a plan from now on; arguments and errors as of `noted`."""
    others = tuple(one for one in journal.runs.facts(stored.run).plans if one.sha256 != plan.sha256)
    now = noted(plan, counted, directory)
    keep(journal, stored.run, directory / now.file)
    journal.runs.note(stored.run, RunFacts(plans=(*others, now)))


def is_begun(facts: RunFacts, plan: PlanFile) -> bool:
    """Whether a run has noted that it sends by a plan.

    Args:
        facts: what the run has noted.
    """
    return any(one.sha256 == plan.sha256 for one in facts.plans)


def jobs_of(facts: RunFacts) -> frozenset[Job]:
    """The jobs of the plans that a run may send by; none: it only lists what would change."""
    if facts.lists_only:
        return frozenset()
    return frozenset({"update"}) if facts.job == UPDATE_JOB else SENDING_ROWS


def require_of_run(
    context: Context, where: Destination, stored: StoredRun, directory: Path, jobs: Collection[Job]
) -> None:
    """Refuse to send for a run whose plan is not approved by the policy of now, or is not the one that it noted.

    A plan that was good when the run began may have expired since.

    Args:
        stored: the run, with what it has noted by now.
        directory: the run's.
        jobs: those of the plans that may say what is about to be sent; the newest plan counts.

    Raises:
        ApprovalMissingError: a plan or its approval is missing, or does not hold any more.
        PlanRefusedError: the run's copy of the plan is gone or was edited, or the profile would send something else.
    """
    asked = requirement(context.profile, where)
    if asked is None:
        return
    newest = next((one for one in reversed(stored.facts.plans) if one.job in jobs), None)
    job, make = _plan_of(context.profile.commands, stored.header, jobs)
    if newest is None:
        asked.refuse_unplanned(job, make, context.now())
    plan = copy_of(newest, directory, f"make a plan of what is left: `{make}`")
    plan.require_profile(context.profile)
    asked.require(plan, context.now(), expiry=False)


def copy_of(kept: PlanFacts, directory: Path, instead: str = "") -> PlanFile:
    """Read the copy of a plan that a run has kept.

    Args:
        kept: what the run has noted of it.
        directory: the run's.
        instead: what can be done where the copy is lost, as a part of a sentence; empty: nothing.

    Raises:
        PlanRefusedError: it is gone, was edited, or is another plan.
    """
    path, name = directory / kept.file, kept.sha256[:8]
    how = "is another plan"
    try:
        plan = read_plan(path)
        if plan.sha256 == kept.sha256:
            return plan
    except PlanRefusedError:
        how = "was edited, or cannot be read" if path.exists() else "is gone"
    raise PlanRefusedError(
        f"The copy of the plan {name} by which the run was begun {how}: '{path}'.",
        f"Put the plan {name} back under that name{f', or {instead}' if instead else '.'}",
    )


def _plan_of(commands: Commands, header: RunHeader, jobs: Collection[Job]) -> tuple[Job, str]:
    """What a run without a plan is about to do, and the command that makes a plan of it."""
    if "undo" in jobs:
        return "undo", commands.undo(header.run_id)
    if "update" in jobs:
        return "update", commands.plan(header.path, "--update")
    return "return", commands.plan_retry(header.run_id)
