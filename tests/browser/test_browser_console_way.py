"""The whole way: from the upload of a messy workbook to its results, by two people, through restarts of the console."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from importer.approval import new_key
from importer.console.access import password_hash
from tests.acceptance.conftest import User, Witness, people, profile_for, sandbox, serving, user
from tests.approvals import Office
from tests.browser.conftest import looked_at
from tests.browser.consoles import ConsoleServer, console_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["profile_for", "user"]
pytestmark = pytest.mark.slow

_PASSWORD = "a long password for tests"
_USERS = {"anna": ["prepare", "run"], "ben": ["approve"], "carl": ["view"]}
_GOOD, _FAXES = 60, 4
_ROWS = _GOOD + _FAXES + 3


def messy(path: Path) -> Path:
    """A workbook with a title, a header in row 3, three rows with an error each, and four with an unknown word."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Customers of the old system"])
    sheet.append([])
    sheet.append(["ID", "First Name", "Last Name", "Email", "Phone", "Phone Type", "DOB"])
    for number in range(_GOOD):
        sheet.append(_person(number))
    for number in range(_FAXES):
        sheet.append(_person(_GOOD + number, kind="Telefax"))
    sheet.append(_person(90, email="no-at-sign.example.com"))
    sheet.append(_person(91, last=""))
    sheet.append(_person(92, born="1990-13-45"))
    book.save(path)
    return path


def _person(
    number: int, *, last: str = "Sample", email: str = "", kind: str = "Mobile", born: str = "1980-01-31"
) -> list[str]:
    first = "Given" + chr(97 + number // 26) + chr(97 + number % 26)
    phone = f"+1415555{100 + number % 100:04d}"
    return [f"W-{number}", first, last and f"{last}{first[5:]}", email or f"w{number}@example.com", phone, kind, born]


@dataclass
class Team:
    """A console with users, a target that takes approved plans alone, and those who sign them."""

    user: User
    witness: Witness
    profile: Path
    office: Office
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, user: User, witness: Witness, profile_for: Callable[..., Path]) -> Team:
        office = Office(user.home / "office", witness.base_url.partition("://")[2])
        for name in ("anna", "ben", "carol"):
            office.signers[name] = new_key(office.keys, name, _PASSWORD).unlock(_PASSWORD)
        office.decrees()
        users = "".join(
            f'[console.users.{name}]\npassword = "{password_hash(_PASSWORD)}"\nroles = {roles}\n'.replace("'", '"')
            for name, roles in _USERS.items()
        )
        profile = profile_for(witness, delivery=['rate = "15/s"', "canary = 0"], more=users)
        environ = {
            **witness.environ,
            "IMPORTER_TARGET": "sandbox",
            "IMPORTER_APPROVAL_POLICY": str(office.path),
            "IMPORTER_KEYS": str(office.keys),
        }
        return cls(user, witness, profile, office, environ)


@pytest.fixture
def team(user: User, profile_for: Callable[..., Path]) -> Iterator[Team]:
    with serving(user) as witness:
        yield Team.of(user, witness, profile_for)


def restarted(console: ConsoleServer, page: Page) -> None:
    """Kill the console and start it again; the page is as it was."""
    address = page.url
    console.kill()
    console.start()
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()


def to_map(console: ConsoleServer, page: Page, file: Path) -> None:
    page.goto(console.url + "/new")
    page.locator("input[type=file]").set_input_files(str(file))
    page.wait_for_url("**/upload")


def go_on(page: Page, button: str, to: str) -> None:
    page.get_by_role("button", name=button).click()
    page.wait_for_url(f"**/{to}*")


def cell(page: Page, row: int, column: int) -> str:
    """The selector of a cell of the grid."""
    index = page.locator(".ag-pinned-left-cols-container .ag-row").filter(has_text=re.compile(rf"^{row}$"))
    place = index.first.get_attribute("row-index")
    return f".ag-center-cols-container .ag-row[row-index='{place}'] [col-id='c{column}']"


def types(page: Page, row: int, column: int, text: str, failing: int) -> None:
    """Correct a cell in the grid; `failing`: how many rows are to be fixed then."""
    page.locator(cell(page, row, column)).dblclick()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(rf"^{failing} rows? to fix")).wait_for()


def test_from_a_messy_workbook_to_results_by_two_people_through_restarts(
    team: Team, new_page: Callable[..., Page]
) -> None:
    file = messy(team.user.home / "customers.xlsx")
    with console_of(team.user, "--config", team.profile, **team.environ) as console:
        page = new_page()
        console.signs_in(page, "anna", _PASSWORD)
        _uploads_and_maps(console, page, file)
        _fixes(console, page)
        _plans(console, page)
        _approves(console, new_page(), page.url)
        _runs(console, page, team.witness)

    emails = sorted(one["primaryEmail"]["value"] for one in team.witness.customers())
    assert len(emails) == len(set(emails)) == _ROWS
    assert "fixed@example.com" in emails
    shown = team.user.types_for_real("show", "last", "--verify", "--json", **team.environ)
    assert shown.code == 0, shown.out
    receipt = "".join(path.read_text("utf-8") for path in team.user.home.glob("runs/*/receipt.json"))
    assert '"anna"' in receipt
    assert '"ben"' in receipt


def _uploads_and_maps(console: ConsoleServer, page: Page, file: Path) -> None:
    to_map(console, page, file)
    restarted(console, page)
    go_on(page, "Go on: match", "map")
    restarted(console, page)
    page.get_by_text("Telefax").first.wait_for()
    go_on(page, "Go on: fix", "fix")


def _fixes(console: ConsoleServer, page: Page) -> None:
    """Three cells in the grid, and four at once: changed, undone, changed again."""
    first = 4 + _GOOD + _FAXES
    page.get_by_text(f"{_FAXES + 3} rows to fix").wait_for()
    page.locator(".ag-row").first.wait_for()
    types(page, first, 3, "fixed@example.com", _FAXES + 2)
    types(page, first + 1, 2, "Samplefixed", _FAXES + 1)
    restarted(console, page)
    page.locator(".ag-row").first.wait_for()
    types(page, first + 2, 6, "1990-12-05", _FAXES)
    page.get_by_role("button", name=re.compile("does not translate: Phone Type")).click()
    _all_alike(page)
    page.get_by_role("button", name="Undo the last change").click()
    page.get_by_text(f"{_FAXES} rows to fix").wait_for()
    _all_alike(page)


def _all_alike(page: Page) -> None:
    page.get_by_role("button", name="Fix all of these").click()
    page.get_by_label("New text").fill("Mobile")
    page.get_by_role("button", name="Show what changes").click()
    page.get_by_text(f"{_FAXES} of {_FAXES} cells would change").wait_for()
    page.get_by_role("button", name="Change them").click()
    page.get_by_text("0 rows to fix").wait_for()


def _plans(console: ConsoleServer, page: Page) -> None:
    go_on(page, "Go on: check", "check")
    page.get_by_role("button", name="Check again").click()
    page.get_by_text("As it will be sent").wait_for()
    restarted(console, page)
    page.get_by_label("Password").fill(_PASSWORD)
    go_on(page, "Make the plan", "approve")
    page.get_by_text("It can be approved by").first.wait_for()
    assert page.get_by_role("button", name="Run:").count() == 0
    assert page.get_by_role("button", name="Approve this plan").count() == 0


def _approves(console: ConsoleServer, page: Page, address: str) -> None:
    """Ben signs with his own key: a wrong password opens it for nobody."""
    console.signs_in(page, "ben", _PASSWORD)
    page.goto(address)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Approve this plan").click()
    page.locator(".q-notification").wait_for()
    page.get_by_label("Password").fill(_PASSWORD)
    page.get_by_role("button", name="Approve this plan").click()
    page.get_by_text("approved", exact=True).wait_for()
    assert page.get_by_role("button", name="Run:").count() == 0


def _runs(console: ConsoleServer, page: Page, witness: Witness) -> None:
    """The run is stopped in the middle, and goes on after another restart."""
    restarted(console, page)
    with witness.held():
        page.get_by_role("button", name=f"Run: {_ROWS} customers").click()
        page.wait_for_url("**/runs/**")
        page.get_by_role("heading", name="Under way").wait_for()
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_role("button", name="Stop", exact=True, disabled=True).wait_for()
    page.get_by_role("button", name="Resume").wait_for()
    assert len(witness.customers()) < _ROWS
    restarted(console, page)
    with witness.held():
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("heading", name="Under way").wait_for()
    page.get_by_role("heading", name="Under way").wait_for(state="detached")
    page.get_by_role("heading", name="Files").wait_for()


def test_rows_that_go_back_to_their_run_are_planned_and_approved_where_the_policy_asks_for_it(
    team: Team, new_page: Callable[..., Page]
) -> None:
    team.office.decrees(approval=False)
    file = team.user.has("people.csv", people(4).replace("person3@", "person3.at."))
    assert team.user.types_for_real("run", file, *sandbox(team.profile), **team.environ).code == 3
    team.office.decrees()
    with console_of(team.user, "--config", team.profile, **team.environ) as console:
        page = new_page()
        console.signs_in(page, "anna", _PASSWORD)
        page.get_by_role("link", name="people.csv").click()
        page.get_by_role("button", name="Fix and return these 1").click()
        page.get_by_text("1 row to fix").wait_for()
        page.locator(".ag-row").first.wait_for()
        types(page, 2, 3, "person3@example.com", 0)
        go_on(page, "Go on: check", "check")
        page.get_by_role("button", name="Check again").click()
        page.get_by_label("Password").fill(_PASSWORD)
        assert page.get_by_role("button", name="Return them").count() == 0
        go_on(page, "Make the plan", "approve")
        page.get_by_text("It can be approved by").first.wait_for()
        assert page.get_by_role("button", name="Run:").count() == 0
        _approves(console, new_page(), page.url)
        page.reload()
        page.get_by_role("button", name="Run: 1 customers").click()
        page.wait_for_url("**/runs/**")
        page.get_by_role("heading", name="Files").wait_for()
    assert len(team.witness.customers()) == 4
    assert team.user.types_for_real("show", "last", "--verify", "--json", **team.environ).code == 0


def test_every_step_is_clean_for_axe_and_none_is_wider_than_its_window(
    user: User, new_page: Callable[..., Page], axe: Callable[[Page], list[str]]
) -> None:
    def judge() -> None:
        for look in looked_at(page):
            assert axe(page) == [], (page.url, look)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (page.url, look)

    file = messy(user.home / "customers.xlsx")
    with console_of(user) as console:
        page = new_page()
        console.enters(page)
        to_map(console, page, file)
        for button, step in (("Go on: match", "map"), ("Go on: fix", "fix"), ("Go on: check", "check")):
            judge()
            go_on(page, button, step)
            page.locator({"map": "ul.mapping", "fix": ".ag-row", "check": "table.cells"}[step]).first.wait_for()
        judge()
        go_on(page, "Make the plan", "approve")
        page.get_by_text("SHA-256").wait_for()
        judge()
