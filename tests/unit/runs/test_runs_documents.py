"""Which files a cell opens: names below one folder, addresses below listed ones, and never anything else."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import socket
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer import run, validate
from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.contract import Policy
from importer.core.errors import ProfileError
from importer.core.frames import raw_batch
from importer.core.issue_codes.documents import DOCUMENT_CODES
from importer.core.step_tasks import UnreadFile
from importer.customers.contract import CUSTOMERS
from importer.doctor import examine
from importer.inbox import Inbox
from importer.profile import Profile
from importer.runs.documents import Binding, DocumentFiles, DocumentSources, with_documents
from importer.runs.documents.addresses import AllowedAddresses
from importer.runs.documents.folder import MOST_BYTES, DocumentFolder, UnusableDocumentError
from importer.validation import Validator
from tests.batches import mapped_batch
from tests.remote_servers import Web

PDF, PNG, JPEG = b"%PDF-1.7 scan", b"\x89PNG\r\n\x1a\n scan", b"\xff\xd8\xff\xe0 scan"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder of documents, with a secret beside it."""
    folder = tmp_path / "scans"
    (folder / "2026").mkdir(parents=True)
    for name, content in {"a.pdf": PDF, "b.PNG": PNG, "c.jpg": JPEG, "2026/d.jpeg": JPEG}.items():
        (folder / name).write_bytes(content)
    (tmp_path / "secret.pdf").write_bytes(PDF)
    return folder


def code_of(look: Callable[[], object]) -> str:
    """The code of the issue that a look at a file has; empty: none."""
    try:
        look()
    except UnusableDocumentError as error:
        return error.code
    return ""


def codes_of(folder: Path, name: str) -> set[str]:
    """The codes of looking at a file and of reading it, which are the same."""
    documents = DocumentFolder(folder)
    return {code_of(lambda: documents.examine(name)), code_of(lambda: documents.read(name, MOST_BYTES))}


# --------------------------------------------------------------------------- names below the folder


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pdf", PDF), ("b.PNG", PNG), ("c.jpg", JPEG), ("2026/d.jpeg", JPEG), ("2026\\d.jpeg", JPEG)],
)
def test_a_file_below_the_folder_is_read(scans: Path, name: str, content: bytes) -> None:
    assert codes_of(scans, name) == {""}
    assert DocumentFolder(scans).read(name, MOST_BYTES) == content


@pytest.mark.parametrize(
    "name",
    [
        "../secret.pdf", "2026/../../secret.pdf", "..\\secret.pdf", "./a.pdf", "/etc/passwd", "//etc/passwd", "\\a.pdf",
        "C:\\a.pdf", "c:a.pdf", "2026//d.jpeg", "a.pdf/", "a\x00.pdf", "a.pdf\n", "..", ".", "/", "2026/..",
    ],
)  # fmt: skip
def test_a_name_that_leads_out_is_refused(scans: Path, name: str) -> None:
    assert codes_of(scans, name) == {"document_outside"}


@pytest.mark.parametrize("name", ["~/a.pdf", "$HOME", "%2e%2e/secret.pdf", "e.pdf", "A.pdf", "a.pdf/x", "x" * 300])
def test_a_name_means_itself_and_nothing_is_expanded(scans: Path, name: str) -> None:
    assert codes_of(scans, name) == {"document_not_found"}


def test_a_whole_path_is_refused_also_where_it_leads_into_the_folder(scans: Path) -> None:
    assert codes_of(scans, str(scans / "a.pdf")) == {"document_outside"}


def test_links_that_lead_out_are_refused_and_others_are_followed(scans: Path) -> None:
    (scans / "out.pdf").symlink_to("../secret.pdf")
    (scans / "up").symlink_to("..")
    (scans / "in.pdf").symlink_to("2026/d.jpeg")
    (scans / "year").symlink_to("2026")
    (scans / "circle.pdf").symlink_to("circle.pdf")
    (scans / "nowhere.pdf").symlink_to("gone.pdf")

    assert codes_of(scans, "out.pdf") == {"document_outside"}
    assert codes_of(scans, "up/secret.pdf") == {"document_outside"}
    assert codes_of(scans, "up/scans/a.pdf") == {""}
    assert codes_of(scans, "circle.pdf") == {"document_outside"}
    assert codes_of(scans, "nowhere.pdf") == {"document_not_found"}
    assert codes_of(scans, "year/d.jpeg") == {""}
    assert codes_of(scans, "in.pdf") == {"document_type"}


def test_the_folder_itself_may_be_a_link(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(scans)
    assert codes_of(tmp_path / "link", "a.pdf") == {""}


def test_a_neighbour_whose_name_begins_alike_is_outside(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "scans-2").mkdir()
    (tmp_path / "scans-2" / "a.pdf").write_bytes(PDF)
    (scans / "twin").symlink_to("../scans-2")
    assert codes_of(scans, "twin/a.pdf") == {"document_outside"}


def test_only_files_are_opened(scans: Path) -> None:
    os.mkfifo(scans / "pipe.pdf")
    (scans / "null.pdf").symlink_to("/dev/null")
    (scans / "folder.pdf").mkdir()
    (scans / "here").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as listening:
        before = Path.cwd()
        os.chdir(scans)  # the name of a socket is short
        listening.bind("socket.pdf")
        os.chdir(before)
    for name in ("pipe.pdf", "folder.pdf", "socket.pdf", "2026", "here"):
        assert codes_of(scans, name) == {"document_not_a_file"}
    assert codes_of(scans, "null.pdf") == {"document_outside"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_nobody_may_read_is_said_to_be_so(scans: Path) -> None:
    (scans / "a.pdf").chmod(0)
    assert codes_of(scans, "a.pdf") == {"document_unreadable"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.pdf", b"", "document_empty"),
        ("x.pdf", PNG, "document_type"),
        ("x.pdf", b" %PDF-1.7", "document_type"),
        ("x.png", JPEG, "document_type"),
        ("x.JPG", JPEG, ""),
        ("x.docx", PDF, "document_type"),
        ("pdf", PDF, ""),
        ("x", PDF, "document_type"),
        ("x.pdf", PDF + b"." * (MOST_BYTES - len(PDF)), ""),
        ("x.pdf", PDF + b"." * (MOST_BYTES + 1 - len(PDF)), "document_too_large"),
    ],
)
def test_size_and_kind_of_a_file_are_checked(scans: Path, name: str, content: bytes, code: str) -> None:
    (scans / name).write_bytes(content)
    assert codes_of(scans, name) == {code}


def test_a_file_is_never_read_beyond_what_the_target_takes(scans: Path) -> None:
    assert code_of(lambda: DocumentFolder(scans).read("a.pdf", len(PDF) - 1)) == "document_too_large"
    assert DocumentFolder(scans).read("a.pdf", len(PDF)) == PDF


@given(st.text("./\\a~%:\x00\n2026dpfe ", max_size=20))
def test_no_name_reaches_a_file_outside(name: str) -> None:
    root = Path(__file__).parent  # nothing here is a document
    assert codes_of(root, name) <= set(DOCUMENT_CODES)


# --------------------------------------------------------------------------- addresses

LISTED = AllowedAddresses.of(
    ["https://files.example.com/scans", "s3://bucket/scans/2026/", "https://b.example.com:8443"]
)


@pytest.mark.parametrize(
    "address",
    [
        "https://files.example.com/scans/a.pdf", "https://FILES.example.com/scans/2026/a.pdf",
        "https://files.example.com:443/scans/a.pdf", "HTTPS://files.example.com/scans/a.pdf?signature=x",
        "s3://bucket/scans/2026/a.pdf", "https://b.example.com:8443/a.pdf", "https://files.example.com/%73cans/a.pdf",
    ],
)  # fmt: skip
def test_an_address_below_a_listed_one_is_allowed(address: str) -> None:
    assert LISTED.allow(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://files.example.com.evil.test/scans/a.pdf", "https://files.example.com@evil.test/scans/a.pdf",
        "https://user@files.example.com/scans/a.pdf", "https://user:pw@files.example.com/scans/a.pdf",
        "https://evil.test/https://files.example.com/scans/a.pdf", "https://evil.test#files.example.com/scans/a.pdf",
        "https://files.example.com/scans/../secret", "https://files.example.com/scans/%2e%2e/secret",
        "https://files.example.com/scans/%252e%252e/secret", "https://files.example.com/scans/..%2fsecret",
        "https://files.example.com/scans/..%5csecret", "https://files.example.com/scans/..;/secret",
        "https://files.example.com/scans2/a.pdf", "https://files.example.com/scansa.pdf",
        "https://files.example.com/scans", "https://files.example.com/scans/", "https://files.example.com//scans/a.pdf",
        "https://files.example.com/other/a.pdf", "https://files.example.com/Scans/a.pdf",
        "https://files.example.com:8443/scans/a.pdf", "http://files.example.com/scans/a.pdf",
        "https://files.example.com\\@evil.test/scans/a.pdf", "https://files.example.com/scans/a b.pdf",
        "https://files.example.com/scans/a.pdf#x", "https://files.example.com/scans/%00.pdf",
        "https://files.example.com:x/scans/a.pdf", "https://[files.example.com/scans/a.pdf",
        "https://b.example.com/a.pdf", "s3://bucket/scans/2025/a.pdf", "s3://other/scans/2026/a.pdf",
        "file:///etc/passwd", "ftp://files.example.com/scans/a.pdf", "://files.example.com/scans/a.pdf",
        "https:///scans/a.pdf", "https://files.example.com/scans/a.pdf::/etc/passwd",
        "https://files.example.com/scans/a.pdf?x=::file:///etc/passwd",
        "simplecache::https://files.example.com/scans/a.pdf", "https://files.example.com\u2044scans/a.pdf", "sftp://bucket/scans/2026/a.pdf",
    ],
)  # fmt: skip
def test_any_other_address_is_not(address: str) -> None:
    assert not LISTED.allow(address)
    assert not AllowedAddresses.of([]).allow(address)


@pytest.mark.parametrize(
    "prefix",
    ["files.example.com", "https://", "https://user:pw@files.example.com", "https://h/?x=1", "http://files.example.com",
     "ftp://files.example.com", "https://h/../x", "file:///srv"],
)  # fmt: skip
def test_an_entry_that_cannot_be_used_is_an_error_of_the_profile(prefix: str) -> None:
    with pytest.raises(ProfileError, match=r"documents\.addresses") as caught:
        AllowedAddresses.of([prefix])
    assert "pw" not in caught.value.message


# --------------------------------------------------------------------------- with the rows

PASSPORT: dict[str, str] = {
    "firstName": "Sarah", "lastName": "Green", "primaryPhoneNumber.number": "+12125550123",
    "primaryPhoneNumber.type": "MOBILE", "primaryEmail.value": "sarah@example.com", "documents.passport.number": "X0",
    "documents.passport.issuingCountryCode": "USA",
}  # fmt: skip


def profile_of(folder: Path, **more: Any) -> Profile:
    documents = {"folder": folder, "addresses": ["https://files.example.com/scans"]}
    return Profile.model_validate({"documents": documents, **more})


def batch(*files: str, first: int = 7, **more: str) -> MappedBatch:
    table = {**PASSPORT, "documents.passport.file": "", **more}
    fields = {name: [text] * len(files) for name, text in table.items()} | {"documents.passport.file": list(files)}
    raw = raw_batch(first, range(first + 2, first + 2 + len(files)), ())
    return mapped_batch(raw, fields, {"documents.passport.file": "Scan"})


def checked(folder: Path, rows: MappedBatch, profile: Profile | None = None) -> CheckedBatch:
    plain = Validator(CUSTOMERS, Policy(), secret=b"0" * 32, stamp="")
    return with_documents(profile or profile_of(folder), plain, list(rows.frame.columns), "customers.csv").check(rows)


def test_rows_whose_files_cannot_be_sent_are_invalid(scans: Path) -> None:
    rows = batch("a.pdf", "", "gone.pdf", "../secret.pdf", " a.pdf ", "https://files.example.com/scans/x.pdf",
                 "https://evil.test/x.pdf")  # fmt: skip
    found = checked(scans, rows)

    assert [(one.ordinal, one.code, one.field, one.column) for one in found.issues if one.ordinal != 8] == [
        (9, "document_not_found", "documents.passport.file", "Scan"),
        (10, "document_outside", "documents.passport.file", "Scan"),
        (13, "document_address", "documents.passport.file", "Scan"),
    ]
    assert [payload is not None for payload in found.payloads] == [True, True, False, False, True, True, False]
    assert [key is not None for key in found.keys] == [payload is not None for payload in found.payloads]
    assert [after is not None for after in found.after] == [True, False, False, False, True, True, False]
    assert not any(found.idv_ready[place] for place in (2, 3, 6)) if found.idv_ready is not None else True


def test_a_missing_file_is_said_beside_the_other_errors_of_its_row(scans: Path) -> None:
    found = checked(scans, batch("gone.pdf", lastName=""))
    assert [one.code for one in found.issues] == ["required_missing", "document_not_found"]


def test_the_nearest_name_of_the_folder_is_suggested(scans: Path) -> None:
    (scans / "scan_014.pdf").write_bytes(PDF)
    (scans / "sarah@example.com.pdf").write_bytes(PDF)

    (issue,) = checked(scans, batch("scan_14.pdf")).issues
    assert issue.message.endswith("or correct the name. Did you mean 'scan_014.pdf'?")
    assert checked(scans, batch("2026/D.jpeg")).issues[0].message.endswith("Did you mean '2026/d.jpeg'?")
    for name in ("zzzzzz", "sarah@example.com", "2025/d.jpeg"):
        assert "mean" not in checked(scans, batch(name)).issues[0].message


def test_not_more_names_are_searched_for_than_is_quick(scans: Path) -> None:
    found = checked(scans, batch(*["aa.pdf"] * 30)).issues
    assert sum("Did you mean 'a.pdf'" in one.message for one in found) == 20
    assert len(found) == 30


def test_documents_that_are_not_sent_are_not_looked_at(scans: Path) -> None:
    off = profile_of(scans, after_create={"documents": False})
    assert checked(scans, batch("gone.pdf"), off).issues == ()
    plain = Validator(CUSTOMERS, Policy(), secret=b"0" * 32, stamp="")
    assert with_documents(profile_of(scans), plain, ["firstName"], "customers.csv") is plain


def test_a_validator_that_looks_at_documents_works_in_other_processes(scans: Path) -> None:
    plain = Validator(CUSTOMERS, Policy(), secret=b"0" * 32, stamp="")
    validator = with_documents(profile_of(scans), plain, ["documents.passport.file"], "customers.csv")
    there = pickle.loads(pickle.dumps(validator))  # noqa: S301  # made here
    assert [one.code for one in there.check(batch("gone.pdf")).issues] == ["document_not_found"]


def test_a_folder_that_is_not_there_is_an_error_of_the_profile(scans: Path, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="does not exist") as caught:
        checked(scans, batch("a.pdf"), profile_of(tmp_path / "gone"))
    assert "documents.folder" in caught.value.hint


@pytest.mark.parametrize("source", ["DataFrame", "https://files.example.com/customers.csv", "/tmp/spool/-"])
def test_a_folder_is_beside_the_source_or_in_the_current_one(
    scans: Path, tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    relative = profile_of(Path("scans"))
    assert DocumentSources.of(relative, str(tmp_path / "customers.csv")).folder.path == scans
    monkeypatch.chdir(tmp_path)
    assert DocumentSources.of(relative, source).folder.path == scans


# --------------------------------------------------------------------------- bytes, when they are sent


def files_of(folder: Path, workspace: Path, *addresses: str) -> DocumentFiles:
    profile = Profile.model_validate({"documents": {"folder": folder, "addresses": addresses}, "workspace": workspace})
    return DocumentFiles.of(profile, "customers.csv")


async def test_the_bytes_of_a_file_are_read_and_checked_again(scans: Path, tmp_path: Path) -> None:
    files = files_of(scans, tmp_path / "runs")
    assert await files.read("a.pdf", MOST_BYTES) == PDF
    (scans / "a.pdf").write_bytes(b"changed")
    assert await files.read("a.pdf", MOST_BYTES) == UnreadFile("A document of another kind than its name says.")
    assert await files.read("../secret.pdf", MOST_BYTES) == UnreadFile("A document outside the folder of documents.")
    assert await files.read("b.PNG", 5) == UnreadFile("A document that is too large.")


async def test_a_document_is_fetched_from_a_listed_address(scans: Path, tmp_path: Path, site: Web) -> None:
    site.files |= {"/scans/a.pdf": PDF, "/secret/b.pdf": PDF, "/scans/c.pdf": b"<html>", "/scans/d.pdf": PDF * 10}
    files = files_of(scans, tmp_path / "runs", f"{site.url}/scans")

    assert await files.read(f"{site.url}/scans/a.pdf", MOST_BYTES) == PDF
    assert await files.read(f"{site.url}/scans/a.pdf?signature=x", MOST_BYTES) == PDF
    assert await files.read(f"{site.url.replace('http', 'HTTP')}/scans/a.pdf", MOST_BYTES) == PDF
    seen = list(site.seen)
    refused = await files.read(f"{site.url}/secret/b.pdf", MOST_BYTES)
    assert refused == UnreadFile("A document at an address that is not allowed.")
    assert site.seen == seen
    assert await files.read(f"{site.url}/scans/c.pdf", MOST_BYTES) == UnreadFile(
        "A document of another kind than its name says."
    )
    too_large = await files.read(f"{site.url}/scans/d.pdf", len(PDF))
    assert isinstance(too_large, UnreadFile)
    assert f"larger than the {len(PDF)} bytes" in too_large.message
    assert not list((tmp_path / "runs" / "spool").iterdir())


async def test_a_server_leads_on_only_to_what_is_listed(scans: Path, tmp_path: Path, site: Web) -> None:
    site.files |= {"/scans/a.pdf": PDF, "/secret/b.pdf": PDF}
    site.redirects |= {"/scans/in.pdf": "/scans/a.pdf", "/scans/out.pdf": "/secret/b.pdf",
                       "/scans/up.pdf": f"{site.url}/scans/../secret/b.pdf"}  # fmt: skip
    files = files_of(scans, tmp_path / "runs", f"{site.url}/scans")

    assert await files.read(f"{site.url}/scans/in.pdf", MOST_BYTES) == PDF
    for name in ("out.pdf", "up.pdf"):
        refused = await files.read(f"{site.url}/scans/{name}", MOST_BYTES)
        assert isinstance(refused, UnreadFile)
        assert "leads on to an address that is not safe" in refused.message
    assert not any("secret" in path for _, path in site.seen)


async def test_what_cannot_be_fetched_is_said_without_its_address(scans: Path, tmp_path: Path, site: Web) -> None:
    files = files_of(scans, tmp_path / "runs", f"{site.url}/scans", "http://127.0.0.1:9/scans")
    missing = await files.read(f"{site.url}/scans/sarah.pdf", MOST_BYTES)
    unreached = await files.read("http://127.0.0.1:9/scans/sarah.pdf", MOST_BYTES)

    assert isinstance(missing, UnreadFile)
    assert not missing.later
    assert isinstance(unreached, UnreadFile)
    assert unreached.later
    assert not any(word in f"{missing.message} {unreached.message}" for word in ("sarah", "127.0.0.1", "scans"))


# --------------------------------------------------------------------------- a whole source

HEADER = "First Name,Last Name,Phone,Phone Type,Email,Passport,Country,Scan\n"
MAPPING = {
    "firstName": "First Name", "lastName": "Last Name", "primaryPhoneNumber.number": "Phone",
    "primaryPhoneNumber.type": "Phone Type", "primaryEmail.value": "Email", "documents.passport.number": "Passport",
    "documents.passport.issuingCountryCode": "Country", "documents.passport.file": "Scan",
}  # fmt: skip


def write_source(folder: Path, *scans: str) -> Path:
    source = folder / "customers.csv"
    lines = [
        f"Sarah,Green,+1212555012{number},MOBILE,sarah{number}@example.com,X000{number},USA,{name}\n"
        for number, name in enumerate(scans)
    ]
    source.write_text(HEADER + "".join(lines))
    return source


def whole_profile(tmp_path: Path) -> Profile:
    documents, workspace = {"folder": "scans"}, tmp_path / "runs"
    return Profile.model_validate({"mapping": MAPPING, "documents": documents, "workspace": workspace})


def test_a_dry_run_finds_rows_without_their_files(scans: Path, tmp_path: Path) -> None:
    source = write_source(tmp_path, "a.pdf", "e.pdf", "2026/d.jpeg", "../secret.pdf")

    report = validate(source, profile=whole_profile(tmp_path))

    assert dict(report.counts) == {"read": 4, "valid": 2, "invalid": 2}
    assert {(one.code, one.column, one.count) for one in report.clusters} == {
        ("document_not_found", "Scan", 1), ("document_outside", "Scan", 1),
    }  # fmt: skip


async def test_rows_with_their_files_are_created_and_fixed_ones_are_looked_at_again(
    scans: Path, tmp_path: Path
) -> None:
    profile = whole_profile(tmp_path)
    first = await run(write_source(tmp_path, "a.pdf", "e.pdf", "f.pdf"), profile=profile)

    assert (first.counts["created"], first.counts["invalid"]) == (1, 2)
    assert first.follow_up["steps"]["documents"] == {"done": 1}

    fixed = first.rows()
    fixed.loc[fixed["Scan"] == "e.pdf", "Scan"] = "2026/d.jpeg"
    fixed.loc[fixed["Scan"] == "f.pdf", "Scan"] = "g.pdf"
    second = await run(fixed, profile=profile)

    assert (second.counts["created"], second.counts["invalid"]) == (2, 1)
    assert second.follow_up["steps"]["documents"] == {"done": 2}
    assert [(one.code, one.count) for one in second.clusters] == [("document_not_found", 1)]


async def test_in_a_night_a_folder_is_below_the_inbox(scans: Path, tmp_path: Path) -> None:
    write_source(tmp_path, "a.pdf", "e.pdf")
    lines = [f'"{name}" = "{column}"' for name, column in MAPPING.items()]
    file = tmp_path / "profile.toml"
    file.write_text("\n".join(("[documents]", 'folder = "scans"', "[nightly]", "settle_s = 0", "[mapping]", *lines)))
    options = {"target": "emulator", "workspace": str(tmp_path / "runs")}

    report = await Inbox(Profile.load(file, options=options, environ={}), tmp_path).once()

    assert [(one.counts["created"], one.counts["invalid"]) for one in report.imports] == [(1, 1)]


async def doctors(profile: Profile, folder: str = "") -> dict[str, tuple[str, str]]:
    found = await examine(lambda: profile, {}, folder, offline=True)
    return {one.check: (one.status, one.message) for one in found}


async def test_the_doctor_looks_for_the_folder_of_documents(scans: Path, tmp_path: Path) -> None:
    mapped: dict[str, Any] = {"mapping": MAPPING, "workspace": tmp_path / "runs"}
    there = profile_of(scans, **mapped)
    assert (await doctors(there))["documents"] == ("ok", f"{scans} is there")
    assert (await doctors(profile_of(tmp_path / "gone", **mapped)))["documents"][0] == "fail"
    assert "beside each source" in (await doctors(profile_of(Path("scans"), **mapped)))["documents"][1]
    assert (await doctors(profile_of(Path("scans"), **mapped), str(tmp_path)))["documents"][0] == "ok"
    assert "documents" not in await doctors(replace_mapping(there))


def replace_mapping(profile: Profile) -> Profile:
    return profile.model_copy(update={"mapping": {"firstName": profile.mapping["firstName"]}})


# --------------------------------------------------------------------------- bound to their content


def test_a_bound_file_is_read_as_it_was_and_as_nothing_else(scans: Path, tmp_path: Path) -> None:
    files = files_of(scans, tmp_path)
    (scans / "bound.pdf").write_bytes(b"%PDF-1.4 first")
    binding = Binding.of(profile_of(scans), ["documents.passport.file"], "customers.csv")
    assert binding is not None
    bound = binding.bound(b'{"documents":{"passport":{"file":"bound.pdf","number":"X1"}}}')
    passport = json.loads(bound)["documents"]["passport"]
    assert passport == {"file": "bound.pdf", "number": "X1", "sha256": sha256(b"%PDF-1.4 first").hexdigest()}
    assert binding.bound(bound) == bound

    assert asyncio.run(files.read("bound.pdf", MOST_BYTES, passport["sha256"])) == b"%PDF-1.4 first"
    (scans / "bound.pdf").write_bytes(b"%PDF-1.4 other")
    changed = asyncio.run(files.read("bound.pdf", MOST_BYTES, passport["sha256"]))
    assert isinstance(changed, UnreadFile)
    assert (changed.code, changed.later) == ("document_changed", False)
    assert binding.bound(bound) != bound


def test_addresses_missing_files_and_rows_without_documents(scans: Path) -> None:
    binding = Binding.of(profile_of(scans), ["documents.passport.file"], "customers.csv")
    assert binding is not None
    at_address = binding.bound(b'{"documents":{"passport":{"file":"https://a.example.com/1.pdf"}}}')
    gone = binding.bound(b'{"documents":{"passport":{"file":"gone.pdf"}}}')
    without = b'{"limits":{"daily":"1.00"}}'

    assert (binding.bound(b""), binding.bound(without)) == (b"", without)
    assert list(binding.contents([b"", without, at_address, gone])) == ["", sha256(b"").hexdigest()]
    assert Binding.of(profile_of(scans), ["firstName"], "customers.csv") is None
