"""Somebody who sees the console for the first time: what has to be decided is said where it is, also to keys alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.acceptance.conftest import User, people, profile_for, serving, user
from tests.browser.conftest import wait_for_count
from tests.browser.consoles import ConsoleServer, console_of
from tests.browser.test_browser_console_way import Team, go_on, to_map

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
__all__ = ["profile_for", "user"]

_PASSWORD = "a long password for tests"


def messy(path: Path) -> Path:
    """A workbook with a title over its table, names that nobody else uses, and dates in two orders."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "Customers, from the old system"
    sheet.merge_cells("A1:F1")
    sheet.append([])
    sheet.append(["Cust #", "Full Name", "E-mail addr.", "Tel. (day)", "Kind of tel", "Birthday"])
    sheet.append(["K-1", "Ana Sample", "ana@example.com", "(415) 555-0101", "Landline", "03/14/1985"])
    sheet.append(["K-2", "Ben Sample", "ben@example.com", "415.555.0102", "cell", "25/12/1979"])
    sheet.append([])
    sheet.append(["K-3", "Cleo Sample", "cleo.example.com", "415 555 0103", "cell", "04/15/1990"])
    book.create_sheet("Old").append(["Cust #", "Town"])
    book.save(path)
    return path


def chooses(page: Page, field: str, value: str, *, typed: bool = False) -> None:
    """Choose a value of a list; `typed`: of a long one, which shows what fits the text."""
    page.get_by_label(field, exact=True).click()
    if typed:
        page.keyboard.type(value)
    page.get_by_role("option", name=value, exact=True).click()


def test_what_has_to_be_decided_is_said_at_its_step_and_cells_are_explained_to_keys(
    user: User, new_page: Callable[..., Page], axe: Callable[[Page], list[str]]
) -> None:
    with console_of(user) as console:
        page = new_page()
        console.enters(page)
        to_map(console, page, messy(user.home / "customers.xlsx"))
        go_on(page, "Go on: match", "map")
        page.get_by_role("heading", name="To decide first").wait_for()
        with page.expect_navigation(url="**/map"):  # nobody has decided: the step stays
            page.get_by_role("button", name="Go on: fix").click()
        page.get_by_text("contradict each other").wait_for()
        chooses(page, "Field for Kind of tel", "Phone type", typed=True)
        chooses(page, "Order in dates", "month, day, year")
        page.get_by_role("button", name="Go on: fix").click()
        page.get_by_text("what these words in “Kind of tel” mean: Landline").wait_for()  # they are new: shown first
        assert axe(page) == []
        chooses(page, "Landline", "HOME")
        go_on(page, "Go on: fix", "fix")
        page.get_by_text("2 rows to fix").wait_for()
        _explains_cells_to_keys(page)


def _explains_cells_to_keys(page: Page) -> None:
    page.locator(".ag-center-cols-container .ag-row[row-index='0'] [col-id='c0']").click()
    said = page.locator(".focused")
    said.get_by_text(
        "Row 5, Cust #: nothing is wrong in this cell, but in this row. Birthday: Date of birth"
    ).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    said.get_by_text("Row 7, E-mail addr.: Email address is not valid").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("cleo@example.com")
    page.keyboard.press("Enter")
    page.get_by_text("1 row to fix").wait_for()
    said.get_by_text("nothing is wrong.").wait_for()


@pytest.fixture
def team(user: User, profile_for: Callable[..., Path]) -> Iterator[Team]:
    with serving(user) as witness:
        yield Team.of(user, witness, profile_for)


def test_nights_and_plans_that_wait_are_marked_filtered_and_found(team: Team, new_page: Callable[..., Page]) -> None:
    inbox = team.user.home / "inbox"
    inbox.mkdir()
    (inbox / "arrived.csv").write_text(people(2), "utf-8")
    night = {**team.environ, "IMPORTER_TARGET": "emulator", "IMPORTER_NIGHTLY__SETTLE_S": "0.02"}
    assert team.user.types_for_real("nightly", "inbox", "--config", team.profile, **night).code == 0
    with console_of(team.user, "--config", team.profile, **team.environ) as console:
        page = new_page()
        console.signs_in(page, "anna", _PASSWORD)
        _plans(console, page, team.user.has("waiting.csv", people(3)))
        page.goto(console.url)
        rows = page.locator("tbody tr")
        rows.filter(has_text="arrived.csv").get_by_role("cell", name="night", exact=True).wait_for()
        waits = rows.filter(has_text="in preparation: Approve")
        waits.get_by_text("Waits for an approval by ben (up to 50,000 customers), carol.").wait_for()
        chooses(page, "Kind", "night")
        rows.filter(has_text="waiting.csv").first.wait_for(state="detached")
        wait_for_count(rows, 1)
        chooses(page, "Kind", "Any")
        chooses(page, "State", "finished")
        waits.wait_for(state="detached")
        chooses(page, "State", "Any")
        page.get_by_label("Search").fill("waiting")
        rows.filter(has_text="arrived.csv").wait_for(state="detached")
        wait_for_count(rows.filter(has_text="waiting.csv"), 2)  # the draft and its newest check


def _plans(console: ConsoleServer, page: Page, file: Path) -> None:
    to_map(console, page, file)
    for button, step in (("Go on: match", "map"), ("Go on: fix", "fix"), ("Go on: check", "check")):
        go_on(page, button, step)
    page.get_by_label("Password").fill(_PASSWORD)
    go_on(page, "make the plan", "approve")
    page.get_by_text("It can be approved by").first.wait_for()
