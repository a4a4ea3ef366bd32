"""The functions that Python programs call: check a source, import it.

A few lines over `Session`, which loads only when one of them is called. Decides nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from importer.ports import Events
from importer.profile import Profile
from importer.records import Event
from importer.results.report import Report


class Reading(TypedDict, total=False):
    """How a source is read; what is not given, the profile's `[source]` says.

    Args:
        sheet: of a workbook the sheet, by name or by number from 1; by default the first one that has a table.
        delimiter: of a text file what stands between two cells; `auto`: found out.
        encoding: of a text file, by its name in Python; `auto`: found out.
        header_row: the row that names the columns, from 1; `auto`: found out.
        limit: data rows that are read at most; None: all.
    """

    sheet: str | int | None
    delimiter: str
    encoding: str
    header_row: int | str
    limit: int | None


def _ignore(_: Event) -> None:
    """Nobody listens."""


def validate(
    source: Path | str, *, profile: Profile | None = None, on_event: Events = _ignore, **reading: Unpack[Reading]
) -> Report:
    """Check a source of customers: no request is sent, and no customer is remembered.

    It blocks until every row is checked, also where an event loop is running. The report and its files are kept in the
    profile's workspace, like those of a run.

    Args:
        source: the path of a CSV file or a workbook, or an address (`sftp://…`, `s3://…`, `gs://…`, `https://…`).
        profile: how to read, map and check it; None: the defaults and the environment.
        on_event: called with every `Event`, in this thread; must not block.
        **reading: see `Reading`.

    Raises:
        SourceError: the source cannot be read, or is refused.
        ProfileError: the profile is wrong, or its mapping does not fit the source.
        ImporterError: anything else that prevents it; its message and `hint` say what to do.
    """
    from importer.session import Session  # noqa: PLC0415  # loads everything that a run may need

    return Session(_chosen(profile, reading), "validate", on_event).validate(source)


async def run(
    source: Path | str,
    *,
    profile: Profile | None = None,
    target: str | None = None,
    force: bool = False,
    on_event: Events = _ignore,
    **reading: Unpack[Reading],
) -> Report:
    """Import a source of customers: check every row, then create a customer for each valid one.

    Can be awaited in any event loop, a notebook's too. What was cancelled or killed is gone on with by
    `importer resume` and the run's id.

    Args:
        source: as for `validate`.
        profile: how to read, map and check it, where to send it and how fast; None: the defaults and the environment.
        target: where to, instead of the profile's; naming a live target here is consent to send there. None: the
            profile's, by default the built-in emulator.
        force: import it although a source of the same content was imported there before; rows that were created are
            recognised, and not sent again.
        on_event: called with every `Event`, in the event loop's thread or one beside it; must not block.
        **reading: see `Reading`.

    Returns:
        The report, also of a run that stopped early or in which rows failed: see its `exit_code` and `counts`.

    Raises:
        AlreadyImportedError: a source of the same content was imported there before, and `force` is False.
        BusyError: another run sends to this target.
        SourceError, ProfileError: as for `validate`.
        AccessError: the target refuses the credentials.
        ImporterError: anything else that prevents it; then nothing was sent.
    """
    from importer.session import Session  # noqa: PLC0415  # loads everything that a run may need

    chosen = _chosen(profile, reading)
    if target is not None:
        chosen = chosen.with_options({"target": target, "yes": True})
    return await Session(chosen, on_event=on_event).run(source, force=force)


def _chosen(profile: Profile | None, reading: Reading) -> Profile:
    """The profile, under what was said about reading."""
    chosen = profile or Profile.load()
    return chosen.with_options({f"source.{key}": value for key, value in reading.items()}) if reading else chosen
