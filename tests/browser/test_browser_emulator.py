"""The emulator's pages as people see them: numbers that follow the server, and customers as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import Witness, people, sandbox, serving, user_in
from tests.browser.conftest import DESK, PHONE, looked_at, wait_for_count

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    """An emulator that holds customers."""
    user = user_in(tmp_path_factory.mktemp("emulator"))
    with serving(user) as running:
        profile = user.has("sandbox.toml", f'[targets.sandbox]\nbase_url = "{running.base_url}"\nrate = "1000/s"\n')
        ran = user.types_for_real("run", user.has("a.csv", people(120)), *sandbox(profile), **running.environ)
        assert ran.code == 0, ran.err
        yield running


def test_axe_finds_nothing_wrong_and_no_page_is_wider_than_its_screen(
    new_page: Callable[..., Page], axe: Callable[[Page], list[str]], witness: Witness
) -> None:
    page = new_page()
    for place in ("", "/customers.html"):
        page.goto(f"{witness.base_url}/_emulator{place}")
        for look in looked_at(page):
            assert (place, look, axe(page)) == (place, look, [])
            assert page.evaluate("document.documentElement.scrollWidth") == look.width


def test_the_root_leads_to_the_numbers_and_from_there_to_the_customers(
    new_page: Callable[..., Page], witness: Witness
) -> None:
    page = new_page(DESK)
    page.goto(witness.base_url)
    page.get_by_role("link", name="Customers", exact=True).click()
    wait_for_count(page.locator("tbody tr"), 100)
    page.get_by_role("link", name="Older").click()
    wait_for_count(page.locator("tbody tr"), 20)
    wait_for_count(page.get_by_role("row").filter(has_text="person0@example.com"), 1)
    assert witness.ledger()["counts"].get("other") is None


def test_the_numbers_follow_the_server_until_the_reader_stops_that(
    new_page: Callable[..., Page], witness: Witness
) -> None:
    page, asked = new_page(PHONE), list[str]()
    page.clock.install(time=0)
    page.clock.pause_at(1)  # time passes here as it is told, and not by itself
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{witness.base_url}/_emulator")
    page.evaluate("document.querySelector('#numbers td').textContent = 'old'")
    page.clock.run_for(2_100)
    page.locator("#numbers td").get_by_text("120", exact=True).first.wait_for()

    page.get_by_label("Follow the server").uncheck()
    before = len(asked)
    page.clock.run_for(60_000)
    assert len(asked) == before == 2
