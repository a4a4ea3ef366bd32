"""The schema of `[nightly]` and `[notify]`: what is taken from a folder, what people are notified of. Values only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat

from importer.profile.section import Names, Section, listed
from importer.profile.value_types import TimeOfDay


class NightlySettings(Section):
    """`[nightly]`: which files of a folder are taken, when, and where they go afterwards."""

    patterns: Names = Field(
        ("*.csv", "*.tsv", "*.txt", "*.xlsx", "*.xlsm", "*.xls", "*.xlsb", "*.ods", "*.gz", "*.zip"),
        description="File names that are taken; hidden files, and what `~$` begins, never are.",
    )
    ready: Literal["stable", "marker"] = Field(
        "stable",
        description=(
            "`stable`: a file with the same size and time for `settle_s`, or one with a marker at once. "
            "`marker`: only the latter."
        ),
    )
    marker: Annotated[str, Field(pattern=r"^\.[A-Za-z0-9_.-]+$")] = Field(
        ".done", description="`customers.csv.done` next to `customers.csv` marks it as complete."
    )
    settle_s: NonNegativeFloat = Field(
        5.0, description="Pause between two looks at a file that may still be being written, in seconds."
    )
    archive: Path = Field(
        Path("archive"),
        description="Where imported files go, with their results; inside the folder unless it begins with `/`.",
    )
    failed: Path = Field(Path("failed"), description="Where files go that cannot be used, with a text that says why.")
    expect: Literal["nothing", "daily"] = Field(
        "nothing", description="`daily`: a day without a file causes a notification, and exit code 75."
    )
    expect_by: TimeOfDay | None = Field(
        None, description="Before this time of day no file is missing yet; not set: from the day's beginning on."
    )
    poll_s: PositiveFloat = Field(
        30.0, description="With `--watch`: pause between two looks at the folder, in seconds."
    )


class NotifySettings(Section):
    """`[notify]`: what people are notified of.

    Its addresses hold secrets, and come from IMPORTER_NOTIFY_URLS or IMPORTER_NOTIFY_URLS_FILE.
    """

    on: Annotated[tuple[Literal["done", "failed", "degraded"], ...], BeforeValidator(listed)] = Field(
        (
            "done",
            "failed",
            "degraded",
        ),
        description="What people are notified of.",
    )
    runs: bool = Field(
        False,
        description=(
            "Notify of single runs too (`run`, `resume`, `retry`), not only of `nightly`; `--notify` does it once."
        ),
    )
    max_reject_share: Annotated[float, Field(ge=0, le=1)] | None = Field(
        0.1, description="`degraded`: a larger share of the rows created no customer; not set: never."
    )
    empty_source: bool = Field(True, description="`degraded`: a file without a single row.")
    max_duration_s: PositiveFloat | None = Field(
        None,
        description="`degraded`: a pass of `nightly`, or a notified run, takes longer, in seconds; not set: never.",
    )
    timeout_s: PositiveFloat = Field(
        30.0, description="How long a notification may take, in seconds; a failing one never fails the import."
    )
