"""What the other tests of this folder rely on: the browser works, and what it and axe-core find is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import LOOKS, Look

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

_PAGE = """<!doctype html><html lang="en"><head><title>A page</title><meta name="color-scheme" content="light dark">
</head><body><main><h1>A page</h1>{}</main></body></html>"""


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_page_is_seen_in_the_width_and_the_colours_that_are_asked_for(
    new_page: Callable[..., Page], look: Look
) -> None:
    page = new_page(look)
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (page.evaluate("innerWidth"), dark) == (look.width, look.scheme == "dark")


def test_axe_finds_a_picture_without_words_and_nothing_wrong_with_a_plain_page(
    new_page: Callable[..., Page], axe: Callable[[Page], list[str]]
) -> None:
    page = new_page()
    page.set_content(_PAGE.format("<p>Words.</p>"))
    assert axe(page) == []
    page.set_content(_PAGE.format('<img src="data:,">'))
    assert [line.partition(":")[0] for line in axe(page)] == ["image-alt"]
