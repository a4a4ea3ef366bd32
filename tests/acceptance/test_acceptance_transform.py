"""`[mapping] transform`: a function of the user's own goes over the rows of every way in, and of every way back."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, SAMPLES, User, sandbox, serving_here, wait_for

HEADER = "Number,Person,Mail,Area,Local"
RULES = """
KINDS = {"4": "HOME"}


def clean(frame):
    names = frame["Person"].str.partition(";")
    frame["First Name"], frame["Last Name"] = names[0], names[2]
    frame["Kind"] = frame["Local"].str[-1:].map(KINDS).fillna("MOBILE")
    frame["Phone"] = frame["Area"] + frame["Local"]
    return frame.drop(columns=["Person", "Area", "Local"])
"""
MAPPED = """
[mapping]
transform = "our_rules:clean"
type = { value = "INDIVIDUAL" }
externalId = "Number"
firstName = "First Name"
lastName = "Last Name"
"primaryEmail.value" = "Mail"
"primaryPhoneNumber.number" = "Phone"
"primaryPhoneNumber.type" = "Kind"
"""


def people(count: int, *wrong: int) -> str:
    """A file of so many people; the rows of those that are wrong have no family name."""
    rows = [
        f"N{n},Ada{';' if n not in wrong else ''}Adams,ada{n}@example.com,212,555{n % 10000:04}"
        for n in range(2, count + 2)
    ]
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.fixture
def ready(user: User) -> User:
    """A user with a file, a function and a profile."""
    (user.home / "ours").mkdir()
    user.has("ours/our_rules.py", RULES)
    user.has("ours/profile.toml", MAPPED)
    user.has("people.csv", people(4))
    return user


PROFILE = ("--config", "ours/profile.toml")


def test_rows_go_through_it_and_results_keep_the_files_own_cells(ready: User) -> None:
    ran = ready.types(
        "run", "people.csv", *PROFILE, "--format", "csv,xlsx", "--preview", "1", "--show-values", "--json"
    )

    assert (ran.code, ran.json["counts"]["created"]) == (0, 4)
    rows = ready.reads(ran.json["files"]["results"])
    assert list(rows[0])[:5] == HEADER.split(",")
    assert rows[2]["Person"] == "Ada;Adams"
    reported = ready.types("explain", "last", "4", "--show-values", "--json").json
    assert reported["cells"]["Local"] == "5550004"
    assert (reported["body"]["lastName"], reported["body"]["primaryPhoneNumber"]["type"]) == ("Adams", "HOME")
    assert "<td>Ada</td>" in Path(ready.home / ran.json["files"]["html"]).read_text(encoding="utf-8")


def test_inspect_and_init_propose_its_columns(ready: User) -> None:
    shown = ready.types("inspect", "people.csv", *PROFILE, "--json").json
    written = ready.types("init", "people.csv", *PROFILE, "--out", "ours/new.toml")

    assert [one["column"] for one in shown["mapping"]] == ["Number", "Mail", "First Name", "Last Name", "Kind", "Phone"]
    assert len(shown["preview"]) == 3
    assert written.code == 0, written.err
    assert ready.types("validate", "people.csv", "--config", "ours/new.toml").code == 0


def test_a_column_that_it_does_not_make_is_missing(ready: User) -> None:
    ready.has("ours/profile.toml", MAPPED.replace('"First Name"', '"Person"'))

    ran = ready.types("validate", "people.csv", *PROFILE)

    assert ran.code == 2
    assert "from a column 'Person', which the source does not have" in ran.err


def test_rows_that_cannot_be_used_come_back_through_it(ready: User) -> None:
    ready.has("people.csv", people(4, 3))
    ran = ready.types("run", "people.csv", *PROFILE, "--json")
    (rejected,) = ready.reads(ran.json["files"]["rejects"])
    rejects = ready.home / ran.json["files"]["rejects"]

    assert (rejected["_error_column"], rejected["_error_field"], rejected["Person"]) == (
        "Last Name",
        "lastName",
        "AdaAdams",
    )
    rejects.write_text(rejects.read_text().replace("AdaAdams", "Ada;Adams"))
    again = ready.types("retry", "last", "--fixed", rejects, "--json")

    assert (again.code, again.json["counts"]["created"]) == (0, 4)


def test_a_dry_run_that_comes_back_fixed_is_imported_through_it(ready: User) -> None:
    ready.has("people.csv", people(4, 3))
    ran = ready.types("validate", "people.csv", *PROFILE, "--json")
    rejects = ready.home / ran.json["files"]["rejects"]
    rejects.write_text(rejects.read_text().replace("AdaAdams", "Ada;Adams"))

    again = ready.types("run", rejects, "--json")

    assert (again.code, again.json["counts"]["created"]) == (0, 4)


def test_rows_are_checked_again_under_a_changed_function(ready: User) -> None:
    ready.has("people.csv", people(4, 3))
    ready.types("run", "people.csv", *PROFILE)
    assert ready.types("retry", "last", "--json").json["counts"]["invalid"] == 1

    rejects = ready.types("show", "last", "--json").json["files"]["rejects"]
    ready.has("ours/our_rules.py", RULES.replace("names[2]", 'names[2].where(names[2] != "", "Adams")'))
    refused = ready.types("retry", "last", "--fixed", rejects)
    again = ready.types("retry", "last", *PROFILE, "--json")

    assert refused.code == 6
    assert "our_rules.py, which was changed since" in refused.err
    assert (again.code, again.json["counts"]["created"]) == (0, 4)


def test_a_night_puts_a_file_on_which_it_fails_aside(ready: User) -> None:
    inbox = ready.home / "inbox"
    inbox.mkdir()
    quick = MAPPED + "[nightly]\nsettle_s = 0\n"
    ready.has("ours/profile.toml", quick)
    ready.has(
        "ours/our_rules.py", RULES.replace("    return", '    frame["Mail"].map(lambda text: text[0])\n    return')
    )
    (inbox / "a.csv").write_text(people(3))
    (inbox / "b.csv").write_text(people(9).replace("ada4@example.com", ""))
    (inbox / "c.csv").write_text(people(12))

    ran = ready.types("nightly", "inbox", *PROFILE, "--target", "emulator", "--json")

    fates = {one["file"]: one["fate"] for one in ran.json["imports"]}
    assert fates == {"a.csv": "imported", "b.csv": "refused", "c.csv": "imported"}
    (why,) = inbox.rglob("why.txt")
    assert "failed on row 4: IndexError in our_rules.py, line 10" in why.read_text()


def test_a_failing_function_ends_the_command_in_a_sentence_without_a_cell(ready: User) -> None:
    ready.has("ours/our_rules.py", RULES.replace("    return", '    frame["Local"].map(int)\n    return'))
    ready.has("people.csv", people(9).replace("5550007", "4111 secret"))

    ran = ready.types("validate", "people.csv", *PROFILE, "--json")

    assert ran.code == 2
    assert "failed on row 7: ValueError in our_rules.py, line 10." in json.dumps(ran.json["error"])
    assert "secret" not in ran.out + ran.err
    for log in ready.home.rglob("run.log.jsonl"):
        assert "secret" not in log.read_text()


@pytest.mark.slow
def test_several_processes_call_it_and_results_are_those_of_one(ready: User) -> None:
    count = 3_000
    ready.has("people.csv", people(count, 700, 2_900))
    texts = []
    for processes in (1, 2):
        ready.has("ours/profile.toml", f"{MAPPED}\n[source]\nbatch_rows = 100\nprocesses = {processes}\n")
        ran = ready.types_for_real("validate", "people.csv", *PROFILE, "--json", "--workspace", f"w{processes}")
        assert (ran.code, ran.json["counts"]["valid"]) == (3, count - 2), ran.err
        texts.append(Path(ready.home / ran.json["files"]["results"]).read_text().replace(ran.json["run_id"], ""))

    assert texts[0] == texts[1]


def test_a_failure_in_another_process_is_the_same_sentence(ready: User) -> None:
    ready.has("people.csv", people(3_000).replace("5552900", "x"))
    ready.has("ours/our_rules.py", RULES.replace("    return", '    frame["Local"].map(int)\n    return'))
    ready.has("ours/profile.toml", f"{MAPPED}\n[source]\nbatch_rows = 100\nprocesses = 2\n")

    ran = ready.types_for_real("validate", "people.csv", *PROFILE)

    assert ran.code == 2
    assert "failed on row 2900: ValueError in our_rules.py, line 10." in ran.err


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_function(
    user: User, profile_for: Callable[..., Path], tmp_path: Path
) -> None:
    with serving_here() as witness:
        profile = profile_for(witness, delivery=['rate = "40/s"'], more=MAPPED)
        (profile.parent / "our_rules.py").write_text(RULES)
        source = user.has("people.csv", people(60))
        process = user.starts("run", source, *sandbox(profile), **witness.environ)
        wait_for(lambda: len(witness.customers()) >= 10, process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)

        resumed = user.types("resume", "last", "--json", **witness.environ)

        assert (resumed.code, resumed.json["counts"]["created"]) == (0, 60)
        assert len(witness.customers()) == 60
        assert {one["lastName"] for one in witness.customers()} == {"Adams"}


def test_a_function_that_is_gone_is_said_to_be_gone_and_what_was_done_can_still_be_read(ready: User) -> None:
    """The kept profile knows the file; gone or changed, nothing is run in its place."""
    ready.has("people.csv", people(4, 3))
    ready.types("run", "people.csv", *PROFILE)
    shutil.rmtree(ready.home / "ours")
    rejects = ready.home / ready.types("show", "last", "--json").json["files"]["rejects"]
    rejects.write_text(rejects.read_text().replace("AdaAdams", "Ada;Adams"))

    ran = ready.types("retry", "last", "--fixed", rejects)
    shown = ready.types("explain", "last", "3")
    written = ready.types("export", "last")

    assert ran.code == 6
    assert f"was in {ready.home / 'ours' / 'our_rules.py'}, which is gone" in ran.err
    assert (shown.code, written.code) == (0, 3)


def test_doctor_loads_it_and_says_what_is_wrong(ready: User) -> None:
    sound = ready.types("doctor", *PROFILE, "--target", "emulator")
    ready.has("ours/our_rules.py", RULES.replace("def clean(frame):", "def clean(frame)"))
    broken = ready.types("doctor", *PROFILE, "--target", "emulator")

    assert (sound.code, broken.code) == (0, 2)
    assert "our_rules:clean can be loaded" in sound.out + sound.err
    assert "SyntaxError in our_rules.py, line 5" in broken.out + broken.err


def test_commands_that_only_look_do_not_run_it(ready: User) -> None:
    ready.types("run", "people.csv", *PROFILE)
    ready.has("ours/our_rules.py", "raise RuntimeError\n")

    for words in (("runs",), ("show", "last"), ("purge", "--older-than", "30d")):
        assert ready.types(*words, *PROFILE).code == 0, words


def test_the_shipped_example_says_what_it_does(user: User) -> None:
    shutil.copytree(ROOT / "configs", user.home / "configs")
    shutil.copytree(SAMPLES, user.home / "sample_data")

    ran = user.types("run", "sample_data/members.csv", "--config", "configs/transform.toml", "--json")

    assert (ran.code, ran.json["counts"]["created"]) == (0, 6)
    body = user.types("explain", "last", "3", "--show-values", "--json").json["body"]
    assert body["primaryPhoneNumber"] == {"number": "+12175550138", "type": "WORK"}
    assert body["addresses"][0]["cityName"] == "Springfield"


DEADLY = """
import os
import pathlib
import signal


def clean(frame):
    if frame.index[0] > 150 and pathlib.Path("deadly").exists():
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_run_that_was_killed_while_it_read_goes_on_with_the_very_same_file_alone(ready: User) -> None:
    rules = ready.has("ours/our_rules.py", RULES.replace("\ndef clean(frame):", DEADLY))
    ready.has("ours/profile.toml", f"{MAPPED}\n[source]\nbatch_rows = 100\nprocesses = 1\n")
    ready.has("people.csv", people(400))
    ready.has("deadly", "")
    assert ready.types_for_real("run", "people.csv", *PROFILE).code == -signal.SIGKILL
    (ready.home / "deadly").unlink()
    text = rules.read_text()

    rules.write_text(f"{text}# changed\n")
    changed = ready.types("resume", "last")
    rules.unlink()
    gone = ready.types("resume", "last")
    rules.write_text(text)
    resumed = ready.types("resume", "last", "--json")

    assert (changed.code, gone.code) == (6, 6)
    assert "our_rules.py, which was changed since then." in changed.err
    assert "our_rules.py, which is gone." in gone.err
    assert (resumed.code, resumed.json["counts"]["created"]) == (0, 400)
