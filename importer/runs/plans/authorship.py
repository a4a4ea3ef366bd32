"""Who makes a plan: their name on this machine, how long it is good, and the signature of their key. Asks nobody."""

from __future__ import annotations

import getpass
import os
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from importer.profile import Profile
from importer.runs.plans.plan_file import PlanFile
from importer.runs.wiring import Destination

if TYPE_CHECKING:
    from importer.approval import Signer

Plan = TypeVar("Plan", bound=PlanFile)


def made(  # what every plan says, and by whom
    kind: type[Plan], profile: Profile, where: Destination, now: float, signer: Signer | None, **content: Any
) -> Plan:
    """Make a plan of a kind.

    Args:
        where: that it sends to.
        now: seconds since the epoch.
        signer: the author; None: no author signs it, and approvers have to.
        content: what this kind of plan says besides.
    """
    plan = kind(
        made_at=now,
        expires_at=now + profile.approval.valid,
        author=author(),
        target=where.name,
        host=where.host,
        scope=where.scope,
        **content,
    ).sealed()
    if signer is None:
        return plan
    from importer.approval import sign  # noqa: PLC0415  # its library, where somebody signs

    return plan.signed(sign(plan.sha256, "author", signer, now))


def author() -> str:
    """Who runs this, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
