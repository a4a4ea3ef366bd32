"""What every plan says besides its content: where to, how long it is good, by whom; and the signature of its author."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from importer.runs.context import Context
from importer.runs.plans.plan_file import PlanFile
from importer.runs.receipts import operator
from importer.runs.wiring import Destination

if TYPE_CHECKING:
    from importer.approval import Signer

Plan = TypeVar("Plan", bound=PlanFile)
Author = Callable[[], "Signer | None"]
"""Gives the key of whoever makes a plan; None: they have none. May ask for its passphrase."""


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
