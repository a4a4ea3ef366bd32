"""A draft of a small file that was checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from importer.core.corrections import Correction
from importer.delivery import StopSwitch
from importer.journal import Change, Draft, DraftFacts
from importer.profile import Profile
from importer.runs.drafts.checking import check
from importer.runs.drafts.correcting import Edit, changes, correct
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.fixing import RowsPage, rows
from importer.runs.drafts.receiving import receive
from importer.runs.drafts.row_filter import RowFilter, Show

BY = "kim"
HEADER = "ID,First Name,Last Name,Email,Phone,Phone Type"


def line(number: int, **cells: str) -> str:
    """The row of one person."""
    usual = {
        "ID": f"L-{number}",
        "First Name": f"Given{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}",
        "Last Name": "Family",
        "Email": f"person{number}@example.com",
        "Phone": f"+1415555{100 + number % 100:04}",
        "Phone Type": "MOBILE",
    }
    return ",".join({**usual, **{name.replace("_", " "): text for name, text in cells.items()}}.values())


@dataclass
class Desk:
    """Somebody at work on one draft.

    Args:
        id: of the draft.
        checked_changes: how many changes there were at the last check.
    """

    service: DraftService
    id: str
    checked_changes: int = 0

    @property
    def draft(self) -> Draft:
        return self.service.find(self.id)

    def checks(self) -> DraftFacts:
        """Check the draft, with its corrections."""
        self.checked_changes = len(self.changes)
        return asyncio.run(check(self.service, self.id, by=BY, emit=lambda _: None, stop=StopSwitch())).facts

    def edits(self, *edits: tuple[int, str, str], seen: int | None = None) -> Draft:
        return correct(self.service, self.id, [Edit(*one) for one in edits], by=BY, seen=seen)

    def sees(self, show: Show = "all", first: int = 0, count: int = 100, **more: Any) -> RowsPage:
        return rows(self.service, self.id, first, count, RowFilter(show, **more))

    def numbers(self, show: Show = "failing", **more: Any) -> list[int]:
        """The numbers of the rows that are shown."""
        return [row.row for row in self.sees(show, **more).rows]

    def codes(self, number: int) -> list[str]:
        """What is wrong with a row."""
        row = next(row for row in self.sees().rows if row.row == number)
        return [one.code for cell in row.cells for one in cell.problems] + [one.code for one in row.problems]

    @property
    def changes(self) -> list[Change]:
        return changes(self.service, self.id)

    @property
    def corrections(self) -> list[Correction]:
        with self.service.opened() as drafts:
            return drafts.corrections(self.id)


def desk_in(folder: Path, *lines: str, content: bytes = b"", name: str = "people.csv", **options: object) -> Desk:
    """Make a draft of a file, and check it."""
    places = {place.replace("__", "."): value for place, value in options.items()}
    service = DraftService(Profile.load(options={"workspace": folder / "runs", **places}, environ={}))
    desk = Desk(service, service.begin(BY).id)
    data = content or ("\n".join([HEADER, *lines]) + "\n").encode()

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    asyncio.run(receive(service, desk.id, name, chunks(), by=BY, most_bytes=10**9))
    desk.checks()
    return desk


@pytest.fixture
def desk_of(tmp_path: Path) -> Callable[..., Desk]:
    """Make a draft of a file, and check it."""
    return partial(desk_in, tmp_path)


@pytest.fixture
def desk(desk_of: Callable[..., Desk]) -> Desk:
    """Six people; two have a wrong address, and of two the type of phone is no word of the API."""
    return desk_of(
        line(0),
        line(1, Email="nobody"),
        line(2, Phone_Type="Fax"),
        line(3, Email="nobody"),
        line(4, Phone_Type="Fax"),
        line(5),
    )
