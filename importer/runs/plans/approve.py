"""A plan is looked at and signed: what it says, whose signatures count here, what is missing. Sends nothing.

It is judged by the policy of this machine. Where there is none, signatures are made and checked all the same; whether
they count, the machine that sends by the plan decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from importer.approval import (
    Approver,
    Policy,
    Signer,
    Tightened,
    Verdict,
    is_genuine,
    judge,
    load_policy,
    sign,
    why_not_sign,
)
from importer.core.errors import ApprovalMissingError, PlanRefusedError
from importer.core.plans import Signature
from importer.profile.operating import ApprovalSettings
from importer.runs.plans.kinds import read_plan
from importer.runs.plans.plan_file import MAKE_AGAIN, PlanFile, alone_at
from importer.runs.plans.register import register

COUNTS = "counts"
_UNKNOWN = "genuine, if the key is theirs: no policy here says so"
_FORGED = "not genuine"


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan, and what the policy of this machine makes of it.

    Args:
        good_until: seconds since the epoch.
        expired: whether that is over.
        signatures: each one, and whether it counts, in words.
        verdict: None: there is no policy here.
        is_needed: whether the target takes only approved plans, as far as this machine knows.
    """

    plan: PlanFile
    good_until: float
    expired: bool
    signatures: tuple[tuple[Signature, str], ...]
    verdict: Verdict | None
    is_needed: bool

    @classmethod
    def of(cls, plan: PlanFile, settings: ApprovalSettings, now: float) -> Self:
        """Judge a plan.

        Args:
            settings: what the profile asks for on top of the policy.
            now: seconds since the epoch.
        """
        policy, asked = load_policy(), Tightened(settings.valid, settings.signatures)
        valid_s = min(settings.valid, policy.valid if policy else settings.valid)
        good_until = min(plan.expires_at, plan.made_at + valid_s)
        server = policy.server(plan.host) if policy else None
        return cls(
            plan,
            good_until,
            expired=now > good_until,
            signatures=tuple((one, _verdict_of(policy, plan, one, now)) for one in plan.signatures),
            verdict=judge(policy, plan.approvable, plan.signatures, now, asked) if policy else None,
            is_needed=bool(plan.host)
            and (settings.required or (policy is not None and (not server or server.approval))),
        )

    @property
    def approved(self) -> bool | None:
        """Whether it may be used; None: no policy here says so."""
        return None if self.verdict is None else self.verdict.approved

    @property
    def missing(self) -> list[str]:
        """Why it may not be used yet, in sentences."""
        reasons = self.verdict.reasons if self.verdict else ()
        return [f"{one[:1].upper()}{one[1:]}." for one in reasons]

    @property
    def refusal(self) -> str:
        """Why it would not be accepted, or cannot be checked here, in sentences; empty: it holds."""
        if self.expired:
            return "The plan has expired."
        if self.verdict is None and (self.plan.signatures or self.is_needed):
            return "The approval was not checked: there is no policy on this machine."
        if self.is_needed and not self.approved:
            return " ".join(filter(None, ["The plan is not approved.", *self.missing, self.advice]))
        return ""

    @property
    def who(self) -> tuple[Approver, ...]:
        """Who may approve it."""
        return () if self.verdict is None or self.verdict.approved else self.verdict.who

    @property
    def advice(self) -> str:
        """Who may approve it, and what to do where that does not suffice, in sentences; empty: nothing is missing."""
        return self.verdict.advice if self.verdict else ""

    def require_genuine(self) -> None:
        """Refuse a plan with a forged signature.

        Raises:
            ApprovalMissingError: it has one.
        """
        for one, words in self.signatures:
            if words == _FORGED:
                raise ApprovalMissingError(f"The signature of {one.name} is not genuine.", MAKE_AGAIN)

    def as_json(self) -> dict[str, Any]:
        """What it says in short, in plain JSON types; the file has all of it."""
        plan = self.plan
        said = plan.model_dump(mode="json")
        content = said.get("content", said)
        source = content.get("source")
        documents = content.get("documents") or {}
        if isinstance(source, str):  # the file that came back
            source = {"name": source, "sha256": content["sha256"]} if source else None
        return {
            "job": plan.job,
            "run_id": plan.run_id,
            "target": plan.target,
            "host": plan.host,
            "scope": plan.scope,
            "source": source,
            "action": said.get("action"),
            "counts": content.get("counts") or {},
            "known": (content.get("known") or {}).get("count", 0),
            "rows": plan.rows,
            "documents": {name: documents.get(name, 0) for name in ("count", "at_addresses")},
            "forecast": said.get("forecast") or {},
            "author": plan.author,
            "made_at": _iso(plan.made_at),
            "good_until": _iso(self.good_until),
            "expired": self.expired,
            "sha256": plan.sha256,
            "root": plan.root,
            "signatures": [_signature(one, words) for one, words in self.signatures],
        }


def _signature(one: Signature, words: str) -> dict[str, Any]:
    return {"name": one.name, "role": one.role, "key": one.key, "signed_at": _iso(one.signed_at), "verdict": words}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def approve(
    path: Path, signer: Signer, sha256: str, now: float, workspace: Path | None = None
) -> tuple[PlanFile, Signature]:
    """Sign a plan, and write the signature into its file, beside those of people who sign at the same moment.

    Args:
        sha256: of the plan that the signer was shown.
        now: seconds since the epoch.
        workspace: whose team shall see the signature; None: nobody's.

    Raises:
        ApprovalMissingError: as of `signature`.
        PlanRefusedError: it is not the plan that was shown, or no plan any more.
        StorageError: the file cannot be written.
    """
    with alone_at(path):
        plan = read_plan(path)
        if plan.sha256 != sha256:
            raise PlanRefusedError(f"The plan '{path}' is another one than a moment ago; it was not signed.")
        made = signature(plan, signer, now)
        signed = plan.signed(made)
        signed.put(path)
    if workspace is not None:
        register(workspace, signed)
    return signed, made


def signature(plan: PlanFile, signer: Signer, now: float) -> Signature:
    """Return the signature of an approver.

    Args:
        now: seconds since the epoch.

    Raises:
        ApprovalMissingError: the policy of this machine says that it does not count; the hint says whose does.
    """
    made = sign(plan.sha256, "approver", signer, now)
    policy = load_policy()
    if policy is None:
        reason, advice = _why_not(plan, made, now), ""
    else:
        reason = why_not_sign(policy, plan.approvable, made, plan.signatures, now)
        advice = judge(policy, plan.approvable, plan.signatures, now).advice
    if reason:
        raise ApprovalMissingError(f"{reason} The plan was not signed.", advice)
    return made


def _why_not(plan: PlanFile, made: Signature, now: float) -> str:
    """Why a signature does not help a plan where no policy is, in a sentence; empty: it may."""
    if plan.signed_by == made.name:
        return f"{made.name} has made the plan: author and approver are different people."
    return "The plan has expired." if now > plan.expires_at else ""


def _verdict_of(policy: Policy | None, plan: PlanFile, one: Signature, now: float) -> str:
    """Whether one signature counts, in words."""
    person = policy.people.get(one.name) if policy else None
    if not is_genuine(one, plan.sha256, person.key if person else one.key):
        return _FORGED
    if policy is None:
        return _UNKNOWN
    found = judge(policy, plan.approvable, [one], now, expiry=False)
    return COUNTS if found.counted else "; ".join(found.reasons[:1])
