"""The other side: places where customers are created. One attempt a call; never sleeps, never retries.

A new kind of target is one package here and one line in `_KINDS`; third parties add theirs as an
entry point in the group `importer.targets`. Importing this package opens and loads nothing: a
target's own libraries wait until `connect`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Protocol, cast

from importer.core.errors import ProfileError
from importer.core.ports import Checker, Clock, Finder, Limiter, Target
from importer.targets.access import TargetAccess

__all__ = ["OpenTarget", "Opener", "TargetAccess", "connect", "kinds"]


class OpenTarget(Target, Finder, Checker, Protocol):
    """A target with its connections: creates, finds, and says whether it lets us in."""


Opener = Callable[[TargetAccess, Limiter, Clock], Awaitable[OpenTarget]]
"""What a kind of target provides. Runs inside the event loop that the target will work in."""

_ENTRY_POINTS = "importer.targets"
_KINDS = {"rocketkor": "importer.targets.rocketkor:open_target"}


def kinds() -> tuple[str, ...]:
    """Name every kind of target there is, third parties' included."""
    return tuple(sorted({*_KINDS, *_foreign()}))


async def connect(kind: str, access: TargetAccess, limiter: Limiter, clock: Clock) -> OpenTarget:
    """Open a target; no request is made yet.

    Args:
        kind: its name in the profile (`kind = "rocketkor"`).
        access: where it is and how to get in.
        limiter: asked for a slot before every single request, whatever its kind.
        clock: for the lifetime of tokens, and for dates in answers.

    Raises:
        ProfileError: there is no such kind, or the surroundings (proxy, certificates) cannot be used.
    """
    import asyncio  # noqa: PLC0415  # it loads ssl, and this module is imported where nothing is sent

    opener = await asyncio.to_thread(_opener, kind)  # its library takes a tenth of a second to load
    return await opener(access, limiter, clock)


def _opener(kind: str) -> Opener:
    reference = _KINDS.get(kind) or _foreign().get(kind)
    if reference is None:
        near = get_close_matches(kind, kinds(), n=1)
        known = ", ".join(kinds())
        msg = f"There is no kind of target named '{kind}'."
        raise ProfileError(msg, f"Did you mean '{near[0]}'?" if near else f"Known kinds: {known}.")
    module, _, name = reference.partition(":")
    return cast("Opener", getattr(import_module(module), name))


def _foreign() -> dict[str, str]:
    # Imported here: reading the installed packages takes longer than the rest of this module together.
    from importlib.metadata import entry_points  # noqa: PLC0415

    return {point.name: point.value for point in entry_points(group=_ENTRY_POINTS)}
