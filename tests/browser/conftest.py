"""A real Chromium for pages that people see, and axe-core to judge them.

Tests of this folder are synchronous, and start programs as processes (`User.types_for_real`, `User.starts`): as long
as the browser is open, an event loop runs in the thread of the tests, so nothing there can be asynchronous. The browser
is kept for one module alone: the next module may be.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.acceptance.components import needed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request

FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-quic")
HEIGHT = 844
_PATIENCE_MS = 120_000
"""How long is waited for anything on a page, in milliseconds: other tests keep the processors busy."""
_LIMIT_S = 420
_OWN_HOSTS = {"", "127.0.0.1", "localhost", "[::1]"}


class Look(NamedTuple):
    """How a page is looked at: the width in pixels, and the colours that the reader prefers."""

    width: int
    scheme: Literal["light", "dark"]


LOOKS = [Look(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]
PHONE, DESK = LOOKS[0], LOOKS[2]


def looked_at(page: Page, looks: Iterable[Look] = LOOKS) -> Iterator[Look]:
    """Show a page in every look, one after the other: going there again for each would take four times as long."""
    for look in looks:
        page.set_viewport_size({"width": look.width, "height": HEIGHT})
        page.emulate_media(color_scheme=look.scheme)
        yield look


def wait_for_count(locator: Locator, count: int) -> None:
    """Wait until a page has as many of something: what was just clicked or typed may not be shown yet."""
    from playwright.sync_api import expect

    expect(locator).to_have_count(count, timeout=_PATIENCE_MS)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist looks for groups in the same step
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that show pages more time, and those of a module one browser: each walks through many pages."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(_LIMIT_S))
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make tools")
    chromium = needed("chromium")
    with driver.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Makes pages, each as a reader of its own. The test fails where a script failed or a page asked another host."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []
    began = time.monotonic()

    def tell(what: str) -> None:
        """Write what happens on the pages: it is shown where the test fails."""
        sys.stdout.write(f"{time.monotonic() - began:8.3f} {what}\n")

    def asked(request: Request) -> None:
        if urlsplit(request.url).hostname not in {None, *_OWN_HOSTS}:
            faults.append(f"asked {request.url}")
        if request.is_navigation_request():
            tell(f"asks {request.url}")

    def make(look: Look = DESK, **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": look.width, "height": HEIGHT}, color_scheme=look.scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("console", lambda said: tell(f"says {said.text}"))
        page.on("framenavigated", lambda frame: tell(f"shows {frame.url}"))
        page.on("websocket", lambda socket: tell(f"connects to {urlsplit(socket.url).path}"))
        page.on("request", asked)
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """Gives what axe-core, all of its rules, finds wrong with a page: a line for each element."""
    package = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is missing: make tools")

    def judge(page: Page) -> list[str]:
        found = package.Axe().run(page).response["violations"]
        return [
            f"{one['id']}: {node['html'][:200]}: {node['failureSummary']}" for one in found for node in one["nodes"]
        ]

    return judge
