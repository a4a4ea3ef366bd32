"""A fortnight of nightly files and everything that happens to them: in the end exactly the right customers exist."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.acceptance.conftest import Ran, User, Witness, people, serving
from tests.acceptance.receiver import Receiver

HEADER, *PEOPLE = people(400).splitlines()
KEY, SECRET = "fortnight-key", "fortnight-secret"


def csv(*ids: int | Iterable[int], spoiled: Iterable[int] = ()) -> str:
    """A file with the people of these numbers; the spoiled ones have an email address that is none."""
    numbers = [number for one in ids for number in ([one] if isinstance(one, int) else one)]
    bad = set(spoiled)
    lines = [PEOPLE[number].replace("@", " at ") if number in bad else PEOPLE[number] for number in numbers]
    return "\n".join([HEADER, *lines]) + "\n"


@dataclass
class House:
    """A folder, a profile, and somebody who is told."""

    user: User
    receiver: Receiver
    told: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        return self.user.home / "inbox"

    def gets(self, name: str, content: str | bytes) -> None:
        """A file arrives."""
        self.inbox.mkdir(exist_ok=True)
        path = self.inbox / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def points_to(self, witness: Witness) -> None:
        self.user.has(
            "nightly.toml",
            f"""
            [delivery]
            rate = "500/s"
            looks_after_s = [0, 0.1]
            breaker_faults = 5
            [nightly]
            settle_s = 0.02
            [targets.sandbox]
            base_url = "{witness.base_url}"
            account = "fortnight"
            """,
        )
        self.environ = {**witness.environ, "IMPORTER_NOTIFY_URLS": self.receiver.url}

    @property
    def command(self) -> tuple[str, ...]:
        return ("nightly", "inbox", "--config", "nightly.toml", "--target", "sandbox", "--json")

    def sleeps(self, *options: str, **environ: str) -> Ran:
        """One night."""
        return self.user.types(*self.command, *options, **{**self.environ, **environ})

    def heard(self) -> list[str]:
        """How the notifications since the last call called the night."""
        new = self.receiver.messages[self.told :]
        self.told = len(self.receiver.messages)
        return [message["title"].removeprefix("Customer import ").partition(":")[0] for message in new]

    def has_put(self, place: str) -> dict[str, set[str]]:
        """The source files in `archive` or `failed`, each with the names of the files beside it."""
        found: dict[str, set[str]] = {}
        for folder in (self.inbox / place).iterdir():
            name = folder.name.partition("_")[2].partition("~")[0]
            assert (folder / name).is_file(), folder
            assert name not in found
            found[name] = {path.name for path in folder.iterdir()} - {name}
        return found

    def waiting(self) -> list[str]:
        return [path.name for path in (self.inbox / "processing").iterdir()]


def fates(ran: Ran) -> list[tuple[str, str, int]]:
    return [(one["file"], one["fate"], one["counts"].get("created", 0)) for one in ran.json["imports"]]


def overlaps_and_corrections(house: House) -> None:
    # 1: the first file. 2: half of it is in the next one again.
    house.gets("day-01.csv", csv(range(20)))
    night = house.sleeps()
    assert (night.code, fates(night), house.heard()) == (0, [("day-01.csv", "imported", 20)], ["done"])
    house.gets("day-02.csv", csv(range(10, 30)))
    night = house.sleeps()
    assert (night.code, fates(night), house.heard()) == (0, [("day-02.csv", "imported", 10)], ["done"])
    assert night.json["counts"]["existing"] == 10

    # 3: two rows of twelve are wrong. 4: they come again, corrected.
    house.gets("day-03.csv", csv(range(30, 42), spoiled=(40, 41)))
    night = house.sleeps()
    assert (night.code, fates(night), house.heard()) == (3, [("day-03.csv", "imported", 10)], ["degraded"])
    house.gets("day-04.csv", csv(range(38, 45)))
    night = house.sleeps()
    assert (night.code, fates(night), house.heard()) == (0, [("day-04.csv", "imported", 5)], ["done"])


def a_corrupt_one_a_double_one_and_an_empty_one(house: House) -> None:
    # 5: one file is corrupt; the other one goes on.
    house.gets("day-05a.xlsx", b"PK\x03\x04" + random.Random(5).randbytes(3_000))
    house.gets("day-05b.csv", csv(range(45, 55)))
    night = house.sleeps()
    assert night.code == 6
    assert fates(night) == [("day-05a.xlsx", "refused", 0), ("day-05b.csv", "imported", 10)]
    assert house.heard() == ["failed"]

    # 6: day 4 is delivered once more under another name.
    house.gets("day-04-again.csv", csv(range(38, 45)))
    house.gets("day-06.csv", csv(range(55, 60)))
    night = house.sleeps()
    assert night.code == 0
    assert fates(night) == [("day-04-again.csv", "known", 0), ("day-06.csv", "imported", 5)]
    assert house.heard() == ["done"]

    # 7: nothing but a header.
    house.gets("day-07.csv", HEADER + "\n")
    night = house.sleeps()
    assert (night.code, fates(night), house.heard()) == (6, [("day-07.csv", "refused", 0)], ["degraded"])


def a_night_that_is_killed_half_way(house: House, witness: Witness) -> None:
    # 8: killed half-way. 9: that night's file is finished first.
    house.gets("day-08.csv", csv(range(60, 120)))
    before = witness.ledger()["customers"]
    process = house.user.starts(*house.command, "--rate", "60/s", **house.environ)
    while witness.ledger()["customers"] < before + 20:
        time.sleep(0.01)  # noqa: TID251  # another process's time is real
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert witness.ledger()["customers"] < before + 60
    assert (process.returncode, house.waiting(), house.heard()) == (-signal.SIGKILL, ["day-08.csv"], [])
    house.gets("day-09.csv", csv(range(115, 130)))
    night = house.sleeps()
    assert (night.code, house.heard()) == (0, ["done"])
    assert [(one["file"], one["resumed"]) for one in night.json["imports"]] == [
        ("day-08.csv", True),
        ("day-09.csv", False),
    ]
    assert night.json["imports"][0]["counts"]["created"] == 60


def an_outage(house: House) -> None:
    # 10: the other side is down. 11: it is back.
    house.gets("day-10.csv", csv(range(130, 140)))
    night = house.sleeps()
    assert (night.code, fates(night), house.heard()) == (4, [("day-10.csv", "held", 0)], ["failed"])
    assert house.waiting() == ["day-10.csv"]


def the_day_after(house: House) -> None:
    house.gets("day-11.csv", csv(range(140, 150)))
    night = house.sleeps()
    assert night.code == 0
    assert fates(night) == [("day-10.csv", "imported", 10), ("day-11.csv", "imported", 10)]
    assert house.heard() == ["done"]


def a_wrong_secret_and_a_wrong_hour(house: House) -> None:
    # 12: somebody changed the secret. 13: it is right again, and two files are there.
    house.gets("day-12.csv", csv(range(150, 160)))
    night = house.sleeps(ROCKETKOR_API_SECRET="wrong")
    assert (night.code, fates(night), house.heard()) == (5, [("day-12.csv", "held", 0)], ["failed"])
    house.gets("day-13.csv", csv(range(158, 170)))
    night = house.sleeps()
    assert night.code == 0
    assert fates(night) == [("day-12.csv", "imported", 10), ("day-13.csv", "imported", 10)]
    assert house.heard() == ["done"]

    # 14: started at the wrong time of day nothing is touched; at the right one it is imported.
    house.gets("day-14.csv", csv(range(160, 180)))
    now = time.gmtime()
    later = f"{(now.tm_hour + 2) % 24:02}:00-{(now.tm_hour + 3) % 24:02}:00"
    night = house.sleeps("--window", later, "--timezone", "UTC")
    assert (night.code, house.heard(), (house.inbox / "day-14.csv").exists()) == (75, [], True)
    night = house.sleeps("--finish-by", later[:5], "--timezone", "UTC")
    assert (night.code, fates(night), house.heard()) == (0, [("day-14.csv", "imported", 10)], ["done"])
    assert night.json["imports"][0]["forecast"]["in_time"] is True


@pytest.mark.timeout(100)
def test_a_fortnight_of_files_makes_every_customer_once_and_tells_the_truth_every_night(
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
        a_wrong_secret_and_a_wrong_hour(house)
        there = Counter(customer["externalId"] for customer in witness.customers())
    # Every one of the 180 people once, and nobody else.
    assert there == Counter(f"L-{number}" for number in range(180))

    archived, failed = house.has_put("archive"), house.has_put("failed")
    assert archived.pop("day-04-again.csv") == {"already-imported.txt"}
    assert sorted(archived) == ["day-01.csv", "day-02.csv", "day-03.csv", "day-04.csv", "day-05b.csv", "day-06.csv"] + [
        f"day-{day:02}.csv" for day in range(8, 15)
    ]
    for beside in archived.values():
        assert beside >= {"results.csv", "rejects.csv", "id-map.csv", "report.html", "report.json", "run.log.jsonl"}
    assert failed == {"day-05a.xlsx": {"why.txt"}, "day-07.csv": {"why.txt"}}
    assert house.waiting() == []
    told = json.dumps(receiver.messages)
    assert not [word for word in ("Given", "Family", "example.com", "+1", SECRET) if word in told]
    assert "report.html" in told
