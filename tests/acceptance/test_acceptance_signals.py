"""Signals at any moment: the first ends reading, checking and writing in two seconds, a second one ends anything."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.acceptance.conftest import Ran, User, Witness, people, sandbox, wait_for

ROWS = 120_000
FEWER_ROWS = 50_000
"""Checking and writing them takes many times as long as a signal may."""
SOON_S = 2.0
TRIES = 3
BEGUN_S = 180.0
"""How long a run may take to come to where it is stopped, on a machine that others keep busy."""
pytestmark = pytest.mark.timeout(3 * BEGUN_S)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def workbook(path: Path, rows: int, *, good: int = ROWS, far: bool = False) -> Path:
    """A workbook of fictional people, written quickly.

    Args:
        good: how many rows can be imported, the first ones; the others lack their last name.
        far: a cell in the sheet's last row and column has a format.
    """
    sheet = "".join(_rows(rows, good)) + ('<row r="1048576"><c r="XFD1048576" s="1"/></row>' if far else "")
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{types}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{office}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{office}"><sheets>'
        '<sheet name="Customers" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1"'
        f' Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{office}/styles"'
        ' Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{space}"><fonts count="1"><font/></fonts><fills count="2"><fill/><fill>'
        '<patternFill patternType="solid"/></fill></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/>'
        '<xf fillId="1" applyFill="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{space}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return path


def _rows(count: int, good: int) -> Iterator[str]:
    lines = (line.split(",") for line in people(count).splitlines())
    for number, cells in enumerate(lines, 1):
        if number > good + 1:
            cells[2] = ""
        yield f'<row r="{number}">' + "".join(map(_cell, cells)) + "</row>"


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook of 120,000 rows, to be stopped while it is read."""
    return workbook(tmp_path_factory.mktemp("large") / "large.xlsx", ROWS)


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook of 50,000 rows, to be stopped when it was read."""
    return workbook(tmp_path_factory.mktemp("smaller") / "smaller.xlsx", FEWER_ROWS)


def events(user: User) -> list[str]:
    """The names of everything that the newest run has logged."""
    (log,) = (user.home / "runs").glob("*/run.log.jsonl")
    names = []
    for line in log.read_text("utf-8").splitlines():
        try:
            names.append(str(json.loads(line)["event"]))
        except ValueError:  # it is just being written
            break
    return names


def has_logged(user: User, name: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return name in events(user)
        except ValueError:
            return False

    return ask


def threads(process: subprocess.Popen[str]) -> set[str]:
    try:
        return {path.name for path in Path(f"/proc/{process.pid}/task").iterdir()}
    except FileNotFoundError:
        return set()


def has_more_threads(process: subprocess.Popen[str], before: set[str]) -> bool:
    return bool(threads(process) - before)


def signalled(process: subprocess.Popen[str], number: signal.Signals, times: int) -> tuple[Ran, float]:
    """Send a signal so many times; returns what became of it, and the seconds from the last one to the end."""
    for time_ in range(times):
        before = threads(process)
        process.send_signal(number)
        if time_ + 1 < times:  # a first signal that is obeyed starts the timer of its end
            wait_for(partial(has_more_threads, process, before), process)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    took_s = time.monotonic() - began
    assert "Traceback" not in err + out
    # A second signal may come when everything is done and said: the system then ends the program, as a shell tells it.
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return Ran(code, out, err), took_s


def ends_soon(user: User, stop: Callable[[User], float]) -> None:
    """Have something stop within two seconds; a try that a busy machine made slow is made again.

    Args:
        stop: starts it in a folder of its own, stops it, and returns the seconds that took.
    """
    took_s = math.inf
    for number in range(1, TRIES + 1):
        home = user.home / f"try-{number}"
        home.mkdir()
        took_s = stop(User(home, user.environ))
        busy = os.getloadavg()[0] > (os.cpu_count() or 1)
        if took_s < SOON_S or not busy:
            break
    assert took_s < SOON_S


def half_files(user: User) -> list[str]:
    return [path.name for path in (user.home / "runs").rglob("*") if path.name.endswith(".part")]


@pytest.mark.slow
@pytest.mark.parametrize("during", ["run_started", "source_read", "results_started"])
@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_a_signal_ends_reading_checking_and_writing_within_two_seconds(  # noqa: PLR0917
    user: User, large: Path, smaller: Path, during: str, number: signal.Signals, times: int
) -> None:
    source = large if during == "run_started" else smaller

    def stop(user: User) -> float:
        process = user.starts("validate", source, "--json", "--verbose")
        wait_for(has_logged(user, during), process)

        ran, took_s = signalled(process, number, times)

        assert ran.code == CODES[number]
        assert ran.json["exit_code"] == CODES[number]
        assert half_files(user) == []
        return took_s

    ends_soon(user, stop)


@pytest.mark.slow
def test_a_signal_while_a_source_is_read_leaves_a_run_that_sent_nothing(
    user: User, smaller: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness)

    def stop(user: User) -> float:
        process = user.starts("run", smaller, *sandbox(profile), "--json", **witness.environ)
        wait_for(has_logged(user, "source_read"), process)

        ran, took_s = signalled(process, signal.SIGTERM, 1)

        assert ran.code == 143
        assert witness.ledger()["requests"] == 0
        assert "before anything was sent" in ran.json["error"]
        return took_s

    ends_soon(user, stop)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_the_marking_of_a_workbook_with_a_far_cell_does_not_keep_a_signal_waiting(user: User, times: int) -> None:
    source = workbook(user.home / "far.xlsx", 30_000, good=20, far=True)

    def stop(user: User) -> float:
        process = user.starts("validate", source, "--json")
        wait_for(lambda: any((user.home / "runs").glob("*/results.csv")), process)

        ran, took_s = signalled(process, signal.SIGTERM, times)

        assert ran.code == 143
        assert half_files(user) == []
        return took_s

    ends_soon(user, stop)
