"""`console`: the web console, for people who fix spreadsheets."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile
from importer.cli.output import print_json, say, show
from importer.core.errors import UsageError

if TYPE_CHECKING:
    from importer.console.server import Ready

_SHORTEST = 12
"""Characters of a password: the console may be reached by a network."""


@dataclass(frozen=True)
class ConsoleOptions(opt.OptionSet):
    """What only `console` takes."""

    port: int = opt.option(opt.OWN, "0 takes a free one.", default=8600, min=0, max=65_535)
    host: str = opt.option(
        opt.OWN, "Another address than this computer's own needs users and TLS.", default="127.0.0.1"
    )
    new_user: str | None = opt.option(
        opt.OWN, "Ask for a password, and print the lines of a user for the profile.", "NAME"
    )


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, console, "importer console --config configs/console.toml")


def console(*, own: ConsoleOptions, shared: opt.Shared) -> None:
    """Serve the web console until Ctrl-C.

    Upload, map, fix, check, approve, run, results, in a browser. Without users it serves this computer alone, and
    prints a link that lets whoever opens it in, once. With [console.users] in the profile people sign in by name and
    password, and do what their roles allow: view, prepare, approve, run. It sends only to targets that the profile
    names, and reads only files that were uploaded to it. Runs that are under way when it ends are stopped cleanly, and
    can be resumed. Over a team's journal it shows the runs and drafts of all hosts; a draft is gone on with on the host
    that has its file.
    """
    if own.new_user is not None:
        _print_user(own.new_user)
        return
    profile = load_profile(shared)
    import asyncio  # noqa: PLC0415

    try:
        from importer.console.server import serve  # noqa: PLC0415
    except ImportError as error:
        raise _missing(error) from None
    asyncio.run(serve(profile, own.host, own.port, lambda ready: _print_ready(ready, as_json=shared.json)))


def _missing(error: ImportError) -> UsageError:
    from importer.core.distribution import how_to_install  # noqa: PLC0415

    return UsageError(f"The console needs the library '{error.name}'.", how_to_install("console"))


def _print_ready(ready: Ready, *, as_json: bool) -> None:
    if as_json:
        print_json({"command": "console", "url": ready.url, "link": ready.link, "exit_code": 0, "error": None})
        sys.stdout.flush()
    elif ready.link:
        say(f"The console is open until Ctrl-C. This link lets one browser in, once: {ready.link}")
    else:
        say(f"The console is open until Ctrl-C: {ready.url}")


def _print_user(name: str) -> None:
    """Ask for a password, and print the lines of a user."""
    try:
        from importer.console.access import password_hash  # noqa: PLC0415
    except ImportError as error:
        raise _missing(error) from None
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("There is no terminal to ask for the password on.", "Run the command on a terminal.")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if len(password) < _SHORTEST:
        raise UsageError(f"The password has fewer than {_SHORTEST} characters.", "Choose a longer one.")
    roles = 'roles = ["prepare"]  # view, prepare, approve, run'
    show(f'[console.users.{name}]\npassword = "{password_hash(password)}"\n{roles}')
