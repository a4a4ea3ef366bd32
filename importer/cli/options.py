"""The options, each defined once: the same flag means the same in every command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_EVERYWHERE = "Options of every command"
_READING = "Reading"
_SENDING = "Sending"

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

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="IMPORTER_CONFIG",
        help="The profile, a TOML file; also IMPORTER_CONFIG.",
        show_default=False,
        show_envvar=False,
        rich_help_panel=_EVERYWHERE,
    ),
]
Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace", help="Folder of the journal and the runs; default ./runs.", rich_help_panel=_EVERYWHERE
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else.", rich_help_panel=_EVERYWHERE)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.", rich_help_panel=_EVERYWHERE)]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log everything.", rich_help_panel=_EVERYWHERE)]
LogFormat = Annotated[
    str | None,
    typer.Option("--log-format", metavar="console|json", help="How logs look.", rich_help_panel=_EVERYWHERE),
]

Target = Annotated[
    str | None,
    typer.Option("--target", "-t", help="Where to; default: the emulator inside the run.", rich_help_panel=_SENDING),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check, as `importer validate` does.")]
Rate = Annotated[
    str | None,
    typer.Option(
        "--rate", metavar="25/s", help="Never more requests than this; auto<=25/s finds out.", rich_help_panel=_SENDING
    ),
]
Canary = Annotated[
    str | None,
    typer.Option(
        "--canary", metavar="N", help="One row, then N, then the rest; 0: all at once.", rich_help_panel=_SENDING
    ),
]
Faults = Annotated[
    str | None,
    typer.Option(
        "--faults",
        metavar="PRESET|FILE",
        help="Rehearse: the emulator inside the run fails like this.",
        rich_help_panel=_SENDING,
    ),
]
Concurrency = Annotated[
    str | None, typer.Option("--concurrency", metavar="N", help="Rows in flight at once.", rich_help_panel=_SENDING)
]
Sheet = Annotated[
    str | None,
    typer.Option("--sheet", metavar="NAME", help="A workbook's sheet, by name or number.", rich_help_panel=_READING),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="The character between two cells, or tab.",
        rich_help_panel=_READING,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="How letters are coded, such as cp1250.", rich_help_panel=_READING),
]
HeaderRow = Annotated[
    str | None,
    typer.Option("--header-row", metavar="N", help="The row with the columns' names.", rich_help_panel=_READING),
]
Limit = Annotated[str | None, typer.Option("--limit", metavar="N", help="Only the first N rows.")]
MaxErrors = Annotated[
    str | None,
    typer.Option(
        "--max-errors", metavar="N", help="Stop when the API refused more than N rows.", rich_help_panel=_SENDING
    ),
]
MaxErrorRate = Annotated[
    str | None,
    typer.Option(
        "--max-error-rate", metavar="P", help="Stop above this share of refusals, 0 to 1.", rich_help_panel=_SENDING
    ),
]
AccountOf = Annotated[
    str | None,
    typer.Option(
        "--account-of",
        metavar="RUN|new",
        help="Whose a new API key is: the account that RUN sent to, or another.",
        rich_help_panel=_SENDING,
    ),
]
VerifyExisting = Annotated[
    bool,
    typer.Option(
        "--verify-existing", help="Look customers of earlier runs up at the target.", rich_help_panel=_SENDING
    ),
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first row that the API refuses.", rich_help_panel=_SENDING)
]
Window = Annotated[
    str | None,
    typer.Option(
        "--window", metavar="22:00-06:00", help="Send only then; stop well at its end (75).", rich_help_panel=_SENDING
    ),
]
FinishBy = Annotated[
    str | None,
    typer.Option(
        "--finish-by",
        metavar="06:00",
        help="Foresee whether it will be done; stop well then (75).",
        rich_help_panel=_SENDING,
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option("--timezone", metavar="ZONE", help="Whose clock; default: this computer's.", rich_help_panel=_SENDING),
]
Headroom = Annotated[
    str | None,
    typer.Option(
        "--headroom", metavar="P", help="Share of the rate left to live traffic, 0 to 1.", rich_help_panel=_SENDING
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="csv,xlsx,…", help="Results also as xlsx, jsonl or parquet."),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Copy the results there, too.")]
ShowValues = Annotated[
    bool, typer.Option("--show-values", help="Show values in reports and previews instead of masks.")
]
Preview = Annotated[
    str | None, typer.Option("--preview", metavar="N", help="Show the first N rows as they would be sent.")
]
PartialOk = Annotated[bool, typer.Option("--partial-ok", help="Exit 0 although some rows were refused.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a live target.", rich_help_panel=_SENDING)]
Notify = Annotated[bool, typer.Option("--notify", help="Send a notification to IMPORTER_NOTIFY_URLS (or _FILE).")]
Fixed = Annotated[
    str | None,
    typer.Option(
        "--fixed",
        metavar="FILE",
        help="Take the rows back that were fixed in this file: a rejects.csv, workbook or results file of the run.",
    ),
]
AsNew = Annotated[
    bool, typer.Option("--as-new", help="Import a file that came back fixed like any other, not into its run.")
]
Force = Annotated[bool, typer.Option("--force", help="Import a file that was imported already.")]


def settings(given: dict[str, Any]) -> dict[str, Any]:
    """Options as settings by place; what was not given is left out.

    Args:
        given: a command's parameters by name.
    """
    return {place: _setting(given[name]) for name, place in _PLACES.items() if given.get(name) not in {None, False}}


def _setting(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


_PLACES = {
    "workspace": "workspace",
    "target": "target",
    "dry_run": "dry_run",
    "yes": "yes",
    "limit": "source.limit",
    "sheet": "source.sheet",
    "delimiter": "source.delimiter",
    "encoding": "source.encoding",
    "header_row": "source.header_row",
    "rate": "delivery.rate",
    "concurrency": "delivery.concurrency",
    "canary": "delivery.canary",
    "faults": "delivery.faults",
    "max_errors": "delivery.max_errors",
    "max_error_rate": "delivery.max_error_rate",
    "fail_fast": "delivery.fail_fast",
    "account_of": "account_of",
    "verify_existing": "delivery.verify_existing",
    "window": "delivery.window",
    "finish_by": "delivery.finish_by",
    "timezone": "delivery.timezone",
    "headroom": "delivery.headroom",
    "expect": "nightly.expect",
    "notify": "notify.runs",
    "format_": "results.formats",
    "out": "results.out",
    "partial_ok": "results.partial_ok",
    "older_than": "retention.older_than",
    "show_values": "results.show_values",
    "preview": "results.preview",
    "log_format": "log.format",
    "quiet": "output.quiet",
}
