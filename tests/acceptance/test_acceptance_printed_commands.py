"""Every command that the program prints is taken by the shell as it stands, and does at the server what it says.

The user's folder, file, profile and workspace have names that a shell would take apart. The server is an emulator in a
process of its own; its ledger says what arrived.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.acceptance.conftest import Ran, User, Witness, ended, people, serving, wait_for
from tests.acceptance.receiver import Receiver

pytestmark = pytest.mark.slow

HOME = "Kunden, März & 'Mai'"
SOURCE = "Kunden März's (neu) $1.csv"
PROFILE = 'Profil "Süd".toml'
WORKSPACE = "läufe & co"
COLUMNS = {"ID": "Nr", "First Name": "Vorname X", "Last Name": "Nachname X", "Email": "Post X", "Phone": "Ruf X"}
MAPPING = """[mapping]
"externalId" = "Nr"
"firstName" = "Vorname X"
"lastName" = "Nachname X"
"primaryEmail.value" = "Post X"
"primaryPhoneNumber.number" = "Ruf X"
"primaryPhoneNumber.type" = { value = "MOBILE" }
"""
VERB = r"importer (?:run|validate|inspect|init|template|resume|retry|follow|verify|runs|show|explain|export|purge)\b"
ALONE = re.compile(rf"(?:^ *|[:.→] )((?:\S*/)?(?:python\S* -m )?{VERB}.*)$", re.MULTILINE)
IN_A_SENTENCE = re.compile(rf"`((?:\S*/)?(?:python\S* -m )?{VERB}.*?)`(?:$|[ .,;])")


@dataclass(frozen=True)
class Shell:
    """A user at a shell, in a folder of an odd name, with a server and a profile for it."""

    user: User
    witness: Witness

    @property
    def options(self) -> tuple[str, ...]:
        return ("--config", PROFILE, "--workspace", WORKSPACE)

    def types(self, *words: str | Path) -> Ran:
        """Type a command as words."""
        return self.user.types(*words, **self.witness.environ)

    def pastes(self, command: str, folder: Path | None = None, **environ: str) -> Ran:
        """Paste a command as it was printed, where the user stands or in another folder."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder or self.user.home,
            env={**self.user.environ, **self.witness.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return Ran(done.returncode, done.stdout, done.stderr)

    def arrived(self) -> list[str]:
        """The emails of the customers at the server."""
        return sorted(customer["primaryEmail"]["value"] for customer in self.witness.customers())


def printed(*texts: str) -> list[str]:
    """Every command in texts that a person reads."""
    found = [command for text in texts for command in (*IN_A_SENTENCE.findall(text), *_alone(text))]
    return list(dict.fromkeys(found))


def _alone(text: str) -> list[str]:
    return [found.strip() for found in ALONE.findall(re.sub(r"`.*?`", "", text))]


def the_one(*texts: str) -> str:
    (command,) = printed(*texts)
    return command


def source(rows: int, bad: int = 0) -> str:
    """People under column names that no guess would find; the first `bad` of them have no email address."""
    header, *lines = people(rows).splitlines()
    lines = [re.sub(r"person\d+@example\.com", "no-address", line) if n < bad else line for n, line in enumerate(lines)]
    return "\n".join([",".join(COLUMNS[name] for name in header.split(",")), *lines]) + "\n"


def emails(rows: int, start: int = 0) -> list[str]:
    return sorted(f"person{number}@example.com" for number in range(start, rows))


@pytest.fixture
def shell(user: User, tmp_path: Path) -> Iterator[Shell]:
    home, programs = tmp_path / HOME, tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    program = programs / "importer"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m importer "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    at_home = User(home, {**user.environ, "PATH": f"{programs}:{user.environ['PATH']}"})
    with serving(at_home) as witness:
        at_home.has(PROFILE, f'{MAPPING}[targets.sandbox]\nbase_url = "{witness.base_url}"\n')
        yield Shell(at_home, witness)


# --------------------------------------------------------------------------- dry runs


def test_what_a_clean_rehearsal_prints_imports_with_the_same_profile_into_the_same_target(shell: Shell) -> None:
    shell.user.has(SOURCE, source(3))
    checked = shell.types("run", SOURCE, "--dry-run", *shell.options, "--target", "sandbox", "--rate", "50/s")
    assert checked.code == 0, checked.err

    ran = shell.pastes(the_one(checked.out))

    assert ran.code == 0, ran.err
    assert shell.arrived() == emails(3)


def test_what_validate_prints_imports_with_the_same_profile_and_the_same_options_of_reading(shell: Shell) -> None:
    shell.user.has(PROFILE, f"target = 'sandbox'\n{(shell.user.home / PROFILE).read_text('utf-8')}")
    shell.user.has(SOURCE, source(5))
    checked = shell.types("validate", SOURCE, *shell.options, "--limit", "2", "--json")

    ran = shell.pastes(checked.json["next_command"])

    assert ran.code == 0, ran.err
    assert shell.arrived() == emails(2)


def test_the_report_of_a_dry_run_prints_the_command_of_the_summary(shell: Shell) -> None:
    shell.user.has(SOURCE, source(2))
    checked = shell.types("validate", SOURCE, *shell.options, "--json").json
    command = checked["next_command"]

    page = (shell.user.home / checked["files"]["html"]).read_text("utf-8")
    kept = json.loads((shell.user.home / checked["files"]["report"]).read_text("utf-8"))
    shown = shell.user.types("show", "last", "--workspace", WORKSPACE)

    written = command.replace("&", "&amp;").replace("'", "&#39;").replace('"', "&#34;")
    assert f'<code class="command">{written}</code>' in page
    assert kept["next_command"] == command
    assert the_one(shown.out) == command


def test_a_report_that_is_shown_in_another_folder_prints_the_command_for_that_folder(
    shell: Shell, tmp_path: Path
) -> None:
    shell.user.has(SOURCE, source(2))
    shell.types("run", SOURCE, "--dry-run", *shell.options, "--target", "sandbox")

    elsewhere = User(tmp_path, shell.user.environ)
    shown = elsewhere.types("show", "last", "--workspace", f"{HOME}/{WORKSPACE}")
    ran = shell.pastes(the_one(shown.out), tmp_path)

    assert ran.code == 0, ran.err
    assert shell.arrived() == emails(2)


# --------------------------------------------------------------------------- runs


def stopped(shell: Shell) -> Ran:
    """A run that a signal stops after its first rows."""
    shell.user.has(SOURCE, source(60))
    options = ("--target", "sandbox", "--rate", "30/s", "--json")
    process = shell.user.starts("run", SOURCE, *shell.options, *options, **shell.witness.environ)
    wait_for(lambda: shell.witness.ledger()["customers"] > 2, process)
    process.send_signal(signal.SIGTERM)
    ran = ended(process)
    assert ran.code == 143, ran.err
    return ran


def test_what_a_stopped_run_prints_goes_on_with_it(shell: Shell) -> None:
    command = stopped(shell).json["next_command"]

    again = shell.pastes(command)

    assert again.code == 0, again.err
    assert shell.arrived() == emails(60)
    shown = shell.pastes(the_one(again.err))
    assert (shown.code, "All 60 customers are imported into sandbox" in shown.out) == (0, True)


def test_what_is_printed_about_a_stopped_run_elsewhere_goes_on_with_it_as_well(shell: Shell) -> None:
    run_id = stopped(shell).json["run_id"]
    reported = {
        "show": the_one(shell.types("show", "last", "--workspace", WORKSPACE).out),
        "doctor": the_one(shell.types("doctor", *shell.options, "--target", "sandbox").out),
        "the same file": the_one(shell.types("run", SOURCE, *shell.options, "--target", "sandbox").err),
    }

    assert set(reported.values()) == {f"importer resume {run_id} --workspace 'läufe & co'"}
    assert shell.pastes(reported["doctor"]).code == 0
    assert shell.arrived() == emails(60)


def test_a_notification_names_the_command_for_any_folder(shell: Shell, receiver: Receiver, tmp_path: Path) -> None:
    shell.user.environ["IMPORTER_NOTIFY_URLS"] = receiver.url
    shell.user.environ["IMPORTER_NOTIFY__RUNS"] = "true"
    stopped(shell)
    command = the_one(receiver.messages[0]["message"])

    again = shell.pastes(command, tmp_path)

    assert again.code == 0, again.err
    assert shell.arrived() == emails(60)


# --------------------------------------------------------------------------- errors


def test_a_file_that_was_imported_already_names_the_run_that_did_it(shell: Shell) -> None:
    shell.user.has(SOURCE, source(2))
    first = shell.types("run", SOURCE, *shell.options, "--target", "sandbox", "--json").json
    again = shell.types("run", SOURCE, *shell.options, "--target", "sandbox")

    shown = shell.pastes(the_one(again.err))

    assert (again.code, shown.code) == (7, 0)
    assert first["run_id"] in shown.out


@pytest.mark.parametrize("name", ["2025", "2"])
def test_a_run_that_is_not_found_names_the_list_of_runs(shell: Shell, name: str) -> None:
    shell.user.has(SOURCE, source(2))
    for target in ("emulator", "sandbox"):
        shell.types("run", SOURCE, *shell.options, "--target", target)
    missed = shell.types("show", name, "--workspace", WORKSPACE)

    listed = shell.pastes(the_one(missed.err))

    assert (missed.code, listed.code) == (2, 0)
    assert SOURCE in listed.out


def test_unknown_columns_are_reported_with_the_commands_to_inspect_and_map_them(shell: Shell) -> None:
    shell.user.has(SOURCE, "Aa,Bb\n1,2\n")
    refused = shell.types("validate", SOURCE)

    inspect, init = printed(refused.err)

    assert refused.code == 6
    assert "Aa" in shell.pastes(inspect).out
    shell.pastes(init)
    assert len(list(shell.user.home.glob("*.toml"))) == 2  # the profile of the fixture, and the one that init wrote


# --------------------------------------------------------------------------- first steps


def test_what_init_and_template_print_checks_what_they_wrote(shell: Shell) -> None:
    shell.user.has(SOURCE, people(2))
    for made in (
        shell.types("init", SOURCE, "--out", "mein profil.toml"),
        shell.types("template", "--format", "csv", "--out", "meine & vorlage.csv"),
    ):
        checked = shell.pastes(the_one(made.err))
        assert checked.code == 0, checked.err + checked.out
    assert shell.arrived() == []


# --------------------------------------------------------------------------- nights


def test_what_a_night_writes_about_a_file_goes_on_with_it_from_anywhere(shell: Shell, tmp_path: Path) -> None:
    inbox = shell.user.home / "Eingang (1)"
    inbox.mkdir()
    (inbox / SOURCE).write_text(source(12), "utf-8")
    shell.user.environ["IMPORTER_NIGHTLY__SETTLE_S"] = "0.02"
    reads = f"{(shell.user.home / PROFILE).read_text('utf-8')}[delivery]\nmax_errors = 0\n"
    shell.user.has(PROFILE, reads)
    taken = source(1).replace("Givena", "Other")
    shell.user.has("taken.csv", taken)
    other = ("--config", PROFILE, "--workspace", "other", "--target", "sandbox")
    assert shell.types("run", "taken.csv", *other).code == 0

    night = shell.types("nightly", inbox.name, *shell.options, "--target", "sandbox", "--rate", "50/s", "--json")
    refused = night.json["imports"][0]
    why = (Path(refused["put"]) / "why.txt").read_text("utf-8")
    again = shell.pastes(the_one(why), tmp_path)

    assert (night.code, refused["fate"]) == (4, "refused"), night.out
    assert again.code in {3, 4}, again.err
    assert len(shell.arrived()) > len(emails(1))


# --------------------------------------------------------------------------- fixed rows


def fixes(shell: Shell, path: str) -> None:
    """Put the right email addresses into a file that was handed out, as a person would."""
    file, right = Path(shell.user.home / path), (f"person{number}@example.com" for number in range(100))
    if file.suffix != ".xlsx":
        lines = file.read_text("utf-8").splitlines(keepends=True)
        fixed = [re.sub("no-address(?=,)", lambda _: next(right), line, count=1) for line in lines]
        file.write_text("".join(fixed), "utf-8")
        return
    book = load_workbook(file)
    for row in book.worksheets[0].iter_rows(min_row=2):
        for cell in row:
            if cell.value == "no-address":
                cell.value = next(right)
    book.save(file)


def handed_out(shell: Shell, report: dict[str, Any]) -> str:
    files = report["files"]
    return str(files.get("annotated") or files["rejects"])


@pytest.mark.parametrize("more", [(), ("--format", "xlsx")])
def test_what_a_rehearsal_with_bad_rows_prints_imports_all_rows_once_they_are_fixed(
    shell: Shell, more: tuple[str, ...]
) -> None:
    shell.user.has(SOURCE, source(5, bad=2))
    checked = shell.types("run", SOURCE, "--dry-run", *shell.options, "--target", "sandbox", *more, "--json").json
    assert checked["counts"] == {"read": 5, "valid": 3, "invalid": 2}
    assert "import all rows" in checked["next_step"]

    fixes(shell, handed_out(shell, checked))
    ran = shell.pastes(checked["next_command"])

    assert ran.code == 0, ran.err
    assert shell.arrived() == emails(5)


@pytest.mark.parametrize("more", [(), ("--format", "xlsx")])
def test_what_a_run_with_bad_rows_prints_takes_the_fixed_ones_back(shell: Shell, more: tuple[str, ...]) -> None:
    shell.user.has(SOURCE, source(5, bad=2))
    first = shell.types("run", SOURCE, *shell.options, "--target", "sandbox", *more, "--json").json
    assert shell.arrived() == emails(5, 2)

    fixes(shell, handed_out(shell, first))
    ran = shell.pastes(first["next_command"])
    again = shell.pastes(first["next_command"])

    assert ran.code == 0, ran.err
    assert again.code in {0, 6}, again.err  # nothing is left in rejects.csv
    assert shell.arrived() == emails(5)


def test_the_workbook_and_the_page_print_the_command_of_the_report(shell: Shell) -> None:
    shell.user.has(SOURCE, source(3, bad=1))
    checked = shell.types("validate", SOURCE, *shell.options, "--format", "xlsx", "--json").json

    sheet = load_workbook(shell.user.home / checked["files"]["annotated"])["Import summary"]
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]

    assert checked["next_command"] in printed(*texts)


def test_what_a_night_prints_takes_the_fixed_rows_back_from_anywhere(shell: Shell, tmp_path: Path) -> None:
    inbox = shell.user.home / "Eingang (1)"
    inbox.mkdir()
    (inbox / SOURCE).write_text(source(4, bad=1), "utf-8")
    shell.user.environ["IMPORTER_NIGHTLY__SETTLE_S"] = "0.02"

    night = shell.types("nightly", inbox.name, *shell.options, "--target", "sandbox")
    command = the_one(night.err)
    fixes(shell, shlex.split(command)[shlex.split(command).index("--fixed") + 1])
    ran = shell.pastes(command, tmp_path)

    assert (night.code, ran.code) == (3, 0), night.err + ran.err
    assert shell.arrived() == emails(4)
