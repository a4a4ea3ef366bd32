from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from importer.core.issues import Issue, Severity
from importer.core.results import Cluster, RowResult
from importer.core.sources import Detected, SourceInfo
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.results import UnknownRow
from importer.results.clusters import clusters
from importer.results.failing import FailingRows, column_index, masked, pointed_at
from importer.results.html import STATIC_ROWS, render_html, write_html
from importer.results.page_rows import ColumnIssues, by_column
from importer.results.report import Report
from importer.results.verdict import verdict
from tests.batches import result_batch

COLUMNS = ("Name", "Phone", "<b>Odd</b>")
FILES = {
    "results": Path("runs/x/results.csv"),
    "rejects": Path("runs/x/rejects.csv"),
    "annotated": Path("runs/x/our customers.annotated.xlsx"),
    "html": Path("runs/x/report.html"),
    "report": Path("runs/x/report.json"),
}
SECRETS = ("Canarina Birdsong", "415 555 0142", "=HYPERLINK(x)", "</script><script>alert(1)</script>")


def failing_row(row: int = 4, column: str = "Phone", cells: tuple[str, ...] = SECRETS[:3]) -> RowResult:
    issue = Issue(row - 2, "phone_too_short", "Phone number has too few digits.", "primaryPhoneNumber.number", column)
    return RowResult(row - 2, row, cells, RowState.INVALID, errors=(issue,))


def report(rows: list[RowResult], **more: object) -> Report:
    given: dict[str, object] = {
        "command": "run",
        "source": "customers.csv",
        "target": "emulator",
        "dry_run": False,
        "exit_code": 3,
        "elapsed_seconds": 1.5,
        "run_id": "20261122T083000Z-1a2b3c",
        "counts": {"read": 10, "created": 10 - len(rows), "invalid": len(rows)},
        "clusters": clusters(CUSTOMERS, (result_batch([row]) for row in rows)),
    }
    return Report(**{**given, **more})  # type: ignore[arg-type]  # keywords of one test's choice


def page(rows: list[RowResult], *, show_values: bool = False, **more: object) -> str:
    failing = FailingRows()
    for row in rows:
        failing(result_batch([row]))
    return render_html(report(rows, **more), failing, COLUMNS, show_values=show_values)


class Outline(HTMLParser):
    """Collects what the tests ask about, and checks that every element is closed in order."""

    VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def data(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    value: dict[str, Any] = json.loads(found[1])
    return value


def hrefs(text: str) -> list[str]:
    return [value for name, value in Outline(text).attributes if name == "href"]


def test_the_page_is_well_formed_and_every_reference_finds_its_heading() -> None:
    outline = Outline(page([failing_row()]))
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    labels = {value for name, value in outline.attributes if name == "aria-labelledby"}
    assert labels <= set(outline.ids)
    assert {href[1:] for href in hrefs(page([failing_row()])) if href.startswith("#")} <= set(outline.ids)


def test_the_page_needs_no_network_and_allows_only_its_own_script() -> None:
    text = page([failing_row()], files=FILES)
    assert all(href.startswith(("#", "./")) for href in hrefs(text))
    assert "src" not in {name for name, _ in Outline(text).attributes}
    assert "url(" not in text
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (allowed,) = re.findall(r"script-src '([^']+)'", text)
    assert allowed == "sha256-" + base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()


def test_values_are_masked_unless_asked_for() -> None:
    rows = [failing_row(column=column) for column in COLUMNS]
    hidden, open_ = page(rows), page(rows, show_values=True)
    for secret in SECRETS[:2]:
        assert secret not in hidden
        assert secret in open_
    assert "000 000 0000" in hidden
    assert "personal data" in open_


def test_a_formula_is_escaped_and_markup_is_text() -> None:
    rows = [failing_row(column=COLUMNS[2], cells=("", "", SECRETS[3])), failing_row(5, COLUMNS[2])]
    text = page(rows, show_values=True)
    assert "<script>alert" not in text
    assert "<b>Odd</b>" not in text
    assert data(text)["rows"][1][2][0][1] == "'=HYPERLINK(x)"
    assert Outline(text).open == []


def test_the_first_rows_are_in_the_page_and_all_kept_ones_in_its_data() -> None:
    rows = [failing_row(number) for number in range(2, 252)]
    text = page(rows)
    assert len(data(text)["rows"]) == 250
    assert text.count('class="problem error"') == STATIC_ROWS


def test_whoever_fixes_is_shown_the_file_first_and_its_link_finds_it_beside_the_report() -> None:
    text = page([failing_row()], files=FILES)
    assert '<a href="./our%20customers.annotated.xlsx">our customers.annotated.xlsx</a>. The marked cells' in text
    assert text.index('id="do"') < text.index('id="fix"') < text.index('id="rows"') < text.index('id="operators"')
    assert "runs/x/results.csv" not in text
    assert "report.json" in text[text.index('id="operators"') :]


def test_files_to_fix_are_not_offered_where_every_row_is_done() -> None:
    done = page([], files=FILES, counts={"read": 10, "created": 10, "invalid": 0}, exit_code=0)
    assert hrefs(done) == ["#main", "./results.csv"]


def test_the_profile_is_for_operators_alone() -> None:
    text = page([failing_row()])
    before, _, after = text.partition("Correct the cells of column &#39;Phone&#39;")
    assert "default_region" not in before
    assert after.index("For operators") < after.index("validation.default_region")
    assert "phone_too_short" not in text.replace("<code>phone_too_short</code>", "")


def test_an_issue_leads_to_its_rows_and_a_row_to_its_issue() -> None:
    text = page([failing_row(4), failing_row(5, "Name")])
    assert {"#row-4", "#row-5", "#issue-1", "#issue-2"} <= set(hrefs(text))
    assert data(text)["titles"] == [
        "A phone number with too few digits in Name",
        "A phone number with too few digits in Phone",
    ]
    assert [problems[0][4] for _, _, problems in data(text)["rows"]] == [2, 1]


def test_warnings_are_apart_from_errors_and_their_bars_have_a_scale_of_their_own() -> None:
    error = Cluster("phone_too_short", "", "Phone", Severity.ERROR, "Too few digits.", 2, (2, 3))
    warning = Cluster("duplicate_phone", "", "Phone", Severity.WARNING, "Twice.", 1_000, (2, 9))
    text = page([failing_row(2), failing_row(3)], clusters=[error, warning])
    assert by_column([error, warning]) == [ColumnIssues("Phone", 2, 1_000, 100.0, 100.0)]
    assert text.index('id="fix"') < text.index("2</span> A phone number with too few digits") < text.index('id="check"')
    assert text.index('id="check"') < text.index("1,000</span> The same phone number twice")


def test_numbers_have_separators_and_a_row_that_is_not_shown_has_no_link() -> None:
    counts = {"read": 2_500_000, "created": 2_499_999, "invalid": 1}
    cluster = Cluster("phone_too_short", "", "Phone", Severity.ERROR, "Few.", 1_234, (4, 12_345))
    text = page(
        [failing_row(4)], clusters=[cluster], counts=counts, elapsed_seconds=3_725.0, rate={"requests": 2_500_003}
    )
    assert all(part in text for part in ("2,500,000", "1,234</span>", "2,500,003", "1 h 2 min"))
    assert '<a href="#row-4">4</a>, 12345' in text


def test_states_without_rows_are_left_out_and_the_others_are_explained() -> None:
    text = page([failing_row()], counts={"read": 2, "created": 1, "invalid": 1, "unknown": 0})
    assert "failed the check, or is a duplicate inside the file; never sent" in text
    assert "look-ups show whether" not in text


def test_long_lists_are_folded_so_that_a_phone_has_few_screens() -> None:
    clusters = [Cluster(f"made_up_{n}", "", f"C{n}", Severity.ERROR, "Wrong.", 1, (2,)) for n in range(40)]
    text = page([failing_row(row) for row in range(2, 60)], clusters=clusters)
    assert text.count("28 more kinds of error") == text.count("28 more columns") == 1
    assert "46 more rows" in text


def test_rows_beyond_the_limit_are_counted_and_their_file_is_named() -> None:
    failing = FailingRows(limit=3)
    rows = [failing_row(number) for number in range(2, 12)]
    for row in rows:
        failing(result_batch([row]))
    text = render_html(report(rows), failing, COLUMNS)
    assert "10 rows, of which the first 3 are here; all of them are in rejects.csv" in text


def test_every_part_of_the_report_is_shown() -> None:
    source = SourceInfo(
        "customers.csv", "csv", COLUMNS, detected=(Detected("delimiter", ";", 0.9),), warnings=("Ragged.",)
    )
    text = page(
        [failing_row()],
        source_info=source,
        changes={"trim": 1234},
        mapping={"firstName": "Name"},
        unknown=[UnknownRow(9, ("c-1",))],
        rate={"allowed": "10/s"},
        idv={"ready": 3, "missing": {"dateOfBirth": 2}},
        versions={"importer": "0.1.0"},
        files={"results": Path("runs/x/results.csv")},
        started_at=0.0,
        error="The circuit breaker opened.",
    )
    for part in ("Ragged.", "90 % sure", "1,234", "firstName", "c-1", "10/s", "dateOfBirth", "0.1.0", "results.csv"):
        assert part in text
    assert "1970-01-01 00:00:00 UTC" in text
    assert "The circuit breaker opened." in text


def test_a_report_without_rows_is_a_page_too() -> None:
    text = page([], counts={}, exit_code=6, error="There is no file customers.csv.", run_id="")
    assert "There is no file customers.csv." in text
    assert Outline(text).open == []


def test_the_page_is_written_whole_and_private(tmp_path: Path) -> None:
    path = write_html(report([]), FailingRows(), COLUMNS, tmp_path)
    assert path.read_text("utf-8").endswith("</html>")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_proposed_fixes_show_the_profiles_syntax_as_code() -> None:
    issue = Issue(0, "phone_no_country", "No country.", "primaryPhoneNumber.number", "Phone", Severity.ERROR)
    text = page([RowResult(0, 2, ("", "", ""), RowState.INVALID, errors=(issue,))])
    assert "<code>validation.default_region = &#34;US&#34;</code>" in text


@pytest.mark.parametrize(
    ("counts", "exit_code", "sentence"),
    [
        ({"read": 200, "created": 200}, 0, "All 200 customers are imported into sandbox."),
        ({"read": 1, "created": 1}, 0, "The 1 customer is imported into sandbox."),
        (
            {"read": 2000, "created": 1920, "existing": 1, "invalid": 78, "rejected": 1},
            3,
            "1,921 of 2,000 customers imported into sandbox; 79 rows need fixing.",
        ),
        (
            {"read": 9, "created": 6, "failed": 1, "unknown": 1, "invalid": 1},
            8,
            "6 of 9 customers imported into sandbox; 1 row needs fixing, 1 row failed, 1 row is in doubt.",
        ),
        (
            {"read": 1, "unsent": 1},
            4,
            "The run stopped early. 0 of 1 customer imported into sandbox; 1 row was not sent.",
        ),
        ({"read": 2, "created": 1}, 9, "The balance does not close: do not trust these files."),
        ({}, 6, "No row was read."),
    ],
)
def test_the_verdict_of_a_run_is_one_sentence(counts: dict[str, int], exit_code: int, sentence: str) -> None:
    assert verdict(report([], counts=counts, exit_code=exit_code, target="sandbox")).sentence == sentence


@pytest.mark.parametrize(
    ("counts", "exit_code", "sentence"),
    [
        (
            {"read": 120, "created": 120},
            0,
            "Rehearsal passed: all 120 rows would be imported. Nothing real was changed.",
        ),
        (
            {"read": 10, "created": 8, "invalid": 2},
            3,
            "Rehearsal: 8 of 10 rows would be imported; 2 rows need fixing. Nothing real was changed.",
        ),
    ],
)
def test_a_rehearsal_is_called_one(counts: dict[str, int], exit_code: int, sentence: str) -> None:
    assert verdict(report([], counts=counts, exit_code=exit_code)).sentence == sentence


def known_from(run_id: str, day: int, rows: int) -> dict[str, object]:
    at = datetime(2026, 11, day, 8, tzinfo=UTC).timestamp()
    return {"run_id": run_id, "rows": rows, "first_at": at, "last_at": at}


def test_customers_known_only_from_earlier_runs_are_reported_as_such() -> None:
    known = [known_from("20261120T080000Z-0a0a0a", 20, 5)]
    reported = verdict(
        report([], counts={"read": 5, "existing": 5}, exit_code=0, target="live", known_from=known)
    ).sentence

    assert reported == (
        "All 5 customers are imported into live. 5 were imported already, by run 20261120T080000Z-0a0a0a on 2026-11-20;"
        " the target was not asked. --verify-existing asks it."
    )


def test_of_several_earlier_runs_the_newest_is_named() -> None:
    known = [known_from("r-1", 20, 2), known_from("r-2", 21, 1), known_from("r-0", 1, 1)]
    reported = verdict(
        report([], counts={"read": 4, "existing": 4}, exit_code=0, target="live", known_from=known)
    ).sentence

    assert "4 were imported already, by run r-2 on 2026-11-21 and 2 earlier runs; the target was not asked." in reported


@pytest.mark.parametrize(
    ("invalid", "sentence"),
    [
        (0, "All 10 rows can be imported. Nothing was sent."),
        (4, "4 of 10 rows need fixing before they can be imported. Nothing was sent."),
        (1, "1 of 10 rows needs fixing before it can be imported. Nothing was sent."),
    ],
)
def test_the_verdict_of_a_dry_run_is_one_sentence(invalid: int, sentence: str) -> None:
    counts = {"read": 10, "valid": 10 - invalid, "invalid": invalid}
    assert verdict(report([], counts=counts, dry_run=True)).sentence == sentence


@pytest.mark.parametrize("command", ["resume", "retry"])
def test_the_verdict_names_the_next_command(command: str) -> None:
    counts = {"read": 2, "created": 1, "unknown": 1}
    reported = verdict(report([], counts=counts, exit_code=130 if command == "resume" else 8))
    assert f"importer {command} 20261122T083000Z-1a2b3c" in reported.next_step


def test_a_mask_keeps_the_shape_and_nothing_else() -> None:
    assert masked("Zoë O'Neil +1 (415) 555-0142 ٣ 漢") == "Xxx X'Xxxx +0 (000) 000-0000 0 x"


@pytest.mark.parametrize(
    ("column", "positions"), [("Phone", (1,)), ("Name, Phone", (0, 1)), ("a, b", (2,)), ("Nope", ()), ("", ())]
)
def test_issues_find_their_cells(column: str, positions: tuple[int, ...]) -> None:
    assert pointed_at(column, column_index(("Name", "Phone", "a, b"))) == positions
