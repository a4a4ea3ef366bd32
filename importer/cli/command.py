"""Adds functions as commands: sets of options become options, and `--help` shows them by group.

Typer reads a command's options from the signature of a function, and has no sets of options. So it gets the function
with a signature that holds every option of its sets.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from functools import cache, wraps
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand

from importer.cli.options import EVERYWHERE, GROUPS, OWN, OptionSet, flag_of


class _Command(TyperCommand):
    """A command whose help shows its options group by group; typer itself does that only with rich's colours."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {title: [] for title in GROUPS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups[_group(parameter)].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _group(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    if "--help" in parameter.opts:
        return EVERYWHERE
    return str(parameter.rich_help_panel or OWN)


def add_command(app: typer.Typer, function: Callable[..., None], example: str, *lists: str) -> None:
    """Make a function a command of the program.

    Args:
        example: how it is typed, shown below its options.
        lists: shown before the example.
    """
    epilog = "\n\n".join([*lists, f"Example: {example}"])
    app.command(function.__name__, cls=_Command, epilog=epilog)(_expanded(function))


def _expanded(function: Callable[..., None]) -> Callable[..., None]:
    """A function with an option for every field of the sets that `function` takes."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    sets = {one.name: one.annotation for one in parameters if _is_set(one.annotation)}
    own = [one for one in parameters if one.name not in sets]

    @wraps(function)
    def command(**given: Any) -> None:
        made = {name: kind(**{one.name: given.pop(one.name) for one in fields(kind)}) for name, kind in sets.items()}
        function(**given, **made)

    options = [option for kind in sets.values() for option in _options(kind)]
    command.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]  # as functools does
    return command


def _is_set(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, OptionSet)


@cache
def _options(kind: type[OptionSet]) -> tuple[inspect.Parameter, ...]:
    hints = get_type_hints(kind)
    return tuple(
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=Annotated[hints[one.name], _typer_option(one)],
        )
        for one in fields(kind)
    )


def _typer_option(one: Field[Any]) -> Any:
    flags = [flag_of(one.name), *filter(None, [one.metadata["short"]])]
    return typer.Option(*flags, **one.metadata["option"])
