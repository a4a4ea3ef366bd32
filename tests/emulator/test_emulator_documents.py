"""Documents: announced with rules, uploaded to a signed address without the access token."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest

from importer.emulator import EmulatorSettings
from tests.emulator.client import Caller, Reply, served

NOBODY = "00000000-0000-4000-8000-000000000000"


async def _announced(caller: Caller, **changes: Any) -> Reply:
    return await caller.add_document((await caller.create()).json["id"], **changes)


async def test_a_document_is_announced_and_uploaded() -> None:
    async with served() as caller:
        announced = await _announced(caller, expiryDate="2031-01-01", metadata={"row": "2"})
        url = announced.json["url"]
        uploaded = await caller.upload(url["value"], b"%PDF-1.")

        assert (announced.status, announced.json["status"], url["method"]) == (201, "NEW", "PUT")
        assert url["value"].startswith(f"{caller.emulator.base_url}/uploads/{announced.json['id']}?signature=")
        assert (uploaded.status, uploaded.text) == (200, "")
        (document,) = caller.emulator.documents()
        assert (document["status"], document["length"]) == ("UPLOADED", 7)
        assert document["sha256"] == sha256(b"%PDF-1.").hexdigest()
        assert caller.emulator.ledger.committed_ids("document") == [announced.json["id"]]
        assert caller.emulator.ledger.committed_ids("upload") == [announced.json["id"]]


async def test_an_upload_with_a_token_or_a_wrong_signature_is_refused() -> None:
    async with served() as caller:
        url = (await _announced(caller)).json["url"]["value"]
        refused = [
            await caller.upload(url, b"%PDF-1.", Authorization=f"Bearer {caller.token}"),
            await caller.upload(f"{url}x", b"%PDF-1."),
            await caller.upload(f"{url}%C3%A9", b"%PDF-1."),
            await caller.upload(url.partition("?")[0], b"%PDF-1."),
            await caller.upload(f"{caller.emulator.base_url}/uploads/{NOBODY}?signature=x", b"%PDF-1."),
        ]

        assert [reply.status for reply in refused] == [403] * 5
        assert [document["status"] for document in caller.emulator.documents()] == ["NEW"]


async def test_an_upload_of_another_length_leaves_the_document_incomplete_until_it_is_whole() -> None:
    async with served() as caller:
        url = (await _announced(caller)).json["url"]["value"]
        short = await caller.upload(url, b"%PDF")
        (before,) = caller.emulator.documents()
        whole = await caller.upload(url, b"%PDF-1.")
        (after,) = caller.emulator.documents()

        assert (short.status, short.json["errorCode"], whole.status) == (400, "EMU_UPLOAD_LENGTH", 200)
        assert (before["status"], before["length"]) == ("INCOMPLETE", 4)
        assert after["status"] == "UPLOADED"
        assert caller.emulator.numbers()["committed"]["upload"] == 1


async def test_five_mebibytes_may_be_uploaded_and_nothing_else_may_be_so_large() -> None:
    largest = 5 * 1024 * 1024
    async with served() as caller:
        url = (await _announced(caller, contentLength=largest)).json["url"]["value"]

        assert (await caller.upload(url, BytesIO(bytes(largest)))).status == 200
        assert (await caller.upload(url, BytesIO(bytes(largest + 1)))).status == 413
        assert (await caller.call("POST", "/v1/documents", data=BytesIO(bytes(1024 * 1024 + 1)))).status == 413
        assert [document["length"] for document in caller.emulator.documents()] == [largest]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"holderType": "PERSON"}, ("holderType", "EMU_ENUM")),
        ({"documentType": "Passport"}, ("documentType", "EMU_ENUM")),
        ({"name": None}, ("name", "EMU_REQUIRED")),
        ({"name": "x" * 41}, ("name", "EMU_LENGTH")),
        ({"number": None}, ("number", "EMU_REQUIRED")),
        ({"issuingCountryCode": None}, ("issuingCountryCode", "EMU_REQUIRED")),
        ({"documentType": "driving-license", "number": None}, ("number", "EMU_REQUIRED")),
        ({"documentType": "tax"}, ("description", "EMU_REQUIRED")),
        ({"description": "x" * 101}, ("description", "EMU_LENGTH")),
        ({"issuingDate": "2023-11-15"}, ("issuingDate", "EMU_DATE")),
        ({"issuingDate": "15.11.2020"}, ("issuingDate", "EMU_FORMAT")),
        ({"issuingDate": 20201115}, ("issuingDate", "EMU_FORMAT")),
        ({"extension": "GIF"}, ("extension", "EMU_ENUM")),
        ({"contentLength": 5_242_881}, ("contentLength", "EMU_SIZE")),
        ({"contentLength": 0}, ("contentLength", "EMU_SIZE")),
        ({"contentLength": "7"}, ("contentLength", "EMU_SIZE")),
    ],
)
async def test_wrong_data_is_refused_with_its_path(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    async with served(clock=lambda: 1_700_000_000.0) as caller:  # 2023-11-14
        refused = await _announced(caller, **changes)

        assert (refused.status, refused.problems) == (400, {problem})
        assert list(caller.emulator.documents()) == []


async def test_other_papers_need_a_description_and_no_number() -> None:
    papers = {"documentType": "formation", "description": "Deed", "number": None, "issuingCountryCode": None}
    async with served(clock=lambda: 1_700_000_000.0) as caller:
        assert (await _announced(caller, **papers, issuingDate="2023-11-14")).status == 201


async def test_the_holder_must_exist() -> None:
    async with served() as caller:
        owner = (await caller.add_owner(await caller.business())).json["id"]

        assert (await caller.add_document(NOBODY)).status == 404
        assert (await caller.add_document(NOBODY, holderType="BENEFICIARY")).status == 404
        assert (await caller.add_document(owner, holderType="BENEFICIARY")).status == 201
        assert (await caller.add_document("the account", holderType="BUSINESS_ACCOUNT")).status == 201


async def test_announcing_twice_makes_two_documents_and_is_counted() -> None:
    async with served() as caller:
        customer_id = (await caller.create()).json["id"]
        ids = {(await caller.add_document(customer_id)).json["id"] for _ in range(2)}

        assert len(ids) == 2
        assert caller.emulator.numbers()["repeats"]["documents"] == 1


async def test_an_upload_needs_no_role_and_an_announcement_does() -> None:
    async with served(EmulatorSettings(role="view-only")) as caller:
        assert (await caller.add_document(NOBODY)).status == 403
        assert (await caller.call("GET", "/v1/documents")).status == 405
