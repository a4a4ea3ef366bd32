"""The options, each defined once, in sets that commands share: the same flag means the same in every command.

A field of a set is named after its option (`max_errors` is `--max-errors`); `importer.cli.command` makes an option of
each field.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

import typer

OWN = "Options"
READING = "Reading the file"
SENDING = "Sending"
STOPPING = "Stopping"
RESULTS = "Results"
EVERYWHERE = "Options of every command"
GROUPS = ("Arguments", OWN, READING, SENDING, STOPPING, RESULTS, EVERYWHERE)
"""In the order in which `--help` shows them."""

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A CSV file or a workbook, its sftp://, s3://, gs:// or https:// address, or - for standard input.",
        show_default=False,
    ),
]
FileOrPlan = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help=(
            "A CSV file or a workbook, its sftp://, s3://, gs:// or https:// address, or - for standard input; a plan "
            "names its own."
        ),
        show_default=False,
    ),
]
Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A run id, a unique beginning of one, or 'last'.", show_default=False)
]

RecordType = Annotated[
    str,
    typer.Option(
        "--type",
        metavar="individual|business",
        help="The type of customer, as the target calls it.",
        show_default=False,
    ),
]


def option(
    group: str, help_: str, metavar: str | None = None, *, default: Any = None, short: str = "", **more: Any
) -> Any:
    """Declare a field of a set as an option.

    Args:
        group: under which `--help` shows it.
        metavar: the name of its value in `--help`; None: its type, or nothing for a flag.
        short: its short flag, such as `-c`.
        more: further arguments of `typer.Option`.
    """
    more |= {"metavar": metavar, "help": help_, "rich_help_panel": group}
    return field(default=default, metadata={"short": short, "option": more})


def flag(group: str, help_: str, *, short: str = "") -> Any:
    """Declare a field of a set as an option without a value."""
    return option(group, help_, default=False, short=short)


def target_option() -> Any:
    """Where customers are created."""
    return option(SENDING, "Where customers are created; default: the emulator.", short="-t")


def notify_option() -> Any:
    """Whether a notification is sent."""
    return flag(OWN, "Send a notification to IMPORTER_NOTIFY_URLS (or _FILE).")


def engine_option(group: str) -> Any:
    """What does the work."""
    return option(group, "What checks and sends: this machine, or workers of Dask.", "asyncio|dask")


def scheduler_option(group: str) -> Any:
    """Where the cluster is that does it."""
    return option(group, "With --engine dask: of a cluster that is there.", "tcp://127.0.0.1:8786")


def follow_up_option() -> Any:
    """How long outcomes are waited for."""
    return option(OWN, "How long to wait for outcomes of identity verifications.", "2h")


def format_option() -> Any:
    """The formats of results."""
    return option(RESULTS, "Results also as xlsx, jsonl or parquet.", "csv,xlsx,…")


def out_option() -> Any:
    """A folder for a copy of the results."""
    return option(RESULTS, "Copy the results to this folder, too.", "DIR")


def show_values_option() -> Any:
    """Whether values are shown."""
    return flag(RESULTS, "Show values in reports and previews instead of masks.")


def preview_option() -> Any:
    """How many rows are previewed."""
    return option(RESULTS, "Show the first N rows as they would be sent.", "N")


@dataclass(frozen=True)
class OptionSet:
    """Options that belong together. A command that has a parameter of this type takes all of them."""

    def given(self) -> dict[str, Any]:
        """Values by option, of the options that were given."""
        values = {flag_of(one.name): getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None and value is not False}


def flag_of(name: str) -> str:
    """The flag of a field."""
    return f"--{name.rstrip('_').replace('_', '-')}"


@dataclass(frozen=True)
class Shared(OptionSet):
    """What every command takes."""

    config: Path | None = option(
        EVERYWHERE,
        "The profile, a TOML file; also IMPORTER_CONFIG.",
        short="-c",
        envvar="IMPORTER_CONFIG",
        show_default=False,
        show_envvar=False,
    )
    workspace: Path | None = option(EVERYWHERE, "Folder of the journal and the runs; default ./runs.")
    json: bool = flag(EVERYWHERE, "Print one JSON object and nothing else.")
    quiet: bool = flag(EVERYWHERE, "Show no progress.", short="-q")
    verbose: bool = flag(EVERYWHERE, "Log everything.", short="-v")
    log_format: str | None = option(EVERYWHERE, "The format of logs.", "console|json")


@dataclass(frozen=True)
class Reading(OptionSet):
    """How a source is read."""

    sheet: str | None = option(READING, "A workbook's sheet, by name or number.", "NAME")
    delimiter: str | None = option(READING, "The character between two cells, or tab.", "CHAR")
    encoding: str | None = option(READING, "The encoding of the text, such as cp1250.", "NAME")
    header_row: str | None = option(READING, "The row with the columns' names.", "N")
    corrections: Path | None = option(READING, "A CSV file of cells that are read as another text.", "FILE")


@dataclass(frozen=True)
class ReadingRows(Reading):
    """How a source is read, and how much of it."""

    limit: str | None = option(READING, "Only the first N rows.", "N")


@dataclass(frozen=True)
class Checking(ReadingRows):
    """How a source is read, and what checks it."""

    engine: str | None = engine_option(READING)
    scheduler: str | None = scheduler_option(READING)


@dataclass(frozen=True)
class Sending(OptionSet):
    """Where and how fast rows are sent."""

    target: str | None = target_option()
    account_of: str | None = option(
        SENDING, "The account of a new API key: the one that RUN sent to, or a new one.", "RUN|new"
    )
    rate: str | None = option(SENDING, "At most this many requests; auto<=25/s adapts to the server.", "25/s")
    concurrency: str | None = option(SENDING, "Rows in flight at once.", "N")
    window: str | None = option(SENDING, "Send only then; stop cleanly at its end (75).", "22:00-06:00")
    finish_by: str | None = option(SENDING, "Forecast whether it will be done; stop cleanly then (75).", "06:00")
    timezone: str | None = option(SENDING, "Of --window and --finish-by; default: this computer's.", "ZONE")
    headroom: str | None = option(SENDING, "Share of the rate left to live traffic, 0 to 1.", "P")
    yes: bool = flag(SENDING, "Do not ask before a live target.", short="-y")


@dataclass(frozen=True)
class SendingRun(Sending):
    """Where and how fast the rows of one run are sent."""

    canary: str | None = option(SENDING, "One row, then N, then the rest; 0: all at once.", "N")
    faults: str | None = option(SENDING, "Rehearse: the emulator inside the run fails like this.", "PRESET|FILE")
    follow_up: str | None = follow_up_option()
    notify: bool = notify_option()


@dataclass(frozen=True)
class SendingAgain(SendingRun):
    """The same, where the file was read before."""

    engine: str | None = engine_option(SENDING)
    scheduler: str | None = scheduler_option(SENDING)


@dataclass(frozen=True)
class SendingSteps(Sending):
    """Where and how fast the steps after the creates of one run are done."""

    notify: bool = notify_option()


@dataclass(frozen=True)
class Following(SendingSteps):
    """The same, where outcomes are waited for."""

    follow_up: str | None = follow_up_option()


@dataclass(frozen=True)
class Starting(OptionSet):
    """Which runs are started, and when they stop."""

    force: bool = flag(OWN, "Import a file that was imported already.")
    as_new: bool = flag(OWN, "Import a fixed file as a new one, not into its run.")
    max_errors: str | None = option(STOPPING, "Stop when the API refused more than N rows.", "N")
    max_error_rate: str | None = option(STOPPING, "Stop above this share of refusals, 0 to 1.", "P")


@dataclass(frozen=True)
class Results(OptionSet):
    """The results of a run."""

    format_: str | None = format_option()
    partial_ok: bool = flag(RESULTS, "Exit with 0 although some rows were refused.")


@dataclass(frozen=True)
class RunResults(Results):
    """The results of one run."""

    out: Path | None = out_option()
    show_values: bool = show_values_option()


@dataclass(frozen=True)
class CheckResults(RunResults):
    """The results of one run that checks its source."""

    preview: str | None = preview_option()
