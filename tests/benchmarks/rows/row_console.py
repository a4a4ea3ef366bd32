"""The console with a large file, as somebody sees it in a real Chromium: upload to grid, scrolling, filtering, fixing.

Times at the browser are taken in the page itself, from the gesture to the frame in which what was asked for is there.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ
from tests.benchmarks.measuring import watched
from tests.benchmarks.people import HEADER, people
from tests.browser.conftest import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRID_TARGET_S, GESTURE_TARGET_MS, MEMORY_TARGET_MB = 30.0, 300.0, 500.0
_SCROLLS = (0.5, 0.9, 0.1, 0.7, 0.3)
_FAILS = 20
"""One row in so many fails."""
_TIMEOUT_MS = 120_000

_HELPERS = """
const answered = window.fetch;
window.lastRows = null;
window.fetch = async (...asked) => {
  const answer = await answered(...asked);
  if (String(asked[0]).includes("rows.json")) {
    const page = await answer.clone().json();
    window.lastRows = {address: String(asked[0]), first: page.rows[0]?.row};
  }
  return answer;
};
window.until = async (test, began = performance.now()) => {
  while (!test()) {
    if (performance.now() - began > 60000) throw new Error("it took more than a minute");
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - began;
};
window.inView = () => {
  const area = document.querySelector(".ag-body-viewport").getBoundingClientRect();
  return [...document.querySelectorAll(".ag-pinned-left-cols-container .ag-row")].filter((row) => {
    const place = row.getBoundingClientRect();
    return place.bottom > area.top && place.top < area.bottom;
  });
};
"""
_SCROLL = """share => {
  const area = document.querySelector(".ag-body-viewport");
  area.scrollTop = share * area.scrollHeight;
  const nearby = Math.floor(share * window.rowCount);
  return until(() => inView().length && inView().every(row => row.textContent.trim())
    && inView().some(row => Math.abs(row.getAttribute("row-index") - nearby) < 50));
}"""
_CHOOSE = """async at => {
  window.lastRows = null;
  const chooser = document.querySelectorAll("aside .choice")[at], began = performance.now();
  chooser.click();
  return until(() => window.lastRows && inView().length && inView().every(row => row.textContent.trim())
    && inView().some(row => row.getAttribute("row-index") === "0"
      && row.textContent.replace(/\\D/g, "") === String(window.lastRows.first)), began);
}"""
_FIX = """() => {
  const state = document.querySelector("[role=status]"), before = state.textContent;
  window.fixed = new Promise(done => document.addEventListener("keydown", event => {
    if (event.key === "Enter") done(until(() => document.querySelector("[role=status]").textContent !== before));
  }, {once: true, capture: true}));
}"""


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the console."""
    from playwright.sync_api import sync_playwright  # of the tools alone

    rows = settings.scaled(100_000, 1_000)
    source = _file(settings.data / f"fails-{rows}.csv", rows)
    rounds: list[dict[str, list[float]]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        for _ in range(settings.rounds):
            with a_folder() as folder, _console(folder) as (link, memory):
                page = browser.new_context(viewport={"width": 1280, "height": 844}).new_page()
                page.add_init_script(_HELPERS)
                page.goto(link)
                rounds.append(_way(page, source))
                _to_grid(page, source)  # once more: what is kept of both is in its memory then
                page.context.close()
            rounds[-1]["memory"] = memory
        browser.close()
    yield from _figures(rounds, rows, settings)


def _figures(rounds: list[dict[str, list[float]]], rows: int, settings: Settings) -> Iterator[Figure]:
    for measure, what, unit, target in (
        ("grid", f"{rows:,} rows: from the choice of the file to the grid", "s", GRID_TARGET_S),
        ("scroll", "scroll to a far row, slowest", "ms", GESTURE_TARGET_MS),
        ("filter", "choose a filter, slowest", "ms", GESTURE_TARGET_MS),
        ("fix", "correct a cell, until the counts are new, slowest", "ms", GESTURE_TARGET_MS),
        ("memory", "largest memory, with two such files", "MB", MEMORY_TARGET_MB),
    ):
        worst = tuple(max(one[measure]) for one in rounds)
        yield Figure.judged("console", what, worst, unit, at_most=target, settings=settings)


def _file(path: Path, rows: int) -> Path:
    """A file of people of whom one in twenty, and a few more, have something to fix."""
    if not path.exists():
        lines = enumerate(people(rows))
        made = (line.replace("@", " at ") if number % _FAILS == _FAILS - 3 else line for number, line in lines)
        path.write_text("".join(f"{line}\n" for line in (HEADER, *made)), encoding="utf-8")
    return path


@contextmanager
def _console(folder: Path) -> Iterator[tuple[str, list[float]]]:
    """A console in a process of its own: the link into it, and, after the block, the memory that it took."""
    command = [*IMPORTER, "console", "--port", "0", "--json", "--workspace", str(folder / "runs")]
    process = subprocess.Popen(command, cwd=folder, env=environ(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    over, memory = Event(), list[float]()
    with ThreadPoolExecutor(1) as watching:
        peak = watching.submit(watched, process.pid, over.is_set)
        try:
            reported = ""
            while not reported.endswith("}\n"):
                reported += process.stdout.readline()
            yield json.loads(reported)["link"], memory
        finally:
            over.set()
            memory.append(peak.result())
            process.terminate()
            process.communicate(timeout=60)


def _way(page: Page, source: Path) -> dict[str, list[float]]:
    """Go from the upload to the corrections, once."""
    took = {"grid": [_to_grid(page, source)], "scroll": [], "filter": [], "fix": []}
    page.wait_for_load_state("networkidle")
    choices = page.locator("aside .choice").count()
    took["fix"] = [_fix(page, at) for at in range(3)]
    took["filter"] = [page.evaluate(_CHOOSE, at) for at in _choosable(page, choices)]
    page.evaluate(_CHOOSE, 5)  # all rows
    page.evaluate("window.rowCount = +document.querySelector('.ag-root').getAttribute('aria-rowcount')")
    took["scroll"] = [page.evaluate(_SCROLL, share) for share in _SCROLLS]
    return took


def _choosable(page: Page, count: int) -> list[int]:
    """The filters that show any row, duplicates aside, which are a list of their own."""
    sizes = [page.locator("aside .choice").nth(at).locator("data") for at in range(count)]
    return [at for at, size in enumerate(sizes) if size.count() and size.first.get_attribute("value") != "0"]


def _to_grid(page: Page, source: Path) -> float:
    page.goto(urljoin(page.url, "/new"))
    began = time.perf_counter()
    page.locator("input[type=file]").set_input_files(str(source))
    for button, step in (("Go on: match", "map"), ("Go on: fix", "fix")):
        page.get_by_role("button", name=button).click(timeout=_TIMEOUT_MS)
        page.wait_for_url(f"**/{step}*", timeout=_TIMEOUT_MS)
    first = page.locator(".ag-center-cols-container .ag-row[row-index='0'] [col-id='c2']")
    first.filter(has_text=re.compile(r"\w")).wait_for(timeout=_TIMEOUT_MS)
    return time.perf_counter() - began


def _fix(page: Page, at: int) -> float:
    """Correct the address of a row that fails for it; it stays where it is."""
    wrong = page.locator(f".ag-center-cols-container .ag-row[row-index='{at}'] [col-id='c4'].is-wrong")
    wrong.dblclick()
    page.keyboard.press("Control+a")
    page.keyboard.type(f"fixed{time.monotonic_ns()}@example.com")  # a text of its own
    page.evaluate(_FIX)
    page.keyboard.press("Enter")
    took = float(page.evaluate("window.fixed"))
    page.wait_for_load_state("networkidle")
    return took
