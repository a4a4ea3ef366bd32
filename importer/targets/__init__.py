"""Targets: places where customers are created. One attempt a call; never sleeps, never retries.

A kind of target is one package that declares a `TargetKind`: ours are listed in `importer.core.target_kinds`, other
packages add theirs by an entry point of the group `importer.targets`. Importing this package opens and loads nothing:
the libraries of a target wait until `connect`.

Another package needs this one, `importer.core.contract` for its contract, and `importer.core.outcomes`, `.ports` and
`.errors` for what is asked and answered. A whole one, with a server, is `tests/toy_target` beside the source.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from importer.core.errors import ProfileError
from importer.core.ports import Checker, Clock, Finder, Limiter, Target
from importer.core.target_kinds import Credential, TargetKind, kinds, part_of, target_kind
from importer.targets.access import TargetAccess

__all__ = ["Credential", "OpenTarget", "Opener", "TargetAccess", "TargetKind", "connect", "kinds"]


class OpenTarget(Target, Finder, Checker, Protocol):
    """A target with its connections: creates, finds, and says whether it lets us in."""


Opener = Callable[[TargetAccess, Limiter, Clock], Awaitable[OpenTarget]]
"""What a kind of target provides. Runs inside the event loop that the target will work in."""


async def connect(kind: str, access: TargetAccess, limiter: Limiter, clock: Clock) -> OpenTarget:
    """Open a target; no request is made yet.

    Args:
        kind: its name in the profile (`kind = "rocketkor"`).
        access: where it is and how to get in.
        limiter: asked for a slot before every single request, whatever its kind.
        clock: for the lifetime of tokens, and for dates in answers.

    Raises:
        ProfileError: there is no such kind, or its proxy or certificates cannot be used.
        UsageError: a credential cannot be sent.
    """
    import asyncio  # noqa: PLC0415  # it loads ssl, and this module is imported where nothing is sent

    opener = await asyncio.to_thread(_opener, kind)  # its library takes a tenth of a second to load
    return await opener(access, limiter, clock)


def _opener(kind: str) -> Opener:
    opener = part_of(kind, reference := target_kind(kind).opener)
    if not callable(opener):
        fix = "Update or reinstall the package that brings it."
        raise ProfileError(f"The opener of the kind of target '{kind}' is not a function: {reference}.", fix)
    return cast("Opener", opener)
