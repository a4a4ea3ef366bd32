"""A Python programmer, at a script or a notebook: files in, DataFrames out."""

from __future__ import annotations

import asyncio
import csv
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from importer import Profile, run, validate
from importer.errors import ExitCode, UsageError
from tests.acceptance.conftest import ROOT, SAMPLES, User


def runs(user: User, code: str) -> str:
    """Run a script in the user's folder; returns what it printed."""
    script = user.has("script.py", textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=user.home,
        env=user.environ,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def samples(user: User) -> Path:
    for name in ("customers.csv", "customers.xlsx", "customers_messy.csv"):
        shutil.copy(SAMPLES / name, user.home / name)
    return user.home


def test_the_rows_and_issues_of_a_dry_run_are_dataframes(user: User, samples: Path) -> None:
    printed = runs(
        user,
        """
        from importer import validate
        report = validate("customers_messy.csv")
        rows, issues = report.rows(), report.issues()
        print(rows["_status"].value_counts().to_dict() == {k: v for k, v in report.counts.items() if k != "read"})
        invalid = set(issues.loc[issues["severity"] == "error", "row"])
        print(invalid == set(rows.index[rows["_status"] == "invalid"]))
        print(sum(one.count for one in report.clusters) == len(issues))
        rows.to_csv("again.csv", index=False)
        print(report.files["results"])
        """,
    ).splitlines()

    assert printed[:3] == ["True"] * 3
    with (samples / "again.csv").open(newline="") as again, (samples / printed[3]).open(newline="") as results:
        assert list(csv.reader(again)) == list(csv.reader(results))


def test_a_notebook_awaits_a_run_and_checks_beside_it(user: User, samples: Path) -> None:
    printed = runs(
        user,
        """
        import asyncio
        from importer import run, validate

        async def cells():  # a notebook's cells run inside its event loop
            report = validate("customers.csv")
            outcome = await run("customers.xlsx")
            again = await run("customers.xlsx", force=True)
            return report, outcome, again

        report, outcome, again = asyncio.run(cells())
        print(report.counts["valid"], outcome.counts["created"], again.counts["existing"])
        print(set(outcome.rows()["_status"]), outcome.rows()["_customer_id"].nunique(), len(outcome.issues()))
        print(outcome.rows()["_customer_id"].equals(again.rows()["_customer_id"]))
        print("Rehearsal passed" in outcome._repr_html_())
        """,
    ).splitlines()

    assert printed == ["200 120 120", "{'created'} 120 0", "True", "True"]


async def test_rows_that_are_gone_are_refused_in_one_sentence(user: User, samples: Path) -> None:
    profile = Profile(workspace=user.home / "runs")
    checked = await asyncio.to_thread(validate, samples / "customers.csv", profile=profile)
    sent = await run(samples / "customers.csv", profile=profile)
    shutil.rmtree(profile.workspace / checked.run_id)
    with closing(sqlite3.connect(profile.workspace / "journal.sqlite3")) as journal, journal:
        journal.execute("UPDATE runs SET ended_at = ended_at - 86400, started_at = started_at - 86400")
    assert user.types("purge", "--older-than", "12h").code == ExitCode.OK

    with pytest.raises(UsageError, match="There is no run"):
        checked.rows()
    with pytest.raises(UsageError, match="were purged on"):
        sent.issues()


def test_a_source_that_is_refused_raises_the_error_of_the_command_line(user: User) -> None:
    printed = runs(
        user,
        """
        from importer import ImporterError, validate
        try:
            validate("nothing.csv")
        except ImporterError as error:
            print(int(error.exit_code), error)
        """,
    )

    assert printed.startswith(f"{int(ExitCode.SOURCE)} There is no file 'nothing.csv'")


def test_the_public_functions_have_exact_types(tmp_path: Path) -> None:
    script = tmp_path / "typed.py"
    script.write_text(
        textwrap.dedent("""
            import pandas as pd
            from importer import Profile, Report, run, validate

            async def typed() -> None:
                report: Report = validate("a.xlsx", profile=Profile(), sheet=2, limit=None)
                outcome: Report = await run("a.csv", target="sandbox", on_event=print, delimiter=";")
                rows: pd.DataFrame = outcome.rows()
                issues: pd.DataFrame = report.issues()
                reveal_type(rows)
                validate("a.csv", delimeter=";")
        """)
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    errors = [line for line in checked.stdout.splitlines() if "error" in line and "typed.py" in line]
    assert len(errors) == 1, checked.stdout
    assert '"delimeter"' in errors[0]
    assert "DataFrame" in checked.stdout
