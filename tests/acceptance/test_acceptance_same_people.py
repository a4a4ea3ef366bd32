"""The same people again: what is said of them is true, and nobody is created a second time in silence."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.acceptance.conftest import User, Witness, people, sandbox, wait_for

pytestmark = pytest.mark.slow

HEADER = "ID,First Name,Last Name,Email,Phone,Street,City,State,Zip,Country"
ANN = "L-1,Ann,Green,ann@example.com,+12125550101,1 Example Street,Springfield,IL,62701,US"
BOB = "L-2,Bob,Stone,bob@example.com,+12125550102,2 Example Street,Springfield,IL,62701,US"
CAT = "L-3,Cat,Field,cat@example.com,+12125550103,3 Example Street,Springfield,IL,62701,US"
DAN = "L-4,Dan,Wood,dan@example.com,+12125550104,,,,,"


def table(*lines: str, header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def imports(
    user: User,
    text: str,
    *options: str | Path,
    environ: Mapping[str, str] = MappingProxyType({}),
    code: int = 0,
    **said: str,
) -> dict[str, Any]:
    name = f"people-{len(list(user.home.glob('people-*.csv')))}.csv"
    ran = user.types("run", user.has(name, text), *options, "--json", **environ, **said)
    assert ran.code == code, ran.out
    return ran.json


def rows_of(report: dict[str, Any], code: str) -> list[int]:
    return [row for issue in report["issues"] if issue["code"] == code for row in issue["rows"]]


def test_of_two_runs_with_one_corrected_cell_exactly_one_row_is_said_to_differ(user: User) -> None:
    broken = DAN.replace("dan@example.com", "nonsense")
    imports(user, table(ANN, BOB, CAT, broken), code=3)

    second = imports(user, table(ANN, BOB.replace("2 Example Street", "22 Example Street"), CAT, DAN))

    assert second["counts"]["existing"] == 3
    assert rows_of(second, "differs_from_imported") == [3]


def test_neither_the_order_of_columns_nor_the_neighbours_make_a_customer_differ(user: User) -> None:
    imports(user, table(ANN, BOB, CAT))
    turned = [",".join(reversed(line.split(","))) for line in (ANN, BOB, CAT, DAN)]
    alone = imports(user, table(*turned, header=",".join(reversed(HEADER.split(",")))))

    assert (alone["counts"]["existing"], rows_of(alone, "differs_from_imported")) == (3, [])


def test_another_name_of_the_stamp_makes_no_customer_differ(user: User) -> None:
    imports(user, table(ANN, BOB))
    again = imports(user, table(ANN, BOB, CAT), IMPORTER_DELIVERY__IMPORT_KEY_METADATA="legacyKey")

    assert (again["counts"]["existing"], rows_of(again, "differs_from_imported")) == (2, [])


PLAIN = "First Name,Last Name,Email,Phone"
BORN = f"{PLAIN},Date of Birth"
ZOE = "Zoé,O'Hara-Lind,zoe@example.com,+12125550111"
REFERRED = f"ID,{PLAIN}"


@pytest.mark.parametrize(
    ("header", "before", "changed", "again"),
    [
        (PLAIN, ZOE, PLAIN, ZOE.replace("O'Hara", "O'Harra")),
        (PLAIN, ZOE, REFERRED, f"L-7,{ZOE}"),
        (REFERRED, f"L-7,{ZOE}", PLAIN, ZOE),
        (REFERRED, f"L-7a,{ZOE}", REFERRED, f"l-7A,{ZOE}"),
        (REFERRED, f"0042,{ZOE}", REFERRED, f"42,{ZOE}"),
        (PLAIN, ZOE, PLAIN, ZOE.replace("O'Hara", "O'Hara  ")),
        (PLAIN, ZOE, PLAIN, ZOE.replace("'", "\u2019")),
        (PLAIN, ZOE, PLAIN, ZOE.replace("-", "\u2010")),
        (PLAIN, ZOE, PLAIN, ZOE.replace("é", "e")),
        (PLAIN, ZOE, PLAIN, ZOE.replace("zoe@", "zoe.lind@")),
        (PLAIN, ZOE, PLAIN, ZOE.replace("0111", "0112")),
        (PLAIN, ZOE, BORN, f"{ZOE},1980-01-31"),
        (BORN, f"{ZOE},1980-01-31", BORN, "Zoe,O\u2019Hara\u2010Lind,other@example.com,+12125550119,1980-01-31"),
        (
            f"{REFERRED}",
            f"L-07,{ZOE}",
            f"{REFERRED}",
            "l-7,Zoe,Lind,other@example.com,+12125550119",
        ),
    ],
    ids=[
        "name corrected", "reference added", "reference lost", "case of the reference", "leading zeros",
        "double space", "curly apostrophe", "another hyphen", "accent lost", "mail corrected", "phone corrected",
        "birth date added", "name and birth date alone", "reference alone",
    ],
)  # fmt: skip
def test_who_may_be_a_customer_of_an_earlier_run_is_named_before_anything_is_sent(
    user: User, header: str, before: str, changed: str, again: str
) -> None:
    stranger = "L-99," * changed.startswith("ID") + "Ned,Far,ned@example.com,+12125550199" + "," * (changed == BORN)
    first = imports(user, table(before, header=header))
    text = table(stranger, again, header=changed)
    dry = user.types("validate", user.has("dry.csv", text), "--json").json
    second = imports(user, text)

    for report in (dry, second):
        (found,) = (issue for issue in report["issues"] if issue["code"] == "possible_duplicate")
        assert (found["rows"], found["severity"], found["count"]) == ([3], "warning", 1)
        assert f"run {first['run_id']} " in found["message"]
        assert "in row 2 " in found["message"]
    assert second["counts"]["created"] == 2


def test_the_profile_makes_a_possible_duplicate_an_error_or_nothing(user: User) -> None:
    corrected = ZOE.replace("O'Hara", "O'Harra")
    imports(user, table(ZOE, header=PLAIN))

    said = {"IMPORTER_VALIDATION__POSSIBLE_DUPLICATE": "reject"}
    dry = user.types("validate", user.has("dry.csv", table(corrected, header=PLAIN)), "--json", **said).json
    refused = imports(user, table(corrected, header=PLAIN), environ=said, code=3)
    ignored = imports(user, table(corrected, header=PLAIN), IMPORTER_VALIDATION__POSSIBLE_DUPLICATE="ignore")

    assert (dry["counts"]["invalid"], refused["counts"]["invalid"], refused["counts"]["created"]) == (1, 1, 0)
    assert rows_of(refused, "possible_duplicate") == [2]
    assert (rows_of(ignored, "possible_duplicate"), ignored["counts"]["created"]) == ([], 1)


def test_customers_that_were_never_created_are_like_nobody(user: User) -> None:
    imports(user, table(ZOE.replace("zoe@example.com", "nonsense"), header=PLAIN), code=3)
    second = imports(user, table(ZOE.replace("O'Hara", "O'Harra"), header=PLAIN))

    assert rows_of(second, "possible_duplicate") == []


def test_what_is_compared_outlives_a_purge(user: User) -> None:
    imports(user, table(ZOE, header=PLAIN))
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal, journal:
        journal.execute("UPDATE runs SET ended_at = ended_at - 100000, started_at = started_at - 100000")
    assert user.types("purge", "--older-than", "1h").code == 0
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        assert journal.execute("SELECT count(*) FROM batches WHERE cells IS NOT NULL").fetchone() == (0,)

    assert rows_of(imports(user, table(ZOE.replace("O'Hara", "O'Harra"), header=PLAIN)), "possible_duplicate") == [2]


def test_another_person_under_a_used_reference_is_an_error(user: User) -> None:
    imports(user, table(ANN, BOB))
    other = "L-1,Ned,Far,ned@example.com,+12125550199,,,,,"
    married = BOB.replace("Stone", "Green").replace("bob@", "bob.green@")
    text = table(other, married, CAT)
    dry = user.types("validate", user.has("dry.csv", text), "--json").json
    second = imports(user, text, code=3)

    assert (dry["counts"]["invalid"], rows_of(dry, "external_id_of_another")) == (1, [2])
    assert second["counts"] | {"invalid": 1, "existing": 1, "created": 1} == second["counts"]
    assert rows_of(second, "external_id_of_another") == [2]


def test_a_profile_may_say_that_the_reference_decides(user: User) -> None:
    imports(user, table(ANN))
    other = "L-1,Ned,Far,ned@example.com,+12125550199,,,,,"
    second = imports(user, table(other), IMPORTER_VALIDATION__EXTERNAL_ID_DECIDES="true")

    assert (second["counts"]["existing"], rows_of(second, "external_id_of_another")) == (1, [])
    assert rows_of(second, "differs_from_imported") == [2]


def test_what_is_known_is_said_with_its_run_and_the_target_is_asked_on_demand(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    there = (*sandbox(profile_for(witness)), "--yes")
    first = imports(user, table(ANN, BOB), *there, environ=witness.environ)
    again = imports(user, table(ANN, BOB, CAT), *there, environ=witness.environ)
    (known,) = again["known_from"]
    assert (known["run_id"], known["rows"], again["counts"]["existing"]) == (first["run_id"], 2, 2)
    assert known["first_at"] <= known["last_at"] <= again["started_at"]

    verified = imports(user, table(BOB, ANN), *there, "--verify-existing", environ=witness.environ)
    assert (verified["counts"]["existing"], verified["known_from"]) == (2, [])

    gone = next(one["id"] for one in witness.customers() if one["firstName"] == "Ann")
    delete(witness, gone)
    asked = imports(user, table(CAT, ANN, BOB), *there, "--verify-existing", code=8, environ=witness.environ)
    assert asked["counts"] | {"existing": 2, "unknown": 1, "created": 0} == asked["counts"]
    assert rows_of(asked, "existing_not_found") == [3]
    assert asked["unknown"] == [{"row": 3, "candidates": [gone]}]
    retried = user.types("retry", "last", *there[:-1], "--json", **witness.environ)
    assert (retried.code, retried.json["counts"]["unknown"]) == (8, 1)
    assert witness.ledger()["customers"] == 2


def delete(witness: Witness, customer_id: str) -> None:
    """Have somebody else remove a customer."""
    key, secret = witness.environ["ROCKETKOR_API_KEY"], witness.environ["ROCKETKOR_API_SECRET"]
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    exchange = Request(f"{witness.base_url}/v1/api-keys/exchange", method="POST")  # noqa: S310  # loopback
    exchange.add_header("Authorization", f"Basic {basic}")
    with urlopen(exchange, timeout=30) as answer:  # noqa: S310  # loopback
        token = json.loads(answer.read())["access_token"]
    removal = Request(f"{witness.base_url}/v1/customers/{customer_id}", method="DELETE")  # noqa: S310  # loopback
    removal.add_header("Authorization", f"Bearer {token}")
    with urlopen(removal, timeout=30) as answer:  # noqa: S310  # loopback
        assert answer.status == 204


OTHER_READINGS = {
    "default region": {"IMPORTER_VALIDATION__DEFAULT_REGION": "GB"},
    "date order": {"IMPORTER_VALIDATION__DATE_ORDER": "dmy"},
    "no stamp of that name": {"IMPORTER_DELIVERY__IMPORT_KEY_METADATA": "legacyKey"},
}
NATIONAL = "ID,First Name,Last Name,Email,Phone,Birth\n"
KIM = "0042,Kim,Reed,kim@example.com,2125550123,01/02/1980\n"
LEE = "0043,Lee,Reed,lee@example.com,2125550124,03/04/1981\n"


@pytest.mark.parametrize("changed", OTHER_READINGS)
def test_the_same_content_asks_whatever_the_profile_and_names_what_differs(user: User, changed: str) -> None:
    profile = user.has("first.toml", AS_MAPPED.format(externalId="", date_order="mdy"))
    source = user.has("people.csv", NATIONAL + KIM + LEE)
    first = user.types("run", source, "--config", profile, "--json").json
    asked = user.types("run", source, "--config", profile, "--json", **OTHER_READINGS[changed])

    assert (first["counts"]["created"], asked.code) == (2, 7)
    (place,) = OTHER_READINGS[changed]
    named = place.removeprefix("IMPORTER_").lower().replace("__", ".")
    assert f"in run {first['run_id']} under other settings ({named})" in asked.json["error"]
    again = user.types("run", source, "--config", profile, "--json")
    assert f"already, in run {first['run_id']}. " in again.json["error"]


AS_MAPPED = """
[mapping]
{externalId}
firstName = "First Name"
lastName = "Last Name"
"primaryEmail.value" = "Email"
"primaryPhoneNumber.number" = "Phone"
"primaryPhoneNumber.type" = {{ value = "MOBILE" }}
dateOfBirth = "Birth"
[validation]
date_order = "{date_order}"
"""


@pytest.mark.parametrize(
    ("mapped", "order"),
    [('externalId = "ID"', "mdy"), ("", "dmy"), ('type = {{ value = "INDIVIDUAL" }}', "mdy")],
    ids=["a mapping added", "another order of dates", "a type added"],
)
def test_forced_under_another_profile_every_row_is_known_by_its_place(user: User, mapped: str, order: str) -> None:
    source = user.has("people.csv", NATIONAL + KIM + LEE)
    before = user.has("first.toml", AS_MAPPED.format(externalId="", date_order="mdy"))
    first = user.types("run", source, "--config", before, "--json").json
    after = user.has("then.toml", AS_MAPPED.format(externalId=mapped.format(), date_order=order))
    dry = user.types("validate", source, "--config", after, "--json").json
    forced = user.types("run", source, "--config", after, "--force", "--json")

    assert (forced.code, forced.json["counts"]["existing"], forced.json["counts"]["created"]) == (0, 2, 0)
    assert rows_of(dry, "imported_before") == [2, 3]
    ids = [row["_customer_id"] for row in user.reads(forced.json["files"]["results"])]
    assert ids == [row["_customer_id"] for row in user.reads(first["files"]["results"])]
    again = user.types("run", source, "--config", before, "--force", "--json").json
    assert again["counts"]["existing"] == 2


def test_a_row_that_was_refused_at_its_place_is_created_under_a_better_profile(user: User) -> None:
    source = user.has("people.csv", NATIONAL + KIM + LEE.replace("03/04/1981", "31/04/1981"))
    strict = user.has("first.toml", AS_MAPPED.format(externalId="", date_order="mdy"))
    assert user.types("run", source, "--config", strict, "--json").json["counts"]["invalid"] == 1
    lenient = user.has("then.toml", AS_MAPPED.format(externalId='externalId = "ID"', date_order="mdy").replace(
        'dateOfBirth = "Birth"\n', ""
    ))  # fmt: skip
    forced = user.types("run", source, "--config", lenient, "--force", "--json").json

    assert forced["counts"] | {"existing": 1, "created": 1, "invalid": 0} == forced["counts"]


def test_a_beginning_that_was_tried_out_does_not_keep_the_rest_from_being_imported(user: User) -> None:
    source = user.has("people.csv", NATIONAL + KIM + LEE)
    assert user.types("run", source, "--limit", "1", "--json").json["counts"]["created"] == 1
    whole = user.types("run", source, "--json").json

    assert (whole["counts"]["existing"], whole["counts"]["created"]) == (1, 1)
    assert user.types("run", source, "--json").code == 7


def test_allowed_twins_keep_their_customers_whichever_comes_first(user: User) -> None:
    allowed = {"IMPORTER_VALIDATION__DUPLICATES": "allow"}
    one, two = KIM.replace("0042", ""), KIM.replace("0042", "")
    header = NATIONAL.replace("Birth", "Middle Name")
    one, two = (line.replace("01/02/1980", site) for line, site in ((one, "Ada"), (two, "Bea")))
    first = imports(user, header + one + two, environ=allowed)
    turned = imports(user, header + two + one + LEE, environ=allowed)
    alone = imports(user, header + two, environ=allowed)

    (a, b), (c, d, _), (e,) = (user.reads(report["files"]["results"]) for report in (first, turned, alone))
    assert [row["_customer_id"] for row in (c, d, e)] == [b["_customer_id"], a["_customer_id"], b["_customer_id"]]
    assert rows_of(turned, "differs_from_imported") == rows_of(alone, "differs_from_imported") == []


def test_of_allowed_twins_the_one_that_was_refused_is_created_when_it_comes_back_with_the_other(user: User) -> None:
    allowed = {"IMPORTER_VALIDATION__DUPLICATES": "allow"}
    header = NATIONAL.replace("Birth", "Middle Name")
    first, second = KIM.replace("01/02/1980", "Ada"), KIM.replace("01/02/1980", "Bea")
    began = imports(user, header + first.replace("kim@", "kim-at-") + second, environ=allowed, code=3)
    fixed = imports(user, header + first + second, environ=allowed)

    (_, known), (created, existing) = (user.reads(report["files"]["results"]) for report in (began, fixed))
    assert (created["_status"], existing["_status"]) == ("created", "existing")
    assert existing["_customer_id"] == known["_customer_id"] != created["_customer_id"]


def test_however_a_host_is_written_it_is_one_server(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    there = profile_for(witness)
    source = user.has("people.csv", table(ANN, BOB))
    assert user.types("run", source, *sandbox(there), "--json", **witness.environ).json["counts"]["created"] == 2
    port = witness.base_url.rpartition(":")[2]
    for address in (f"http://localhost:{port}", f"http://LOCALHOST:{port}/", f"http://127.0.0.1:{port}/v1/"):
        other = user.has("other.toml", f'[targets.sandbox]\nbase_url = "{address}"\n')
        asked = user.types("run", source, *sandbox(other), "--json", **witness.environ)
        forced = user.types("run", source, *sandbox(other), "--force", "--json", **witness.environ)
        assert (asked.code, forced.json["counts"]["existing"]) == (7, 2)
    assert witness.ledger()["customers"] == 2


def test_a_key_that_is_new_to_a_host_asks_whose_it_is_and_remembers_the_answer(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    there = sandbox(profile_for(witness))
    source = user.has("people.csv", table(ANN, BOB))
    first = user.types("run", source, *there, "--json", **witness.environ).json
    rotated = {"ROCKETKOR_API_KEY": "a-new-key-of-the-same-account", "ROCKETKOR_API_SECRET": "fictional"}

    asked = user.types("run", source, *there, "--force", "--json", **rotated)
    assert (asked.code, f"--account-of {first['run_id']}" in asked.json["error"]) == (7, True)
    assert user.types("run", source, *there, "--account-of", "20010101", "--json", **rotated).code == 2

    said = user.types("run", source, *there, "--force", "--account-of", first["run_id"], "--json", **rotated)
    assert (said.code, said.json["counts"]["existing"]) == (0, 2)
    assert user.types("run", source, *there, "--json", **rotated).code == 7
    assert user.types("run", source, *there, "--force", "--json", **rotated).json["counts"]["existing"] == 2
    assert witness.ledger()["customers"] == 2


def test_an_account_that_gets_a_name_keeps_its_customers(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    there = sandbox(profile_for(witness))
    first = imports(user, table(ANN, BOB), *there, environ=witness.environ)
    named = sandbox(user.has("named.toml", f'[targets.sandbox]\nbase_url = "{witness.base_url}"\naccount = "main"\n'))
    second = imports(user, table(BOB, ANN), *named, environ=witness.environ)
    rotated = {"ROCKETKOR_API_KEY": "a-new-key", "ROCKETKOR_API_SECRET": "fictional"}
    third = imports(user, table(ANN), *named, environ=rotated)
    resumed = user.types("retry", first["run_id"], *named, "--json", **witness.environ)

    assert (second["counts"]["existing"], third["counts"]["existing"], resumed.code) == (2, 1, 0)
    assert witness.ledger()["customers"] == 2


def test_another_account_of_a_host_knows_nobody(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    there = sandbox(profile_for(witness))
    other = {"ROCKETKOR_API_KEY": "a-key-of-another-account", "ROCKETKOR_API_SECRET": "fictional"}
    imports(user, table(ANN), *there, environ=other, code=5)
    ran = imports(user, table(ANN), *there, "--account-of", "new", environ=witness.environ)

    assert ran["counts"]["created"] == 1


@pytest.mark.parametrize("renamed", ["legacyKey", ""], ids=["another name", "no stamp any more"])
@pytest.mark.slow
def test_the_stamp_that_a_killed_run_began_with_is_found_under_whatever_name(
    user: User, witness: Witness, profile_for: Callable[..., Path], renamed: str
) -> None:
    there = sandbox(profile_for(witness, delivery=['rate = "100/s"', "looks_after_s = [0, 0.2, 0.4]"]))
    source = user.has("people.csv", people(60))
    process = user.starts("run", source, *there, **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 15, process)
    process.kill()
    process.communicate()

    said = {**witness.environ, "IMPORTER_DELIVERY__IMPORT_KEY_METADATA": renamed}
    assert user.types("run", source, *there, "--json", **said).code == 7
    forced = user.types("run", source, *there, "--force", "--json", **said)

    assert forced.code == 0, forced.out
    assert len({one["primaryEmail"]["value"] for one in witness.customers()}) == len(witness.customers()) == 60


def test_the_doctor_says_that_a_key_is_new_to_its_host(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    there = sandbox(profile_for(witness))
    first = imports(user, table(ANN), *there, environ=witness.environ)
    rotated = {"ROCKETKOR_API_KEY": "a-new-key", "ROCKETKOR_API_SECRET": "fictional"}
    well = user.types("doctor", *there, "--offline", "--json", **witness.environ)
    asked = user.types("doctor", *there, "--offline", "--json", **rotated)

    assert (well.code, asked.code) == (0, 7)
    (finding,) = (one for one in asked.json["checks"] if one["check"] == "account")
    assert f"--account-of {first['run_id']}" in finding["fix"]
