"""The target of another package: found by its entry point, it does all that RocketKOR does. The club is the witness."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from dataclasses import replace
from datetime import date
from operator import itemgetter
from pathlib import Path

import openpyxl
import pytest

from tests.acceptance.conftest import AGAIN_SOON, ROOT, SOON, User, ended, wait_for
from tests.toy_target.answers import PATH
from tests.toy_target.fixtures import ENTRY_POINTS
from tests.toy_target.server import TOKEN, ClubServer, serving_the_club

HEADER = "Member No,Name,E-Mail,Member since"


@pytest.fixture
def member(user: User, club_site: Path) -> User:
    """Somebody with the package and a token, for whom the club is the target."""
    ours = {"PYTHONPATH": f"{club_site}:{ROOT}", "CLUB_TOKEN": TOKEN, "IMPORTER_TARGET": "club"}
    return replace(user, environ={**user.environ, **ours})


def profile(user: User, club: ClubServer, *more: str, mapping: str = "") -> Path:
    """A profile with the club as target."""
    delivery = ["[delivery]", 'rate = "500/s"', "canary = 0", "looks_after_s = [0, 0.1]", *SOON, *AGAIN_SOON, *more]
    target = ["[targets.club]", 'kind = "club"', f'base_url = "{club.base_url}"']
    return user.has("club.toml", "\n".join([*delivery, *target]) + "\n" + mapping)


def members(count: int) -> str:
    lines = [f"{'' if number % 3 else f'R-{number}'},Member {number},m{number}@example.com," for number in range(count)]
    return "\n".join([HEADER, *lines]) + "\n"


def test_inspect_finds_the_columns_of_the_clubs_fields(member: User, club: ClubServer) -> None:
    seen = member.types("inspect", member.has("m.csv", members(3)), "--config", profile(member, club), "--json").json

    assert {one["column"]: one["field"] for one in seen["mapping"]} == {
        "Member No": "ref",
        "Name": "fullName",
        "E-Mail": "mail",
        "Member since": "joined",
    }


def test_a_profile_that_init_wrote_imports_the_file(member: User, club: ClubServer) -> None:
    source = member.has("m.csv", members(5))
    written = member.types("init", source, "--config", profile(member, club), "--out", "written.toml")
    text = (member.home / "written.toml").read_text(encoding="utf-8")

    assert written.code == 0, written.err
    assert '"fullName" = "Name"' in text
    assert 'kind = "club"' in text
    assert "CLUB_TOKEN" in text
    member.has("written.toml", f'{text}\n[targets.club]\nkind = "club"\nbase_url = "{club.base_url}"\n')
    ran = member.types("run", source, "--config", "written.toml", "--yes", "--json")
    assert (ran.code, ran.json["counts"]["created"]) == (0, 5)


def test_a_template_has_the_columns_of_the_club_and_comes_through(member: User, club: ClubServer) -> None:
    path = profile(member, club)
    written = member.types("template", "--config", path, "--format", "csv", "--out", "blank.csv", "--json")
    (example,) = member.reads("blank.csv")

    assert written.code == 0, written.out
    assert list(example) == ["Member reference", "Full name", "Mail address", "Joined on"]
    ran = member.types("run", "blank.csv", "--config", path, "--yes", "--json")
    assert (ran.code, ran.json["counts"]["created"]) == (0, 1), ran.out
    assert club.members[0]["fullName"] == example["Full name"]


def test_a_dry_run_checks_by_the_clubs_rules_and_sends_nothing(member: User, club: ClubServer) -> None:
    rows = f"{HEADER}\nR-1, Ada  ,ADA@example.com,2019-04-30\nR-2,Bob,bob,\nR-3,,cy@example.com,\n"
    ran = member.types("validate", member.has("m.csv", rows), "--config", profile(member, club), "--json")

    assert ran.code == 3
    assert ran.json["counts"] == {"read": 3, "valid": 1, "invalid": 2}
    assert {(one["code"], one["field"]) for one in ran.json["issues"]} == {
        ("mail_invalid", "mail"),
        ("required_missing", "fullName"),
    }
    assert ran.json["idv"] == {}
    assert not club.asked


@pytest.mark.slow
def test_worker_processes_check_by_the_clubs_rules_as_well(member: User, club: ClubServer) -> None:
    source = member.has("m.csv", members(2_000).replace("m7@", "m7 at "))
    results = []
    for processes in (1, 2):
        path = profile(member, club, mapping=f"[source]\nbatch_rows = 100\nprocesses = {processes}\n")
        ran = member.types_for_real("validate", source, "--config", path, "--json")
        assert (ran.code, ran.json["counts"]["valid"]) == (3, 1_999), ran.out + ran.err
        rows = member.reads(ran.json["files"]["results"])
        results.append([{name: text for name, text in row.items() if name != "_run"} for row in rows])

    assert results[0] == results[1]


def test_a_run_speaks_to_the_club_in_its_own_way(member: User, club: ClubServer) -> None:
    source = member.has("m.csv", f"{HEADER}\nR-1,Ada Example,ada@example.com,04/30/2019\n,Bob,bob@example.com,\n")
    ran = member.types("run", source, "--config", profile(member, club), "--yes", "--json")
    results = member.reads(ran.json["files"]["results"])

    assert ran.code == 0, ran.out
    assert club.asked == {f"POST {PATH}": 2}
    ada, bob = sorted(club.members, key=itemgetter("fullName"))  # two requests at once: either may be the first
    assert {ada["memberNo"], bob["memberNo"]} == {"M000001", "M000002"}
    assert [(row["_status"], row["_customer_id"]) for row in results] == [
        ("created", ada["memberNo"]),
        ("created", bob["memberNo"]),
    ]
    assert {name: ada[name] for name in ("ref", "fullName", "mail", "joined")} == {
        "ref": "R-1",
        "fullName": "Ada Example",
        "mail": "ada@example.com",
        "joined": "2019-04-30",
    }
    assert bob.keys() == {"fullName", "mail", "labels", "memberNo"}
    assert ada["labels"] != bob["labels"]
    id_map = member.reads(ran.json["files"]["id_map"])
    known = [(row["external_id"], row["customer_id"]) for row in id_map]
    assert known == [("R-1", ada["memberNo"]), ("", bob["memberNo"])]


def test_the_same_members_are_not_created_again(member: User, club: ClubServer) -> None:
    path = profile(member, club)
    member.types("run", member.has("m.csv", members(9)), "--config", path, "--yes", "--json")
    again = member.types("run", member.has("again.csv", members(10)), "--config", path, "--yes", "--json")

    assert again.code == 0, again.out
    assert (again.json["counts"]["existing"], again.json["counts"]["created"]) == (9, 1)
    assert set(club.per_mail.values()) == {1}


def test_a_reference_that_is_taken_by_another_member_is_refused_with_what_differs(
    member: User, club: ClubServer
) -> None:
    club.members.append({"ref": "R-1", "fullName": "Somebody else", "mail": "x@example.com", "memberNo": "M000000"})
    source = member.has("m.csv", f"{HEADER}\nR-1,Ada,ada@example.com,\n")
    ran = member.types("run", source, "--config", profile(member, club), "--yes", "--json")

    assert ran.code == 3
    assert {(one["code"], one["field"]) for one in ran.json["issues"]} >= {
        ("differs_from_existing", "fullName"),
        ("differs_from_existing", "mail"),
    }


@pytest.mark.slow
def test_a_run_that_is_killed_and_resumed_creates_every_member_once(member: User) -> None:
    with serving_the_club(ClubServer(drops_every=7, delay_s=0.02)) as club:
        path = profile(member, club, "concurrency = 8", "breaker_faults = 1000")
        source = member.has("m.csv", members(300))
        process = member.starts("run", source, "--config", path, "--yes", "--quiet")
        for enough in (40, 130):
            wait_for(lambda enough=enough: len(club.members) >= enough, process)  # type: ignore[misc]
            assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGKILL)
            process.communicate()
            process = member.starts("resume", "last", "--config", path, "--yes", "--json")
        last = ended(process)

        assert last.code == 0, last.out + last.err
        assert last.json["counts"]["created"] == last.json["counts"]["read"] == 300
        assert club.per_mail == Counter({f"m{number}@example.com": 1 for number in range(300)})
        results = member.reads(last.json["files"]["results"])
        assert {row["E-Mail"]: row["_customer_id"] for row in results} == club.numbers


def test_a_file_of_fixed_rows_goes_back_into_its_run(member: User, club: ClubServer) -> None:
    path = profile(member, club)
    rows = f"{HEADER}\nR-1,Ada,ada@example.com,\nR-2,Bob,bob,\n,Nobody,cy@example.com,\n"
    ran = member.types("run", member.has("m.csv", rows), "--config", path, "--yes", "--json")
    rejects = (member.home / ran.json["files"]["rejects"]).read_text(encoding="utf-8")
    fixed = member.has("fixed.csv", rejects.replace(",bob,", ",bob@example.com,").replace("Nobody", "Cy"))
    back = member.types("run", fixed, "--config", path, "--yes", "--json")

    assert (ran.code, ran.json["counts"]["invalid"], ran.json["counts"]["rejected"]) == (3, 1, 1)
    assert back.code == 0, back.out
    assert back.json["run_id"] == ran.json["run_id"]
    assert back.json["counts"]["created"] == 3
    assert sorted(club.per_mail.elements()) == ["ada@example.com", "bob@example.com", "cy@example.com"]
    results = member.reads(back.json["files"]["results"])
    assert {row["E-Mail"]: row["_customer_id"] for row in results} == club.numbers


def test_a_workbook_comes_back_annotated_and_its_fixed_cell_is_imported(member: User, club: ClubServer) -> None:
    path, book = profile(member, club), openpyxl.Workbook()
    sheet = book.create_sheet("Members", 0)
    for row in (HEADER.split(","), ["R-1", "Ada", "ada@example.com", date(2019, 4, 30)], ["R-2", "Bob", "bob", None]):
        sheet.append(row)
    book.save(member.home / "m.xlsx")
    ran = member.types("run", "m.xlsx", "--config", path, "--yes", "--format", "csv,xlsx,jsonl", "--json")
    lines = (member.home / ran.json["files"]["jsonl"]).read_text(encoding="utf-8").splitlines()
    annotated = member.home / ran.json["files"]["annotated"]
    marked = openpyxl.load_workbook(annotated)
    (wrong,) = [cell for cell in marked["Members"][3] if cell.value == "bob"]
    wrong.value = "bob@example.com"
    marked.save(annotated)
    back = member.types("retry", "last", "--fixed", annotated, "--config", path, "--yes", "--json")

    assert [json.loads(line)["_status"] for line in lines] == ["created", "invalid"]
    assert (back.code, back.json["counts"]["created"]) == (0, 2), back.out
    assert [(one["mail"], one.get("joined")) for one in club.members] == [
        ("ada@example.com", "2019-04-30"),
        ("bob@example.com", None),
    ]


def test_explain_shows_what_was_sent_to_the_club(member: User, club: ClubServer) -> None:
    source = member.has("m.csv", f"{HEADER}\nR-1,Ada,ada@example.com,\n")
    member.types("run", source, "--config", profile(member, club), "--yes", "--json")
    reported = member.types("explain", "last", "2", "--json", "--show-values").json

    assert (reported["state"], reported["customer_id"]) == ("created", "M000001")
    assert reported["body"]["fullName"] == "Ada"


def test_doctor_asks_the_club(member: User, club: ClubServer) -> None:
    path = profile(member, club)
    offline = member.types("doctor", "--config", path, "--offline")
    ran = member.types("doctor", "--config", path)

    assert re.search(r"ok +credentials +present; not used for a login \(--offline\)\n", offline.out), offline.out
    assert re.search(r"ok +credentials +used for a login\n", ran.out), ran.out
    assert ran.code == 0
    assert club.asked == {f"GET {PATH}": 1}


def test_credentials_of_the_club_are_asked_for_by_their_name(member: User, club: ClubServer) -> None:
    source = member.has("m.csv", members(1))
    without = member.types("run", source, "--config", profile(member, club), "--yes", "--json", CLUB_TOKEN="")
    wrong = member.types("run", source, "--config", profile(member, club), "--yes", "--json", CLUB_TOKEN="wrong")

    assert (without.code, without.json["error"]) == (
        2,
        "There are no credentials: CLUB_TOKEN is not set. Set CLUB_TOKEN, or CLUB_TOKEN_FILE to files that hold them.",
    )
    assert (wrong.code, wrong.json["error"]) == (5, "The club does not know the token.")
    assert not club.members


def test_a_field_that_the_club_has_not_is_refused_with_the_nearest_one(member: User, club: ClubServer) -> None:
    path = profile(member, club, mapping='[mapping]\n"fulName" = "Name"\n')
    ran = member.types("validate", member.has("m.csv", members(1)), "--config", path, "--json")

    assert ran.code == 2
    assert "did you mean 'fullName'?" in ran.json["error"]


def test_a_package_that_is_broken_is_named_in_a_sentence(member: User, club: ClubServer, club_site: Path) -> None:
    points = club_site / "club_for_importer-1.0.dist-info" / "entry_points.txt"
    points.write_text(f"{ENTRY_POINTS}tram = tests.no_such_package:KIND\n", encoding="utf-8")
    path = member.has("tram.toml", f'[targets.tram]\nkind = "tram"\nbase_url = "{club.base_url}"\n')
    ran = member.types_for_real(
        "run", member.has("m.csv", members(1)), "--config", path, "--target", "tram", "--yes", "--json"
    )

    assert ran.code == 2
    assert json.loads(ran.out)["error"].startswith("The kind of target 'tram' cannot be loaded: ModuleNotFoundError")


def test_the_emulator_is_not_taken_for_a_club(member: User) -> None:
    path = member.has("emulated.toml", '[targets.emulator]\nkind = "club"\n')
    ran = member.types("run", member.has("m.csv", members(1)), "--config", path, "--target", "emulator", "--json")

    assert ran.code == 2
    assert "The emulator inside the run is of the kind 'rocketkor', not 'club'." in ran.json["error"]


def test_a_target_that_takes_nothing_back_says_so(member: User, club: ClubServer) -> None:
    path = profile(member, club)
    member.types("run", member.has("m.csv", members(3)), "--config", path, "--yes", "--json")
    asked = dict(club.asked)
    refused = member.types("undo", "last", "--plan", "--config", path, "--json")

    assert refused.code == 2
    assert refused.json["error"] == "The target 'club' cannot suspend customers."
    assert club.asked == asked
