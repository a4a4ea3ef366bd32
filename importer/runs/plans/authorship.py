"""What every plan says besides its content: where to, how long it is good, by whom; and the signature of its author."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from importer.profile import Profile
from importer.runs.context import Context
from importer.runs.plans.gate import Requirement
from importer.runs.plans.plan_file import PlanFile
from importer.runs.receipts import operator
from importer.runs.wiring import Destination

if TYPE_CHECKING:
    from importer.approval import Signer

Plan = TypeVar("Plan", bound=PlanFile)
Author = Callable[[], "Signer | None"]
"""Gives the key of whoever makes a plan; None: they have none. May ask for its passphrase."""


def no_author() -> Signer | None:
    """Nobody has a key."""
    return None


def signer_of(profile: Profile, asked: Requirement | None, author: Author) -> Signer | None:
    """The author's key, where somebody may ask for their signature; None: they have none, or nobody will.

    Args:
        asked: what the target asks of a plan; None: nothing.
        author: asked only then, since a key may be locked.
    """
    is_wanted = bool(profile.approval.key) or (asked is not None and asked.policy is not None)
    return author() if is_wanted else None


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
