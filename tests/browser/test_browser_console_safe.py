"""What keeps a console safe, where it takes a browser: masked pages, a session that has ended, two people at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import User, user
from tests.acceptance.test_acceptance_console_safe import CANARY, FILE, PASSWORD, profile_text, state_of
from tests.browser.consoles import console_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.consoles import ConsoleServer

__all__ = ["user"]
pytestmark = pytest.mark.slow


def uploaded(console: ConsoleServer, page: Page, file: str) -> str:
    """Upload a file; returns the address of its draft."""
    page.goto(console.url + "/new")
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_url("**/upload")
    return page.url.rpartition("/")[0]


def everything(page: Page, address: str, heading: str) -> str:
    """All that the browser has of a page, what is folded away included."""
    page.goto(address)
    page.get_by_role("heading", name=heading).first.wait_for()
    if address.endswith("/fix"):  # the grid asks for its rows by itself
        page.locator(".ag-pinned-left-cols-container .ag-row").filter(has_text="4").first.wait_for()
        page.locator(".ag-center-cols-container .ag-cell").first.wait_for()
    return str(page.evaluate("document.documentElement.outerHTML"))


def test_who_may_only_view_sees_no_value_in_any_step(user: User, new_page: Callable[..., Page]) -> None:
    file = user.has("customers.csv", FILE)
    profile = user.has("profile.toml", profile_text())
    steps = {"upload": "First rows", "map": "Your words", "fix": "What is wrong", "check": "What would happen"}
    with console_of(user, "--config", profile) as console:
        anna, carl = new_page(), new_page()
        console.signs_in(anna, "anna", PASSWORD)
        console.signs_in(carl, "carl", PASSWORD)
        draft = uploaded(console, anna, str(file))
        for step, heading in steps.items():
            address = f"{draft}/{step}"
            assert CANARY in everything(anna, address, heading) or step == "check", step
            assert CANARY not in everything(carl, address, heading), step
            assert carl.locator("input[type=file]").count() == 0
        _code, written = console.stop()
    assert CANARY not in written


def test_a_session_goes_on_while_somebody_types_and_a_page_whose_session_has_ended_changes_nothing(
    user: User, new_page: Callable[..., Page]
) -> None:
    """It waits: that a session ends by itself is what is tested."""
    profile = user.has("profile.toml", profile_text("idle_s = 10"))
    with console_of(user, "--config", profile) as console:
        page = new_page()
        console.signs_in(page, "anna", PASSWORD)
        uploaded(console, page, str(user.has("customers.csv", FILE)))
        page.get_by_role("button", name="Go on: match").wait_for()
        page.wait_for_timeout(6_000)
        page.keyboard.press("Shift")
        page.wait_for_timeout(6_000)
        with page.expect_navigation():  # the page shown until then has that button, too
            page.get_by_role("button", name="Read again").click()
        page.get_by_role("button", name="Go on: match").wait_for()
        before = state_of(user.home / "runs")
        page.wait_for_timeout(10_500)
        page.get_by_role("button", name="Go on: match").click()
        page.wait_for_url("**/sign-in")
        assert state_of(user.home / "runs") == before


def test_of_two_people_at_once_the_second_one_is_told_and_nothing_is_lost(
    user: User, new_page: Callable[..., Page]
) -> None:
    with console_of(user, "--config", user.has("profile.toml", profile_text())) as console:
        first, second = new_page(), new_page()
        for page in (first, second):
            console.signs_in(page, "anna", PASSWORD)
        draft = uploaded(console, first, str(user.has("customers.csv", FILE)))
        for page in (first, second):
            page.goto(f"{draft}/upload")
            page.get_by_role("button", name="Go on: match").wait_for()
        first.get_by_role("button", name="Go on: match").click()
        first.wait_for_url("**/map")
        kept = state_of(user.home / "runs")
        second.get_by_label("Row with the column names").fill("2")
        second.get_by_role("button", name="Go on: match").click()
        second.get_by_text("Somebody else changed this draft.").wait_for()
        assert second.url.endswith("/upload")
        assert state_of(user.home / "runs") == kept
        assert console.stop() == (0, "")


def test_what_a_file_holds_is_text_and_never_a_script(user: User, new_page: Callable[..., Page]) -> None:
    script = "<img src=x onerror=window.attacked=1></script><script>window.attacked=1</script>"
    file = FILE.replace("Phone Type", f"Kind {script}").replace("x", script)
    with console_of(user, "--config", user.has("profile.toml", profile_text())) as console:
        page = new_page()
        console.signs_in(page, "anna", PASSWORD)
        draft = uploaded(console, page, str(user.has("a <img src=x onerror=window.attacked=1>.csv", file)))
        ended = {"fix": "What is wrong", "check": "What would happen"}  # these pages begin work, and load anew after it
        for step in ("upload", "map", "fix", "check"):
            page.goto(f"{draft}/{step}")
            page.get_by_role("heading", level=2, name=ended.get(step)).first.wait_for()
            page.wait_for_load_state("networkidle")
            assert page.evaluate("window.attacked") is None, step
