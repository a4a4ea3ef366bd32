"""`make screenshots`: every page of the console as people see it, in light and dark, on a phone and at a desk.

A messy file goes the whole way, from the upload to the results of a run at the emulator. Whoever changes a page looks
at the pictures in build/screenshots/ then.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.acceptance.components import needed
from tests.acceptance.conftest import ROOT, SAMPLES, User, user_in
from tests.browser.conftest import FLAGS, HEIGHT, LOOKS, Look
from tests.browser.consoles import ConsoleServer, console_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

OUT = ROOT / "build" / "screenshots"
_PROFILE = '[delivery]\nrate = "8/s"\ncanary = 0\n'
"""Slow enough that a run is seen while it is under way."""
_LONG_MS = 60_000
_LOOKS = (*LOOKS, Look(1920, "light"))


@dataclass(frozen=True)
class Camera:
    """Takes pictures of a page, in every look.

    Args:
        out: the folder of the pictures.
        pages: one for each look.
    """

    out: Path
    pages: dict[Look, Page]

    def takes(self, name: str, address: str, ready: Callable[[Page], None] | None = None) -> None:
        """Open an address in every look, and take its picture.

        Args:
            ready: makes the page what the picture is to show.
        """
        for look, page in self.pages.items():
            page.goto(address)
            page.locator(".card, .fixing").first.wait_for(timeout=_LONG_MS)
            if ready is not None:
                ready(page)
            page.wait_for_function("document.fonts.status === 'loaded' && !document.querySelector('.q-spinner')")
            page.screenshot(path=self.out / f"{name}-{look.width}-{look.scheme}.png", full_page=True)


@contextmanager
def camera(browser: Browser, out: Path, entered: BrowserContext | None = None) -> Iterator[Camera]:
    """A camera for a block.

    Args:
        entered: whose session its pages have.
    """
    contexts = {
        look: browser.new_context(
            viewport={"width": look.width, "height": HEIGHT}, color_scheme=look.scheme, reduced_motion="reduce"
        )
        for look in _LOOKS
    }
    for context in contexts.values():
        if entered is not None:
            context.add_cookies(entered.cookies())  # type: ignore[arg-type]
    yield Camera(out, {look: context.new_page() for look, context in contexts.items()})
    for context in contexts.values():
        context.close()


def whole_way(console: ConsoleServer, browser: Browser, out: Path) -> None:
    """Take a messy file from the upload to its results, and a picture of every page on the way."""
    page = browser.new_page()
    console.enters(page)
    with camera(browser, out, page.context) as taken:
        taken.takes("01-imports-empty", console.url)
        taken.takes("02-new", f"{console.url}/new")
        _prepare(console, page, taken)
        taken.takes("08-imports-with-a-draft", console.url)
        _send(page, taken)
        taken.takes("12-imports", console.url)
        taken.takes("13-settings", f"{console.url}/settings")


def _prepare(console: ConsoleServer, page: Page, taken: Camera) -> None:
    page.goto(f"{console.url}/new")
    page.locator("input[type=file]").set_input_files(SAMPLES / "customers_messy.csv")
    page.wait_for_url("**/upload")
    taken.takes("03-upload", page.url)
    _go_on(page, "Go on: match", "map")
    taken.takes("04-map", page.url)
    _go_on(page, "Go on: fix", "fix")
    page.locator(".ag-row").first.wait_for(timeout=_LONG_MS)
    taken.takes("05-fix", page.url, _grid)
    taken.takes("06-fix-alike", page.url, _alike)
    _go_on(page, "Go on: check", "check")
    taken.takes("07-check", page.url, lambda page: page.get_by_role("heading", name="Plan").wait_for(timeout=_LONG_MS))


def _grid(page: Page) -> None:
    """The rows to fix, with the cursor in the first cell that is wrong: what is said of it is below."""
    page.locator(".ag-row .ag-cell.is-wrong").first.click(timeout=_LONG_MS)
    page.locator(".focused").filter(has_text="Row ").wait_for()


def _alike(page: Page) -> None:
    """The form that changes all cells that are alike, opened for one kind of error."""
    _grid(page)
    page.locator("aside .choice.error").filter(has_text="Not a date").click()
    page.get_by_role("button", name="Fix all of these").click()
    page.get_by_label("New text").wait_for()


def _send(page: Page, taken: Camera) -> None:
    _go_on(page, "Make the plan", "approve")
    page.get_by_text("SHA-256").wait_for(timeout=_LONG_MS)
    taken.takes("09-approve", page.url)
    page.get_by_role("button", name=re.compile("^Run: ")).click()
    page.wait_for_url("**/runs/**")
    page.get_by_role("heading", name="Under way").wait_for()
    taken.takes("10-under-way", page.url)
    page.get_by_role("heading", name="Files").wait_for(timeout=_LONG_MS)
    taken.takes("11-results", page.url)


def _go_on(page: Page, button: str, to: str) -> None:
    page.get_by_role("button", name=button).click()
    page.wait_for_url(f"**/{to}*", timeout=_LONG_MS)


def of_users(console: ConsoleServer, browser: Browser, out: Path) -> None:
    """What people see who sign in, one who may only view, and one who is refused."""
    page = browser.new_page()
    console.signs_in(page, "cleo", "fictional-password-of-cleo")
    with camera(browser, out) as nobody:
        nobody.takes("14-sign-in", f"{console.url}/sign-in")
    with camera(browser, out, page.context) as taken:
        taken.takes("15-imports-of-a-viewer", console.url)
        taken.takes("16-new-refused", f"{console.url}/new")


def take(user: User, out: Path) -> None:
    """Take all pictures.

    Args:
        user: has the workspace.
        out: the folder of the pictures.
    """
    out.mkdir(parents=True, exist_ok=True)
    user.has("console.toml", _PROFILE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needed("chromium"), args=list(FLAGS))
        with console_of(user, "--config", "console.toml") as console:
            whole_way(console, browser, out)
        with console_of(user, "--config", ROOT / "configs" / "console.toml") as console:
            of_users(console, browser, out)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    with tempfile.TemporaryDirectory() as home:
        take(user_in(Path(home)), parser.parse_args().out)
