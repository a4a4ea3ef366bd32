"""The schema of `[nightly]` and `[notify]`: what is taken from a folder, and who is told. Values only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat

from importer.profile.hours import TimeOfDay
from importer.profile.settings import Names, Section, _listed


class NightlySettings(Section):
    """`[nightly]`: which files of a folder are taken, when, and where they go afterwards."""

    patterns: Names = ("*.csv", "*.tsv", "*.txt", "*.xlsx", "*.xlsm", "*.xls", "*.xlsb", "*.ods", "*.gz", "*.zip")
    """File names that are taken; hidden files, and what `~$` begins, never are."""
    ready: Literal["stable", "marker"] = "stable"
    """`stable`: a file whose size and time do not change for `settle_s`, or one with a marker at once. `marker`: only
    the latter."""
    marker: Annotated[str, Field(pattern=r"^\.[A-Za-z0-9_.-]+$")] = ".done"
    """`customers.csv.done` beside `customers.csv` says that it is complete."""
    settle_s: NonNegativeFloat = 5.0
    archive: Path = Path("archive")
    """Where imported files go, with their results; inside the folder unless it begins with `/`."""
    failed: Path = Path("failed")
    """Where files go that cannot be used, with a text that says why."""
    expect: Literal["nothing", "daily"] = "nothing"
    """`daily`: a day without a file is worth a notification, and exit code 75."""
    expect_by: TimeOfDay | None = None
    """Before this time of day no file is missing yet; None: from the day's beginning on."""
    poll_s: PositiveFloat = 30.0
    """With `--watch`: how long to wait between two looks at the folder, in seconds."""


class NotifySettings(Section):
    """`[notify]`: who is told what. Addresses hold secrets and come from `IMPORTER_NOTIFY_URLS` or its `_FILE`."""

    on: Annotated[tuple[Literal["done", "failed", "degraded"], ...], BeforeValidator(_listed)] = (
        "done",
        "failed",
        "degraded",
    )
    runs: bool = False
    """Tell of single runs too (`run`, `resume`, `retry`), not of nights alone; `--notify` does it once."""
    max_reject_share: Annotated[float, Field(ge=0, le=1)] | None = 0.1
    """More rows than this share that made no customer: degraded. None: never."""
    empty_source: bool = True
    """A file without a single row: degraded."""
    max_duration_s: PositiveFloat | None = None
    """A pass, or a run that is told of, that takes longer: degraded. None: never."""
    timeout_s: PositiveFloat = 30.0
    """How long a notification may take, in seconds; a failing one never fails the import."""
