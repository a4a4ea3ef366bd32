"""A fortnight of nightly files and everything that happens to them: in the end exactly the right customers exist.

Each night is compared with its exit code, its one notification and what is in the folders in the morning.
"""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import pytest

from tests.acceptance.conftest import Ran, User, Witness, people, serving, wait_for
from tests.acceptance.house import House
from tests.acceptance.receiver import Receiver

HEADER, *PEOPLE = people(400).splitlines()
KEY, SECRET = "fortnight-key", "fortnight-secret"


def csv(*ids: int | Iterable[int], spoiled: Iterable[int] = ()) -> str:
    """A file with the people of these numbers; the spoiled ones have an email address that is none."""
    numbers = [number for one in ids for number in ([one] if isinstance(one, int) else one)]
    bad = set(spoiled)
    lines = [PEOPLE[number].replace("@", " at ") if number in bad else PEOPLE[number] for number in numbers]
    return "\n".join([HEADER, *lines]) + "\n"


def customer(line: str) -> dict[str, Any]:
    """What a row of ours should have become at the target."""
    number, first, last, email, phone = line.split(",")
    return {
        "type": "INDIVIDUAL",
        "status": "ACTIVE",
        "externalId": number,
        "firstName": first,
        "lastName": last,
        "primaryEmail": {"value": email, "verified": False},
        "primaryPhoneNumber": {"number": phone, "type": "MOBILE", "verified": False},
        "addresses": [],
    }


SERVERS_OWN = {"id", "createdAt", "createdBy", "updatedAt", "updatedBy", "verificationStatus", "metadata"}


def made(witness: Witness) -> list[dict[str, Any]]:
    """Every customer there is, without what the server adds and the stamp of the importer."""
    found = witness.customers()
    assert len({one["id"] for one in found}) == len({one["metadata"].pop("importKey") for one in found}) == len(found)
    assert not any(one["metadata"] for one in found)
    bare = [{name: value for name, value in one.items() if name not in SERVERS_OWN} for one in found]
    return sorted(bare, key=itemgetter("externalId"))


def overlaps_and_corrections(house: House) -> None:
    # 1: the first file. 2: half of it is in the next one again.
    house.gets("day-01.csv", csv(range(20)))
    night = house.sleeps()
    assert (night.code, night.fates) == (0, [("day-01.csv", "imported")])
    night.reported("done", "1 file, 20 customers created", "day-01.csv: 20 rows: 20 created.")
    assert (night.archived, night.failed, night.waiting) == ({"day-01.csv": {"created": 20}}, {}, ())
    house.gets("day-02.csv", csv(range(10, 30)))
    night = house.sleeps()
    assert (night.code, night.fates) == (0, [("day-02.csv", "imported")])
    night.reported("done", "1 file, 10 customers created", "day-02.csv: 20 rows: 10 created, 10 existing.")
    assert (night.archived, night.failed) == ({"day-02.csv": {"created": 10, "existing": 10}}, {})

    # 3: two rows of twelve are wrong. 4: they come again, corrected.
    house.gets("day-03.csv", csv(range(30, 42), spoiled=(40, 41)))
    night = house.sleeps()
    assert (night.code, night.fates) == (3, [("day-03.csv", "imported")])
    wrong = ("day-03.csv: 17% of its rows made no customer.", "day-03.csv: 12 rows: 10 created, 2 invalid.")
    night.reported("degraded", "1 file, 10 customers created", *wrong)
    assert (night.archived, night.failed) == ({"day-03.csv": {"created": 10, "invalid": 2}}, {})
    house.gets("day-04.csv", csv(range(38, 45)))
    night = house.sleeps()
    assert (night.code, night.fates) == (0, [("day-04.csv", "imported")])
    night.reported("done", "1 file, 5 customers created", "day-04.csv: 7 rows: 5 created, 2 existing.")
    assert (night.archived, night.failed) == ({"day-04.csv": {"created": 5, "existing": 2}}, {})


def a_corrupt_one_a_double_one_and_an_empty_one(house: House) -> None:
    # 5: one file is corrupt; the other one goes on.
    house.gets("day-05a.xlsx", b"PK\x03\x04" + random.Random(5).randbytes(3_000))
    house.gets("day-05b.csv", csv(range(45, 55)))
    night = house.sleeps()
    assert (night.code, night.fates) == (6, [("day-05a.xlsx", "refused"), ("day-05b.csv", "imported")])
    corrupt = f"day-05a.xlsx: the file cannot be used (exit code 6). It is in {night.named_place()}."
    headline = "2 files, 10 customers created, 1 file refused"
    night.reported("failed", headline, corrupt, "day-05b.csv: 10 rows: 10 created.")
    assert night.archived == {"day-05b.csv": {"created": 10}}
    assert "day-05a.xlsx" in night.failed["day-05a.xlsx"]

    # 6: day 4 is delivered once more under another name.
    house.gets("day-04-again.csv", csv(range(38, 45)))
    house.gets("day-06.csv", csv(range(55, 60)))
    night = house.sleeps()
    assert (night.code, night.fates) == (0, [("day-04-again.csv", "known"), ("day-06.csv", "imported")])
    known = "day-04-again.csv: imported before, nothing was sent."
    night.reported("done", "2 files, 5 customers created", known, "day-06.csv: 5 rows: 5 created.")
    assert (night.archived, night.failed) == ({"day-04-again.csv": {}, "day-06.csv": {"created": 5}}, {})

    # 7: nothing but a header.
    house.gets("day-07.csv", HEADER + "\n")
    night = house.sleeps()
    assert (night.code, night.fates, night.archived) == (6, [("day-07.csv", "refused")], {})
    empty = f"day-07.csv: the file cannot be used (exit code 6). It is in {night.named_place()}."
    night.reported("degraded", "1 file, 0 customers created, 1 file refused", "day-07.csv is empty.", empty)
    assert "day-07.csv" in night.failed["day-07.csv"]


def a_night_that_is_killed_half_way(house: House, witness: Witness) -> None:
    # 8: killed half-way; nobody can be notified. 9: that night's file is finished first.
    house.gets("day-08.csv", csv(range(60, 120)))
    before = witness.ledger()["customers"]
    process = house.user.starts(*house.command, "--rate", "60/s", **house.environ)
    wait_for(lambda: witness.ledger()["customers"] >= before + 20, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert before + 20 <= witness.ledger()["customers"] < before + 60
    night = house.wakes(Ran(process.returncode, "", ""))
    assert (night.code, night.notifications) == (-signal.SIGKILL, ())
    assert (night.archived, night.failed, night.waiting) == ({}, {}, ("day-08.csv",))

    house.gets("day-09.csv", csv(range(115, 130)))
    night = house.sleeps()
    assert (night.code, night.fates) == (0, [("day-08.csv", "imported"), ("day-09.csv", "imported")])
    assert [one["resumed"] for one in night.ran.json["imports"]] == [True, False]
    begun = "day-08.csv: 60 rows (begun earlier): 60 created."
    night.reported("done", "2 files, 70 customers created", begun, "day-09.csv: 15 rows: 10 created, 5 existing.")
    assert night.archived == {"day-08.csv": {"created": 60}, "day-09.csv": {"created": 10, "existing": 5}}
    assert (night.failed, night.waiting) == ({}, ())


def an_outage(house: House) -> None:
    # 10: the target is down. 11: it is back.
    house.gets("day-10.csv", csv(range(130, 140)))
    night = house.sleeps()
    assert (night.code, night.fates) == (4, [("day-10.csv", "held")])
    stopped = "day-10.csv: stopped, too much went wrong (exit code 4). The next pass goes on with it."
    night.reported("failed", "1 file, 0 customers created", f"{stopped} 10 rows: 10 unsent.")
    assert (night.archived, night.failed, night.waiting) == ({}, {}, ("day-10.csv",))


def the_day_after(house: House) -> None:
    house.gets("day-11.csv", csv(range(140, 150)))
    night = house.sleeps()
    assert (night.code, night.fates) == (0, [("day-10.csv", "imported"), ("day-11.csv", "imported")])
    begun = "day-10.csv: 10 rows (begun earlier): 10 created."
    night.reported("done", "2 files, 20 customers created", begun, "day-11.csv: 10 rows: 10 created.")
    assert night.archived == {"day-10.csv": {"created": 10}, "day-11.csv": {"created": 10}}
    assert (night.failed, night.waiting) == ({}, ())


def a_wrong_secret(house: House) -> None:
    # 12: somebody changed the secret. 13: it is right again, and two files are there.
    house.gets("day-12.csv", csv(range(150, 160)))
    night = house.sleeps(ROCKETKOR_API_SECRET="wrong")
    assert (night.code, night.fates) == (5, [("day-12.csv", "held")])
    refused = "day-12.csv: access was refused: the credentials or their rights (exit code 5)."
    line = f"{refused} The next pass goes on with it. 10 rows: 10 unsent."
    night.reported("failed", "1 file, 0 customers created", line)
    assert (night.archived, night.failed, night.waiting) == ({}, {}, ("day-12.csv",))
    house.gets("day-13.csv", csv(range(158, 170)))
    night = house.sleeps()
    assert (night.code, night.fates) == (0, [("day-12.csv", "imported"), ("day-13.csv", "imported")])
    begun = "day-12.csv: 10 rows (begun earlier): 10 created."
    night.reported("done", "2 files, 20 customers created", begun, "day-13.csv: 12 rows: 10 created, 2 existing.")
    assert night.archived == {"day-12.csv": {"created": 10}, "day-13.csv": {"created": 10, "existing": 2}}
    assert (night.failed, night.waiting) == ({}, ())


def a_wrong_hour(house: House) -> None:
    # 14: started at the wrong time of day nothing is touched; at the right one it is imported.
    house.gets("day-14.csv", csv(range(160, 180)))
    now = time.gmtime()
    later = f"{(now.tm_hour + 2) % 24:02}:00-{(now.tm_hour + 3) % 24:02}:00"
    night = house.sleeps("--window", later, "--timezone", "UTC")
    assert (night.code, night.notifications, house.arrived()) == (75, (), ["day-14.csv"])
    assert (night.archived, night.failed, night.waiting) == ({}, {}, ())
    night = house.sleeps("--finish-by", later[:5], "--timezone", "UTC")
    assert (night.code, night.fates) == (0, [("day-14.csv", "imported")])
    night.reported("done", "1 file, 10 customers created", "day-14.csv: 20 rows: 10 created, 10 existing.")
    assert (night.archived, night.failed) == ({"day-14.csv": {"created": 10, "existing": 10}}, {})
    assert night.ran.json["imports"][0]["forecast"]["in_time"] is True


@pytest.mark.slow
@pytest.mark.timeout(100)
def test_a_fortnight_of_files_makes_every_customer_once_and_reports_the_truth_every_night(
    user: User, receiver: Receiver
) -> None:
    house = House(user, receiver)
    home = User(user.home, {**user.environ, "EMULATOR_API_KEY": KEY, "EMULATOR_API_SECRET": SECRET})
    store = ("--store", str(user.home / "there.sqlite3"))
    with serving(home, *store) as witness:
        house.points_to(witness)
        overlaps_and_corrections(house)
        a_corrupt_one_a_double_one_and_an_empty_one(house)
        a_night_that_is_killed_half_way(house, witness)
    an_outage(house)
    with serving(home, *store, "--port", witness.base_url.rpartition(":")[2]) as witness:
        the_day_after(house)
        a_wrong_secret(house)
        a_wrong_hour(house)
        there = made(witness)
    # Every one of the 180 people once, in every field as the corrected files have them, and nobody else.
    assert there == sorted(map(customer, PEOPLE[:180]), key=itemgetter("externalId"))
    assert house.arrived() == []
    messages = json.dumps(receiver.messages)
    assert not [word for word in ("Given", "Family", "example.com", "+1", SECRET, "hook-secret") if word in messages]
