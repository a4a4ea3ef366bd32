"""Rows go back to their run, questions of a run are answered, and drafts are listed: as people see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import User, Witness, people, profile_for, sandbox, serving, user
from tests.browser.consoles import ConsoleServer, console_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
__all__ = ["profile_for", "user"]


@pytest.fixture
def witness(user: User) -> Iterator[Witness]:
    """An emulator in a process of its own."""
    with serving(user) as running:
        yield running


def results(user: User) -> list[dict[str, str]]:
    """Those of the first run: the checks came later."""
    return user.reads(min(user.home.glob("runs/*/results.csv")))


def types(page: Page, column: int, text: str, failing: int) -> None:
    """Correct a cell of the first row in the grid; `failing`: how many rows are to be fixed then."""
    page.locator(f".ag-center-cols-container .ag-row[row-index='0'] [col-id='c{column}']").dblclick()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(rf"^{failing} rows? to fix")).wait_for()


def opens_run(console: ConsoleServer, page: Page, file: str) -> None:
    page.goto(console.url)
    console.opens_run(page, file)
    page.get_by_role("heading", name="Files").wait_for()


def test_rows_of_a_run_are_fixed_in_the_grid_and_returned_to_it(
    user: User,
    witness: Witness,
    profile_for: Callable[..., Path],
    new_page: Callable[..., Page],
    axe: Callable[..., list[str]],
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"', "canary = 0"])
    file = user.has("people.csv", people(6).replace("person3@", "person3.at.").replace("person5@", "person5.at."))
    assert user.types_for_real("run", file, *sandbox(profile), **witness.environ).code == 3
    assert len(witness.customers()) == 4
    with console_of(user, "--config", profile, **witness.environ) as console:
        page = new_page()
        console.enters(page)
        opens_run(console, page, "people.csv")
        assert axe(page) == []
        page.get_by_role("button", name="Fix and return these 2").click()
        page.wait_for_url("**/fix*")
        page.get_by_text("2 rows to fix").wait_for()
        page.locator(".ag-row").first.wait_for()
        types(page, 3, "person3@example.com", 1)
        page.get_by_role("button", name="Go on: check").click()
        page.wait_for_url("**/check*")
        page.get_by_role("button", name="Check again").click()
        page.get_by_role("button", name="Return them").wait_for()
        assert axe(page) == []
        assert page.get_by_role("button", name="Make the plan").count() == 0
        page.get_by_role("button", name="Return them").click()
        page.wait_for_url("**/runs/*")
        page.get_by_role("button", name="Fix and return these 1").wait_for()

    assert len(witness.customers()) == 5
    there = {one["id"] for one in witness.customers()}
    assert {row["_customer_id"] for row in results(user)} == {*there, ""}
    assert sorted(row["_status"] for row in results(user)) == ["created"] * 5 + ["invalid"]


@pytest.mark.parametrize(("answer", "sent"), [("Send the rest", 2), ("Stop here", 0)])
def test_the_question_after_the_first_rows_is_answered_on_the_page(
    user: User, profile_for: Callable[..., Path], new_page: Callable[..., Page], answer: str, sent: int
) -> None:
    file = user.has("people.csv", people(4))
    plan = user.has("faults.toml", REFUSED)
    with serving(user, "--faults", str(plan)) as witness:
        profile = profile_for(witness, delivery=['rate = "100/s"', "canary = 2"])
        environ = {**witness.environ, "IMPORTER_TARGET": "sandbox"}
        with console_of(user, "--config", profile, **environ) as console:
            page = new_page()
            console.enters(page)
            to_approval(console, page, file)
            page.get_by_role("button", name="Run: 4 customers").click()
            page.get_by_role("button", name=answer).wait_for()
            before = len(witness.customers())
            page.reload()
            page.get_by_role("button", name=answer).click()
            page.get_by_role("heading", name="Files").wait_for()
        assert len(witness.customers()) == before + sent


REFUSED = """
[[rule]]
fault = "status"
status = 422
on = ["create"]
from_request = 0
for_requests = 4
"""


def to_approval(console: ConsoleServer, page: Page, file: Path) -> None:
    """From the upload of a file to its plan."""
    page.goto(console.url + "/new")
    page.locator("input[type=file]").set_input_files(str(file))
    for button, step in (("Go on: match", "map"), ("Go on: fix", "fix"), ("Go on: check", "check")):
        page.get_by_role("button", name=button).click()
        page.wait_for_url(f"**/{step}*")
    page.get_by_role("button", name="Make the plan").click()
    page.get_by_role("button", name="Run:").wait_for()


def test_drafts_are_listed_with_their_step_gone_on_with_and_removed(
    user: User, new_page: Callable[..., Page], axe: Callable[..., list[str]]
) -> None:
    file = user.has("people.csv", people(3).replace("person1@", "person1.at."))
    with console_of(user) as console:
        page = new_page()
        console.enters(page)
        page.goto(console.url + "/new")
        page.locator("input[type=file]").set_input_files(str(file))
        page.get_by_role("button", name="Go on: match").click()
        page.get_by_role("button", name="Go on: fix").click()
        page.get_by_text("1 row to fix").wait_for()
        page.goto(console.url)
        draft = page.locator("tbody tr").filter(has_text="in preparation: Fix")
        draft.get_by_role("cell", name="ago").or_(draft.get_by_role("cell", name="now")).wait_for()
        assert axe(page) == []
        remove = page.get_by_role("button", name="Remove people.csv").bounding_box()
        assert remove
        assert remove["x"] + remove["width"] < 1280  # nobody has to find it by scrolling
        draft.get_by_role("link", name="people.csv").click()
        page.get_by_text("1 row to fix").wait_for()
        rows = page.locator(".ag-center-cols-container .ag-row")
        page.get_by_role("button", name="Put this row back").click()
        page.get_by_text("Choose a cell first.").wait_for()
        for button, shown, left in (("Leave this row out", "To fix", 0), ("Put this row back", "Left out", 1)):
            page.get_by_role("button", name=shown).click()
            rows.get_by_role("gridcell").first.click()
            page.get_by_role("button", name=button).click()
            page.get_by_text(re.compile(rf"^{left} rows? to fix")).wait_for()
            rows.first.wait_for(state="detached")  # the list that is shown no longer has it
        page.goto(console.url)
        page.get_by_role("button", name="Remove people.csv").click()
        page.get_by_role("button", name="Keep it").click()
        page.get_by_role("dialog").wait_for(state="detached")
        page.get_by_role("button", name="Remove people.csv").click()
        page.get_by_role("button", name="Remove it").click()
        draft.wait_for(state="detached")
        page.locator("tbody tr").filter(has_text="check").wait_for()
    assert not any((user.home / "runs" / "drafts").iterdir())
