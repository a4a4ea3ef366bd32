"""Steps after the creates, as a user meets them: commands, exit codes, what a bad profile or a bad cell is told."""

from __future__ import annotations

import csv
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.after_create import (
    DOCUMENTS,
    LIMITS,
    MAPPING,
    SERVERS,
    Server,
    emulator_server,
    profile,
    row,
    source,
    stub_server,
)
from tests.acceptance.conftest import Ran, User, ended, logged, wait_for, wait_until
from tests.acceptance.test_acceptance_purge import aged, bytes_of_the_journal

pytestmark = pytest.mark.slow

STANDARD = 'identity_verification = "Standard"'
PEOPLE = [number for number in range(1, 200) if number % 10 not in {3, 6} and number % 25 not in {7, 8, 9}]
"""Numbers of rows that are people, ready, and approved."""


def people(count: int, **cells: str) -> list[dict[str, str]]:
    """Rows that are approved, without a scan."""
    return [row(number, **{"Scan": "", "Scan No": "", **cells}) for number in PEOPLE[:count]]


def results(user: User, ran: Ran) -> list[dict[str, str]]:
    return user.reads(ran.json["files"]["results"])


@pytest.fixture(params=SERVERS)
def server(user: User, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Either server, without faults; an identity verification takes no time."""
    with SERVERS[request.param](user, idv_s=0.0) as serving:
        yield serving


@pytest.fixture
def stub(user: User) -> Iterator[Server]:
    """The stub, without faults; an identity verification takes no time."""
    with stub_server(user, idv_s=0.0) as serving:
        yield serving


# --------------------------------------------------------------------------- verify


def test_verify_names_what_was_changed_at_the_target_and_holds_no_value(user: User, server: Server) -> None:
    options = profile(user, server.base_url, steps=(), mapping=MAPPING)
    ran = user.types("run", source(user, people(12)), *options, "--json", **server.environ)
    assert (ran.code, "_verified" in results(user, ran)[0]) == (0, False)
    found = results(user, ran)
    address = server.there().by_email()[found[1]["Email"]]["addresses"][0]
    server.change(found[0], lastName="Canaryson")
    server.change(found[1], addresses=[{**address, "zipCode": "60699-0177"}])
    server.change(found[2], middleName="Canarymiddle")

    verified = user.types("verify", "last", *options, "--json", **server.environ)

    assert verified.code == 3, verified.out
    said = [(one["_verified"], one["_differences"]) for one in results(user, verified)]
    assert said[:3] == [
        ("differs", "lastName: another value"),
        ("differs", "addresses.physical.zipCode: another value"),
        ("differs", "middleName: not sent"),
    ]
    assert set(said[3:]) == {("same", "")}
    assert verified.json["follow_up"]["steps"] == {"verify": {"done": 9, "differs": 3}}
    assert [one["_status"] for one in results(user, verified)] == ["created"] * 12
    files = [path.read_bytes() for path in user.home.glob("runs/*/*") if path.is_file()]
    for canary in (b"Canary", b"60699-0177"):
        assert not any(canary in content for content in files)
        assert canary.decode() not in verified.out + verified.err
        assert canary not in bytes_of_the_journal(user)


def test_a_customer_that_is_corrected_is_the_same_again(user: User, stub: Server) -> None:
    options = profile(user, stub.base_url, steps=(), mapping=MAPPING)
    ran = user.types("run", source(user, people(2)), *options, "--json", **stub.environ)
    cells = results(user, ran)[0]
    stub.change(cells, lastName="Canaryson")
    assert user.types("verify", "last", *options, **stub.environ).code == 3
    stub.change(cells, lastName=cells["Last Name"])

    verified = user.types("verify", "last", *options, "--json", **stub.environ)

    assert verified.code == 0, verified.out
    assert {(one["_verified"], one["_warnings"]) for one in results(user, verified)} == {("same", "")}


def test_a_sample_is_a_part_of_the_customers_and_the_same_each_time(user: User, stub: Server) -> None:
    options = profile(user, stub.base_url, steps=(), mapping=MAPPING)
    assert user.types("run", source(user, people(100)), *options, **stub.environ).code == 0

    samples = []
    for share in ("20%", "0.2"):
        before = stub.asked().get("get", 0)
        verified = user.types("verify", "last", "--sample", share, *options, "--json", **stub.environ)
        assert verified.code == 0
        samples.append([one["ID"] for one in results(user, verified) if one["_verified"] == "same"])
        assert stub.asked()["get"] - before == len(samples[-1])

    assert samples[0] == samples[1]
    assert 5 <= len(samples[0]) <= 45
    refused = user.types("verify", "last", "--sample", "much", *options, **stub.environ)
    assert (refused.code, "not a share" in refused.err) == (2, True)


def test_verify_reads_customers_that_existed_too(user: User, stub: Server) -> None:
    options = profile(user, stub.base_url, steps=("verify = true",), mapping=MAPPING)
    assert user.types("run", source(user, people(5)), *options, **stub.environ).code == 0

    again = user.types("run", source(user, people(7), "more.csv"), *options, "--json", **stub.environ)

    assert (again.code, again.json["counts"]["existing"], again.json["counts"]["created"]) == (0, 5, 2)
    assert {one["_verified"] for one in results(user, again)} == {"same"}


def test_verify_leaves_all_other_steps_as_they_are(user: User, server: Server) -> None:
    options = profile(user, server.base_url, steps=(STANDARD, 'follow_up = "0s"'), mapping=MAPPING)
    assert user.types("run", source(user, people(3)), *options, **server.environ).code == 75
    before = server.asked()

    verified = user.types("verify", "last", *options, "--json", **server.environ)

    assert (verified.code, verified.json["follow_up"]["open"]) == (75, 3), verified.out
    assert verified.json["follow_up"]["steps"]["verify"] == {"done": 3}
    assert server.asked().get("idv_get", 0) == before.get("idv_get", 0)


# --------------------------------------------------------------------------- follow, resume, retry


def test_follow_of_a_run_without_steps_is_a_sentence(user: User, stub: Server) -> None:
    options = profile(user, stub.base_url, steps=(), mapping=MAPPING)
    user.types("run", source(user, people(2)), *options, **stub.environ)

    refused = user.types("follow", "last", *options, "--json", **stub.environ)

    assert (refused.code, "no steps after its creates" in refused.json["error"]) == (2, True)


@pytest.mark.parametrize("command", ["follow", "resume"])
def test_a_run_whose_time_is_over_ends_with_75_and_goes_on_later(user: User, command: str) -> None:
    with stub_server(user, idv_s=2.5) as serving:
        options = profile(user, serving.base_url, steps=(STANDARD, 'follow_up = "0s"'), mapping=MAPPING)
        ran = user.types("run", source(user, people(6)), *options, "--json", **serving.environ)
        assert (ran.code, ran.json["follow_up"]["open"]) == (75, 6)
        assert {one["_idv_outcome"] for one in results(user, ran)} == {""}
        assert f"importer follow {ran.json['run_id']}" in ran.json["next_step"]

        later = user.types(command, "last", "--follow-up", "20s", *options, "--json", **serving.environ)

        assert (later.code, later.json["follow_up"]["open"]) == (0, 0), later.out
        assert {one["_idv_outcome"] for one in results(user, later)} == {"APPROVED"}
        assert serving.asked()["idv_submit"] == 6


@pytest.mark.slow
@pytest.mark.parametrize("command", ["follow", "resume"])
def test_outcomes_are_read_although_the_folder_of_documents_is_gone(user: User, command: str) -> None:
    with stub_server(user, idv_s=2.5) as serving:
        steps, mapping = (STANDARD, 'follow_up = "0s"'), {**MAPPING, **DOCUMENTS}
        options = profile(user, serving.base_url, steps=steps, mapping=mapping)
        assert user.types("run", source(user, people(2)), *options, **serving.environ).code == 75
        (user.home / "scans").rename(user.home / "elsewhere")

        later = user.types(command, "last", "--follow-up", "20s", *options, "--json", **serving.environ)

        assert (later.code, later.json["follow_up"]["outcomes"]) == (0, {"APPROVED": 2}), later.out


def test_follow_looks_again_at_those_that_asked_for_a_person(user: User) -> None:
    waits_for_scan = row(9, **{"First Name": "Dora"})
    with stub_server(user, idv_s=0.0) as serving:
        options = profile(user, serving.base_url, steps=(STANDARD,), mapping=MAPPING)
        ran = user.types("run", source(user, [waits_for_scan]), *options, "--json", **serving.environ)
        assert (ran.code, results(user, ran)[0]["_idv_status"]) == (0, "PENDING_DOCUMENTS")
        serving.hand_over_a_document(results(user, ran)[0]["_customer_id"])

        followed = user.types("follow", "last", *options, "--json", **serving.environ)

    (result,) = results(user, followed)
    assert (followed.code, result["_idv_status"], result["_idv_outcome"]) == (0, "COMPLETED", "APPROVED")
    assert result["_warnings"] == ""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_between_steps_and_resume_goes_on(
    user: User, stub: Server, number: signal.Signals, code: int
) -> None:
    options = profile(
        user,
        stub.base_url,
        steps=("limits = true", STANDARD, "verify = true"),
        mapping={**MAPPING, **LIMITS},
        delivery=('rate = "40/s"',),
    )
    rows = people(40, Currency="USD", Daily="10.00", Single="")
    process = user.starts("run", source(user, rows), *options, "--json", **stub.environ)
    wait_for(lambda: stub.asked().get("limits_set", 0) >= 10, process)
    process.send_signal(number)
    stopped = ended(process)
    assert (stopped.code, stopped.json["counts"]["created"]) == (code, 40)
    assert 10 <= stopped.json["follow_up"]["steps"]["limits"]["done"] < 40
    assert f"importer resume {stopped.json['run_id']}" in stopped.json["next_step"]

    resumed = user.types("resume", "last", "--rate", "900/s", *options, "--json", **stub.environ)

    assert resumed.code == 0, resumed.out
    assert resumed.json["follow_up"]["steps"] == {name: {"done": 40} for name in ("limits", "verification", "verify")}
    assert stub.asked()["idv_submit"] == 40
    assert len(stub.there().by_email()) == 40


def test_retry_does_failed_steps_again(user: User) -> None:
    """Limits are refused at first, and later accepted."""
    plan = '[[rule]]\nfault = "status"\nstatus = 422\non = ["limits_set"]\nfor_requests = 100\n'
    with emulator_server(user, faults=plan, idv_s=0.0) as serving:
        options = profile(user, serving.base_url, steps=("limits = true", STANDARD), mapping={**MAPPING, **LIMITS})
        ran = user.types("run", source(user, people(8, Daily="10.00")), *options, "--json", **serving.environ)
        assert (ran.code, ran.json["follow_up"]["steps"]["limits"]) == (3, {"failed": 8})
        assert {one["_limits"] for one in results(user, ran)} == {"failed"}
        before = dict(serving.asked())
        serving.pad(100)

        retried = user.types("retry", "last", *options, "--json", **serving.environ)

        assert (retried.code, {one["_limits"] for one in results(user, retried)}) == (0, {"set"}), retried.out
        assert {one["_warnings"] for one in results(user, retried)} == {""}
        after = serving.asked()
        assert [after[kind] - before[kind] for kind in ("create", "idv_submit", "limits_set")] == [0, 0, 8]


def test_steps_that_a_profile_names_later_are_done_for_customers_that_are_there(user: User, server: Server) -> None:
    before = profile(user, server.base_url, steps=(), mapping=MAPPING)
    assert user.types("run", source(user, people(5)), *before, "--json", **server.environ).code == 0
    later = profile(user, server.base_url, steps=("verify = true", STANDARD), mapping=MAPPING)

    resumed = user.types("resume", "last", *later, "--json", **server.environ)

    assert (resumed.code, resumed.json["follow_up"]["outcomes"]) == (0, {"APPROVED": 5}), resumed.out
    assert {one["_verified"] for one in results(user, resumed)} == {"same"}
    assert server.asked()["create"] == 5


# --------------------------------------------------------------------------- bad input


def nothing_was_sent(server: Server) -> bool:
    return not {"create", "limits_set", "idv_submit", "document", "beneficiary"} & set(server.asked())


def test_an_unknown_type_of_limit_is_refused_with_the_nearest_name(user: User, stub: Server) -> None:
    options = profile(user, stub.base_url, mapping={**MAPPING, "limits.dayly": '"Daily"'})
    ran = user.types("run", source(user, people(2)), *options, "--json", **stub.environ)

    assert (ran.code, "limits.daily" in f"{ran.json['error']} {ran.json.get('fix', '')}{ran.err}") == (2, True)
    assert stub.asked() == {}


def test_limits_that_no_column_is_mapped_to_are_refused(user: User, stub: Server) -> None:
    options = profile(user, stub.base_url, steps=("limits = true",), mapping=MAPPING)
    ran = user.types("run", source(user, people(2)), *options, "--json", **stub.environ)

    assert (ran.code, "no column is mapped to a limit" in ran.json["error"]) == (2, True)
    assert nothing_was_sent(stub)


def test_amounts_that_are_negative_or_have_three_decimals_are_errors_of_their_rows(user: User, stub: Server) -> None:
    rows = people(4)
    rows[0]["Daily"], rows[1]["Daily"], rows[2]["Daily"] = "-5.00", "10.005", "much"
    options = profile(user, stub.base_url, steps=("limits = true",), mapping={**MAPPING, **LIMITS})
    ran = user.types("run", source(user, rows), *options, "--json", **stub.environ)

    assert (ran.code, ran.json["counts"]["invalid"], ran.json["counts"]["created"]) == (3, 3, 1)
    codes = [(one["_error_code"], one["_error_column"]) for one in results(user, ran)[:3]]
    assert codes == [("amount_negative", "Daily"), ("amount_too_precise", "Daily"), ("amount_invalid", "Daily")]


def test_a_currency_that_the_account_lacks_fails_the_step_and_not_the_row(user: User, server: Server) -> None:
    rows = [*people(3, Currency="EUR", Daily="10.00", Single=""), *people(6)[3:]]
    options = profile(user, server.base_url, steps=("limits = true",), mapping={**MAPPING, **LIMITS})
    ran = user.types("run", source(user, rows), *options, "--json", **server.environ)

    assert (ran.code, ran.json["counts"]["created"]) == (3, 6)
    found = results(user, ran)
    assert [one["_limits"] for one in found[:3]] == ["failed"] * 3
    assert all("EUR" in one["_warnings"] for one in found[:3])
    assert sum(one["count"] for one in ran.json["issues"] if one["code"] == "limit_missing") == 3
    amounts = server.there().limits
    assert not any(amounts[one["_customer_id"]] for one in found[:3])
    assert logged(user).count('"step_notice"') == 1


def test_a_verification_profile_that_does_not_exist_is_refused_before_any_create(user: User, server: Server) -> None:
    options = profile(user, server.base_url, steps=('identity_verification = "Standrad"',), mapping=MAPPING)
    ran = user.types("run", source(user, people(2)), *options, "--json", **server.environ)

    assert (ran.code, "no profile 'Standrad'" in ran.json["error"]) == (2, True), ran.out
    assert "'Standard'" in ran.out + ran.err
    assert nothing_was_sent(server)
    assert user.types("runs", "--json").json["runs"] == []
    right = profile(user, server.base_url, steps=(STANDARD,), mapping=MAPPING)
    assert user.types("run", "steps.csv", *right, "--json", **server.environ).code == 0


def test_a_verification_profile_that_takes_none_of_the_rows_is_refused(user: User, stub: Server) -> None:
    options = profile(user, stub.base_url, steps=('identity_verification = "Companies only"',), mapping=MAPPING)
    ran = user.types("run", source(user, people(2)), *options, "--json", **stub.environ)

    assert (ran.code, "takes none of these rows" in ran.json["error"]) == (2, True)
    assert nothing_was_sent(stub)


def test_rows_of_a_type_that_the_profile_does_not_take_are_not_ready(user: User, stub: Server) -> None:
    rows = [row(3), *people(2)]
    options = profile(user, stub.base_url, steps=('identity_verification = "companies only"',))
    ran = user.types("run", source(user, rows), *options, "--json", **stub.environ)

    assert [one["_idv_status"] for one in results(user, ran)] == ["COMPLETED", "not_ready", "not_ready"]
    assert (ran.code, stub.asked()["idv_submit"]) == (0, 1)


@pytest.mark.parametrize("individual", ["individual", "customer"])
def test_what_a_target_calls_a_person_is_a_setting(user: User, individual: str) -> None:
    """The second row has no birth date: whoever reads the requirements of a person knows it."""
    with emulator_server(user, faults='individual_party = "customer"\n', idv_s=0.0) as serving:
        more = ("[idv]", f'individual_party = "{individual}"')
        options = profile(user, serving.base_url, steps=(STANDARD,), mapping=MAPPING, more=more)
        rows = source(user, [*people(1), row(6)])
        ran = user.types("run", rows, *options, "--json", **serving.environ)

    known = individual == "customer"
    assert [one["_idv_status"] for one in results(user, ran)] == ["COMPLETED", "not_ready" if known else "COMPLETED"]
    said = "" if known else "for identity verification asks for what no row was checked for: customer."
    assert ran.json["learned"].get("unjudged", "").endswith(said)
    assert bool(ran.json["learned"].get("unjudged")) is not known


def test_rows_that_are_not_ready_are_refused_where_the_profile_says_so(user: User, stub: Server) -> None:
    rows = [*people(2), row(6)]
    more = ("[idv]", 'not_ready = "refuse"')
    options = profile(user, stub.base_url, steps=(STANDARD,), mapping=MAPPING, more=more)
    ran = user.types("run", source(user, rows), *options, "--json", **stub.environ)

    assert (ran.code, ran.json["counts"]["invalid"], ran.json["counts"]["created"]) == (3, 1, 2)
    refused = results(user, ran)[2]
    assert (refused["_status"], refused["_error_code"]) == ("invalid", "idv_incomplete")
    assert "dateOfBirth" in refused["_error_message"]
    assert len(stub.there().customers) == 2


def test_documents_that_cannot_be_sent_are_errors_of_their_rows_and_nothing_of_them_is_read(
    user: User, stub: Server
) -> None:
    (user.home / "scans").mkdir()
    (user.home / "secret.pdf").write_bytes(b"%PDF-1.4 outside")
    (user.home / "scans" / "large.pdf").write_bytes(b"%PDF-1.4" + bytes(5_242_873))
    (user.home / "scans" / "text.pdf").write_bytes(b"hello, this is a text")
    (user.home / "scans" / "way.pdf").symlink_to(user.home / "secret.pdf")
    rows = people(7)
    names = ("missing.pdf", "large.pdf", "text.pdf", "../secret.pdf", str(user.home / "secret.pdf"), "way.pdf")
    lines = [{**one, "Scan": name, "Scan No": "X1"} for one, name in zip(rows, names, strict=False)]
    path = user.has("docs.csv", "\n".join([",".join(rows[0]), *(",".join(one.values()) for one in lines)]) + "\n")
    options = profile(user, stub.base_url, steps=("verify = true",), mapping={**MAPPING, **DOCUMENTS})
    ran = user.types("run", path, *options, "--json", **stub.environ)

    assert (ran.code, ran.json["counts"]["invalid"]) == (3, 6), ran.out
    codes = [one["_error_code"] for one in results(user, ran)]
    assert len(set(codes)) >= 4
    assert {one["_error_column"] for one in results(user, ran)} == {"Scan"}
    assert stub.there().documents == []


# --------------------------------------------------------------------------- what stays as it was


def test_without_steps_nothing_is_asked_and_written_that_was_not_before(user: User, server: Server) -> None:
    options = profile(user, server.base_url, steps=(), mapping=MAPPING)
    ran = user.types("run", source(user, [row(number) for number in range(20)]), *options, "--json", **server.environ)

    with (user.home / ran.json["files"]["results"]).open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert header[header.index("_row") :] == [
        "_row", "_sheet", "_status", "_customer_id", "_error_code", "_error_field", "_error_column", "_error_message",
        "_warnings", "_http_status", "_trace_id", "_attempts", "_run",
    ]  # fmt: skip
    assert dict(server.asked()) == {"token": 1, "list": 1, "create": 20}
    assert ran.code == 0
    assert not ran.json.get("follow_up")


def test_purge_leaves_nothing_of_a_run_with_steps(user: User, stub: Server) -> None:
    rows = [row(number) for number in range(1, 14)]
    options = profile(user, stub.base_url)
    ran = user.types("run", source(user, rows), *options, "--json", **stub.environ)
    assert ran.json["counts"]["created"] == 13
    owner = next(one["Owner SSN"] for one in rows if one["Owner SSN"])
    assert owner.encode() in bytes_of_the_journal(user)
    aged(user, 31)

    assert user.types("purge", "--older-than", "30d").code == 0

    left = b"".join(path.read_bytes() for path in (user.home / "runs").rglob("*") if path.is_file())
    assert not [word for word in (b"@example.com", b"Given", b"Owner", owner.encode(), b".pdf") if word in left]
    refused = user.types("verify", "last", *options, **stub.environ)
    assert (refused.code, "purged" in refused.err) == (2, True)


def test_a_run_that_waits_for_outcomes_is_not_purged(user: User) -> None:
    with stub_server(user, idv_s=600.0) as serving:
        options = profile(user, serving.base_url, steps=(STANDARD, 'follow_up = "0s"'), mapping=MAPPING)
        assert user.types("run", source(user, people(2)), *options, **serving.environ).code == 75
        aged(user, 31)
        purged = user.types("purge", "--older-than", "30d", "--json")

    assert purged.json["purged"] == []


# --------------------------------------------------------------------------- secrets


def test_no_secret_and_no_person_is_where_it_does_not_belong(user: User) -> None:
    rows = [row(number) for number in (1, 3, 7, 8, 9, 13)]
    with stub_server(user, share=0.15, idv_s=0.2) as serving:
        options = profile(user, serving.base_url)
        ran = user.types("run", source(user, rows), *options, "--json", "--verbose", **serving.environ)
        followed = user.types("follow", "last", *options, "--json", "--verbose", **serving.environ)

    secrets = (b"canary-scan", b"canary-signed", b"stub-token-", b"stub-secret")
    cells = [one[name] for one in rows for name in ("Last Name", "SSN", "Owner Last", "Owner SSN", "Scan No", "Email")]
    words = [word.encode() for word in cells if word]
    folder = user.home / "runs" / ran.json["run_id"]
    shown = (ran.out + ran.err + followed.out + followed.err).encode()
    for name in ("run.log.jsonl", "report.json", "report.html"):
        content = (folder / name).read_bytes() + shown
        assert not [word for word in (*secrets, *words) if word in content], name
    for content in (bytes_of_the_journal(user), (folder / "results.csv").read_bytes()):
        assert not [word for word in secrets if word in content]


# --------------------------------------------------------------------------- nights


@contextmanager
def night(user: User, idv_s: float, *steps: str) -> Iterator[tuple[Server, tuple[str | Path, ...]]]:
    """A folder with one file, and the command of a night."""
    (user.home / "inbox").mkdir()
    source(user, people(5), "inbox/people.csv")
    with stub_server(user, idv_s=idv_s) as serving:
        more = ("[nightly]", "settle_s = 0.02")
        options = profile(user, serving.base_url, steps=steps, mapping=MAPPING, more=more)
        yield serving, ("nightly", "inbox", *options, "--json")


def test_a_night_follows_what_earlier_nights_left_open(user: User) -> None:
    with night(user, 6.0, STANDARD, 'follow_up = "0s"') as (serving, command):
        first = user.types(*command, **serving.environ)
        assert first.code == 75, first.out
        (archived,) = user.home.glob("inbox/archive/*")
        submitted = user.reads(archived / "results.csv")
        assert {one["_idv_outcome"] for one in submitted} == {""}

        def outcomes_after_another_night() -> list[str]:
            assert user.types(*command, **serving.environ).code == 0
            return [one["_idv_outcome"] for one in user.reads(archived / "results.csv")]

        wait_until(lambda: outcomes_after_another_night() == ["APPROVED"] * 5)

        assert serving.asked()["idv_submit"] == 5
        assert len(serving.there().customers) == 5


@pytest.mark.slow
def test_a_night_that_was_stopped_still_sends_its_rows_when_the_next_one_has_done_its_open_steps(user: User) -> None:
    with night(user, 0.0, "verify = true") as (serving, command):
        source(user, people(40), "inbox/people.csv")
        started = user.starts(*command, "--rate", "20/s", **serving.environ)
        wait_for(lambda: len(serving.there().customers) > 5, started)
        started.send_signal(signal.SIGINT)
        assert ended(started).code == 130
        followed = user.types("follow", "last", *command[2:6], "--json", **serving.environ)
        assert followed.json["counts"]["unsent"] > 0
        assert (followed.code, followed.json["follow_up"]["open"]) == (130, 0)

        assert user.types(*command, **serving.environ).code == 0

        (archived,) = user.home.glob("inbox/archive/*")
        assert {one["_status"] for one in user.reads(archived / "results.csv")} == {"created"}
        assert len(serving.there().customers) == 40
