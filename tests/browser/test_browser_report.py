"""The report as people see it: on a phone and at a desk, in light and dark, on paper, and where scripts do not run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from tests.acceptance.conftest import ROOT, SAMPLES, Ran, User, user_in
from tests.browser.conftest import DESK, LOOKS, PHONE, Look, looked_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

_PHONE_SCREENS, _SCREEN = 10, 844
FAILING = 297
"""Rows of `many_kinds` that have an error."""
_COLUMNS = (
    "Legacy ID", "First Name", "Last Name", "Phone", "Phone Type", "Email", "Date of Birth",
    "Physical Street", "Physical City", "Physical State", "Physical Zip", "Physical Country",
)  # fmt: skip
_WRONG = (
    ("First Name", ""), ("Last Name", ""), ("Email", ""), ("Phone", ""), ("Physical City", ""), ("Phone", "12"),
    ("Phone", "+1 415 555 01421111111"), ("Phone", "#N/A"), ("Phone", "4.16E+09"), ("Phone", "call me"),
    ("Email", "a@@example.com"), ("Email", "no sign"), ("Email", "a@b"), ("Email", "a b@example.com"),
    ("Date of Birth", "unknown"), ("Date of Birth", "1790-01-01"), ("Date of Birth", "2031-05-05"),
    ("Physical Country", "Atlantis"), ("Physical State", "ZZ"), ("Physical Street", "PO Box 12"), ("Phone Type", "Fax"),
    ("First Name", "X" * 80), ("Legacy ID", "L-1"), ("Last Name", "#REF!"), ("Physical Zip", "1"),
)  # fmt: skip


def many_kinds(rows: int = 900) -> str:
    """A file in which every third row is wrong, in one of many ways, and some rows in two."""
    lines = [",".join(_COLUMNS)]
    for number in range(rows):
        area = (212, 305, 312, 415, 512)[number // 100 % 5]
        cells = dict(zip(_COLUMNS, (
            f"L-{number}", f"Given{chr(97 + number % 26)}", f"Family{chr(97 + number // 26 % 26)}",
            f"+1{area}555{100 + number % 100:04d}", "Mobile", f"person{number}@example.com", "1980-01-31",
            f"{number} Main Street", "Springfield", "IL", "62701", "USA",
        ), strict=True))  # fmt: skip
        if number % 3 == 0:
            cells.update([_WRONG[number // 3 % len(_WRONG)], _WRONG[number // 9 % len(_WRONG)]])
        lines.append(",".join(cells.values()))
    return "\n".join(lines) + "\n"


_ONBOARDING = (SAMPLES / "onboarding.csv", "--config", ROOT / "configs" / "onboarding.toml")
TYPED: Mapping[str, tuple[str | Path, ...]] = {
    "many": ("run", "many.csv", "--rate", "1000/s"),
    "dry": ("validate", SAMPLES / "customers_messy.csv", "--format", "csv,xlsx", "--preview", "2"),
    "workbook": ("run", SAMPLES / "customers.xlsx", "--rate", "1000/s"),
    "steps": ("run", *_ONBOARDING),
    "update": ("update", *_ONBOARDING, "--dry-run"),
    "night": ("nightly", "inbox", "--target", "emulator"),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The report of each kind of run."""
    user = user_in(tmp_path_factory.mktemp("reports"))
    user.has("many.csv", many_kinds())
    night = user.home / "inbox"
    night.mkdir()
    (night / "customers.csv").write_bytes((SAMPLES / "customers_messy.csv").read_bytes())
    (night / "customers.csv.done").touch()
    ran = {name: user.types_for_real(*words, "--workspace", name) for name, words in TYPED.items()}
    return {name: _written(user, name, one) for name, one in ran.items()}


def _written(user: User, name: str, ran: Ran) -> Path:
    """The report that a command wrote into a workspace of its own."""
    assert ran.code in {0, 3}, ran.err
    (path,) = user.home.glob(f"{name}/*/report.html")
    return path


Opened = Callable[..., "Page"]


@pytest.fixture
def opened(new_page: Callable[..., Page], reports: Mapping[str, Path]) -> Opened:
    """Opens a report."""

    def open_it(name: str, look: Look = DESK, **options: bool) -> Page:
        page = new_page(look, **options)
        page.goto(reports[name].as_uri())
        return page

    return open_it


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def _height(page: Page) -> float:
    box = page.locator("html").bounding_box()
    assert box is not None
    return box["height"]


@pytest.mark.parametrize("name", TYPED)
def test_axe_finds_nothing_wrong_with_any_report_and_none_is_wider_or_longer_than_it_may_be(
    opened: Opened, axe: Callable[[Page], list[str]], name: str
) -> None:
    page = opened(name, PHONE)
    assert _height(page) <= _PHONE_SCREENS * _SCREEN
    unfold(page)
    for look in looked_at(page, LOOKS if name == "many" else (PHONE, LOOKS[-1])):
        assert (look, axe(page)) == (look, [])
        assert page.evaluate("document.documentElement.scrollWidth") == look.width


def test_a_phone_shows_any_report_in_ten_screens_without_scripts_too(
    opened: Opened, reports: Mapping[str, Path]
) -> None:
    page = opened("many", PHONE, java_script_enabled=False)
    for name, path in reports.items():
        page.goto(path.as_uri())
        assert (name, _height(page) <= _PHONE_SCREENS * _SCREEN) == (name, True), _height(page)


def test_rows_are_found_by_the_title_of_their_issue_and_by_words(opened: Opened) -> None:
    page = opened("many")
    titles = page.locator("#kind option").all_inner_texts()
    assert "A date too far back in Date of Birth" in titles
    assert not any("_" in title for title in titles)

    page.select_option("#kind", label="A date too far back in Date of Birth")
    shown = page.locator("#body tr").all_inner_texts()
    assert shown
    assert all("Date of birth is more than 120 years back" in text for text in shown)
    page.fill("#q", str(page.locator("#body tr th").first.inner_text()))
    assert page.locator("#found").inner_text() == f"1 of {FAILING} rows found."


def test_an_issue_leads_to_its_rows_wherever_they_are(opened: Opened) -> None:
    page = opened("many")
    kind = page.locator("details.cluster").filter(has_text="A date too far back").first
    unfold(page)
    link = kind.locator("a").last
    row = link.inner_text()
    assert page.locator(f"#row-{row}").count() == 0  # on a later page of the table
    link.click()
    page.locator(f"#row-{row}:focus").wait_for()

    kind.get_by_role("button").click()
    assert all("years back" in text for text in page.locator("#body tr").all_inner_texts())


def test_a_row_leads_to_its_fix_though_that_is_folded_away(opened: Opened) -> None:
    page = opened("many")
    number = page.locator("details.more li .about").last.get_attribute("id")
    page.select_option("#kind", value=str(number).removeprefix("issue-"))
    assert not page.locator(f"#{number}").is_visible()
    page.locator(f'#body a[href="#{number}"]').first.click()
    page.locator(f"#{number}").wait_for()
    assert page.locator(f"#{number} > details.operators > p").first.is_visible() is False


def test_every_file_that_is_linked_is_beside_the_report(opened: Opened, reports: Mapping[str, Path]) -> None:
    page = opened("many")
    for path in reports.values():
        page.goto(path.as_uri())
        addresses = page.evaluate("[...document.querySelectorAll('#main a')].map((one) => one.href)")
        files = {Path(unquote(urlsplit(one).path)) for one in addresses if not urlsplit(one).fragment}
        assert files
        assert all(one.is_file() and one.parent == path.parent for one in files)


def test_print_has_what_it_says_unfolded_and_without_the_part_for_operators(opened: Opened) -> None:
    page = opened("many")
    page.evaluate("window.seen = []")
    page.evaluate("""addEventListener("beforeprint", () => seen.push(
        document.querySelectorAll("#body tr").length,
        document.getElementById("found").textContent,
        document.querySelectorAll("details.cluster:not([open])").length))""")
    page.pdf()
    assert page.evaluate("seen") == [100, f"{FAILING} rows, shown are 1 to 100.", 0]
    assert page.locator("#body tr").count() == 20
    assert page.locator("details.cluster:not([open])").count() > 10


def test_print_is_unfolded_where_scripts_do_not_run_too(opened: Opened) -> None:
    page = opened("many", java_script_enabled=False)
    last = page.locator("details.more li .about").last
    assert not last.is_visible()
    page.emulate_media(media="print")
    assert last.is_visible()
    assert not page.locator("#operators").is_visible()
    assert page.get_by_text("Printed without what is folded away for operators.").is_visible()
    assert page.locator("#body tr, #others tr").count() == 100
    assert page.get_by_text(f"The first 100 of {FAILING} rows:").is_visible()
