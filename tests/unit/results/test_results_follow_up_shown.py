"""The steps after the creates in the report: verdict and next command, JSON, page, notebook, summary sheet, console."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from importer.cli.summary import summary
from importer.core.commands import Commands
from importer.core.issues import Severity
from importer.core.results import Cluster, RowResult
from importer.core.sources import SUMMARY_SHEET, SourceInfo
from importer.core.states import RowState
from importer.core.step_tasks import StepCount
from importer.core.steps import Step, StepState
from importer.customers.contract import CUSTOMERS
from importer.results.annotated import write_annotated
from importer.results.failing import FailingRows
from importer.results.follow_up import follow_up_of
from importer.results.html import render_html
from importer.results.report import Report
from importer.results.table import Header
from importer.results.verdict import verdict
from tests.batches import result_batch

RUN = "20261122T083000Z-1a2b3c"
CREATED = {"read": 10, "created": 10}
COUNTS = [
    StepCount(Step.VERIFY, StepState.DONE, "", 10),
    StepCount(Step.VERIFICATION, StepState.DONE, "APPROVED", 6),
    StepCount(Step.VERIFICATION, StepState.SUBMITTED, "", 4),
]
SENTENCE = "Steps: 10 verified; identity: 6 approved, 4 open."


def steps(*counts: StepCount) -> dict[str, Any]:
    return follow_up_of(counts)


def report(follow_up: dict[str, Any], **more: Any) -> Report:
    given: dict[str, Any] = {
        "command": "run",
        "source": "customers.csv",
        "target": "sandbox",
        "dry_run": False,
        "exit_code": 0,
        "elapsed_seconds": 1.5,
        "run_id": RUN,
        "state": "finished",
        "counts": CREATED,
    }
    return Report(**{**given, **more}, follow_up=follow_up)


VERIFICATION = Step.VERIFICATION


@pytest.mark.parametrize(
    ("counts", "code", "words", "command"),
    [
        ([StepCount(VERIFICATION, StepState.SUBMITTED, "", 4)], 75, "4 are open", "follow"),
        ([StepCount(VERIFICATION, StepState.WAITING, "", 1)], 75, "1 is open", "follow"),
        ([StepCount(Step.LIMITS, StepState.FAILED, "", 2)], 3, "2 failed", "retry"),
        ([StepCount(Step.DOCUMENTS, StepState.UNKNOWN, "", 1)], 3, "1 failed", "retry"),
        ([StepCount(Step.VERIFY, StepState.DIFFERS, "", 2)], 3, "2 customers differ", "verify"),
        ([StepCount(VERIFICATION, StepState.NEEDS_PERSON, "", 1)], 0, "1 needs a person", "follow"),
    ],
)
def test_the_verdict_says_what_is_not_done_and_names_the_command_for_it(
    counts: list[StepCount], code: int, words: str, command: str
) -> None:
    judged = verdict(report(steps(*counts), exit_code=code))
    assert judged.sentence == f"All 10 customers are imported into sandbox. Steps after the create: {words}."
    assert judged.command == f"importer {command} {RUN}"
    assert judged.tone != "good"


def test_a_rehearsal_with_failed_steps_has_not_passed() -> None:
    failed = steps(StepCount(Step.LIMITS, StepState.FAILED, "", 2))
    assert verdict(report(failed, target="emulator", exit_code=3)).sentence == (
        "Rehearsal: all 10 rows would be imported. Steps after the create: 2 failed. Nothing real was changed."
    )


@pytest.mark.parametrize("job", ["update", "list"])
@pytest.mark.parametrize(
    ("codes", "command"),
    [
        (["changed_since"], "importer update /in/customers.csv --dry-run"),
        (["value_hidden", "name_unusual"], "importer update /in/customers.csv --dry-run"),
        (["cannot_change", "update_failed"], f"importer retry {RUN}"),
        (["update_unknown"], f"importer retry {RUN}"),
        (["customer_gone"], f"importer retry {RUN}"),
    ],
)
def test_an_update_that_fails_again_as_it_is_is_listed_anew(job: str, codes: list[str], command: str) -> None:
    failed = steps(StepCount(Step.UPDATE, StepState.FAILED, "", 2))
    clusters = [Cluster(code, "", "", Severity.WARNING, "Why.", 1, (2,)) for code in codes]
    given = {"exit_code": 3, "counts": {"read": 10, "existing": 10}, "path": "/in/customers.csv"}
    assert verdict(report(failed, job=job, clusters=clusters, **given)).command == command


@pytest.mark.parametrize(
    ("typed", "config", "command"),
    [
        ("update", "", "importer update /in/customers.csv"),
        ("resume", "", ""),
        ("resume", "crm.toml", "importer update /in/customers.csv --config crm.toml"),
    ],
)
def test_a_list_names_the_command_that_carries_it_out_where_it_is_known(typed: str, config: str, command: str) -> None:
    listed = steps(StepCount(Step.UPDATE, StepState.LISTED, "", 10))
    given = {"command": typed, "job": "list", "path": "/in/customers.csv", "commands": Commands(config=config)}
    judged = verdict(report(listed, **given, counts={"read": 10, "existing": 10}))
    assert (judged.tone, judged.command) == ("good", command)


@pytest.mark.parametrize("command", ["update", "retry", "resume"])
def test_an_update_is_called_one_whatever_goes_on_with_it(command: str) -> None:
    said = summary(report(steps(), command=command, job="update").as_json(), CUSTOMERS.fields)
    assert said.startswith("Updated by customers.csv at sandbox")


def test_steps_that_are_all_done_leave_the_verdict_as_it_is() -> None:
    judged = verdict(report(steps(StepCount(Step.VERIFY, StepState.DONE, "", 10))))
    assert judged.sentence == "All 10 customers are imported into sandbox."
    assert (judged.tone, judged.command) == ("good", f"importer show {RUN}")


def test_declined_and_not_ready_customers_are_shown_and_change_nothing() -> None:
    done = steps(
        StepCount(VERIFICATION, StepState.DONE, "DECLINED", 3), StepCount(VERIFICATION, StepState.NOT_READY, "", 1)
    )
    assert verdict(report(done)).tone == "good"
    assert (done["failed"], done["open"]) == (0, 0)


def test_a_run_that_stopped_early_is_resumed_whatever_steps_are_open() -> None:
    judged = verdict(report(steps(*COUNTS), exit_code=75, state="stopped"))
    assert judged.sentence.startswith("The run stopped early.")
    assert judged.command == f"importer resume {RUN}"


@pytest.mark.parametrize(("state", "command"), [("unknown", "retry"), ("failed", "retry"), ("invalid", "follow")])
def test_rows_in_doubt_go_before_open_steps_and_open_steps_before_rows_to_fix(state: str, command: str) -> None:
    judged = verdict(report(steps(*COUNTS), exit_code=3, counts={"read": 11, "created": 10, state: 1}))
    assert judged.command == f"importer {command} {RUN}"


def test_json_holds_the_steps_and_nothing_where_there_are_none() -> None:
    assert report(steps(*COUNTS)).as_json()["follow_up"] == {
        "steps": {"verification": {"submitted": 4, "done": 6}, "verify": {"done": 10}},
        "outcomes": {"APPROVED": 6},
        "open": 4,
        "failed": 0,
    }
    assert report({}).as_json()["follow_up"] == {}


def test_the_page_shows_the_funnel_in_numbers_and_words() -> None:
    page = render_html(report(steps(*COUNTS)), FailingRows(), ("Name",))
    assert '<h2 id="steps">After the create</h2>' in page
    for title, count in (("Created", 10), ("Identity verification submitted", 10), ("Approved", 6)):
        assert f'{title}</th><td class="n">{count}</td>' in page
    assert 'class="fill is-open" style="width:40.00%"' in page
    assert 'id="steps"' not in render_html(report({}), FailingRows(), ("Name",))


def test_the_page_and_the_console_of_a_dry_run_say_what_would_follow() -> None:
    planned = "After the create: limits (daily in USD), reading back."
    checked = report({}, dry_run=True, counts={"read": 1, "valid": 1, "invalid": 0}, after_create=planned)
    assert f"<p>{planned}</p>" in render_html(checked, FailingRows(), ("Name",))
    assert planned in summary(checked.as_json(), CUSTOMERS.fields).splitlines()
    assert checked.as_json()["after_create"] == planned


@pytest.mark.parametrize(
    ("command", "headline"),
    [
        ("run", "Imported customers.csv into sandbox: 10 rows"),
        ("follow", "Followed customers.csv at sandbox: 10 rows"),
        ("verify", "Read back customers.csv from sandbox: 10 rows"),
    ],
)
def test_the_console_says_what_a_command_did(command: str, headline: str) -> None:
    assert summary(report({}, command=command).as_json(), CUSTOMERS.fields).startswith(headline)


def test_a_notebook_and_the_console_say_it_in_one_sentence() -> None:
    with_steps = report(steps(*COUNTS))
    assert SENTENCE in with_steps._repr_html_()
    assert f"  {SENTENCE}" in summary(with_steps.as_json(), CUSTOMERS.fields).splitlines()
    assert "Steps:" not in report({})._repr_html_() + summary(report({}).as_json(), CUSTOMERS.fields)


def test_the_console_shows_reports_of_earlier_programs() -> None:
    earlier = report({}).as_json()
    del earlier["follow_up"]
    assert "Steps" not in summary(earlier, CUSTOMERS.fields)


def test_the_summary_sheet_has_the_funnel(tmp_path: Path) -> None:
    rows = [RowResult(0, 2, ("Ann",), RowState.CREATED)]
    made = report(steps(*COUNTS), source_info=SourceInfo("customers.csv", "csv", ("Name",)))
    path = write_annotated(lambda: iter([result_batch(rows)]), Header(("Name",), "", RUN), made, tmp_path)
    sheet = openpyxl.load_workbook(path)[SUMMARY_SHEET]
    lines = [row[:3] for row in sheet.iter_rows(values_only=True)]
    at = lines.index(("Done", "Step after the create", "Others"))
    assert lines[at + 1 : at + 6] == [
        (10, "Created", None),
        (10, "Read back, the same", None),
        (10, "Identity verification submitted", None),
        (6, "Approved", None),
        (4, "Waiting for the outcome", None),
    ]


@pytest.mark.parametrize(
    ("plans", "command"),
    [
        ([], f"importer retry {RUN} --fixed rejects.csv"),
        ([{"job": "import", "sha256": "0", "rows": 9}], f"importer plan --retry {RUN} --fixed rejects.csv"),
    ],
)
def test_rows_of_a_run_that_was_sent_by_a_plan_come_back_by_one(plans: list[dict[str, Any]], command: str) -> None:
    counts = {"read": 10, "created": 9, "invalid": 1}
    assert verdict(report({}, counts=counts, exit_code=3, plans=plans)).command == command
