"""Several rows of one business: a warning where they make several, and one business with several contacts."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.acceptance.conftest import User, Witness, ended, sandbox, serving_here, wait_for

pytestmark = pytest.mark.slow

HEADER = "Company,Contact First Name,Contact Last Name,Contact Email,Contact Phone"
ROWS = (
    "Example Bakery,Ada,Adams,ada@example.com,+12125550101",
    "Sample Garage,Bob,Brown,bob@example.com,+12125550102",
    "EXAMPLE BAKERY,Cid,Clark,cid@example.com,+12125550103",
    "Example Bakery,Dee,Davis,dee@example.com,+12125550104",
)
MAPPED = """
[mapping]
group_by = "businessName"
type = { value = "BUSINESS" }
externalId = "Number"
businessName = "Company"
"contacts.primary.firstName" = "Contact First Name"
"contacts.primary.lastName" = "Contact Last Name"
"contacts.primary.primaryEmail.value" = "Contact Email"
"contacts.primary.primaryPhoneNumber.number" = "Contact Phone"
"contacts.primary.primaryPhoneNumber.type" = { value = "WORK" }
"""
RULE = 'seed = 5\n[[rule]]\nfault = "commit-then-drop"\non = ["create"]\nprobability = 0.1\n'
GROUPED = '[mapping]\ngroup_by = "businessName"\n'


def businesses(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *(rows or ROWS))) + "\n"


def grouped(witness: Witness, profile_for: Callable[..., Path], more: str = GROUPED) -> tuple[str | Path, ...]:
    return sandbox(profile_for(witness, more=more))


def results(user: User, ran: Any, name: str = "results") -> list[dict[str, str]]:
    return user.reads(ran.json["files"][name])


def contacts(witness: Witness) -> dict[str, list[tuple[str, bool]]]:
    """Every business at the server with its contacts, in their order."""
    found = {one["businessName"]: one["contacts"] for one in witness.customers()}
    assert len(found) == len(witness.customers())
    return {name: [(one["firstName"], one["primary"]) for one in people] for name, people in found.items()}


# --------------------------------------------------------------------------- not asked for: said


def test_two_rows_of_one_business_that_would_make_two_are_warned_about(user: User) -> None:
    ran = user.types("run", user.has("firms.csv", businesses()), "--json")

    assert (ran.code, ran.json["counts"]["created"]) == (0, 4)
    (cluster,) = [one for one in ran.json["issues"] if one["code"] == "business_repeated"]
    assert (cluster["rows"], cluster["field"], cluster["column"]) == ([2, 4, 5], "businessName", "Company")
    warned = results(user, ran)[0]["_warnings"]
    assert "business_repeated" in warned or "This business name also appears in rows 4 and 5" in warned


def test_rows_of_different_businesses_are_not_warned_about(user: User) -> None:
    ran = user.types("run", user.has("firms.csv", businesses(*ROWS[:2])), "--json")

    assert [one["code"] for one in ran.json["issues"]] == []


# --------------------------------------------------------------------------- one business


def test_the_rows_of_a_group_are_one_customer_with_all_their_contacts(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    ran = user.types("run", user.has("firms.csv", businesses()), *options, "--json", **witness.environ)

    assert (ran.code, ran.json["counts"]["read"], ran.json["counts"]["created"]) == (0, 4, 4)
    assert witness.ledger()["counts"]["create"] == {"201": 2}
    assert contacts(witness) == {
        "Example Bakery": [("Ada", True), ("Cid", False), ("Dee", False)],
        "Sample Garage": [("Bob", True)],
    }
    rows = results(user, ran)
    assert [row["_status"] for row in rows] == ["created"] * 4
    assert len({row["_customer_id"] for row in rows}) == 2
    assert len({rows[place]["_customer_id"] for place in (0, 2, 3)}) == 1
    assert [row["_attempts"] for row in rows] == ["1", "1", "0", "0"]
    ids = results(user, ran, "id_map")
    assert sorted(one["customer_id"] for one in ids) == sorted({row["_customer_id"] for row in rows})
    assert results(user, ran, "rejects") == []
    assert not [one for one in ran.json["issues"] if one["code"] == "business_repeated"]


def test_a_second_run_of_the_same_groups_sends_nothing_and_differs_in_nothing(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options, firms = grouped(witness, profile_for), user.has("firms.csv", businesses())
    first = user.types("run", firms, *options, "--json", **witness.environ)
    again = user.types("run", firms, *options, "--force", "--json", **witness.environ)

    assert (again.code, again.json["counts"]["existing"]) == (0, 4)
    assert [row["_customer_id"] for row in results(user, again)] == [
        row["_customer_id"] for row in results(user, first)
    ]
    assert "differs_from_imported" not in {one["code"] for one in again.json["issues"]}
    assert len(witness.customers()) == 2


def test_a_dry_run_says_of_every_row_that_its_business_is_there(user: User) -> None:
    user.has("firms.toml", GROUPED)
    firms = user.has("firms.csv", businesses())
    user.types("run", firms, "--config", "firms.toml")
    ran = user.types("validate", firms, "--config", "firms.toml", "--json")

    assert [(one["code"], one["rows"]) for one in ran.json["issues"]] == [("imported_before", [2, 3, 4, 5])]


def test_a_contact_more_is_not_a_new_business_and_is_reported(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    user.types("run", user.has("firms.csv", businesses(*ROWS[:3])), *options, **witness.environ)
    ran = user.types("run", user.has("more.csv", businesses()), *options, "--json", **witness.environ)

    assert ran.json["counts"]["existing"] == 4
    assert [(one["code"], one["rows"]) for one in ran.json["issues"] if one["code"] == "differs_from_imported"] == [
        ("differs_from_imported", [2, 4, 5])
    ]
    assert len(witness.customers()) == 2


def test_the_marked_row_is_the_main_contact(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    more = '[mapping]\ngroup_by = ["businessName"]\ngroup_primary = "Main"\n'
    header = HEADER + ",Main"
    rows = [f"{row},{mark}" for row, mark in zip(ROWS, ("no", "", "yes", ""), strict=True)]
    ran = user.types(
        "run",
        user.has("firms.csv", businesses(*rows, header=header)),
        *grouped(witness, profile_for, more),
        "--json",
        **witness.environ,
    )

    assert ran.code == 0, ran.err
    bakery = next(one for one in witness.customers() if "akery" in one["businessName"].lower())
    assert [(one["firstName"], one["primary"]) for one in bakery["contacts"]] == [
        ("Cid", True),
        ("Ada", False),
        ("Dee", False),
    ]


def test_two_marked_rows_and_a_mark_that_says_nothing_are_errors(user: User) -> None:
    user.has("firms.toml", '[mapping]\ngroup_by = "businessName"\ngroup_primary = "Main"\n')
    rows = [f"{row},{mark}" for row, mark in zip(ROWS, ("yes", "perhaps", "yes", ""), strict=True)]
    user.has("firms.csv", businesses(*rows, header=HEADER + ",Main"))
    ran = user.types("validate", "firms.csv", "--config", "firms.toml", "--json")

    assert (ran.code, ran.json["counts"]) == (3, {"read": 4, "valid": 0, "invalid": 4})
    reported = {one["code"]: one["rows"] for one in ran.json["issues"]}
    assert reported == {"contacts_primary": [2, 4], "group_primary_unclear": [3], "group_held": [5]}


def test_rows_are_grouped_by_a_column_that_is_not_mapped(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    header = "Ledger No," + HEADER
    rows = [f"{number},{row}" for number, row in zip(("17", "18", "17 ", "19"), ROWS, strict=True)]
    rows[2] = rows[2].replace("EXAMPLE BAKERY", "Example Bakery")
    ran = user.types(
        "run",
        user.has("firms.csv", businesses(*rows, header=header)),
        *grouped(witness, profile_for, '[mapping]\ngroup_by = "Ledger No"\n'),
        "--json",
        **witness.environ,
    )

    assert ran.code == 0, ran.err
    assert sorted(len(one["contacts"]) for one in witness.customers()) == [1, 1, 2]
    assert [one["rows"] for one in ran.json["issues"] if one["code"] == "business_repeated"] == [[2, 4, 5]]


# --------------------------------------------------------------------------- held, or contradicting


def test_one_invalid_row_holds_its_group_and_the_others_say_which(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    rows = (*ROWS[:2], "Example Bakery,Cid,Clark,nobody,+12125550103", ROWS[3])
    options = grouped(witness, profile_for)
    ran = user.types("run", user.has("firms.csv", businesses(*rows)), *options, "--json", **witness.environ)

    assert (ran.code, ran.json["counts"]["created"], ran.json["counts"]["invalid"]) == (3, 1, 3)
    reported = results(user, ran)
    assert [row["_error_code"] for row in reported] == ["group_held", "", "email_invalid", "group_held"]
    assert reported[0]["_error_message"] == (
        "Row 4 of the same business has an error; fix it, and this row goes along."
    )
    assert [row["Contact First Name"] for row in results(user, ran, "rejects")] == ["Ada", "Cid", "Dee"]
    assert set(contacts(witness)) == {"Sample Garage"}


def test_rows_that_disagree_about_the_business_name_the_rows_and_the_field(user: User) -> None:
    user.has("firms.toml", GROUPED)
    header = HEADER + ",Mailing Street,Mailing City,Mailing Zip,Mailing Country"
    places = (
        "1 Main St,Springfield,10001,GBR",
        "2 Side St,Springfield,10001,GBR",
        "1 Main St,Shelbyville,10001,GBR",
        ",,,",
    )
    rows = [f"{row},{place}" for row, place in zip(ROWS, places, strict=True)]
    ran = user.types(
        "validate", user.has("firms.csv", businesses(*rows, header=header)), "--config", "firms.toml", "--json"
    )

    assert ran.json["counts"] == {"read": 4, "valid": 1, "invalid": 3}, ran.out
    (cluster,) = [one for one in ran.json["issues"] if one["code"] == "group_differs"]
    assert (cluster["rows"], cluster["field"], cluster["column"]) == (
        [2, 4, 5],
        "addresses.mailing.cityName",
        "Mailing City",
    )
    assert cluster["message"].startswith("Rows 2 and 4 are one business and differ in ")


def test_what_is_blank_in_one_row_is_taken_from_another(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    rows = [f"{number},{row}" for number, row in zip(("", "S-2", "B-1", "B-1"), ROWS, strict=True)]
    firms = user.has("firms.csv", businesses(*rows, header="Number," + HEADER))
    ran = user.types("run", firms, *grouped(witness, profile_for, MAPPED), "--json", **witness.environ)

    assert ran.code == 0, ran.out
    assert {one["externalId"]: len(one["contacts"]) for one in witness.customers()} == {"B-1": 3, "S-2": 1}
    assert {one["external_id"] for one in results(user, ran, "id_map")} == {"B-1", "S-2"}


def test_too_many_rows_for_one_business_are_refused(user: User) -> None:
    user.has("firms.toml", GROUPED)
    rows = [f"n/a,Ada,Adams,ada{n}@example.com,+1212555{100 + n % 100:04d}" for n in range(101)]
    ran = user.types("validate", user.has("firms.csv", businesses(*rows)), "--config", "firms.toml", "--json")

    assert ran.json["counts"] == {"read": 101, "valid": 0, "invalid": 101}
    assert "group_too_large" in {one["code"] for one in ran.json["issues"]}


def test_a_contact_that_is_there_twice_is_one_contact(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    user.types("run", user.has("firms.csv", businesses(ROWS[0], ROWS[0], ROWS[3])), *options, **witness.environ)

    assert contacts(witness) == {"Example Bakery": [("Ada", True), ("Dee", False)]}


# --------------------------------------------------------------------------- the profile


@pytest.mark.parametrize(
    ("mapping", "header", "said"),
    [
        ('group_by = "Acount"', HEADER, "a column 'Acount', which the source does not have"),
        ('group_by = "externalId"', HEADER, "group_by names externalId, which is not mapped"),
        ('group_by = "businessName"', "First Name,Last Name,Email,Phone", "the rows of this source are not businesses"),
        ('group_primary = "Main"', HEADER, "group_by"),
        ("group_by = 7", HEADER, "group_by"),
    ],
)
def test_a_grouping_that_cannot_be_is_an_error_of_the_profile(user: User, mapping: str, header: str, said: str) -> None:
    user.has("firms.toml", f"[mapping]\n{mapping}\n")
    row = ROWS[0] if header == HEADER else "Ada,Adams,ada@example.com,+12125550101"
    ran = user.types("validate", user.has("firms.csv", businesses(row, header=header)), "--config", "firms.toml")

    assert (ran.code, said in ran.err) == (2, True), ran.err


def test_init_offers_to_group_the_rows_of_businesses(user: User) -> None:
    firms = user.has("firms.csv", businesses())
    assert user.types("init", firms, "--out", "firms.toml").code == 0
    profile = user.home / "firms.toml"
    text = profile.read_text(encoding="utf-8")
    assert '\n# group_by = "businessName"' in text
    profile.write_text(text.replace("# group_by", "group_by"), encoding="utf-8")
    ran = user.types("run", firms, "--config", profile, "--json")

    assert (ran.code, len(results(user, ran, "id_map"))) == (0, 2), ran.out


# --------------------------------------------------------------------------- whatever happens to the run


def test_a_refusal_is_said_in_every_row_of_the_group_and_a_retry_sends_it_once(
    user: User, profile_for: Callable[..., Path]
) -> None:
    with serving_here("flaky") as witness:
        options = grouped(witness, profile_for)
        ran = user.types("run", user.has("firms.csv", businesses()), *options, "--json", **witness.environ)
        for _ in range(3):
            if ran.json["counts"]["created"] < 4:
                ran = user.types("retry", "last", "--json", **witness.environ)
        assert ran.json["counts"]["created"] + ran.json["counts"]["existing"] == 4, ran.out
        assert Counter(one["businessName"] for one in witness.customers()) == {"Example Bakery": 1, "Sample Garage": 1}


def test_every_row_of_a_group_is_explained_by_what_was_sent_for_it(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    user.types("run", user.has("firms.csv", businesses()), *options, **witness.environ)
    spoke, other = (
        user.types("explain", "last", row, "--show-values", "--json", **witness.environ).json for row in ("2", "4")
    )

    assert other["cells"]["Contact First Name"] == "Cid"
    assert (other["body"], other["import_key"], other["attempts"]) == (
        spoke["body"],
        spoke["import_key"],
        spoke["attempts"],
    )
    assert other["group"] == spoke["group"] == [2, 4, 5]
    assert len(other["body"]["contacts"]) == 3
    assert "One business with several contacts: rows 2, 4, 5. Row 2 is sent for all." in (
        user.types("explain", "last", "5", **witness.environ).out
    )


def test_the_annotated_workbook_marks_the_rows_that_are_held(user: User) -> None:
    user.has("firms.toml", GROUPED)
    rows = (*ROWS[:2], "Example Bakery,Cid,Clark,nobody,+12125550103")
    user.has("firms.csv", businesses(*rows))
    ran = user.types("validate", "firms.csv", "--config", "firms.toml", "--format", "csv,xlsx", "--json")

    sheet = load_workbook(user.home / ran.json["files"]["annotated"]).worksheets[0]
    reported = [[str(cell.value) for cell in row] for row in sheet.iter_rows()]
    assert "Row 4 of the same business has an error; fix it, and this row goes along." in reported[1]
    assert not any("same business" in cell for cell in reported[2])


@pytest.mark.slow
def test_groups_that_are_scattered_over_a_run_that_is_killed_are_sent_once(
    user: User, profile_for: Callable[..., Path]
) -> None:
    faults = str(user.has("faults.toml", RULE))
    rows = [
        f"Firm {letter}{letter} {'Ltd' if turn else 'LTD'},{name},Example,{name.lower()}.{letter}@example.com,"
        f"+1212555{100 + place:04d}"
        for turn, name in enumerate(("Ada", "Bob", "Cid"))
        for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
    ]
    with serving_here(faults) as witness:
        options = sandbox(
            profile_for(
                witness, more=GROUPED, delivery=['rate = "20/s"', "concurrency = 4", "looks_after_s = [0, 0.2]"]
            )
        )
        process = user.starts("run", user.has("firms.csv", businesses(*rows)), *options, "--quiet", **witness.environ)
        for most in (5, 12):
            wait_for(lambda most=most: witness.ledger()["customers"] >= most, process)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.communicate()
            process = user.starts("resume", "last", "--json", **witness.environ)
        ran = ended(process)

        assert ran.code == 0, ran.out
        assert sum(ran.json["counts"][state] for state in ("created", "existing")) == ran.json["counts"]["read"] == 78
        assert (len(witness.customers()), {len(one["contacts"]) for one in witness.customers()}) == (26, {3})
        assert witness.ledger()["duplicates"]["importKey"] == 0
        reported = results(user, ran)
        by_firm = {
            firm: {row["_customer_id"] for row in reported if row["Company"].lower() == firm}
            for firm in {row["Company"].lower() for row in reported}
        }
        assert {len(ids) for ids in by_firm.values()} == {1}
        assert len(results(user, ran, "id_map")) == 26


# --------------------------------------------------------------------------- fixed rows come back

WRONG = (*ROWS[:2], "Example Bakery,Cid,Clark,nobody,+12125550103", ROWS[3])


def fixed(user: User, ran: Any, old: str, new: str, name: str = "fixed.csv") -> Path:
    """The rejects of a run with a text changed, as somebody would in an editor."""
    rejects = (user.home / ran.json["files"]["rejects"]).read_text(encoding="utf-8")
    assert old in rejects
    return user.has(name, rejects.replace(old, new))


def test_a_group_whose_wrong_row_is_fixed_is_sent_whole_and_once(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    first = user.types("run", user.has("firms.csv", businesses(*WRONG)), *options, "--json", **witness.environ)
    back = fixed(user, first, ",nobody,", ",cid@example.com,")

    for command in (("retry", "last", "--fixed", back), ("retry", "last", "--fixed", back), ("run", back)):
        ran = user.types(*command, "--json", **witness.environ)
        assert ran.json["counts"]["created"] == 4, ran.out
        assert contacts(witness) == {
            "Example Bakery": [("Ada", True), ("Cid", False), ("Dee", False)],
            "Sample Garage": [("Bob", True)],
        }
    assert witness.ledger()["counts"]["create"] == {"201": 2}
    reported = user.reads(f"runs/{first.json['run_id']}/results.csv")
    assert [row["_status"] for row in reported] == ["created"] * 4
    assert len({reported[place]["_customer_id"] for place in (0, 2, 3)}) == 1
    assert {row["_error_code"] for row in reported} == {""}


def test_a_group_that_comes_back_unfixed_or_fixed_wrongly_is_held_still(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    first = user.types("run", user.has("firms.csv", businesses(*WRONG)), *options, "--json", **witness.environ)

    for new in ("nobody", "still nobody"):
        back = fixed(user, first, "nobody", new)
        ran = user.types("retry", "last", "--fixed", back, "--json", **witness.environ)
        assert (ran.json["counts"]["created"], ran.json["counts"]["invalid"]) == (1, 3), ran.out
    reported = user.reads(f"runs/{first.json['run_id']}/results.csv")
    assert [row["_error_code"] for row in reported] == ["group_held", "", "email_invalid", "group_held"]
    assert len(witness.customers()) == 1


def test_a_row_that_is_taken_out_of_its_group_leaves_the_others_whole(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    rows = ("Example Bakery,Cid,Clark,nobody,+12125550103", *ROWS[1:2], ROWS[0], ROWS[3])
    first = user.types("run", user.has("firms.csv", businesses(*rows)), *options, "--json", **witness.environ)
    back = fixed(user, first, "Example Bakery,Cid,Clark,nobody", "Sample Florist,Cid,Clark,cid@example.com")
    ran = user.types("retry", "last", "--fixed", back, "--json", **witness.environ)

    assert (ran.code, ran.json["counts"]["created"]) == (0, 4), ran.out
    assert contacts(witness) == {
        "Example Bakery": [("Ada", True), ("Dee", False)],
        "Sample Florist": [("Cid", True)],
        "Sample Garage": [("Bob", True)],
    }


def test_a_group_in_doubt_that_comes_back_fixed_is_looked_up_as_it_was_sent(
    user: User, profile_for: Callable[..., Path]
) -> None:
    rules = 'seed = 5\n[[rule]]\nfault = "commit-then-drop"\non = ["create"]\nfor_requests = 12\n'
    rules += '[[rule]]\nfault = "status"\nstatus = 500\non = ["list"]\nfor_requests = 12\n'
    with serving_here(user.has("faults.toml", rules)) as witness:
        delivery = ["looks_after_s = [0, 0.1]", "max_attempts = 2", "breaker_faults = 1000", "concurrency = 1"]
        options = sandbox(profile_for(witness, more=GROUPED, delivery=delivery))
        first = user.types("run", user.has("firms.csv", businesses()), *options, "--json", **witness.environ)
        assert first.json["counts"]["unknown"] == 4, first.out
        back = fixed(user, first, "Cid,Clark,", "Cid,Clarke,")
        ran = first
        for _ in range(8):
            if ran.json["counts"]["unknown"]:
                ran = user.types("retry", "last", "--fixed", back, "--json", **witness.environ)

        assert ran.json["counts"]["existing"] + ran.json["counts"]["created"] == 4, ran.out
        assert Counter(one["businessName"] for one in witness.customers()) == {"Example Bakery": 1, "Sample Garage": 1}
        reported = user.reads(f"runs/{first.json['run_id']}/results.csv")
        assert len({reported[place]["_customer_id"] for place in (0, 2, 3)}) == 1


def test_a_dry_run_with_a_held_group_goes_on_to_the_import_of_all_businesses(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = grouped(witness, profile_for)
    first = user.types("run", user.has("firms.csv", businesses(*WRONG)), *options, "--dry-run", "--json")
    assert first.json["counts"] == {"read": 4, "valid": 1, "invalid": 3}, first.out
    back = fixed(user, first, ",nobody,", ",cid@example.com,")
    ran = user.types("retry", "last", "--fixed", back, *options, "--json", **witness.environ)

    assert (ran.code, ran.json["counts"]["created"]) == (0, 4), ran.out
    assert contacts(witness) == {
        "Example Bakery": [("Ada", True), ("Cid", False), ("Dee", False)],
        "Sample Garage": [("Bob", True)],
    }


def test_rows_are_grouped_when_they_are_checked_again_under_a_profile_that_says_so(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    strict, lax = '[validation]\nphone = "valid"\n', f'{GROUPED}[validation]\nphone = "possible"\n'
    rows = [row.replace("+1212555", "+1415") for row in ROWS]
    options = sandbox(profile_for(witness, "strict.toml", more=strict))
    first = user.types("run", user.has("firms.csv", businesses(*rows)), *options, "--json", **witness.environ)
    assert first.json["counts"]["invalid"] == 4, first.out
    other = profile_for(witness, "lax.toml", more=lax)
    ran = user.types("retry", "last", "--config", other, "--json", **witness.environ)

    assert (ran.json["counts"]["created"], len(witness.customers())) == (4, 2), ran.out
    assert len(contacts(witness)["Example Bakery"]) == 3
