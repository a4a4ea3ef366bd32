"""Fields become request bodies or issues, all of a row in one pass; duplicates; the ledger of changes. Pure.

Never opens, sends or waits; what it needs of the world (the day, the workspace's key) is passed in.
"""

from __future__ import annotations

from datetime import date

from importer.core.contract import Policy
from importer.profile.settings import ValidationSettings
from importer.validation.duplicates import DuplicateJudge
from importer.validation.validator import Validator
from importer.validation.writing import Wanted

__all__ = ["DuplicateJudge", "Validator", "Wanted", "policy_of"]


def policy_of(settings: ValidationSettings, today: date) -> Policy:
    """How strict a run is, and what it assumes.

    Args:
        settings: `[validation]` of the profile.
        today: the day that birth dates are judged by.
    """
    no_change = frozenset(settings.no_change)
    return Policy(settings.phone, settings.default_region, today, no_change, partial=settings.partial)
