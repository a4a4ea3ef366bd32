"""Every command that is printed can be pasted as it is."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.commands import Commands, quoted
from importer.profile import Profile

PACKAGE = Path(__file__).parents[3] / "importer"
VERBS = (
    "run|validate|inspect|init|template|resume|retry|runs|show|explain|export|emulator|doctor|nightly|purge|fields|codes"
    "|profile|plan|approve|key|verify|follow|update|undo|console|journal"
)
BY_HAND = re.compile(rf"\bimporter ({VERBS})\b(?! (is|has|wrote|works|to)\b)")
DECLARATIONS = ("add_command", "opt.")
"""What commands and their options are declared with: its texts are help."""
HELP = {"description", "epilog", "help"}
"""Keywords of typer and of a profile's keys: examples there are for reading, and name no real files."""
LISTS_OF_HELP = "cli/long_help.py"
"""What is printed below the help of commands: for reading, too."""


@pytest.fixture(autouse=True)
def _in_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IMPORTER_WORKSPACE", raising=False)


def test_a_command_on_a_run_in_the_usual_workspace_needs_nothing_else() -> None:
    commands = Commands(config="mine.toml", target="sandbox")

    assert commands.resume("r-1") == "importer resume r-1"
    assert commands.retry("r-1") == "importer retry r-1"
    assert commands.show("r-1") == "importer show r-1"
    assert commands.follow("r-1") == "importer follow r-1"
    assert commands.verify("r-1") == "importer verify r-1"
    assert commands.export("r-1") == "importer export r-1"
    assert commands.runs() == "importer runs"


def test_another_workspace_is_named_and_quoted() -> None:
    assert Commands(Path("my runs")).resume("r-1") == "importer resume r-1 --workspace 'my runs'"


def test_the_usual_workspace_is_named_where_the_environment_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTER_WORKSPACE", "elsewhere")

    assert Commands().resume("r-1") == "importer resume r-1 --workspace runs"


def test_a_command_on_a_file_repeats_the_profile_and_the_named_target() -> None:
    commands = Commands(config="pro files/müller's.toml", target="sandbox")

    assert shlex.split(commands.run("Kunden März.csv")) == [
        "importer", "run", "Kunden März.csv", "--config", "pro files/müller's.toml", "--target", "sandbox",
    ]  # fmt: skip
    assert shlex.split(commands.validate("a.csv")) == [
        "importer", "validate", "a.csv", "--config", "pro files/müller's.toml",
    ]  # fmt: skip


def test_fixed_rows_go_back_to_their_run_and_need_no_profile() -> None:
    commands = Commands(Path("w"), config="mine.toml", target="live")

    fixed = commands.retry_fixed("r-1", Path("w/r-1/rejects.csv"))

    assert fixed == "importer retry r-1 --fixed w/r-1/rejects.csv --workspace w"


def test_a_list_that_a_program_gave_is_repeated_as_the_command_line_has_it() -> None:
    commands = Profile.load(options={"results.formats": ["xlsx", "jsonl"]}, environ={}).commands

    assert commands.run("a.csv") == "importer run a.csv --format xlsx,jsonl"


def test_a_profile_repeats_what_was_typed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("target = 'sandbox'\n[delivery]\nconcurrency = 3\n", "utf-8")
    typed = {
        "target": "live", "source.limit": "5", "delivery.rate": "2/s", "delivery.fail_fast": True, "dry_run": True,
        "results.formats": "csv,xlsx", "yes": True, "output.quiet": True, "workspace": "w",
    }  # fmt: skip
    commands = Profile.load("p.toml", options=typed, environ={}).commands

    assert commands.run("a.csv") == (
        "importer run a.csv --config p.toml --limit 5"
        " --target live --rate 2/s --fail-fast --format csv,xlsx --workspace w"
    )
    assert commands.validate("a.csv") == "importer validate a.csv --config p.toml --limit 5 --workspace w"


def test_a_target_that_only_the_profile_names_is_named_by_the_profile_again(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("target = 'sandbox'\n", "utf-8")

    assert Profile.load("p.toml", environ={}).commands.run("a.csv") == "importer run a.csv --config p.toml"
    by_variable = Profile.load("p.toml", environ={"IMPORTER_TARGET": "live"}).commands
    assert by_variable.run("a.csv") == "importer run a.csv --config p.toml --target live"


def test_paths_are_given_from_the_users_folder_and_in_full_elsewhere(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "w", config="../p.toml")

    assert commands.run(tmp_path / "sub" / "a.csv") == "importer run sub/a.csv --config ../p.toml --workspace w"
    assert commands.run("/elsewhere/a.csv").startswith("importer run /elsewhere/a.csv ")
    assert commands.resume("r-1") == "importer resume r-1 --workspace w"
    assert shlex.split(commands.for_everywhere().resume("r-1"))[-1] == str(tmp_path / "w")


def test_a_usual_workspace_is_named_for_readers_who_are_elsewhere(tmp_path: Path) -> None:
    assert Commands().for_everywhere().show("r-1").endswith(f"--workspace {shlex.quote(str(tmp_path / 'runs'))}")


def test_a_file_that_begins_with_a_dash_is_not_an_option() -> None:
    assert Commands().run("-x.csv") == "importer run ./-x.csv"


def test_a_plan_of_what_is_gone_is_sent_with_its_source_named_again(tmp_path: Path) -> None:
    commands = Commands()

    assert commands.run_plan("plan.json", str(tmp_path / "a.csv")) == "importer run --plan plan.json"
    assert commands.run_plan("plan.json", str(tmp_path / "-")) == "importer run - --plan plan.json"
    assert commands.run_plan("plan.json", "<DataFrame>") == "await importer.run(frame, plan='plan.json')"
    assert commands.plan("<DataFrame>") == "importer.plan(frame)"


def test_an_address_and_standard_input_stay_as_they_are() -> None:
    assert Commands().run("s3://bucket/a b.csv") == "importer run 's3://bucket/a b.csv'"
    assert Commands().run("-") == "importer run -"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
def test_any_word_comes_through_the_shell_as_it_is(word: str) -> None:
    assert quoted(word).isprintable()
    if word.isprintable():
        assert shlex.split(quoted(word)) == [word]


@pytest.mark.parametrize("word", ["a\nb", "caf\udce9.csv", "it's\x1b[31m", "back\\slash\t", "\x01f"])
def test_what_cannot_be_printed_comes_through_the_shell_too(word: str) -> None:
    echoed = subprocess.run(["bash", "-c", f"printf %s {quoted(word)}"], capture_output=True, check=True)

    assert echoed.stdout == word.encode("utf-8", "surrogateescape")


def _written_by_hand(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    calls = [call for call in ast.walk(tree) if isinstance(call, ast.Call)]
    helps = [word.value for call in calls for word in call.keywords if word.arg in HELP]
    helps += [value for call in calls if ast.unparse(call.func).startswith(DECLARATIONS) for value in call.args]
    aside = {id(node) for one in helps for node in ast.walk(one)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            aside |= {id(node.body[0].value)} if node.body and isinstance(node.body[0], ast.Expr) else set()
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in aside)
    found = [(node.lineno, node.value) for node in texts if isinstance(node.value, str) and BY_HAND.search(node.value)]
    return [f"{path.relative_to(PACKAGE)}:{line}: {text}" for line, text in found]


def test_nobody_writes_a_command_by_hand() -> None:
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if not path.match(LISTS_OF_HELP)]

    assert [line for path in paths for line in _written_by_hand(path)] == []
