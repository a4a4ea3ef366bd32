"""The list of imports, the page of a run, settings: as people see them, and what they can do there."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import (
    SAMPLES,
    User,
    Witness,
    ended,
    exactly_once,
    people,
    profile_for,
    sandbox,
    serving,
    user,
    user_in,
    wait_for,
)
from tests.browser.conftest import looked_at, wait_for_count
from tests.browser.consoles import ConsoleServer, connected, connects_late, console_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
__all__ = ["profile_for", "user"]
_ROWS = 150


@pytest.fixture
def witness(user: User) -> Iterator[Witness]:
    """An emulator in a process of its own."""
    with serving(user) as running:
        yield running


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleServer]:
    """A console over a workspace with an import and a dry run."""
    user = user_in(tmp_path_factory.mktemp("runs"))
    assert user.types_for_real("run", SAMPLES / "customers.xlsx").code == 0
    assert user.types_for_real("validate", SAMPLES / "customers_messy.csv").code == 3
    with console_of(user) as started:
        yield started


def test_runs_are_listed_searched_and_filtered_and_one_is_opened(
    console: ConsoleServer, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    console.enters(page)
    rows = page.locator("tbody tr")
    wait_for_count(rows, 2)
    page.get_by_role("columnheader", name="File").click()  # by name, and no longer the newest first
    rows.first.filter(has=page.get_by_role("link", name="customers.xlsx")).wait_for()
    page.get_by_label("Search").fill("messy")
    wait_for_count(rows, 1)

    connects_late(page)  # a link that is pressed meanwhile is followed when it is let go
    page.reload()
    page.get_by_role("link", name="customers_messy.csv").hover()
    page.mouse.down()
    connected(page)
    other = page.context.new_page()
    other.goto(console.url)  # whatever the page was told as it connected has been told by then
    other.get_by_role("heading", level=1).wait_for()
    other.close()
    page.mouse.up()
    page.get_by_role("heading", name="What to fix").wait_for()
    page.get_by_text("A required field is blank").first.wait_for()
    wait_for_count(page.get_by_text("REHEARSAL"), 1)


def test_pages_are_clean_for_axe_and_none_is_wider_than_its_window(
    console: ConsoleServer, new_page: Callable[..., Page], axe: Callable[[Page], list[str]]
) -> None:
    page = new_page()
    console.enters(page)
    first = page.locator("tbody a").first.get_attribute("href")
    for address in ("/", "/new", "/settings", str(first)):
        page.goto(console.url + address)
        page.get_by_role("heading", level=1).wait_for()
        for look in looked_at(page):
            assert axe(page) == [], look
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, look)


def test_a_customer_is_found_in_a_run_and_the_story_of_its_row_is_read(
    console: ConsoleServer, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    console.enters(page)
    console.opens_run(page, "customers.xlsx")
    story = console.opens_story(page, "joseph.martin@", 2)
    assert story.get_by_text("create: 201").count() == 1
    assert story.get_by_text("joseph.martin@example.com").count()

    connects_late(page)  # what is typed meanwhile arrives as it was typed
    page.reload()
    page.get_by_label("Search", exact=True).press_sequentially("nobody of that name")
    page.get_by_label("Search", exact=True).fill("joseph.martin@")
    page.get_by_label("Search", exact=True).press("Enter")
    connected(page)
    page.get_by_role("button", name="Row 2", exact=True).wait_for()


def _resumes(page: Page, witness: Witness) -> None:
    """Resume a run: it is seen to be under way, however slow this machine is."""
    with witness.held():
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("heading", name="Under way").wait_for()


def test_a_stopped_run_is_resumed_watched_stopped_and_resumed_again(
    user: User, witness: Witness, profile_for: Callable[..., Path], new_page: Callable[..., Page]
) -> None:
    profile = profile_for(witness, delivery=['rate = "20/s"', "canary = 0"])
    file = user.has("people.csv", people(_ROWS))
    running = user.starts("run", file, *sandbox(profile), **witness.environ)
    wait_for(lambda: len(witness.customers()) > 5, running)
    running.send_signal(signal.SIGINT)
    assert ended(running).code == 130

    with console_of(user, "--config", profile, **witness.environ) as console:
        page = new_page()
        console.enters(page)
        page.get_by_role("link", name="people.csv").click()
        with witness.held():
            page.get_by_role("button", name="Resume").click()
            page.get_by_role("heading", name="Under way").wait_for()
            page.get_by_text("Sending").first.wait_for()
            page.reload()
            page.get_by_role("button", name="Stop", exact=True).click()
            page.get_by_role("button", name="Stop", exact=True, disabled=True).wait_for()
        page.get_by_role("button", name="Resume").wait_for()
        assert 5 < len(witness.customers()) < _ROWS
        _resumes(page, witness)
        page.get_by_role("heading", name="Under way").wait_for(state="detached")
        page.get_by_text("Created").first.wait_for()

    (results,) = user.home.glob("runs/*/results.csv")
    exactly_once(witness, user.reads(results))
    assert len(witness.customers()) == _ROWS


def test_a_run_of_another_program_is_followed_and_what_was_typed_meanwhile_stays(
    user: User, new_page: Callable[..., Page]
) -> None:
    running = user.starts("run", user.has("people.csv", people(1_000)), "--rate", "5/s")
    with console_of(user) as console:
        page = new_page()
        wait_for(lambda: len(list(user.home.glob("runs/2*"))) == 1, running)
        console.enters(page)
        page.get_by_role("link", name="people.csv").click()
        page.get_by_text("under way in another program").wait_for()
        created = page.locator("dl.counts div", has=page.get_by_text("Created")).locator("data")
        created.wait_for()
        before = int(str(created.get_attribute("value")))
        page.get_by_label("Search", exact=True).fill("typed meanwhile")
        more = "before => document.querySelector('dl.counts div:nth-child(2) data')?.value > before"
        page.wait_for_function(more, arg=before)
        assert page.get_by_label("Search", exact=True).input_value() == "typed meanwhile"
        running.send_signal(signal.SIGINT)
        assert ended(running).code == 130
        page.get_by_role("button", name="Resume").wait_for()


def test_a_console_that_is_killed_while_it_sends_loses_nothing_and_goes_on(
    user: User, witness: Witness, profile_for: Callable[..., Path], new_page: Callable[..., Page]
) -> None:
    profile = profile_for(witness, delivery=['rate = "20/s"', "canary = 0"])
    file = user.has("people.csv", people(_ROWS))
    running = user.starts("run", file, *sandbox(profile), **witness.environ)
    wait_for(lambda: len(witness.customers()) > 5, running)
    running.send_signal(signal.SIGINT)
    ended(running)

    with console_of(user, "--config", profile, **witness.environ) as console:
        page = new_page()
        console.enters(page)
        page.get_by_role("link", name="people.csv").click()
        _resumes(page, witness)
        before = len(witness.customers())
        assert console.process is not None
        wait_for(lambda: len(witness.customers()) > before + 10, console.process)
        console.kill()
        console.start()
        page.goto(console.url)  # the session outlives the console
        page.get_by_role("link", name="people.csv").click()
        _resumes(page, witness)
        page.get_by_role("heading", name="Under way").wait_for(state="detached")

    (results,) = user.home.glob("runs/*/results.csv")
    exactly_once(witness, user.reads(results))


def test_settings_show_the_profile_and_the_checks_and_the_console_ends_without_a_word(
    user: User, witness: Witness, profile_for: Callable[..., Path], new_page: Callable[..., Page]
) -> None:
    profile = profile_for(witness, delivery=['rate = "20/s"'])
    with console_of(user, "--config", profile, **witness.environ) as console:
        page = new_page()
        console.enters(page)
        page.goto(console.url + "/settings")
        page.get_by_role("button", name="Next page").click()
        page.get_by_text("21-40 of").wait_for()
        page.get_by_label("Search").fill("delivery.rate")
        page.get_by_text("20/s").first.wait_for()
        page.get_by_role("button", name="Check now").click()
        page.get_by_text("credentials").first.wait_for()
        assert witness.environ["ROCKETKOR_API_SECRET"] not in page.content()
        assert console.stop() == (0, "")


def test_a_link_works_once_and_a_stranger_sees_nothing(console: ConsoleServer, new_page: Callable[..., Page]) -> None:
    link, page = console.link, new_page()
    console.enters(page)
    stranger = new_page()
    stranger.goto(console.url)
    assert stranger.url.endswith("/sign-in")
    assert "customers" not in stranger.content()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.goto(console.url)
    assert page.url.endswith("/sign-in")
    assert link != console.link
