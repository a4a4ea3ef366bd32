"""What an operator does at night: lost files, wrong folders, closed pipes. Nothing twice, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importer.runs import load, resume
from importer.runs.preconditions import require_unchanged
from tests.acceptance.conftest import User, Witness, ended, exactly_once, people, sandbox, serving, wait_for


@pytest.fixture
def source(user: User) -> Path:
    return user.has("people.csv", people(5, external_ids=False))


@pytest.mark.parametrize("lost", ["import-key.secret", "journal.sqlite3"])
def test_a_workspace_that_lost_its_memory_is_refused_instead_of_sending_everything_again(
    user: User, source: Path, lost: str
) -> None:
    assert user.types("run", source, "--json").json["counts"]["created"] == 5
    for path in (user.home / "runs").glob(f"{lost}*"):
        path.unlink()

    ran = user.types("run", source, "--force")

    assert ran.code == 1
    assert "backup" in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_an_emptied_journal_is_not_a_new_journal(user: User, source: Path) -> None:
    user.types("run", source)
    (user.home / "runs" / "journal.sqlite3").write_bytes(b"")

    assert user.types("run", source).code == 1


def test_a_row_in_doubt_is_always_looked_up(user: User, source: Path) -> None:
    blind = user.has("blind.toml", "[delivery]\nlooks_after_s = []\n")

    ran = user.types("run", source, "--config", blind)
    assert (ran.code, "looks_after_s" in ran.err) == (2, True)


@pytest.mark.slow
def test_a_resume_that_came_too_late_sends_nothing_again(
    user: User, source: Path, witness: Witness, profile_for: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = sandbox(profile_for(witness))
    with monkeypatch.context() as cut_off:
        cut_off.setattr(load, "prepare", _cut_off)
        assert user.types("run", source, *where, **witness.environ).code == 1  # it stays where it was: loading

    def meanwhile(*arguments: Any) -> None:
        require_unchanged(*arguments)
        if not witness.ledger()["customers"]:
            assert user.types_for_real("resume", "last", *where, **witness.environ).code == 0

    monkeypatch.setattr(resume, "require_unchanged", meanwhile)
    late = user.types("resume", "last", "--json", *where, **witness.environ)

    assert (late.code, late.json["counts"]["created"]) == (0, 5)
    assert witness.ledger()["counts"]["create"] == {"201": 5}


def _cut_off(*_: object, **__: object) -> None:
    raise RuntimeError("the machine went down")


def test_one_server_has_one_memory_however_its_address_is_written(user: User, source: Path, witness: Witness) -> None:
    plain = witness.base_url
    for number, address in enumerate((plain, f"{plain}/", f"{plain}/v1", plain.replace("http", "HTTP"))):
        profile = user.has(f"{number}.toml", f'[targets.sandbox]\nbase_url = "{address}"\n')
        ran = user.types("run", source, *sandbox(profile), "--force", "--json", **witness.environ)
        assert ran.json["counts"]["created"] == (5 if number == 0 else 0), address

    assert witness.ledger()["customers"] == 5


@pytest.mark.parametrize("command", ["run", "validate"])
def test_results_never_replace_the_source(user: User, command: str) -> None:
    (user.home / "handover").mkdir()
    source = user.has("handover/results.csv", people(2))
    before = source.read_bytes()

    ran = user.types(command, source, "--out", "handover")

    assert (ran.code, source.read_bytes()) == (2, before)
    assert list((user.home / "handover").iterdir()) == [source]


@pytest.mark.parametrize("out", ["people.csv", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_noticed_before_anything_is_sent(user: User, source: Path, out: str) -> None:
    ran = user.types("run", source, "--out", out, "--json")

    assert ran.code == 1
    assert ran.json["counts"] == {}
    assert user.types("runs", "--json").json["runs"] == []


def test_cells_that_were_fixed_in_place_survive_a_retry(user: User) -> None:
    text = people(2).replace("person1@example.com", "nonsense")
    first = user.types("run", user.has("people.csv", text), "--json").json
    rejects = user.home / first["files"]["rejects"]
    fixed = rejects.read_text(encoding="utf-8").replace("nonsense", "person1@example.com")
    rejects.write_text(fixed, encoding="utf-8")

    assert user.types("retry", "last").code == 3
    kept = [path for path in rejects.parent.glob("rejects*.csv") if path.read_text(encoding="utf-8") == fixed]
    assert len(kept) == 1


def test_a_row_whose_data_changed_since_it_was_created_is_told(user: User) -> None:
    user.types("run", user.has("first.csv", people(3)))
    second = user.types("run", user.has("second.csv", people(3).replace("Givenb", "Changed")), "--json").json

    assert second["counts"]["existing"] == 3
    (issue,) = (issue for issue in second["issues"] if issue["code"] == "differs_from_imported")
    assert (issue["rows"], issue["severity"]) == ([3], "warning")


def test_a_file_never_turns_the_emulator_into_a_real_system(user: User, source: Path) -> None:
    profile = user.has("sly.toml", '[targets.emulator]\nbase_url = "https://api.example.com"\n')
    ran = user.types("run", source, "--config", profile, ROCKETKOR_API_KEY="k", ROCKETKOR_API_SECRET="s")

    assert (ran.code, "emulator" in ran.err) == (2, True)


@pytest.mark.slow
def test_a_limited_run_is_resumed_with_its_limit(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"', "looks_after_s = [0, 0.2]"])
    source = user.has("people.csv", people(400))
    process = user.starts("run", source, "--limit", "200", *sandbox(profile), "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 20, process)
    process.send_signal(signal.SIGTERM)
    assert ended(process).code == 143

    resumed = user.types("resume", "last", *sandbox(profile), "--json", **witness.environ).json
    assert resumed["counts"]["created"] == resumed["counts"]["read"] == 200
    exactly_once(witness, user.reads(resumed["files"]["results"]))


@pytest.mark.slow
def test_a_run_that_was_cut_off_can_be_looked_at(
    user: User, profile_for: Callable[..., Path], witness: Witness
) -> None:
    profile = profile_for(witness, delivery=['rate = "50/s"'])
    source = user.has("people.csv", people(200))
    process = user.starts("run", source, *sandbox(profile), **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, process)
    process.kill()
    process.communicate()

    shown = user.types("show", "last")
    assert (shown.code, "importer resume" in shown.out) == (0, True)
    assert user.types("explain", "last", "2").code == 0
    written = user.types("export", "last", "--json", **witness.environ)
    assert (written.code, "resume" in written.json["next_command"]) == (4, True)
    assert len(user.reads(written.json["files"]["results"])) == 200


def test_one_damaged_report_does_not_hide_the_other_runs(user: User, source: Path) -> None:
    run_id = user.types("run", source, "--json").json["run_id"]
    for name, text in (("broken", "{"), ("odd", "{}")):
        (user.home / "runs" / name).mkdir()
        user.has(f"runs/{name}/report.json", text)

    assert [run["run_id"] for run in user.types("runs", "--json").json["runs"]] == [run_id]
    assert user.types("show", "last").code == 0


def test_a_copy_of_the_results_inside_the_workspace_is_not_a_second_run(user: User, source: Path) -> None:
    run_id = user.types("validate", source, "--out", "runs/handover", "--json").json["run_id"]

    assert [run["run_id"] for run in user.types("runs", "--json").json["runs"]] == [run_id]
    assert user.types("show", run_id).code == 0
    assert user.types("explain", run_id, "2", "--json").json["state"] == "valid"


def test_a_run_directory_that_is_a_file_is_one_sentence(user: User, source: Path) -> None:
    run_id = user.types("run", source, "--json").json["run_id"]
    folder = user.home / "runs" / run_id
    folder.rename(user.home / "elsewhere")
    folder.write_text("in the way")

    ran = user.types("export", "last")
    assert (ran.code, run_id in ran.err) == (1, True)


@pytest.mark.parametrize("closed", ["runs --json >&-", "runs >&-", "runs --json >/dev/full", "runs | true"])
def test_a_closed_or_full_output_makes_no_noise(user: User, source: Path, closed: str) -> None:
    user.types("run", source)
    import sys

    words = f"{sys.executable} -m importer {closed}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", words],
        cwd=user.home,
        env=user.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode in (0, 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_waiting_for_standard_input_can_be_interrupted(user: User, number: signal.Signals, code: int) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "w"):
        import sys

        process = subprocess.Popen(
            [sys.executable, "-m", "importer", "run", "-", "--json"],
            cwd=user.home,
            env=user.environ,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2.5)
        process.send_signal(number)
        stopped = ended(process)

    assert stopped.code == code
    assert stopped.json["exit_code"] == code


@pytest.mark.slow
def test_a_slow_limit_does_not_keep_a_stopping_run(user: User, profile_for: Callable[..., Path]) -> None:
    with serving(user) as witness:
        profile = profile_for(witness, delivery=['rate = "1/min"'])
        source = user.has("people.csv", people(20))
        process = user.starts("run", source, *sandbox(profile), "--json", **witness.environ)
        wait_for(lambda: witness.ledger()["requests"] >= 1, process)
        process.send_signal(signal.SIGTERM)
        stopped = ended(process)

    assert stopped.code == 143
    assert stopped.json["counts"]["unsent"] == 20
    assert stopped.json["elapsed_seconds"] < 15


def test_the_workspace_is_for_its_owner_alone(user: User, source: Path) -> None:
    user.types("validate", source)

    assert (user.home / "runs").stat().st_mode & 0o777 == 0o700


def test_a_setting_asks_for_json_as_well_as_the_option(user: User, source: Path) -> None:
    user.types("run", source)

    assert user.types("runs", IMPORTER_OUTPUT__FORMAT="json").json["command"] == "runs"


def test_names_of_files_are_shown_as_they_are(user: User) -> None:
    source = user.has("y[red]z.csv", people(1))
    user.types("run", source)

    assert "y[red]z.csv" in user.types("runs").out
    assert "y[red]z.csv" in user.types("inspect", source).out


def test_a_wrong_limit_of_the_emulator_is_one_sentence(user: User) -> None:
    ran = user.types("emulator", "--limit", "quick", "--port", "0")

    assert (ran.code, len(ran.err.strip().splitlines())) == (2, 1)
    assert "pydantic" not in ran.err


def test_one_row_is_spoken_of_as_one(user: User) -> None:
    reported = user.types("run", user.has("one.csv", people(1))).err

    assert "the 1 row would be imported" in reported
    assert "into emulator: 1 row in" in reported
