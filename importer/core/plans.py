"""What is signed of a plan, and a signature: the values that pass between plans, approvals and the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Job = Literal["import", "return", "update", "undo"]
"""What a plan sends: new customers, rows of a run again, changes of customers, the way back out of a run."""

PolicyJob = Literal["import", "update", "undo"]
"""What somebody may be allowed to approve; what is sent again is a part of an import."""

Role = Literal["author", "approver"]

Moment = Annotated[float, Field(ge=0, lt=253_402_300_800, allow_inf_nan=False)]
"""Seconds since the epoch, up to the year 9999: a time that can be compared and printed."""


class Signature(BaseModel):
    """One person's signature of a plan.

    Args:
        name: the person, as the policy calls them.
        key: the public key, for people; only the one of the policy counts.
        signed_at: seconds since the epoch, as the signer's machine has it.
        signature: Ed25519, base64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    role: Role
    name: Annotated[str, Field(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\z")]
    key: Annotated[str, Field(pattern=r"\Aed25519:[A-Za-z0-9+/]{43}=\z")]
    signed_at: Moment
    signature: str


@dataclass(frozen=True, slots=True)
class Approvable:
    """What has to be known of a plan to judge whether it is approved.

    Args:
        sha256: of the plan, its signatures aside: what is signed.
        host: of the target, as a person is asked to confirm it.
        rows: customers that it creates or changes.
        made_at: seconds since the epoch.
        expires_at: seconds since the epoch.
    """

    sha256: str
    job: Job
    host: str
    rows: int
    made_at: float
    expires_at: float
