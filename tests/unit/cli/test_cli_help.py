"""What `--help` says: whole sentences, and lists that hold everything there is."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from importer.cli.entry import app
from importer.cli.long_help import COLUMNS, EXIT_CODES, STATES, STEP_STATES, listed
from importer.cli.options import EVERYWHERE
from importer.core.columns import ADDED_WITH_STEPS
from importer.core.errors import ExitCode
from importer.core.states import FINAL_STATES
from importer.core.steps import StepState

COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]


def printed(*words: str) -> str:
    """The help of a command."""
    return CliRunner().invoke(app, [*words, "--help"], prog_name="importer", env={"COLUMNS": "80"}).output


def test_the_lists_hold_everything_there_is() -> None:
    assert EXIT_CODES.keys() == {str(int(code)) for code in ExitCode}
    assert tuple(STATES) == FINAL_STATES
    assert tuple(STEP_STATES) == tuple(StepState)
    assert tuple(COLUMNS) == ("_extra_1, …", *ADDED_WITH_STEPS)


@pytest.mark.parametrize(
    ("words", "entries"),
    [((), EXIT_CODES), (("show",), STATES), (("export",), COLUMNS), (("follow",), STEP_STATES)],
    ids=["exit codes", "states", "columns", "states of steps"],
)
def test_a_list_is_printed_line_by_line(words: tuple[str, ...], entries: dict[str, str]) -> None:
    text = printed(*words)
    for word, meaning in entries.items():
        assert re.search(rf"^ +{re.escape(word)}  +{re.escape(meaning.split()[0])}", text, re.MULTILINE), word


def test_the_list_of_commands_cuts_no_sentence() -> None:
    listing = printed().partition("Commands:")[2].partition("Exit codes")[0]

    assert len(COMMANDS) > 15
    for name in COMMANDS:
        (line,) = re.findall(rf"^  {name} +(.+)$", listing, re.MULTILINE)
        assert line.endswith(".")
        assert not line.endswith("...")


@pytest.mark.parametrize("name", ["run", "resume", "retry", "update", "undo", "nightly", "plan", "approve", "show"])
def test_every_command_that_a_policy_binds_says_what_it_asks_for(name: str) -> None:
    text = " ".join(printed(name).split())
    assert "needs an approval" in text or "policy of this machine" in text or "takes only what was approved" in text
    assert name in {"plan", "show"} or "exit code 5" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_says_more_than_its_name(name: str) -> None:
    text = printed(name)

    assert f"Example: importer {name}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert get_command(app) is not None


def test_a_list_is_indented_where_a_line_goes_on() -> None:
    text = listed("Words", {"a": "b " * 60, "long": "c"})

    assert text.splitlines()[:2] == ["\b", "Words:"]
    assert all(line.startswith("        b") for line in text.splitlines()[3:-1])


def test_options_are_shown_in_groups_and_those_of_every_command_come_last() -> None:
    titles = re.findall(r"^(\S.*):$", printed("run"), re.MULTILINE)

    assert titles == ["Arguments", "Options", "Reading the file", "Sending", "Stopping", "Results", EVERYWHERE]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_options_of_every_command(name: str) -> None:
    text = printed(name).partition(f"{EVERYWHERE}:")[2]

    assert re.findall(r"--[a-z-]+", text.partition("\n\n")[0]) == [
        "--config", "--workspace", "--json", "--quiet", "--verbose", "--log-format", "--help",
    ]  # fmt: skip


def test_a_field_of_a_set_is_named_after_its_option() -> None:
    group: Any = get_command(app)
    for command in group.commands.values():
        for one in command.params:
            flag = f"--{one.name.rstrip('_').replace('_', '-')}"
            assert one.param_type_name == "argument" or flag in {*one.opts, "--kind"}, (command.name, one.name)


def test_help_loads_the_command_line_and_nothing_else_of_the_program() -> None:
    code = "import sys, importer.cli.entry; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.startswith("importer.") and not name.startswith("importer.cli")}

    assert ours == {"importer.core", *(f"importer.core.{name}" for name in ("columns", "errors", "labels", "states"))}
    assert not {"asyncio", "pandas", "pydantic", "rich"} & set(loaded)
