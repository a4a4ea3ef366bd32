"""From a command's parameters to the library: what every command does first. Imports the library only when called."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importer.cli.options import OptionSet, Shared
from importer.core.errors import UsageError

if TYPE_CHECKING:
    from importer.profile import Profile
    from importer.results import Report
    from importer.runs.context import Context


def load_profile(
    shared: Shared, *sets: OptionSet, settings: Mapping[str, Any] | None = None, settles: bool = True
) -> Profile:
    """Put the profile together from the file, the environment and a command's options.

    Args:
        sets: the options that the command takes besides those of every command.
        settings: what the command sets by itself, by place (`delivery.rate`).
        settles: have the workspace keep to the journal that is named.

    Raises:
        ImporterError: an option, a variable or a setting is wrong.
    """
    from importer.profile import OPTIONS, Profile  # noqa: PLC0415

    given = {option: value for one in (shared, *sets) for option, value in one.given().items()}
    given.pop("--json", None)  # asked for where something is printed, and no part of a command that is printed
    if "--verbose" in given:
        given["--verbose"] = "debug"
    options = {place: _setting(given[option]) for option, place in OPTIONS.items() if option in given}
    profile = Profile.load(shared.config, options={**options, **(settings or {})})
    if "--scheduler" in given and profile.engine.kind != "dask":
        raise UsageError(
            f"--scheduler names a Dask scheduler, and the engine is '{profile.engine.kind}'.", "Add --engine dask."
        )
    if settles and profile.journal.url:
        from importer.runs.wiring import settle_journal  # noqa: PLC0415

        settle_journal(profile)
    return profile


def _setting(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def on_disk(file: str, profile: Profile) -> AbstractContextManager[Path | str]:
    """Give a source as a file, or as its address. Standard input is read here, where signals still end the program."""
    from importer.runs.wiring import remote_sources, sources  # noqa: PLC0415

    return nullcontext(file) if remote_sources.is_remote(file) else sources.on_disk(file, profile)


def run_command(
    profile: Profile,
    shared: Shared,
    command: str,
    work: Callable[[Context], Coroutine[Any, Any, Report]],
    *,
    about: str = "",
) -> int:
    """Run a command's work to its end, print its report and return its exit code.

    Args:
        about: the file or the run that was named, for the notification of a run that could not begin.
    """
    from importer.cli import running  # noqa: PLC0415

    return running.run_command(profile, command, work, about=about, as_json=wants_json(profile, shared))


def wants_json(profile: Profile, shared: Shared) -> bool:
    """Whether the option or the profile asks for JSON."""
    return shared.json or profile.output.format == "json"
