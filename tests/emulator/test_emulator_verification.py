"""Identity verification: profiles, applications whose states go by time, and lists of them."""

from __future__ import annotations

from typing import Any

import pytest

from importer.emulator import EmulatorSettings
from tests.emulator.client import SARAH, Caller, served

NOBODY = "00000000-0000-4000-8000-000000000000"
NOON = 1_700_049_600.0  # 2023-11-15, 12:00 UTC


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now_s = NOON

    def __call__(self) -> float:
        return self.now_s


async def _status(caller: Caller, path: str) -> str:
    return str((await caller.call("GET", path)).json["latestStatus"])


async def _listed(caller: Caller, **params: Any) -> list[str]:
    """The paths of the applications on the first page of the list."""
    page = (await caller.call("GET", "/v1/identity-verifications", params=params)).json
    return [f"/v1/identity-verifications/{one['id']}" for one in page["content"]]


async def _verified(caller: Caller, customer_id: str) -> str:
    """The verification status of a customer, the same in its own answer and in the list."""
    (listed,) = [one for one in (await caller.listed(size=100)).json["content"] if one["id"] == customer_id]
    single = (await caller.get(customer_id)).json
    assert listed == single
    assert single in list(caller.emulator.customers())
    return str(single["verificationStatus"]["status"])


async def test_profiles_are_a_bare_array_with_what_each_party_needs() -> None:
    async with served() as caller:
        profiles = (await caller.call("GET", "/v1/identity-verification-profiles")).json
        named = {profile["name"]: profile for profile in profiles}
        standard = named["Standard"]["minimumInformationRequired"]

        assert set(named) == {"Standard", "Basic", "Business", "With documents"}
        assert {status for one in profiles for status in one["allowedAccountStatuses"]} == {"ACTIVE"}
        assert set(standard) == {"individual", "business", "beneficiary"}
        assert standard["individual"]["info"] == [
            "DATE_OF_BIRTH", "SSN", "PRIMARY_EMAIL_ADDRESS", "PRIMARY_PHONE_NUMBER",
        ]  # fmt: skip
        assert named["Basic"]["minimumInformationRequired"]["individual"] == {
            "name": ["FIRST", "LAST"], "info": ["PRIMARY_EMAIL_ADDRESS"],
        }  # fmt: skip
        documents = named["With documents"]["minimumInformationRequired"]["individual"]["documents"]
        assert documents == {"passport": ["ISSUING_COUNTRY", "EXPIRY_DATE"]}


@pytest.mark.parametrize(
    ("types", "names"),
    [
        ("BUSINESS_CUSTOMER", {"Standard", "Business"}),
        ("INDIVIDUAL_CUSTOMER", {"Standard", "Basic", "With documents"}),
        ("BUSINESS_CUSTOMER,INDIVIDUAL_CUSTOMER", {"Standard", "Basic", "Business", "With documents"}),
        ("BUSINESS_ACCOUNT", set()),
    ],
)
async def test_profiles_are_filtered_by_the_type_of_account(types: str, names: set[str]) -> None:
    async with served() as caller:
        path = f"/v1/identity-verification-profiles?identityAccountTypes={types}"

        assert {profile["name"] for profile in (await caller.call("GET", path)).json} == names
        assert (await caller.call("GET", f"{path},PERSON")).status == 400


async def test_an_application_goes_from_new_to_completed_as_time_passes() -> None:
    clock = Clock()
    async with served(EmulatorSettings(idv_s=8), clock=clock) as caller:
        customer_id = (await caller.create()).json["id"]
        before = await _verified(caller, customer_id)
        submitted = await caller.submit(customer_id)
        path, seen = submitted.headers["Location"], []
        for _ in range(5):
            seen.append((await _status(caller, path), await _verified(caller, customer_id)))
            clock.now_s += 2
        application = (await caller.call("GET", path)).json

        assert (submitted.status, submitted.text) == (201, "")
        assert before == "UNVERIFIED"
        assert seen == [
            ("NEW", "PROCESSING"),
            ("PENDING", "PROCESSING"),
            ("PROCESSING", "PROCESSING"),
            ("PROCESSING", "PROCESSING"),
            ("COMPLETED", "APPROVED"),
        ]
        assert application["outcome"] == "Approved"
        assert application["accountType"] == "INDIVIDUAL_CUSTOMER"
        assert [one["status"] for one in application["statusHistory"]] == ["NEW", "PENDING", "PROCESSING", "COMPLETED"]
        assert (application["createdAt"], application["completedAt"]) == (
            "2023-11-15T12:00:00.000Z",
            "2023-11-15T12:00:08.000Z",
        )
        (entity,) = application["entities"]
        assert (entity["id"], entity["entityType"], entity["lastName"]) == (customer_id, "INDIVIDUAL", "Green")
        assert (entity["status"], entity["outcome"]) == ("COMPLETED", "Approved")


async def test_there_is_no_outcome_before_the_end() -> None:
    async with served() as caller:
        path = await caller.submitted((await caller.create()).json["id"])
        application = (await caller.call("GET", path)).json

        assert not {"outcome", "completedAt"} & application.keys()
        assert "outcome" not in application["entities"][0]


@pytest.mark.parametrize(
    ("name", "status", "outcome", "verified"),
    [
        ("Green", "COMPLETED", "Approved", "APPROVED"),
        ("Declined-Smith", "COMPLETED", "DECLINED", "DECLINED"),
        ("Review", "PENDING_REVIEW", None, "REVIEW"),
        ("DOCUMENTS", "PENDING_DOCUMENTS", None, "PROCESSING"),
    ],
)
async def test_the_last_name_decides_how_it_ends(name: str, status: str, outcome: str | None, verified: str) -> None:
    async with served(EmulatorSettings(idv_s=0)) as caller:
        customer_id = (await caller.create(lastName=name)).json["id"]
        path = await caller.submitted(customer_id)
        application = (await caller.call("GET", path)).json

        assert (application["latestStatus"], application.get("outcome")) == (status, outcome)
        assert await _verified(caller, customer_id) == verified
        assert await _listed(caller, status=status) == [path]


async def test_owners_and_contacts_of_a_business_decide_too_and_are_entities() -> None:
    async with served(EmulatorSettings(idv_s=0)) as caller:
        business = await caller.business()
        owner = (await caller.add_owner(business, lastName="Decline")).json["id"]
        application = (await caller.call("GET", await caller.submitted(business, "Business"))).json

        assert application["outcome"] == "DECLINED"
        assert [(one["id"], one["entityType"]) for one in application["entities"]] == [
            (business, "BUSINESS"),
            (owner, "BENEFICIARY"),
        ]
        contact = {**(await caller.get(business)).json["contacts"][0], "lastName": "Review"}
        held = await caller.submitted(await caller.business(contacts=[contact]))
        assert await _status(caller, held) == "PENDING_REVIEW"


async def test_a_document_lets_a_waiting_application_go_on() -> None:
    clock = Clock()
    async with served(EmulatorSettings(idv_s=8), clock=clock) as caller:
        customer_id = (await caller.create(lastName="Documents")).json["id"]
        path = await caller.submitted(customer_id)
        clock.now_s += 600
        waiting = await _status(caller, path)
        url = (await caller.add_document(customer_id)).json["url"]["value"]
        announced = await _status(caller, path)
        await caller.upload(url, b"%PDF-1.")
        going_on = await _status(caller, path)
        clock.now_s += 8
        history = [one["status"] for one in (await caller.call("GET", path)).json["statusHistory"]]

        assert (waiting, announced, going_on) == ("PENDING_DOCUMENTS", "PENDING_DOCUMENTS", "PROCESSING")
        assert history == ["NEW", "PENDING", "PROCESSING", "PENDING_DOCUMENTS", "PROCESSING", "COMPLETED"]
        assert await _listed(caller, status="COMPLETED", outcome="approved") == [path]


@pytest.mark.parametrize("first", [True, False], ids=["before the submission", "while it is processed"])
async def test_a_document_that_is_there_in_time_halts_nothing(first: bool) -> None:
    clock = Clock()
    async with served(EmulatorSettings(idv_s=8), clock=clock) as caller:
        business = await caller.business()
        owner = (await caller.add_owner(business, lastName="Documents")).json["id"]
        path = "" if first else await caller.submitted(business)
        url = (await caller.add_document(owner, holderType="BENEFICIARY")).json["url"]["value"]
        await caller.upload(url, b"%PDF-1.")
        path = path or await caller.submitted(business)
        clock.now_s += 8

        assert await _status(caller, path) == "COMPLETED"


async def test_a_wrong_submission_is_refused_and_makes_nothing() -> None:
    async with served() as caller:
        person, business = (await caller.create()).json["id"], await caller.business()
        suspended = (await caller.create()).json["id"]
        await caller.call("PUT", f"/v1/customers/{suspended}/suspend")
        unknown = {"accountId": person, "identityVerificationProfileId": NOBODY}
        statuses = [
            (await caller.submit(NOBODY)).status,
            (await caller.call("POST", "/v1/identity-verifications", json=unknown)).status,
            (await caller.call("POST", "/v1/identity-verifications", json={"accountId": person})).status,
            (await caller.submit(person, "Business")).status,
            (await caller.submit(business, "Basic")).status,
            (await caller.submit(suspended)).status,
        ]

        assert statuses == [404, 404, 400, 422, 422, 422]
        assert list(caller.emulator.applications()) == []
        assert (await caller.call("GET", f"/v1/identity-verifications/{NOBODY}")).status == 404


async def test_submitting_twice_makes_two_applications_and_is_counted() -> None:
    async with served() as caller:
        customer_id = (await caller.create()).json["id"]
        paths = [await caller.submitted(customer_id) for _ in range(2)]

        assert len(set(paths)) == 2
        assert caller.emulator.numbers()["repeats"]["applications"] == 1
        assert caller.emulator.ledger.committed_ids("idv_submit") == [path.rpartition("/")[2] for path in paths]


async def test_a_second_open_application_can_be_refused() -> None:
    clock = Clock()
    async with served(EmulatorSettings(second_application="409"), clock=clock) as caller:
        customer_id = (await caller.create()).json["id"]
        statuses = [(await caller.submit(customer_id)).status for _ in range(2)]
        statuses.append((await caller.submit(customer_id, "Basic")).status)
        clock.now_s += 2
        statuses.append((await caller.submit(customer_id)).status)

        assert statuses == [201, 409, 201, 201]


async def test_the_newest_application_decides_the_status_of_the_customer() -> None:
    clock = Clock()
    async with served(clock=clock) as caller:
        customer_id = (await caller.create()).json["id"]
        await caller.submit(customer_id)
        clock.now_s += 60
        approved = await _verified(caller, customer_id)
        await caller.submit(customer_id)
        await caller.call("PUT", f"/v1/customers/{customer_id}", json={**SARAH, "lastName": "Grey"})

        assert approved == "APPROVED"
        assert await _verified(caller, customer_id) == "PROCESSING"


async def test_the_list_is_filtered_sorted_and_paged() -> None:
    clock = Clock()
    async with served(EmulatorSettings(idv_s=60), clock=clock) as caller:
        paths = [
            await caller.submitted((await caller.create()).json["id"]),
            await caller.submitted(await caller.business(), "Business"),
        ]
        clock.now_s += 86_400
        await caller.exchange()
        paths.append(await caller.submitted((await caller.create(lastName="Decline")).json["id"]))
        oldest = (await caller.call("GET", "/v1/identity-verifications?sort=createdAt,ASC&size=2")).json
        profile_id = next(one["identityVerificationProfileId"] for one in oldest["content"][1:])

        assert await _listed(caller) == paths[::-1]
        assert [oldest[name] for name in ("totalElements", "totalPages", "number", "hasNext")] == [3, 2, 0, True]
        assert await _listed(caller, sort="createdAt,ASC", size=2, page=1) == paths[2:]
        assert await _listed(caller, createdDateTo="2023-11-15") == paths[1::-1]
        assert await _listed(caller, createdDateFrom="2023-11-16") == paths[2:]
        assert await _listed(caller, createdDateFrom="2023-11-16", timeZone="Asia/Tokyo") == paths[2:]
        assert await _listed(caller, completedDateFrom="2023-11-15", completedDateTo="2023-11-15") == paths[1::-1]
        assert await _listed(caller, completedDateFrom="2023-11-16") == []
        assert await _listed(caller, status="NEW") == paths[2:]
        assert await _listed(caller, outcome="APPROVED") == paths[1::-1]
        assert await _listed(caller, outcome="DECLINED") == []
        assert await _listed(caller, accountTypes="BUSINESS_CUSTOMER") == paths[1:2]
        assert await _listed(caller, accountTypes="BUSINESS_CUSTOMER,INDIVIDUAL_CUSTOMER") == paths[::-1]
        assert await _listed(caller, identityVerificationProfileId=profile_id) == paths[1:2]


@pytest.mark.parametrize(
    "query",
    ["status=DONE", "accountTypes=PERSON", "createdDateFrom=soon", "sort=name,ASC", "page=-1", "timeZone=Mars"],
)
async def test_a_wrong_parameter_of_the_list_is_refused(query: str) -> None:
    async with served() as caller:
        assert (await caller.call("GET", f"/v1/identity-verifications?{query}")).status == 400


async def test_the_list_shows_an_application_later_than_its_own_address() -> None:
    clock = Clock()
    async with served(EmulatorSettings(list_lag_s=5), clock=clock) as caller:
        path = await caller.submitted((await caller.create()).json["id"])
        early = (await _listed(caller), await _status(caller, path))
        clock.now_s += 5

        assert early == ([], "NEW")
        assert await _listed(caller) == [path]


async def test_the_filter_and_the_object_agree_on_every_state() -> None:
    clock = Clock()
    async with served(EmulatorSettings(idv_s=4), clock=clock) as caller:
        for name in ("Green", "Decline", "Review", "Documents"):
            await caller.submit((await caller.create(lastName=name)).json["id"])
        for _ in range(12):
            for application in caller.emulator.applications():
                path = f"/v1/identity-verifications/{application['id']}"
                assert path in await _listed(caller, status=application["latestStatus"])
            clock.now_s += 0.5
