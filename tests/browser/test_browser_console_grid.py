"""The grid of rows under the hands of somebody fast: what is typed is kept, whatever arrives meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import User, user
from tests.browser.consoles import console_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

__all__ = ["user"]
pytestmark = pytest.mark.slow

EMAIL = "[col-id='c2']"
ADDRESSES = ("ada at example.com", "bob at example.com", "eve at example.com")
SOURCE = "First Name,Last Name,Email,Phone\n" + "".join(
    f"Given{name[0]},Sample,{name},+14155550{100 + at}\n" for at, name in enumerate(ADDRESSES)
)


def test_what_is_typed_while_rows_arrive_is_kept(user: User, new_page: Callable[..., Page]) -> None:
    """The rows as they are after a correction come late, when the next cell is already being typed into."""
    file = user.has("people.csv", SOURCE)
    held: list[Route] = []
    with console_of(user) as console:
        page = new_page()
        page.goto(console.link)
        page.goto(console.url + "/new")
        page.locator("input[type=file]").set_input_files(str(file))
        for button, step in (("Go on: match", "map"), ("Go on: fix", "fix")):
            page.get_by_role("button", name=button).click()
            page.wait_for_url(f"**/{step}*")
        cells = [page.locator(f".ag-center-cols-container .ag-row[row-index='{at}'] {EMAIL}") for at in range(3)]
        cells[2].get_by_text("eve at").wait_for()
        page.route("**/rows.json*", lambda route: held.append(route))  # noqa: PLW0108  # Playwright writes an attribute on it

        cells[0].dblclick()
        page.keyboard.press("Control+a")
        page.keyboard.type("ada@example.com")
        with page.expect_request("**/rows.json*"):
            page.keyboard.press("Enter")
        cells[1].dblclick()
        page.keyboard.press("Control+a")
        page.keyboard.type("bob@exam")
        with page.expect_request_finished():
            held.pop().continue_()
        page.unroute("**/rows.json*")
        page.keyboard.type("ple.com")
        page.keyboard.press("Enter")

        page.get_by_text(re.compile(r"^1 rows? to fix")).wait_for()
        cells[1].get_by_text("bob@example.com").wait_for()
        cells[0].get_by_text("ada@example.com").wait_for()
        page.close()
