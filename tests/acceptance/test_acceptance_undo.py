"""`importer undo`: what a run created is listed and taken back, and nothing that somebody has touched since."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.acceptance.conftest import IMPORTER, Ran, User, Witness, ended, people, sandbox, serving_here, wait_for

pytestmark = pytest.mark.slow

ROWS = 200
FAST = ['rate = "900/s"', "looks_after_s = [0, 0.1]", "breaker_faults = 1000"]


class Somebody:
    """Another client of the API, who changes customers by hand."""

    def __init__(self, witness: Witness) -> None:
        self._api = f"{witness.base_url}/v1"
        pair = f"{witness.environ['ROCKETKOR_API_KEY']}:{witness.environ['ROCKETKOR_API_SECRET']}"
        basic = base64.b64encode(pair.encode()).decode()
        self._header = f"Basic {basic}"
        self._header = f"Bearer {self.asks('POST', '/api-keys/exchange')['access_token']}"

    def asks(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": self._header, "Content-Type": "application/json"}
        request = Request(f"{self._api}{path}", data, headers, method=method)  # noqa: S310  # loopback
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            text = answer.read().decode()
        return json.loads(text) if text[:1] in {"{", "["} else text

    def changes(self, customer_id: str, **fields: Any) -> None:
        there = self.asks("GET", f"/customers/{customer_id}")
        owned = {"id", "status", "createdBy", "createdAt", "updatedBy", "updatedAt", "verificationStatus"}
        sent = {name: value for name, value in there.items() if name not in owned}
        self.asks("PUT", f"/customers/{customer_id}", {**sent, **fields})

    def suspends(self, customer_id: str) -> None:
        self.asks("PUT", f"/customers/{customer_id}/suspend")

    def deletes(self, customer_id: str) -> None:
        self.asks("DELETE", f"/customers/{customer_id}")

    def limits(self, customer_id: str, amount: str) -> None:
        held = self.asks("GET", f"/limits?scopeId={customer_id}&scopeType=CUSTOMER")
        self.asks("PUT", "/limits", {held[0]["id"]: {"amount": amount}})

    def verifies(self, customer_id: str) -> None:
        (profile, *_) = self.asks("GET", "/identity-verification-profiles?identityAccountTypes=INDIVIDUAL_CUSTOMER")
        body = {"accountId": customer_id, "identityVerificationProfileId": profile["id"]}
        self.asks("POST", "/identity-verifications", body)


def ids_of(user: User, ran: Ran) -> list[str]:
    return [row["_customer_id"] for row in user.reads(ran.json["files"]["results"])]


def imported(user: User, witness: Witness, profile: Path, rows: int = ROWS) -> list[str]:
    """Import people; returns the ids of their customers in the order of rows."""
    ran = user.types("run", user.has("people.csv", people(rows)), *sandbox(profile), "--json", **witness.environ)
    assert ran.code == 0, ran.out
    return ids_of(user, ran)


def touched(witness: Witness, ids: list[str]) -> list[str]:
    """Have somebody touch seven customers, each in another way."""
    somebody = Somebody(witness)
    somebody.changes(ids[3], lastName="Other")
    somebody.changes(ids[20], middleName="New")
    somebody.suspends(ids[40])
    somebody.suspends(ids[41])
    somebody.limits(ids[60], "77.00")
    somebody.verifies(ids[80])
    somebody.deletes(ids[199])
    return [ids[at] for at in (3, 20, 40, 41, 60, 80, 199)]


def plan(user: User, witness: Witness, profile: Path, *more: str) -> Ran:
    return user.types("undo", "last", "--plan", *sandbox(profile), "--json", *more, **witness.environ)


def applied(user: User, witness: Witness, profile: Path, path: str, *more: str) -> Ran:
    return user.types("undo", "last", "--apply", path, *sandbox(profile), "--json", *more, **witness.environ)


def statuses(witness: Witness) -> Counter[str]:
    return Counter(customer["status"] for customer in witness.customers())


@pytest.fixture
def lossy(user: User) -> Iterator[Witness]:
    """A server that loses one answer in five to a suspend, after and before the work."""
    rules = [
        ("commit-then-drop", 0.1), ("drop-before-commit", 0.05), ("truncated", 0.05), ("html", 0.05),
    ]  # fmt: skip
    text = "".join(f'[[rule]]\nfault = "{name}"\non = ["suspend"]\nprobability = {share}\n' for name, share in rules)
    with serving_here(user.has("lossy.toml", f"seed = 7\n{text}")) as running:
        yield running


def test_what_was_touched_since_is_listed_and_all_else_is_suspended(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=FAST)
    ids = imported(user, witness, profile)
    seven = touched(witness, ids)

    listed = plan(user, witness, profile)
    assert listed.code == 3, listed.out
    assert listed.json["counts"] == {"planned": 193, "suspended": 0, "skipped": 7, "failed": 0}
    assert [one["customer_id"] for one in listed.json["skipped"]] == seven
    assert [one["why"] for one in listed.json["skipped"]] == [
        "It is not what was sent (lastName: another value).",
        "It is not what was sent (middleName: not sent).",
        "Its status is SUSPENDED.",
        "Its status is SUSPENDED.",
        "It has limits that are not of this run (single USD).",
        "It has an identity verification that is not of this run.",
        "It is not there any more.",
    ]
    assert witness.ledger()["committed"].get("suspend") == 2

    done = applied(user, witness, profile, listed.json["files"]["plan"])
    assert done.code == 0, done.out
    assert done.json["counts"] == {"planned": 193, "suspended": 193, "skipped": 7, "failed": 0}
    assert statuses(witness) == {"SUSPENDED": 195, "ACTIVE": 4}
    there = {customer["id"]: customer["status"] for customer in witness.customers()}
    assert [there.get(one) for one in seven] == ["ACTIVE", "ACTIVE", "SUSPENDED", "SUSPENDED", "ACTIVE", "ACTIVE", None]


@pytest.mark.slow
def test_an_undo_that_is_killed_and_applied_again_ends_the_same(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "200/s"', "concurrency = 8"])
    quick = profile_for(witness, "quick.toml", delivery=FAST)
    touched(witness, imported(user, witness, quick))
    path = plan(user, witness, quick).json["files"]["plan"]
    words = ("undo", "last", "--apply", path, *sandbox(profile), "--json")
    for suspended in (60, 130):
        process = user.starts(*words, **witness.environ)
        wait_for(lambda suspended=suspended: statuses(witness)["SUSPENDED"] >= suspended, process)  # type: ignore[misc]
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert statuses(witness)["ACTIVE"] > 4, "nothing was left to do"

    last = applied(user, witness, quick, path)

    assert last.code == 0, last.out
    assert last.json["counts"] == {"planned": 193, "suspended": 193, "skipped": 7, "failed": 0}
    assert statuses(witness) == {"SUSPENDED": 195, "ACTIVE": 4}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_undo_that_is_stopped_says_how_it_goes_on(
    user: User, witness: Witness, profile_for: Callable[..., Path], number: signal.Signals, code: int
) -> None:
    slow = profile_for(witness, delivery=['rate = "60/s"', "concurrency = 4"])
    quick = profile_for(witness, "quick.toml", delivery=FAST)
    imported(user, witness, quick, 100)
    path = plan(user, witness, quick).json["files"]["plan"]
    process = user.starts("undo", "last", "--apply", path, *sandbox(slow), "--json", **witness.environ)
    wait_for(lambda: statuses(witness)["SUSPENDED"] >= 20, process)
    process.send_signal(number)
    stopped = ended(process)

    assert stopped.code == code, stopped.out + stopped.err
    assert "--apply" in stopped.json["next_command"]
    assert stopped.json["counts"]["suspended"] == statuses(witness)["SUSPENDED"] < 100
    shown = user.types("show", "last", "--json").json
    assert (shown["state"], shown["exit_code"]) == ("finished", 0)
    assert applied(user, witness, quick, path).json["counts"]["suspended"] == 100


@pytest.mark.slow
def test_lost_answers_change_nothing(user: User, lossy: Witness, profile_for: Callable[..., Path]) -> None:
    profile = profile_for(lossy, delivery=FAST)
    ids = imported(user, lossy, profile)
    somebody = Somebody(lossy)
    for at in range(3):
        somebody.limits(ids[at], "77.00")
        somebody.verifies(ids[at + 10])
    somebody.deletes(ids[30])

    listed = plan(user, lossy, profile)
    done = applied(user, lossy, profile, listed.json["files"]["plan"])

    assert done.code == 0, done.out
    assert done.json["counts"] == {"planned": 193, "suspended": 193, "skipped": 7, "failed": 0}
    assert statuses(lossy) == {"SUSPENDED": 193, "ACTIVE": 6}
    assert sum(lossy.ledger()["faults"].values()) > 20


def test_a_customer_that_is_changed_after_the_plan_is_left_alone(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=FAST)
    ids = imported(user, witness, profile, 20)
    path = plan(user, witness, profile).json["files"]["plan"]
    Somebody(witness).changes(ids[4], lastName="Other")
    Somebody(witness).suspends(ids[5])

    done = applied(user, witness, profile, path)

    assert done.code == 3, done.out
    assert done.json["counts"] == {"planned": 20, "suspended": 18, "skipped": 0, "failed": 2}
    assert [(one["row"], one["customer_id"]) for one in done.json["failed"]] == [(6, ids[4]), (7, ids[5])]
    assert {one["id"]: one["status"] for one in witness.customers()}[ids[4]] == "ACTIVE"
    assert "explain" in done.json["next_step"]
    assert done.json["next_command"].endswith("--plan")
    explained = user.types("explain", "last", "6", "--json").json
    assert [(one["step"], one["state"]) for one in explained["steps"]] == [("suspend", "failed")]
    assert [issue["code"] for issue in explained["issues"]] == ["changed_since"]
    (results,) = user.home.glob("runs/*/results.csv")
    assert "changed since the list was made" in user.reads(results)[4]["_warnings"]
    assert "_idv_status" not in user.reads(results)[4]


@pytest.mark.slow
def test_a_plan_applied_twice_asks_for_nothing_more(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=FAST)
    imported(user, witness, profile, 20)
    path = plan(user, witness, profile).json["files"]["plan"]
    first = applied(user, witness, profile, path)
    requests = witness.ledger()["requests"]
    second = applied(user, witness, profile, path)

    assert first.json["counts"] == second.json["counts"]
    assert witness.ledger()["requests"] - requests <= 1, "a token at most"
    again = plan(user, witness, profile)
    assert (again.code, again.json["counts"]["suspended"], again.json["counts"]["planned"]) == (0, 20, 0)
    shown = user.types("show", "last", "--json").json
    assert shown["undone"] == {"suspended": 20, "deleted": 0, "failed": 0, "open": 0}
    assert "20 of its customers were suspended again." in shown["verdict"]


@pytest.mark.slow
def test_what_a_run_only_found_is_never_touched(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    profile = profile_for(witness, delivery=FAST)
    found = imported(user, witness, profile, 30)
    more = user.types("run", user.has("more.csv", people(50)), *sandbox(profile), "--json", **witness.environ)
    assert (more.json["counts"]["existing"], more.json["counts"]["created"]) == (30, 20)

    done = applied(user, witness, profile, plan(user, witness, profile).json["files"]["plan"])

    assert done.json["counts"]["suspended"] == 20
    assert {one["status"] for one in witness.customers() if one["id"] in found} == {"ACTIVE"}


def test_a_plan_that_is_not_that_of_the_run_is_refused_and_nothing_is_sent(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=FAST)
    imported(user, witness, profile, 10)
    path = plan(user, witness, profile, "--out", "first.json").json["files"]["plan"]
    assert (user.home / path).stat().st_mode & 0o777 == 0o600
    content = json.loads((user.home / path).read_text())
    content["entries"].pop()
    edited = user.has("edited.json", json.dumps(content))
    nonsense = user.has("nonsense.json", "[]")
    user.types("run", user.has("more.csv", people(15)), *sandbox(profile), "--json", **witness.environ)
    before = witness.ledger()["requests"]

    for given, words in [
        (path, "is one of the run"), (edited, "was edited"), (nonsense, "not a plan"), ("none.json", "does not exist"),
    ]:  # fmt: skip
        refused = applied(user, witness, profile, str(given))
        assert (refused.code, words in refused.json["error"]) == (6, True), refused.out
    assert user.types("undo", "last", *sandbox(profile), "--json", **witness.environ).code == 2
    assert applied(user, witness, profile, path, "--delete").code == 6
    assert applied(user, witness, profile, path, "--key", "anna").code == 2
    assert applied(user, witness, profile, path, "--yes-delete", "10").code == 2
    assert witness.ledger()["requests"] == before


def test_customers_are_deleted_at_a_sandbox_once_their_number_is_given(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=FAST)
    ids = imported(user, witness, profile, 20)
    Somebody(witness).changes(ids[0], lastName="Other")
    listed = plan(user, witness, profile, "--delete")
    path = listed.json["files"]["plan"]
    assert listed.json["counts"] == {"planned": 19, "deleted": 0, "skipped": 1, "failed": 0}

    for words in ((), ("--yes-delete", "20"), ("--yes",)):
        refused = applied(user, witness, profile, path, "--delete", *words)
        assert refused.code == 2
        assert "--yes-delete 19" in refused.json["error"]
    assert len(witness.customers()) == 20
    done = applied(user, witness, profile, path, "--delete", "--yes-delete", "19")
    assert (done.code, done.json["counts"]["deleted"]) == (0, 19), done.out
    assert [one["id"] for one in witness.customers()] == ids[:1]

    file = user.home / "people.csv"
    again = user.types("run", file, *sandbox(profile), "--force", "--json", **witness.environ)
    assert (again.code, again.json["counts"]["created"], again.json["counts"]["existing"]) == (0, 19, 1)


@pytest.mark.slow
def test_a_suspended_customer_stays_known_and_may_be_deleted_then(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=FAST)
    imported(user, witness, profile, 10)
    applied(user, witness, profile, plan(user, witness, profile).json["files"]["plan"])
    listed = plan(user, witness, profile, "--delete")
    assert listed.json["counts"] == {"planned": 10, "deleted": 0, "skipped": 0, "failed": 0}

    file = user.home / "people.csv"
    again = user.types("run", file, *sandbox(profile), "--force", "--json", **witness.environ)
    assert again.json["counts"]["existing"] == 10
    run_id = listed.json["run_id"]
    more = ("--delete", "--yes-delete", "10", *sandbox(profile), "--json")
    done = user.types("undo", run_id, "--apply", listed.json["files"]["plan"], *more, **witness.environ)
    assert (done.code, done.json["counts"]["deleted"]) == (0, 10), done.out
    assert witness.customers() == []


def test_a_live_target_is_asked_about_and_never_deleted_from(user: User, witness: Witness) -> None:
    profile = user.has("live.toml", f'[targets.live]\nbase_url = "{witness.base_url}"\nrate = "900/s"\ncanary = 0\n')
    live = ("--config", profile, "--target", "live")
    user.types("run", user.has("people.csv", people(10)), *live, "--yes", "--json", **witness.environ)
    assert user.types("undo", "last", "--plan", "--delete", *live, "--json", **witness.environ).code == 2
    path = user.types("undo", "last", "--plan", *live, "--json", **witness.environ).json["files"]["plan"]
    deletes = ("--delete", "--yes", "--yes-delete", "10")
    assert user.types("undo", "last", "--apply", path, *deletes, *live, "--json", **witness.environ).code == 6
    before = witness.ledger()["requests"]
    refused = user.types("undo", "last", "--apply", path, *live, "--json", **witness.environ)
    assert (refused.code, "has to be confirmed" in refused.json["error"]) == (2, True)
    assert witness.ledger()["requests"] == before

    done = user.types("undo", "last", "--apply", path, *live, "--yes", "--json", **witness.environ)
    assert (done.code, statuses(witness)) == (0, {"SUSPENDED": 10})


def test_limits_and_verifications_of_the_run_itself_are_no_reason_to_leave_a_customer_alone(
    user: User, witness: Witness
) -> None:
    lines = [
        "[delivery]", *FAST, "[mapping]", '"externalId" = "ID"', '"type" = { value = "INDIVIDUAL" }',
        '"firstName" = "First Name"', '"lastName" = "Last Name"', '"primaryEmail.value" = "Email"',
        '"primaryPhoneNumber.number" = "Phone"', '"primaryPhoneNumber.type" = { value = "MOBILE" }',
        '"limits.daily" = "Daily"', '"limits.currency" = { value = "USD" }',
        "[after_create]", "limits = true", 'identity_verification = "Standard"', 'follow_up = "0s"',
        "[idv]", 'not_ready = "create"', "[targets.sandbox]", f'base_url = "{witness.base_url}"',
    ]  # fmt: skip
    profile = user.has("steps.toml", "\n".join(lines))
    rows = people(20).splitlines()
    text = "\n".join([f"{rows[0]},Daily", *(f"{row},{100 + at}.00" for at, row in enumerate(rows[1:]))])
    ran = user.types("run", user.has("people.csv", text), *sandbox(profile), "--json", **witness.environ)
    assert ran.json["counts"].get("created") == 20, ran.out
    assert ran.json["follow_up"]["steps"]["limits"] == {"done": 20}
    ids = ids_of(user, ran)
    somebody = Somebody(witness)
    somebody.verifies(ids[2])
    held = somebody.asks("GET", f"/limits?scopeId={ids[5]}&scopeType=CUSTOMER")
    daily = next(one["id"] for one in held if (one["limitType"], one["currency"]) == ("DAILY", "USD"))
    somebody.asks("PUT", "/limits", {daily: {"amount": "9.00"}})

    listed = plan(user, witness, profile)

    assert [(one["row"], one["why"]) for one in listed.json["skipped"]] == [
        (4, "It has an identity verification that is not of this run."),
        (7, "It has limits that are not of this run (daily USD)."),
    ]
    done = applied(user, witness, profile, listed.json["files"]["plan"])
    assert done.json["counts"]["suspended"] == 18
    assert user.types("show", "last", "--json").json["follow_up"]["steps"]["limits"] == {"done": 20}


def test_people_read_what_is_left_alone_and_what_to_type_next(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=FAST)
    ids = imported(user, witness, profile, 10)
    Somebody(witness).suspends(ids[3])
    listed = user.types("undo", "last", "--plan", *sandbox(profile), "--quiet", **witness.environ)

    assert "  planned           9\n" in listed.err
    assert "row 5: Its status is SUSPENDED." in listed.err
    command = listed.err.strip().splitlines()[-1].strip().split()
    assert command[:2] == ["importer", "undo"]
    done = user.types(*command[1:], *sandbox(profile), "--quiet", **witness.environ)
    assert "  suspended         9\n" in done.err
    shown = user.types("show", "last", **witness.environ).out
    assert "9 of its customers were suspended again." in shown


def test_the_emulator_inside_a_run_is_undone_too(user: User) -> None:
    assert user.types("run", user.has("people.csv", people(12)), "--json").code == 0
    path = user.types("undo", "last", "--plan", "--json").json["files"]["plan"]
    assert user.types("undo", "last", "--apply", path, "--json").json["counts"]["suspended"] == 12


@pytest.mark.slow
def test_a_canary_that_stops_a_run_offers_to_take_back_what_it_created(user: User) -> None:
    rules = '[[rule]]\nfault = "status"\nstatus = 422\non = ["create"]\nfrom_request = 5\n'
    with serving_here(user.has("refusing.toml", rules)) as witness:
        text = f'[delivery]\nlooks_after_s = [0, 0.1]\n[targets.sandbox]\nbase_url = "{witness.base_url}"\ncanary = 8\n'
        profile = user.has("canary.toml", text)
        ran = user.types("run", user.has("people.csv", people(40)), *sandbox(profile), "--json", **witness.environ)
        assert (ran.code, ran.json["counts"]["created"] > 0) == (4, True), ran.out
        run_id = ran.json["run_id"]
        offered = f"`importer undo {run_id} --plan`"
        assert offered in ran.json["error"]
        assert offered in ran.json["next_step"]
        assert offered in user.types("show", "last", "--json").json["next_step"]

        words = offered.strip("`").split()[1:]
        listed = user.types(*words, *sandbox(profile), "--json", **witness.environ)
        assert listed.json["counts"]["planned"] == ran.json["counts"]["created"]
        done = user.types(*listed.json["next_command"].split()[1:], *sandbox(profile), "--json", **witness.environ)
        assert done.code == 0, done.out
        shown = user.types("show", "last", "--json").json
        assert (shown["state"], shown["exit_code"], shown["stopped_by"]) == ("stopped", 0, "canary")
        assert offered not in shown["next_step"]


@pytest.mark.slow
def test_a_delete_that_loses_answers_and_is_killed_ends_the_same(user: User, profile_for: Callable[..., Path]) -> None:
    rules = "".join(
        f'[[rule]]\nfault = "{name}"\non = ["delete", "get"]\nprobability = 0.1\n'
        for name in ("commit-then-drop", "drop-before-commit")
    )
    with serving_here(user.has("lossy.toml", rules)) as witness:
        slow = profile_for(
            witness, "slow.toml", delivery=['rate = "200/s"', "concurrency = 8", "breaker_faults = 1000"]
        )
        quick = profile_for(witness, delivery=FAST)
        imported(user, witness, quick, 100)
        path = plan(user, witness, quick, "--delete").json["files"]["plan"]
        words = ("undo", "last", "--apply", path, "--delete", "--yes-delete", "100")
        process = user.starts(*words, *sandbox(slow), "--json", **witness.environ)
        wait_for(lambda: len(witness.customers()) <= 60, process)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()

        last = user.types(*words, *sandbox(quick), "--json", **witness.environ)
        assert (last.code, last.json["counts"]["deleted"]) == (0, 100), last.out
        assert witness.customers() == []


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["flaky", "garbled", "migration-night"])
def test_a_bad_night_changes_nothing(user: User, preset: str) -> None:
    source = user.has("people.csv", people(120))
    config = user.has("quick.toml", "[delivery]\nrate = '900/s'\nlooks_after_s = [0, 0.2]\nbackoff_base_s = 0.05\n")
    ran = user.types("run", source, "--config", config, "--faults", preset, "--json")
    listed = user.types("undo", "last", "--plan", "--config", config, "--json")
    assert listed.code in {0, 3}, listed.out
    assert listed.json["counts"]["planned"] == ran.json["counts"]["created"], listed.out
    done = user.types("undo", "last", "--apply", listed.json["files"]["plan"], "--config", config, "--json")

    assert done.code == 0, done.out
    assert done.json["counts"]["suspended"] == ran.json["counts"]["created"]
    shown = user.types("show", "last", "--json").json
    assert shown["rehearsal"]["lost"] == 0


@pytest.mark.slow
def test_of_a_run_that_was_cut_off_what_it_created_is_taken_back_and_rows_in_doubt_are_listed(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"', "concurrency = 8"])
    quick = profile_for(witness, "quick.toml", delivery=FAST)
    process = user.starts("run", user.has("people.csv", people(200)), *sandbox(profile), "--quiet", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] >= 50, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = witness.ledger()["customers"]

    listed = plan(user, witness, quick)
    assert listed.json["counts"]["planned"] + listed.json["counts"]["skipped"] >= there
    assert {one["why"] for one in listed.json["skipped"]} <= {"It is not known whether this row became a customer."}
    done = applied(user, witness, quick, listed.json["files"]["plan"])
    assert done.code == 0, done.out
    shown = user.types("show", "last", "--json").json
    assert shown["state"] == "stopped"
    assert shown["counts"]["created"] == done.json["counts"]["suspended"]
    assert user.types("resume", "last", *sandbox(quick), "--json", **witness.environ).json["counts"]["created"] == 200
    refused = applied(user, witness, quick, listed.json["files"]["plan"])
    assert (refused.code, "has gone on" in refused.json["error"]) == (6, True)


def answered(user: User, typed: str, *arguments: str | Path, **environ: str) -> tuple[int, str]:
    """Run a command at a terminal where somebody types something; its exit code, and what was shown."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*IMPORTER, *map(str, arguments)],
        cwd=user.home,
        env={**user.environ, **environ},
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        os.write(ours, f"{typed}\n".encode())
        shown = b""
        while True:
            try:
                new = os.read(ours, 65536)
            except OSError:
                break
            shown += new
    os.close(ours)
    return process.returncode, shown.decode()


@pytest.mark.slow
def test_at_a_terminal_the_number_is_typed_and_a_live_target_is_asked_about(user: User, witness: Witness) -> None:
    text = f'[targets.live]\nbase_url = "{witness.base_url}"\nrate = "900/s"\ncanary = 0\n'
    text += f'[targets.sandbox]\nbase_url = "{witness.base_url}"\nrate = "900/s"\n'
    config = user.has("both.toml", text)
    source = user.has("people.csv", people(10))
    live = ("--config", config, "--target", "live")
    assert user.types("run", source, *live, "--yes", "--json", **witness.environ).code == 0
    path = user.types("undo", "last", "--plan", *live, "--json", **witness.environ).json["files"]["plan"]
    code, shown = answered(user, "n", "undo", "last", "--apply", path, *live, **witness.environ)
    assert (code, "Suspend 10 customers at 127.0.0.1" in shown) == (2, True), shown
    assert statuses(witness) == {"ACTIVE": 10}
    code, shown = answered(user, "y", "undo", "last", "--apply", path, *live, **witness.environ)
    assert (code, statuses(witness)) == (0, {"SUSPENDED": 10}), shown

    box = ("--config", config, "--target", "sandbox")
    more = user.has("more.csv", people(25).replace("person", "other").replace("L-", "M-"))
    assert user.types("run", more, *box, "--json", **witness.environ).json["counts"]["created"] == 25
    path = user.types("undo", "last", "--plan", "--delete", *box, "--json", **witness.environ).json["files"]["plan"]
    words = ("undo", "last", "--apply", path, "--delete", *box)
    code, shown = answered(user, "24", *words, **witness.environ)
    assert (code, "25 customers will be deleted" in shown) == (2, True), shown
    assert len(witness.customers()) == 35
    code, shown = answered(user, "25", *words, **witness.environ)
    assert (code, len(witness.customers())) == (0, 10), shown
