"""Drafts on the disk: a file comes in whole or not at all, is read as chosen, and goes with its draft."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from importer.core.errors import BusyError, ImporterError, SourceError, StorageError, UsageError
from importer.journal import Correction, Draft, DraftFacts, Reading
from importer.profile import Profile
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.reading import choose_reading, first_rows
from importer.runs.drafts.receiving import receive

ROWS = b"First Name,Email\nAna,ana@example.com\nKim,kim@example.com\n"
MOST = 1_000_000


@pytest.fixture
def service(tmp_path: Path) -> DraftService:
    return DraftService(Profile(workspace=tmp_path / "runs"))


@pytest.fixture
def draft(service: DraftService) -> str:
    return service.begin("kim").id


def take(
    service: DraftService, draft: str, content: bytes = ROWS, name: str = "customers.csv", most: int = MOST
) -> Draft:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 7):
            yield content[at : at + 7]

    return asyncio.run(receive(service, draft, name, chunks(), by="kim", most_bytes=most))


def files(service: DraftService) -> list[str]:
    """The files of all drafts, by their names."""
    return sorted(path.name for path in (service.workspace / "drafts").rglob("*") if path.is_file())


def workbook(tmp_path: Path) -> bytes:
    book = Workbook()
    first, second = book.active, book.create_sheet("More")
    assert first is not None
    first.title = "People"
    for row in (["First Name", "Email"], ["Ana", "ana@example.com"]):
        first.append(row)
    for row in (["a remark"], ["Vorname", "E-Mail"], ["Uwe", "uwe@example.com"], ["Eva", "eva@example.com"]):
        second.append(row)
    book.save(tmp_path / "book.xlsx")
    return (tmp_path / "book.xlsx").read_bytes()


# --------------------------------------------------------------------------- begun, listed, removed


def test_a_draft_is_begun_found_listed_and_removed_with_its_file(service: DraftService) -> None:
    one, two = service.begin("kim"), service.begin("ana")
    take(service, one.id)

    assert [draft.id for draft in service.all()] == [one.id, two.id]
    assert (service.find(one.id).made_by, service.find(one.id).facts.file) == ("kim", "customers.csv")
    service.remove(one.id)

    assert [draft.id for draft in service.all()] == [two.id]
    assert files(service) == []
    for again in (service.find, service.remove):
        with pytest.raises(UsageError, match=f"There is no draft '{one.id}'"):
            again(one.id)


@pytest.mark.parametrize("name", ["../runs", "..", "", "/etc", "drafts"])
def test_a_draft_is_found_by_its_id_and_by_no_path(service: DraftService, draft: str, name: str) -> None:
    take(service, draft)

    with pytest.raises(UsageError, match="There is no draft"):
        service.remove(name)
    assert files(service) == ["customers.csv"]


def test_a_draft_that_is_a_run_is_not_changed_any_more(service: DraftService, draft: str) -> None:
    service.note(take(service, draft), DraftFacts(run_id="20261122T083000Z-00000a"), service.act("kim", "sent"))

    with pytest.raises(UsageError, match="This draft was sent as the run 20261122T083000Z-00000a"):
        choose_reading(service, draft, Reading(delimiter=";"), by="ana")
    with pytest.raises(UsageError, match="cannot be changed"):
        take(service, draft, ROWS, "other.csv")
    assert files(service) == ["customers.csv"]


# --------------------------------------------------------------------------- a file comes in


@pytest.mark.parametrize("name", ["customers.csv", "Kunden März 2026 (neu).csv", "customers", ".csv", "a..b.csv"])
def test_a_file_keeps_its_name_and_content_and_is_for_its_owner_alone(
    service: DraftService, draft: str, name: str
) -> None:
    taken = take(service, draft, name=name)

    path = service.source(taken)
    assert (path.name, path.read_bytes(), taken.facts.size_bytes) == (name, ROWS, len(ROWS))
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in path.parents[:4])
    assert [one.what for one in service.acts(draft)] == ["begun", "received"]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "-", "../x.csv", "/etc/passwd", "a/b.csv", "..\\x.csv", "a\x00.csv", "a\n.csv", "a\u202ecsv.exe",
     "\udcff.csv", "x" * 201, "ä" * 101],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_or_cannot_be_shown_is_refused(
    service: DraftService, draft: str, name: str
) -> None:
    with pytest.raises(UsageError, match="The name of the file is too long, or holds a slash"):
        take(service, draft, name=name)

    assert files(service) == []
    assert service.find(draft).facts.file == ""


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "customers.csv", r"'customers.csv' is empty"),
        (b"%PDF-1.7 ...", "customers.pdf", r"'customers.pdf' is a PDF document"),
        (b"%PDF-1.7 ...", "customers.xlsx", r"'customers.xlsx' is a PDF document"),
        (ROWS, "customers.xlsx", r"'customers.xlsx' is a text file \(CSV\), although its name ends in '.xlsx'"),
        (b"MZ" + b"\0" * 60 + b"PE\0\0" + b"\0" * 90, "customers.exe", r"'customers.exe' is a program"),
        (ROWS + b"x" * 1_000, "customers.csv", r"'customers.csv' is larger than the 500 bytes that are allowed"),
    ],
)
def test_what_no_reader_takes_is_refused_and_nothing_of_it_is_left(
    service: DraftService, draft: str, content: bytes, name: str, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        take(service, draft, content, name, most=500)

    assert list((service.workspace / "drafts" / draft / "source").iterdir()) == []
    assert service.find(draft).version == 1


def test_a_refused_file_leaves_the_earlier_one_and_another_one_replaces_it(service: DraftService, draft: str) -> None:
    take(service, draft)
    choose_reading(service, draft, Reading(delimiter=","), by="kim")
    with service.opened() as drafts:
        drafts.correct(draft, [Correction(2, "First Name", "Ana", "Anna")], service.act("kim", "corrected"))
    with pytest.raises(SourceError):
        take(service, draft, b"%PDF-1.7 ...", "customers.csv")
    assert service.source(service.find(draft)).read_bytes() == ROWS

    taken = take(service, draft, ROWS + b"Eva,eva@example.com\n")

    assert files(service) == ["customers.csv"]
    assert service.source(taken).read_bytes().endswith(b"Eva,eva@example.com\n")
    assert taken.facts.reading == Reading()
    with service.opened() as drafts:
        assert drafts.corrections(draft) == []


def test_a_file_that_breaks_off_leaves_nothing(service: DraftService, draft: str) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield ROWS
        raise ConnectionResetError

    async def cancelled() -> AsyncIterator[bytes]:
        yield ROWS
        raise asyncio.CancelledError

    with pytest.raises(StorageError, match="The file cannot be kept in the workspace"):
        asyncio.run(receive(service, draft, "a.csv", broken(), by="kim", most_bytes=MOST))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(receive(service, draft, "a.csv", cancelled(), by="kim", most_bytes=MOST))

    assert files(service) == []
    assert service.find(draft).facts.file == ""


def test_of_two_files_that_come_in_at_once_one_is_taken(service: DraftService, draft: str) -> None:
    async def one_within_the_other() -> AsyncIterator[bytes]:
        yield ROWS[:10]

        async def rest() -> AsyncIterator[bytes]:
            yield ROWS

        await receive(service, draft, "quick.csv", rest(), by="ana", most_bytes=MOST)
        yield ROWS[10:]

    with pytest.raises((BusyError, StorageError)):
        asyncio.run(receive(service, draft, "slow.csv", one_within_the_other(), by="kim", most_bytes=MOST))

    assert files(service) == ["quick.csv"]
    assert service.source(service.find(draft)).read_bytes() == ROWS


RECEIVER = """
import asyncio, resource, sys
from pathlib import Path
from importer.profile import Profile
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.receiving import receive

service = DraftService(Profile(workspace=Path(sys.argv[1])))

async def chunks():
    yield b"First Name,Email\\n"
    line = b"Ana,ana@example.com\\n" * 3_000
    for number in range(int(sys.argv[3])):
        yield line
        if number == 20:
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
            sys.stdin.readline()

draft = asyncio.run(receive(service, sys.argv[2], "customers.csv", chunks(), by="kim", most_bytes=300_000_000))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, draft.facts.size_bytes, flush=True)
"""


@pytest.fixture
def receiver(service: DraftService, draft: str) -> Callable[[int], subprocess.Popen[str]]:
    def start(pieces: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", RECEIVER, str(service.workspace), draft, str(pieces)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    return start


@pytest.mark.slow
def test_a_program_that_is_killed_while_a_file_comes_in_leaves_a_draft_without_it(
    service: DraftService, draft: str, receiver: Callable[[int], subprocess.Popen[str]]
) -> None:
    with receiver(1_000) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        killed.send_signal(signal.SIGKILL)
    assert service.find(draft).facts.file == ""

    take(service, draft, name="again.csv")

    assert files(service) == ["again.csv"]


@pytest.mark.slow
def test_a_file_of_200_mb_comes_in_with_constant_memory(
    service: DraftService, draft: str, receiver: Callable[[int], subprocess.Popen[str]]
) -> None:
    with receiver(3_334) as working:
        assert working.stdout is not None
        assert working.stdin is not None
        before = int(working.stdout.readline())
        working.stdin.write("\n")
        working.stdin.flush()
        after, size = map(int, working.stdout.readline().split())

    assert size > 200_000_000
    assert after - before < 8 * 1024, "kilobytes"


# --------------------------------------------------------------------------- and is read


def test_the_first_rows_are_shown_with_what_was_detected_and_why(service: DraftService, draft: str) -> None:
    take(service, draft, "Name;Stadt\nÄnne;Köln\nUwe;Ulm\nEva;Bonn\n".encode("cp1252"))

    seen = first_rows(service, draft, 2)

    assert seen.info.columns == ("Name", "Stadt")
    assert [(row.row, list(row.cells)) for row in seen.rows] == [(2, ["Änne", "Köln"]), (3, ["Uwe", "Ulm"])]
    found = {one.what: (one.value, bool(one.note)) for one in seen.info.detected}
    assert found["delimiter"] == (";", True)
    assert found["encoding"] == ("cp1252", True)
    assert seen.came_from == ()
    assert first_rows(service, draft, 1, show_values=False).rows[0].cells != ["Änne", "Köln"]


def test_another_sheet_and_header_row_are_chosen(service: DraftService, draft: str, tmp_path: Path) -> None:
    take(service, draft, workbook(tmp_path), "book.xlsx")
    seen = first_rows(service, draft)
    assert (seen.info.sheet, seen.info.sheets) == ("People", ("People", "More"))

    chosen = choose_reading(service, draft, Reading(sheet="More", header_row=2), by="kim")

    seen = first_rows(service, draft)
    assert (seen.info.sheet, seen.info.columns) == ("More", ("Vorname", "E-Mail"))
    assert [row.row for row in seen.rows] == [3, 4]
    assert chosen.facts.stage == "map"
    assert service.acts(draft)[-1].details == {"sheet": "More", "header_row": 2}


@pytest.mark.parametrize(
    "reading", [Reading(sheet="Nowhere"), Reading(encoding="klingon"), Reading(header_row=99), Reading(delimiter="xx")]
)
def test_a_reading_that_does_not_fit_changes_nothing(
    service: DraftService, draft: str, tmp_path: Path, reading: Reading
) -> None:
    content, name = (workbook(tmp_path), "book.xlsx") if reading.sheet else (ROWS, "customers.csv")
    before = take(service, draft, content, name)

    with pytest.raises(ImporterError):
        choose_reading(service, draft, reading, by="kim")

    assert service.find(draft) == before


def test_cells_that_are_read_otherwise_lose_their_corrections_and_others_keep_them(
    service: DraftService, draft: str
) -> None:
    take(service, draft)
    with service.opened() as drafts:
        drafts.correct(draft, [Correction(2, "First Name", "Ana", "Anna")], service.act("kim", "corrected"))
    choose_reading(service, draft, Reading(), by="kim")
    with service.opened() as drafts:
        assert len(drafts.corrections(draft)) == 1

    choose_reading(service, draft, Reading(delimiter=","), by="kim")

    with service.opened() as drafts:
        assert drafts.corrections(draft) == []


def test_a_person_who_has_not_seen_the_newest_version_changes_nothing(service: DraftService, draft: str) -> None:
    seen = take(service, draft).version
    choose_reading(service, draft, Reading(delimiter=","), by="kim", seen=seen)

    with pytest.raises(BusyError, match="Somebody else changed this draft"):
        choose_reading(service, draft, Reading(delimiter=";"), by="ana", seen=seen)

    assert service.find(draft).facts.reading == Reading(delimiter=",")


def test_a_draft_without_a_file_is_not_read(service: DraftService, draft: str) -> None:
    with pytest.raises(UsageError, match="This draft has no file yet"):
        first_rows(service, draft)
