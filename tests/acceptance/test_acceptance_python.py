"""A Python programmer, at a script or a notebook: files in, DataFrames out."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import runpy
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import chdir, closing, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from importer import Profile, run, validate
from importer.core.errors import ExitCode, UsageError
from tests.acceptance.conftest import ROOT, SAMPLES, User


def runs(user: User, code: str) -> str:
    """Run a script in the user's folder, in this process; returns what it printed."""
    printed = io.StringIO()
    with mock.patch.dict(os.environ, user.environ, clear=True), chdir(user.home), redirect_stdout(printed):
        runpy.run_path(str(user.has("script.py", textwrap.dedent(code))), run_name="__main__")
    return printed.getvalue()


def runs_alone(user: User, code: str) -> str:
    """The same in a process of its own: what it imports has been imported by nobody else."""
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
    printed = runs_alone(
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


@pytest.mark.slow
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


@pytest.mark.parametrize("name", ["customers_messy.csv", "customers.xlsx"])
def test_a_dataframe_has_the_verdicts_of_the_file_that_it_was_read_from(user: User, samples: Path, name: str) -> None:
    printed = runs(
        user,
        f"""
        from importer import read, validate
        frame = read("{samples / name}")
        print(frame.attrs["name"], frame.index.name, set(map(str, frame.dtypes)))
        of_file, of_frame = validate("{samples / name}"), validate(frame)
        what = ["row", "code", "severity", "field", "column"]
        print(of_file.issues()[what].equals(of_frame.issues()[what]))
        said = ["_run", "_error_message"]
        print(of_file.rows().drop(columns=said).equals(of_frame.rows().drop(columns=said)))
        print(of_file.counts == of_frame.counts, of_file.mapping == of_frame.mapping, of_frame.source)
        """,
    ).splitlines()

    assert printed == [f"{name} row {{'str'}}", "True", "True", f"True True {name}"]


def test_a_dataframe_that_is_run_again_is_recognised(user: User, samples: Path) -> None:
    printed = runs(
        user,
        """
        import asyncio, pandas as pd
        from importer import ImporterError, run

        async def cells():
            frame = pd.read_csv("customers.csv")  # as people do: numbers where columns hold nothing else
            print((await run(frame)).counts["created"])
            try:
                await run(frame.set_index(frame.index + 100))
            except ImporterError as error:
                print(int(error.exit_code), error)
            print((await run(frame, force=True)).counts["existing"])
            print((await run("customers.csv")).counts["existing"])

        asyncio.run(cells())
        """,
    ).splitlines()

    assert printed[0] == printed[2] == printed[3] == "200"
    assert printed[1].startswith("7 A DataFrame with exactly this content was imported")
    assert "force=True" in printed[1]
    assert "import it, run" not in printed[1]
    assert len(list(samples.glob("runs/*/results.csv"))) == 3
    assert list(samples.glob("runs/spool/*")) == []


def test_a_stopped_run_of_a_dataframe_goes_on_from_the_command_line(user: User, samples: Path) -> None:
    printed = runs(
        user,
        """
        import asyncio
        from importer import read, run

        async def cells():
            settled = []

            def stop_early(event):
                settled.extend([event] if event.name == "row_settled" else [])
                if len(settled) == 20:
                    loop.call_soon_threadsafe(task.cancel)

            loop = asyncio.get_running_loop()
            task = asyncio.create_task(run(read("customers.csv"), on_event=stop_early))
            await asyncio.wait([task])
            print(task.cancelled())

        asyncio.run(cells())
        """,
    ).splitlines()

    assert printed == ["True"]
    resumed = user.types("resume", "last", "--json").json
    assert resumed["exit_code"] == ExitCode.OK
    assert resumed["counts"]["read"] == resumed["counts"]["created"] + resumed["counts"]["existing"] == 200


def test_a_run_that_is_cancelled_while_its_source_is_read_leaves_nothing_and_says_nothing(
    user: User, samples: Path
) -> None:
    printed = runs(
        user,
        """
        import asyncio
        from importer import run

        async def cells():
            def stop_early(event):
                if event.name == "source_read":
                    loop.call_soon_threadsafe(task.cancel)

            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: print(context["message"]))
            task = asyncio.create_task(run("customers.csv", on_event=stop_early))
            await asyncio.wait([task])
            print(task.cancelled())

        asyncio.run(cells())
        """,
    ).splitlines()

    assert printed == ["True"]
    assert list(samples.glob("runs/2*")) == []
    assert user.types("run", "customers.csv", "--json").json["counts"]["created"] == 200


def test_rows_that_were_fixed_with_pandas_go_back_to_their_run(user: User, samples: Path) -> None:
    printed = runs(
        user,
        """
        import asyncio
        from importer import read, run

        async def cells():
            frame = read("customers.csv").head(20)
            frame.loc[5, "Email"] = "nobody"
            first = await run(frame)
            print(first.counts["created"], first.counts["invalid"], first.issues()["row"].tolist())

            rows = first.rows()
            rows.loc[rows["_status"] == "invalid", "Email"] = "dana@example.com"
            second = await run(rows)
            print(second.run_id == first.run_id, second.counts["created"], second.counts["invalid"])
            print(first.rows()["_customer_id"].drop(5).equals(second.rows()["_customer_id"].drop(5)))

            third = await run(rows, as_new=True)
            print(third.run_id != first.run_id, third.counts["existing"])

        asyncio.run(cells())
        """,
    ).splitlines()

    assert printed == ["19 1 [5]", "True 20 0", "True", "True 20"]


def test_rows_of_a_dry_run_that_were_fixed_with_pandas_are_imported(user: User, samples: Path) -> None:
    printed = runs(
        user,
        """
        import asyncio
        from importer import read, run, validate

        frame = read("customers.csv").head(20)
        frame.loc[5, "Email"] = "nobody"
        checked = validate(frame)
        print(checked.counts, "await run(rows)" in checked._repr_html_())
        outcome = asyncio.run(run(checked.rows().replace("nobody", "dana@example.com")))
        print(outcome.counts["created"], outcome.dry_run, outcome.source, "await run" in outcome._repr_html_())
        """,
    ).splitlines()

    assert printed == ["{'read': 20, 'valid': 19, 'invalid': 1} True", "20 False customers.csv False"]
    assert len(list(samples.glob("runs/*/results.csv"))) == 2


def test_rows_of_a_run_that_is_not_known_are_refused_with_a_way_out_for_programs(user: User, samples: Path) -> None:
    printed = runs(
        user,
        """
        import asyncio
        from importer import ImporterError, Profile, read, run, validate

        rows = validate(read("customers.csv"), profile=Profile(workspace="elsewhere")).rows()
        try:
            asyncio.run(run(rows))
        except ImporterError as error:
            print(int(error.exit_code), error.message, "as_new=True" in error.hint)
        print(asyncio.run(run(rows, as_new=True)).counts["created"])
        """,
    ).splitlines()

    assert printed[0].startswith("2 The file '<DataFrame>' comes back from the run ")
    assert printed[0].endswith("True")
    assert "spool" not in printed[0]
    assert printed[1] == "200"
    assert list(samples.glob("runs/spool/*")) == []


def test_what_is_not_a_source_is_refused_by_what_it_is(user: User) -> None:
    printed = runs(
        user,
        """
        import pandas as pd
        from importer import ImporterError, read, validate
        for call in (
            lambda: validate([{"a": 1}]),
            lambda: validate(pd.Series([1])),
            lambda: read(pd.DataFrame()),
            lambda: validate(pd.DataFrame({"Name": ["Ann"]}), sheet=1),
            lambda: validate(pd.DataFrame({"Name": ["Ann"], "Rate": [0.5]})),
            lambda: validate("nothing.csv"),
        ):
            try:
                call()
            except ImporterError as error:
                print(int(error.exit_code), error.message)
        """,
    ).splitlines()

    assert [line[:40] for line in printed] == [
        "2 A source is a path, an address or a pa",
        "2 A source is a path, an address or a pa",
        "2 A source is a path, an address or a pa",
        "2 The option sheet says how a file is re",
        "6 The column 'Rate' of 'frame' holds dec",
        "6 There is no file 'nothing.csv'.",
    ]
    assert not (user.home / "runs").exists() or not list((user.home / "runs").glob("2*"))


@pytest.mark.slow
def test_the_public_functions_have_exact_types(tmp_path: Path) -> None:
    script = tmp_path / "typed.py"
    script.write_text(
        textwrap.dedent("""
            import pandas as pd
            from importer import Profile, Report, plan, read, run, validate

            async def typed() -> None:
                report: Report = validate("a.xlsx", profile=Profile(), sheet=2, limit=None)
                outcome: Report = await run("a.csv", target="sandbox", on_event=print, delimiter=";")
                rows: pd.DataFrame = outcome.rows()
                issues: pd.DataFrame = report.issues()
                frame = read("a.xlsx", sheet="Customers", profile=Profile())
                reveal_type(frame)
                validate(frame, limit=5)
                await run(frame, as_new=True)
                planned: Report = plan(frame, target="sandbox", key="anna", limit=5)
                await run(plan=planned.files["plan"])
                await run(frame, plan="plan.json")
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
