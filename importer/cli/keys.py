"""`key`: the key that somebody signs plans with."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.output import print_json, say, show
from importer.core.errors import UsageError

if TYPE_CHECKING:
    from importer.approval import KeyFile, Signer
    from importer.profile import Profile


class KeyAction(StrEnum):
    """What is done with a key."""

    NEW = "new"
    SHOW = "show"


Action = Annotated[KeyAction, typer.Argument(metavar="new|show", help="Make a key, or print its public half again.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The person, as the policy calls them.")]


@dataclass(frozen=True)
class KeyOptions(opt.OptionSet):
    """What only `key` takes."""

    passphrase: bool = opt.flag(opt.OWN, "Lock a new key by a passphrase.")
    folder: Path | None = opt.option(opt.OWN, "The folder of the keys; default: ~/.config/importer/keys.", "DIR")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, key, "importer key new ben --passphrase")


def key(action: Action, name: Name, *, own: KeyOptions, shared: opt.Shared) -> None:
    """Make the key that you sign plans with, or print its public half.

    The private half stays in a file that only you can read (IMPORTER_KEYS names another folder); an earlier key of
    that name is never replaced. An administrator puts the printed lines into the approval policy,
    /etc/importer/approval.toml. With --passphrase the file alone is not enough to sign: the passphrase is asked for, or
    taken from IMPORTER_KEY_PASSPHRASE or IMPORTER_KEY_PASSPHRASE_FILE.
    """
    from importer.approval import key_folder, key_of, new_key  # noqa: PLC0415

    folder = own.folder or key_folder()
    if action is KeyAction.NEW:
        passphrase = _new_passphrase() if own.passphrase else ""
        made = new_key(folder, name, passphrase)
    else:
        made = key_of(name, folder)
        passphrase = passphrase_of(made)
    public = made.unlock(passphrase).public
    if shared.json:
        files = {"key": str(made.path)}
        print_json(
            {"command": "key", "name": name, "public_key": public, "files": files, "exit_code": 0, "error": None}
        )
        return
    show(f'[people.{name}]\nkey = "{public}"')
    if action is KeyAction.NEW:
        say(f"\nThe private key is {made.path}; keep it to yourself.")
        say("Give the lines above to whoever keeps the approval policy.")


def passphrase_of(key_file: KeyFile) -> str:
    """The passphrase of a key, from the environment or a person; empty: it has none, or nobody can be asked."""
    from importer.approval import given_passphrase  # noqa: PLC0415

    if not key_file.is_locked:
        return ""
    if given := given_passphrase():
        return given
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return ""
    typed: str = typer.prompt(f"Passphrase of the key of {key_file.name}", hide_input=True, err=True)
    return typed


def author_of(profile: Profile) -> Signer | None:
    """Have the key at hand of whoever makes a plan; None: they have none, and no author signs the plan."""
    from importer.runs.plans.authorship import own_key  # noqa: PLC0415

    return own_key(profile, passphrase_of)


def _new_passphrase() -> str:
    from importer.approval import PASSPHRASE_VARIABLE, given_passphrase  # noqa: PLC0415

    if given := given_passphrase():
        return given
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "There is no terminal to ask for the passphrase on; no key was made.",
            f"Set {PASSPHRASE_VARIABLE} or {PASSPHRASE_VARIABLE}_FILE, or leave out --passphrase.",
        )
    typed: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    return typed
