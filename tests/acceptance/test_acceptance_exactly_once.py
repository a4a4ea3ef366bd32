"""Exactly once, at its edges: a customer that is at the server twice is never reported as a clean success."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import AGAIN_SOON, Ran, User, Witness, people, sandbox, serving_here, wait_until
from tests.acceptance.scripted_api import Said, ScriptedApi, said, scripted_api

LOST = '[[rule]]\nfault = "commit-then-drop"\non = ["create"]\nprobability = {share}\n'
LATE = '[[rule]]\nfault = "late-commit"\non = ["create"]\ncommit_after_s = {commit_s}\nanswer_after_s = {answer_s}\n'
QUICK = ['rate = "200/s"', "backoff_base_s = 0.01", "breaker_faults = 10000", "look_again_after_s = 1.5"]


@contextmanager
def faulty(user: User, plan: str) -> Iterator[Witness]:
    with serving_here(user.has("faults.toml", plan)) as witness:
        yield witness


def sends(user: User, witness: Witness, rows: str, *delivery: str) -> tuple[Any, tuple[str | Path, ...]]:
    """Import rows; the run, and the options that it had."""
    chosen = {line.partition(" = ")[0]: line for line in (*QUICK, *delivery)}
    lines = ["[delivery]", *chosen.values(), "[targets.sandbox]", f'base_url = "{witness.base_url}"', ""]
    options = (*sandbox(user.has("p.toml", "\n".join(lines))), "--json")
    return user.types("run", user.has("people.csv", rows), *options, **witness.environ), options


def at_server(witness: Witness) -> Counter[str]:
    return Counter(customer["primaryEmail"]["value"] for customer in witness.customers())


def doubled(witness: Witness) -> set[str]:
    return {email for email, count in at_server(witness).items() if count > 1}


def printed(user: User, report: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {row["Email"]: row for row in user.reads(report["files"]["results"])}


def test_a_row_whose_only_request_may_still_arrive_is_unknown_and_is_looked_up_before_it_is_sent_again(
    user: User,
) -> None:
    with faulty(user, LATE.format(commit_s=1.0, answer_s=60.0)) as witness:
        quick = ["read_timeout_s = 0.2", "looks_after_s = [0, 0.1]", "max_attempts = 1"]
        ran, options = sends(user, witness, people(10), *quick)
        assert (ran.code, ran.json["counts"]["unknown"]) == (8, 10)
        _wait_for(witness, 10)
        retried = user.types("retry", "last", *options, **witness.environ)

        assert (retried.code, retried.json["counts"]["created"]) == (0, 10)
        assert at_server(witness).total() == 10


def test_rows_that_a_gateway_refused_at_once_and_that_arrived_all_the_same_are_named_with_all_their_ids(
    user: User,
) -> None:
    with faulty(user, LATE.format(commit_s=0.8, answer_s=0.0)) as witness:
        ran, _ = sends(user, witness, people(3, external_ids=False), "looks_after_s = [0, 0.1]", "max_attempts = 3")
        rows = printed(user, ran.json)

        assert (ran.code, ran.json["counts"]["unknown"]) == (8, 3)
        assert doubled(witness) == set(rows)
        assert {row["_error_code"] for row in rows.values()} == {"duplicated_at_target"}
        for customer in witness.customers():
            assert customer["id"] in rows[customer["primaryEmail"]["value"]]["_error_message"]


def test_exactly_the_rows_whose_first_request_came_late_are_duplicated_and_no_other(user: User) -> None:
    plan = LATE.format(commit_s=0.8, answer_s=0.0) + "probability = 0.4\n"
    with faulty(user, "seed = 3\n" + plan) as witness:
        ran, options = sends(user, witness, people(12, external_ids=False), "looks_after_s = [0, 0.1]")
        rows = printed(user, ran.json)
        duplicated = {email for email, row in rows.items() if row["_error_code"] == "duplicated_at_target"}

        assert ran.code == 8
        assert duplicated == doubled(witness) != set()
        assert set(at_server(witness)) == set(rows)
        assert {row["_status"] for email, row in rows.items() if email not in duplicated} == {"created"}
        assert ran.json["learned"]["duplicated"] == len(duplicated)
        before = at_server(witness)
        user.types("retry", "last", *options, **witness.environ)
        assert at_server(witness) == before


def test_answers_that_were_lost_and_a_list_that_lags_leave_no_clean_row_over_two_customers(user: User) -> None:
    with faulty(user, "seed = 5\nlist_lag_s = 0.8\n" + LOST.format(share=0.3)) as witness:
        ran, _ = sends(user, witness, people(10, external_ids=False), "looks_after_s = [0, 0.2]")
        rows = printed(user, ran.json)

        assert ran.code == 8
        assert doubled(witness)
        for email in doubled(witness):
            assert rows[email]["_error_code"] == "duplicated_at_target"
            assert "sent again" in rows[email]["_warnings"]


@pytest.mark.parametrize(("metadata", "kept"), [("drop", False), ("lower", True)])
def test_a_server_that_loses_metadata_or_writes_it_otherwise_gets_every_customer_once(
    user: User, metadata: str, kept: bool
) -> None:
    with faulty(user, f'seed = 1\nmetadata = "{metadata}"\n' + LOST.format(share=0.2)) as witness:
        ran, _ = sends(user, witness, people(40, external_ids=False), "looks_after_s = [0, 0.2]")

        assert at_server(witness).total() == 40
        assert not doubled(witness)
        assert (ran.code, ran.json["counts"]["created"]) == (0, 40)
        assert ran.json["learned"]["keeps_metadata"] is kept


@pytest.mark.parametrize("ahead_s", [259_200, -259_200], ids=["the server's is ahead", "ours is ahead"])
def test_clocks_that_are_three_days_apart_hide_no_customer_from_the_look_ups(user: User, ahead_s: int) -> None:
    plan = f"clock_ahead_s = {ahead_s}\nlist_lag_s = 0.6\n" + LOST.format(share=0.5)
    with faulty(user, plan) as witness:
        people_by_mail = people(20, external_ids=False)
        ran, options = sends(user, witness, people_by_mail, "looks_after_s = [0, 0.1]", "max_attempts = 1")
        assert ran.json["counts"]["unknown"] > 3
        looks = {"IMPORTER_DELIVERY__LOOKS_AFTER_S": "[0, 0.7]"}
        retried = user.types("retry", "last", *options, **witness.environ, **looks)

        assert (retried.code, retried.json["counts"]["created"]) == (0, 20)
        assert at_server(witness).total() == 20


@pytest.mark.parametrize("command", ["show", "retry", "nightly"])
def test_what_came_later_than_the_second_look_is_found_by_the_next_command_that_looks(user: User, command: str) -> None:
    plan = LATE.format(commit_s=1.5, answer_s=0.0) + "probability = 0.4\n"
    with faulty(user, "seed = 3\n" + plan) as witness:
        quick = ["looks_after_s = [0, 0.1]", "look_again_after_s = 0.1"]
        ran, options = sends(user, witness, people(12, external_ids=False), *quick)
        warned = {row["Email"] for row in user.reads(ran.json["files"]["results"]) if "sent again" in row["_warnings"]}
        assert ran.json["counts"]["created"] == 12
        _wait_for(witness, 12 + len(warned))
        (user.home / "inbox").mkdir()
        words = {"nightly": ("nightly", "inbox", *options), "show": ("show", "last")}
        user.types(*words.get(command, (command, "last", *options)), **witness.environ)

        report = user.types("show", "last", "--json").json
        rows = printed(user, report)
        assert report["counts"]["unknown"] == len(doubled(witness)) > 0
        assert {name for name, row in rows.items() if row["_error_code"] == "duplicated_at_target"} == doubled(witness)
        assert doubled(witness) <= warned


def test_show_says_what_it_could_not_look_at_and_shows_the_run_all_the_same(user: User) -> None:
    plan = LATE.format(commit_s=0.5, answer_s=0.0) + "probability = 0.4\n"
    with faulty(user, "seed = 3\n" + plan) as witness:
        quick = ["looks_after_s = [0, 0.1]", "look_again_after_s = 0"]
        sends(user, witness, people(12, external_ids=False), *quick)
    shown = user.types("show", "last")

    assert shown.code == 0
    assert "could not be looked at again" in " ".join((shown.out + shown.err).split())


KEYS = {"ROCKETKOR_API_KEY": "key-1", "ROCKETKOR_API_SECRET": "secret-1"}


def against(user: User, api: ScriptedApi, rows: int, *delivery: str) -> Ran:
    lines = ["[delivery]", 'rate = "200/s"', "concurrency = 1", *AGAIN_SOON, *delivery, "[targets.sandbox]"]
    profile = user.has("p.toml", "\n".join([*lines, f'base_url = "{api.base_url}"', ""]))
    return user.types("run", user.has("people.csv", people(rows)), *sandbox(profile), "--json", **KEYS)


def created_as(number: int) -> Said:
    return said(201, {"id": f"0b0a4b6e-6a3e-4a53-8f4e-{number:012d}"})


def test_a_row_that_was_refused_when_it_was_sent_again_is_looked_up_when_it_comes_back_fixed(user: User) -> None:
    arrived: list[dict[str, Any]] = []

    def late(customer: dict[str, Any]) -> Said:
        arrived.append({**customer, "id": f"0b0a4b6e-6a3e-4a53-8f4e-{77:012d}"})
        return Said(504)

    refused = said(422, {"message": "Invalid", "errors": [{"path": "lastName", "message": "Not allowed."}]})
    with scripted_api(ScriptedApi({"L-0": [late, refused, created_as(5)]})) as api:
        ran = against(user, api, 1, "looks_after_s = [0, 0.1]")
        rejects = (user.home / ran.json["files"]["rejects"]).read_text(encoding="utf-8")
        assert (ran.code, ran.json["counts"]["unknown"]) == (8, 1)
        assert "Not allowed." in rejects
        api.listed.extend(arrived)  # the first request arrives after all
        fixed = user.has("fixed.csv", rejects.replace("Familya", "Other"))
        back = user.types("retry", "last", "--fixed", fixed, "--json", **KEYS)
        (row,) = user.reads(back.json["files"]["results"])

    assert api.creates["L-0"] == 2
    assert (row["_status"], row["_customer_id"]) == ("created", arrived[0]["id"])
    assert "was not sent" in row["_warnings"]


def test_two_rows_that_are_answered_with_one_customer_are_an_error_of_both(user: User) -> None:
    answers = {f"L-{row}": [created_as(row)] for row in range(5)}
    answers["L-1"] = answers["L-3"] = [created_as(99)]
    with scripted_api(ScriptedApi(answers)) as api:
        ran = against(user, api, 5)
        rows = {row["ID"]: row for row in user.reads(ran.json["files"]["results"])}

    assert (ran.code, ran.json["counts"]["created"], ran.json["counts"]["unknown"]) == (8, 3, 2)
    assert {name for name, row in rows.items() if row["_error_code"] == "same_customer"} == {"L-1", "L-3"}


def test_a_row_that_is_answered_with_the_customer_of_an_earlier_run_is_an_error(user: User) -> None:
    answers = {f"L-{row}": [created_as(row % 3)] for row in range(4)}
    with scripted_api(ScriptedApi(answers)) as api:
        assert against(user, api, 3).code == 0
        ran = against(user, api, 4)
        rows = {row["ID"]: row for row in user.reads(ran.json["files"]["results"])}

    assert (ran.code, ran.json["counts"]["existing"], ran.json["counts"]["unknown"]) == (8, 3, 1)
    assert rows["L-3"]["_error_code"] == "same_customer"
    assert "a row of another run" in rows["L-3"]["_error_message"]


def test_an_id_that_is_not_a_uuid_is_a_warning_and_is_not_put_into_a_path(user: User) -> None:
    answers = {"L-0": [said(201, {"id": "../../escape"})], "L-1": [created_as(1)]}
    with scripted_api(ScriptedApi(answers)) as api:
        ran = against(user, api, 2)
        rows = {row["ID"]: row for row in user.reads(ran.json["files"]["results"])}

    assert (ran.code, rows["L-0"]["_customer_id"]) == (0, "../../escape")
    assert "not a UUID" in rows["L-0"]["_warnings"]
    assert rows["L-1"]["_warnings"] == ""
    assert not any("escape" in line for line in api.asked)
    assert not list(user.home.rglob("*escape*"))


def test_one_odd_refusal_among_customers_that_were_created_is_that_rows_own(user: User) -> None:
    answers = {f"L-{row}": [created_as(row)] for row in range(20)}
    answers["L-14"] = [Said(415)]
    with scripted_api(ScriptedApi(answers)) as api:
        ran = against(user, api, 20)

    assert (ran.code, ran.json["counts"]["created"], ran.json["counts"]["rejected"]) == (3, 19, 1)


def test_several_odd_refusals_in_a_row_stop_the_run_all_the_same(user: User) -> None:
    answers = {f"L-{row}": [created_as(row) if row < 5 else Said(404)] for row in range(20)}
    with scripted_api(ScriptedApi(answers)) as api:
        ran = against(user, api, 20)

    counts = ran.json["counts"]
    assert ran.code == 5
    assert counts["created"] == 5
    assert counts["unsent"] > 10


def _wait_for(witness: Witness, customers: int) -> None:
    wait_until(lambda: at_server(witness).total() >= customers)


@pytest.mark.parametrize("metadata", ["drop", "lower"])
def test_a_rehearsal_with_a_server_that_loses_metadata_is_not_a_bug_of_ours(user: User, metadata: str) -> None:
    plan = user.has("faults.toml", f'seed = 1\nmetadata = "{metadata}"\n' + LOST.format(share=0.2))
    source = user.has("people.csv", people(30, external_ids=False))
    ran = user.types("run", source, "--target", "emulator", "--faults", plan, "--rate", "200/s", "--json")

    assert (ran.code, ran.json["counts"]["created"]) == (0, 30)
    assert (ran.json["rehearsal"]["lost"], ran.json["rehearsal"]["twice"]) == (0, 0)
