"""The options, each defined once, in sets that commands share: the same flag means the same in every command.

A field of a set is named after its option (`max_errors` is `--max-errors`); `importer.cli.command` makes an option of
each field. `rich_help_panel` is the group in `--help`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

READING = "Reading the file"
SENDING = "Sending"
STOPPING = "Stopping"
RESULTS = "Results"
EVERYWHERE = "Options of every command"
GROUPS = ("Arguments", "Options", READING, SENDING, STOPPING, RESULTS, EVERYWHERE)
"""In the order in which `--help` shows them."""

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A CSV file or a workbook, its sftp://, s3://, gs:// or https:// address, or - for standard input.",
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

Target = Annotated[
    str | None,
    typer.Option("--target", "-t", help="Where customers are created; default: the emulator.", rich_help_panel=SENDING),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="csv,xlsx,…", help="Results also as xlsx, jsonl or parquet.", rich_help_panel=RESULTS
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Copy the results to this folder, too.", rich_help_panel=RESULTS),
]
ShowValues = Annotated[
    bool,
    typer.Option(
        "--show-values", help="Show values in reports and previews instead of masks.", rich_help_panel=RESULTS
    ),
]
Preview = Annotated[
    str | None,
    typer.Option(
        "--preview", metavar="N", help="Show the first N rows as they would be sent.", rich_help_panel=RESULTS
    ),
]


@dataclass(frozen=True)
class OptionSet:
    """Options that belong together. A command that has a parameter of this type takes all of them."""

    def given(self) -> dict[str, Any]:
        """Values by option, of the options that were given."""
        values = {f"--{one.name.rstrip('_').replace('_', '-')}": getattr(self, one.name) for one in fields(self)}
        return {option: value for option, value in values.items() if value is not None and value is not False}


@dataclass(frozen=True)
class Shared(OptionSet):
    """What every command takes."""

    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="IMPORTER_CONFIG",
            help="The profile, a TOML file; also IMPORTER_CONFIG.",
            show_default=False,
            show_envvar=False,
            rich_help_panel=EVERYWHERE,
        ),
    ] = None
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace", help="Folder of the journal and the runs; default ./runs.", rich_help_panel=EVERYWHERE
        ),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.", rich_help_panel=EVERYWHERE)
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.", rich_help_panel=EVERYWHERE)] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log everything.", rich_help_panel=EVERYWHERE)] = (
        False
    )
    log_format: Annotated[
        str | None,
        typer.Option("--log-format", metavar="console|json", help="The format of logs.", rich_help_panel=EVERYWHERE),
    ] = None


@dataclass(frozen=True)
class Reading(OptionSet):
    """How a source is read."""

    sheet: Annotated[
        str | None,
        typer.Option("--sheet", metavar="NAME", help="A workbook's sheet, by name or number.", rich_help_panel=READING),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(
            "--delimiter", metavar="CHAR", help="The character between two cells, or tab.", rich_help_panel=READING
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding", metavar="NAME", help="The encoding of the text, such as cp1250.", rich_help_panel=READING
        ),
    ] = None
    header_row: Annotated[
        str | None,
        typer.Option("--header-row", metavar="N", help="The row with the columns' names.", rich_help_panel=READING),
    ] = None


@dataclass(frozen=True)
class ReadingRows(Reading):
    """How a source is read, and how much of it."""

    limit: Annotated[
        str | None, typer.Option("--limit", metavar="N", help="Only the first N rows.", rich_help_panel=READING)
    ] = None


@dataclass(frozen=True)
class Sending(OptionSet):
    """Where and how fast rows are sent."""

    target: Target = None
    account_of: Annotated[
        str | None,
        typer.Option(
            "--account-of",
            metavar="RUN|new",
            help="The account of a new API key: the one that RUN sent to, or a new one.",
            rich_help_panel=SENDING,
        ),
    ] = None
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate",
            metavar="25/s",
            help="At most so many requests; auto<=25/s adapts to the server.",
            rich_help_panel=SENDING,
        ),
    ] = None
    concurrency: Annotated[
        str | None, typer.Option("--concurrency", metavar="N", help="Rows in flight at once.", rich_help_panel=SENDING)
    ] = None
    window: Annotated[
        str | None,
        typer.Option(
            "--window",
            metavar="22:00-06:00",
            help="Send only then; stop cleanly at its end (75).",
            rich_help_panel=SENDING,
        ),
    ] = None
    finish_by: Annotated[
        str | None,
        typer.Option(
            "--finish-by",
            metavar="06:00",
            help="Forecast whether it will be done; stop cleanly then (75).",
            rich_help_panel=SENDING,
        ),
    ] = None
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="Of --window and --finish-by; default: this computer's.",
            rich_help_panel=SENDING,
        ),
    ] = None
    headroom: Annotated[
        str | None,
        typer.Option(
            "--headroom", metavar="P", help="Share of the rate left to live traffic, 0 to 1.", rich_help_panel=SENDING
        ),
    ] = None
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before a live target.", rich_help_panel=SENDING)
    ] = False


@dataclass(frozen=True)
class SendingRun(Sending):
    """Where and how fast the rows of one run are sent."""

    canary: Annotated[
        str | None,
        typer.Option(
            "--canary", metavar="N", help="One row, then N, then the rest; 0: all at once.", rich_help_panel=SENDING
        ),
    ] = None
    faults: Annotated[
        str | None,
        typer.Option(
            "--faults",
            metavar="PRESET|FILE",
            help="Rehearse: the emulator inside the run fails like this.",
            rich_help_panel=SENDING,
        ),
    ] = None
    notify: Annotated[
        bool,
        typer.Option("--notify", help="Send a notification to IMPORTER_NOTIFY_URLS (or _FILE)."),
    ] = False


@dataclass(frozen=True)
class Starting(OptionSet):
    """Which runs are started, and when they stop."""

    force: Annotated[bool, typer.Option("--force", help="Import a file that was imported already.")] = False
    as_new: Annotated[bool, typer.Option("--as-new", help="Import a fixed file as a new one, not into its run.")] = (
        False
    )
    max_errors: Annotated[
        str | None,
        typer.Option(
            "--max-errors", metavar="N", help="Stop when the API refused more than N rows.", rich_help_panel=STOPPING
        ),
    ] = None
    max_error_rate: Annotated[
        str | None,
        typer.Option(
            "--max-error-rate",
            metavar="P",
            help="Stop above this share of refusals, 0 to 1.",
            rich_help_panel=STOPPING,
        ),
    ] = None


@dataclass(frozen=True)
class Results(OptionSet):
    """The results of a run."""

    format_: Format = None
    partial_ok: Annotated[
        bool,
        typer.Option("--partial-ok", help="Exit with 0 although some rows were refused.", rich_help_panel=RESULTS),
    ] = False


@dataclass(frozen=True)
class RunResults(Results):
    """The results of one run."""

    out: Out = None
    show_values: ShowValues = False


@dataclass(frozen=True)
class CheckResults(RunResults):
    """The results of one run that checks its source."""

    preview: Preview = None
