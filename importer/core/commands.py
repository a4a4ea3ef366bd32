"""Every command that the program prints: composed here, and nowhere else. Composes text; runs nothing.

What is printed can be pasted as it is: paths are quoted for the shell and relative to the user's folder.
A command on a run names the workspace alone, since a run keeps its own profile; a command on a file
repeats the profile, the target where one was named, and the options that the file was read and sent with.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

DEFAULT_WORKSPACE = Path("runs")
NAME = "importer"
STDIN = "-"
FRAME = "<DataFrame>"
"""Shown instead of a path where the source was a pandas DataFrame: it is not a path that a person can type."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Composes commands for one workspace and, where a file is concerned, one profile.

    Args:
        workspace: the folder of the journal.
        config: the profile's path; empty: there is none.
        target: as it was named; empty: the profile or the default decides.
        reading: options, as words, for how a file is read; repeated for every command that reads it.
        sending: options, as words, that only a command that sends takes.
        everywhere: write every path in full, for readers in another folder: mail, logs of a scheduler.
    """

    workspace: Path = DEFAULT_WORKSPACE
    config: str = ""
    target: str = ""
    reading: tuple[str, ...] = ()
    sending: tuple[str, ...] = ()
    everywhere: bool = False

    def for_everywhere(self) -> Commands:
        """The same commands with every path in full."""
        return replace(self, everywhere=True)

    def kept(self) -> dict[str, Any]:
        """What a report keeps, in JSON types, so that its command can be composed again for another folder."""
        config = str(Path(self.config).absolute()) if self.config else ""
        return {"config": config, "target": self.target, "reading": list(self.reading), "sending": list(self.sending)}

    @classmethod
    def of_kept(cls, kept: Mapping[str, Any], workspace: Path) -> Commands:
        """The commands of a report, for whoever reads it now.

        Args:
            kept: as `kept` gave it; {}: a report of an earlier program, which kept nothing.
            workspace: as it is named now.
        """
        return cls(
            workspace=workspace,
            config=str(kept.get("config", "")),
            target=str(kept.get("target", "")),
            reading=tuple(kept.get("reading", ())),
            sending=tuple(kept.get("sending", ())),
        )

    # ------------------------------------------------------------------ on a run

    def resume(self, run: str) -> str:
        """Go on with a run."""
        return self._on_run("resume", run)

    def retry(self, run: str) -> str:
        """Send what failed, is unknown or was not sent."""
        return self._on_run("retry", run)

    def retry_fixed(self, run: str, file: Path | str) -> str:
        """Take fixed rows back into their run."""
        return self._on_run("retry", run, "--fixed", self._path(file))

    def check_again(self, run: str) -> str:
        """Check what is not done of a run again, under the current profile."""
        return self._on_run("retry", run, *self._config_words())

    def follow(self, run: str) -> str:
        """Go on with the steps after the creates that are open."""
        return self._on_run("follow", run)

    def verify(self, run: str) -> str:
        """Read a run's customers back and compare them."""
        return self._on_run("verify", run)

    def undo(self, run: str, *, delete: bool = False) -> str:
        """List what a run created, to take it back; changes nothing."""
        return self._on_run("undo", run, "--plan", *(("--delete",) if delete else ()))

    def apply_undo(self, run: str, plan: Path | str, *, delete: bool = False) -> str:
        """Take back what a plan lists."""
        return self._on_run("undo", run, "--apply", self._path(plan), *(("--delete",) if delete else ()))

    def plan_retry(self, run: str, fixed: Path | str = "") -> str:
        """Make a plan of what a retry of a run sends."""
        words = ("--fixed", self._path(fixed)) if fixed else ()
        return self._composed("plan", "--retry", run, *words, *self._config_words(), *self._workspace_words())

    def show(self, run: str) -> str:
        """Show a run."""
        return self._on_run("show", run)

    def explain(self, run: str, row: int) -> str:
        """Show everything about one row of a run."""
        return self._on_run("explain", run, str(row))

    def export(self, run: str) -> str:
        """Write a run's files again."""
        return self._on_run("export", run)

    def runs(self) -> str:
        """List the runs."""
        return self._composed("runs", *self._workspace_words())

    def purge(self) -> str:
        """Show what would be removed; removing it is for a person to decide."""
        return self._composed("purge", "--dry-run", *self._config_words(), *self._workspace_words())

    def copy_journal(self) -> str:
        """Carry the journal to PostgreSQL."""
        return self._composed("journal", "copy", *self._config_words(), *self._workspace_words())

    def doctor(self, answer: str) -> str:
        """Answer a question about the workspace.

        Args:
            answer: the option that answers it, for example `--moved`.
        """
        return self._composed("doctor", answer, *self._workspace_words())

    # ------------------------------------------------------------------ on a file

    def run(self, file: Path | str, *more: str) -> str:
        """Import a file, under the same profile and into the same target.

        Args:
            more: further words, for example `--force`.
        """
        target = ("--target", self.target) if self.target else ()
        return self._on_file("run", file, *target, *self.sending, *more)

    def update(self, file: Path | str, *more: str) -> str:
        """Change customers that exist, as the rows of a file say."""
        target = ("--target", self.target) if self.target else ()
        return self._on_file("update", file, *target, *self.sending, *more)

    def plan(self, file: Path | str, *more: str) -> str:
        """Check a file, and write a plan of what would be sent; `more` as of `run`."""
        if str(file) == FRAME:
            return "importer.plan(frame)"
        target = ("--target", self.target) if self.target else ()
        return self._on_file("plan", file, *target, *self.sending, *more)

    def approve(self, plan: Path | str, key: str = "") -> str:
        """Sign a plan.

        Args:
            key: whose key signs; empty: the only one there is.
        """
        return self._composed("approve", self._path(plan), *(("--key", key) if key else ()))

    def run_plan(self, plan: Path | str, source: str = "") -> str:
        """Send what a plan says.

        Args:
            source: that the plan was made of; what is not there any more by itself is named again.
        """
        if source == FRAME:
            return f"await importer.run(frame, plan={self._path(plan)!r})"
        again = (STDIN,) if Path(source).name == STDIN else ()
        return self._composed("run", *again, "--plan", self._path(plan), *self._workspace_words())

    def update_plan(self, plan: Path | str) -> str:
        """Change customers as a plan says."""
        return self._composed("update", "--plan", self._path(plan), *self._workspace_words())

    def retry_plan(self, run: str, plan: Path | str) -> str:
        """Send rows of a run again as a plan says."""
        return self._on_run("retry", run, "--plan", self._path(plan))

    def validate(self, file: Path | str) -> str:
        """Check a file."""
        return self._on_file("validate", file)

    def inspect(self, file: Path | str) -> str:
        """Show what the reader sees."""
        return self._composed("inspect", self._path(file), *self._config_words())

    def init(self, file: Path | str) -> str:
        """Write a profile for a file."""
        return self._composed("init", self._path(file))

    def looks(self, file: Path | str) -> str:
        """Return a sentence: how to see what was found in a file, and how to write a mapping for it."""
        if str(file) == STDIN:
            return ""
        return f"See what was found with `{self.inspect(file)}`, and write a mapping with `{self.init(file)}`."

    def new_key(self) -> str:
        """Make a key that plans are signed with."""
        return self._composed("key", "new", "NAME")

    def show_key(self) -> str:
        """Print the public half of a key."""
        return self._composed("key", "show", "NAME")

    def template(self) -> str:
        """Write a blank file with every field."""
        return self._composed("template")

    # ------------------------------------------------------------------ pieces

    def _on_run(self, verb: str, run: str, *more: str) -> str:
        return self._composed(verb, run, *more, *self._workspace_words())

    def _on_file(self, verb: str, file: Path | str, *more: str) -> str:
        words = (*self._config_words(), *self.reading, *more, *self._workspace_words())
        return self._composed(verb, self._path(file), *words)

    def _composed(self, *words: str) -> str:
        return " ".join([_program(self.everywhere), *map(quoted, words)])

    def _config_words(self) -> tuple[str, ...]:
        return ("--config", self._path(self.config)) if self.config else ()

    def _workspace_words(self) -> tuple[str, ...]:
        shown = self._path(self.workspace)
        is_usual = shown == str(DEFAULT_WORKSPACE) and not os.environ.get("IMPORTER_WORKSPACE", "").strip()
        return () if is_usual else ("--workspace", shown)

    def _path(self, path: Path | str) -> str:
        """A path as it is to be typed: from the user's folder where it is inside, else in full."""
        if str(path) == STDIN or "://" in str(path):
            return str(path)
        try:
            whole, here = Path(path).absolute(), Path.cwd()
        except FileNotFoundError:  # the user's folder was removed
            return str(path)
        if self.everywhere or not whole.is_relative_to(here):
            return str(whole)
        near = str(whole.relative_to(here))
        return f"./{near}" if near.startswith("-") else near


def quoted(word: str) -> str:
    r"""A word for the shell; what cannot be printed is written as bytes, as bash, zsh and ksh read them (`$'\xe9'`)."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    return letter if letter.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))


def _program(in_full: bool) -> str:  # noqa: FBT001  # one caller
    """The program as the user can type it: by its name where the shell finds it, else as it was started."""
    started = Path(sys.argv[0] if sys.argv else NAME)
    if started.name == "__main__.py" and started.parent.name == NAME:
        return f"{quoted(sys.executable)} -m {NAME}"
    found = shutil.which(NAME)
    if started.name != NAME or not started.exists() or (found and Path(found).absolute() == started.absolute()):
        return NAME
    return quoted(str(started.absolute() if in_full else started))
