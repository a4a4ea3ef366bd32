"""A person's consent to send to a live target. Nothing is sent without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from importer.core.errors import UsageError
from importer.core.states import RowState
from importer.profile import EMULATOR, HARMLESS_TARGETS, Profile
from importer.runs.wiring import Destination

Confirm = Callable[[str, int], bool]
"""Asked once before the first request to a target that is not harmless: host, rows ready. False: send nothing."""


def require_consent(where: Destination, profile: Profile, confirm: Confirm | None) -> None:
    """Refuse a live target that nobody can be asked about, before anything is opened.

    Raises:
        UsageError: it has to be confirmed, and cannot be.
    """
    if _is_settled(where, profile) or confirm is not None:
        return
    raise UsageError(
        f"Nothing was sent: sending to '{where.name}' ({where.host}) has to be confirmed, and there is no"
        " terminal to ask on.",
        "Add --yes if you mean it.",
    )


def require_named_target(profile: Profile) -> None:
    """Refuse to put files away as imported while nobody has said where to: the emulator is the default.

    Raises:
        UsageError: no option, variable or profile names the target.
    """
    if profile.target == EMULATOR and profile.target_origin == "default":
        raise UsageError(
            "No target is named: the files would be archived as imported, and no customer would be anywhere.",
            "Name where to: --target sandbox, or --target emulator for a rehearsal.",
        )


def ask_consent(where: Destination, profile: Profile, confirm: Confirm | None, counts: Mapping[str, int]) -> None:
    """Ask about a live target, where that has to be.

    Args:
        counts: rows per state; those that are ready are named in the question.

    Raises:
        UsageError: the answer was no, or nobody can be asked.
    """
    require_consent(where, profile, confirm)
    if confirm is None or _is_settled(where, profile):
        return
    if not confirm(where.host, counts.get(RowState.READY, 0)):
        raise UsageError(f"Nothing was sent to '{where.name}': it was not confirmed.")


def _is_settled(where: Destination, profile: Profile) -> bool:
    return where.name in HARMLESS_TARGETS or profile.yes
