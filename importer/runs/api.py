"""The functions that Python programs call: read a source, check it, plan its import, import it.

A few lines over the readers and the steps of a run, which are loaded when one of them is called. Decides nothing.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from importer.core.errors import UsageError
from importer.core.events import Event
from importer.core.ports import Events
from importer.profile import Profile
from importer.results import Report

if TYPE_CHECKING:
    from pandas import DataFrame


class Reading(TypedDict, total=False):
    """How a source is read; what is not given, the profile's `[source]` says. A DataFrame takes the last two alone.

    Args:
        sheet: of a workbook the sheet, by name or by number from 1; by default the first one that has a table.
        delimiter: of a text file, the text between two cells; `auto`: found out.
        encoding: of a text file, by its name in Python; `auto`: found out.
        header_row: the row that names the columns, from 1; `auto`: found out.
        corrections: a CSV file of cells that are read as another text; None: there is none.
        limit: data rows that are read at most; None: all.
    """

    sheet: str | int | None
    delimiter: str
    encoding: str
    header_row: int | Literal["auto"]
    corrections: Path | str | None
    limit: int | None


def _ignore(_: Event) -> None:
    """Nobody listens."""


def read(file: Path | str, *, profile: Profile | None = None, **reading: Unpack[Reading]) -> DataFrame:
    """Read a source of customers as `validate` and `run` would, and change nothing.

    Args:
        file: the path of a CSV file or a workbook, or an address (`sftp://…`, `s3://…`, `gs://…`, `https://…`).
        profile: its `[source]` says how to read; None: the defaults and the environment.
        **reading: see `Reading`.

    Returns:
        The rows under the source's columns, all of text; a blank cell is "", never missing. The index, `row`, holds the
        numbers that a spreadsheet shows. `attrs` has `name`, `format`, `sheet`, `detected` (encoding, delimiter, …) and
        `warnings`. Where rows are broken there are further columns: cells beyond the header in `_extra_1`, …, and
        what is wrong in `_error_code`, `_error_column`, `_error_message` and `_warnings`. `validate` and `run` refuse
        such rows until these cells are made blank.

    Raises:
        SourceError: the file cannot be read, or is refused.
        ProfileError: the profile or an option is wrong.
        TryLaterError: it is still being uploaded, or its place cannot be reached.
    """
    from importer.readers import open_source  # noqa: PLC0415  # as all of this: loads what reading needs
    from importer.readers.dataframe.reading import read_frame  # noqa: PLC0415
    from importer.runs.wiring.clock import SystemClock  # noqa: PLC0415
    from importer.runs.wiring.remote_sources import local_copy  # noqa: PLC0415

    _require_path(file)
    chosen = _chosen(profile, reading)
    with (
        local_copy(file, chosen, SystemClock().pause) as local,
        closing(open_source(local.path, chosen.source)) as reader,
    ):
        return read_frame(reader, chosen.source)


def validate(
    source: Path | str | DataFrame,
    *,
    profile: Profile | None = None,
    on_event: Events = _ignore,
    **reading: Unpack[Reading],
) -> Report:
    """Check a source of customers: no request is sent, and no customer is remembered.

    It blocks until every row is checked, also where an event loop is running. The report and its files are kept in the
    profile's workspace, like those of a run.

    Args:
        source: a file, as for `read`, or a DataFrame. That one's columns are those of a file; missing values are blank,
            whole numbers and dates are written as text, and what could be written in several ways is refused. Its
            index numbers the rows where it holds whole numbers in ascending order, else they are numbered from 1. Its
            name is `frame.attrs["name"]`, or `frame`.
        profile: how to read, map and check it; None: the defaults and the environment.
        on_event: called with every `Event`, in this thread; must not block.
        **reading: see `Reading`.

    Raises:
        SourceError: the source cannot be read, or is refused.
        ProfileError: the profile is wrong, or its mapping does not fit the source.
        ImporterError: anything else that prevents it; its message and `hint` say what to do.
    """
    from importer.runs.check import check  # noqa: PLC0415  # loads everything that a check may need
    from importer.runs.context import Context  # noqa: PLC0415

    _require_source(source, reading)
    return check(Context(_chosen(profile, reading), "validate", on_event), source)


def plan(
    source: Path | str | DataFrame,
    *,
    profile: Profile | None = None,
    target: str | None = None,
    out: Path | str | None = None,
    key: str | None = None,
    as_new: bool = False,
    on_event: Events = _ignore,
    **reading: Unpack[Reading],
) -> Report:
    """Check a source of customers as `validate` does, and write a plan of what `run` would send: no request is sent.

    The plan is a file of hashes and counts, without the value of any cell. `run(..., plan=...)` sends exactly what it
    says. Where the target needs an approval, `importer approve` signs it first. It blocks, as `validate` does.

    Args:
        source: as for `validate`. One that comes back to its run is planned by `importer plan --retry`.
        profile: as for `run`. The plan holds it, so that a run by the plan needs no other one.
        target: where to, instead of the profile's; None: the profile's, by default the built-in emulator.
        out: the plan file; None: `plan.json` beside the report.
        key: the key that signs the plan as its author, by its name or its path; None: the profile's, else the only one
            there is. Where no policy is in force, only a key that is named here or in the profile signs.
        as_new: plan what came back from a run like any other source.
        on_event: as for `validate`.
        **reading: see `Reading`.

    Returns:
        The report of the dry run; `files["plan"]` is the path of the plan.

    Raises:
        SourceError, ProfileError: as for `validate`.
        ApprovalMissingError: the approval policy does not know the target's server.
        AccessError: the policy or the key cannot be used.
        UsageError: the source comes back to its run, there are several keys, or another file has the plan's name.
    """
    from importer.runs.context import Context  # noqa: PLC0415  # loads everything that a check may need
    from importer.runs.plans.authorship import own_key  # noqa: PLC0415
    from importer.runs.plans.make import plan as make  # noqa: PLC0415

    _require_source(source, reading)
    said = {"dry_run": True, "target": target, "approval.key": key}
    chosen = _chosen(profile, reading).with_options({name: value for name, value in said.items() if value is not None})
    where = None if out is None else Path(out)
    return make(Context(chosen, "plan", on_event), source, out=where, as_new=as_new, author=lambda: own_key(chosen))


async def run(
    source: Path | str | DataFrame | None = None,
    *,
    profile: Profile | None = None,
    target: str | None = None,
    plan: Path | str | None = None,
    force: bool = False,
    as_new: bool = False,
    on_event: Events = _ignore,
    **reading: Unpack[Reading],
) -> Report:
    """Import a source of customers: check every row, then create a customer for each valid one.

    Can be awaited in any event loop, a notebook's too. What was cancelled or killed is gone on with by
    `importer resume` and the run's id. A file or a DataFrame that has the columns `_run` and `_row` (`rejects.csv`,
    `report.rows()`) goes back to that run: changed cells are checked, and rows that are done are not sent again.

    What needs an approval on this machine is refused here as at the command line, unless `plan` is an approved one.

    Args:
        source: as for `validate`; None: the file that the plan was made of.
        profile: how to read, map and check it, where to send it and how fast; None: that of the plan, else the defaults
            and the environment.
        target: where to, instead of the profile's; naming a live target here is consent to send there. None: the
            profile's, by default the built-in emulator.
        plan: the file of a plan: exactly what it says is sent. A DataFrame has to be handed over again, since a plan
            does not hold its rows. None: whatever the source holds is sent.
        force: import it although a source of the same content was imported there before; rows that were created are
            recognised, and not sent again.
        as_new: import what came back from a run like any other source.
        on_event: called with every `Event`, in the event loop's thread or one beside it; must not block.
        **reading: see `Reading`.

    Returns:
        The report, also of a run that stopped early or in which rows failed: see its `exit_code` and `counts`.

    Raises:
        PlanRefusedError: something differs from the plan, all of which is named; or it has expired.
        ApprovalMissingError: the target takes only what others have approved, and this is not.
        AlreadyImportedError: a source of the same content was imported there before, and `force` is False.
        BusyError: another run sends to this target.
        SourceError, ProfileError: as for `validate`.
        AccessError: the target refuses the credentials.
        ImporterError: anything else that prevents it; then nothing was sent.
    """
    from importer.runs.context import Context  # noqa: PLC0415  # loads everything that a run may need
    from importer.runs.run import run as run_source  # noqa: PLC0415
    from importer.runs.run import run_planned  # noqa: PLC0415

    if plan is None and source is None:
        raise UsageError("There is neither a source nor a plan.", "Name one of them, or both.")
    if source is not None:
        _require_source(source, reading)
    chosen = _chosen(profile, reading)
    if target is not None:
        chosen = chosen.with_options({"target": target, "yes": True})
    context = Context(chosen, emit=on_event)
    if plan is not None:
        if not isinstance(plan, str | Path):
            raise UsageError("A plan is a path.", 'Hand over `report.files["plan"]`.')
        return await run_planned(context, Path(plan), source, force=force)
    assert source is not None  # noqa: S101  # one of them was named: for the type checker
    return await run_source(context, source, force=force, as_new=as_new)


def _chosen(profile: Profile | None, reading: Reading) -> Profile:
    """The profile, under what was said about reading."""
    chosen = profile or Profile.load()
    return chosen.with_options({f"source.{key}": value for key, value in reading.items()}) if reading else chosen


def _require_source(source: object, reading: Reading) -> None:
    """Refuse what cannot be a source, and options for reading a file where the source is a DataFrame.

    Raises:
        UsageError: it is one of these.
    """
    from importer.readers import is_frame  # noqa: PLC0415  # as above

    if not is_frame(source):
        _require_path(source)
    elif said := sorted(reading.keys() - {"corrections", "limit"}):
        raise UsageError(
            f"The option {said[0]} says how a file is read, and the source is a DataFrame.", "Leave it out."
        )


def _require_path(source: object) -> None:
    if not isinstance(source, str | Path):
        kind = f"{type(source).__module__}.{type(source).__qualname__}"
        raise UsageError(
            f"A source is a path, an address or a pandas DataFrame, and not a {kind}.",
            "Make a DataFrame of it: pandas.DataFrame(...)",
        )
