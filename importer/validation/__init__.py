"""Fields become request bodies or issues, all of a row in one pass; duplicates; the ledger of changes. Pure.

Never opens, sends or waits; what it needs of the world (the day, the workspace's key) is passed in.
"""

from __future__ import annotations

from datetime import date

from importer.core.sources import Grouping
from importer.customers.reading import Policy
from importer.profile.settings import ValidationSettings
from importer.validation.duplicates import DuplicateJudge
from importer.validation.validator import Validator

__all__ = ["DuplicateJudge", "Validator", "build_validator"]


def build_validator(
    settings: ValidationSettings,
    *,
    secret: bytes,
    stamp: str,
    today: date,
    grouping: Grouping | None = None,
    writes_bodies: bool = True,
    compares: bool = True,
) -> Validator:
    """Make the validator of a run.

    Args:
        settings: `[validation]` of the profile.
        secret: the workspace's key for import keys, at most 64 bytes.
        stamp: the metadata name under which every body carries its import key; empty: not stamped.
        today: the day that birth dates are judged by.
        grouping: which rows are one business; None: every row is a customer of its own.
        writes_bodies: whether anybody will send what is valid.
        compares: whether anybody will compare the rows with customers of earlier runs.
    """
    policy = Policy(phone=settings.phone, region=settings.default_region, today=today)
    return Validator(
        policy,
        secret=secret,
        stamp=stamp,
        no_change=settings.no_change,
        grouping=grouping,
        writes_bodies=writes_bodies,
        compares=compares,
    )
