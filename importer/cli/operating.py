"""`doctor`, `purge` and `journal`: maintenance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, wants_json
from importer.cli.output import print_json, say
from importer.core.errors import ImporterError

if TYPE_CHECKING:
    from importer.profile import Profile

Folder = Annotated[
    str,
    typer.Argument(metavar="DIR", help="The folder that `importer nightly` is started with.", show_default=False),
]


class JournalAction(StrEnum):
    """What is done with a journal."""

    COPY = "copy"


Action = Annotated[JournalAction, typer.Argument(metavar="copy", help="Carry the journal to PostgreSQL.")]


@dataclass(frozen=True)
class DoctorOptions(opt.OptionSet):
    """What only `doctor` takes."""

    offline: bool = opt.flag(opt.OWN, "Use no network, and accept a run that is at work: for health checks.")
    moved: bool = opt.flag(opt.OWN, "The workspace was moved here: go on with it.")
    copied: bool = opt.flag(opt.OWN, "This workspace is a copy: the original goes on with its runs.")
    accept_journal: bool = opt.flag(opt.OWN, "Go on with a journal that has lost its last writes.")
    target: str | None = opt.target_option()


@dataclass(frozen=True)
class PurgeOptions(opt.OptionSet):
    """What only `purge` takes."""

    older_than: str | None = opt.option(opt.OWN, "Runs that ended longer ago: 12h, 30d, 8w.", "30d")
    dry_run: bool = opt.flag(opt.OWN, "Only list what would be removed.")
    force: bool = opt.flag(opt.OWN, "Give up runs that could still be resumed.")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, doctor, "importer doctor inbox --config configs/nightly.toml --target live")
    add_command(app, purge, "importer purge --older-than 30d --dry-run")
    add_command(app, journal, "importer journal copy")


def doctor(folder: Folder = "", *, own: DoctorOptions, shared: opt.Shared) -> None:
    """Check everything that a run or a night depends on.

    One line each, with how to fix it. The profile, the target and the credentials (exchanged for real; nothing is
    created), the clock, limits, addresses of notifications, hours, the day's requests, permissions, the journal, the
    lock, the last run, the disk, metrics; with DIR whether files can be taken and archived, whether a night is at work
    or was cut off, and what waits. Exits with 0 when nothing fails, else as a run would.
    """
    import asyncio  # noqa: PLC0415
    import os  # noqa: PLC0415

    from importer.cli.tables import print_findings  # noqa: PLC0415
    from importer.doctor import examine, exit_code  # noqa: PLC0415

    loaded = partial(load_profile, shared, own)
    if own.moved or own.copied or own.accept_journal:
        from importer.runs.wiring import accept_journal as accept  # noqa: PLC0415

        accept(loaded().workspace, copied=own.copied)
    findings = asyncio.run(examine(loaded, os.environ, folder, offline=own.offline))
    checks, code = [one.as_json() for one in findings], exit_code(findings)
    if _wants_json(loaded, shared):
        failed = next((one for one in findings if one.status == "fail"), None)
        error = f"{failed.check}: {failed.message}" if failed else None
        print_json({"command": "doctor", "checks": checks, "exit_code": int(code), "error": error})
    else:
        print_findings(checks)
    raise typer.Exit(int(code))


def _wants_json(load: Callable[[], Profile], shared: opt.Shared) -> bool:
    """Whether JSON is asked for; a profile that cannot be loaded is one of the findings."""
    try:
        return wants_json(load(), shared)
    except ImporterError:
        return shared.json


def purge(*, own: PurgeOptions, shared: opt.Shared) -> None:
    """Remove the personal data of old runs for good.

    Their folders, their cells in the journal, what nights archived of them, and drafts of the console that nobody has
    changed for that long. Ids, import keys, states, counts and receipts stay, so that customers are still recognised,
    and keyed hashes of email, phone, and name with birth date, which hold no personal data. Runs that could still be
    resumed, or have open steps after their creates, are kept (exit code 3) unless --force is given. Files in archive/
    and failed/ are removed, too; copies elsewhere (--out, and archive/ at an address) are not.
    """
    profile = load_profile(shared, settings={"retention.older_than": own.older_than})
    from importer.cli.tables import print_purge  # noqa: PLC0415
    from importer.core.errors import UsageError  # noqa: PLC0415
    from importer.runs.purge import purge as remove_old  # noqa: PLC0415
    from importer.runs.wiring import SystemClock  # noqa: PLC0415

    age_s = profile.retention.older_than
    if age_s is None:
        raise UsageError("Say how old a run must be to be purged.", "For example --older-than 30d.")
    done = remove_old(profile.workspace, age_s, SystemClock().now(), dry_run=own.dry_run, force=own.force)
    if wants_json(profile, shared):
        print_json({"command": "purge", **done.as_json(), "exit_code": int(done.exit_code), "error": None})
    else:
        print_purge(done.as_json())
    raise typer.Exit(int(done.exit_code))


def journal(action: Action, *, shared: opt.Shared) -> None:  # noqa: ARG001  # there is one so far
    """Carry this workspace's memory to PostgreSQL, for a team.

    `[journal] url` or IMPORTER_JOURNAL (postgresql://kim@db.example.com/imports) says where. Several workspaces may be
    carried into one journal: their secrets are kept there, and customers are recognised under every one of them.
    Everything is copied at once and compared; then the workspace goes on there, and its file is kept as
    journal.sqlite3.copied until a purge. Drafts of the console go along; the files that were uploaded for them stay
    where they are. Safe to run again, whatever stopped it.
    """
    profile = load_profile(shared, settles=False)
    from importer.runs.wiring import SystemClock, carry_journal  # noqa: PLC0415

    copied = carry_journal(profile, SystemClock().now())
    if wants_json(profile, shared):
        print_json({"command": "journal", **copied._asdict(), "exit_code": 0, "error": None})
        return
    counts = (
        f"{copied.runs:,} runs, {copied.rows:,} rows, {copied.customers:,} import keys and {copied.drafts:,} drafts"
    )
    say(f"Copied {counts}, and compared them.")
    say(f"The workspace '{profile.workspace}' goes on there; its journal until now is journal.sqlite3.copied.")
